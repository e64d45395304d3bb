"""A look taught on one's own face, written as an HTML page and as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mojing.core import files
from mojing.makeup.handout import handout
from mojing.makeup.lesson import Lesson, lesson
from mojing.makeup.look import Look
from mojing.makeup.names import Language
from mojing.makeup.page import page
from mojing.makeup.wording import LANGUAGES

if TYPE_CHECKING:
    from mojing.makeup.pipeline import Sitter

__all__ = ["Lesson", "lesson", "write", "write_lesson"]


def write(
    sitter: Sitter,
    look: Look,
    *,
    out: str | Path,
    languages: Sequence[Language] = LANGUAGES,
    pdf: bool = True,
    fit: bool = False,
) -> tuple[Path, ...]:
    """Teach a look on the first face of a sitter; see `write_lesson`.

    With `fit`, foundation and what else must suit the skin are taught in shades for this face.

    Raises:
        InputError: unwritable; or the look names a residual that cannot be read.
    """
    files.check_folder(out)
    if fit:
        from mojing.makeup.transfer import fitted

        look = fitted(look, sitter.photo.flat(), sitter.face)
    hair = sitter.hair if any(layer.kind == "hair" for layer in look.layers) else None
    taught = lesson(sitter.photo.flat(), sitter.face, look=look, hair=hair)
    return write_lesson(taught, out, languages=languages, pdf=pdf)


def write_lesson(
    taught: Lesson, out: str | Path, *, languages: Sequence[Language] = LANGUAGES, pdf: bool = True
) -> tuple[Path, ...]:
    """Write tutorial.html, which holds all the languages, and tutorial-LANGUAGE.pdf for each, into the folder `out`.

    Raises:
        InputError: unwritable.
    """
    folder = Path(out)
    files.check_folder(folder)
    made = [files.write(folder / "tutorial.html", page(taught, languages=languages).encode())]
    if pdf:
        made += [files.write(folder / f"tutorial-{one}.pdf", handout(taught, language=one)) for one in languages]
    return tuple(made)

"""The whole exception tree.

    MojingError
    ├── InputError          the photo, garment or file given cannot be used      exit code 3
    │   └── QualityError    it could be used, but the picture made from it is bad  exit code 3
    ├── MissingExtraError   the command needs an extra that is not installed     exit code 2
    ├── ModelError          the installation's own model files are at fault      exit code 1
    └── TrainingError       a training run cannot go on                          exit code 1

Every error has a `code` from the closed list `CODES`, a message that says what is wrong with what was given,
and a hint that says what to do. `str(error)` is the message alone.
"""

from __future__ import annotations

from typing import Final

CODES: Final[dict[str, str]] = {
    "not_found": "there is no such file",
    "undecodable": "the file is not a picture that can be read",
    "truncated": "the file ends before the picture does",
    "too_large": "the picture has more pixels than are accepted",
    "too_small": "the picture has too few pixels to see anything in",
    "bad_array": "an array has the wrong shape, type or range for a picture",
    "unwritable": "the result cannot be written where it was asked for",
    "no_person": "nobody was found in the photo",
    "several_people": "there are several people and the one asked for is not among them",
    "bad_crop": "the part of the body that the garment covers is not in the photo",
    "back_view": "the person is seen from behind",
    "bad_pose": "the pose hides too much of the body (sitting, lying, bent over)",
    "no_garment": "no garment was found in the photo",
    "bad_category": "the category is not one of those known",
    "bad_anchors": "the anchor file cannot be used",
    "bad_size": "the size chart or the size asked for cannot be used",
    "bad_options": "the options given do not exist or do not fit together",
    "bad_data": "the data folder has not the files that were expected",
    "no_images": "there is nothing to train on where the data were said to be",
    "too_few": "there are too few pictures to train on",
    "labels_missing": "a conditional network needs a label for every picture",
    "diverged": "training reached numbers that are not finite",
    "bad_colour": "the colour is none that is known",
    "bad_pattern": "the pattern is none that is known, or cannot be printed at that size",
    "bad_place": "the garment has no such place",
    "bad_design": "the design, its folder or what shall be changed about it cannot be used",
    "bad_video": "the file is not a video that can be read",
    "no_camera": "there is no such camera, or it gives no pictures",
    "too_near": "the design looks too much like a garment the generator was trained on",
    "bad_look": "the look file or a layer of it cannot be used",
    "bad_catalogue": "the product catalogue cannot be used",
    "poor_result": "the picture was made, but it would not be good enough to show",
    "no_face": "no face was found in the photo",
    "bad_face": "there are several faces and the one asked for is not among them",
    "profile": "the face is turned too far to the side",
    "small": "the face is too small in the photo",
    "not_a_photo": "the face is drawn, painted or carved rather than photographed",
    "dark": "the face is too dark to be seen well",
    "covered": "too much of the face is covered",
    "overexposed": "the face is over-exposed: its brightest parts have lost their colour",
    "mixed_light": "the two sides of the face stand in light of different colours",
    "coloured_light": "the light is too strongly coloured to tell the colour of skin",
    "bad_card": "the grey card given is not in the photo, or is no plain grey or white",
    "bad_table": "the table of shades cannot be used",
    "model_missing": "a model file is not where it should be",
    "model_corrupt": "a model file is not the one its description speaks of",
    "model_mismatch": "a model does not take or give what the program expects",
    "missing_extra": "the command needs packages that are not installed",
}
"""Every code and what it means; a code outside this list cannot be raised."""


class MojingError(Exception):
    """Base of all errors that mojing raises on purpose."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        assert code in CODES, f"undocumented error code {code!r}"
        super().__init__(message)
        self.code = code
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.code, str(self), self.hint)


def _rebuild(kind: type[MojingError], code: str, message: str, hint: str) -> MojingError:
    return kind(code, message, hint=hint)


class InputError(MojingError):
    """What was given cannot be used."""


class QualityError(InputError):
    """A picture was made and judged too bad to show; `score` in 0..1 and `reasons` say why."""

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        score: float = 0.0,
        reasons: tuple[str, ...] = (),
    ) -> None:
        super().__init__(code, message, hint=hint)
        self.score = score
        self.reasons = reasons

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_quality, (self.code, str(self), self.hint, self.score, self.reasons)


def _rebuild_quality(code: str, message: str, hint: str, score: float, reasons: tuple[str, ...]) -> QualityError:
    return QualityError(code, message, hint=hint, score=score, reasons=reasons)


class ModelError(MojingError):
    """A model file is missing, altered, or of another kind than the program expects."""


class TrainingError(MojingError):
    """A training run stopped: its numbers are no numbers any more."""


class MissingExtraError(MojingError):
    """An optional part of mojing is not installed."""

    def __init__(self, extra: str, *, needs: str, packages: str = "") -> None:
        """`packages` are what to install where mojing has no such extra."""
        what = packages or f"'mojing[{extra}]'"
        super().__init__(
            "missing_extra", f"this needs {needs}, which is not installed", hint=f"install it with: pip install {what}"
        )
        self.extra = extra
        self.needs = needs
        self.packages = packages

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_extra, (self.extra, self.needs, self.packages)


def _rebuild_extra(extra: str, needs: str, packages: str) -> MissingExtraError:
    return MissingExtraError(extra, needs=needs, packages=packages)

"""Texts that users give, read within limits; results, asked for beforehand and written as whole files or none."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mojing.core.errors import InputError

_HINT = "choose another place"


def read_text(path: str | Path, *, what: str, code: str, most: int, hint: str) -> str:
    """The text of a UTF-8 file of at most `most` bytes; `what` names it in messages, `code` is that of its faults.

    Raises:
        InputError: not_found, `code`.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as exc:
        raise InputError("not_found", f"there is no {what} {path}", "check the path") from exc
    if len(data) > most:
        size = f"{most >> 20} MiB" if most >> 20 else f"{most >> 10} KiB"
        raise InputError(code, f"{path.name} has more than {size}", hint)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise InputError(code, f"{path.name} is no UTF-8 text", hint) from exc


def check_file(path: str | Path) -> None:
    """Refuse a place where no file can be written, before the long work whose result it is for. Nothing is created.

    Raises:
        InputError: unwritable.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError("unwritable", f"{path} is a folder, not a file", "give the name of a file")
        if path.exists():
            if not os.access(path, os.W_OK):
                raise InputError("unwritable", f"{path} is write-protected", _HINT)
            return
        _check_parents(path)
    except (OSError, ValueError) as exc:
        raise unwritable(path, exc) from exc


def check_folder(path: str | Path) -> None:
    """Refuse a place that is no folder and cannot become one. Nothing is created.

    Raises:
        InputError: unwritable.
    """
    path = Path(path)
    try:
        if path.is_dir():
            if not os.access(path, os.W_OK | os.X_OK):
                raise InputError("unwritable", f"the folder {path} is write-protected", _HINT)
        elif path.exists():
            raise InputError("unwritable", f"{path} is a file, not a folder", "give the name of a folder")
        else:
            _check_parents(path)
    except (OSError, ValueError) as exc:
        raise unwritable(path, exc) from exc


def _check_parents(path: Path) -> None:
    """The nearest folder above that exists must be one, and take new files; the name must be one that can be given."""
    with suppress(FileNotFoundError, NotADirectoryError):
        path.lstat()
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise InputError("unwritable", f"{path} cannot be written: {above.name} is a file", _HINT)
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError("unwritable", f"{path} cannot be written: {above} is write-protected", _HINT)


def unwritable(path: Path, exc: Exception) -> InputError:
    """The system's refusal to write as ours."""
    reason = getattr(exc, "strerror", None) or str(exc)
    return InputError("unwritable", f"{path} cannot be written: {reason}", _HINT)


def write(path: str | Path, data: bytes) -> Path:
    """Write a file so that nobody ever sees half of it; folders are made as needed.

    The bytes go to a new file beside it that takes its place at the end. What is no plain file (a pipe, a device), or
    lies in a folder that takes no new files, is written directly.

    Raises:
        InputError: unwritable.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.resolve()
        if not path.exists():
            _replace(target, data, mode=None)
        elif path.is_file() and os.access(target.parent, os.W_OK):
            _replace(target, data, mode=stat.S_IMODE(target.stat().st_mode))
        else:
            path.write_bytes(data)
    except (OSError, ValueError) as exc:
        raise unwritable(path, exc) from exc
    return path


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A new file to fill, with the suffix of `path`, that takes its place when the block ends well and is gone when
    it does not: for what is written bit by bit and by others, such as a video. Folders are made as needed.

    Raises:
        InputError: unwritable.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.resolve()
        temporary = target.with_name(f".mojing-{secrets.token_hex(8)}{target.suffix}")
    except (OSError, ValueError) as exc:
        raise unwritable(path, exc) from exc
    try:
        yield temporary
        try:
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            temporary.replace(target)
        except (OSError, ValueError) as exc:
            raise unwritable(path, exc) from exc
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _replace(target: Path, data: bytes, *, mode: int | None) -> None:
    temporary = target.with_name(f".mojing-{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(data)
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

"""Pictures in and out: everything the outside world calls a picture becomes one `Photo`.

RGB uint8 HxWx3 with straight alpha, upright (EXIF applied), in sRGB. Sizes are checked from the header, before any
pixel is decoded. Only formats with a decoder of Pillow's own are opened, so no file can start another program.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from mojing.core import files
from mojing.core.arrays import U8, AnyArray, readonly
from mojing.core.errors import InputError

MAX_PIXELS: Final = 64_000_000
MAX_SIDE: Final = 16_384
MIN_SIDE: Final = 32
MAX_BYTES: Final = 512 * 2**20
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
_SUFFIXES: Final = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_FORMAT_HINT: Final = "give a JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF picture"

_DAMAGE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    OverflowError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
)
"""What Pillow's decoders raise on damaged files (TypeError: a TIFF without dimensions). Nothing but calls of Pillow is
guarded with it, so that our own mistakes stay mistakes."""

_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Source = str | Path | bytes | AnyArray | Image.Image
"""What `load` takes besides a `Photo`."""


@dataclass(frozen=True, eq=False, slots=True)
class Photo:
    """An upright sRGB picture.

    `rgb` uint8 HxWx3 in 0..255, straight (not multiplied by alpha); `alpha` uint8 HxW, 255 opaque, or None when the
    whole picture is opaque; `notices` say what had to be changed or left out on the way in. Both arrays are read-only.
    """

    rgb: U8
    alpha: U8 | None = None
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rgb.dtype != np.uint8 or self.rgb.ndim != 3 or self.rgb.shape[2] != 3:
            raise InputError("bad_array", f"a photo is uint8 (H, W, 3); got {self.rgb.dtype} {self.rgb.shape}")
        if self.alpha is not None and (self.alpha.dtype != np.uint8 or self.alpha.shape != self.rgb.shape[:2]):
            raise InputError(
                "bad_array", f"alpha is uint8 {self.rgb.shape[:2]}; got {self.alpha.dtype} {self.alpha.shape}"
            )
        object.__setattr__(self, "rgb", readonly(self.rgb))
        if self.alpha is not None:
            object.__setattr__(self, "alpha", readonly(self.alpha))

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.rgb.shape[0]), int(self.rgb.shape[1])

    def flat(self, background: int = 255) -> U8:
        """The picture on a plain grey level `background` (0..255): uint8 HxWx3, read-only where alpha is None."""
        if self.alpha is None:
            return self.rgb
        a = self.alpha[..., None].astype(np.uint16)
        mixed = (self.rgb * a + np.uint16(background) * (255 - a) + 127) // 255
        return mixed.astype(np.uint8)

    def opaque(self) -> Photo:
        """The picture on white, with a notice, where it was transparent; itself where it was not."""
        if self.alpha is None:
            return self
        return replace(
            self, rgb=self.flat(), alpha=None, notices=(*self.notices, "transparent parts were laid on white")
        )


def load(source: Source | Photo, *, min_side: int = MIN_SIDE) -> Photo:
    """Read a picture from a path, encoded bytes, an array or a Pillow image.

    Arrays are HxW, HxWx3 or HxWx4 in uint8 or uint16 RGB order. A side of less than `min_side` px is refused: people
    and garments need the default, pictures to train on may be smaller.

    Raises:
        InputError: not_found, undecodable, truncated, too_large, too_small, bad_array.
    """
    if isinstance(source, Photo):
        photo = source
    elif isinstance(source, np.ndarray):
        photo = _from_array(source, min_side)
    elif isinstance(source, Image.Image):
        _check_size(source.size, min_side)
        photo = _from_pillow(source, "the picture")
    elif isinstance(source, bytes | bytearray | memoryview):
        photo = _decode(bytes(source), "the data", min_side)
    elif isinstance(source, str | Path):
        photo = _decode(_read(Path(source)), Path(source).name, min_side)
    else:
        raise InputError("bad_array", f"a picture cannot be made from {type(source).__name__}", hint=_FORMAT_HINT)
    h, w = photo.hw
    _check_size((w, h), min_side)
    return photo


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            plain = stat.S_ISREG(about.st_mode)
            data = b"" if plain and about.st_size > MAX_BYTES else file.read(-1 if plain else MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise InputError("not_found", f"there is no file {path}", hint="check the path") from exc
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise InputError("undecodable", f"{path} cannot be read: {reason}", hint="give a readable file") from exc
    if max(about.st_size, len(data)) > MAX_BYTES:
        raise InputError("too_large", f"{path.name} has more than {MAX_BYTES >> 20} MiB", hint="give a smaller file")
    return data


def _check_size(wh: tuple[int, int], min_side: int, *, name: str = "the picture") -> None:
    w, h = wh
    if w * h > MAX_PIXELS or max(w, h) > MAX_SIDE:
        limit = f"at most {MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE} px a side are read"
        raise InputError("too_large", f"{name} is {w}x{h}; {limit}", hint="scale it down")
    if min(w, h) < min_side:
        limit = f"at least {min_side} px a side are needed"
        raise InputError("too_small", f"{name} is {w}x{h}; {limit}", hint="give a larger one")


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """What Pillow raises on the picture called `name` becomes ours; only calls of Pillow belong inside."""
    try:
        with warnings.catch_warnings():
            # Pillow warns about sizes that we refuse by our own limit, and about metadata that we do not read.
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError as exc:
        raise InputError("too_large", f"{name} has far too many pixels", hint="scale it down") from exc
    except UnidentifiedImageError as exc:
        raise InputError("undecodable", f"{name} is not a picture", hint=_FORMAT_HINT) from exc
    except _DAMAGE as exc:
        if "truncated" in str(exc).lower() or isinstance(exc, EOFError):
            raise InputError("truncated", f"{name} ends too early", hint="copy or download it again") from exc
        raise InputError("undecodable", f"{name} cannot be decoded: {exc}", hint=_FORMAT_HINT) from exc


def _decode(data: bytes, name: str, min_side: int) -> Photo:
    with _decoding(name):
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    with image:
        _check_size(image.size, min_side, name=name)
        return _from_pillow(image, name)


def _from_pillow(image: Image.Image, name: str) -> Photo:
    notices: list[str] = []
    with _decoding(name):
        frames = getattr(image, "n_frames", 1)
        image.load()
        has_alpha = image.has_transparency_data
    if frames > 1 and image.format != "MPO":
        notices.append("the picture is animated or has several pages: the first was used")
    turn = _turn(image, notices)
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image if turn is None else image.transpose(turn))
        return Photo(_grey16(values), notices=tuple(notices))
    image = _to_srgb(image, has_alpha, notices, name=name)
    pixels = np.array(image if turn is None else image.transpose(turn), np.uint8)
    return _split(pixels, tuple(notices))


def _turn(image: Image.Image, notices: list[str]) -> Image.Transpose | None:
    """What EXIF says must be done to see the picture upright; damaged metadata is no reason to refuse a picture."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:
        notices.append("the picture's metadata is damaged: it was taken to be upright")
        return None
    return _UPRIGHT.get(orientation) if isinstance(orientation, int) else None


def _to_srgb(image: Image.Image, has_alpha: bool, notices: list[str], *, name: str) -> Image.Image:
    """Convert to RGB or RGBA through the embedded colour profile, if there is one that is not sRGB already."""
    mode = "RGBA" if has_alpha else "RGB"
    icc = image.info.get("icc_profile")
    if icc and image.mode in ("RGB", "RGBA", "CMYK"):
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            if "srgb" not in ImageCms.getProfileDescription(profile).lower():
                out = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
                if out is not None:
                    image = out
        except (ImageCms.PyCMSError, OSError, ValueError):
            notices.append("the colour profile cannot be read: sRGB was assumed")
    if image.mode == mode:
        return image
    with _decoding(name):
        return image.convert(mode)


def _grey16(values: AnyArray) -> U8:
    """Grey of more than eight bits to RGB; the range is 0..65535, as in 16-bit PNG and TIFF."""
    if values.dtype.kind == "f":
        raise InputError("undecodable", "pictures with floating-point pixels are not read", hint=_FORMAT_HINT)
    grey = ((np.clip(values, 0, 65535).astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=2))


def _from_array(array: AnyArray, min_side: int) -> Photo:
    shape_ok = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not shape_ok or array.dtype not in (np.uint8, np.uint16):
        raise InputError(
            "bad_array",
            f"a picture is (H, W), (H, W, 3) or (H, W, 4) in uint8 or uint16; got {array.dtype} {array.shape}",
            hint="convert it, in RGB order",
        )
    _check_size((array.shape[1], array.shape[0]), min_side)
    if array.dtype == np.uint16:
        array = (array.astype(np.uint32) + 128) // 257
    pixels = array.astype(np.uint8)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return _split(pixels, ())


def _split(pixels: U8, notices: tuple[str, ...]) -> Photo:
    rgb = np.ascontiguousarray(pixels[..., :3])
    if pixels.shape[2] == 3 or bool((pixels[..., 3] == 255).all()):
        return Photo(rgb, notices=notices)
    return Photo(rgb, np.ascontiguousarray(pixels[..., 3]), notices)


def encode(pixels: U8, fmt: str = "PNG") -> bytes:
    """Encode uint8 HxW, HxWx3 or HxWx4 as PNG, JPEG (quality 95, alpha laid on white) or WebP."""
    assert pixels.dtype == np.uint8, pixels.dtype
    options: dict[str, Any] = {"PNG": {"compress_level": 3}, "JPEG": {"quality": 95, "subsampling": 0}}.get(fmt, {})
    if fmt == "WEBP":
        options = {"quality": 92, "method": 2}
    if fmt == "JPEG" and pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = _split(pixels, ()).flat()
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, fmt, **options)
    return buffer.getvalue()


def check_suffix(path: str | Path) -> str:
    """Format that `save` would write to `path`; asked before long work, so that it is not done in vain.

    Raises:
        InputError: unwritable.
    """
    fmt = _SUFFIXES.get(Path(path).suffix.lower())
    if fmt is None:
        known = ", ".join(sorted(_SUFFIXES))
        raise InputError("unwritable", f"{Path(path).name} has no picture suffix", f"end the name in one of {known}")
    return fmt


def save(path: str | Path, pixels: U8) -> Path:
    """Write uint8 HxW, HxWx3 or HxWx4 in the format of the suffix; folders are made as needed.

    Raises:
        InputError: unwritable.
    """
    return files.write(path, encode(pixels, check_suffix(path)))

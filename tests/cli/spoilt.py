"""Picture files that nobody should hand in, made of a good picture."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mojing.core.arrays import U8

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation -> how an upright picture must be turned so that it is stored that way."""


def encoded(image: Image.Image, fmt: str, **options: object) -> bytes:
    """File bytes of a Pillow image."""
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def bomb(width: int = 10_000, height: int = 10_000) -> bytes:
    """A PNG of a few bytes that claims a hundred megapixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 64)), (b"IEND", b"")):
        chunks += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return b"\x89PNG\r\n\x1a\n" + chunks


def unreadable(image: Image.Image) -> dict[str, tuple[bytes, set[str]]]:
    """Files that hold no picture that can be used: name -> bytes and the codes they may be refused with."""
    jpeg, png = encoded(image, "JPEG"), encoded(image, "PNG")
    tiff = encoded(image, "TIFF", compression="tiff_lzw")
    webp, broken = encoded(image, "WEBP"), {"truncated", "undecodable"}
    return {
        "text.jpg": (b"hello, not a picture", {"undecodable"}),
        "empty.jpg": (b"", {"undecodable"}),
        "random.jpg": (np.random.default_rng(0).bytes(5000), {"undecodable"}),
        "vector.png": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', {"undecodable"}),
        "half.jpg": (jpeg[: len(jpeg) // 2], broken),
        "nearly.jpg": (jpeg[:-400], broken),
        "half.png": (png[: len(png) // 2], broken),
        "half.webp": (webp[: len(webp) // 2], broken),
        "damaged.tif": (tiff[:200] + bytes(len(tiff) // 2) + tiff[200 + len(tiff) // 2 :], broken),
        "header.jpg": (jpeg[:20], broken),
        "pixel.png": (encoded(image.resize((1, 1)), "PNG"), {"too_small"}),
        "thin.png": (encoded(image.resize((8, 900)), "PNG"), {"too_small"}),
        "bomb.png": (bomb(), {"too_large"}),
        "long.png": (bomb(17_000, 40), {"too_large"}),
    }


def odd(image: Image.Image) -> dict[str, bytes]:
    """Files of unusual kinds that show the same as the picture, or nearly."""
    red = Image.new("RGB", image.size, "red")
    rgb = np.asarray(image)
    _, deep = cv2.imencode(".png", rgb[..., ::-1].astype(np.uint16) * 257)
    opaque = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    return {
        "animated.gif": encoded(image, "GIF", save_all=True, append_images=[red, red]),
        "animated.webp": encoded(image, "WEBP", save_all=True, append_images=[red], quality=95),
        "cmyk.jpg": encoded(image.convert("CMYK"), "JPEG", quality=95),
        "grey.jpg": encoded(image.convert("L"), "JPEG"),
        "deep-grey.png": encoded(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), "PNG"),
        "deep.png": deep.tobytes(),
        "opaque.png": encoded(Image.fromarray(np.concatenate([rgb, opaque], axis=2)), "PNG"),
        "palette.png": encoded(image.quantize(200), "PNG"),
    }


def stored_turned(image: Image.Image, orientation: int, fmt: str = "PNG") -> bytes:
    """The picture stored turned, with the EXIF orientation that says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = image.transpose(TURNS[orientation]) if orientation in TURNS else image
    options = {"quality": 95} if fmt == "JPEG" else {}
    return encoded(turned, fmt, exif=exif, **options)


def cut_out(image: Image.Image, hidden: tuple[int, int, int]) -> bytes:
    """A PNG whose plain background is transparent and hides another colour."""
    rgb = np.asarray(image).copy()
    far = np.abs(rgb.astype(int) - rgb[4, 4]).max(axis=2) > 14
    alpha: U8 = cv2.morphologyEx(far.astype(np.uint8) * np.uint8(255), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    rgb[alpha == 0] = hidden
    return encoded(Image.fromarray(np.dstack([rgb, alpha])), "PNG")


def put(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """Write the files and return their paths."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in files]

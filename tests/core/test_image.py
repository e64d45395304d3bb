"""Every kind of picture becomes the same kind of Photo, or a typed refusal."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from mojing.core.arrays import U8, AnyArray
from mojing.core.errors import InputError
from mojing.core.image import MAX_SIDE, Photo, check_suffix, encode, load, save


def encoded(image: Image.Image, fmt: str, **options: object) -> bytes:
    """File bytes of a Pillow image."""
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def code_of(source: object) -> str:
    """Error code with which `load` refuses the source."""
    with pytest.raises(InputError) as caught:
        load(source)  # type: ignore[arg-type]
    return caught.value.code


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 64)), (b"IEND", b"")):
        chunks += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_paths_bytes_arrays_and_images_are_the_same_photo(picture: U8, tmp_path: Path) -> None:
    path = save(tmp_path / "deep" / "photo.png", picture)
    for source in (path, str(path), path.read_bytes(), picture, Image.fromarray(picture), load(path)):
        photo = load(source)
        assert photo.alpha is None
        assert photo.notices == ()
        assert photo.hw == (48, 64)
        np.testing.assert_array_equal(photo.rgb, picture)


def test_arrays_are_read_only_and_the_callers_stay_writeable(picture: U8) -> None:
    photo = Photo(picture)
    with pytest.raises(ValueError, match="read-only"):
        photo.rgb[0, 0] = 0
    picture[0, 0] = 0


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_formats(picture: U8, fmt: str) -> None:
    photo = load(encoded(Image.fromarray(picture), fmt))
    assert photo.hw == (48, 64)
    assert np.abs(photo.rgb.astype(int) - picture).mean() < 12


@pytest.mark.parametrize("data", [b"", b"hello, not a picture", b"\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_not_an_image(data: bytes) -> None:
    assert code_of(data) in ("undecodable", "truncated")


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    assert code_of(tmp_path / "none.jpg") == "not_found"
    assert code_of(tmp_path) == "undecodable"
    assert code_of("bad\0name") == "undecodable"


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated(rng: np.random.Generator, fmt: str, share: float) -> None:
    noise = Image.fromarray(rng.integers(0, 255, (64, 64, 3)).astype(np.uint8))
    data = encoded(noise, fmt)
    assert code_of(data[: int(len(data) * share)]) in ("truncated", "undecodable")


@settings(max_examples=60, deadline=None)
@given(
    fmt=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=12),
    keep=st.floats(0.05, 1.0),
)
def test_damaged_files_are_read_or_refused(fmt: str, changes: list[tuple[float, int]], keep: float) -> None:
    ramp = np.tile(np.arange(48, dtype=np.uint8)[:, None, None] * 5, (1, 64, 3))
    data = bytearray(encoded(Image.fromarray(ramp), fmt))
    for place, value in changes:
        data[int(place * len(data))] = value
    with contextlib.suppress(InputError):
        assert load(bytes(data[: int(keep * len(data)) + 1])).rgb.dtype == np.uint8


def test_one_pixel(picture: U8) -> None:
    assert code_of(encoded(Image.new("RGB", (1, 1)), "PNG")) == "too_small"
    assert code_of(picture[:1, :1]) == "too_small"
    assert code_of(picture[:, :31]) == "too_small"
    assert code_of(np.zeros((0, 0, 3), np.uint8)) == "too_small"


@pytest.mark.parametrize("size", [(10_000, 10_000), (60_000, 60_000), (MAX_SIDE + 1, 40)])
def test_bombs_are_refused_by_their_header(size: tuple[int, int]) -> None:
    assert code_of(png_header(*size)) == "too_large"


def test_animated_takes_the_first_frame(picture: U8) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ((250, 0, 0), (0, 250, 0), (0, 0, 250))]
    photo = load(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert tuple(photo.rgb[5, 5]) == (250, 0, 0)
    assert "first" in photo.notices[0]


def test_cmyk_jpeg(picture: U8) -> None:
    photo = load(encoded(Image.fromarray(picture).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(photo.rgb.astype(int) - picture).mean() < 12


def test_16_bit_grey_png() -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (48, 1))
    photo = load(encoded(Image.fromarray(ramp), "PNG"))
    assert photo.rgb[0, 0, 0] == 0
    assert photo.rgb[0, -1, 0] == 255
    np.testing.assert_allclose(photo.rgb[0, :, 1], ramp[0] / 257, atol=0.51)


def test_16_bit_colour_png() -> None:
    cv2 = pytest.importorskip("cv2")
    deep = np.zeros((48, 64, 3), np.uint16)
    deep[..., 2] = 51400
    ok, data = cv2.imencode(".png", deep)
    assert ok
    assert tuple(load(data.tobytes()).rgb[0, 0]) == (200, 0, 0)


def test_16_bit_array() -> None:
    photo = load(np.full((40, 40, 3), 65535, np.uint16))
    assert int(photo.rgb.min()) == 255


def test_floating_point_tiff_is_refused() -> None:
    assert code_of(encoded(Image.fromarray(np.zeros((40, 40), np.float32)), "TIFF")) == "undecodable"


def test_alpha_is_kept_straight_and_can_be_laid_flat(picture: U8) -> None:
    alpha = np.zeros((48, 64), np.uint8)
    alpha[:, :32] = 255
    alpha[:, 30] = 128
    photo = load(encoded(Image.fromarray(np.dstack([picture, alpha])), "PNG"))
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, alpha)
    np.testing.assert_array_equal(photo.rgb, picture)
    flat = photo.flat()
    np.testing.assert_array_equal(flat[:, :30], picture[:, :30])
    assert (flat[:, 32:] == 255).all()
    assert abs(int(flat[0, 30, 0]) - (int(picture[0, 30, 0]) + 255) / 2) <= 1


def test_opaque_alpha_is_no_alpha(picture: U8) -> None:
    opaque = np.dstack([picture, np.full((48, 64), 255, np.uint8)])
    assert load(opaque).alpha is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "YCbCr", "HSV", "LAB", "I", "I;16"])
def test_pillow_modes(picture: U8, mode: str) -> None:
    grey = Image.fromarray(picture).convert("L")
    image = Image.fromarray(picture).convert("RGB")
    if mode in ("PA", "P"):
        image = image.convert("P")
    elif mode in ("I", "I;16"):
        image = grey.convert("I") if mode == "I" else Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    elif mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
        assert converted is not None
        image = converted
    else:
        image = image.convert(mode)
    assert load(image).hw == (48, 64)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(orientation: int) -> None:
    corner = np.zeros((40, 80, 3), np.uint8)
    corner[:20, :20] = 255
    image = Image.fromarray(corner)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = load(encoded(image, "PNG", exif=exif))
    upright = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    assert photo.hw == ((40, 80) if orientation < 5 else (80, 40))
    assert photo.rgb[upright[orientation]].min() == 255
    assert (photo.rgb > 127).sum() == 20 * 20 * 3


def test_damaged_metadata_is_no_reason_to_refuse(picture: U8) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(picture), "JPEG", exif=exif)
    for place in range(data.index(b"Exif"), data.index(b"Exif") + 30):
        for value in (0, 0xFF):
            damaged = data[:place] + bytes([value]) + data[place + 1 :]
            assert load(damaged).hw in ((48, 64), (64, 48))


def test_exif_rotation_of_16_bit_grey() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert load(encoded(Image.fromarray(np.zeros((40, 80), np.uint16)), "PNG", exif=exif)).hw == (80, 40)


def test_wide_colour_profile_is_brought_to_srgb(picture: U8) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    broken = load(encoded(Image.fromarray(picture), "PNG", icc_profile=b"no profile at all" * 20))
    assert any("profile" in notice for notice in broken.notices)
    np.testing.assert_array_equal(broken.rgb, picture)
    assert load(encoded(Image.fromarray(picture), "PNG", icc_profile=profile)).hw == (48, 64)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = load(encoded(Image.fromarray(picture), "PNG", icc_profile=srgb))
    assert same.notices == ()
    assert np.abs(same.rgb.astype(int) - picture).max() <= 2


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((40, 40, 2), np.uint8),
        np.zeros((40, 40, 3), np.float32),
        np.zeros((40, 40, 3), np.int64),
        np.zeros((2, 40, 40, 3), np.uint8),
        np.zeros(40, np.uint8),
    ],
    ids=str,
)
def test_arrays_that_are_no_pictures(array: AnyArray) -> None:
    assert code_of(array) == "bad_array"


def test_other_types_are_no_pictures() -> None:
    assert code_of(None) == "bad_array"
    assert code_of(42) == "bad_array"


def test_photo_checks_itself(picture: U8) -> None:
    with pytest.raises(InputError):
        Photo(picture[..., 0])
    with pytest.raises(InputError):
        Photo(picture, picture[:10, :10, 0])


def test_grey_array_becomes_rgb(picture: U8) -> None:
    photo = load(picture[..., 0])
    assert photo.rgb.shape == (48, 64, 3)
    assert (photo.rgb[..., 2] == picture[..., 0]).all()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_save_and_load(picture: U8, tmp_path: Path, suffix: str, channels: int) -> None:
    pixels: U8 = np.dstack([picture, np.full((48, 64), 255, np.uint8)])
    pixels = pixels[..., 0] if channels == 1 else pixels[..., :channels]
    photo = load(save(tmp_path / f"x{suffix}", pixels))
    want = np.repeat(pixels[..., None], 3, axis=2) if channels == 1 else pixels[..., :3]
    assert np.abs(photo.rgb.astype(int) - want).mean() < (0.1 if suffix == ".png" else 6)


def test_jpeg_lays_alpha_on_white(picture: U8) -> None:
    clear = np.dstack([picture, np.zeros((48, 64), np.uint8)])
    assert load(encode(clear, "JPEG")).rgb.min() > 250


def test_our_own_mistakes_are_not_taken_for_damaged_pictures(picture: U8, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(values: AnyArray) -> U8:
        raise TypeError("a mistake of ours")

    monkeypatch.setattr("mojing.core.image._grey16", mistaken)
    with pytest.raises(TypeError, match="ours"):
        load(encoded(Image.fromarray(picture[..., 0].astype(np.uint16)), "PNG"))


def test_a_lazy_pillow_image_that_is_truncated(rng: np.random.Generator) -> None:
    data = encoded(Image.fromarray(rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)), "JPEG")
    assert code_of(Image.open(io.BytesIO(data[: len(data) // 2]))) == "truncated"


def test_sizes_are_told_with_the_files_name(tmp_path: Path) -> None:
    path = save(tmp_path / "tiny.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(InputError, match=r"tiny\.png is 4x4"):
        load(path)


def test_endless_and_huge_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mojing.core.image.MAX_BYTES", 1000)
    (tmp_path / "huge.jpg").write_bytes(bytes(1001))
    assert code_of(tmp_path / "huge.jpg") == "too_large"
    assert code_of("/dev/zero") == "too_large"
    assert code_of(tmp_path / "huge.jpg" / "x.jpg") == "not_found"


def test_transparent_parts_can_be_laid_on_white(picture: U8) -> None:
    photo = load(np.dstack([picture, np.zeros((48, 64), np.uint8)])).opaque()
    assert photo.alpha is None
    assert photo.rgb.min() == 255
    assert "white" in photo.notices[0]
    assert photo.opaque() is photo


def test_places_that_cannot_be_written(picture: U8, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "x.tga", tmp_path / "x", tmp_path / "file" / "x.png"):
        with pytest.raises(InputError) as caught:
            save(path, picture)
        assert caught.value.code == "unwritable"
    assert check_suffix("a/B.JPG") == "JPEG"

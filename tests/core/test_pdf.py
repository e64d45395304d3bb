"""PDF pages: what a reader would find in the file."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mojing.core.pdf import Letters, Pdf

LETTERS = Letters()
TEXT = "魔镜 step 1：从外眼角开始, then blend."


def objects(data: bytes) -> dict[int, bytes]:
    """Objects of a file by number, found by its own table of contents."""
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n$", data)[0])
    count = int(re.match(rb"xref\n0 (\d+)\n", data[start:])[1])  # type: ignore[index]
    rows = data[start:].split(b"\n")[2 : 2 + count]
    found = {}
    for number, row in enumerate(rows[1:], 1):
        body = data[int(row[:10]) :]
        head, _, rest = body.partition(b" obj\n")
        assert head == b"%d 0" % number
        found[number] = rest[: rest.index(b"\nendobj")]
    return found


def stream(body: bytes) -> bytes:
    data = body[body.index(b"stream\n") + 7 : body.rindex(b"\nendstream")]
    assert b"/Length %d " % len(data) in body or b"/Length %d>>" % len(data) in body.replace(b" >>", b">>")
    return zlib.decompress(data) if b"FlateDecode" in body else data


def shown(data: bytes) -> str:
    """The text that a reader copies out of the whole file, through the fonts' own tables."""
    found = objects(data)
    tables: list[dict[str, str]] = []
    for body in found.values():
        if b"/Subtype /Type3" in body:
            table = stream(found[int(re.findall(rb"/ToUnicode (\d+)", body)[0])]).decode()
            rows = re.findall(r"^<([0-9a-f]{2})> <([0-9a-f]+)>$", table, re.M)
            tables.append({code: bytes.fromhex(text).decode("utf-16-be") for code, text in rows})
    out = ""
    for body in found.values():
        if b"/Type /Page " in body:
            content = stream(found[int(re.findall(rb"/Contents (\d+)", body)[0])]).decode("latin-1")
            for font, codes in re.findall(r"/F(\d+) [\d.]+ Tf <([0-9a-f]+)> Tj", content):
                out += "".join(tables[int(font)][codes[i : i + 2]] for i in range(0, len(codes), 2))
    return out


def test_text_can_be_copied_and_every_letter_has_its_own_shape() -> None:
    pdf = Pdf("题目 Title", language="zh-Hans")
    pdf.page()
    used = pdf.text(TEXT, (40.0, 40.0), size=12.0)
    data = pdf.encode()
    assert used == pytest.approx(18.0)
    assert shown(data) == TEXT
    assert "题目 Title".encode("utf-16-be").hex().encode() in data
    assert len({LETTERS.glyph(letter).outline for letter in set(TEXT)}) == len(set(TEXT))


def test_more_letters_than_one_font_holds() -> None:
    text = "".join(chr(0x4E00 + i) for i in range(300))
    pdf = Pdf("many", language="zh-Hans")
    pdf.page()
    pdf.text(LETTERS.wrap(text, 10.0, width=500.0), (40.0, 40.0), size=10.0)
    data = pdf.encode()
    assert shown(data) == text
    assert data.count(b"/Subtype /Type3") == 2


def test_pictures_and_texts_are_tagged_for_screen_readers() -> None:
    pdf = Pdf("t", language="en")
    pdf.page()
    pdf.bookmark("first")
    pdf.text("head", (40.0, 40.0), size=12.0, tag="H1")
    pdf.image(np.full((6, 8, 3), 200, np.uint8), (40.0, 80.0), size=(80.0, 60.0), alt="嘴唇 lips")
    pdf.box((40.0, 200.0), size=(10.0, 10.0), colour=(1.0, 0.0, 0.0))
    found = objects(pdf.encode())
    elements = [body for body in found.values() if b"/Type /StructElem" in body]
    assert [re.findall(rb"/S /(\w+)", e)[0] for e in elements] == [b"H1", b"Figure"]
    assert "嘴唇 lips".encode("utf-16-be").hex().encode() in elements[1]
    page = next(stream(b) for b in found.values() if b"/Length" in b and b"MCID 1" in _maybe(b))
    assert page.count(b"BDC") == 2
    assert page.count(b"/Artifact BMC") == 1
    assert page.count(b"EMC") == 3
    assert any(b"/Type /Outlines" in b and b"/Count 1" in b for b in found.values())


def _maybe(body: bytes) -> bytes:
    return stream(body) if b"FlateDecode" in body else b""


def test_bold_is_wider_inked_and_not_wider_set() -> None:
    thin, bold = LETTERS.glyph("妆"), LETTERS.glyph("妆", bold=True)
    assert bold.advance == thin.advance
    assert bold.box[0] < thin.box[0]
    assert bold.box[2] > thin.box[2]


@given(st.text(alphabet="化妆镜眼唇。，：（）abc defgh,.", max_size=60), st.floats(60.0, 200.0))
def test_wrapping_keeps_every_letter_and_the_width(text: str, width: float) -> None:
    lines = LETTERS.wrap(text, 10.0, width=width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert LETTERS.width(line, 10.0) <= width or not any(c in line[1:-1] for c in " 化妆镜眼唇")


def test_a_line_does_not_begin_with_closing_punctuation() -> None:
    text = "先画一边，再画另一边。" * 8
    for width in np.arange(60.0, 160.0, 7.0):
        assert all(line[0] not in "，。" for line in LETTERS.wrap(text, 11.0, width=float(width)))

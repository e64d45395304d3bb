"""PDF pages with pictures and real text in any script, by what the base install has.

A PDF shows Chinese only where it brings the letters along or the reader's machine happens to have them. OpenCV draws
with a face of its own (`uni`, WenQuanYi Micro Hei); the letters a document uses are traced from it into fonts of type 3
(ISO 32000-1, 9.6.5), so that the file looks alike everywhere and its text can be searched, copied and read aloud:
every text and picture is tagged (14.7, 14.8).

Why no library: the well-kept ones (ReportLab, fpdf2) write Chinese only with a font file, which the machine may not
have and which would add megabytes to the base install; ReportLab's other way is to name a font that the reader's
machine must have. OpenCV's face is in the base install already but is no file that they could be given. A few hundred
lines for text, pictures and tags cost less than a font.

Lengths are points (1/72 inch); the origin is the upper left corner of the page.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import cv2
import numpy as np

from mojing.core.arrays import U8, AnyArray
from mojing.core.image import encode

A4: Final = (595.0, 842.0)
Colour = tuple[float, float, float]
"""Red, green, blue of sRGB in 0..1."""
INK: Final[Colour] = (0.13, 0.13, 0.15)

_EM: Final = 400
"""Size in px that letters are traced at, and units of an em in the fonts."""
_CODES: Final = 254
"""Letters of one font; code 0 stays unused."""
_EDGE: Final = 40
"""Room around a letter in its box, in units of the fonts."""
_BOLD: Final = 17
"""Width in px of the pen that makes a traced letter bold."""


@dataclass(frozen=True)
class _Glyph:
    """A traced letter: its advance in 1/400 em, its outline in PDF operators, and its box (x0, y0, x1, y1), y up."""

    advance: int
    outline: bytes
    box: tuple[int, int, int, int]


class Letters:
    """The letters of the built-in face, traced when first asked for."""

    def __init__(self) -> None:
        self._face = cv2.FontFace("uni")
        self._known: dict[tuple[str, bool], _Glyph] = {}

    def glyph(self, letter: str, *, bold: bool = False) -> _Glyph:
        """The letter, traced."""
        key = (letter, bold)
        if key not in self._known:
            self._known[key] = self._trace(letter, bold)
        return self._known[key]

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Width of a line of text at `size` points."""
        return sum(self.glyph(letter, bold=bold).advance for letter in text) * size / _EM

    def wrap(self, text: str, size: float, *, width: float, bold: bool = False) -> list[str]:
        """Lines of a text that are no wider than `width`: broken at spaces and between Chinese characters."""
        lines, line = [], ""
        for piece in _pieces(text):
            if line and self.width((line + piece).rstrip(), size, bold=bold) > width:
                lines.append(line.rstrip())
                line = piece.lstrip()
            else:
                line += piece
        return [*lines, line.rstrip()] if line.strip() else lines

    def _trace(self, letter: str, bold: bool) -> _Glyph:
        side, x0, y0 = 2 * _EM, _EM // 2, _EM + _EM // 4
        canvas = np.zeros((side, side), np.uint8)
        (x1, _), canvas = cv2.putText(canvas, letter, (x0, y0), (255,), self._face, _EM, 400)
        if bold:
            canvas = cv2.dilate(canvas, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_BOLD, _BOLD)))
        found, _ = cv2.findContours((canvas > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        outlines = [cv2.approxPolyDP(line, 0.8, True)[:, 0] * (1, -1) + (-x0, y0) for line in found]
        outlines = [line for line in outlines if len(line) > 2]
        if not outlines:
            return _Glyph(int(x1) - x0, b"", (0, 0, 0, 0))
        # A margin around the letter: readers that keep its box as a small bitmap would cut thin stems off at its edge.
        points = np.concatenate(outlines)
        (left, low), (right, high) = points.min(axis=0) - _EDGE, points.max(axis=0) + _EDGE
        path = "\n".join(_path(line) for line in outlines) + "\nf*"
        return _Glyph(int(x1) - x0, path.encode(), (int(left), int(low), int(right), int(high)))


@cache
def _letters() -> Letters:
    """One collection for all documents: tracing takes longer than writing."""
    return Letters()


def _path(points: AnyArray) -> str:
    """A closed outline (N, 2) in whole units as PDF operators."""
    first, *rest = (f"{x} {y}" for x, y in points)
    return " ".join([f"{first} m", *(f"{point} l" for point in rest), "h"])


def _pieces(text: str) -> Iterator[str]:
    """Parts that a line may be broken between; closing punctuation stays with what it closes, a space with its word."""
    piece = ""
    for letter in text:
        wide = "\u2e80" <= letter <= "\uffef" and letter not in _CLOSING
        before = piece[-1:]
        breaks = before == " " or wide or ("\u2e80" <= before <= "\uffef" and letter not in _CLOSING)
        if piece and breaks and letter != " " and before not in _OPENING:
            yield piece
            piece = ""
        piece += letter
    if piece:
        yield piece


_CLOSING: Final = set(",.;:!?)]}%，。；：！？）」』》、…”’")
_OPENING: Final = set("([{（「『《“‘")


@dataclass
class _Page:
    size: tuple[float, float]
    ops: list[bytes] = field(default_factory=list)
    images: list[int] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)


class Pdf:
    """A document: pages, drawn on one after the other.

    Args:
        title: what a reader shows as the document's name.
        language: BCP 47 tag of its text, for screen readers.
    """

    def __init__(self, title: str, *, language: str) -> None:
        self.title, self.language = title, language
        self.letters = _letters()
        self._pages: list[_Page] = []
        self._codes: dict[tuple[str, bool], int] = {}
        self._images: list[tuple[bytes, int, int]] = []
        self._marks: list[tuple[str, int]] = []

    def page(self, size: tuple[float, float] = A4) -> None:
        """Start a new page."""
        self._pages.append(_Page(size))

    def bookmark(self, name: str) -> None:
        """List the current page under `name` in the reader's table of contents."""
        self._marks.append((name, len(self._pages) - 1))

    def text(
        self,
        lines: str | Sequence[str],
        at: tuple[float, float],
        *,
        size: float,
        bold: bool = False,
        colour: Colour = INK,
        leading: float = 1.5,
        tag: str = "P",
    ) -> float:
        """Write lines of text, the upper edge of the first at `at`; they are one element `tag` (P, H1, H2, LI).

        Returns:
            The height in points that was used.
        """
        lines = [lines] if isinstance(lines, str) else list(lines)
        page = self._pages[-1]
        x, y = at
        ops = [_rgb(colour, "rg")]
        for number, line in enumerate(lines):
            base = page.size[1] - y - (number * leading + 0.5 * (leading - 1.0) + 0.88) * size
            ops.append(f"BT 1 0 0 1 {x:.2f} {base:.2f} Tm".encode())
            ops += [f"/F{font} {size:g} Tf <{codes}> Tj".encode() for font, codes in self._runs(line, bold)]
            ops.append(b"ET")
        self._tagged(tag, "", ops)
        return len(lines) * leading * size

    def image(self, rgb: U8, at: tuple[float, float], *, size: tuple[float, float], alt: str) -> None:
        """Lay a picture (H, W, 3) uint8 with its upper left corner at `at`; `alt` says what it shows."""
        assert rgb.ndim == 3, rgb.shape
        page = self._pages[-1]
        self._images.append((encode(rgb, "JPEG"), rgb.shape[1], rgb.shape[0]))
        number = len(self._images) - 1
        page.images.append(number)
        x, y, (w, h) = at[0], page.size[1] - at[1] - size[1], size
        self._tagged("Figure", alt, [f"q {w:.2f} 0 0 {h:.2f} {x:.2f} {y:.2f} cm /I{number} Do Q".encode()])

    def box(self, at: tuple[float, float], *, size: tuple[float, float], colour: Colour) -> None:
        """Fill a rectangle; it is decoration and not read aloud."""
        page = self._pages[-1]
        x, y, (w, h) = at[0], page.size[1] - at[1] - size[1], size
        ops = [b"/Artifact BMC", _rgb(colour, "rg"), f"{x:.2f} {y:.2f} {w:.2f} {h:.2f} re f".encode(), b"EMC"]
        page.ops += ops

    def _tagged(self, tag: str, alt: str, ops: list[bytes]) -> None:
        page = self._pages[-1]
        page.ops += [f"/{tag} <</MCID {len(page.tags)}>> BDC".encode(), *ops, b"EMC"]
        page.tags.append((tag, alt))

    def _runs(self, line: str, bold: bool) -> list[tuple[int, str]]:
        """Stretches of a line that lie in one font, with their codes in hexadecimal."""
        runs: list[tuple[int, str]] = []
        for letter in line:
            index = self._codes.setdefault((letter, bold), len(self._codes))
            font, code = index // _CODES, f"{index % _CODES + 1:02x}"
            if runs and runs[-1][0] == font:
                runs[-1] = (font, runs[-1][1] + code)
            else:
                runs.append((font, code))
        return runs

    def encode(self) -> bytes:
        """The file."""
        file = _File()
        catalog, pages, info = file.reserve(), file.reserve(), file.reserve()
        fonts = self._fonts(file)
        images = [file.add(_stream(data, _IMAGE.format(w=w, h=h), packed=False)) for data, w, h in self._images]
        root, parents = file.reserve(), file.reserve()
        kids, nums, elements = [], [], []
        for number, page in enumerate(self._pages):
            kids.append(self._page(file, page, number=number, parent=pages, fonts=fonts, images=images))
            tags = [
                file.add(
                    f"<< /Type /StructElem /S /{tag} /P {root} 0 R /Pg {kids[-1]} 0 R /K {mark} "
                    f"{f'/Alt {_string(alt)} ' if alt else ''}>>"
                )
                for mark, (tag, alt) in enumerate(page.tags)
            ]
            elements += tags
            nums.append(f"{number} [{_refs(tags)}]")
        file.put(root, f"<< /Type /StructTreeRoot /K [{_refs(elements)}] /ParentTree {parents} 0 R >>")
        file.put(parents, f"<< /Nums [{' '.join(nums)}] >>")
        file.put(pages, f"<< /Type /Pages /Kids [{_refs(kids)}] /Count {len(kids)} >>")
        file.put(
            catalog,
            f"<< /Type /Catalog /Pages {pages} 0 R /Lang {_string(self.language)} /MarkInfo << /Marked true >> "
            f"/StructTreeRoot {root} 0 R /Outlines {self._outlines(file, kids)} 0 R "
            "/ViewerPreferences << /DisplayDocTitle true >> >>",
        )
        file.put(info, f"<< /Title {_string(self.title)} /Producer (mojing) >>")
        return file.encode(catalog, info=info)

    def _page(
        self, file: _File, page: _Page, *, number: int, parent: int, fonts: Sequence[int], images: Sequence[int]
    ) -> int:
        content = file.add(_stream(b"\n".join(page.ops)))
        named = " ".join(f"/F{n} {font} 0 R" for n, font in enumerate(fonts))
        shown = " ".join(f"/I{n} {images[n]} 0 R" for n in page.images)
        return file.add(
            f"<< /Type /Page /Parent {parent} 0 R /MediaBox [0 0 {page.size[0]:g} {page.size[1]:g}] /Tabs /S "
            f"/Contents {content} 0 R /StructParents {number} "
            f"/Resources << /Font << {named} >> /XObject << {shown} >> >> >>"
        )

    def _fonts(self, file: _File) -> list[int]:
        """All letters that were used, as fonts of type 3."""
        used = list(self._codes)
        return [self._font(file, used[start : start + _CODES]) for start in range(0, len(used), _CODES)]

    def _font(self, file: _File, letters: Sequence[tuple[str, bool]]) -> int:
        glyphs = [self.letters.glyph(letter, bold=bold) for letter, bold in letters]
        procs = []
        for n, glyph in enumerate(glyphs):
            head = " ".join(str(v) for v in (glyph.advance, 0, *glyph.box)) + " d1\n"
            procs.append(f"/g{n} {file.add(_stream(head.encode() + glyph.outline))} 0 R")
        boxes = np.array([glyph.box for glyph in glyphs])
        around = " ".join(str(int(v)) for v in (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)))
        names = " ".join(f"/g{n}" for n in range(len(glyphs)))
        unicode = file.add(_stream(_to_unicode([letter for letter, _ in letters])))
        return file.add(
            f"<< /Type /Font /Subtype /Type3 /FontBBox [{around}] /FontMatrix [{1 / _EM} 0 0 {1 / _EM} 0 0] "
            f"/CharProcs << {' '.join(procs)} >> /Encoding << /Type /Encoding /Differences [1 {names}] >> "
            f"/FirstChar 1 /LastChar {len(glyphs)} /Widths [{' '.join(str(g.advance) for g in glyphs)}] "
            f"/Resources << >> /ToUnicode {unicode} 0 R >>"
        )

    def _outlines(self, file: _File, kids: Sequence[int]) -> int:
        root = file.reserve()
        items = [file.reserve() for _ in self._marks]
        for n, (name, page) in enumerate(self._marks):
            before = f"/Prev {items[n - 1]} 0 R " if n else ""
            after = f"/Next {items[n + 1]} 0 R " if n + 1 < len(items) else ""
            file.put(
                items[n],
                f"<< /Title {_string(name)} /Parent {root} 0 R {before}{after}/Dest [{kids[page]} 0 R /Fit] >>",
            )
        ends = f"/First {items[0]} 0 R /Last {items[-1]} 0 R " if items else ""
        file.put(root, f"<< /Type /Outlines {ends}/Count {len(items)} >>")
        return root


_IMAGE: Final = (
    "/Type /XObject /Subtype /Image /Width {w} /Height {h} "
    "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode"
)


class _File:
    """The objects of a file, numbered from 1, and their table."""

    def __init__(self) -> None:
        self._objects: list[bytes | None] = []

    def reserve(self) -> int:
        """A number for an object that is put later."""
        self._objects.append(None)
        return len(self._objects)

    def put(self, number: int, body: str | bytes) -> None:
        """Say what a reserved object is."""
        self._objects[number - 1] = body.encode("ascii") if isinstance(body, str) else body

    def add(self, body: str | bytes) -> int:
        """Append an object and return its number."""
        number = self.reserve()
        self.put(number, body)
        return number

    def encode(self, catalog: int, *, info: int) -> bytes:
        """The whole file."""
        out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, body in enumerate(self._objects, 1):
            assert body is not None, number
            places.append(len(out))
            out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        table = len(out)
        out += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode()
        out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
        out += f"trailer\n<< /Size {len(places) + 1} /Root {catalog} 0 R /Info {info} 0 R >>\n".encode()
        return bytes(out + f"startxref\n{table}\n%%EOF\n".encode())


def _stream(data: bytes, about: str = "", *, packed: bool = True) -> bytes:
    if packed:
        data, about = zlib.compress(data, 9), f"{about} /Filter /FlateDecode"
    return f"<< {about} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _string(text: str) -> str:
    return "<feff" + text.encode("utf-16-be").hex() + ">"


def _refs(numbers: Sequence[int]) -> str:
    return " ".join(f"{number} 0 R" for number in numbers)


def _rgb(colour: Colour, operator: str) -> bytes:
    return (" ".join(f"{v:.3f}" for v in colour) + f" {operator}").encode()


def _to_unicode(letters: Sequence[str]) -> bytes:
    """The table that makes text of codes (ISO 32000-1, 9.10.3)."""
    rows = [f"<{code:02x}> <{letter.encode('utf-16-be').hex()}>" for code, letter in enumerate(letters, 1)]
    blocks = [rows[start : start + 100] for start in range(0, len(rows), 100)]
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /m def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <ff> endcodespacerange\n{body}\nendcmap end end"
    ).encode()

"""A lesson as a PDF for one language, A4, with real text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mojing.core.arrays import U8
from mojing.core.pdf import A4, Colour, Pdf
from mojing.makeup.lesson import Lesson, Shown
from mojing.makeup.names import Language
from mojing.makeup.page import lesson_title
from mojing.makeup.wording import TAGS, Words, plain, say

_MARGIN: Final = 40.0
_WIDTH: Final = A4[0] - 2 * _MARGIN
_FLOOR: Final = A4[1] - _MARGIN
_GAP: Final = 12.0
_TALL: Final = 168.0
"""Greatest height of a step's pictures in points."""
_MARK: Final[Colour] = (0.05, 0.44, 0.47)
_CARE: Final[Colour] = (0.54, 0.29, 0.0)
_SOFT: Final[Colour] = (0.38, 0.4, 0.44)
_LINE: Final[Colour] = (0.87, 0.88, 0.9)
_BODY: Final = 10.5
_LEADING: Final = 1.38


@dataclass(frozen=True)
class _Text:
    """Lines of text: what comes before the first, indentation, style."""

    lines: list[str]
    size: float = _BODY
    bold: bool = False
    colour: Colour | None = None
    indent: float = 0.0
    lead: str = ""
    above: float = 0.0
    below: float = 3.0
    tag: str = "P"
    chip: Colour | None = None

    @property
    def height(self) -> float:
        return len(self.lines) * self.size * _LEADING + self.above + self.below


@dataclass(frozen=True)
class _Pair:
    """Pictures side by side, each with a caption and an alternative text, and what is written to their right."""

    pictures: list[tuple[U8, str, str]]
    tall: float
    beside: list[_Text] = field(default_factory=list)

    @property
    def sizes(self) -> list[tuple[float, float]]:
        each = (_WIDTH - _GAP) / 2
        out = []
        for picture, _, _ in self.pictures:
            h, w = picture.shape[:2]
            scale = min(each / w, self.tall / h)
            out.append((w * scale, h * scale))
        return out

    @property
    def height(self) -> float:
        return max(max(h for _, h in self.sizes) + 22.0, sum(block.height for block in self.beside))


@dataclass
class _Sheet:
    """The document being filled from top to bottom."""

    pdf: Pdf
    y: float = field(default=_FLOOR)

    def fit(self, height: float) -> None:
        """Begin a new page if there is no room for `height`."""
        if self.y + height > _FLOOR:
            self.pdf.page()
            self.y = _MARGIN

    def put(self, block: _Text | _Pair) -> None:
        """Draw a block and go on below it."""
        self.fit(block.height)
        if isinstance(block, _Pair):
            self._pair(block)
        else:
            self._text(block)
        self.y += block.height

    def _text(self, block: _Text, *, left: float = _MARGIN) -> None:
        x, y = left + block.indent, self.y + block.above
        if block.chip is not None:
            self.pdf.box((x, y + 0.24 * block.size), size=(0.9 * block.size,) * 2, colour=_LINE)
            self.pdf.box((x + 0.5, y + 0.24 * block.size + 0.5), size=(0.9 * block.size - 1,) * 2, colour=block.chip)
            x += 1.4 * block.size
        colour = block.colour or (0.13, 0.13, 0.15)
        lines = block.lines
        if block.lead:
            self.pdf.text(block.lead, (x, y), size=block.size, colour=_MARK, bold=True, leading=_LEADING, tag="Lbl")
            x += self.pdf.letters.width(block.lead, block.size, bold=True) + 5.0
        self.pdf.text(lines, (x, y), size=block.size, bold=block.bold, colour=colour, leading=_LEADING, tag=block.tag)

    def _pair(self, block: _Pair) -> None:
        x = _MARGIN
        for (picture, caption, alt), size in zip(block.pictures, block.sizes, strict=True):
            self.pdf.image(picture, (x, self.y), size=size, alt=alt)
            self.pdf.text(caption, (x, self.y + size[1] + 2.0), size=8.5, colour=_SOFT, tag="Caption")
            x += size[0] + _GAP
        top = self.y
        for text in block.beside:
            self._text(text, left=x)
            self.y += text.height
        self.y = top

    def rule(self) -> None:
        """A thin line across."""
        self.pdf.box((_MARGIN, self.y), size=(_WIDTH, 0.8), colour=_LINE)
        self.y += 8.0


def handout(taught: Lesson, *, language: Language) -> bytes:
    """The PDF file of a lesson in one language."""
    return _Handout(taught, language).encode()


class _Handout:
    """A lesson on its way to paper."""

    def __init__(self, taught: Lesson, language: Language) -> None:
        self.taught, self.language = taught, language
        self.title = self.word(lesson_title(taught))
        self.pdf = Pdf(self.title, language=TAGS[language])
        self.sheet = _Sheet(self.pdf)

    def word(self, words: Words) -> str:
        """A text in the language of the handout."""
        return words.of(self.language)

    def encode(self) -> bytes:
        """The file."""
        self._front()
        total = len(self.taught.shown)
        for number, shown in enumerate(self.taught.shown, 1):
            self._step(number, shown, total=total)
        return self.pdf.encode()

    def _wrapped(self, text: str, *, size: float = _BODY, indent: float = 0.0, bold: bool = False) -> list[str]:
        return self.pdf.letters.wrap(text, size, width=_WIDTH - indent, bold=bold)

    def _front(self) -> None:
        sheet = self.sheet
        sheet.fit(_FLOOR)
        self.pdf.bookmark(self.title)
        sheet.put(_Text(self._wrapped(self.title, size=22, bold=True), size=22, bold=True, tag="H1"))
        sheet.put(self._note(say("mirror_note")))
        taught = self.taught
        pictures = [
            (taught.before, self.word(say("before")), self.word(say("alt_before"))),
            (taught.after, self.word(say("finished")), self.word(say("alt_after"))),
        ]
        below = [self._head(say("about_face")), *(self._line(line, lead="-", indent=8.0) for line in taught.about)]
        below.append(self._note(say("mesh_note")))
        below += [_Text(self._wrapped(self.word(line)), colour=_CARE) for line in taught.notices]
        below.append(self._head(say("contents")))
        below += [self._line(self._listed(one), lead=f"{n}", indent=8.0) for n, one in enumerate(taught.shown, 1)]
        below.append(self._note(say("legend")))
        room = _FLOOR - sheet.y - sum(block.height for block in below) - 24.0
        sheet.put(_Pair(pictures, min(max(room, 180.0), 330.0)))
        for block in below:
            sheet.put(block)

    def _listed(self, shown: Shown) -> Words:
        """A line of the contents, which are the shopping list too."""
        title, products = shown.step.title, shown.step.products
        if not products:
            return title
        return Words(
            f"{title.en} ({'; '.join(one.en for one in products)})",
            f"{title.zh}（{'；'.join(one.zh for one in products)}）",
        )

    def _note(self, words: Words) -> _Text:
        return _Text(self._wrapped(self.word(words), size=8.5), size=8.5, colour=_SOFT, below=5.0)

    def _head(self, words: Words) -> _Text:
        return _Text([self.word(words)], size=11.5, bold=True, colour=_MARK, above=4.0, tag="H3")

    def _line(self, words: Words, *, lead: str, indent: float) -> _Text:
        room = indent + self.pdf.letters.width(lead, _BODY, bold=True) + 5.0
        return _Text(self._wrapped(self.word(words), indent=room), indent=indent, lead=lead, tag="LI")

    def _step(self, number: int, shown: Shown, *, total: int) -> None:
        """One step, kept on one page."""
        step, sheet = shown.step, self.sheet
        title = f"{number}  {self.word(step.title)}"
        values = {"n": plain(number), "total": plain(total), "title": step.title}
        blocks: list[_Text | _Pair] = [_Text(self._wrapped(title, size=15, bold=True), size=15, bold=True, tag="H2")]
        last = "after" if shown.guide is not None else "finished"
        pictures = [
            (picture, self.word(say(caption)), self.word(say(alt, values)))
            for picture, caption, alt in ((shown.guide, "guide", "alt_guide"), (shown.after, last, "alt_step"))
            if picture is not None
        ]
        upright = [p for p, _, _ in pictures if p.shape[0] > 0.9 * p.shape[1]]
        if upright:
            pair = _Pair(pictures, _TALL)
            room = _WIDTH - sum(w + _GAP for w, _ in pair.sizes)
            blocks.append(_Pair(pictures, _TALL, self._facts(shown, width=room)))
        else:
            blocks += [_Pair(pictures, _TALL)] if pictures else []
            blocks += self._facts(shown, width=_WIDTH)
        blocks.append(self._head(say("how")))
        blocks += [self._line(line, lead=f"{n}", indent=8.0) for n, line in enumerate(step.how, 1)]
        for name, lines in (("for_you", step.person), ("care", step.warnings)):
            if lines:
                blocks.append(self._head(say(name)))
                blocks += [self._line(line, lead="-" if name == "for_you" else "!", indent=8.0) for line in lines]
        sheet.fit(min(sum(block.height for block in blocks) + 8.0, _FLOOR - _MARGIN))
        if sheet.y > _MARGIN:
            sheet.rule()
        self.pdf.bookmark(title)
        for block in blocks:
            sheet.put(block)
        sheet.y += 8.0

    def _facts(self, shown: Shown, *, width: float) -> list[_Text]:
        """What is taken, with what, and how much of it, in lines no wider than `width`."""
        step, wrap = shown.step, self.pdf.letters.wrap
        out = []
        if step.products:
            assert step.layer is not None
            shades = self.taught.look.layers[step.layer].shades
            for shade, name in zip(shades, step.products, strict=True):
                red, green, blue = (value / 255.0 for value in bytes.fromhex(shade.hex[1:]))
                lines = wrap(self.word(name), _BODY, width=width - 1.4 * _BODY)
                out.append(_Text(lines, chip=(red, green, blue), below=1.0))
        for fact, words in (("tool", step.tool), ("dose", step.dose)):
            colon = "：" if self.language == "zh" else ": "
            lines = wrap(f"{self.word(say(fact))}{colon}{self.word(words)}", _BODY, width=width)
            out.append(_Text(lines, below=1.0 if width == _WIDTH else 5.0))
        return out

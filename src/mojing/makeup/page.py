"""A lesson as one HTML page for screens, paper and screen readers: it holds its pictures and loads nothing."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from typing import Final

from mojing.core.arrays import U8
from mojing.core.image import encode
from mojing.makeup.lesson import Lesson, Shown
from mojing.makeup.names import Language
from mojing.makeup.wording import TAGS, Words, plain, say, table

_NATIVE: Final[dict[Language, str]] = {"zh": "中文", "en": "English"}

_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""Makes the browser refuse to load anything, whatever the page says."""

_STYLE: Final = """
:root{--ink:#22252b;--soft:#5d636e;--line:#e2e4e9;--mark:#0d7d86;--care:#8a4b00;--bg:#fff}
*{box-sizing:border-box}
body{margin:0;color:var(--ink);background:var(--bg);
font:17px/1.65 system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",sans-serif}
main,header,nav,.tools{max-width:60rem;margin:0 auto;padding:0 1.1rem}
h1{font-size:1.9rem;line-height:1.3;margin:1.4rem 0 .4rem}h2{font-size:1.3rem;margin:0 0 .6rem}
h3{font-size:1rem;margin:.9rem 0 .1rem;color:var(--mark)}
p{margin:.4rem 0}.note{color:var(--soft);font-size:.92rem}
.tools{display:flex;gap:.6rem;flex-wrap:wrap;justify-content:flex-end;padding-top:.8rem}
.tools label,.tools button{border:1px solid var(--line);border-radius:1.2rem;padding:.25rem .9rem;cursor:pointer;
background:#fff;font:inherit;font-size:.92rem;color:inherit}
.pick{position:absolute;opacity:0;pointer-events:none}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));gap:.9rem;margin:.5rem 0}
figure{margin:0}figure:only-child{max-width:26rem}img{width:100%;height:auto;display:block;border-radius:.5rem;background:#eee}
figcaption{color:var(--soft);font-size:.88rem;padding:.25rem 0}
nav ol,.how{padding-left:1.5rem}nav li{margin:.1rem 0}a{color:var(--mark)}
section.step{border-top:1px solid var(--line);padding:1.3rem 0 1rem;break-inside:avoid-page}
.n{display:inline-block;min-width:1.9rem;height:1.9rem;line-height:1.9rem;border-radius:1rem;background:var(--mark);
color:#fff;text-align:center;margin-right:.5rem;font-size:1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .9rem;margin:.5rem 0}dt{color:var(--soft)}dd{margin:0}
.chip{display:inline-block;width:1.05em;height:1.05em;border-radius:50%;border:1px solid #0003;vertical-align:-.18em;
margin-right:.35em;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.shade{display:inline-block;margin-right:1rem}nav .shade{margin:0 0 0 .8rem}
.you{border-left:4px solid var(--mark);padding-left:.8rem}.care{border-left:4px solid var(--care);padding-left:.8rem}
.care h3{color:var(--care)}ul,ol{margin:.2rem 0}ul{padding-left:1.2rem}
.pick:focus-visible~.tools label{outline:2px solid var(--mark)}
@page{size:A4;margin:14mm}
@media print{nav a{color:inherit;text-decoration:none}
body{font-size:10pt;line-height:1.45}h1{font-size:20pt}h2{font-size:13pt}
section.step{padding:.6rem 0 .2rem}.tools{display:none}main,header,nav{max-width:none;padding:0}
.pair{grid-template-columns:1fr 1fr}.pair img{max-height:56mm;width:auto;max-width:100%}
.n{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""

_SCRIPT: Final = """
const titles = JSON.parse(document.getElementById("titles").textContent);
function show(code) {
  document.documentElement.lang = code;
  document.title = titles[code];
  document.querySelectorAll("img").forEach(img => { img.alt = img.dataset[code.slice(0, 2)]; });
}
document.querySelectorAll(".print").forEach(button => button.addEventListener("click", () => window.print()));
const picks = [...document.querySelectorAll(".pick")];
picks.forEach(pick => pick.addEventListener("change", () => show(pick.value)));
const wanted = picks.find(pick => navigator.language.startsWith(pick.value.slice(0, 2)));
if (wanted) { wanted.checked = true; show(wanted.value); }
"""


def page(taught: Lesson, *, languages: Sequence[Language]) -> str:
    """The page of a lesson in these languages, the first being shown where nothing else is known of the reader."""
    return _Page(languages).of(taught)


class _Page:
    """What every part of one page needs: its languages."""

    def __init__(self, languages: Sequence[Language]) -> None:
        assert languages
        self.languages = tuple(languages)

    def of(self, taught: Lesson) -> str:
        """The whole page."""
        title = lesson_title(taught)
        first = self.languages[0]
        steps = "\n".join(self._step(n, one, taught=taught) for n, one in enumerate(taught.shown, 1))
        links = "".join(self._link(n, one, taught=taught) for n, one in enumerate(taught.shown, 1))
        lines = "".join(f"<li>{self.text(line)}</li>" for line in taught.about)
        notices = "".join(f'<p class="care">{self.text(line)}</p>' for line in taught.notices)
        pair = self._figure(taught.before, say("before"), alt=say("alt_before"))
        pair += self._figure(taught.after, say("finished"), alt=say("alt_after"))
        return f"""<!doctype html>
<html lang="{TAGS[first]}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title.of(first))}</title><style>{_STYLE}{self._hiding()}</style></head><body>
{self._switch()}
<header><h1>{self.text(title)}</h1>
<p class="note">{self.text(say("mirror_note"))} {self.text(say("local_note"))}</p>
<div class="pair">{pair}</div>
<h3>{self.text(say("about_face"))}</h3><ul>{lines}</ul>
<p class="note">{self.text(say("mesh_note"))}</p>{notices}</header>
<nav><h3>{self.text(say("contents"))}</h3><ol>{links}</ol></nav>
<main><p class="note">{self.text(say("legend"))}</p>
{steps}</main>
{self._titles(title)}</body></html>
"""

    def text(self, words: Words) -> str:
        """A text in every language, each marked as what it is; what reads alike is written once."""
        if len(self.languages) == 1 or words.en == words.zh:
            return html.escape(words.of(self.languages[0]))
        spans = (f'<span lang="{TAGS[one]}">{html.escape(words.of(one))}</span>' for one in self.languages)
        return "".join(spans)

    def _link(self, number: int, one: Shown, *, taught: Lesson) -> str:
        """A line of the contents, which are the shopping list too."""
        products = f' <span class="note">{self._products(one, taught)}</span>' if one.step.products else ""
        return f'<li><a href="#s{number}">{self.text(one.step.title)}</a>{products}</li>'

    def _step(self, number: int, one: Shown, *, taught: Lesson) -> str:
        step = one.step
        values = {"n": plain(number), "total": plain(len(taught.shown)), "title": step.title}
        pair = self._figure(one.guide, say("guide"), alt=say("alt_guide", values))
        pair += self._figure(
            one.after, say("after" if one.guide is not None else "finished"), alt=say("alt_step", values)
        )
        facts = [(say("product"), self._products(one, taught))] if step.products else []
        facts += [(say("tool"), self.text(step.tool)), (say("dose"), self.text(step.dose))]
        rows = "".join(f"<dt>{self.text(name)}</dt><dd>{value}</dd>" for name, value in facts)
        how = "".join(f"<li>{self.text(line)}</li>" for line in step.how)
        return f"""<section class="step" id="s{number}" aria-labelledby="t{number}">
<h2 id="t{number}"><span class="n">{number}</span>{self.text(step.title)}</h2>
{f'<div class="pair">{pair}</div>' if pair else ""}
<dl>{rows}</dl><h3>{self.text(say("how"))}</h3><ol class="how">{how}</ol>
{self._block("you", say("for_you"), lines=step.person)}{self._block("care", say("care"), lines=step.warnings)}
</section>"""

    def _products(self, one: Shown, taught: Lesson) -> str:
        assert one.step.layer is not None
        shades = taught.look.layers[one.step.layer].shades
        return "".join(
            f'<span class="shade"><span class="chip" style="background:{shade.hex}"></span>{self.text(name)}</span>'
            for shade, name in zip(shades, one.step.products, strict=True)
        )

    def _block(self, style: str, name: Words, *, lines: Sequence[Words]) -> str:
        if not lines:
            return ""
        items = "".join(f"<li>{self.text(line)}</li>" for line in lines)
        return f'<div class="{style}"><h3>{self.text(name)}</h3><ul>{items}</ul></div>'

    def _figure(self, picture: U8 | None, caption: Words, *, alt: Words) -> str:
        if picture is None:
            return ""
        h, w = picture.shape[:2]
        data = base64.b64encode(encode(picture, "WEBP")).decode()
        other = "".join(f' data-{one}="{html.escape(alt.of(one))}"' for one in self.languages)
        return (
            f'<figure><img alt="{html.escape(alt.of(self.languages[0]))}"{other} width="{w}" height="{h}" '
            f'src="data:image/webp;base64,{data}"><figcaption>{self.text(caption)}</figcaption></figure>'
        )

    def _switch(self) -> str:
        """Language and printing; the language changes without a script, which only adds what a style cannot."""
        if len(self.languages) == 1:
            return f'<div class="tools"><button type="button" class="print">{self.text(say("print"))}</button></div>'
        picks = "".join(
            f'<input class="pick" type="radio" name="lang" id="l-{one}" value="{TAGS[one]}" '
            f'aria-label="{_NATIVE[one]}"{" checked" if one == self.languages[0] else ""}>'
            for one in self.languages
        )
        labels = "".join(f'<label for="l-{one}" lang="{TAGS[one]}">{_NATIVE[one]}</label>' for one in self.languages)
        button = f'<button type="button" class="print">{self.text(say("print"))}</button>'
        return f'{picks}<div class="tools">{labels}{button}</div>'

    def _hiding(self) -> str:
        """Rules that show only the language that is picked."""
        if len(self.languages) == 1:
            return ""
        rules = [
            f'#l-{one}:checked~* span[lang="{TAGS[other]}"]{{display:none}}'
            for one in self.languages
            for other in self.languages
            if one != other
        ]
        rules += [
            f'#l-{one}:checked~.tools label[for="l-{one}"]{{background:var(--mark);color:#fff}}'
            for one in self.languages
        ]
        return "\n".join(rules)

    def _titles(self, title: Words) -> str:
        if len(self.languages) == 1:
            return f'<script type="application/json" id="titles">{{}}</script><script>{_SCRIPT}</script>'
        # "<" is written as an escape, so that no name of a look can end the element.
        named = ",".join(f'"{TAGS[one]}":{_quoted(title.of(one))}' for one in self.languages)
        return f'<script type="application/json" id="titles">{{{named}}}</script><script>{_SCRIPT}</script>'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")


def lesson_title(taught: Lesson) -> Words:
    """What the lesson is called."""
    given = taught.look.name
    name = table()["looks"].get(given, plain(given)) if given else say("untitled")
    return say("title", {"look": name})

"""Random layers and looks of every kind, pattern, finish and region, for the tests of lessons."""

from __future__ import annotations

from hypothesis import strategies as st

from mojing.makeup.kinds import AREAS, FINISHES, KINDS, ONE_SIDED, PATTERNS, SIDES, shade_counts
from mojing.makeup.look import Layer, Look, ProductRef, Shade

CODES = ("#f4e8da", "#d9767a", "#a8182d", "#8a5a44", "#3b2420", "#161416", "#d8ad5a", "#3d6fb6")


@st.composite
def layers(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(kind for kind in KINDS if kind != "remove")) -> Layer:
    """Any layer that a look may hold."""
    kind = draw(st.sampled_from(kinds))
    pattern = draw(st.sampled_from(PATTERNS[kind]))
    least, most = shade_counts(kind, pattern)
    codes = draw(st.lists(st.sampled_from(CODES), min_size=least, max_size=most))
    words = draw(st.sets(st.sampled_from(AREAS[kind]))) if AREAS[kind] else set()
    sides = set() if kind in ONE_SIDED else draw(st.sets(st.sampled_from(SIDES)))
    unit = st.floats(0.0, 1.0)
    return Layer(
        kind=kind,
        shades=tuple(Shade.of_hex(code, draw(st.sampled_from(("", "Ruby", "<b>&{x}</b>")))) for code in codes),
        finish=draw(st.sampled_from(FINISHES)),
        coverage=draw(unit),
        amount=draw(unit),
        pattern=pattern,
        region=tuple(sorted(words | sides)),
        size=draw(st.floats(0.5, 2.0)),
        softness=draw(unit),
        product=draw(st.sampled_from((None, ProductRef("p1", "Aurelle & Söhne", "Ruby")))),
    )


def looks(most: int = 6) -> st.SearchStrategy[Look]:
    """Looks of a few layers in any order."""
    return st.builds(Look, st.sampled_from(("", "Evening", "晚妆 <1>")), st.lists(layers(), max_size=most).map(tuple))

"""Shade match, skin report and harmony as lines for a terminal, from what their JSON holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def match_lines(told: Mapping[str, Any]) -> list[str]:
    """The skin's colour, the nearest shades, and how sure that is."""
    skin = told["skin"]
    lines = [
        f"skin {skin['hex']}  Lab {_numbers(skin['lab_d65'])}  ITA {skin['ita_degrees']:.0f}°"
        f"  undertone {skin['undertone']['name']} ({skin['undertone']['probability']:.0%})  {skin['certainty']}"
    ]
    for number, shade in enumerate(told["top"], start=1):
        low, high = shade["delta_e00_90_percent"]
        lines.append(
            f"{number}. {shade['brand']}, {shade['product']}, {shade['shade']}  {shade['hex']}"
            f"  ΔE00 {shade['delta_e00']:.1f} ({low:.1f} to {high:.1f})"
        )
        worn = ", ".join(f"{w['coverage']} {w['hex']}" for w in shade["worn"])
        lines.append(f"   on the skin: {worn}")
    return [*lines, told["advice"], *_notices(told)]


def report_lines(told: Mapping[str, Any]) -> list[str]:
    """Every measure with its interval, how sure it is, and how it was measured."""
    if "refused" in told:
        return [f"{told['refused']['message']}; {told['refused']['hint']}", told["note"]]
    lines = []
    for name, m in told["measures"].items():
        value = "not to be told" if m["value"] is None else f"{m['value']:g} {m['unit']}"
        span = "" if m["low"] is None else f"  ({m['low']:g} to {m['high']:g})"
        label = f"  {m['label']}" if m["label"] else ""
        lines.append(f"{name:<18} {value}{span}{label}  sure {m['confidence']:.0%}")
        lines.append(f"{'':<18} {m['how']}")
    return [*lines, told["note"], *_notices(told), *_notices(told["skin"])]


def harmony_lines(told: Mapping[str, Any]) -> list[str]:
    """The person's colours, their contrast, and what suits them, kind by kind."""
    own = ", ".join(f"{name} {c['hex']}" for name, c in told["colours"].items() if c is not None)
    lines = [own, f"contrast in lightness {told['contrast_lightness']:g}, in chroma {told['contrast_chroma']:g}"]
    for kind, suggestions in told["suggestions"].items():
        lines.append(kind)
        for s in suggestions:
            strength = f"{s['strength']:<10}" if s.get("strength") else ""
            lines.append(f"  {strength}{s['name']:<22} {s['hex']}  {s['why']}")
    if told.get("season"):
        lines.append(f"season: {told['season']['label']} ({told['season']['caveat']})")
    return [*lines, *_notices(told)]


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{v:.0f}" for v in values)


def _notices(told: Mapping[str, Any]) -> list[str]:
    return [f"notice: {notice}" for notice in told.get("notices", ())]

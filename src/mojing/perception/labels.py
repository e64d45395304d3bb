"""The 21 labels of a person's parse map, in their fixed order, and the groups other modules reason in."""

from __future__ import annotations

LABELS: tuple[str, ...] = (
    "background",
    "hair",
    "face",
    "upper",
    "outer",
    "dress",
    "skirt",
    "trousers",
    "legwear",
    "shoes",
    "bag",
    "hat",
    "glasses",
    "scarf",
    "belt",
    "accessories",
    "neck",
    "left_arm",
    "right_arm",
    "left_leg",
    "right_leg",
)
"""Label ids of parse.png: 0 background ... 20 right_leg."""

L: dict[str, int] = {name: i for i, name in enumerate(LABELS)}
"""Label name -> id."""

EVAL_GROUPS: dict[str, tuple[str, ...]] = {
    "background": ("background",),
    "hair": ("hair",),
    "face": ("face",),
    "neck": ("neck",),
    "top": ("upper", "outer"),
    "dress": ("dress",),
    "skirt": ("skirt",),
    "trousers": ("trousers",),
    "footwear+legwear": ("shoes", "legwear"),
    "bag": ("bag",),
    "arms": ("left_arm", "right_arm"),
    "legs": ("left_leg", "right_leg"),
}
"""The twelve groups whose mean IoU is reported for parsing."""

SKIN: tuple[str, ...] = ("face", "neck", "left_arm", "right_arm", "left_leg", "right_leg")
CLOTHES: tuple[str, ...] = ("upper", "outer", "dress", "skirt", "trousers")


def mirror_labels() -> list[int]:
    """Label id -> label id in a horizontally flipped picture."""
    swap = {"left": "right", "right": "left"}
    out = []
    for name in LABELS:
        side, _, rest = name.partition("_")
        out.append(L[f"{swap[side]}_{rest}"] if side in swap else L[name])
    return out

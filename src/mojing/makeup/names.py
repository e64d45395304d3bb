"""What kinds, patterns, finishes and areas are called, in Chinese and in English, for people to read."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["zh", "en"]

KIND_NAMES: Final[dict[str, dict[Language, str]]] = {
    "remove": {"zh": "卸妆", "en": "make-up removed"},
    "smooth": {"zh": "磨皮", "en": "skin smoothing"},
    "foundation": {"zh": "粉底", "en": "foundation"},
    "concealer": {"zh": "遮瑕", "en": "concealer"},
    "contour": {"zh": "修容", "en": "contour"},
    "bronzer": {"zh": "古铜修容粉", "en": "bronzer"},
    "blush": {"zh": "腮红", "en": "blush"},
    "highlighter": {"zh": "高光", "en": "highlighter"},
    "eyeshadow": {"zh": "眼影", "en": "eyeshadow"},
    "brows": {"zh": "眉妆", "en": "brows"},
    "eyeliner": {"zh": "眼线", "en": "eyeliner"},
    "lashes": {"zh": "睫毛", "en": "lashes"},
    "lip_liner": {"zh": "唇线", "en": "lip liner"},
    "lip": {"zh": "口红", "en": "lip colour"},
    "lens": {"zh": "美瞳", "en": "contact lenses"},
    "hair": {"zh": "染发", "en": "hair colour"},
}
"""Name of every kind of `kinds.KINDS`."""

FINISH_NAMES: Final[dict[str, dict[Language, str]]] = {
    "matte": {"zh": "哑光", "en": "matte"},
    "satin": {"zh": "缎光", "en": "satin"},
    "gloss": {"zh": "水光", "en": "gloss"},
    "sheer": {"zh": "透润", "en": "sheer"},
    "metallic": {"zh": "金属光", "en": "metallic"},
    "shimmer": {"zh": "珠光", "en": "shimmer"},
    "holographic": {"zh": "镭射偏光", "en": "holographic"},
}
"""Name of every finish of `kinds.FINISHES`."""

PATTERN_NAMES: Final[dict[str, dict[str, dict[Language, str]]]] = {
    "remove": {"full": {"zh": "全脸", "en": "whole face"}},
    "smooth": {"full": {"zh": "全脸", "en": "whole face"}},
    "foundation": {"full": {"zh": "全脸", "en": "whole face"}},
    "concealer": {"full": {"zh": "局部遮瑕", "en": "where it is needed"}},
    "contour": {"full": {"zh": "立体修容", "en": "sculpted"}},
    "bronzer": {"full": {"zh": "日晒感修容", "en": "sun-warmed"}},
    "blush": {
        "apples": {"zh": "苹果肌腮红", "en": "apples of the cheeks"},
        "lifted": {"zh": "提拉式腮红", "en": "lifted"},
        "draped": {"zh": "环绕式腮红", "en": "draped"},
        "sun-kissed": {"zh": "晒伤腮红", "en": "sun-kissed"},
        "igari": {"zh": "W 形宿醉腮红", "en": "igari (W shape)"},
    },
    "highlighter": {"full": {"zh": "立体提亮", "en": "strobing"}},
    "eyeshadow": {
        "single": {"zh": "单色眼影", "en": "single wash"},
        "duo": {"zh": "双色眼影", "en": "duo, inner and outer"},
        "gradient": {"zh": "渐变眼影", "en": "gradient"},
        "halo": {"zh": "光环眼影", "en": "halo"},
        "cut-crease": {"zh": "截断式眼影", "en": "cut crease"},
        "smoky": {"zh": "烟熏眼影", "en": "smoky"},
    },
    "brows": {
        "natural": {"zh": "自然眉", "en": "natural"},
        "arched": {"zh": "挑眉", "en": "arched"},
        "straight": {"zh": "一字眉", "en": "straight"},
        "feathered": {"zh": "野生眉", "en": "feathered"},
    },
    "eyeliner": {
        "classic": {"zh": "经典眼线", "en": "classic"},
        "thin": {"zh": "细眼线", "en": "thin"},
        "wing": {"zh": "上扬眼线", "en": "winged"},
        "cat-eye": {"zh": "猫眼眼线", "en": "cat eye"},
        "puppy": {"zh": "下垂狗狗眼线", "en": "puppy"},
        "smudged": {"zh": "晕染眼线", "en": "smudged"},
        "double": {"zh": "双眼线", "en": "double"},
        "graphic": {"zh": "创意图形眼线", "en": "graphic"},
        "lower": {"zh": "下眼线", "en": "lower lid"},
    },
    "lashes": {
        "natural": {"zh": "自然睫毛", "en": "natural"},
        "volume": {"zh": "浓密睫毛", "en": "volume"},
        "doll": {"zh": "芭比睫毛", "en": "doll"},
        "cat": {"zh": "猫眼睫毛", "en": "cat"},
    },
    "lip_liner": {
        "full": {"zh": "沿唇描线", "en": "along the edge"},
        "overlined": {"zh": "外扩描线", "en": "overlined"},
    },
    "lip": {
        "full": {"zh": "满涂", "en": "full"},
        "ombre": {"zh": "咬唇渐变", "en": "ombre"},
        "two-tone": {"zh": "上下双色", "en": "two-tone"},
    },
    "lens": {
        "natural": {"zh": "自然混血", "en": "natural"},
        "ring": {"zh": "放大黑圈", "en": "limbal ring"},
        "gradient": {"zh": "渐层", "en": "gradient"},
    },
    "hair": {
        "whole": {"zh": "全头染", "en": "whole head"},
        "ombre": {"zh": "渐变染", "en": "ombre"},
        "streaks": {"zh": "挑染", "en": "streaks"},
        "roots": {"zh": "补染发根", "en": "roots"},
    },
}
"""Name of every pattern of `kinds.PATTERNS`, by kind."""

REGION_NAMES: Final[dict[str, dict[Language, str]]] = {
    "left": {"zh": "左侧", "en": "left"},
    "right": {"zh": "右侧", "en": "right"},
    "upper": {"zh": "上方", "en": "upper"},
    "lower": {"zh": "下方", "en": "lower"},
    "under-eye": {"zh": "眼下", "en": "under the eyes"},
    "nose": {"zh": "鼻部", "en": "nose"},
    "spots": {"zh": "斑点", "en": "spots"},
    "cheek": {"zh": "颧骨下方", "en": "hollow of the cheek"},
    "jaw": {"zh": "下颌线", "en": "jaw line"},
    "forehead": {"zh": "额头", "en": "forehead"},
    "cheekbone": {"zh": "颧骨", "en": "cheekbone"},
    "cupids-bow": {"zh": "唇峰", "en": "cupid's bow"},
    "inner-corner": {"zh": "内眼角", "en": "inner corner"},
    "brow-bone": {"zh": "眉骨", "en": "brow bone"},
    "lid": {"zh": "眼睑", "en": "lid"},
    "crease": {"zh": "眼窝", "en": "crease"},
    "outer": {"zh": "外眼角", "en": "outer corner"},
    "inner": {"zh": "内眼角", "en": "inner corner"},
}
"""Name of every side and area of `kinds.regions`."""

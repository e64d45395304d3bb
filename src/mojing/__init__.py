"""mojing, the magic mirror: a photo of a person and a garment, or a look, become one photo.

    from mojing import Makeup, TryOn
    result = TryOn()("me.jpg", "shirt.jpg")
    result = Makeup()("me.jpg", "evening")

Importing mojing loads neither torch nor onnxruntime; `TryOn` and `Makeup` are looked up when first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mojing.core.errors import InputError, MissingExtraError, ModelError, MojingError, QualityError

if TYPE_CHECKING:
    from mojing.makeup.pipeline import Makeup, MakeupResult
    from mojing.tryon.pipeline import TryOn, TryOnResult

__version__ = "0.1.0"
__all__ = [
    "InputError",
    "Makeup",
    "MakeupResult",
    "MissingExtraError",
    "ModelError",
    "MojingError",
    "QualityError",
    "TryOn",
    "TryOnResult",
    "__version__",
]

_LAZY = {
    "Makeup": "mojing.makeup.pipeline",
    "MakeupResult": "mojing.makeup.pipeline",
    "TryOn": "mojing.tryon.pipeline",
    "TryOnResult": "mojing.tryon.pipeline",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

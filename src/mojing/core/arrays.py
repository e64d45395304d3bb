"""Names for the array types that every module speaks of, and the read-only view that value types keep."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
AnyArray = NDArray[Any]

_T = TypeVar("_T", bound=AnyArray)


def readonly(array: _T) -> _T:
    """View of the array that cannot be written through; the caller's own array keeps its flags."""
    view = array.view()
    view.flags.writeable = False
    return view

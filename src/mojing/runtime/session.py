"""Session: one verified model ready to run. The only place that imports onnxruntime, and only when first needed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping

import numpy as np

from mojing.core.arrays import AnyArray
from mojing.core.errors import ModelError
from mojing.runtime.spec import ModelSpec
from mojing.runtime.store import read_verified


class Session:
    """A model on the CPU with `threads` threads; safe to call from several threads.

    `elapsed_ms` adds up the time spent inside the network alone, so that a benchmark can tell it from the rest.
    """

    def __init__(self, spec: ModelSpec, threads: int = 2) -> None:
        import onnxruntime

        self.spec = spec
        self.elapsed_ms = 0.0
        self._lock = threading.Lock()
        options = onnxruntime.SessionOptions()
        # More threads than cores only get into each other's way: thousands would take minutes.
        options.intra_op_num_threads = min(max(threads, 1), os.cpu_count() or 1)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that spin between runs would take the cores from the pixel work that comes then.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        data = read_verified(spec)
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # onnxruntime's errors have no common public base
            raise ModelError("model_corrupt", f"{spec.path.name} cannot be loaded: {exc}") from exc
        self._outputs = [item.name for item in self._session.get_outputs()]
        missing = {item.name for item in spec.outputs} - set(self._outputs)
        if missing:
            raise ModelError("model_mismatch", f"{spec.path.name} lacks the outputs {sorted(missing)}")

    def run(self, feeds: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Outputs by name for inputs by name, each as the description says.

        Raises:
            ModelError: model_mismatch.
        """
        for tensor in self.spec.inputs:
            array = feeds.get(tensor.name)
            if array is None or array.dtype != tensor.dtype or not tensor.accepts(array.shape):
                got = "nothing" if array is None else f"{array.dtype} {array.shape}"
                raise ModelError(
                    "model_mismatch",
                    f"{self.spec.name} takes {tensor.name} as {tensor.dtype} {tensor.shape}; got {got}",
                )
        ready = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
        start = time.perf_counter()
        results = self._session.run(self._outputs, ready)
        spent = (time.perf_counter() - start) * 1000.0
        with self._lock:
            self.elapsed_ms += spent
        return dict(zip(self._outputs, results, strict=True))

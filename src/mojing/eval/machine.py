"""What benches need of the machine: where the examples lie, and how much memory was used."""

from __future__ import annotations

import resource
import sys
from importlib import resources
from pathlib import Path


def bundled() -> Path:
    """The examples beside the package's source, or inside the installed package."""
    packaged = Path(str(resources.files("mojing"))) / "examples"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "examples"


def peak_rss_mb() -> float:
    """Most memory this process has held so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3

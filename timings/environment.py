"""Time the set-up: ``python -m timings.environment``.

``make .venv/ready`` in a copy of the repository, with empty caches of pip and uv (the packages
come over the network: their speed is in it) and with full ones, five times each.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from timings.timing import RESULTS, copy, ratio, run, save

RUNS = 5


def main() -> None:
    """Measure and write."""
    times: dict[str, list[float]] = {"caches empty": [], "caches full": []}
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = copy(Path(place) / "book")
        caches = {name: str(Path(place) / name) for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR")}
        for _ in range(RUNS):
            for cache in caches.values():
                shutil.rmtree(cache, ignore_errors=True)
            for row in times.values():
                shutil.rmtree(folder / ".venv", ignore_errors=True)
                row.append(run(["make", ".venv/ready"], folder, **caches).seconds)
    empty, full = (statistics.median(row) for row in times.values())
    what = "Environment, packages at hand"
    save(RESULTS, "environment", [ratio(what, full, "from the network", empty, "s", runs=RUNS)])


if __name__ == "__main__":
    main()

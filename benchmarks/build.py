"""Time the book's build, as ratios within one run: ``make bench``.

Serial sum: every notebook executed one after the other, nothing else. Cold: ``jupyter-book
build`` with empty caches. Unchanged: the same again. Prints a table and writes
``benchmarks/results.json``. Absolute seconds are one machine's; quote the ratios.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
RUNS = 3


def seconds(action) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def build() -> None:
    """The build that `make book` runs."""
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "-W", "-n", "-q"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def clear() -> None:
    """Remove built pages and caches."""
    for folder in ("_build", ".cache"):
        shutil.rmtree(ROOT / folder, ignore_errors=True)


def serial() -> None:
    """Execute every notebook, one at a time."""
    for path in sorted((ROOT / "book").rglob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=str(path.parent))


def main() -> None:
    """Run all three, `RUNS` times each, and write the medians."""
    figures = {"serial sum": [], "cold build": [], "unchanged build": []}
    build()  # compiles bytecode and font caches, which none of the three is about
    for _ in range(RUNS):
        figures["serial sum"].append(seconds(serial))
        clear()
        figures["cold build"].append(seconds(build))
        figures["unchanged build"].append(seconds(build))
    medians = {name: round(statistics.median(times), 2) for name, times in figures.items()}
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("jupyter-book", "pandas", "statsmodels")},
        "runs": RUNS,
        "median seconds": medians,
        "cold build over serial sum": round(medians["cold build"] / medians["serial sum"], 2),
        "unchanged over cold build": round(medians["unchanged build"] / medians["cold build"], 2),
    }
    text = json.dumps(result, indent=1)
    (ROOT / "benchmarks" / "results.json").write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()

"""Time the book's build, cold and after a change: ``python -m timings.build``.

All of it happens in a copy of the repository, five times; a change of a module makes all notebooks
run again, as a cold build does, and is tried once. The lower bound of a cold build is the time that
its notebooks need and nothing else: run alone, shared over the cores without a gap, but no less
than the longest. The notebook of the multiverse keeps all cores busy by itself, so that its time
is not shared again. ``--cold 1`` repeats the cold builds less often, ``--cold 0`` leaves them out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from taobao_villages.book import kernels
from timings.timing import Cost, copy, run, save

BOOK = [str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "-W", "-n"]
# The same build without our runner: myst-nb runs the notebooks, one after the other.
SERIAL = """
import sys
from contextlib import nullcontext
from taobao_villages import book, processes
kernels.warm = lambda enough: nullcontext()
notebooks.run_notebooks = lambda paths, folder, reads, server: dict.fromkeys(paths, "serial")
from jupyter_book.cli.main import main
sys.exit(main(["build", ".", "-W", "-n"]))
"""
RAN = re.compile(r"\[\d+/\d+\] (\S+)\.ipynb ([\d.]+) s")


def build(folder: Path, command: list[str] = BOOK) -> Cost:
    """Build the copy in `folder` with the copy's own package."""
    return run(command, folder, PYTHONPATH=str(folder / "src"))


def clear(folder: Path) -> None:
    """Remove built pages and caches."""
    for name in ("_build", ".cache"):
        shutil.rmtree(folder / name, ignore_errors=True)


def alone(folder: Path) -> dict[str, dict[str, float]]:
    """Seconds on the clock and of the processor for each notebook, executed one at a time."""
    clear(folder)
    os.environ["PYTHONPATH"] = str(folder / "src")
    found = {}
    for path in sorted((folder / "book").rglob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        client = NotebookClient(notebook, timeout=900, kernel_name="python3")
        kernels.manage(client, None)  # its end is not waited for longer than in the book's build
        client.execute(cwd=str(path.parent))
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found[path.stem] = {"seconds": round(seconds, 1), "cpu": round(cpu, 1)}
    del os.environ["PYTHONPATH"]
    return found


def cold(folder: Path, runs: int) -> None:
    """Write the times of cold builds, ours and in series, of notebooks alone, the lower bound."""
    cores = os.cpu_count() or 1
    rows: list[dict[str, float]] = []
    for _ in range(runs):
        notebooks = alone(folder)
        seconds = {name: cost["seconds"] for name, cost in notebooks.items()}
        multiverse = seconds.pop("multiverse")
        bound = max([*seconds.values(), sum(seconds.values()) / cores + multiverse])
        clear(folder)
        ours = build(folder)
        clear(folder)
        plain = build(folder, [sys.executable, "-c", SERIAL])
        total = sum(seconds.values()) + multiverse
        row = {"notebooks alone": total, "lower bound": bound, "cold build": ours.seconds}
        row |= {"cold build, cpu": ours.cpu, "serial build": plain.seconds}
        row |= {"serial build, cpu": plain.cpu, "largest process, MB": ours.peak_mb}
        row |= {f"cold build over {name}": ours.seconds / row[name] for name in list(row)[:2]}
        row["cold build over serial build"] = ours.seconds / plain.seconds
        rows.append(row)
        medians = {name: round(statistics.median(r[name] for r in rows), 2) for name in row}
        told = {"runs": len(rows)} | medians | {"each notebook alone, last run": notebooks}
        save("cold", told)  # an hour; what is done by then counts if it is stopped


# ---- changes: each makes another one every time ----------------------------------------------


def nothing(folder: Path, turn: int) -> None:
    """Leave all as it is."""


def word(folder: Path, turn: int) -> None:
    """One word in a page of prose."""
    path = folder / "book" / "course" / "ethics.md"
    path.write_text(path.read_text("utf-8") + f"\nWord{'s' * turn}.\n", "utf-8")


def cell(folder: Path, turn: int) -> None:
    """One code cell of one notebook."""
    path = folder / "book" / "market.ipynb"
    notebook = nbformat.read(path, as_version=4)
    code = [c for c in notebook.cells if c.cell_type == "code"][-1]
    code.source = f"turn = {turn}\n{code.source}"
    nbformat.write(notebook, path)


def value(folder: Path, turn: int) -> None:
    """One value of one table."""
    path = folder / "data" / "market" / "platform_users.csv"
    old = re.compile(r"(gmv,)(15\d\d)(,RMB billion,,e_f1copy)")
    path.write_text(old.sub(rf"\g<1>{1543 + turn}\3", path.read_text("utf-8"), count=1), "utf-8")


def module(folder: Path, turn: int) -> None:
    """One module of the package."""
    path = folder / "src" / "taobao_villages" / "market.py"
    path.write_text(path.read_text("utf-8") + f"# turn {turn}\n", "utf-8")


CHANGES: dict[str, Callable[[Path, int], None]] = {
    "nothing": nothing,
    "one word of a page": word,
    "one cell of a notebook": cell,
    "one value of a table": value,
    "one module": module,
}


def rebuilds(folder: Path, runs: int) -> dict[str, Any]:
    """Build again after each kind of change; the caches are full."""
    found = {}
    for name, change in CHANGES.items():
        costs = []
        for turn in range(runs):
            change(folder, turn + 1)
            costs.append(build(folder))
        ran = {notebook: float(taken) for notebook, taken in RAN.findall(costs[-1].log)}
        found[name] = {
            "runs": runs,
            "seconds": round(statistics.median(c.seconds for c in costs), 1),
            "cpu": round(statistics.median(c.cpu for c in costs), 1),
            "largest process, MB": round(max(c.peak_mb for c in costs)),
            "notebooks run": ran,
        }
        print(name, json.dumps(found[name]), flush=True)
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cold", type=int, default=5, help="repetitions of the cold builds")
    parser.add_argument("--runs", type=int, default=5, help="repetitions of the others")
    parser.add_argument("--only-cold", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        if not asked.only_cold:
            folder = copy(Path(place) / "book")
            build(folder)  # compiles bytecode and fills the caches
            save("rebuild", rebuilds(folder, asked.runs))
        if asked.cold:
            cold(copy(Path(place) / "cold"), asked.cold)


if __name__ == "__main__":
    main()

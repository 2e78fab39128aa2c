"""Time the book's build, cold and after a change: ``python -m timings.build``.

All of it happens in a copy of the repository, five times; a change of a module makes all notebooks
run again, as a cold build does, and is tried once. The lower bound of a cold build is the time that
its notebooks need and nothing else: run alone, shared over the cores without a gap, but no less
than the longest. The notebook of the multiverse keeps all cores busy by itself, so that its time
is not shared again. ``--cold 1`` repeats the cold builds less often, ``--cold 0`` leaves them out.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from taobao_villages.book import kernels, measured
from timings.timing import RESULTS, Cost, copy, ratio, run, save

BOOK = [str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "-W", "-n"]
# The same build without our runner: myst-nb runs the notebooks, one after the other.
SERIAL = """
import sys
from contextlib import nullcontext
from taobao_villages.book import build, kernels, notebooks
ran = notebooks.Ran("serial", "", ())
kernels.warm = lambda enough: nullcontext()
build.run_notebooks = lambda paths, folder, reads, server: dict.fromkeys(paths, ran)
from jupyter_book.cli.main import main
sys.exit(main(["build", ".", "-W", "-n"]))
"""
RAN = re.compile(r"\[\d+/\d+\] \S+\.ipynb ([\d.]+) s")
FROM_NOTHING = "Book built from nothing"


def build(folder: Path, command: list[str] = BOOK) -> Cost:
    """Build the copy in `folder` with the copy's own package."""
    return run(command, folder, PYTHONPATH=str(folder / "src"))


def clear(folder: Path) -> None:
    """Remove built pages and caches."""
    for name in ("_build", ".cache"):
        shutil.rmtree(folder / name, ignore_errors=True)


def alone(folder: Path) -> dict[str, float]:
    """Seconds of each notebook, executed one at a time."""
    clear(folder)
    os.environ["PYTHONPATH"] = str(folder / "src")
    found = {}
    for path in sorted((folder / "book").rglob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        began = time.perf_counter()
        client = NotebookClient(notebook, timeout=900, kernel_name="python3")
        kernels.manage(client, None)  # its end is not waited for longer than in the book's build
        client.execute(cwd=str(path.parent))
        found[path.stem] = time.perf_counter() - began
    del os.environ["PYTHONPATH"]
    return found


def cold(folder: Path, runs: int) -> None:
    """Write the times of cold builds beside the lower bound, notebooks alone, builds in series."""
    cores = os.cpu_count() or 1
    times: list[dict[str, float]] = []
    for _ in range(runs):
        seconds = alone(folder)
        total, multiverse = sum(seconds.values()), seconds.pop("multiverse")
        bound = max([*seconds.values(), (total - multiverse) / cores + multiverse])
        clear(folder)
        ours = build(folder).seconds
        clear(folder)
        plain = build(folder, [sys.executable, "-c", SERIAL]).seconds
        beside = {"lower bound": bound, "notebooks alone": total, "serial build": plain}
        times.append({"ours": ours} | beside)
        middle = {name: statistics.median(one[name] for one in times) for name in times[0]}
        rows = [
            ratio(
                FROM_NOTHING,
                middle["ours"],
                name,
                middle[name],
                "s",
                runs=len(times),
                middle=statistics.median(one["ours"] / one[name] for one in times),
            )
            for name in beside
        ]
        save(RESULTS, "cold", rows)  # an hour; what is done by then counts if it is stopped


def from_nothing() -> float:
    """Seconds of a cold build, as they were written last.

    Raises
    ------
    SystemExit
        If none was ever timed.
    """
    taken = dict(measured.table(RESULTS)[["what", "taken"]].to_numpy()).get(FROM_NOTHING)
    if taken is None:
        sys.exit(f"{RESULTS} has no row {FROM_NOTHING!r}. Remedy: run without --cold 0")
    return float(taken.removesuffix(" s").replace(",", ""))


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
    path = folder / "src" / "taobao_villages" / "chapters" / "market.py"
    path.write_text(path.read_text("utf-8") + f"# turn {turn}\n", "utf-8")


CHANGES: dict[str, Callable[[Path, int], None]] = {
    "nothing": nothing,
    "one word of a page": word,
    "one cell of a notebook": cell,
    "one value of a table": value,
    "one module": module,
}


def rebuilds(folder: Path, runs: int) -> None:
    """Write the times of builds after each kind of change; the caches are full."""
    unbuilt, rows = from_nothing(), []
    build(folder)  # compiles bytecode and fills the caches
    for name, change in CHANGES.items():
        costs = []
        for turn in range(runs):
            change(folder, turn + 1)
            costs.append(build(folder))
        ran = [float(seconds) for seconds in RAN.findall(costs[-1].log)]
        base = ("its notebook's own run", ran[0]) if len(ran) == 1 else ("from nothing", unbuilt)
        taken = statistics.median(cost.seconds for cost in costs)
        rows.append(ratio(f"Built again, changed: {name}", taken, *base, "s", runs=runs))
        print(rows[-1], flush=True)
    save(RESULTS, "rebuild", rows)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cold", type=int, default=5, help="repetitions of the cold builds")
    parser.add_argument("--runs", type=int, default=5, help="repetitions of the others")
    parser.add_argument("--only-cold", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        if asked.cold:
            cold(copy(Path(place) / "cold"), asked.cold)
        if not asked.only_cold:  # after the cold builds, with which they are compared
            rebuilds(copy(Path(place) / "book"), asked.runs)


if __name__ == "__main__":
    main()

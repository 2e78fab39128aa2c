"""What timings and audits share: a clock for processes, copies, and the files of results.

Every part of ``make bench`` runs by itself and puts its rows into ``timings/results.csv``, with
the day and commit of the run: as text, as the book's colophon prints them. Seconds are one
machine's, and another program that runs beside takes some: quote the ratios.
"""

from __future__ import annotations

import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from taobao_villages.book import measured
from taobao_villages.data.files import write_whole

ROOT = Path(__file__).parents[1]
RESULTS = "timings/results.csv"
BROKEN = "audits/broken.csv"


class Cost(NamedTuple):
    """What a process took, and what it said."""

    seconds: float  # on the clock
    log: str


def run(command: Sequence[str], folder: Path, **settings: str) -> Cost:
    """Run a command and measure it.

    Raises
    ------
    SystemExit
        With the end of its log, if it fails.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        began = time.perf_counter()
        process = subprocess.run(
            command, cwd=folder, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT
        )
        seconds = time.perf_counter() - began
        log.seek(0)
        text = log.read()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed in {folder}:\n{text[-3000:]}")
    return Cost(seconds, text)


def median_seconds(action: Callable[[], Any], runs: int = 5) -> float:
    """Median time of `runs` calls, after one that does not count."""
    action()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def copy(folder: Path) -> Path:
    """The repository's own files as they stand, in `folder`, to be changed at will."""
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    pack = ["tar", "--null", "--files-from=-", "--create", "--file=-"]
    packed = subprocess.run(pack, input=files, cwd=ROOT, check=True, capture_output=True).stdout
    folder.mkdir(parents=True)
    subprocess.run(["tar", "--extract", "--file=-"], input=packed, cwd=folder, check=True)
    return folder


def stamp() -> dict[str, str]:
    """The day and the commit of a run."""
    git = ["git", "rev-parse", "--short=10", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {"date": str(datetime.date.today()), "commit": commit.strip()}


def note(path: Path, found: dict[str, Any]) -> None:
    """Write what a long run found beside its rows, with its day and commit."""
    path.write_text(json.dumps(stamp() | found, indent=1, ensure_ascii=False) + "\n", "utf-8")


def ratio(
    what: str,
    taken: float,
    against: str,
    other: float,
    unit: str,
    runs: int,
    middle: float | None = None,
) -> dict[str, str]:
    """One row of the timings: what took how long, and how long what it is compared with took.

    `middle` is the ratio where it is the middle one of several; else that of the two values.
    """
    return {
        "what": what,
        "taken": f"{taken:,.4g} {unit}",
        "compared": f"{against}: {other:,.4g} {unit}",
        "ratio": f"{taken / other if middle is None else middle:.2f}",
        "runs": str(runs),
        **stamp(),
    }


def tally(what: str, tried: int, lost: int, run: dict[str, str] | None = None) -> dict[str, str]:
    """One row of what was broken: how often, and how often nobody noticed; of now, or of `run`."""
    counts = {"tried": str(tried), "caught": str(tried - lost), "lost": str(lost)}
    return {"what": what, **counts, **(run or stamp())}


def save(name: str, part: str, rows: Sequence[dict[str, str]]) -> None:
    """Put the rows of one part in place of its former ones, whole or not at all, and print them.

    The rows of other parts stay as they are.
    """
    path, fresh = measured.stored_in(name), pd.DataFrame([{"part": part} | row for row in rows])
    parts = dict(tuple(measured.table(name).groupby("part", sort=False))) if path.exists() else {}
    parts[part] = fresh  # at its former place
    write_whole({path: pd.concat(parts.values()).to_csv(index=False, lineterminator="\n")})
    print(fresh.to_csv(index=False), flush=True)

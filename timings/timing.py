"""What timings and audits share: a clock for processes, copies, and the files of results.

Every part of ``make bench`` runs by itself and puts its figures into ``timings/results.json``
under its name, with its machine, versions, commit and day. Seconds are one machine's, and another
program that runs beside takes some: quote the ratios.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "timings" / "results.json"
VERSIONS = ("jupyter-book", "sphinx", "pandas", "scipy", "statsmodels", "esda", "inequality")


class Cost(NamedTuple):
    """What a process and all that it started took."""

    seconds: float  # on the clock
    cpu: float  # of all cores together
    peak_mb: float  # of the largest single process
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
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        text = log.read()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed in {folder}:\n{text[-3000:]}")
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text)


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
    """The commit and the day of a run."""
    git = ["git", "rev-parse", "--short=10", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {"commit": commit.strip(), "date": str(datetime.date.today())}


def note(path: Path, found: dict[str, Any]) -> None:
    """Write what a long run found, with its commit and day: not a timing, so without machine."""
    path.write_text(json.dumps(stamp() | found, indent=1, ensure_ascii=False) + "\n", "utf-8")


def save(part: str, figures: dict[str, Any]) -> None:
    """Put the figures of one part into the results, and print them."""
    about = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in VERSIONS},
        **stamp(),
        # Above 0 before we start, or above the number of cores after: others ran beside.
        "load_at_end": round(os.getloadavg()[0], 1),
    }
    known = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    known[part] = {"about": about} | figures
    RESULT.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(json.dumps({part: figures}, indent=1, ensure_ascii=False))

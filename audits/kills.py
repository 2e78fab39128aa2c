"""A build that is killed at a random moment and run again: does it give the same pages?

In a clone, the book is built once undisturbed. Then builds are killed, with all that they have
started in their process group, and run again to their end; every file is compared with the first
build. Every fourth kill hits a build from nothing; the others a build after a change in one
notebook, which runs anew. The moments are random, with a fixed seed.

    make audit-deep        (or: python -m audits.kills --kills 24)

Prints of each kill when it came, what the build was doing, whether the pages are the same in the
end, and how many files of the killed build lie about. Writes after each its row of
``audits/broken.csv``, without builds that had ended before they could be killed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from timings.timing import BROKEN, ROOT, save, tally

SEED = 2017
BOOK = [str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "-W", "-n"]
BOOK += ["--keep-going"]
MARK = re.compile(rb"killed-\d{3}")  # the change in a notebook: a word that no page shows
COLOURS = re.compile(r"\x1b\[[\d;]*m")
PHASES = {  # what the log says last
    "running": "notebooks",
    "computing": "ledger",
    "reading": "reading pages",
    "writing": "writing pages",
    "copying": "copying files",
    "dumping": "indices",
    "build succeeded": "ended before",
}


def digests(folder: Path) -> dict[str, str]:
    """A hash for each file of a folder, by its path; the mark in a notebook does not count."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            MARK.sub(b"killed-000", path.read_bytes())
        ).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def differing(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Paths that are in one alone, or whose contents differ."""
    return sorted(name for name in expected | found if expected.get(name) != found.get(name))


def moments(number: int, seed: int = SEED) -> list[tuple[bool, float]]:
    """For each kill: is the build from nothing, and after which share of its time is it killed?"""
    chance = random.Random(seed)
    return [(one % 4 == 0, round(chance.random(), 3)) for one in range(number)]


def phase(log: str) -> str:
    """What a build was doing, from its log."""
    found = "starting"
    for line in re.split(r"[\r\n]+", COLOURS.sub("", log)):
        found = next((told for word, told in PHASES.items() if line.startswith(word)), found)
    return found


def mark(path: Path, number: int) -> None:
    """Change a notebook so that it runs again and puts out the same."""
    notebook = json.loads(path.read_text("utf-8"))
    notebook["cells"][0]["metadata"]["mark"] = f"killed-{number:03}"
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", "utf-8")


class Clone:
    """A clone in which builds run and are killed."""

    def __init__(self, place: Path):
        self.folder, self.rest = place / "book", place / "rest"
        self.log = place / "log"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(self.folder)], check=True)
        self.notebooks = sorted((self.folder / "book").glob("*.ipynb"))
        for path in self.notebooks:
            mark(path, 0)

    def start(self) -> subprocess.Popen[bytes]:
        """A build in a process group of its own, which keeps its short-lived files in `rest`."""
        self.rest.mkdir(exist_ok=True)
        own = {
            "PYTHONPATH": str(self.folder / "src"),
            "PYTHONUNBUFFERED": "1",
            "SOURCE_DATE_EPOCH": "1764000000",
            "TMPDIR": str(self.rest),
            "JUPYTER_RUNTIME_DIR": str(self.rest),
        }
        with self.log.open("wb") as log:
            return subprocess.Popen(
                BOOK,
                cwd=self.folder,
                env=os.environ | own,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def build(self) -> float:
        """Build to the end; the seconds that it took.

        Raises
        ------
        RuntimeError
            With the end of the log, if the build fails.
        """
        began = time.perf_counter()
        if self.start().wait():
            raise RuntimeError(self.told()[-3000:])
        return time.perf_counter() - began

    def told(self) -> str:
        """The log of the last build."""
        return self.log.read_text("utf-8", "replace")

    def clear(self) -> None:
        """Remove all that builds have made."""
        for name in ("_build", ".cache"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def pages(self) -> dict[str, str]:
        """The digests of the pages as they are."""
        return digests(self.folder / "_build" / "html")

    def kill(self, seconds: float) -> str:
        """Start a build, kill it after some seconds, and say what it was doing."""
        process = self.start()
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return phase(self.told())

    def left(self) -> int:
        """Files of a killed build that the next one has not taken away."""
        parts = list((self.folder / ".cache").rglob("*.part"))
        return len(parts) + sum(path.is_file() for path in self.rest.rglob("*"))


def one(clone: Clone, number: int, nothing: bool, seconds: float, expected: dict) -> dict[str, Any]:
    """Kill a build, run it again, and compare."""
    if nothing:
        clone.clear()
    else:
        path = clone.notebooks[number % len(clone.notebooks)]
        mark(path, number + 1)
    doing = clone.kill(seconds)
    told = {"after_seconds": round(seconds, 1), "from_nothing": nothing, "doing": doing}
    try:
        took = clone.build()
    except RuntimeError as error:
        print(error)
        return told | {"result": "the second build fails", "differs": []}
    differs = differing(expected, clone.pages())
    result = "other" if differs else "same"
    told |= {"again_seconds": round(took, 1), "result": result, "differs": differs[:20]}
    told |= {"left_over_files": clone.left()}
    shutil.rmtree(clone.rest)
    return told


def tallied(kills: list[dict[str, Any]]) -> dict[str, str]:
    """How many builds were killed, and after how many the pages were others."""
    hit = [kill["result"] for kill in kills if kill["doing"] != "ended before"]
    return tally("Build killed and run again", len(hit), len(hit) - hit.count("same"))


def main() -> int:
    """Build, kill, build again; write and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    kills: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="kills-") as place:
        clone = Clone(Path(place))
        cold = clone.build()
        expected = clone.pages()
        mark(clone.notebooks[0], 999)
        warm = clone.build()
        if odd := differing(expected, clone.pages()):
            sys.exit(f"a build after a change differs although nobody killed it: {odd[:20]}")
        print(f"{len(expected)} files; from nothing {cold:.0f} s, after a change {warm:.0f} s")
        for number, (nothing, share) in enumerate(moments(asked.kills, asked.seed)):
            seconds = share * (cold if nothing else warm)
            kills.append(one(clone, number, nothing, seconds, expected))
            print(kills[-1], flush=True)
            save(BROKEN, "kills", [tallied(kills)])
    return int(any(kill["result"] != "same" for kill in kills))


if __name__ == "__main__":
    sys.exit(main())

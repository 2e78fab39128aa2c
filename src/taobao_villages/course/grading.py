"""Grades a folder of submissions: runs each in a process of its own and compares answers."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from taobao_villages.course import labs

MEMORY, FILE = 4 * 2**30, 50 * 2**20  # bytes: what a submission may take, and write to a file
LONGEST = 1000  # letters of an answer that are kept
START, BUSY = 60, 10  # seconds to start a submission; how much slower a busy machine's clock is
# What the given cells of the labs import.
IMPORTED = (
    "numpy",
    "pandas",
    "statsmodels.stats.inter_rater",
    "taobao_villages.methods.counts",
    "taobao_villages.methods.growth",
    "taobao_villages.methods.inequality",
    "taobao_villages.methods.shares",
    "taobao_villages.methods.space",
    "taobao_villages.subjects.provinces",
    "taobao_villages.subjects.villages",
)


def run(
    code: Sequence[str], names: Sequence[str], draws: Sequence[Path], *, limit: float
) -> dict[str, Any]:
    """Run cells on each draw of the data in a process of their own.

    Parameters
    ----------
    code : sequence of str
        Cells; one that raises, or takes more than a third of `limit`, is left. A cell that took
        too long on one draw is not run on the next ones.
    names : sequence of str
        Variables whose values are wanted.
    draws : sequence of Path
        Folders; the cells run in a copy of each.
    limit : float
        Seconds of the processor until the process is ended; imports that the labs make do not
        count. So a busy machine takes nobody's points. A submission that waits and computes
        nothing has ten times as long by the clock.

    Returns
    -------
    dict
        ``status`` ("graded", "time limit", "crashed") and for each draw ``values`` and ``faults``.
    """
    with tempfile.TemporaryDirectory() as work:
        folders = []
        for path in draws:
            folders.append(shutil.copytree(path, Path(work) / path.name).as_posix())
        job = {
            "code": code,
            "names": names,
            "folders": folders,
            "limit": limit,
        }
        (Path(work) / "job.json").write_text(json.dumps(job), "utf-8", newline="\n")
        command = "from taobao_villages.course import grading; grading.run_job()"
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", command],
            cwd=work,
            env=os.environ | {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            ended = process.wait(START + BUSY * limit)
            status = "time limit" if ended == OUT_OF_TIME else "crashed" if ended else "graded"
        except subprocess.TimeoutExpired:
            status = "time limit"
        _end(process)
        result = Path(work) / "result.json"
        told = json.loads(result.read_text("utf-8")) if result.exists() else []
    told += [{"values": {}, "faults": []} for _ in range(len(draws) - len(told))]
    return {"status": status, "draws": told}


OUT_OF_TIME = -getattr(signal, "SIGXCPU", 0) or None  # how a process ends at its limit


def _end(process: subprocess.Popen) -> None:
    """End a submission's process with all that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def run_job() -> None:
    """In the process of a submission: run the cells of ``job.json``, keep what they answer."""
    result, part = Path("result.json").absolute(), Path("part.json").absolute()
    job = json.loads(Path("job.json").read_text("utf-8"))
    told: list[dict[str, Any]] = []
    endless: set[int] = set()
    for module in IMPORTED:  # before the time counts
        import_module(module)
    _limit_process(job["limit"])
    seconds = job["limit"] / 3
    for folder in job["folders"]:
        os.chdir(folder)
        space: dict[str, Any] = {"__name__": "__main__"}
        entry: dict[str, Any] = {"values": {}, "faults": []}
        told.append(entry)
        for number, text in enumerate(job["code"], start=1):
            if number in endless:
                continue
            try:
                _limit_cell(seconds)
                exec(compile(text, f"cell {number}", "exec"), space)
            except BaseException as error:  # also SystemExit: the next cells still count
                told_error = f"{type(error).__name__}: {error}"[:200]
                entry["faults"].append(f"code cell {number}: {told_error}")
                if isinstance(error, TimeoutError):
                    endless.add(number)
            finally:
                _limit_cell(0)
            entry["values"] = {name: _simple(space.get(name)) for name in job["names"]}
            part.write_text(json.dumps(told), "utf-8", newline="\n")
            part.replace(result)  # whole, whenever the process is ended
    os._exit(0)  # to take Python down costs a second of a submission's time


def _limit_process(seconds: float) -> None:
    """Limit what is left to do in this process: seconds of the processor, memory, files."""
    try:
        import resource
    except ImportError:  # outside Unix the clock alone ends a submission
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    last = math.ceil(used.ru_utime + used.ru_stime + seconds)
    limits = {"CPU": (last, last + 2), "AS": (MEMORY, MEMORY), "FSIZE": (FILE, FILE)}
    for name, values in limits.items():
        with suppress(ValueError, OSError):  # not every system has each limit
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), values)


def _limit_cell(seconds: float) -> None:
    """Raise TimeoutError in a cell after so much processor time, or ten times by the clock.

    Zero takes the limits away.
    """

    def too_long(number: int, _: Any) -> None:
        kind = "of the processor" if number == signal.SIGPROF else "by the clock"
        shown = seconds if number == signal.SIGPROF else BUSY * seconds
        raise TimeoutError(f"a cell ran longer than {shown:g} s {kind}")

    if hasattr(signal, "setitimer"):
        for name, number, after in (
            (signal.ITIMER_PROF, signal.SIGPROF, seconds),
            (signal.ITIMER_REAL, signal.SIGALRM, BUSY * seconds),
        ):
            signal.signal(number, too_long)
            signal.setitimer(name, after)


def _simple(value: Any) -> Any:
    """A student's answer as JSON: a number, a text, true or false, else nothing."""
    with suppress(Exception):  # an object of the student's own may raise anything
        if hasattr(value, "item") and getattr(value, "size", 1) == 1:
            value = value.item()
    if isinstance(value, str):
        return str(value)[:LONGEST]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value if isinstance(value, bool) else None
    return value if -1e300 < value < 1e300 else None  # neither infinite nor not a number


def same(answer: Any, right: Any, entry: Mapping[str, Any]) -> bool:
    """Whether an answer is right: texts without case and spaces, numbers within a tolerance."""
    if isinstance(right, bool) or isinstance(answer, bool):
        return answer is right
    if isinstance(right, str) and isinstance(answer, str):
        return answer.strip().lower() == right.strip().lower()
    if isinstance(right, str) or isinstance(answer, str) or answer is None or right is None:
        return False
    return abs(answer - right) <= max(entry["within"] * abs(right), entry["absolute"])


def judge(answers: Sequence[Any], entry: Mapping[str, Any]) -> tuple[int, str]:
    """Points and hint for the answers of one item, one answer a draw."""
    if all(same(a, r, entry) for a, r in zip(answers, entry["right"], strict=True)):
        return entry["points"], ""
    if answers[0] is None:
        return 0, "Not answered, or not a number or text."
    # On some data two slips give one value: nobody knows which it was, so both hints are given.
    hints = [one["hint"] for one in entry["wrong"] if same(answers[0], one["value"], entry)]
    if hints:
        return 0, " Or: ".join(hints)
    if same(answers[0], entry["right"][0], entry):
        if None in answers[1:]:
            return (
                0,
                "Right on your data; the runs on other data did not get so far: see the fault.",
            )
        return 0, "Right on your data only: compute it from the table, so that it follows the data."
    return 0, "Not right, and none of the usual slips. Check unit, rows and order of steps."


def read_submission(path: Path) -> tuple[list[str], list[str]]:
    """Code cells (without the notebook's own commands) and Markdown cells of a submission.

    Raises
    ------
    ValueError
        If the file is no notebook.
    """
    if path.stat().st_size > FILE:
        raise ValueError(
            f"the file has {path.stat().st_size / 2**20:.0f} MB, and {FILE / 2**20:.0f} are the "
            "most: clear its outputs and hand it in again"
        )
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        texts = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("the file cannot be read as a notebook") from error
    code = [re.sub(r"^[ \t]*[%!].*$", "pass", t, flags=re.M) for kind, t in texts if kind == "code"]
    return code, [text for kind, text in texts if kind == "markdown"]


def submitted(folder: Path) -> dict[str, list[Path]]:
    """The files of each student: one named after the student, or those of a folder so named.

    Course platforms export a folder for each student. Hidden files are no submissions.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            inside = [p for p in sorted(path.rglob("*")) if p.is_file()]
            seen = [p for p in inside if "/." not in p.relative_to(folder).as_posix()]
            found.setdefault(path.name, []).extend(seen)
        else:
            found.setdefault(path.stem, []).append(path)
    return found


def grade_one(
    student: str, files: Sequence[Path], told: Mapping[str, Any], folder: Path, limit: float
) -> dict[str, Any]:
    """Grade one student: a row of ``grades.csv``, with ``hints`` and ``written`` as mappings."""
    row = _row(student, told)
    notebooks = [path for path in files if path.suffix == ".ipynb"]
    if not files:
        return row | {"status": "no file", "faults": "the student's folder is empty"}
    if len(notebooks) > 1:
        names = ", ".join(path.name for path in notebooks)
        return row | {"status": "not graded", "faults": f"{names}: keep the one that counts"}
    try:
        if not notebooks:
            raise ValueError(f"a file of type {files[0].suffix or 'none'}, not a notebook")
        code, texts = read_submission(notebooks[0])
    except (ValueError, OSError) as error:
        return row | {"status": "not a notebook", "faults": str(error)}
    draws = [folder / f"draw_{number}" for number in range(len(_first(told)["right"]))]
    done = run(code, list(told["items"]), draws, limit=limit)
    row["status"] = done["status"]
    row["faults"] = "; ".join(done["draws"][0]["faults"])
    ends = {
        "time limit": f"ended after {limit:g} s of the processor, or ten times that by the clock",
        "crashed": "the process ended by itself",
    }
    if done["status"] in ends:
        row["faults"] = "; ".join(filter(None, [ends[done["status"]], row["faults"]]))
    for name, entry in told["items"].items():
        answers = [one["values"].get(name) for one in done["draws"]]
        row[name], hint = judge(answers, entry)
        row["points"] += row[name]
        if hint:
            row["hints"][name] = hint
    for name in told["written"]:
        found = [t for t in texts if t.strip().startswith(labs.answer_mark(name))]
        text = found[-1].strip().removeprefix(labs.answer_mark(name)).strip() if found else ""
        row["written"][name] = "" if text == "write here." else text
    return row


def _surely(
    student: str, files: Sequence[Path], told: Mapping[str, Any], folder: Path, limit: float
) -> dict[str, Any]:
    """`grade_one`; whatever a submission breaks, the others are graded and it is named."""
    try:
        return grade_one(student, files, told, folder, limit)
    except Exception as error:
        fault = f"{type(error).__name__}: {error}"[:200]
        return _row(student, told) | {"status": "not graded", "faults": fault}


def _row(student: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a student who has no points."""
    row: dict[str, Any] = {"student": student, "status": "", "points": 0, "of": told["points"]}
    return row | {"faults": "", "hints": {}, "written": {}} | dict.fromkeys(told["items"], 0)


def _first(told: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(told["items"].values()))


def grade(
    submissions: Path,
    folder: Path,
    *,
    roster: Sequence[str] | None = None,
    limit: float = 60,
    jobs: int | None = None,
) -> list[dict[str, Any]]:
    """Grade every file of a folder; nobody of the roster is left out.

    Parameters
    ----------
    submissions : Path
        One notebook a student, named after the student or in a folder that is.
    folder : Path
        A lab's folder in the instructor archive: ``key.json`` and the draws.
    roster : sequence of str, optional
        Students who should have handed in.
    limit : float
        Seconds of the processor for one submission.
    jobs : int, optional
        Submissions at a time; one a core if None.
    """
    told = json.loads((folder / "key.json").read_text("utf-8"))
    files = submitted(submissions)
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        rows = list(
            pool.map(lambda one: _surely(one[0], one[1], told, folder, limit), files.items())
        )
    if roster is not None:
        for row in rows:
            if row["student"] not in roster:
                row["faults"] = "; ".join(filter(None, ["not on the roster", row["faults"]]))
        for name in sorted(set(roster) - {row["student"] for row in rows}):
            rows.append(_row(name, told) | {"status": "no file", "faults": "no file found"})
    return rows

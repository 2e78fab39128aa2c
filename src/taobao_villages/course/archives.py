"""Archives of the course: a draw of the data for a class, its labs, keys and check."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from taobao_villages import data
from taobao_villages.course import grading, labs, marks, pages
from taobao_villages.course.wheel import build_wheel

SEED = 2026
DRAWS = 4  # the data of the class, and three draws that students do not have


# ---- labs ----------------------------------------------------------------------------------------


def draw(lab: labs.Lab, seed: int, folder: Path) -> list[Path]:
    """Draw a lab's data: a folder for the class, and others for the further runs."""
    made = []
    for number in range(DRAWS):
        space: dict[str, Any] = {}
        exec(compile(lab.draw, f"lab {lab.number}, draw", "exec"), space)
        target = folder / f"draw_{number}"
        target.mkdir(parents=True)
        tables = space["draw"](np.random.default_rng([seed, lab.number, number]))
        for name, frame in tables.items():
            frame.to_csv(target / f"{name}.csv", index=False, lineterminator="\n")
        made.append(target)
    return made


def key(lab: labs.Lab, folder: Path, seed: int) -> dict[str, Any]:
    """Draw the data and write what the grading needs: answers, wrong answers, hints.

    Raises
    ------
    RuntimeError
        If the solution fails.
    """
    draws = draw(lab, seed, folder)
    code = [text for kind, _, text in lab.cells if kind in ("code", "question")]
    names = list(lab.items)
    for item in lab.items.values():
        for place, (expression, _) in enumerate(item.wrong):
            code.append(f"wrong_{item.name}_{place} = {expression}")
            names.append(f"wrong_{item.name}_{place}")
    done = grading.run(code, names, draws, limit=120)
    if done["status"] != "graded" or any(one["faults"] for one in done["draws"]):
        raise RuntimeError(f"lab {lab.number}: the solution fails: {done}")
    values = [one["values"] for one in done["draws"]]
    told: dict[str, Any] = {"lab": lab.number, "seed": seed, "points": lab.points}
    told |= {"written": lab.written, "items": {}}
    for item in lab.items.values():
        wrong = [
            {
                "expression": expression,
                "hint": hint,
                "value": values[0][f"wrong_{item.name}_{place}"],
            }
            for place, (expression, hint) in enumerate(item.wrong)
        ]
        entry: dict[str, Any] = {
            "points": item.points,
            "within": item.within,
            "absolute": item.absolute,
            "right": [one[item.name] for one in values],
            "wrong": wrong,
        }
        # On some data a usual slip happens to give the right answer: then it is no slip there.
        entry["wrong"] = [
            one for one in wrong if not grading.same(one["value"], entry["right"][0], entry)
        ]
        told["items"][item.name] = entry
    (folder / "key.json").write_text(
        json.dumps(told, indent=1, ensure_ascii=False), "utf-8", newline="\n"
    )
    return told


# ---- what `make course` writes -------------------------------------------------------------------
README = """Labs of the course "Taobao Villages: a reproducible reading"

1. Set up, once. You need Python 3.11 or later, and the network for this step only. Open a
   terminal in this folder and type two commands:

       python -m pip install jupyterlab {wheel}
       python -m jupyter lab

   Whoever has the book's folder may type "make lab" there in place of both.
2. Open check_setup.ipynb and run it. It says whether all works.
3. Each folder is one lab: a notebook and its tables. Keep them together. Write your answers
   into the variables that the cells name, run the notebook from top to bottom, and save it.
   The last cell says whether each answer has the right form. Written answers go into the
   cells that begin with "Answer".
4. Hand in the .ipynb file.
"""


def wheel(folder: Path) -> str:
    """Build the package into `folder`, so that students can install it; its file name.

    Raises
    ------
    RuntimeError
        If it cannot be built.
    """
    return build_wheel(pages.ROOT, folder).name


def otter(lab: labs.Lab, told: Mapping[str, Any]) -> dict[str, Any]:
    """A lab as ``otter assign`` reads it, with hidden tests on the data of the class."""
    import nbformat

    new = nbformat.v4
    raw, code, words = new.new_raw_cell, new.new_code_cell, new.new_markdown_cell
    files = "".join(f"\n    - {name}" for name in told["files"])
    cells = [raw(f"# ASSIGNMENT CONFIG\nexport_cell: false\ncheck_all_cell: false\nfiles:{files}")]
    for kind, name, text in lab.cells:
        if kind == "question":
            entry = told["items"][name]
            right = entry["right"][0]
            test = (
                f"abs({name} - {right!r}) <= {entry['within']} * {abs(right)!r} + 1e-6"
                if (not isinstance(right, str))
                else f"str({name}).strip().lower() == {right.lower()!r}"
            )
            prompt = f'""" # BEGIN PROMPT\n{name} = ...\n"""; # END PROMPT'
            solution = f"{prompt}\n# BEGIN SOLUTION NO PROMPT\n{text}\n# END SOLUTION"
            cells += [
                raw(f'# BEGIN QUESTION\nname: "{name}"\npoints: {entry["points"]}'),
                cells.pop(),  # the question's text stands before its solution
                raw("# BEGIN SOLUTION"),
                code(solution),
                raw("# END SOLUTION"),
                raw("# BEGIN TESTS"),
                code(f"# HIDDEN\nassert {test}"),
                raw("# END TESTS"),
                raw("# END QUESTION"),
            ]
        elif kind == "written":
            cells += [
                raw(
                    f'# BEGIN QUESTION\nname: "{name}"\nmanual: true\n'
                    f"points: {3 * len(marks.RUBRIC)}"
                ),
                words(text),
                raw("# BEGIN SOLUTION"),
                words("Graded by the rubric."),
                raw("# END SOLUTION"),
                raw("# END QUESTION"),
            ]
        else:
            cells.append(code(text) if kind == "code" else words(text))
    for place, cell in enumerate(cells):
        cell["id"] = f"otter-{place:02d}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def make(out: Path, seed: int, named: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Write the archives of students and instructors, and check the labs.

    A folder that holds the same course already stays as it is, with what the teacher put beside
    the files; what is missing in it is written.

    Parameters
    ----------
    out : Path
        A new or empty folder, or one with this course.
    seed : int
        Draws the data of the class.
    named : mapping
        Numbers of the ledger, for the quiz.

    Returns
    -------
    list of dict
        What `check` found, one row a lab and version.

    Raises
    ------
    DataError
        If the folder holds anything else, or another course, or if the package stands without
        the repository: nothing is written then.
    """
    refuse_other(out, seed)
    with tempfile.TemporaryDirectory() as work:
        rows = _lay_out(Path(work), seed, named)
        files: dict[Path, str | bytes] = {
            out / path.relative_to(work): path.read_bytes()
            for path in sorted(Path(work).rglob("*"))
            if path.is_file()
        }
    there = [path for path in files if os.path.lexists(path)]
    for path in there:
        if not path.is_file() or path.read_bytes() != files[path]:
            fault = f"a course with another {path.relative_to(out)}, and a class may work with it"
            raise data.DataError([f"{out} holds {fault}. Remedy: {ELSEWHERE}"])
    data.write_whole({path: files[path] for path in files if path not in there})
    return rows


COURSE = ("student", "instructor", "student.zip", "instructor.zip", "check.csv")
ELSEWHERE = "move it away first, or name another folder with --out"


def refuse_other(out: Path, seed: int) -> None:
    """Raise DataError if a folder holds anything but a course, or one of another seed.

    So it does where the package stands without the repository, which has what courses are made of.
    """
    if not (pages.ROOT / "course").is_dir():
        raise data.DataError(
            [
                "labs and notebooks of the course are not in the installed package. Remedy: run "
                "make course in a clone of the repository"
            ]
        )
    marks.refuse_closed(out)
    inside = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    if others := [n for n in inside if n not in COURSE and not n.startswith(".")]:
        fault = f"{others[0]}, which is no part of a course"
        raise data.DataError([f"{out} holds {fault}. Remedy: name a new folder with --out"])
    for path in sorted(out.glob("instructor/lab_*/key.json")):
        with suppress(ValueError, AttributeError):  # a broken key differs from the new one
            old = json.loads(path.read_bytes()).get("seed", seed)
            if old != seed:
                fault = f"the course of the seed {old}, and a class may work with it"
                raise data.DataError([f"{out} holds {fault}. Remedy: {ELSEWHERE}"])


def _lay_out(out: Path, seed: int, named: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`make` in an empty folder."""
    student, teacher = out / "student", out / "instructor"
    (student / "capstone").mkdir(parents=True)
    (student / "README.txt").write_text(README.format(wheel=wheel(student)), "utf-8", newline="\n")
    shutil.copyfile(pages.ROOT / "course/check_setup.ipynb", student / "check_setup.ipynb")
    shutil.copyfile(pages.ROOT / "course/capstone.ipynb", student / "capstone/capstone.ipynb")
    rows = []
    for lab in labs.labs():
        name = f"lab_{lab.number}"
        told = key(lab, teacher / name, seed)
        shutil.copytree(teacher / name / "draw_0", student / name)
        told["files"] = sorted(path.name for path in (student / name).iterdir())
        rights = {item: entry["right"][0] for item, entry in told["items"].items()}
        kinds = {item: "a text" if isinstance(r, str) else "a number" for item, r in rights.items()}
        _write(student / name / f"{name}.ipynb", labs.notebook(lab, "student", kinds=kinds))
        _write(teacher / name / f"{name}_solution.ipynb", labs.notebook(lab, "solution"))
        shutil.copytree(teacher / name / "draw_0", teacher / "otter" / name)
        _write(teacher / "otter" / name / f"{name}.ipynb", otter(lab, told))
        rows += check(lab, teacher / name)
    (teacher / "quiz.gift").write_text(pages.gift(named), "utf-8", newline="\n")
    with (out / "check.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    for folder in (student, teacher):
        _zip(folder)
    return rows


def check(lab: labs.Lab, folder: Path) -> list[dict[str, Any]]:
    """Grade the solution, the untouched notebook and usual slips; one row each."""
    told = json.loads((folder / "key.json").read_text("utf-8"))
    versions: dict[str, Any] = {"solution": labs.notebook(lab, "solution")}
    versions["untouched"] = labs.notebook(lab, "student")
    hints: dict[str, dict[str, str]] = {}
    for place in range(max(len(entry["wrong"]) for entry in told["items"].values())):
        replaced, expected = {}, {}
        for name, entry in told["items"].items():
            if place < len(entry["wrong"]):
                solution = next(text for _, own, text in lab.cells if own == name)
                slip = entry["wrong"][place]
                replaced[name] = f"{solution}\nslip_{name} = {slip['expression']}"
                expected[name] = slip["hint"]
        # Later cells may need what a right answer computes: slips are set at the end.
        wrong = labs.notebook(lab, "solution", replaced)
        last = "\n".join(f"{name} = slip_{name}" for name in replaced)
        wrong["cells"].append(dict(wrong["cells"][-1], cell_type="code", source=last, id="slips"))
        wrong["cells"][-1] |= {"outputs": [], "execution_count": None}
        versions[f"slip {place + 1}"], hints[f"slip {place + 1}"] = wrong, expected
    with tempfile.TemporaryDirectory() as work:
        for name, content in versions.items():
            _write(Path(work) / f"{name}.ipynb", content)
        graded = {row["student"]: row for row in grading.grade(Path(work), folder, limit=240)}
    rows = []
    for name, row in graded.items():
        expected = hints.get(name, {})
        lost = {item for item in told["items"] if row[item] == 0}
        full = {"solution": set(), "untouched": set(told["items"])}.get(name, set(expected))
        fine = lost == full and all(hint in row["hints"].get(i, "") for i, hint in expected.items())
        row_out = {"lab": lab.number, "version": name, "points": row["points"], "of": row["of"]}
        rows.append(row_out | {"slips": len(expected), "as_expected": fine})
    return rows


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8", newline="\n")


def _zip(folder: Path) -> None:
    """A zip beside a folder, the same bytes for the same content."""
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix())
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())

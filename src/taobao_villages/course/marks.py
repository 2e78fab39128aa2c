"""Tables of marks: read as a spreadsheet left them, merged with new ones, written whole."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from taobao_villages import data
from taobao_villages.course import grading

RUBRIC = ("claim", "evidence", "uncertainty", "limits")  # of written answers, 0 to 3 each


def earlier(
    out: Path, items: Iterable[str], written: Collection[str]
) -> tuple[list[list[str]], list[list[str]]]:
    """``grades.csv`` and ``written.csv`` of earlier runs in a folder, as `read_table` gives them.

    Raises
    ------
    DataError
        If one cannot be read, or is another lab's: ``items`` and ``written`` are those of this
        one.
    """
    refuse_closed(out)
    grades = read_table(out / "grades.csv", ["student"])
    answers = read_table(out / "written.csv", ["student", "item", "answer"])
    remedy = "name another folder with --out, or move the file away"
    if lacking := [name for name in items if grades and name not in grades[0]]:
        fault = f"no column {lacking[0]}: it is of another lab, or a column was taken out"
        raise data.DataError([f"{out / 'grades.csv'} has {fault}. Remedy: {remedy}"])
    place = answers[0].index("item") if answers else 0
    seen = {row[place] for row in answers[1:] if "".join(row[place : place + 1])}
    if written and seen and not seen & set(written):
        fault = f"the item {min(seen)}, of another lab"
        raise data.DataError([f"{out / 'written.csv'} has {fault}. Remedy: {remedy}"])
    return grades, answers


def refuse_closed(out: Path) -> None:
    """Raise DataError if a folder is a file, or neither it nor a new one in its place can be
    written: that is better known before minutes of work."""
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not there.is_dir():
        raise data.DataError([f"{there} is a file. Remedy: name a folder with --out"])
    if not os.access(there, os.W_OK):
        remedy = "see its rights, or name another folder with --out"
        raise data.DataError([f"{there} cannot be written. Remedy: {remedy}"])


def read_table(path: Path, needed: Sequence[str]) -> list[list[str]]:
    """A table in which a teacher may have worked: its rows, the header first; none if no file.

    What spreadsheets make of a file is read: a byte order mark, semicolons or tabs for commas,
    other ends of lines, another order of columns, cells without a head.

    Raises
    ------
    DataError
        If it cannot be read as such a table, lacks a column of `needed`, or is open.
    """
    lock = path.with_name(f".~lock.{path.name}#")
    if lock.exists():
        remedy = f"save and close it there (if it is closed, delete {lock})"
        raise data.DataError([f"{path} is open in a spreadsheet. Remedy: {remedy}"])
    if not path.exists():
        return []
    remedy = 'save it in the spreadsheet as "CSV UTF-8", with its first line as it was'
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise data.DataError([f"{path} is not in UTF-8. Remedy: {remedy}"]) from error
    if not text.strip():
        return []
    csv.field_size_limit(2 * grading.FILE)  # an answer may be as long as a submission
    for separator in ",;\t":
        try:
            lines = io.StringIO(text, newline="")
            table = list(csv.reader(lines, delimiter=separator, strict=True))
        except csv.Error:
            continue
        table[0] = [name.strip() for name in table[0]]
        if set(needed) <= set(table[0]):
            if twice := sorted({n for n in table[0] if n and table[0].count(n) > 1}):
                fault = f"two columns {twice[0]}. Remedy: give one of them another name"
                raise data.DataError([f"{path} has {fault}"])
            return table
    fault = f"no table whose first line has {', '.join(needed)}"
    raise data.DataError([f"{path} is {fault}. Remedy: {remedy}"])


def merge(
    old: Sequence[Sequence[str]],
    columns: Sequence[str],
    fresh: Sequence[Mapping[str, str]],
    by: Sequence[str],
) -> tuple[list[list[str]], list[tuple[dict[str, str], Mapping[str, str]]]]:
    """Put the rows of a run into an earlier table; all else in it stays as and where it was.

    Parameters
    ----------
    old : sequence of rows
        As `read_table` gives them.
    columns : sequence of str
        What the table needs; one that it lacks is added behind the last.
    fresh : sequence of mapping
        Column to cell. It goes into every row with the same cells in the columns of `by`, or
        into a new one.

    Returns
    -------
    table : list of rows
    again : list of pairs
        Each row that was there before, as it was, and what went into it.
    """
    table = [list(row) for row in old] or [[]]
    head = table[0]
    if lacking := [name for name in columns if name not in head]:
        head += [""] * (max(map(len, table)) - len(head))  # beside cells without a head
        head += lacking
    places = {name: place for place, name in enumerate(head) if name}
    known: dict[tuple[str, ...], list[list[str]]] = {}
    for row in table[1:]:
        row += [""] * (len(head) - len(row))
        known.setdefault(tuple(row[places[name]] for name in by), []).append(row)
    again = []
    for cells in fresh:
        same_rows = known.get(tuple(cells[name] for name in by), [])
        again += [(dict(zip(head, row, strict=False)), cells) for row in same_rows]
        if not same_rows:
            same_rows = [[""] * len(head)]
            table += same_rows
        for row in same_rows:
            for name, cell in cells.items():
                row[places[name]] = cell
    return table, again


def _cell(value: Any) -> str:
    """A value as a cell that every reader of CSV reads back."""
    text = str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _csv(table: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([_cell(c) for c in row] for row in table)
    return file.getvalue()


def write_grades(rows: Sequence[Mapping[str, Any]], out: Path) -> list[str]:
    """Put grades into ``grades.csv``, ``written.csv`` and a feedback text for each student.

    What stands there from earlier runs stays: students who are not in this run, marks, comments,
    columns and rows of the teacher's own, their order. A student of an earlier run without a file
    in this one keeps the earlier row. All is written, or nothing.

    Returns
    -------
    list of str
        What the teacher should look at, a line each.

    Raises
    ------
    DataError
        As `earlier` does; nothing is written then.
    """
    if not rows:
        return []
    items = [key for key in rows[0] if key not in ROW]
    grades, answers = earlier(out, items, {name for row in rows for name in row["written"]})
    place = grades[0].index("student") if grades else 0
    before = {row[place] for row in grades[1:] if len(row) > place}
    new = [row for row in rows if row["status"] != "no file" or _cell(row["student"]) not in before]
    said = [
        f"{row['student']}: {row['status']}. {row['faults']}"
        for row in new
        if row["status"] != "graded" or row["faults"]
    ]
    columns = ["student", "status", "points", "of", *items, "faults", "hints"]
    fresh = []
    for row in new:
        hints = " | ".join(f"{name}: {hint}" for name, hint in row["hints"].items())
        fresh.append({name: _cell({**row, "hints": hints}[name]) for name in columns})
    grades, again = merge(grades, columns, fresh, ["student"])
    for was, cells in again:
        if was["status"] != "no file" and was["points"].strip() != cells["points"]:
            told = f"{cells['points']} points now, {was['points'] or 'no'} points before"
            said.append(f"{cells['student']}: {told}")

    fresh = [
        dict(zip(ANSWER, map(_cell, (row["student"], name, text or "(no answer)")), strict=True))
        for row in new
        for name, text in row["written"].items()
    ]
    answers, again = merge(answers, [*ANSWER, *RUBRIC], fresh, ANSWER[:2])
    for was, cells in again:
        marked = any(cell.strip() for name, cell in was.items() if name not in ANSWER)
        if marked and was["answer"].split() != cells["answer"].split():
            told = "has changed since it was marked; the marks are kept, look at it again"
            said.append(f"{cells['student']}: the written answer {cells['item']} {told}")

    files: dict[Path, str | bytes] = {}
    files[out / "grades.csv"], files[out / "written.csv"] = _csv(grades), _csv(answers)
    place = grades[0].index("student")
    names = _feedback_names(row[place] for row in grades[1:])
    for row in new:
        lines = [f"{row['student']}: {row['points']} of {row['of']} points ({row['status']})"]
        lines += [f"{name}: {row[name]}. {row['hints'].get(name, 'Right.')}" for name in items]
        lines += [f"Fault: {row['faults']}"] if row["faults"] else []
        name = names[_cell(row["student"])]
        files[out / "feedback" / name] = "\n".join(map(_cell, lines)) + "\n"
    aside, nobodys = _earlier_feedback(out / "feedback", files, set(names.values()))
    data.write_whole(files | aside)
    for path in nobodys:
        path.unlink()
    if aside:
        told = ", ".join(path.name for path in aside)
        said.append(f"earlier feedback lies in {out / 'feedback' / 'earlier'}: {told}")
    if len(new) < len(rows):
        said.append(f"without a file here, with what they had: {len(rows) - len(new)}")
    said.append(f"students in {out / 'grades.csv'}: {len(names)}, of this run {len(new)}")
    return said


def _feedback_names(students: Iterable[str]) -> dict[str, str]:
    """The file of each student's feedback; no two have the same, not on any system."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for student in dict.fromkeys(filter(None, students)):
        name = plain_name = re.sub(r"[^-\w.,@ ]+", "_", student)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain_name}_{number}"
        taken.add(name.casefold())
        names[student] = f"{name}.txt"
    return names


def _earlier_feedback(
    folder: Path, files: Mapping[Path, str | bytes], names: set[str]
) -> tuple[dict[Path, bytes], list[Path]]:
    """Feedback that would be replaced or is nobody's: where its text goes, and nobody's files.

    Texts that do not begin as feedback does are the teacher's own, and stay.
    """
    aside: dict[Path, bytes] = {}
    nobodys = []
    for path in sorted(folder.glob("*.txt")):
        text = path.read_bytes()
        if path in files:
            if text == str(files[path]).encode("utf-8"):
                continue
        elif path.name in names or not re.match(rb".+: \d+ of \d+ points \(", text):
            continue
        else:
            nobodys.append(path)
        place, number = folder / "earlier" / path.name, 1
        while place.exists() and place.read_bytes() != text:
            number += 1
            place = folder / "earlier" / f"{path.stem}_{number}.txt"
        aside[place] = text
    return aside, nobodys


ANSWER = ("student", "item", "answer")
ROW = ("student", "status", "points", "of", "faults", "hints", "written")

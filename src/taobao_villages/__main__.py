"""Command line: ``python -m taobao_villages ledger``, ``multiverse``, ``check``, ``seal``,
``sources WHAT``, ``course`` or ``grade``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from taobao_villages import data

NO_EVIDENCE = {"claims", "sources"}  # read by every claim, for its wording and its sources' names
RUNS = 12  # a longer list of lines is cut


def main(argv: list[str] | None = None) -> int:
    """Run one command; results go to standard output, faults to standard error."""
    parser = argparse.ArgumentParser(prog="taobao_villages", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    ledger = commands.add_parser("ledger", help="print every claim with its computed verdict")
    form = ledger.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a list of objects (the default)")
    form.add_argument("--markdown", action="store_true", help="a table")
    form.add_argument(
        "--diff", metavar="OTHER.json", help="which verdicts differ from those of another ledger"
    )
    ledger.add_argument(
        "--variants", action="store_true", help="run the variants that were not run yet"
    )
    many = commands.add_parser("multiverse", help="run every claim under all its variants")
    many.add_argument("claims", metavar="CLAIM", nargs="*", help="only these, for example C20")
    many.add_argument("--permutations", type=int, default=999, help="random draws (999)")
    many.add_argument("--jobs", type=int, default=-1, help="processes here; -1 is one a core")
    many.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler, tcp://HOST:PORT")
    commands.add_parser("check", help="validate every table of the data package")
    commands.add_parser("seal", help="check, then bind the version to the files as they are")
    way = commands.add_parser("sources", help="print the way from a number to its sources")
    way.add_argument(
        "what",
        metavar="WHAT",
        help="a claim (C19), a table (villages/national), a line of its file "
        "(villages/national:12) or a source (li2017)",
    )
    lessons = commands.add_parser(
        "course",
        help="write labs, keys and quiz of the course",
        description="Write labs, keys and quiz of the course. Nothing is ever replaced: a folder "
        "that holds anything else, or a course with other keys, is refused.",
    )
    lessons.add_argument("--seed", type=int, required=True, help="draws the data of the class")
    lessons.add_argument(
        "--out",
        type=Path,
        default=Path("_build/course"),
        metavar="FOLDER",
        help="new, empty, or with this same course (_build/course)",
    )
    grading = commands.add_parser(
        "grade",
        help="grade a folder of submissions to a lab",
        description="Grade a folder of submissions to a lab. Run again, it adds to its tables: "
        "students who are not in FOLDER, marks, comments and columns of yours stay.",
    )
    grading.add_argument("submissions", type=Path, metavar="FOLDER", help="one file a student")
    grading.add_argument("--key", type=Path, required=True, help="the lab's folder with its key")
    grading.add_argument("--roster", type=Path, help="CSV with a column student")
    grading.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where the tables of this lab are or will be (grades/lab_4 for lab 4, and so on)",
    )
    grading.add_argument("--limit", type=float, default=60, help="seconds of the processor (60)")
    arguments = parser.parse_args(argv)

    try:
        if arguments.command == "course":
            return _course(arguments)
        if arguments.command == "grade":
            return _grade(arguments)
        if arguments.command == "ledger":
            from taobao_villages import claims, multiverse  # chapters are slow to import

            rows = multiverse.ledger(only=not arguments.variants)
            if arguments.diff:
                other = json.loads(Path(arguments.diff).read_text("utf-8"))
                print("\n".join(multiverse.moved(other, rows)) or "no verdict moved")
            else:
                print(claims.as_markdown(rows) if arguments.markdown else claims.as_json(rows))
            return 0
        if arguments.command == "multiverse":
            return _multiverse(arguments)
        if arguments.command == "seal":
            print("\n".join(data.seal()) or "nothing had changed")
            return 0
        if arguments.command == "sources":
            print("\n".join(trace(arguments.what)))
            return 0
        faults = data.check()
    except data.DataError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a folder without the right to write
        if error.filename is None:
            raise
        remedy = "see the space on the disk and the rights of that file"
        print(f"{error.filename}: {error.strerror}. Remedy: {remedy}", file=sys.stderr)
        return 1
    for fault in faults:
        print(fault)
    if not faults:
        print(f"{len(data.tables())} tables checked, version {data.version()}: no fault")
    return 1 if faults else 0


def _multiverse(arguments: argparse.Namespace) -> int:
    """Run variants and print what they say, a line a claim."""
    from taobao_villages import claims, multiverse  # chapters are slow to import

    declared = {claim.id: claim for claim in claims.declared()}
    if unknown := sorted(set(arguments.claims) - set(declared)):
        remedy = f"use one of {', '.join(declared)}"
        raise data.DataError([f"no claim {', '.join(unknown)} with a verdict. Remedy: {remedy}"])
    results = multiverse.run(
        [declared[name] for name in arguments.claims] or None,
        permutations=arguments.permutations,
        jobs=arguments.jobs,
        dask=arguments.dask,
        progress=sys.stderr.isatty(),
    )
    for claim_id, entry in multiverse.summary(results).items():
        print(f"{claim_id}: {entry['default']}. {entry['sentence']}")
    return 0


def _course(arguments: argparse.Namespace) -> int:
    """Write the course's archives; a lab that fails its check is a fault."""
    from taobao_villages import after_2017, book, claims, course, multiverse

    course.refuse_other(arguments.out, arguments.seed)  # before minutes of work
    rows = [
        *multiverse.ledger(claims.ledger()),
        *(f.judge().as_dict() for f in after_2017.FORECASTS),
    ]
    found = course.make(arguments.out, arguments.seed, book.numbers(rows))
    for row in found:
        state = "ok" if row["as_expected"] else "NOT AS EXPECTED"
        print(f"lab {row['lab']}, {row['version']}: {row['points']} of {row['of']}, {state}")
    print(f"written to {arguments.out}: student.zip, instructor.zip, check.csv")
    return 0 if all(row["as_expected"] for row in found) else 1


def _grade(arguments: argparse.Namespace) -> int:
    """Grade a folder; every submission that did not simply run is named."""
    from taobao_villages import course

    if not arguments.submissions.is_dir():
        raise data.DataError([f"{arguments.submissions}: no such folder. Remedy: name a folder"])
    if not (arguments.key / "key.json").is_file():
        remedy = "run make course SEED=..., then name its folder _build/course/instructor/lab_4"
        raise data.DataError([f"{arguments.key} has no key.json. Remedy: {remedy}"])
    roster = None
    if arguments.roster:
        table = pd.read_csv(arguments.roster, dtype=str)
        if "student" not in table:
            remedy = "write student into its first line"
            raise data.DataError([f"{arguments.roster}: no column student. Remedy: {remedy}"])
        roster = table["student"].dropna().str.strip().tolist()
    key = json.loads((arguments.key / "key.json").read_text("utf-8"))
    out = arguments.out or Path("grades") / f"lab_{key['lab']}"
    course.earlier(out, key["items"], key["written"])  # refused before minutes of grading
    begun = time.monotonic()
    rows = course.grade(arguments.submissions, arguments.key, roster=roster, limit=arguments.limit)
    if not rows:
        remedy = "put one notebook a student into it"
        raise data.DataError([f"{arguments.submissions} holds no submission. Remedy: {remedy}"])
    print("\n".join(course.write_grades(rows, out)))
    told = f"{time.monotonic() - begun:.0f} s"
    with suppress(ImportError):  # no such numbers outside Unix
        import resource

        unit = 2**20 if sys.platform == "darwin" else 2**10
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit
        told += f"; the largest submission took {peak:.0f} MB of memory"
    print(told)
    return 0


def trace(what: str) -> list[str]:
    """The way from a claim, a table, a row or a source to the sources, a line each.

    Raises
    ------
    DataError
        If there is nothing of that name.
    """
    table, _, line = what.partition(":")
    if re.fullmatch("C[0-9]{2}", what):
        return _claim(what)
    if table in data.tables():
        return _row(table, line) if line else _table(table)
    if what in data.sources().index:
        used = ", ".join(data.used_by().get(what, []))
        return [*_source(what), f"  used in {used}"]
    remedy = "use a claim (C19), a table, a table with a line (villages/national:12) or a source id"
    raise data.DataError([f"there is no claim, table or source {what!r}. Remedy: {remedy}"])


def _source(source: str) -> list[str]:
    row = data.sources([source]).iloc[0]
    date = row["date"] or "no date"
    lines = [
        f"{source}: {row['title']}",
        f"  {row['publisher']}, {date}; {row['kind']}, reliability {row['reliability']}",
    ]
    if row["address"]:
        lines.append(f"  {row['address']}")
    if row["address_read"] and row["address_read"] != row["address"]:
        lines.append(f"  read at {row['address_read']}")
    return lines


def _ids(cells: Iterable[str]) -> list[str]:
    return sorted({part for cell in cells for part in cell.split(";")})


def _claim(claim_id: str) -> list[str]:
    from taobao_villages import claims  # chapters are slow to import

    table = data.load("claims").set_index("claim_id")
    if claim_id not in table.index:
        raise data.DataError([f"there is no claim {claim_id}. Remedy: see data/claims.csv"])
    declared = {claim.id: claim for claim in claims.declared()}
    if claim_id not in declared:
        named = [n for n in data.tables() if claim_id in data.schema(n).get("used_for", [])]
        return [
            f"{claim_id}, in our words: {table.loc[claim_id, 'paraphrase']}",
            "  no chapter computes it yet",
            f"  tables meant for it: {', '.join(named) or 'none'}",
        ]
    with data.reads() as read:
        entry = declared[claim_id].judge().as_dict()
    lines = [f"{claim_id}, in our words: {entry['statement']}"]
    lines += [f"  {term}: {text}" for term, text in claims.panel_lines(entry)[1:]]
    for name in sorted(read - NO_EVIDENCE):
        lines += [_lines_read(name, set(entry["sources"])), *_lines_chosen(name, claim_id)]
    used = data.used_by()
    for source in entry["sources"]:
        lines += [*_source(source), f"  used in {', '.join(used.get(source, []))}"]
    return lines


def _lines_read(table: str, sources: set[str]) -> str:
    """A table that a claim read, with the lines of its file that rest on the claim's sources."""
    rows = data.load(table)
    lines = [n for n, ids in enumerate(data.cited(table), start=2) if ids & sources]
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    told = [str(a) if a == b else f"{a}-{b}" for a, b in runs]
    if len(told) > RUNS:
        told = [*told[:RUNS], f"and {sum(b - a + 1 for a, b in runs[RUNS:])} more"]
    where = f": lines {', '.join(told)}" if told else ""
    return f"  reads {table}, {len(lines)} of {len(rows)} rows from the sources below{where}"


def _lines_chosen(table: str, claim_id: str) -> list[str]:
    """The lines of a table that bear on a claim in a role of their own, by role."""
    lines = []
    for role, meaning in data.roles(table).items():
        if role.startswith(f"{claim_id}:"):
            rows = [str(index + 2) for index in data.bearing(table, role).index]
            lines.append(f"    {role} ({meaning}): lines {', '.join(rows) or 'none'}")
    return lines


def _table(table: str) -> list[str]:
    from taobao_villages import claims

    about = data.schema(table)
    rows = data.load(table)
    lines = [
        f"{table}: {about['title']}",
        f"  {claims.counted(len(rows), 'row')} in data/{about['path']}",
    ]
    if about.get("used_for"):
        lines.append(f"  meant for {', '.join(about['used_for'])}")
    lines += [f"  gap: {gap}" for gap in about.get("gaps", [])]
    if table == "sources":
        return lines
    citing = rows["source_id"].str.split(";").explode().value_counts()
    for source in _ids(rows["source_id"]):
        lines += [*_source(source), f"  {claims.counted(citing[source], 'row')}"]
    return lines


def _row(table: str, line: str) -> list[str]:
    rows = data.load(table)
    if not line.isdecimal() or not 2 <= int(line) <= len(rows) + 1:
        remedy = f"use 2 to {len(rows) + 1}; line 1 is the header"
        raise data.DataError([f"{table} has no row in line {line!r}. Remedy: {remedy}"])
    row = rows.iloc[int(line) - 2]
    lines = [f"{table}, line {line}"]
    lines += [f"  {name}: {value}" for name, value in row.items() if not pd.isna(value)]
    if table == "sources":
        return lines
    if "figure" in data.schema(table):
        number = data.support(table).iloc[int(line) - 2]
        one = "one source only" if number == 1 else f"{number} sources"
        lines.append(f"  the figure rests on {one} in this table")
    for source in _ids([row["source_id"]]):
        lines += _source(source)
    return lines


if __name__ == "__main__":
    sys.exit(main())

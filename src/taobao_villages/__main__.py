"""Command line: ``python -m taobao_villages ledger``, ``multiverse``, ``check``, ``seal``,
``sources WHAT``, ``course`` or ``grade``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd

from taobao_villages import data, elsewhere, trail
from taobao_villages.verdicts.claims import ClaimError


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
        if told := elsewhere(Path.cwd()):
            raise data.DataError([told])
        if arguments.command == "course":
            return _course(arguments)
        if arguments.command == "grade":
            return _grade(arguments)
        if arguments.command == "ledger":
            from taobao_villages.verdicts import (
                kept,  # chapters are slow to import
            )
            from taobao_villages.verdicts import ledger as registry

            rows = kept.ledger(only=not arguments.variants)
            if arguments.diff:
                other = json.loads(Path(arguments.diff).read_text("utf-8"))
                print("\n".join(kept.moved(other, rows)) or "no verdict moved")
            else:
                print(registry.as_markdown(rows) if arguments.markdown else registry.as_json(rows))
            return 0
        if arguments.command == "multiverse":
            return _multiverse(arguments)
        if arguments.command == "seal":
            print("\n".join(data.seal()) or "nothing had changed")
            return 0
        if arguments.command == "sources":
            print("\n".join(trail.trace(arguments.what)))
            return 0
        faults = data.check()
    except data.DataError as error:
        print(error, file=sys.stderr)
        return 1
    except ClaimError as error:
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
    from taobao_villages.verdicts import ledger as registry
    from taobao_villages.verdicts import multiverse  # chapters are slow to import

    declared = {claim.id: claim for claim in registry.declared()}
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
    from taobao_villages.course import archives

    archives.refuse_other(arguments.out, arguments.seed)  # before minutes of work

    from taobao_villages.book import build  # needs what builds the book
    from taobao_villages.chapters import after_2017
    from taobao_villages.verdicts import kept
    from taobao_villages.verdicts import ledger as registry

    rows = [
        *kept.ledger(registry.ledger()),
        *(f.judge().as_dict() for f in after_2017.FORECASTS),
    ]
    found = archives.make(arguments.out, arguments.seed, build.numbers(rows))
    for row in found:
        state = "ok" if row["as_expected"] else "NOT AS EXPECTED"
        print(f"lab {row['lab']}, {row['version']}: {row['points']} of {row['of']}, {state}")
    print(f"written to {arguments.out}: student.zip, instructor.zip, check.csv")
    return 0 if all(row["as_expected"] for row in found) else 1


def _grade(arguments: argparse.Namespace) -> int:
    """Grade a folder; every submission that did not simply run is named."""
    from taobao_villages.course import grading, marks

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
    marks.earlier(out, key["items"], key["written"])  # refused before minutes of grading
    begun = time.monotonic()
    rows = grading.grade(arguments.submissions, arguments.key, roster=roster, limit=arguments.limit)
    if not rows:
        remedy = "put one notebook a student into it"
        raise data.DataError([f"{arguments.submissions} holds no submission. Remedy: {remedy}"])
    print("\n".join(marks.write_grades(rows, out)))
    told = f"{time.monotonic() - begun:.0f} s"
    with suppress(ImportError):  # no such numbers outside Unix
        import resource

        unit = 2**20 if sys.platform == "darwin" else 2**10
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit
        told += f"; the largest submission took {peak:.0f} MB of memory"
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())

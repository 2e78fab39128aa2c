"""Is a page stale after a change? A rebuild is compared with a build from nothing, file by file.

    make audit-deep                     each kind of change, one after the other
    python -m audits.rebuilds value     some of them alone

All of it happens in a copy of the repository. Prints one line for each file that differs; exit
status 1 if any.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import nbformat

from audits.two_clones import differences
from timings import build as timed
from timings.timing import copy

PACKAGE = Path("src") / "taobao_villages"


def replace(folder: Path, path: Path | str, old: str, new: str) -> None:
    """Replace what `old` matches first in a file of the copy.

    Raises
    ------
    SystemExit
        If nothing does: nothing changed is not the same as nothing stale.
    """
    text, times = re.subn(old, new, (folder / path).read_text("utf-8"), count=1)
    if not times:
        sys.exit(
            f"{path} has nothing like {old!r}. Remedy: name another text in audits/rebuilds.py"
        )
    (folder / path).write_text(text, "utf-8")


CHANGES: dict[str, Callable[[Path], None]] = {
    name: partial(change, turn=1)
    for name, change in zip(
        ("nothing", "word", "cell", "value", "module"), timed.CHANGES.values(), strict=True
    )
}
# What shows on other pages than the one that a file is for.
ELSEWHERE = {
    "statement": ("data/claims.csv", "E-commerce has grown", "Trade has grown"),
    "source": ("data/sources.csv", "(?m)^(e_f1copy,reprint,[^,]*)", r"\1 anew"),
    "rule": (PACKAGE / "chapters" / "market.py", "is read as twice", "is taken as twice"),
    "subject": (PACKAGE / "subjects" / "retail.py", '"iRes."', '"iRs."'),
    "card": (PACKAGE / "verdicts" / "card.py", "In our words, the article says", "In our words"),
    "colour": (PACKAGE / "figures" / "style.py", "#b5460f", "#b5461f"),
    "extension": (PACKAGE / "book" / "cards.py", "Download the data", "Get the data"),
    "style": ("book/_assets/static/book.css", "max-height: 30rem", "max-height: 31rem"),
    "session": ("book/course/sessions.yml", "title: ", "title: Anew, "),
}
# What a cell of one notebook looks at in the copy: see `prepare`.
LOOKS = """
import os, sqlite3, subprocess
from pathlib import Path
beside = Path("../beside")
print(beside.joinpath("text").read_text(), os.environ.get("TAOBAO_TRIAL"), os.listdir(beside))
print(sqlite3.connect(beside / "base").execute("select * from t").fetchall())
print(subprocess.run(["cat", str(beside / "piped")], capture_output=True, text=True).stdout)
"""


def prepare(folder: Path) -> None:
    """Let the copy's notebook on the market look at other things than the book's."""
    beside = folder / "beside"
    beside.mkdir()
    for name in ("text", "piped"):
        (beside / name).write_text("first\n")
    query(folder, "create table t (name)")
    path = folder / "book" / "market.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(LOOKS, id="looks"))
    nbformat.write(notebook, path)


def query(folder: Path, told: str) -> None:
    """Change the data base of the copy."""
    with closing(sqlite3.connect(folder / "beside" / "base")) as base, base:
        base.execute(told)


def variable(folder: Path) -> None:
    """A variable of the environment, in which the next builds run."""
    os.environ["TAOBAO_TRIAL"] = "second"


CHANGES |= {
    "file": partial(replace, path="beside/text", old="first", new="second"),
    "listing": lambda folder: (folder / "beside" / "another").touch(),
    "base": partial(query, told="insert into t values ('second')"),
    "program": partial(replace, path="beside/piped", old="first", new="second"),
    "variable": variable,
}
CHANGES |= {
    name: partial(replace, path=path, old=old, new=new)
    for name, (path, old, new) in ELSEWHERE.items()
}


def stale(folder: Path, fresh: Path) -> list[str]:
    """What differs between the pages of a copy and those that its files give from nothing."""
    shutil.copytree(folder, fresh, ignore=shutil.ignore_patterns("_build", ".cache"))
    timed.build(fresh)
    lines = differences(fresh / "_build" / "html", folder / "_build" / "html")
    shutil.rmtree(fresh)
    return lines


def main() -> None:
    """Change, rebuild, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("changes", nargs="*", help=f"of {', '.join(CHANGES)}; all if none is named")
    asked = parser.parse_args().changes or list(CHANGES)
    if unknown := [name for name in asked if name not in CHANGES]:
        parser.error(f"no change is called {unknown[0]!r}")
    found = 0
    with tempfile.TemporaryDirectory(prefix="rebuilds-") as place:
        folder = copy(Path(place) / "book")
        prepare(folder)
        timed.build(folder)
        for name in asked:
            CHANGES[name](folder)
            taken = timed.build(folder).seconds
            lines = stale(folder, Path(place) / "fresh")
            found += len(lines)
            print(
                f"{name}: rebuilt in {taken:.0f} s, stale: {len(lines)}",
                *lines,
                sep="\n",
                flush=True,
            )
    sys.exit(found > 0)


if __name__ == "__main__":
    main()

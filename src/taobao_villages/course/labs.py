"""Labs: read from their sources, and written as notebooks for students or with solutions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taobao_villages.course import pages


@dataclass
class Item:
    """One graded item: its name, points, and the answers that students typically give wrong."""

    name: str
    points: int
    within: float = 0.002  # relative; absolute where a lab says so with "+"
    absolute: float = 1e-6
    wrong: list[tuple[str, str]] = field(default_factory=list)  # expression, hint


@dataclass
class Lab:
    """A lab as its source has it."""

    number: int
    cells: list[
        tuple[str, str, str]
    ]  # kind ("markdown", "code", "question", "written"), name, text
    draw: str
    items: dict[str, Item]

    @property
    def points(self) -> int:
        return sum(item.points for item in self.items.values())

    @property
    def written(self) -> list[str]:
        return [name for kind, name, _ in self.cells if kind == "written"]


def labs() -> list[Lab]:
    """All labs of ``course/labs``."""
    return [read_lab(path) for path in sorted((pages.ROOT / "course/labs").glob("lab_*.py"))]


def read_lab(path: Path) -> Lab:
    """Read the source of a lab.

    It has cells that begin with ``# %%`` and a kind: ``[markdown]``; none, for given code;
    ``draw``, the function that draws the data (teachers only); ``question NAME POINTS``, a
    solution, with an absolute tolerance as fourth word if needed; ``wrong NAME``, one line for
    each typical wrong answer, ``expression  # hint``; ``written NAME``, a question for a text.
    """
    lab = Lab(int(path.stem.rsplit("_", 1)[1]), [], "", {})
    for block in re.split(r"^# %% ?", path.read_text("utf-8"), flags=re.M)[1:]:
        head, _, body = block.partition("\n")
        kind, *words = head.split() or ["code"]
        body = body.strip()
        if kind == "draw":
            lab.draw = body
        elif kind == "wrong":
            for line in body.splitlines():
                expression, comment, hint = line.partition("  # ")
                if not comment:
                    raise ValueError(
                        f"{path.name}, wrong {words[0]}: {line!r} has no hint. Write one line for "
                        "each wrong answer: the expression, two spaces, # and the hint"
                    )
                lab.items[words[0]].wrong.append((expression.strip(), hint.strip()))
        elif kind in ("[markdown]", "written"):
            text = re.sub(r"^# ?", "", body, flags=re.M)
            lab.cells.append((kind.strip("[]"), words[0] if words else "", text))
        elif kind == "question":
            item = lab.items[words[0]] = Item(words[0], int(words[1]))
            if len(words) > 2:
                item.absolute = float(words[2])
            lab.cells.append(("question", item.name, body))
        elif kind == "code":
            lab.cells.append(("code", "", body))
        else:
            raise ValueError(f"{path.name}: {kind!r} is no kind of cell")
    return lab


def answer_mark(name: str) -> str:
    """What a cell with a written answer begins with."""
    return f"**Answer {name}:**"


FORM = """\
# Checks the form of your answers, not whether they are right.
from numbers import Number

for name, kind in {kinds!r}.items():
    answer = globals().get(name, ...)
    fits = isinstance(answer, Number if kind == "a number" else str)
    print(name, "has the right form" if fits else "is not answered: " + kind + " is asked for")"""


def notebook(
    lab: Lab,
    version: str,
    replaced: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A lab as a notebook.

    Parameters
    ----------
    lab : Lab
    version : {"student", "solution"}
    replaced : mapping of str to str, optional
        Code of an item's cell in place of its solution.
    kinds : mapping of str to str, optional
        "a number" or "a text" for each item, for a last cell that checks the form.
    """
    import nbformat

    new, cells = nbformat.v4, []
    for kind, name, text in lab.cells:
        if kind == "code":
            cells.append(new.new_code_cell(text))
        elif kind == "question":
            code = (replaced or {}).get(name, text)
            cells.append(new.new_code_cell(code if version == "solution" else f"{name} = ..."))
        else:
            cells.append(new.new_markdown_cell(text))
            if kind == "written":
                cells.append(new.new_markdown_cell(f"{answer_mark(name)} write here."))
    if kinds:
        cells.append(new.new_code_cell(FORM.format(kinds=kinds)))
    for place, cell in enumerate(cells):
        cell["id"] = f"lab{lab.number}-{place:02d}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new.new_notebook(cells=cells, metadata={"kernelspec": kernel})

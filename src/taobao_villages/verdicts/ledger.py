"""The ledger: the registry of the chapters, and every claim with its verdict.

This is the one place below the chapters that knows them: it imports each by its section's name.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from typing import Any

from taobao_villages import data, inputs
from taobao_villages.verdicts import card
from taobao_villages.verdicts.claims import Claim, ClaimError

_AT_IMPORT: set[str] = set()  # what chapters looked at when they were imported, see `inputs`


def sections() -> list[str]:
    """Names of the article's sections, in the order of the claims table."""
    return list(dict.fromkeys(data.load("claims")["section"]))


def declared() -> list[Claim]:
    """Every claim that a chapter's module declares, in the order of their ids."""
    found: dict[str, Claim] = {}
    for section in sections():
        name = f"taobao_villages.chapters.{section}"
        if importlib.util.find_spec(name) is None:
            raise ClaimError(
                f"claims.csv has the section {section}, which no chapter is named after. Remedy: "
                f"write src/taobao_villages/chapters/{section}.py, or mend the name"
            )
        with inputs.watched() as notes:
            chapter = importlib.import_module(name)
        _AT_IMPORT.update(notes)
        inputs.note(_AT_IMPORT)
        for item in vars(chapter).values():
            if isinstance(item, Claim):
                found[item.id] = item
    return [found[key] for key in sorted(found)]


def ledger() -> list[dict[str, Any]]:
    """One entry a declared claim, under the choices that the chapters take as their default."""
    state = data.state()
    return [claim.judge().as_dict() | {"data_version": state} for claim in declared()]


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """A ledger as JSON text (a list of objects)."""
    return json.dumps(list(rows), ensure_ascii=False, indent=1, allow_nan=False)


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """A ledger as a Markdown table."""
    lines = ["| id | claim, in our words | value | interval | verdict |", "|---|---|---|---|---|"]
    for row in rows:
        cells = (
            row["id"],
            row["statement"],
            card.with_unit(row["value"], row["unit"]),
            card.interval_text(row),
            row["verdict"],
        )
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)

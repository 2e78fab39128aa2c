"""No number of the ledger moves unseen: each claim's entry against the one that was last accepted.

``tests/ledger.json`` holds what each claim said when a person last looked. If a number moves on
purpose, write the file anew, look at its diff, and put it into the same commit:

    .venv/bin/python tests/test_ledger.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taobao_villages import claims

ACCEPTED = Path(__file__).with_name("ledger.json")
NOT_COMPARED = {"data_version", "argument", "rule_changes"}


def entries(section: str | None = None) -> dict[str, dict[str, Any]]:
    """The ledger's entries as they are now, by claim, of one section or of all."""
    chosen = [claim for claim in claims.declared() if section in (None, claim.section)]
    rows = json.loads(claims.as_json([claim.judge().as_dict() for claim in chosen]))
    return {row.pop("id"): {k: v for k, v in row.items() if k not in NOT_COMPARED} for row in rows}


def same(one: Any, other: Any) -> bool:
    """Equal, or equal to the last digits that another processor may round elsewhere."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=1e-6)
    return one == other


@pytest.mark.parametrize("section", claims.sections())
def test_no_number_moved_unseen(section):
    known = json.loads(ACCEPTED.read_text("utf-8"))
    now = entries(section)
    accepted = {name: row for name, row in known.items() if row["section"] == section}
    assert now.keys() == accepted.keys()
    moved = [
        f"{name}, {key}: {accepted[name].get(key)!r} became {row.get(key)!r}"
        for name, row in now.items()
        for key in sorted(row.keys() | accepted[name].keys())
        if not same(row.get(key), accepted[name].get(key))
    ]
    assert moved == [], "if that is meant: .venv/bin/python tests/test_ledger.py\n" + "\n".join(
        moved
    )


def test_a_number_that_moved_is_seen():
    assert same({"a": [1, 2.0000000001]}, {"a": [1, 2.0]})
    assert not same({"a": [1, 2.001]}, {"a": [1, 2.0]})
    assert not same({"a": 1}, {"b": 1})
    assert not same([1], [1, 2])


if __name__ == "__main__":
    text = json.dumps(entries(), ensure_ascii=False, indent=1)
    ACCEPTED.write_text(text + "\n", "utf-8")

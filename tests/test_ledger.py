"""No number of the ledger moves unseen: each claim's entry against the one that was last accepted.

``tests/ledger.json`` holds what each claim said when a person last looked, and
``tests/variants.json`` what its variants said: for all of them and for each value of a choice, how
many there are, their verdicts, and the lowest, the highest and the sum of value, low and high end.
If a number moves on purpose, write both anew, look at the diff, and put it into the same commit:

    .venv/bin/python tests/test_ledger.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from taobao_villages.verdicts import kept, ledger, multiverse
from taobao_villages.verdicts.claims import Claim

ACCEPTED = Path(__file__).with_name("ledger.json")
VARIANTS = Path(__file__).with_name("variants.json")
WRITE = "if that is meant: .venv/bin/python tests/test_ledger.py\n"
NOT_COMPARED = {"data_version", "argument", "rule_changes"}


def entries(section: str | None = None) -> dict[str, dict[str, Any]]:
    """The ledger's entries as they are now, by claim, of one section or of all."""
    chosen = [claim for claim in ledger.declared() if section in (None, claim.section)]
    rows = json.loads(ledger.as_json([claim.judge().as_dict() for claim in chosen]))
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


@pytest.mark.parametrize("section", ledger.sections())
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
    assert moved == [], WRITE + "\n".join(moved)


def summed(results: pd.DataFrame) -> dict[str, Any]:
    """What some variants of a claim say, in one line."""
    told: dict[str, Any] = {
        "variants": len(results),
        "different": len(results[multiverse.OUTCOME].astype(object).drop_duplicates()),
        "verdicts": results["verdict"].value_counts().sort_index().to_dict(),
    }
    for name in ("value", "low", "high"):
        numbers = results[name].dropna().astype(float)
        if len(numbers):
            ends = numbers.min(), numbers.max(), numbers.sum()
            told[name] = [round(float(number), 6) for number in ends]
    return told


def variants(claim: Claim, results: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """What a claim's variants say: all of them, and those with each value of a choice."""
    own = results[results["claim_id"] == claim.id]
    lines = {"all": summed(own)}
    for name, values in claim.variants.items():
        for value in values:
            kept_as = json.loads(json.dumps(value))
            taken = own["choices"].map(lambda made, n=name, v=kept_as: made[n] == v)
            lines[f"{name}: {value}"] = summed(own[taken])
    return lines


@pytest.fixture(scope="module")
def results():
    """All variants, as the build of the book has kept them."""
    return kept.kept()


@pytest.mark.parametrize(
    "claim", ledger.declared(), ids=lambda claim: f"{claim.section}-{claim.id}"
)
def test_no_variant_moved_unseen(claim, results):
    now = variants(claim, results)
    accepted = json.loads(VARIANTS.read_text("utf-8")).get(claim.id, {})
    moved = [
        f"{claim.id}, {line}: {accepted.get(line)} became {now.get(line)}"
        for line in now | accepted
        if not same(now.get(line), accepted.get(line))
    ]
    assert moved == [], WRITE + "\n".join(moved)


def test_variants_are_accepted_of_declared_claims_only():
    assert list(json.loads(VARIANTS.read_text("utf-8"))) == [c.id for c in ledger.declared()]


def test_a_number_that_moved_is_seen():
    assert same({"a": [1, 2.0000000001]}, {"a": [1, 2.0]})
    assert not same({"a": [1, 2.001]}, {"a": [1, 2.0]})
    assert not same({"a": 1}, {"b": 1})
    assert not same([1], [1, 2])


if __name__ == "__main__":
    text = json.dumps(entries(), ensure_ascii=False, indent=1)
    ACCEPTED.write_text(text + "\n", "utf-8")
    blocks, found = [], kept.kept()
    for one in ledger.declared():
        told = [
            f"  {json.dumps(line, ensure_ascii=False)}: {json.dumps(summary)}"
            for line, summary in variants(one, found).items()
        ]
        blocks.append(f' "{one.id}": {{\n' + ",\n".join(told) + "\n }")
    VARIANTS.write_text("{\n" + ",\n".join(blocks) + "\n}\n", "utf-8")

"""Meaning stands in columns: other words move no verdict, and no row is picked by id in code."""

import ast
import json
import re
from pathlib import Path

from test_ledger import same

from taobao_villages import data
from taobao_villages.chapters import after_2017
from taobao_villages.verdicts import ledger

ACCEPTED = Path(__file__).with_name("ledger.json")
# Free text, by its columns: for people, not for code.
TEXTS = {
    *("note", "paraphrase", "reason", "statement", "title", "title_en", "title_zh"),
    *("village_town", "founder_story", "region", "issuer", "beneficiary"),
}
# Choices that once hung on words of a text.
CHOICES = {"doubtful", "general_policy", "which", "work_of_individuals", "youth_league"}
# Columns with an id for each row, or for the rows of one event.
IDS = (
    *(("market/evidence", "evidence_id"), ("policy/events", "event_id")),
    *(("policy/events", "event_key"), ("literature/works", "work_key")),
    ("literature/statements", "statement_id"),
)


def reworded():
    """Every table with free text, with other words in it."""
    frames = {}
    for name in data.tables():
        table = data.load(name)
        if columns := sorted(TEXTS & set(table.columns)):
            other = [f"Other words, {number}." for number in range(len(table))]
            for column in columns:
                table[column] = table[column].where(table[column].isna(), other)
            frames[name] = table
    return frames


def said(verdict):
    """What must not move: details and reasons may hold a name."""
    evidence = verdict.evidence
    return verdict.verdict, evidence.value, evidence.interval, evidence.n, list(evidence.sources)


def other_choices():
    """What each claim says if a choice that once hung on words is made otherwise."""
    return {
        (claim.id, name): said(claim.judge(**{name: value}))
        for claim in ledger.declared()
        for name in CHOICES & set(claim.variants)
        for value in claim.variants[name][1:]
    }


def test_other_words_move_no_verdict_and_no_value():
    accepted = json.loads(ACCEPTED.read_text("utf-8"))
    forecasts = {f.key: said(f.judge()) for f in after_2017.FORECASTS}
    before = other_choices()
    frames = reworded()
    assert {"cases/case_codes", "market/evidence", "policy/events", "literature/works"} <= {*frames}
    with data.replaced(frames):
        for claim in ledger.declared():
            row = json.loads(ledger.as_json([claim.judge().as_dict()]))[0]
            for key in ("verdict", "value", "interval", "n", "sources"):
                assert same(row[key], accepted[claim.id][key]), (claim.id, key)
        assert {f.key: said(f.judge()) for f in after_2017.FORECASTS} == forecasts
        assert other_choices() == before


def test_no_row_is_picked_by_its_id_in_code(root):
    ids = set().union(*(data.load(table)[column] for table, column in IDS))
    ids -= set(data.sources().index)  # a source is a choice, and some works are named as theirs
    assert {"ev006", "ev_cyl2016", "c46_01", "couture2021"} <= ids
    strings = [
        (path.name, node.value)
        for path in sorted((root / "src").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for path in sorted((root / "book").rglob("*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            text = "".join(cell["source"])
            text = re.sub(r"\{cite\S*\}`[^`]*`", "", text)  # a citation names a work
            strings.append((path.name, text))
    found = [(name, word) for name, text in strings for word in re.findall(r"\w+", text)]
    assert [pair for pair in found if pair[1] in ids] == []

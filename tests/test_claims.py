"""Claims, evidence, rules and the ledger."""

import html
import json
import subprocess
import sys

import numpy as np
import pytest

from taobao_villages import data
from taobao_villages.verdicts import card, kept, ledger, scorecard
from taobao_villages.verdicts.claims import VERDICTS, Claim, ClaimError, Evidence, Rule

ALWAYS = Rule("Always.", lambda evidence: ("reproduced", "Because."))


def evidence(**changes):
    return Evidence(**({"value": 1, "unit": "x", "sources": ["li2017"]} | changes))


def test_a_value_needs_a_source():
    with pytest.raises(ClaimError, match="source_id"):
        evidence(sources=[])


def test_an_unknown_source_is_named():
    with pytest.raises(ClaimError, match="nobody2020"):
        evidence(sources=["nobody2020"])


def test_an_interval_says_what_its_ends_are():
    with pytest.raises(ClaimError, match="interval_kind"):
        evidence(interval=(0, 1))


@pytest.mark.parametrize(
    ("given", "unit"),
    [
        ({}, ""),
        ({"interval": (0, 1), "interval_kind": "range"}, "cases"),
        ({"interval": (0, 1), "interval_kind": "share in percent if all had one"}, "%"),
        ({"interval": (0, 1), "interval_kind": "rates", "interval_unit": "a year"}, "a year"),
    ],
)
def test_an_interval_has_a_unit_of_its_own(given, unit):
    assert evidence(unit="cases", **given).interval_unit == unit


def test_a_panel_says_when_one_source_is_all():
    def terms(*sources, value=1):
        claim = Claim(
            "C15", lambda: evidence(value=value, sources=sources), ALWAYS, no_variants="-"
        )
        return [term for term, _ in card.panel_lines(claim.judge().as_dict())]

    assert "One source" in terms("xrwang2016")
    assert "One source" in terms("xrwang2016", "project_definition")
    assert "One source" not in terms("xrwang2016", "li2017")
    assert "One source" not in terms("xrwang2016", value=None)


def test_a_verdict_outside_the_five_is_refused():
    claim = Claim("C15", evidence, Rule("Odd.", lambda found: ("probably", "")))
    with pytest.raises(ClaimError, match="probably"):
        claim.judge()


def test_variants_are_arguments_and_begin_with_the_default():
    def found(*, year=2015, base="population"):
        return evidence()

    assert Claim("C15", found, ALWAYS, variants={"year": (2015, 2016)}).variants
    with pytest.raises(ClaimError, match="yaer is no argument"):
        Claim("C15", found, ALWAYS, variants={"yaer": (2015, 2016)})
    with pytest.raises(ClaimError, match="first value of year"):
        Claim("C15", found, ALWAYS, variants={"year": (2016, 2015)})
    with pytest.raises(ClaimError, match="twice"):
        Claim("C15", found, ALWAYS, variants={"base": ("population", "area", "area")})


def test_missing_data_are_not_testable_whatever_the_rule_says():
    claim = Claim("C15", lambda: evidence(value=None, limits="No list."), ALWAYS)
    verdict = claim.judge()
    assert (verdict.verdict, verdict.reason) == ("not testable here", "No list.")


def test_choices_reach_the_evidence_and_are_kept():
    claim = Claim("C15", lambda *, times=1: evidence(value=2 * times), ALWAYS)
    verdict = claim.judge(times=4)
    assert verdict.evidence.value == 8
    assert verdict.choices == {"times": 4}


def test_wording_comes_from_the_table():
    table = data.load("claims").set_index("claim_id")
    claim = Claim("C20", evidence, ALWAYS)
    assert claim.statement == table.loc["C20", "paraphrase"]
    assert claim.section == "blooming"


def test_an_unknown_claim_is_named():
    with pytest.raises(ClaimError, match="C99"):
        _ = Claim("C99", evidence, ALWAYS).statement


def full(**changes):
    """A judged claim with something in every field."""
    said = {
        "value": np.float64(2.5),
        "unit": "villages",
        "sources": ["li2017", "ali2016en"],
        "interval": (np.int64(1), 4),
        "interval_kind": "range of sources",
        "n": 1200,
        "n_unit": "rows",
        "details": {"share": np.float64(0.5), "none": float("nan"), "list": (np.int64(1), "a")},
        "limits": "Few rows.",
    }
    rule = Rule("If so.", lambda found: ("reproduced", "It is so."), changes=["2026-11-25: why."])
    return Claim("C15", lambda *, times=1: Evidence(**said | changes), rule).judge(times=3)


def test_the_ledgers_entry_of_a_claim():
    row = data.load("claims").set_index("claim_id").loc["C03"]
    claim = Claim("C03", full().claim.evidence, full().claim.rule)
    entry = claim.judge().as_dict()
    assert entry == {
        "id": "C03",
        "section": row["section"],
        "argument": row["argument"],
        "statement": row["paraphrase"],
        "stated_value": row["stated_value"],
        "value": 2.5,
        "unit": "villages",
        "interval": [1, 4],
        "interval_kind": "range of sources",
        "interval_unit": "villages",
        "n": 1200,
        "n_unit": "rows",
        "sources": ["li2017", "ali2016en"],
        "rule": "If so.",
        "rule_changes": ["2026-11-25: why."],
        "verdict": "reproduced",
        "reason": "It is so.",
        "limits": "Few rows.",
        "details": {"share": 0.5, "none": None, "list": [1, "a"]},
    }
    assert type(entry["value"]) is float
    assert type(entry["interval"][0]) is int
    assert full(interval=None).as_dict()["interval"] is None


def test_verdicts_keep_their_choices_also_without_data():
    assert full().choices == {"times": 3}
    assert full(value=None, interval=None).choices == {"times": 3}


def test_the_lines_of_a_panel():
    row = full().as_dict()
    lines = [
        ("In our words, the article says", row["statement"]),
        (
            "The data show",
            f"2.5 villages ({card.interval_text(row)}: range of sources); 1,200 rows",
        ),
        ("Rule", "If so."),
        ("Verdict", "reproduced. It is so."),
        ("Limits", "Few rows."),
    ]
    assert card.panel_lines(row) == lines
    told = row | {"variants": {"sentence": "All agree."}}
    assert card.panel_lines(told) == [*lines, ("Variants", "All agree.")]
    bare = full(interval=None, n=None, limits="").as_dict()
    assert card.panel_lines(bare) == [lines[0], ("The data show", "2.5 villages"), *lines[2:4]]
    one = full(sources=["li2017"]).as_dict()
    assert [term for term, _ in card.panel_lines(one)][4:] == ["Limits", "One source"]


def test_a_panel_without_data_says_so_once():
    row = full(value=None, interval=None, sources=["ali2016en"]).as_dict()
    assert card.panel_lines(row) == [
        ("In our words, the article says", row["statement"]),
        ("Rule", "If so."),
        ("Verdict", "not testable here. Few rows."),
    ]


def test_a_panel_in_each_form():
    verdict = full()
    told = verdict._repr_mimebundle_()
    assert told == {
        "application/vnd.taobao-villages.claim+json": verdict.as_dict(),
        "text/html": verdict._repr_html_(),
        "text/plain": "C15: reproduced. It is so.",
    }
    terms = "".join(
        f"<dt>{html.escape(term)}</dt><dd>{html.escape(text)}</dd>"
        for term, text in card.panel_lines(verdict.as_dict())
    )
    assert told["text/html"] == (
        '<div class="claim-panel"><p><strong>Claim C15: reproduced</strong></p>'
        f"<dl>{terms}</dl></div>"
    )


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        (
            (2, 1, 1, 0, 1),
            "2 are reproduced, 1 is reproduced in part, 1 is not reproduced, none is contradicted, "
            "and 1 cannot be tested",
        ),
        (
            (1, 0, 2, 1, 0),
            "1 is reproduced, none is reproduced in part, 2 are not reproduced, 1 is contradicted, "
            "and all can be tested",
        ),
        (
            (0, 1200, 0, 2, 2),
            "none is reproduced, 1,200 are reproduced in part, none is not reproduced, 2 are "
            "contradicted, and 2 cannot be tested",
        ),
    ],
)
def test_a_tally_is_right_for_none_one_and_many(counts, text):
    verdicts = [v for v, n in zip(VERDICTS, counts, strict=True) for _ in range(n)]
    assert scorecard.tally(verdicts) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 rows"), (1, "1 row"), (1200, "1,200 rows")])
def test_a_noun_agrees_with_its_count(count, text):
    assert card.counted(count, "row") == text


def test_the_ledger_as_text():
    rows = [full(unit="村 | x").as_dict()]
    assert ledger.as_json(rows) == json.dumps(rows, ensure_ascii=False, indent=1)
    with pytest.raises(ValueError, match="JSON"):
        ledger.as_json([{"value": float("nan")}])
    statement = rows[0]["statement"]
    interval = card.interval_text(rows[0]).replace("|", "\\|")
    assert ledger.as_markdown(rows).splitlines() == [
        "| id | claim, in our words | value | interval | verdict |",
        "|---|---|---|---|---|",
        f"| C15 | {statement} | 2.5 村 \\| x | {interval} | reproduced |",
    ]


@pytest.mark.parametrize(
    ("interval", "text"), [(None, ""), ((2, 2), "2 throughout"), ((1000, 2.5), "1,000 to 2.5")]
)
def test_intervals_in_words(interval, text):
    row = {"interval": interval, "interval_kind": "range", "interval_unit": "", "unit": ""}
    assert card.interval_text(row) == text


def test_panel_escapes_what_it_prints():
    claim = Claim("C15", lambda: evidence(limits="<b>"), ALWAYS)
    assert "<b>" not in claim.judge()._repr_html_()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1311, "1,311"),
        (2.5, "2.5"),
        (0.0, "0"),
        (None, "no data"),
        (1234.5, "1,234.5"),
        (3.0, "3"),
        (1.1234567, "1.123457"),
        (True, "True"),
        ("a year", "a year"),
    ],
)
def test_numbers_as_printed(value, text):
    assert card.number(value) == text


def test_percent_stands_close_and_units_apart():
    assert card.with_unit(70, "%") == "70%"
    assert card.with_unit(70, "villages") == "70 villages"
    assert card.with_unit(2009, "year") == "2009"


def test_ledger_has_every_declared_claim_once_with_all_keys():
    rows = ledger.ledger()
    ids = [row["id"] for row in rows]
    assert ids == sorted(set(ids))
    assert {f"C{number}" for number in range(15, 25)} <= set(ids)
    needed = {"id", "section", "statement", "value", "unit", "interval", "n", "sources", "rule",
              "verdict"}  # fmt: skip
    for row in rows:
        assert needed <= set(row)
        assert row["verdict"] in VERDICTS
        assert row["sources"], row["id"]
        assert len(row["rule"]) > 40


def test_the_command_prints_json_and_nothing_else():
    done = subprocess.run(
        [sys.executable, "-m", "taobao_villages", "ledger", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == json.loads(ledger.as_json(kept.ledger(only=True)))


def test_markdown_is_a_table_with_a_row_a_claim():
    lines = ledger.as_markdown(ledger.ledger()).splitlines()
    assert len(lines) == 2 + len(ledger.declared())
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1

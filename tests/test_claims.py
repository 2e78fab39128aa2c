"""Claims, evidence, rules and the ledger."""

import json
import subprocess
import sys

import pytest

from taobao_villages import claims, data, multiverse
from taobao_villages.claims import Claim, ClaimError, Evidence, Rule

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
        return [term for term, _ in claims.panel_lines(claim.judge().as_dict())]

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


def test_panel_escapes_what_it_prints():
    claim = Claim("C15", lambda: evidence(limits="<b>"), ALWAYS)
    assert "<b>" not in claim.judge()._repr_html_()


@pytest.mark.parametrize(
    ("value", "text"),
    [(1311, "1,311"), (2.5, "2.5"), (0.0, "0"), (None, "no data"), (1234.5, "1,234.5"), (3.0, "3")],
)
def test_numbers_as_printed(value, text):
    assert claims.number(value) == text


def test_percent_stands_close_and_units_apart():
    assert claims.with_unit(70, "%") == "70%"
    assert claims.with_unit(70, "villages") == "70 villages"
    assert claims.with_unit(2009, "year") == "2009"


def test_ledger_has_every_declared_claim_once_with_all_keys():
    rows = claims.ledger()
    ids = [row["id"] for row in rows]
    assert ids == sorted(set(ids))
    assert {f"C{number}" for number in range(15, 25)} <= set(ids)
    needed = {"id", "section", "statement", "value", "unit", "interval", "n", "sources", "rule",
              "verdict"}  # fmt: skip
    for row in rows:
        assert needed <= set(row)
        assert row["verdict"] in claims.VERDICTS
        assert row["sources"], row["id"]
        assert len(row["rule"]) > 40


def test_the_command_prints_json_and_nothing_else():
    done = subprocess.run(
        [sys.executable, "-m", "taobao_villages", "ledger", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == json.loads(claims.as_json(multiverse.ledger(only=True)))


def test_markdown_is_a_table_with_a_row_a_claim():
    lines = claims.as_markdown(claims.ledger()).splitlines()
    assert len(lines) == 2 + len(claims.declared())
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1

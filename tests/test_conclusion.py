"""The conclusion: intervals, gaps and the balance, worked by hand and on planted verdicts."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from taobao_villages import data
from taobao_villages.book import measured
from taobao_villages.chapters import conclusion
from taobao_villages.methods import counts
from taobao_villages.subjects import internet, provinces
from taobao_villages.verdicts import ledger, multiverse, scorecard
from taobao_villages.verdicts.claims import Evidence


def found(value=1, interval=None, **details) -> Evidence:
    kind = "range" if interval else ""
    return Evidence(value, "x", ["li2017"], interval, kind, details=details)


# ---- C53 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "income", "enterprise", "verdict"),
    [
        (60, (1.2, 0.1), (1.1, 0.1), "reproduced"),
        (60, (1.2, 0.1), (0.9, 0.1), "reproduced in part"),
        (40, (1.2, 0.1), (1.1, -0.1), "reproduced in part"),
        (40, (0.9, 0.1), (1.1, -0.1), "not reproduced"),
    ],
)
def test_rule_of_developed(low, income, enterprise, verdict):
    details = {
        f"lowest_{what}_{name}": number
        for name, pair in (("income", income), ("enterprise", enterprise))
        for what, number in zip(("ratio", "rank"), pair, strict=True)
    }
    assert conclusion.decide_developed(found(interval=(low, 90), **details))[0] == verdict


# ---- C54 ------------------------------------------------------------------------------------


def test_a_province_with_a_delta_is_near_and_tibet_is_far():
    km = provinces.hub_distance()
    assert len(km) == 31
    assert km["31"] < 60  # Shanghai
    assert km.idxmax() in ("54", "65")


def test_the_wider_delta_is_nowhere_farther():
    narrow, wide = (
        provinces.hub_distance(yangtze_delta=name) for name in ("16 cities", "26 cities")
    )
    assert (wide <= narrow + 1e-9).all()
    assert (wide < narrow).any()


def test_roads_need_a_known_divisor():
    with pytest.raises(ValueError, match="per area, per rural resident"):
        provinces.barriers(2016, roads="per car")


def planted(slope: float) -> pd.DataFrame:
    coastal = np.array([True] * 3 + [False] * 3)
    roads = np.where(coastal, 1.0, -1.0)
    count = 10 * np.exp(slope * roads)
    return pd.DataFrame(
        {"n_villages": count, "exposure": 1.0, "coastal": coastal, "roads": roads},
    )


def test_covariates_that_make_the_gap_explain_all_of_it_and_flat_ones_nothing():
    frame = planted(0.7)
    effects = pd.DataFrame({"covariate": ["roads"], "rate_ratio": [np.exp(0.7)]})
    assert provinces.gap_explained(frame, effects) == pytest.approx(1)
    effects["rate_ratio"] = 1.0
    assert provinces.gap_explained(frame, effects) == pytest.approx(0)
    effects["rate_ratio"] = np.exp(0.35)
    assert provinces.gap_explained(frame, effects) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("roads", "distance", "verdict"),
    [
        ((0.5, 1.1), (-1, 0.8), "reproduced"),
        ((0.5, 1.1), (-1, 1.2), "reproduced in part"),
        ((-0.5, 1.1), (-1, 0.8), "reproduced in part"),
        ((0.5, 0.9), (1, 0.8), "not reproduced"),
    ],
)
def test_rule_of_inland(roads, distance, verdict):
    evidence = found(
        roads_gap=roads[0], roads_low=roads[1], distance_gap=distance[0], distance_high=distance[1]
    )
    assert conclusion.decide_inland(evidence)[0] == verdict


# ---- C55 ------------------------------------------------------------------------------------


def test_points_and_odds_can_tell_different_stories():
    # From 40 against 10 to 60 against 25: 30 to 35 points, but odds 6 to 4.5 times as high.
    assert internet.gap(40, 10) == 30
    assert internet.gap(60, 25) == 35
    assert internet.gap(40, 10, measure="odds ratio") == pytest.approx(6)
    assert internet.gap(60, 25, measure="odds ratio") == pytest.approx(4.5)
    with pytest.raises(ValueError, match="points"):
        internet.gap(1, 2, measure="ratio")


def test_a_gap_without_figures_stays_open(put):
    table = data.load("market/cnnic")
    rest = table[table["indicator"] != "rural_netizens_online_shopping_rate"]
    put("market/cnnic", rest)
    frame = internet.divide()
    assert frame["before"].isna().to_dict() == {"being online": False, "shopping online": True}


@pytest.mark.parametrize(
    ("narrower", "known", "verdict"),
    [
        (2, 2, "reproduced in part"),
        (1, 2, "reproduced in part"),
        (1, 1, "reproduced in part"),
        (0, 2, "not reproduced"),
    ],
)
def test_rule_of_divide(narrower, known, verdict):
    assert conclusion.decide_divide(found(narrower=narrower, known=known))[0] == verdict


# ---- C56 ------------------------------------------------------------------------------------


@pytest.fixture
def verdicts(monkeypatch):
    """Give every claim the same verdict, or its own by id."""

    def plant(default: str, **others: str):
        monkeypatch.setattr(
            conclusion, "_judged", lambda claim: (others.get(claim, default), "strong")
        )

    return plant


def test_extent_if_all_claims_hold_or_none(verdicts):
    verdicts("reproduced")
    assert conclusion.C56.judge().verdict == "reproduced"
    assert conclusion.extent_evidence().value == 4
    verdicts("contradicted")
    assert conclusion.C56.judge().verdict == "not reproduced"


def test_in_part_counts_or_not(verdicts):
    verdicts("reproduced in part")
    assert conclusion.C56.judge().verdict == "reproduced"
    assert conclusion.C56.judge(claims_counted="reproduced in full").verdict == "not reproduced"


def test_extent_if_only_one_side_holds(verdicts):
    table = data.load("empowerment")
    con = table.loc[table["direction"] == "against", "claim_id"]
    verdicts("reproduced", **dict.fromkeys(con, "contradicted"))
    assert conclusion.C56.judge().verdict == "contradicted"
    assert "only claims for" in conclusion.C56.judge().reason


def test_extent_if_only_some_dimensions_have_both(verdicts):
    table = data.load("empowerment")
    some = table["dimension"].isin(["economic", "social"]) & (table["direction"] == "for")
    verdicts("reproduced", **dict.fromkeys(table.loc[some, "claim_id"], "not reproduced"))
    assert conclusion.C56.judge().verdict == "reproduced in part"


def test_balance_refuses_an_unknown_count():
    with pytest.raises(ValueError, match="reproduced or in part"):
        conclusion.balance(claims_counted="most")


def test_every_dimension_has_both_sides():
    table = data.load("empowerment")
    assert table.groupby(["dimension", "direction"]).size().min() >= 2
    assert table.groupby("dimension").ngroups == len(conclusion.DIMENSIONS)


def test_strength_by_grades(monkeypatch):
    graded = pd.DataFrame({"reliability": list("ABCD")}, index=list("abcd"))
    monkeypatch.setattr(data, "sources", lambda ids: graded.loc[ids])
    assert scorecard.strength(["a", "b"]) == "strong"
    assert scorecard.strength(["a", "c"]) == "medium"
    assert scorecard.strength(["c", "d"]) == "thin"
    assert scorecard.strength(["a", "a"]) == "medium"


def test_scorecard_has_a_row_for_every_claim_of_the_ledger():
    rows = ledger.ledger()
    table = scorecard.scorecard(rows)
    assert list(table.index) == [row["id"] for row in rows]
    assert set(table["strength"]) <= set(conclusion.STRENGTHS)


# ---- every claim ----------------------------------------------------------------------------


@pytest.mark.parametrize("claim", [conclusion.C53, conclusion.C54, conclusion.C55])
def test_each_claim_and_variant_has_a_verdict_a_reason_and_sources(claim):
    verdict = claim.judge()
    assert verdict.reason
    assert verdict.evidence.sources
    rows = multiverse.run([claim], jobs=1)
    assert len(rows) == len(multiverse.combinations(claim))


# ---- why only in part ------------------------------------------------------------------------


def test_why_a_claim_is_in_part():
    rows = [
        {"id": "C40", "reason": "Known from the article alone.", "variants": {"shares": {}}},
        {"id": "C58", "reason": "Known from the article alone.", "variants": {"shares": {}}},
        {"id": "C20", "reason": "Some.", "variants": {"shares": {"reproduced": 10.0}}},
        {"id": "C41", "reason": "Some.", "variants": {"shares": {"contradicted": 10.0}}},
    ]
    rows = [row | {"verdict": "reproduced in part"} for row in rows]
    other = {"id": "C19", "verdict": "reproduced", "reason": "", "variants": {"shares": {}}}
    found = scorecard.causes([*rows, other])
    assert found.to_dict() == {"C40": "cap", "C58": "unread", "C20": "choice", "C41": "other"}
    assert set(found) == set(scorecard.CAUSES)


def test_rules_that_can_never_say_reproduced_say_so_in_words():
    for claim in ledger.declared():
        if not scorecard.can_be_reproduced(claim.rule):
            assert re.search("at best|no more|[Nn]ever more|In part if", claim.rule.text), claim.id


def test_the_reason_of_c53_names_the_test_that_fails():
    found = conclusion.C53.judge()
    assert found.evidence.details["lowest_rank_enterprise"] <= 0
    assert found.reason == (
        "Only some of it holds: the rank correlation of private enterprise may be none."
    )


def test_the_low_power_of_c54_is_told_as_it_was_measured():
    planted = measured.stored("placebo")["rates"]["C54"]["planted"]
    assert 20 <= planted["reproduced"] <= 30
    assert "about a quarter" in conclusion.C54.judge().evidence.limits


# ---- second implementation ------------------------------------------------------------------


def test_the_gap_explained_is_that_of_a_models_own_predictions():
    frame = provinces.barriers(2016)
    names = ["roads", "distance"]
    model = counts.count_model(frame, "n_villages", names, exposure="exposure")
    fit = sm.GLM(
        frame["n_villages"],
        sm.add_constant(frame[names]),
        family=sm.families.Poisson(),
        exposure=frame["exposure"],
    ).fit()
    logs = []
    for count in (fit.fittedvalues, frame["n_villages"]):
        sums = pd.DataFrame({"n": count, "size": frame["exposure"]}).groupby(frame["coastal"]).sum()
        logs.append(np.log(sums["n"] / sums["size"]).diff().iloc[-1])
    found = provinces.gap_explained(frame, model.effects)
    assert found == pytest.approx(logs[0] / logs[1], rel=1e-4)

"""The chapter on the party-state: worked cases, known properties, rules, variants."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from taobao_villages import data
from taobao_villages.chapters import party_state
from taobao_villages.methods import association
from taobao_villages.subjects import coding, policy, support
from taobao_villages.verdicts.claims import Evidence

CLAIMS = [party_state.__dict__[f"C{number}"] for number in (*range(38, 46), 58)]

PLACES = pd.DataFrame(
    {
        "place": list("abcdef"),
        "region4": ["East", "East", "East", "West", "West", "Central"],
        "inland": [False, False, False, True, True, True],
        "off_coast": [False, False, True, True, True, True],
        "village": [True, True, False, True, True, False],
        "recognised": [2013.0, np.nan, np.nan, 2014.0, np.nan, np.nan],
    },
    index=pd.Index(list("abcdef"), name="case_id"),
)


def code(case, dimension, name, *, concept=None, source="s1", about="place", certainty="clear"):
    return {
        "case_id": case,
        "dimension": dimension,
        "code": name,
        "concept": concept or name,
        "value": "1",
        "certainty": certainty,
        "about": about,
        "source_id": source,
        "paraphrase": "Said.",
    }


ROWS = [
    code("a", "gov_timing", "after"),
    code("b", "gov_timing", "after", source=coding.ARTICLE),
    code("c", "gov_timing", "before", about="general_policy"),
    code("d", "gov_timing", "before"),
    code("e", "gov_timing", "before", certainty="doubtful"),
    code("e", "gov_timing", "after"),
    code("a", "initiator", "entrepreneur"),
    code("b", "initiator", "village_collective"),
    code("d", "initiator", "government"),
    code("a", "gov_support", "training"),
    code("a", "gov_support", "tax", source=coding.ARTICLE),
    code("d", "gov_support", "training"),
    code("d", "gov_support", "industrial_park"),
    code("e", "gov_support", "not_support"),
    code("a", "sustainability_pressure", "finance_shortage"),
    code("d", "sustainability_pressure", "logistics_cost"),
    code("d", "sustainability_pressure", "infrastructure"),
    code("e", "sustainability_pressure", "infrastructure"),
    code("b", "sustainability_pressure", "price_war"),
]


@pytest.fixture
def planted(monkeypatch):
    def codes(*, coder="first", doubtful=True):
        table = pd.DataFrame(ROWS)
        return table if doubtful else table[table["certainty"] == "clear"]

    monkeypatch.setattr(coding, "codes", codes)
    monkeypatch.setattr(coding, "places", PLACES.copy)


# ---- money ----------------------------------------------------------------------------------


def test_sums_of_the_fund_by_hand():
    table = policy.money()
    assert list(table["counties"].unique()) == [200]
    assert table.loc["planned", ["per_county", "total", "product"]].tolist() == [10, 2000, 2000]
    # 200 counties times 18.5 million are 3,700 million; with 1.5 million more, 4,000
    assert table.loc["transferred", ["per_county", "total", "product"]].tolist() == [
        18.5, 3700, 3700
    ]  # fmt: skip
    assert table.loc["with second instalment", "product"] == 4000


def test_the_account_decides_the_verdict_on_money():
    verdicts = {
        account: party_state.C38.judge(account=account).verdict
        for account in ("both", "planned", "transferred")
    }
    assert verdicts == {
        "both": "reproduced in part",
        "planned": "reproduced",
        "transferred": "contradicted",
    }


def test_a_sum_must_agree_in_total_and_a_county(monkeypatch):
    changed = policy.money()
    changed.loc["planned", "per_county"] = 12.0  # the total still agrees
    monkeypatch.setattr(policy, "money", changed.copy)
    assert party_state.money_evidence().details["same"] == 0


# ---- sequence -------------------------------------------------------------------------------


def test_one_code_a_case_by_hand(planted):
    found = support.order()["order"].to_dict()
    assert found == {
        "a": support.FIRST,
        "b": support.UNKNOWN,  # only the article says so
        "c": support.UNKNOWN,  # general policy
        "d": support.GOVERNMENT,
        "e": support.MIXED,  # sources disagree
        "f": support.UNKNOWN,
    }
    assert support.order(article_as_witness="counted")["order"]["b"] == support.FIRST
    assert support.order(general_policy="counted")["order"]["c"] == support.GOVERNMENT
    assert support.order(doubtful=False)["order"]["e"] == support.FIRST
    assert list(support.order(cases_counted="villages and towns").index) == ["a", "b", "d", "e"]
    assert list(support.order(cases_counted="places known to be listed").index) == ["a", "d"]


def test_who_opened_the_first_shops_is_another_measure(planted):
    found = support.order(meaning_of_first="who opened the first shops")["order"]
    assert found["a"] == support.FIRST
    assert found["b"] == support.MIXED
    assert found["d"] == support.GOVERNMENT
    assert (found[["c", "e", "f"]] == support.UNKNOWN).all()


def test_not_reported_widens_the_bounds_of_the_order(planted):
    table = support.order_table()
    assert table.loc["all", list(support.ORDERS)].tolist() == [1, 1, 1, 3]
    # one of six at least; all but the one with government first at most
    assert table.loc["all", "lowest"] == pytest.approx(100 / 6)
    assert table.loc["all", "highest"] == pytest.approx(500 / 6)
    assert table.loc["East", "highest"] == 100
    parts = table.loc["East"] + table.loc["inland"]
    assert (parts - table.loc["all"])[list(support.ORDERS)].eq(0).all()


@pytest.mark.parametrize(
    "choice", [{"meaning_of_first": "m"}, {"cases_counted": "x"}, {"article_as_witness": "x"}]
)
def test_unknown_choices_are_refused(choice):
    with pytest.raises(ValueError, match="use"):
        support.order(**choice)


def test_sign_test_by_hand_and_against_the_binomial():
    # five of five heads: 2 * (1/2)^5
    assert association.sign_test(5, 0) == pytest.approx(2 / 32)
    assert association.sign_test(0, 0) == 1
    assert association.sign_test(3, 3) == pytest.approx(1)
    tail = stats.binom.cdf(2, 12, 0.5)
    assert association.sign_test(2, 10) == pytest.approx(2 * tail)
    assert association.sign_test(2, 10) == association.sign_test(10, 2)


def test_power_is_the_level_under_the_null_and_grows():
    assert association.sign_power(18, 0.5) <= 0.05
    powers = [association.sign_power(18, share) for share in (0.5, 0.6, 0.7, 0.8, 0.9)]
    assert powers == sorted(powers)
    # with five cases no split is clear, so there is no power at all
    assert association.sign_power(5, 0.99) == 0


def test_milestones_take_the_earliest_year_and_need_two_steps(put, monkeypatch):
    steps = pd.DataFrame(
        [
            ("a", "first shop", 2009, "in", "s"),
            ("a", "first shop", 2007, "by", "t"),
            ("b", "first shop", 2008, "in", "s"),
            ("b", "first public support", 2010, "in", "s"),
        ],
        columns=["case_id", "event", "year", "bound", "source_id"],
    )
    put("cases/milestones", steps)
    monkeypatch.setattr(coding, "places", PLACES.copy)
    table = support.milestones()
    assert list(table.index) == ["a", "b"]  # a is recognised in 2013, so it has two steps
    assert table.loc["a", "shop"] == 2007
    assert table.loc["a", "shop_bound"] == "by"
    assert np.isnan(table.loc["a", "support"])


# ---- instruments and clusters ---------------------------------------------------------------


def test_matrix_of_instruments_by_hand(planted):
    table = support.instruments()
    assert list(table.columns) == ["training", "industrial_park"]
    assert list(table.index) == ["d", "a"]
    assert table.to_numpy().tolist() == [[True, True], [True, False]]
    assert "tax" in support.instruments(article_as_witness="counted").columns


def test_overlap_by_hand():
    table = pd.DataFrame({"x": [1, 1, 1, 0], "y": [0, 1, 1, 1], "z": [0, 0, 0, 0]}).astype(bool)
    found = association.jaccard(table)
    assert found.loc["x", "y"] == pytest.approx(2 / 4)
    assert found.loc["x", "x"] == 1
    assert np.isnan(found.loc["z", "z"])
    more = pd.concat([table, pd.DataFrame([[False] * 3] * 9, columns=list("xyz"))])
    assert association.jaccard(more).loc["x", "y"] == found.loc["x", "y"]


def test_swapping_keeps_both_margins():
    rng = np.random.default_rng(3)
    marks = (rng.random((12, 8)) < 0.4).astype(int)
    mixed = association._swap(marks, np.random.default_rng(4), 200)
    assert (mixed.sum(axis=0) == marks.sum(axis=0)).all()
    assert (mixed.sum(axis=1) == marks.sum(axis=1)).all()
    assert (mixed != marks).any()


def test_bundles_are_found_and_noise_is_not():
    bundled = np.zeros((20, 6), dtype=bool)
    bundled[:10, :3] = True
    bundled[10:, 3:] = True
    found = association.cluster_test(pd.DataFrame(bundled), permutations=199)
    # pairs within a bundle share ten cases, 6 of 15 pairs: 6 * 100 / 15
    assert found.observed == pytest.approx(40)
    assert found.p == pytest.approx(1 / 200)
    noise = pd.DataFrame(np.random.default_rng(5).random((20, 6)) < 0.4)
    assert association.cluster_test(noise, permutations=199).p > 0.05
    again = association.cluster_test(noise, permutations=199)
    assert again.p == association.cluster_test(noise, permutations=199).p


# ---- regions --------------------------------------------------------------------------------


def test_constraints_by_hand_and_against_the_hypergeometric(planted):
    table = support.constraints()
    assert table.loc["money", ["inland_named", "inland", "coast_named", "coast"]].tolist() == [
        0, 3, 1, 3
    ]  # fmt: skip
    assert table.loc["transport", "inland_named"] == 2
    assert table.loc["transport", "places"] == "d, e"
    # both margins fixed: the probability that both named cases are inland, doubled
    assert table.loc["transport", "p"] == pytest.approx(2 * stats.hypergeom.pmf(2, 6, 3, 2))
    assert support.constraints(base="with pressures")["inland"].iloc[0] == 2
    assert support.constraints(inland="coastline").loc["any", "inland"] == 4


# ---- party, waste, exchange -----------------------------------------------------------------


def test_records_are_dated_one_a_source_and_without_the_article():
    table = policy.party_records()
    assert table["source_id"].is_unique
    assert coding.ARTICLE not in set(table["source_id"])
    assert table["date"].is_monotonic_increasing
    early = policy.party_records(latest_report=party_state.WRITTEN)
    assert set(early["source_id"]) <= set(table["source_id"])
    assert (early["date"] <= "2017-06-31").all()
    league = policy.party_records(youth_league="counted")
    assert set(league["source_id"]) - set(table["source_id"]) == {"m066"}
    assert coding.ARTICLE in set(policy.party_records(article_as_witness="counted")["source_id"])
    dated = policy.party_records(inferred_dates=False)
    events = data.load("policy/events").set_index("source_id")
    guessed = events.index[events["date_inferred"] & events["instrument"].eq("party-building")]
    assert set(guessed) & set(table["source_id"])
    assert not set(guessed) & set(dated["source_id"])


def test_weak_sources_and_later_records_can_be_left_out():
    ids = data.bearing("market/evidence", "C44:useless")
    weak = ids["source_id"].map(data.sources()["reliability"]).eq("D")
    assert weak.any()
    assert party_state.waste_evidence().value == len(ids)
    assert party_state.waste_evidence(weak_sources=False).value == len(ids) - weak.sum()
    every, early = (
        party_state.cadre_evidence(records_dated=when) for when in ("at any time", "before 2017-07")
    )
    assert 0 < early.value < every.value
    assert early.details["dispute"] == every.details["dispute"] - 1


def test_rows_with_a_role_are_about_what_it_says():
    for role, words in (
        ("C44:useless", "patchwork|corner shops|locked"),
        ("C44:idle", "unspent|unpaid"),
        ("C58:dispute", "doubts|dispute|apologised"),
        ("C58:likes", "likes"),
        ("C58:least_purchase", "at least 50 yuan"),
        ("C38:second_instalment", "another 1.5m"),
        ("C38:use_training", "training"),
        ("C43:trainees", "a million"),
        ("C34:thin_profit", "Qingyanliu"),
    ):
        assert data.bearing("market/evidence", role)["statement"].str.contains(words).all(), role


def test_exchange_counts_documents_once_and_knows_every_term():
    table = policy.exchange(article_as_witness="counted")
    rows = data.load("policy/agreement_terms")
    assert set(zip(table["side"], table["term"], strict=True)) >= set(
        zip(rows["side"], rows["term"], strict=True)
    )
    for row in table.itertuples():
        part = rows[(rows["side"] == row.side) & (rows["term"] == row.term)]
        assert row.documents == part["document"].nunique()
        assert row.agreements <= row.documents
    only = policy.exchange(article_as_witness="counted", documents_counted="agreements alone")
    assert (only["documents"] == only["agreements"]).all()


def test_a_document_counts_once_however_many_sources_tell_of_it(put):
    rows = data.load("policy/agreement_terms").query("document == 'sihong2015'")
    twice = pd.concat([rows, rows.assign(source_id="m042")])
    put("policy/agreement_terms", twice)
    table = policy.exchange().set_index("term")
    assert table.loc["stations", ["documents", "agreements"]].tolist() == [1, 1]
    assert table["documents"].sum() == 1


def test_exposure_has_every_province_and_village():
    for year in (2016, 2017):
        table = policy.exposure(year=year)
        assert table["provinces"].sum() == 31
        assert table[2014].sum() == 212
        assert table[2016].sum() == 1311
        flags = data.load("market/demo_counties").query(
            "indicator == 'in_programme' and year_to == @year"
        )
        for value, state in ((1, "in the programme"), (0, "not in it")):
            assert table.loc[state, "provinces"] == (flags["value"] == value).sum()


def test_roles_name_each_case_once(planted, monkeypatch):
    more = [
        code("a", "party_organ", "secretary_leads"),
        code("a", "party_organ", "secretary_leads", source="s2"),
        code("d", "party_organ", "secretary_leads"),
        code("d", "party_organ", "red", concept="party_branch"),
        code("e", "party_organ", "red", concept="party_branch", source=coding.ARTICLE),
    ]
    monkeypatch.setattr(coding, "codes", lambda **_: pd.DataFrame(more))
    table = support.party_roles()
    assert table.loc["secretary leads", "cases"] == 2
    assert table.loc["secretary leads", "places"] == "a, d"
    assert table.loc["party branch", "places"] == "d"


# ---- truth table ----------------------------------------------------------------------------


def test_truth_table_by_hand():
    planted = pd.DataFrame(
        {
            "hub": ["yes", "yes", "yes", "?"],
            "support": ["yes", "yes", "?", "?"],
            "listed": ["yes", "no", "?", "yes"],
        },
        index=list("abcd"),
    )
    table = support.truth_table(planted).set_index("cases")
    assert table.loc["a, b", ["n", "yes", "no"]].tolist() == [2, 1, 1]
    assert table.loc["a, b", "contradiction"]
    assert not table.loc["d", "contradiction"]
    assert table["n"].sum() == 4
    assert table.loc["c", "support"] == "?"  # not reported is a kind of its own


def test_failures_and_listed_places_side_by_side_by_hand(monkeypatch):
    told = pd.DataFrame(
        {
            "case_id": ["b", "c", "a"],
            "dimension": ["outcome", "outcome", "gov_support"],
            "code": ["stations_idle", "stations_closed", "training"],
            "concept": ["programme_failure", "programme_failure", "training"],
            "paraphrase": ["idle", "closed", "courses"],
            "source_id": ["m050", "m228", "m017"],
        }
    )
    four = pd.DataFrame(
        {
            "hub": ["yes", "?", "no"],
            "entrepreneur": ["yes", "no", "disputed"],
            "support": ["yes", "yes", "?"],
            "association": ["?", "?", "yes"],
            "listed": ["yes", "?", "?"],
        },
        index=list("abc"),
    )
    monkeypatch.setattr(coding, "codes", lambda **choices: told)
    monkeypatch.setattr(coding, "places", PLACES.copy)
    monkeypatch.setattr(support, "conditions", lambda **choices: four)
    assert list(support.failures().index) == ["c", "b"]  # closed before idle
    table = support.outcomes()
    assert table.loc["known to be listed"].tolist() == [1, 1, 1, 0, 1, 0]
    assert table.loc["failed or faulted"].tolist() == [2, 0, 0, 1, 1, 1]


def test_conditions_without_an_explicit_negative_are_never_no():
    table = support.conditions()
    assert len(table) == len(data.load("cases/cases"))
    assert not table[["support", "association"]].isin(["no", "disputed"]).any(axis=None)
    assert {"yes", "?"} <= set(table["support"])


# ---- rules ----------------------------------------------------------------------------------


def made(value=1, interval=None, n=None, **details):
    kind = "made up" if interval else ""
    return Evidence(
        value, "", ["li2017"], interval=interval, interval_kind=kind, n=n, details=details
    )


@pytest.mark.parametrize(
    ("claim", "evidence", "verdict"),
    [
        ("C38", made(uses=3, same=2, accounts=2), "reproduced"),
        ("C38", made(uses=3, same=1, accounts=2), "reproduced in part"),
        ("C38", made(uses=3, same=0, accounts=2), "contradicted"),
        ("C38", made(uses=0, same=2, accounts=2), "not reproduced"),
        ("C39", made(interval=(50, 90), first=9, second=1, p_raw=0.02), "reproduced"),
        ("C39", made(interval=(20, 90), first=9, second=1, p_raw=0.02), "reproduced in part"),
        ("C39", made(interval=(20, 90), first=6, second=4, p_raw=0.7), "not reproduced"),
        ("C39", made(interval=(20, 90), first=1, second=9, p_raw=0.02), "contradicted"),
        ("C39", made(interval=(20, 45), first=4, second=6, p_raw=0.7), "contradicted"),
        ("C40", made(share=0.5, needed=0.5), "reproduced in part"),
        ("C40", made(share=0.4, needed=0.5), "not reproduced"),
        ("C42", made(value=3, early=1, least=3, first="2012", last="2020"), "reproduced"),
        ("C42", made(value=3, early=0, least=3, first="2018", last="2020"), "reproduced in part"),
        ("C42", made(value=2, early=1, least=3), "reproduced in part"),
        ("C42", made(value=0, early=0, least=3), "not reproduced"),
        ("C43", made(value=1, n=1, needed=1), "reproduced"),
        ("C43", made(value=0, n=1, needed=1), "reproduced in part"),
        ("C43", made(value=0, n=0, needed=1), "not reproduced"),
        ("C44", made(value=2, least=2, first="2016", last="2019"), "reproduced"),
        ("C44", made(value=1, least=2), "reproduced in part"),
        ("C44", made(value=0, least=2), "not reproduced"),
        ("C58", made(value=2, dispute=1, commentary=1), "reproduced"),
        ("C58", made(value=2, dispute=1, commentary=0), "reproduced in part"),
        ("C58", made(value=2, dispute=0, commentary=1), "not reproduced"),
        ("C58", made(value=0, dispute=1, commentary=1), "not reproduced"),
    ],
)
def test_each_branch_of_the_rules(claim, evidence, verdict):
    found, reason = party_state.__dict__[claim].rule.decide(evidence)
    assert found == verdict
    assert reason.endswith(".")


@pytest.mark.parametrize(
    ("supported", "money", "transport", "more", "p", "verdict"),
    [
        (2, 2, 2, True, 0.01, "reproduced"),
        (2, 2, 2, True, 0.2, "reproduced in part"),
        (2, 2, 2, False, 0.01, "reproduced in part"),
        (2, 0, 1, True, 0.01, "reproduced in part"),
        (2, 0, 0, True, 0.01, "not reproduced"),
        (1, 2, 2, True, 0.01, "not reproduced"),
    ],
)
def test_rule_of_constraints(supported, money, transport, more, p, verdict):
    details = {"money_inland": money, "transport_inland": transport, "more_inland": more}
    found = made(supported=supported, p_raw=p, **details)
    assert party_state.C41.rule.decide(found)[0] == verdict


@pytest.mark.parametrize(
    ("platform", "government", "targets", "goods", "verdict"),
    [
        (2, 2, 2, 2, "reproduced"),
        (2, 2, 1, 2, "reproduced in part"),
        (1, 1, 2, 2, "reproduced in part"),
        (3, 0, 0, 2, "not reproduced"),
    ],
)
def test_rule_of_exchange(platform, government, targets, goods, verdict):
    found = made(platform=platform, government=government, targets=targets, goods=goods, least=2)
    assert party_state.C45.rule.decide(found)[0] == verdict


# ---- every claim ----------------------------------------------------------------------------


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_each_claim_has_a_verdict_a_reason_and_sources(claim):
    verdict = claim.judge()
    assert verdict.claim.section == "party_state"
    assert verdict.reason.endswith(".")
    assert verdict.evidence.sources
    assert verdict.evidence.limits


def test_reasons_say_no_more_than_the_evidence():
    found = party_state.C42.judge()
    about = found.evidence.details
    assert found.reason == (
        f"{found.evidence.value} dated records from {about['first']} to {about['last']}, each from "
        f"another source; {found.evidence.n} of them from before the article."
    )
    found = party_state.C44.judge()
    about = found.evidence.details
    assert found.reason.startswith(
        f"{found.evidence.n} sources of {about['first']} to {about['last']} name"
    )
    assert found.evidence.n == found.evidence.value


@pytest.mark.parametrize(
    ("split", "region", "word"),
    [(0.2, 0.05, "Neither"), (0.04, 0.3, "Only the split"), (0.3, 0.04, "Only the diff"),
     (0.01, 0.01, "Both")],
)  # fmt: skip
def test_what_is_clear_in_words(split, region, word):
    assert party_state.clear_words(split, region).startswith(word)


def test_no_claim_is_confirmed_by_the_article_alone():
    for claim in (party_state.C39, party_state.C40, party_state.C41, party_state.C42):
        assert coding.ARTICLE not in claim.judge().evidence.sources


def test_overlaps_are_those_of_scipy():
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.random((30, 5)) < 0.3)
    apart = squareform(pdist(table.to_numpy().T, metric="jaccard"))
    np.testing.assert_allclose(association.jaccard(table).to_numpy(), 1 - apart)


def test_the_power_of_the_sign_test_is_what_simulation_finds():
    rng = np.random.default_rng(4)
    drawn = rng.binomial(30, 0.7, size=4000)
    clear = [stats.binomtest(int(k), 30).pvalue < 0.05 for k in drawn]
    error = np.std(clear) / np.sqrt(len(clear))
    assert abs(np.mean(clear) - association.sign_power(30, 0.7)) < 4 * error

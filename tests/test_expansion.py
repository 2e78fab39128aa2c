"""Expansion: events, the divide, decomposition, Rural Taobao, shoppers, and the rules."""

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special, stats
from scipy.stats import contingency
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.rates import test_poisson_2indep as poisson_two_samples

from taobao_villages import data
from taobao_villages.chapters import expansion
from taobao_villages.methods import growth, shares
from taobao_villages.subjects import internet, policy, provinces, rural_taobao
from taobao_villages.verdicts.claims import VERDICTS, Evidence

CLAIMS = [getattr(expansion, f"C{number:02d}") for number in range(6, 15)]


def combinations(claim):
    for values in itertools.product(*claim.variants.values()):
        choices = dict(zip(claim.variants, values, strict=True))
        if claim.skip is None or not claim.skip(**choices):
            yield choices


@pytest.fixture
def plant(put):
    """Replaces tables: ``plant("policy/events", frame)``."""
    return put


def made(**details):
    """Evidence made up to drive a rule."""
    fields = {key: details.pop(key) for key in ("value", "interval", "n") if key in details}
    kind = {"interval_kind": "made up"} if fields.get("interval") else {}
    return Evidence(
        **({"value": 1.0} | fields | kind), unit="x", sources=["li2017"], details=details
    )


# ---- every claim ----------------------------------------------------------------------------


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_has_verdict_reason_and_sources(claim):
    row = claim.judge().as_dict()
    assert row["verdict"] in VERDICTS
    assert row["section"] == "expansion"
    assert len(row["reason"]) > 20
    assert len(row["limits"]) > 40
    assert row["sources"]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_variant_runs(claim):
    choices = list(combinations(claim))
    assert 2 <= len(choices) <= 200
    for some in choices:
        verdict = claim.judge(**some)
        assert verdict.verdict in VERDICTS, some
        assert verdict.evidence.value is not None or verdict.evidence.limits, some


# ---- events (C06) ---------------------------------------------------------------------------


def planted_events():
    rows = [  # key, date, precision, inferred, level, instrument, source
        ("a", "2014", "year", False, "State Council", "strategy", "li2017"),
        ("a", "2015-07", "month", False, "State Council", "opinion", "m045"),
        ("a", "2015", "year", False, "ministry", "speech", "m047"),
        ("b", "2006", "year", False, "ministry", "programme", "m132"),
        ("c", "2016", "year", True, "CCP CC", "opinion", "m040"),
        ("d", None, "unknown", True, "ministry", "plan", "m130"),
        ("e", "2015-01-01", "day", False, "firm", "fund", "m045"),
        ("f", "2017", "year", False, "ministry", "meeting", "m045"),
    ]
    columns = ["event_key", "date", "precision", "date_inferred", "issuer_level", "instrument"]
    frame = pd.DataFrame(rows, columns=[*columns, "source_id"])
    return frame.assign(issuer="I", title_en="T", named_in_article="no")


def test_the_sources_of_an_event_are_joined_and_the_most_exact_one_dates_it(plant):
    plant("policy/events", planted_events())
    events = policy.events()
    assert list(events.index) == ["b", "e", "a", "c", "f", "d"]  # by date, undated last
    assert events.loc["a", "date"] == "2015-07"
    assert events.loc["a", "instrument"] == "opinion"
    assert events.loc["a", "source_id"] == "li2017;m045;m047"
    assert pd.isna(events.loc["d", "year"])


def test_choices_of_events(plant):
    plant("policy/events", planted_events())
    assert policy.events(dating="earliest source").loc["a", "year"] == 2014
    assert set(policy.events(doubtful=False).index) == {"a", "b", "d", "e", "f"}
    assert set(policy.events(levels=["firm"]).index) == {"e"}
    with pytest.raises(ValueError, match="best source"):
        policy.events(dating="latest")


def test_acts_of_the_centre_are_counted_by_year_with_zeros_and_changes(plant):
    plant("policy/events", planted_events())
    acts = policy.central_acts()
    assert set(acts.index) == {"a", "b", "c", "d"}
    assert set(policy.central_acts(instruments="all acts").index) == {*acts.index, "f"}
    assert set(policy.central_acts(issuers="without ministries").index) == {"a", "c"}
    yearly = policy.by_year(acts, first=2013, last=2016)
    assert yearly["acts"].tolist() == [0, 0, 1, 1]
    assert yearly["change"].tolist()[1:] == [0, 1, 0]
    assert pd.isna(yearly["change"].iloc[0])


def test_every_dated_event_stands_once_in_the_grid():
    grid = policy.by_issuer(first=1990, last=2035)
    assert grid.to_numpy().sum() == policy.events()["year"].notna().sum()
    assert set(data.load("policy/events")["issuer_level"]) <= set(policy.LEVELS)


def test_the_worked_example_of_two_rates():
    by_hand = 5 * (1 / 6) ** 0 * (5 / 6) * (1 / 6) ** 4 + (1 / 6) ** 5
    assert by_hand == pytest.approx(0.0033, abs=5e-5)
    assert by_hand == pytest.approx(stats.binom.sf(3, 5, 2 / 12))
    ratio = shares.rate_ratio_test(4, 2, 1, 10)
    assert ratio.ratio == pytest.approx(20)
    other = poisson_two_samples(4, 2, 1, 10, method="exact-cond", alternative="larger")
    assert by_hand == pytest.approx(other.pvalue)


def test_early_acts_needed_is_the_first_number_with_which_luck_is_enough():
    needed = expansion.early_acts_needed(2, 10, 20, 4)
    assert shares.rate_ratio_test(20, 4, needed, 10).low <= 1
    assert shares.rate_ratio_test(20, 4, needed - 1, 10).low > 1
    side = {"method": "exact-cond", "alternative": "larger"}
    assert poisson_two_samples(20, 4, needed, 10, **side).pvalue >= 0.025
    assert poisson_two_samples(20, 4, needed - 1, 10, **side).pvalue < 0.025
    assert expansion.early_acts_needed(10, 10, 4, 4) == 10  # equal rates: none is missing


def test_rates_before_and_from_2014(plant):
    plant("policy/events", planted_events())
    found = expansion.intensification_evidence()
    assert (found.details["early"], found.details["late"]) == (2, 2)  # b and d; a and c
    assert found.value == pytest.approx((2 / 4) / (2 / 10))
    assert found.details["missing"] == found.details["needed"] - 2
    of_2014 = expansion.intensification_evidence(dating="earliest source").details
    assert (of_2014["early"], of_2014["late"]) == (2, 2)  # an act of 2014 is no early one
    assert expansion.intensification_evidence(last=2015).details["late"] == 1
    dated = expansion.intensification_evidence(undated_acts="left out", first=2009)
    assert (dated.details["early"], dated.interval) == (0, None)
    assert np.isfinite(dated.value)
    assert "or more" in dated.unit


@pytest.mark.parametrize(
    ("low", "tenfold", "rates", "verdict"),
    [
        (2.0, 1.1, (1, 5), "reproduced"),
        (2.0, 0.9, (1, 5), "reproduced in part"),
        (0.9, 0.1, (1, 2), "not reproduced"),
        (0.1, 0.1, (2, 1), "contradicted"),
    ],
)
def test_rule_of_c06(low, tenfold, rates, verdict):
    found = made(ratio_low=low, tenfold_low=tenfold, rate_before=rates[0], rate_from=rates[1])
    assert expansion.C06.rule.decide(found)[0] == verdict


# ---- documents (C07, C08) -------------------------------------------------------------------


def planted_document(year="2015", level="State Council"):
    frame = planted_events().iloc[:2].assign(event_key="k")
    frame["date"], frame["issuer_level"] = ["2015", f"{year}-05"], ["State Council", level]
    return frame


def test_a_document_is_compared_with_the_article(plant):
    plant("policy/events", planted_document())
    table = policy.versions("k")
    assert table["teller"].tolist() == ["article", "others"]
    assert policy.agreement(table) == {"year": True, "issuer": True}
    plant("policy/events", planted_document("2014", "ministry"))
    assert policy.agreement(policy.versions("k")) == {"year": False, "issuer": False}
    plant("policy/events", planted_document().iloc[:1])
    assert policy.agreement(policy.versions("k")) == {"year": None, "issuer": None}


def test_low_grade_copies_can_be_left_out():
    grade = data.sources()["reliability"]
    low = grade[grade == "D"].index[0]
    kept = policy.graded(pd.Series([low, "m045"]), "all but low-grade copies")
    assert kept.tolist() == [False, True]
    assert policy.graded(pd.Series([low]), "all").all()


def test_documents_without_another_source_are_not_testable(plant):
    article = planted_document().iloc[:1]
    roles = "C07:opinion;C07:two_engines"
    plant("policy/events", article.assign(event_key="k", bears_on=roles))
    assert expansion.C07.judge().verdict == "not testable here"
    both = [article.assign(event_key=r, bears_on=f"C08:{r}") for r in ("rural", "poverty")]
    plant("policy/events", pd.concat(both))
    assert expansion.C08.judge().verdict == "not testable here"


@pytest.mark.parametrize(
    ("details", "verdict"),
    [
        ({"same_year": True, "same_issuer": True, "concepts": 3}, "reproduced"),
        ({"same_year": True, "same_issuer": True, "concepts": 2}, "reproduced in part"),
        ({"same_year": True, "same_issuer": False, "concepts": 3}, "not reproduced"),
        ({"same_year": False, "same_issuer": True, "concepts": 3}, "not reproduced"),
    ],
)
def test_rule_of_c07(details, verdict):
    assert expansion.C07.rule.decide(made(**details))[0] == verdict


@pytest.mark.parametrize(
    ("years", "issuers", "verdict"),
    [(2, 2, "reproduced"), (2, 1, "reproduced in part"), (1, 2, "not reproduced")],
)
def test_rule_of_c08(years, issuers, verdict):
    found = made(years=years, issuers=issuers, documents=2)
    assert expansion.C08.rule.decide(found)[0] == verdict


# ---- the divide (C09) -----------------------------------------------------------------------


def test_the_worked_example_of_three_gaps():
    first, later = (internet.odds(np.array(pair)) for pair in ([20, 5], [70, 35]))
    assert first[0] / first[1] == pytest.approx(4.75)
    assert later[0] / later[1] == pytest.approx(4.33, abs=0.005)


def test_odds_ratio_agrees_with_scipy_and_statsmodels_and_turns_over():
    urban, rural = 69.1, 33.1
    ours = internet.odds(urban) / internet.odds(rural)
    table = np.array([[691, 309], [331, 669]])
    assert ours == pytest.approx(Table2x2(table).oddsratio)
    assert ours == pytest.approx(contingency.odds_ratio(table, kind="sample").statistic)
    assert internet.odds(100 - urban) / internet.odds(100 - rural) == pytest.approx(1 / ours)


def planted_rates():
    rows = [  # date, side, value, source, status, note
        ("2007-12", "urban", 27.3, "m023", "as_printed", None),
        ("2007-12", "urban", 26.0, "e_kong2020", "as_printed", None),
        ("2007-12", "rural", 7.1, "m023", "as_printed", None),
        ("2007-12", "rural", 7.4, "e_kong2020", "as_printed", None),
        ("2011-12", "urban", 50.0, "m024", "derived", None),
        ("2011-12", "rural", 20.0, "m024", "as_printed", None),
        ("2016-06", "urban", 73.1, "m003", "as_printed", "a share"),
        ("2016-06", "urban", 60.0, "m005", "as_printed", None),
        ("2016-06", "rural", 30.0, "m005", "as_printed", None),
        ("2016-12", "rural", 33.0, "m005", "as_printed", None),
    ]
    frame = pd.DataFrame(rows, columns=["date", "side", "value", "source_id", "status", "note"])
    frame["suspect"] = frame["note"].notna()
    return frame.assign(indicator="internet_penetration_" + frame["side"])


def test_the_divide_pairs_dates_and_leaves_suspects_out(plant):
    plant("market/cnnic", planted_rates())
    table = internet.penetration_gap()
    assert table.index.astype(str).tolist() == ["2007-12", "2011-12", "2016-06"]
    assert table["gap"].tolist() == pytest.approx([20.2, 30, 30])
    assert table["ratio"].iloc[1] == pytest.approx(2.5)
    assert table["odds_ratio"].iloc[1] == pytest.approx(4)
    assert table["status"].tolist() == ["as_printed", "derived", "as_printed"]
    assert internet.penetration_gap(series_2007="recalculated")["gap"].iloc[0] == pytest.approx(
        18.6
    )
    assert len(internet.penetration_gap(mid_year=False)) == 2
    assert len(internet.penetration_gap(derived=False)) == 2
    with pytest.raises(ValueError, match="first printed"):
        internet.penetration_gap(series_2007="other")


def test_slope_by_hand_and_by_statsmodels():
    assert growth.slope([0, 1, 2], [1, 2, 6])[0] == pytest.approx(2.5)
    x, y = np.arange(2009, 2017), np.array([27.8, 27.3, 26.6, 27.7, 28.6, 27.4, 28.4, 27.4])
    fit = sm.OLS(y, sm.add_constant(x.astype(float))).fit()
    assert growth.slope(x, y) == pytest.approx((fit.params[1], *fit.conf_int()[1]))


@pytest.mark.parametrize(
    ("lower", "verdict"), [(3, "reproduced"), (1, "reproduced in part"), (0, "contradicted")]
)
def test_rule_of_c09(lower, verdict):
    assert expansion.C09.rule.decide(made(lower=lower, dates=3))[0] == verdict


# ---- Table 1 and the decomposition (C10) ----------------------------------------------------


def test_table_one_shows_its_gaps():
    table = internet.table_one()
    assert table.index.tolist() == list(range(2009, 2017))
    missing = table.index[table["rate"].isna()].tolist()
    assert missing == [2011, 2012, 2016]
    assert (table.loc[missing, "rate_status"] == "no data").all()
    assert table["share"].notna().all()


def test_table_one_takes_no_value_from_a_neighbour(plant):
    rows = data.load("market/table1")
    plant("market/table1", rows[rows["year"] != 2014])
    assert internet.table_one().loc[2014, ["share", "rate"]].isna().all()
    assert internet.table_one().loc[2014, "share_status"] == "no data"


def test_rural_population_as_published_and_as_implied(plant):
    nation = pd.DataFrame({"year": [2011, 2010], "value": [51.0, 50.0], "source_id": "m045"})
    plant("provinces/national", nation.assign(indicator="urbanisation_rate"))
    assert internet.rural_population().to_dict() == {2010: 50.0, 2011: 49.0}
    rates = planted_rates().iloc[:1].assign(date="2010-12", year=2010)
    total = rates.assign(indicator="internet_penetration_total", value=34.0)
    rural = rates.assign(indicator="internet_penetration_rural", value=17.0)
    plant("market/cnnic", pd.concat([total, rural]))
    share = internet.table_one().loc[2010, "share"]
    assert internet.rural_population("as CNNIC implies").to_dict() == {2010: 2 * share}
    with pytest.raises(ValueError, match="as published"):
        internet.rural_population("guess")


def test_revised_rural_population_weighs_provinces_by_people(plant):
    rows = []
    for code, people, urban in (("11", 100, 90.0), ("12", 300, 50.0)):
        rows.append(("population", "nbs_pop_2023", 2015, code, people))
        rows.append(("urbanisation_rate", "renjiyi_compiled", 2015, code, urban))
    columns = ["indicator", "source_id", "year", "province_code", "value"]
    plant("provinces/panel", pd.DataFrame(rows, columns=columns))
    revised = internet.rural_population("revised after 2020")
    assert revised.to_dict() == {2015: pytest.approx(100 * (10 + 150) / 400)}


def test_the_three_rural_populations_tell_of_the_same_fall():
    for source in internet.POPULATIONS:
        people = internet.rural_population(source)
        assert 40 < people[2016] < people[2010] < 52, source
        assert internet.population_sources(source)


def test_the_worked_example_of_the_decomposition():
    parts = internet.decompose(20, 20, 50, 40)
    assert (parts["ratio_0"], parts["ratio_1"]) == pytest.approx((0.25, 0.375))
    assert internet.recombine(50, 0.375) == pytest.approx(27.3, abs=0.05)
    assert internet.recombine(40, 0.25) == pytest.approx(14.3, abs=0.05)
    assert parts["penetration"] == pytest.approx(6.5, abs=0.05)
    assert parts["population"] == pytest.approx(-6.5, abs=0.05)


def shapley(share_0, share_1, rural_0, rural_1):
    """Mean contribution over all orders, written out from the definition."""
    ratio = [
        np.exp(special.logit(s / 100) - special.logit(p / 100))
        for s, p in ((share_0, rural_0), (share_1, rural_1))
    ]

    def outcome(moved):
        people = rural_1 if "population" in moved else rural_0
        log_ratio = np.log(ratio["penetration" in moved])
        return 100 * special.expit(special.logit(people / 100) + log_ratio)

    parts = {"penetration": 0.0, "population": 0.0}
    for order in itertools.permutations(parts):
        for place, name in enumerate(order):
            parts[name] += (outcome(order[: place + 1]) - outcome(order[:place])) / 2
    return parts


@pytest.mark.parametrize(
    "case", [(27.3, 27.4, 50.05, 42.65), (10, 30, 60, 55), (40, 20, 50, 70), (27, 27, 50, 50)]
)
def test_decomposition_against_shapley_and_on_the_log_scale(case):
    parts = internet.decompose(*case)
    for name, value in shapley(*case).items():
        assert parts[name] == pytest.approx(value, abs=1e-9)
    assert parts["penetration"] + parts["population"] == pytest.approx(parts["change"], abs=1e-9)
    logs = special.logit(case[1] / 100) - special.logit(case[0] / 100)
    assert parts["log_penetration"] + parts["log_population"] == pytest.approx(logs, abs=1e-9)


def test_decomposition_of_a_change_in_one_factor_only():
    only_people = internet.decompose(20, internet.recombine(40, 0.25), 50, 40)
    assert only_people["penetration"] == pytest.approx(0, abs=1e-9)
    only_rates = internet.decompose(20, 30, 50, 50)
    assert only_rates["population"] == pytest.approx(0, abs=1e-9)


def test_the_share_at_constant_population_starts_at_the_share():
    held = internet.held_constant()
    assert held["constant"].iloc[0] == pytest.approx(held["share"].iloc[0])
    first, last = held.iloc[0], held.iloc[-1]
    ratio = internet.odds(last["share"]) / internet.odds(last["rural"])
    assert last["constant"] == pytest.approx(internet.recombine(first["rural"], ratio))


def test_c10_without_a_figure_for_an_end_is_not_testable():
    verdict = expansion.C10.judge(first=2009)
    assert verdict.verdict == "not testable here"
    assert "2009" in verdict.reason


def test_c10_takes_the_choice_of_2012_and_of_derived_years():
    default = expansion.informatisation_evidence()
    lower = expansion.informatisation_evidence(share_2012=27.0)
    assert lower.value != default.value
    assert expansion.informatisation_evidence(derived=False).n < default.n


@pytest.mark.parametrize(
    ("low", "index", "penetration", "verdict"),
    [
        (-1, 0.6, -0.1, "reproduced"),
        (-1, 0.6, 5, "reproduced in part"),
        (0.1, 0.6, 5, "not reproduced"),
        (0.1, 1.0, 5, "contradicted"),
    ],
)
def test_rule_of_c10(low, index, penetration, verdict):
    found = made(interval=(low, 2), highest_index=index, penetration=penetration)
    assert expansion.C10.rule.decide(found)[0] == verdict


# ---- Rural Taobao (C11, C12) ----------------------------------------------------------------


def test_pace_by_hand():
    steps = rural_taobao.pace(300, 10, 1000, deadlines=(20, 5)).to_dict("records")
    assert steps[0] == pytest.approx(
        {"deadline": 20, "so_far": 30, "from_the_start": 50, "from_now": 70, "times": 70 / 30}
    )
    assert steps[1]["from_now"] == np.inf


def planted_rollout():
    rows = [  # indicator, date, precision, inferred, value, source
        ("villages", "2016-02", "month", False, 14000, "m034"),
        ("villages", "2015", "year", False, 5000, "m057"),
        ("villages", "2017-03", "month", False, 30000, "li2017"),
        ("villages", "2018-06", "month", True, 40000, "m033"),
        ("counties", "2016-02", "month", False, 300, "m034"),
        ("counties", "2018-06", "month", True, 700, "m033"),
        ("provinces", "2016-02", "month", False, 20, "m034"),
        ("announced_investment", "2014-10", "month", False, 10, "m030"),
        ("announced_investment", "2014-10", "month", False, 9, "m032"),
        ("target_county_centres", "2014-10", "month", False, 1000, "m030"),
        ("target_village_stations", "2014-10", "month", False, 100000, "m030"),
        ("first_station", "2014-10", "month", False, None, "m032"),
    ]
    columns = ["indicator", "date", "precision", "date_inferred", "value", "source_id"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(operator="Alibaba", place=None, qualifier=None)


def change(frame, indicator, source, **cells):
    frame = frame.copy()
    here = (frame["indicator"] == indicator) & (frame["source_id"] == source)
    assert here.any()
    for column, value in cells.items():
        frame.loc[here, column] = value
    return frame


def test_rollout_orders_dates_and_takes_the_year_of_the_page(plant):
    plant("market/rural_taobao", planted_rollout())
    path = rural_taobao.rollout("villages")
    assert path["month"].astype(str).tolist() == ["2015-12", "2016-02", "2017-03", "2018-06"]
    assert path["inferred"].tolist() == [False, False, False, True]
    assert rural_taobao.rollout("villages", page_year=2017)["month"].iloc[-1] == pd.Period(
        "2017-06"
    )


def test_c11_reads_all_sources_but_the_article(plant):
    plant("market/rural_taobao", planted_rollout())
    found = expansion.announcement_evidence()
    assert found.interval == (9, 10)
    assert (found.n, found.details["target_villages"]) == (2, 100_000)
    assert expansion.C11.judge().verdict == "reproduced"
    later = change(planted_rollout(), "announced_investment", "m032", date="2015-01")
    plant("market/rural_taobao", later)
    assert expansion.C11.judge().verdict == "reproduced in part"
    plant("market/rural_taobao", change(planted_rollout(), "announced_investment", "m032", value=1))
    assert expansion.C11.judge().verdict == "reproduced in part"
    rows = planted_rollout()
    plant("market/rural_taobao", rows[rows["indicator"] != "announced_investment"])
    assert expansion.C11.judge().verdict == "not testable here"


def test_c12_brackets_the_counts_of_the_article(plant):
    plant("market/rural_taobao", planted_rollout())
    found = expansion.reach_evidence()
    assert (found.details["same"], found.details["inside"]) == (0, 3)
    assert (found.details["villages_before"], found.details["villages_after"]) == (14000, 40000)
    assert found.details["months"] == 29
    assert found.details["county_share_high"] > found.details["county_share_low"]
    assert expansion.C12.judge().verdict == "reproduced in part"
    plant("market/rural_taobao", change(planted_rollout(), "villages", "m033", value=20000))
    assert expansion.C12.judge().verdict == "not reproduced"
    rows = planted_rollout()
    plant("market/rural_taobao", rows[rows["source_id"] != "m033"])
    verdict = expansion.C12.judge()
    assert verdict.verdict == "reproduced in part"
    assert "no earlier or no later" in verdict.reason


def test_c12_is_reproduced_by_another_source_of_that_month(plant):
    rows = planted_rollout()
    stated = [
        rows.iloc[[0]].assign(indicator=name, date="2017-03", value=value, source_id="m045")
        for name, value in expansion.STATED.items()
    ]
    plant("market/rural_taobao", pd.concat([rows, *stated]))
    assert expansion.C12.judge().verdict == "reproduced"


def test_shares_of_all_villages_and_counties():
    found = expansion.reach_evidence(
        villages_of="codes of the statistics office, 2016", counties_of="without urban districts"
    )
    villages = provinces.national_value("administrative_villages", "nbs_divcodes_2016")
    assert found.value == pytest.approx(100 * 30_000 / villages, abs=0.005)
    assert found.details["county_share"] == found.details["county_share_high"]


# ---- shoppers (C13) -------------------------------------------------------------------------


def test_growth_a_year_by_hand():
    values = pd.Series({2010: 25.0, 2013: 50.0, 2014: np.nan})
    assert growth.yearly_growth(values, 2010, 2013) == pytest.approx(25.99, abs=0.005)
    assert 25 * (1 + growth.yearly_growth(values, 2010, 2013) / 100) ** 3 == pytest.approx(50)
    with pytest.raises(ValueError, match="2014"):
        growth.yearly_growth(values, 2013, 2014)
    with pytest.raises(ValueError, match="order"):
        growth.yearly_growth(values, 2013, 2010)


def test_shoppers_keep_their_gaps_and_add_up():
    table = internet.shoppers()
    assert table.index[table["rural"].isna()].tolist() == [2011, 2012, 2016]
    known = table.dropna()
    assert (known["rural"] + known["urban"]).tolist() == pytest.approx(known["total"].tolist())
    half = internet.shoppers(share_2015=50)
    assert half.loc[2015, "rural"] == pytest.approx(half.loc[2015, "urban"])


@pytest.mark.parametrize(
    ("rate", "urban", "earlier", "verdict", "word"),
    [
        (30.0, 10, 20, "reproduced", "and faster than before"),
        (30.0, 10, 40, "reproduced in part", "not faster than in the years before"),
        (30.0, 40, 20, "reproduced in part", "not faster than in the cities"),
        (30.0, 40, 40, "not reproduced", "Neither"),
        (-1.0, -5, -5, "contradicted", "did not grow"),
    ],
)
def test_rule_of_c13(rate, urban, earlier, verdict, word):
    found = expansion.C13.rule.decide(made(value=rate, urban=urban, earlier=earlier))
    assert found[0] == verdict
    assert word in found[1]


# ---- all series (C14) -----------------------------------------------------------------------


def test_largest_rise_by_hand():
    values = pd.Series({2010: 1.0, 2011: 3.0, 2012: 9.0, 2013: np.nan, 2014: 99.0, 2015: 100.0})
    assert growth.largest_rise(values) == 2012  # 2014 follows a gap
    assert growth.largest_rise(values, relative=True) in (2011, 2012)
    tripled = pd.Series({2010: 1.0, 2011: 4.0, 2012: 9.0})
    assert growth.largest_rise(tripled) == 2012
    assert growth.largest_rise(tripled, relative=True) == 2011
    assert growth.largest_rise(pd.Series({2010: 5.0, 2011: 4.0})) is None
    assert growth.largest_rise(pd.Series({2010: 5.0, 2012: 6.0}).reindex(range(2010, 2013))) is None
    started = pd.Series({2012: 0.0, 2013: 2.0, 2014: 200.0})
    assert growth.largest_rise(started, relative=True) == 2013


def test_what_was_offered_begins_even_without_a_count():
    values = pd.Series({2012: 0.0, 2013: 0.0, 2014: np.nan, 2015: 60.0, 2016: 600.0})
    assert expansion.turn(values, expansion.OFFERED) == 2014
    assert expansion.turn(values, expansion.DONE) == 2016
    assert expansion.turn(values.where(values != 0, 1.0), expansion.OFFERED) == 2016


def test_series_stand_on_one_page_with_their_gaps():
    page = expansion.yearly_series()
    assert list(page.columns) == list(expansion.SERIES)
    assert page.index.tolist() == list(range(2009, 2017))
    assert pd.isna(page.loc[2014, "Rural Taobao villages"])
    assert page.loc[2010:2011, "Taobao Villages"].isna().all()
    assert page.loc[[2014, 2015], "Rural penetration, %"].isna().all()
    assert page["Demonstration counties, in all"].is_monotonic_increasing
    assert page.loc[2013, "Demonstration counties, in all"] == 0


def test_batches_of_counties_add_up_and_conflicting_sources_do_not(plant):
    batches = pd.DataFrame({"year_from": [2014, 2014, 2015], "value": [50.0, 56.0, 200.0]})
    batches = batches.assign(scope="national", indicator="n_counties", source_id="m155")
    plant("market/demo_counties", batches)
    counties = expansion.yearly_series(last=2015)["Demonstration counties, in all"]
    assert counties.loc[2013:].tolist() == [0, 56, 256]


def test_of_several_totals_the_highest_counts_from_the_best_source(plant):
    rows = [
        (2014, 211, "m045"),
        (2014, 212, "m033"),
        (2014, 212, "xrwang2014"),
        (2015, 780, "m045"),
    ]
    totals = pd.DataFrame(rows, columns=["year", "n_villages", "source_id"])
    plant("villages/national", totals)
    found = expansion._totals(2014)
    assert found["n_villages"].tolist() == [212]
    best = data.sources(["m033", "xrwang2014"])["reliability"].sort_values().index[0]
    assert found["source_id"].tolist() == [best]


def test_a_series_without_the_figures_of_the_turn_cannot_tell():
    found = expansion.phase_evidence().details
    place = list(expansion.SERIES).index("Rural penetration, %") + 1
    assert found[f"year_{place}"] == "cannot tell"
    assert found["offered_of"] + found["done_of"] + found["unknown"] == found["series"]


def test_a_wider_window_counts_no_fewer_series():
    narrow, wide = (expansion.phase_evidence(window=window) for window in (0, 1))
    assert wide.value >= narrow.value
    assert "year after" in wide.unit


@pytest.mark.parametrize(
    ("offered", "done", "verdict"),
    [
        ((2, 3), (2, 4), "reproduced"),
        ((2, 3), (1, 4), "reproduced in part"),
        ((1, 3), (2, 4), "reproduced in part"),
        ((1, 3), (1, 4), "not reproduced"),
        ((2, 3), (0, 0), "reproduced in part"),
    ],
)
def test_rule_of_c14(offered, done, verdict):
    found = made(offered=offered[0], offered_of=offered[1], done=done[0], done_of=done[1])
    assert expansion.C14.rule.decide(found)[0] == verdict


def test_sources_in_one_cell_are_told_apart():
    assert data.source_ids(pd.Series(["b;a", "a"])) == ["a", "b"]

"""The article held against its future: forecasts, bounds, rules, and what changed between."""

import inspect
import json
import math
import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from taobao_villages import data
from taobao_villages.chapters import after_2017
from taobao_villages.subjects import later, literature, platforms
from taobao_villages.verdicts.claims import Claim, Evidence, Rule
from taobao_villages.verdicts.forecasts import VERDICTS, Forecast, ForecastError, panel_lines

KEYS = [item.key for item in after_2017.FORECASTS]


def made_up(value=1, **changes):
    """Evidence for a rule, with what the rule reads."""
    return Evidence(**({"value": value, "unit": "x", "sources": ["li2017"]} | changes))


def verdict(key, value=1, **changes):
    return after_2017.BY_KEY[key].rule.decide(made_up(value, **changes))[0]


def planted(counts, months):
    """Dated totals as `totals` returns them."""
    when = [pd.Period(month, "M") for month in months]
    years = [month.year for month in when]
    since = [(month - pd.Period("2009-12", "M")).n / 12 for month in when]
    return pd.DataFrame({"n": counts, "month": when, "years": since}, index=years).astype(
        {"n": float}
    )


def doubling(last=2022):
    """Totals that double every year from 2009 on."""
    years = range(2009, last + 1)
    return planted([2.0 ** (y - 2008) for y in years], [f"{y}-12" for y in years])


# ---- dated totals -----------------------------------------------------------------------------


def test_totals_have_a_month_and_keep_the_gap():
    table = later.totals()
    assert 2010 not in table.index
    assert 2011 not in table.index
    assert str(table.loc[2016, "month"]) == "2016-08"
    assert str(table.loc[2017, "month"]) == "2017-12"
    assert table["years"].is_monotonic_increasing
    assert table["month"].notna().all()


def test_choices_reach_the_totals():
    assert later.totals(total_2014=211).loc[2014, "n"] == 211
    assert str(later.totals(first="2013-06").loc[2013, "month"]) == "2013-06"
    assert {m.month for m in later.totals(dates="calendar")["month"]} == {12}


def test_no_year_after_2014_has_two_totals():
    # `totals` takes the larger; this says that it never has to choose unseen
    table = data.load("villages/national").dropna(subset=["n_villages"])
    several = table.groupby("year")["n_villages"].nunique()
    assert set(several[several > 1].index) <= {2014}


# ---- forecasts --------------------------------------------------------------------------------


def test_naive_forecasts_by_hand():
    # 780 to 1,311 in eight months are 66.375 a month and a factor of 1.6808 in eight months;
    # the list of 2017 is sixteen months on: 1311 + 1062 = 2373, and 1311 * 1.6808**2 = 3704.
    table = later.totals()
    added = later.forecast("same increment", table).loc[2017, "forecast"]
    grown = later.forecast("same growth", table).loc[2017, "forecast"]
    assert added == pytest.approx(1311 + 16 * (1311 - 780) / 8)
    assert grown == pytest.approx(1311 * (1311 / 780) ** 2)


@pytest.mark.parametrize("method", later.METHODS)
def test_a_forecast_sees_nothing_after_2016(method):
    table = later.totals()
    other = table.copy()
    other.loc[2017:, "n"] *= 7
    columns = ["forecast", "low", "high"]
    one, two = (later.forecast(method, t) for t in (table, other))
    pd.testing.assert_frame_equal(one[columns], two[columns])
    assert (two["actual"] == 7 * one["actual"]).all()


@pytest.mark.parametrize("method", later.METHODS)
def test_an_interval_holds_its_own_forecast(method):
    made = later.forecast(method, later.totals())
    assert list(made.index) == list(range(2017, 2023))
    assert made.notna().all(axis=None)
    assert (made["low"] <= made["forecast"]).all()
    assert (made["forecast"] <= made["high"]).all()


def test_doubling_is_foreseen_by_the_same_growth_and_by_the_curve():
    table = later.scores(doubling())
    assert table.loc["same growth", "off_2022"] == pytest.approx(1)
    assert table.loc["same increment", "off_2022"] > 2
    assert table.loc["same increment", "too_high"] == 0
    noisy = doubling()
    noisy.loc[2010, "n"] *= 1.1  # a perfect fit has no logarithm of its error
    made = later.forecast("chosen curve", noisy)
    assert made.loc[2022, "forecast"] == pytest.approx(made.loc[2022, "actual"], rel=0.15)


def test_equal_increments_are_foreseen_by_the_same_increment():
    table = planted(np.arange(100, 1500, 100), [f"{y}-12" for y in range(2009, 2023)])
    score = later.scores(table).loc["same increment"]
    assert score["off_2022"] == pytest.approx(1)
    assert score["covered"] == score["n"] == 6


def test_errors_are_factors_and_half_is_as_wrong_as_double():
    # the last two lists are half and double of what the same growth foretells
    table = doubling(2018)
    table.loc[2017, "n"] *= 2
    table.loc[2018, "n"] /= 2
    score = later.scores(table).loc["same growth"]
    assert score["off_2018"] == pytest.approx(2)
    assert score["too_high"] == 1


def test_the_curves_agree_with_a_second_implementation():
    table = later.totals()
    known = table.loc[:2016]
    line = stats.linregress(known["years"], np.log(known["n"]))
    at = table.loc[2022, "years"]
    made = later.curves(table).loc["exponential", "forecast"].loc[2022]
    assert made["forecast"] == pytest.approx(math.exp(line.intercept + line.slope * at))
    # prediction interval: t * s * sqrt(1 + 1/n + (x - mean)^2 / Sxx)
    x, n = known["years"], len(known)
    left = np.log(known["n"]) - line.intercept - line.slope * x
    s = math.sqrt((left**2).sum() / (n - 2))
    h = 1 / n + (at - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
    half = stats.t.ppf(0.975, n - 2) * s * math.sqrt(1 + h)
    assert math.log(made["high"] / made["forecast"]) == pytest.approx(half)
    assert math.log(made["forecast"] / made["low"]) == pytest.approx(half)


def test_aicc_differs_between_curves_as_by_their_likelihood():
    table = later.totals()
    known, fits = table.loc[:2016], later.curves(table)
    t, y, n = known["years"].to_numpy(), np.log(known["n"].to_numpy()), len(known)
    by_likelihood = {}
    for name, columns in (("exponential", [t]), ("quadratic", [t, t**2])):
        fitted = sm.OLS(y, sm.add_constant(np.column_stack(columns))).fit()
        k = len(fitted.params) + 1
        by_likelihood[name] = -2 * fitted.llf + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    assert fits["aicc"]["quadratic"] - fits["aicc"]["exponential"] == pytest.approx(
        by_likelihood["quadratic"] - by_likelihood["exponential"]
    )


def test_a_curve_with_too_few_totals_is_never_chosen():
    fits = later.curves(later.totals(), train_from=2012)
    assert np.isinf(fits.loc["quadratic", "aicc"])
    assert np.isfinite(fits.loc["exponential", "aicc"])


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="same growth"):
        later.forecast("gut feeling", later.totals())


# ---- the definition ---------------------------------------------------------------------------


def version(*rows):
    """A version of a definition: (unit, number, logic) a row."""
    return pd.DataFrame(rows, columns=["unit", "threshold_number", "logic"])


BEFORE = version(("shops", 50.0, "OR"), ("%", 10.0, "OR"))


@pytest.mark.parametrize(
    ("after", "change"),
    [
        (BEFORE, ""),
        (version(("shops", 100.0, "OR"), ("%", 10.0, "OR")), "stricter"),
        (version(("shops", 50.0, "OR"), ("%", 10.0, "OR"), ("RMB", 3.0, "OR")), "wider"),
        (version(("shops", 50.0, "OR"), ("%", 10.0, "OR"), ("place", np.nan, "AND")),
         "spelled out"),
        (version((np.nan, np.nan, "scope change")), "narrower"),
    ],
)  # fmt: skip
def test_each_sort_of_change_is_told_apart(after, change):
    assert later._change(BEFORE, after) == change


def test_changes_of_the_published_definitions():
    table = later.changes().set_index(["object", "year"])["change"]
    assert table["villages"].to_dict() == {2015: "stricter", 2019: "spelled out", 2020: "narrower"}
    assert table["towns"].to_dict() == {2019: "wider", 2020: "narrower"}


@pytest.mark.parametrize(
    ("start", "end", "what", "measure", "answer"),
    [
        (2016, 2018, "villages", "growth", "yes"),
        (2018, 2019, "villages", "growth", "probably"),
        (2018, 2020, "villages", "growth", "as a lower bound"),
        (2018, 2020, "villages", "share", "no: who left the list is not known"),
        (2018, 2019, "towns", "growth", "no"),
        (2020, 2021, "towns", "growth", "yes"),
    ],
)
def test_which_comparisons_survive(start, end, what, measure, answer):
    assert later.survives(start, end, what=what, measure=measure) == answer


def test_a_change_counts_from_its_own_list_on():
    assert later.between(2019, 2020) == ["2020 narrower"]
    assert later.between(2018, 2019, strict=False) == []
    assert later.between(2020, 2021) == []


def test_comparisons_fit_a_table():
    assert len(later.comparisons()) <= 12


# ---- bounds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2014, 2015, 2016])
def test_complete_lists_leave_nothing_open(year):
    limits = later.province_limits(year)
    assert (limits["low"] == limits["high"]).all()
    assert limits["low"].sum() == later.totals().loc[year, "n"]


@pytest.mark.parametrize("year", range(2017, 2023))
def test_bounds_of_later_years_hold_what_is_printed(year):
    limits = later.province_limits(year)
    assert (limits["low"] <= limits["high"]).all()
    assert limits["low"].sum() <= later.totals().loc[year, "n"]
    counts = data.load("villages/province_year")
    counts = counts[counts["year"] == year].groupby("province_code")["n_villages"].max()
    assert (limits.loc[counts.index, "low"] == counts).all()
    assert np.isinf(limits["high"]).any(), "a later year is never complete"


def test_a_rank_bounds_a_province_between_its_neighbours():
    # 2019: Zhejiang 1573, Guangdong 798, Jiangsu third, Shandong 450, Hebei fifth, Fujian 318
    limits = later.province_limits(2019)
    assert tuple(limits.loc["32"]) == (450, 798)
    assert tuple(limits.loc["13"]) == (318, 450)


def test_over_a_hundred_is_at_least_one_more():
    assert tuple(later.province_limits(2017).loc["35"]) == (101, np.inf)


def test_the_worked_example_of_the_chapter(monkeypatch):
    limits = pd.DataFrame(
        {"low": [50, 20, 20, 0], "high": [50, 20, 50, np.inf]}, index=list("ABCD")
    )
    monkeypatch.setattr(later, "province_limits", lambda year: limits)
    monkeypatch.setattr(later, "total_of", lambda year: 100)
    monkeypatch.setattr(later, "members", lambda flag: set("ABC"))
    assert later.share_limits(2020, "three") == (90, 100)
    assert later.share_limits(2020, "three", outside=5) == (90, 95)


def test_the_six_provinces_are_exact_where_all_are_counted():
    six = later.six_limits()
    for year in (2014, 2015, 2016, 2018):
        assert six.loc[year, "low"] == pytest.approx(six.loc[year, "high"])
    assert six.loc[2018, "low"] == pytest.approx(100 * 3067 / 3202)
    assert (six["low"] <= six["high"]).all()


def test_inland_agrees_with_what_is_printed_for_2016_and_2018():
    table = later.inland()
    assert table.loc[2016, "low"] == table.loc[2016, "high"] == 25 + 5
    assert table.loc[2018, "low"] == table.loc[2018, "high"] == 99 + 14
    assert (table["share_low"] <= table["share_high"]).all()


def test_conflicting_figures_of_2019_are_both_kept():
    assert tuple(later.inland().loc[2019, ["low", "high"]]) == (150, 172)


def test_a_year_known_in_part_is_a_bound():
    row = later.inland().loc[2017]
    assert row["basis"] == "bounds"
    assert row["low"] == 68 < row["high"]


def test_without_doubtful_figures_less_is_known():
    sure, all_ = later.inland(doubtful=False), later.inland()
    assert sure.loc[2021, "low"] > all_.loc[2021, "low"]
    assert sure.loc[2021, "high"] == all_.loc[2021, "high"]


# ---- pace -------------------------------------------------------------------------------------


def parts(**years):
    """Part counts: y2015=(low, high)."""
    rows = {int(year[1:]): ends for year, ends in years.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high"]).rename_axis("year")


def test_pace_by_hand():
    # all: 780 to 3202; a part of 10 to 45: 4.5 times; the rest: 3157 / 770 = 4.1 times
    (row,) = later.pace(parts(y2015=(10, 10), y2018=(45, 45))).itertuples()
    assert row.part_low == row.part_high == pytest.approx(4.5)
    assert row.other_low == row.other_high == pytest.approx(3157 / 770)
    assert row.faster == "yes"
    assert row.comparable
    (row,) = later.pace(parts(y2015=(10, 10), y2018=(45, 45)), against="all").itertuples()
    assert row.other_low == pytest.approx(3202 / 780)


@pytest.mark.parametrize(
    ("end", "faster"), [((20, 30), "no"), ((60, 70), "yes"), ((30, 60), "depends")]
)
def test_pace_says_when_the_sources_do_not_decide(end, faster):
    (row,) = later.pace(parts(y2015=(10, 10), y2018=end)).itertuples()
    assert row.faster == faster


def test_a_part_that_grows_like_the_rest_is_not_faster():
    (row,) = later.pace(parts(y2015=(78, 78), y2018=(320.2, 320.2))).itertuples()
    assert row.part_low == pytest.approx(row.other_low)


def test_pairs_across_a_change_are_marked():
    pairs = later.pace(parts(y2015=(1, 1), y2018=(2, 2), y2020=(3, 3)))
    marked = pairs.set_index(["from", "to"])["comparable"]
    assert marked.to_dict() == {(2015, 2018): True, (2015, 2020): False, (2018, 2020): False}
    loose = later.pace(parts(y2018=(2, 2), y2019=(3, 3)), strict=False)
    assert loose["comparable"].all()


def test_poor_counties_keep_gap_and_conflict():
    table = later.poor()
    assert 2016 not in table.index
    assert tuple(table.loc[2018, ["low", "high"]]) == (43, 45)
    assert table.loc[2020, "share_high"] == pytest.approx(100 * 119 / 5425)


# ---- the platform -----------------------------------------------------------------------------


def shares_of(*rows):
    """Shares of Alibaba as `retail.printed_shares` returns them: year, share, market, covers."""
    columns = ["year", "share", "market", "covers"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(firm="Alibaba", source_id="m216")


def test_each_name_of_the_market_keeps_its_own_last_share(monkeypatch):
    table = shares_of(
        (2013, 80, "online retail", "whole year"),
        (2013, 45, "e-commerce", "whole year"),
        (2021, 51, "online retail", "whole year"),
        (2023, 41, "e-commerce", "printed before its end"),
    )
    monkeypatch.setattr(platforms, "printed_shares", lambda: table)
    judged = after_2017.BY_KEY["platform"].judge
    assert judged().evidence.interval == (41, 51)
    assert judged().verdict == "open"
    assert judged(market="latest figure alone").verdict == "wrong"
    assert judged(market="online retail alone").evidence.interval == (51, 51)
    assert judged(forecasts=False).evidence.interval == (51, 51)
    nothing = judged(market="latest figure alone", forecasts=False)
    assert nothing.evidence.value == 51
    with pytest.raises(ValueError, match="all shops"):
        judged(market="all shops")


def test_a_share_is_held_against_earlier_ones_of_the_same_name(monkeypatch):
    """Else the low shares of one maker would let any later one pass."""
    rows = [(2013, 80, "online retail", "whole year"), (2013, 45, "e-commerce", "whole year")]
    for last, kept in (((2021, 60, "online retail"), False), ((2021, 80, "online retail"), True)):
        table = shares_of(*rows, (*last, "whole year"))
        monkeypatch.setattr(platforms, "printed_shares", lambda table=table: table)
        assert after_2017.platform_evidence().details["no_lower"] is kept
    table = shares_of(*rows, (2021, 90, "online sales", "whole year"))
    monkeypatch.setattr(platforms, "printed_shares", lambda: table)
    assert not after_2017.platform_evidence().details["no_lower"]  # nothing to compare with


def test_the_plan_for_stations_hangs_on_one_inferred_date():
    assert after_2017.BY_KEY["stations"].judge().verdict == "wrong"
    assert after_2017.BY_KEY["stations"].judge(doubtful=False).verdict == "open"


def test_later_findings_come_from_the_table():
    table = literature.later_findings()
    assert table.notna().all(axis=None)
    trial = table[table["study"] == "Couture et al. 2021"].set_index("question")["finding"]
    assert trial["Income of rural sellers"].startswith("no ")
    assert (table["study"].str[-4:].astype(int) > 2017).all()


# ---- rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reached", "reached_2018", "expected"),
    [(6, 2, "right"), (0, 0, "wrong"), (3, 0, "open"), (3, 1, "open")],
)
def test_rule_of_growth(reached, reached_2018, expected):
    found = {"reached": reached, "reached_2018": reached_2018}
    assert verdict("growth", details=found, n=6) == expected


@pytest.mark.parametrize(
    ("covered", "beaten", "expected"),
    [(5, 2, "right"), (6, 0, "wrong"), (2, 2, "wrong"), (6, 1, "open"), (4, 2, "open")],
)
def test_rule_of_the_model(covered, beaten, expected):
    found = {"covered": covered, "beaten": beaten, "naive": 2}
    assert verdict("model", details=found, n=6) == expected


@pytest.mark.parametrize(
    ("ends", "expected"), [((91, 94), "right"), ((80, 90), "wrong"), ((85, 95), "open")]
)
def test_rule_of_the_coast(ends, expected):
    made = made_up(interval=ends, interval_kind="x", details={"fall": 1})
    assert after_2017.BY_KEY["coast"].rule.decide(made)[0] == expected


def test_the_rule_of_the_coast_says_whether_the_share_fell():
    for fall, word in ((1, "has fallen"), (-1, "has not fallen")):
        made = made_up(interval=(91, 94), interval_kind="x", details={"fall": fall})
        assert word in after_2017.BY_KEY["coast"].rule.decide(made)[1]


@pytest.mark.parametrize(
    ("value", "ends", "expected"),
    [(6.9, (3, 6.9), "right"), (15, (12, 15), "wrong"), (12, (3, 12), "open")],
)
def test_rule_of_inland(value, ends, expected):
    assert verdict("inland", value, interval=ends, interval_kind="x") == expected


@pytest.mark.parametrize(
    ("faster", "expected"), [("yes", "wrong"), ("no", "right"), ("depends", "open")]
)
def test_rule_of_catching_up(faster, expected):
    assert verdict("catch_up", details={"faster": faster}) == expected


@pytest.mark.parametrize(
    ("over", "under", "expected"), [(2, 0, "right"), (0, 2, "wrong"), (1, 1, "open")]
)
def test_rule_of_the_south(over, under, expected):
    found = {"over": over, "under": under, "definitions": 2}
    assert verdict("south", details=found) == expected


@pytest.mark.parametrize(
    ("ends", "expected"), [((2, 4), "right"), ((0.2, 0.9), "wrong"), ((0.5, 2), "open")]
)
def test_rule_of_the_deltas(ends, expected):
    assert verdict("delta", interval=ends, interval_kind="x") == expected


@pytest.mark.parametrize(
    ("faster", "slower", "expected"), [(0, 3, "right"), (3, 0, "wrong"), (2, 1, "open")]
)
def test_rule_of_the_poor(faster, slower, expected):
    found = {"faster": faster, "slower": slower, "pairs": 3}
    assert verdict("poverty", details=found) == expected


@pytest.mark.parametrize(
    ("no_lower", "ends", "expected", "why"),
    [
        (True, (75, 76), "right", "no lower"),
        (False, (40, 45), "wrong", "no longer has half"),
        (False, (48, 55), "open", "depends on what"),
        (False, (50, 55), "open", "still has about half"),
    ],
)
def test_rule_of_the_platform(no_lower, ends, expected, why):
    made = made_up(interval=ends, interval_kind="x", details={"no_lower": no_lower})
    told, reason = after_2017.BY_KEY["platform"].rule.decide(made)
    assert told == expected
    assert why in reason


@pytest.mark.parametrize(
    ("value", "months", "expected"),
    [(100, 20, "right"), (30, 44, "wrong"), (30, 29, "open"), (60, 44, "open")],
)
def test_rule_of_the_stations(value, months, expected):
    assert verdict("stations", value, details={"months": months}) == expected


@pytest.mark.parametrize(
    ("value", "last", "expected"),
    [(20001, 2028, "right"), (15000, 2030, "wrong"), (7780, 2022, "open")],
)
def test_rule_of_the_decade(value, last, expected):
    found = {"foretold": 20000, "due": "2030", "last": str(last)}
    assert verdict("decade", value, details=found) == expected


@pytest.mark.parametrize(
    ("reports", "forced", "expected"), [(5, 2, "right"), (5, 1, "open"), (0, 0, "open")]
)
def test_rule_of_campaigns(reports, forced, expected):
    assert verdict("campaign", details={"reports": reports, "forced": forced}) == expected


@pytest.mark.parametrize(("by_kin", "expected"), [(2, "right"), (1, "open"), (0, "open")])
def test_rule_of_kin(by_kin, expected):
    assert verdict("kin", details={"by_kin": by_kin}) == expected


@pytest.mark.parametrize(
    ("provinces", "joint", "expected"), [(3, 1, "right"), (3, 0, "open"), (2, 1, "open")]
)
def test_rule_of_corporatism(provinces, joint, expected):
    assert verdict("corporatism", details={"provinces": provinces, "joint": joint}) == expected


def test_rule_of_protection_is_open_but_says_why():
    reasons = {
        after_2017.BY_KEY["protection"].rule.decide(made_up(details={"disputes": n}))
        for n in (0, 2)
    }
    assert {found for found, _ in reasons} == {"open"}
    assert len(reasons) == 2


def test_silence_never_makes_a_worry_wrong():
    for key in ("campaign", "kin", "corporatism", "protection"):
        assert set(after_2017.BY_KEY[key].all_variants()["verdict"]) <= {"right", "open"}


# ---- every forecast ---------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
def test_each_forecast_is_whole(key):
    item = after_2017.BY_KEY[key]
    row = item.judge().as_dict()
    assert row["verdict"] in VERDICTS
    assert row["reason"].endswith(".")
    assert row["sources"]
    assert len(row["rule"]) > 40
    assert row["limits"]
    assert not re.search(r"\d", re.sub(r"\b20\d\d\b", "", item.statement))
    assert set(item.claim_ids) <= set(data.load("claims")["claim_id"])
    assert key in after_2017.LABELS
    json.dumps(row, allow_nan=False)


@pytest.mark.parametrize("key", KEYS)
def test_variants_are_arguments_and_all_run(key):
    item = after_2017.BY_KEY[key]
    parameters = inspect.signature(item.evidence).parameters
    for name, values in item.variants.items():
        assert values[0] == parameters[name].default
    table = item.all_variants()
    assert len(table) == math.prod(len(values) for values in item.variants.values())
    assert set(table["verdict"]) <= set(VERDICTS)
    assert table.iloc[0]["verdict"] == item.judge().verdict


def test_a_verdict_outside_the_three_is_refused():
    item = Forecast("odd", (), "Odd.", made_up, Rule("Odd.", lambda found: ("maybe", "")))
    with pytest.raises(ForecastError, match="maybe"):
        item.judge()


def test_missing_data_leave_a_forecast_open_whatever_the_rule_says():
    rule = Rule("Always.", lambda found: ("right", ""))
    item = Forecast("none", (), "None.", lambda: made_up(None, limits="No list."), rule)
    assert (item.judge().verdict, item.judge().reason) == ("open", "No list.")


def test_this_chapter_declares_no_claim():
    assert not [item for item in vars(after_2017).values() if isinstance(item, Claim)]


@pytest.fixture(scope="module")
def entries():
    return after_2017.forecasts()


def test_entries_have_the_shape_of_the_ledger_and_count_their_variants(entries):
    assert [row["id"] for row in entries] == [f"F_{key}" for key in KEYS]
    for row in entries:
        assert {"id", "value", "unit", "interval", "n", "verdict", "details"} <= set(row)
        assert 1 <= row["details"]["agree"] <= row["details"]["variants"]


def test_no_detail_hides_behind_a_name_that_the_prose_has_for_something_else(entries):
    taken = {"verdict", "reason", "stated", "value", "n", "low", "high"}
    for row in entries:
        assert not taken & set(row["details"]), row["id"]


def test_the_json_is_that_of_the_entries(entries, monkeypatch):
    monkeypatch.setattr(after_2017, "forecasts", lambda: entries)
    assert json.loads(after_2017.forecasts_json()) == json.loads(json.dumps(entries))


def test_the_scorecard_is_computed(entries, monkeypatch):
    entries = [row | {"verdict": "wrong"} if row["id"] == "F_delta" else row for row in entries]
    monkeypatch.setattr(after_2017, "forecasts", lambda: entries)
    card = after_2017.scorecard()
    assert list(card["verdict"]) == [row["verdict"] for row in entries]
    assert len(after_2017.IN_NUMBERS) <= 12
    assert len(after_2017.FORECASTS) - len(after_2017.IN_NUMBERS) <= 12


def test_a_panel_escapes_what_it_prints_and_names_the_verdict():
    item = Forecast("x", (), "<b>", made_up, Rule("Rule.", lambda found: ("open", "Because.")))
    shown = item.judge()._repr_mimebundle_()
    assert "<b>" not in shown["text/html"]
    assert "Forecast: open" in shown["text/html"]
    assert shown["application/vnd.taobao-villages.forecast+json"]["verdict"] == "open"
    terms = [term for term, _ in panel_lines(item.judge().as_dict())]
    assert terms == ["The forecast, in our words", "What is known", "Rule", "Verdict", "One source"]

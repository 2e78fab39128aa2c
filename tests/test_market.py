"""The chapter on internet giants: worked cases, known properties, second implementations."""

import inspect

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from taobao_villages import data
from taobao_villages.chapters import market
from taobao_villages.methods import growth, inequality
from taobao_villages.subjects import firms, retail
from taobao_villages.verdicts.claims import Evidence

IDS = ("C01", "C02", "C03", "C04", "C05", "C57")


@pytest.fixture
def planted(put):
    """Puts made-up tables in the place of some of the data package's."""

    def plant(**tables):
        for name, frame in tables.items():
            put(name.replace("__", "/"), frame)

    return plant


def retail_rows(*rows):
    """Rows of market/online_retail: indicator, year, value and perhaps unit, source and status."""
    columns = ["indicator", "year", "value", "unit", "source_id", "status"]
    standard = [None, None, None, "RMB billion", "m037", "as_printed"]
    frame = pd.DataFrame([[*row, *standard[len(row) :]] for row in rows], columns=columns)
    return frame.assign(precision="year")


# ---- totals ---------------------------------------------------------------------------------


def test_only_whole_years_and_no_forecasts(planted):
    rows = retail_rows(("x", 2015, 10.0), ("x", 2016, 30.0, "RMB billion", "m037", "forecast"))
    half = retail_rows(("x", 2016, 5.0)).assign(precision="half")
    planted(market__online_retail=pd.concat([rows, half], ignore_index=True))
    assert retail.totals("x")["value"].tolist() == [10]
    assert retail.totals("x", forecasts=True)["value"].tolist() == [10, 30]


def test_an_indicator_without_annual_figures_is_named():
    with pytest.raises(ValueError, match="nonsense"):
        retail.totals("nonsense")
    with pytest.raises(ValueError, match="b2c_gmv_analysys"):
        retail.totals("b2c_gmv_analysys")


def test_a_year_with_two_figures_has_a_lowest_and_a_highest(planted):
    planted(market__online_retail=retail_rows(("x", 2015, 10.0), ("x", 2015, 14.0)))
    assert retail.series("x").to_dict() == {2015: 10}
    assert retail.series("x", pick="highest").to_dict() == {2015: 14}
    with pytest.raises(ValueError, match="highest"):
        retail.series("x", pick="mean")


def test_dollars_and_yuan_are_converted_at_the_rate_of_the_year(planted):
    planted(
        market__online_retail=retail_rows(
            ("exchange_rate_rmb_per_usd", 2012, 6.0, "RMB per USD"),
            ("exchange_rate_rmb_per_usd", 2013, 5.0, "RMB per USD"),
            ("online_retail_cnnic", 2012, 600.0),
            ("online_retail_cnnic", 2013, 200.0, "USD billion"),
            ("online_retail_cnnic", 2014, 300.0, "USD billion"),
        )
    )
    table = retail.online_retail(publishers=["CNNIC"]).set_index("year")
    assert table["usd"].to_dict() == {2012: 100, 2013: 200}  # no rate of 2014: left out
    assert table["rmb"].to_dict() == {2012: 600, 2013: 1000}


def test_publishers_stand_in_their_order_without_the_article():
    table = retail.by_publisher()
    assert list(table.index) == [name for name in retail.PUBLISHERS if name in table.index]
    assert np.isnan(table.loc["iResearch", "low_2012"])  # the article is the only source
    assert table.loc["iResearch", "low_2016"] == pytest.approx(4.7)
    assert (table["low_2016"].dropna() <= table["high_2016"].dropna()).all()


# ---- growth ---------------------------------------------------------------------------------


def test_compound_growth_by_hand():
    # 100 to 121 in two years is 10% a year; 1.2 to 4.7 in four is 40.7%
    assert growth.cagr(100, 121, 2) == pytest.approx(10)
    assert growth.cagr(1.2, 4.7, 4) == pytest.approx(40.68, abs=0.01)
    assert growth.cagr(1.2, 4.7, 4) == pytest.approx(
        100 * np.expm1(np.log(4.7 / 1.2) / 4)  # by logarithms
    )
    assert growth.cagr(5, 5, 3) == 0
    with pytest.raises(ValueError, match="positive"):
        growth.cagr(0, 5, 3)


def test_rounded_figures_leave_a_range_by_hand():
    # 1.2 may be 1.15 to 1.25, 4.7 may be 4.65 to 4.75: 4.65 / 1.25 = 3.72, 4.75 / 1.15 = 4.13
    ends = growth.rounding_range(1.2, 4.7, 4, step=0.1)
    assert ends["multiple"].round(2).tolist() == [3.72, 4.13]
    assert ends.loc["low", "cagr"] < growth.cagr(1.2, 4.7, 4) < ends.loc["high", "cagr"]


def test_a_constant_rate_is_found_without_a_residual():
    values = pd.Series(100 * 1.25 ** np.arange(5), index=range(2012, 2017))
    summary, fit = growth.log_linear(values)
    assert summary["rate"] == pytest.approx(25)
    assert summary["low"] == pytest.approx(25) == summary["high"]
    assert fit["residual"].abs().max() < 1e-9


def test_the_fit_agrees_with_scipy():
    values = pd.Series([1200, 1883, 2800, 3800, 4700.0], index=range(2012, 2017))
    summary, fit = growth.log_linear(values)
    line = stats.linregress(values.index, np.log(values))
    half = stats.t.ppf(0.975, 3) * line.stderr
    assert summary["rate"] == pytest.approx(100 * np.expm1(line.slope))
    assert summary["low"] == pytest.approx(100 * np.expm1(line.slope - half))
    assert summary["high"] == pytest.approx(100 * np.expm1(line.slope + half))
    fitted = np.exp(line.intercept + line.slope * values.index)
    assert fit["fitted"].to_numpy() == pytest.approx(fitted)
    narrow, _ = growth.log_linear(values, level=0.5)
    assert summary["low"] < narrow["low"] < narrow["high"] < summary["high"]


def test_slowing_growth_bends_the_residuals_down_at_both_ends():
    values = pd.Series([100, 160, 224, 280, 308.0], index=range(2012, 2017))  # 60, 40, 25, 10%
    residual = growth.log_linear(values)[1]["residual"]
    assert residual[2012] < 0 > residual[2016]
    assert residual[2014] > 0


def test_the_fit_holds_its_level_when_growth_is_constant():
    rng, inside = np.random.default_rng(3), 0
    for _ in range(400):
        noise = rng.normal(0, 0.1, 5)
        values = pd.Series(np.exp(0.3 * np.arange(5) + noise), index=range(2012, 2017))
        summary, _ = growth.log_linear(values)
        inside += summary["low"] <= 100 * np.expm1(0.3) <= summary["high"]
    assert 365 <= inside <= 395  # 95% of 400 is 380


@pytest.mark.parametrize("values", [[1, 2], [1, 0, 2], [1, np.nan, 2]])
def test_too_few_or_wrong_values_are_refused(values):
    with pytest.raises(ValueError, match="three positive"):
        growth.log_linear(pd.Series(values, index=range(len(values)), dtype=float))


def test_year_on_year_needs_the_year_before():
    yearly = growth.year_on_year(pd.Series({2012: 100.0, 2013: 150.0, 2015: 300.0, 2016: 330.0}))
    assert yearly.to_dict() == pytest.approx({2013: 50, 2016: 10})


def test_growth_is_compared_over_the_same_years(planted):
    rows = [("online_retail_sales_nbs", year, 100.0 * 2**k) for k, year in enumerate((2013, 2014))]
    rows += [("online_retail_sales_nbs", 2016, 1000.0)]
    rows += [(retail.RETAIL, year, 1000.0) for year in range(2012, 2017)]
    rows += [("gdp_china_final", year, 5000.0) for year in (2012, 2014, 2015, 2016)]
    planted(market__online_retail=retail_rows(*rows))
    table = retail.growth_rates(publisher="Statistics office")
    assert set(table["first"]) == {2014}  # 2013 has no final GDP
    assert set(table["last"]) == {2016}
    assert table.loc["online", "multiple"] == 5
    assert table.loc["retail", "rate"] == 0


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="'fit'"):
        retail.growth_rates(method="guess")


def test_fit_and_ends_tell_much_the_same():
    ends, fit = (retail.growth_rates(method=method) for method in ("ends", "fit"))
    assert ends.loc["online", "rate"] == pytest.approx(fit.loc["online", "rate"], abs=2)
    assert fit.loc["online", "low"] < fit.loc["online", "rate"] < fit.loc["online", "high"]


# ---- the seventy percent --------------------------------------------------------------------


def test_the_market_of_a_fiscal_year_by_hand(planted):
    rows = retail_rows(
        ("online_shopping_gmv_iresearch", 2015, 400.0),
        ("online_shopping_gmv_iresearch", 2016, 800.0),
        ("b2c_share_of_online_shopping", 2015, 50.0, "%"),
        ("b2c_share_of_online_shopping", 2016, 75.0, "%"),
    )
    planted(market__online_retail=rows)
    # nine months of 2015 and three of 2016: 300 + 200
    assert retail.market_size("iResearch", "same months") == 500
    assert retail.market_size("iResearch", "2016") == 800
    # persons: 50% of 400 and 25% of 800, so 0.75 * 200 + 0.25 * 200
    assert retail.market_size("iResearch", "same months", part="C2C") == 200
    assert retail.market_size("iResearch", "2016", part="B2C") == 600


def test_parts_make_the_whole():
    for period in retail.PERIODS:
        firms, persons = (
            retail.market_size("iResearch", period, part=part) for part in ("B2C", "C2C")
        )
        assert firms + persons == pytest.approx(retail.market_size("iResearch", period))


def test_markets_that_nobody_prints_are_refused():
    with pytest.raises(ValueError, match="same months"):
        retail.market_size("iResearch", "2014")
    with pytest.raises(ValueError, match="B2C"):
        retail.market_size("Statistics office", "2016", part="B2C")


def test_taobao_and_tmall_make_the_whole_of_alibaba():
    table = retail.sales_shares().pivot(index=["market", "period"], columns="whose", values="share")
    tmall = 100 * retail.platform_sales("Tmall", "2016-03")
    for (name, period), row in table.iterrows():
        rest = tmall / retail.market_size(name, period)
        assert row[retail.ALONE] + rest == pytest.approx(row[retail.BOTH])


def test_denominators_are_sorted_and_sourced():
    table = retail.denominators()
    assert table["share"].is_monotonic_decreasing
    known = set(data.sources().index)
    for row in table.to_dict("records"):
        assert row["sources"]
        assert set(row["sources"]) <= known - {retail.ARTICLE}
    assert set(table["how"]) == {"sales over market", "published"}


# ---- concentration --------------------------------------------------------------------------


def test_bounds_of_the_index_by_hand():
    # 50, 20 and 10 known, 20 unknown: 2,500 + 400 + 100 = 3,000 at least; two firms of 10 add 200
    assert inequality.hhi_bounds([50, 20, 10]) == pytest.approx((3000, 3200))
    # one firm of 20 adds 400
    assert inequality.hhi_bounds([50, 20, 10], rest="one firm") == pytest.approx((3000, 3400))
    # 60 and 25 known, 15 unknown and smaller than 25: one firm of 15
    assert inequality.hhi_bounds([60, 25]) == pytest.approx((4225, 4450))
    # 40 known alone, 60 unknown: one more of 40 and one of 20
    assert inequality.hhi_bounds([40]) == pytest.approx((1600, 3600))


def test_a_whole_market_has_one_index_and_it_is_the_one_of_the_library():
    shares = [55, 30, 10, 5]
    low, high = inequality.hhi_bounds(shares)
    assert low == high == pytest.approx(10_000 * inequality.hhi(shares))
    assert inequality.hhi_bounds([100]) == (10_000, 10_000)


def test_no_way_to_divide_the_rest_leaves_the_bounds():
    rng = np.random.default_rng(11)
    for _ in range(200):
        known = np.sort(rng.dirichlet(np.ones(3)) * rng.uniform(60, 100))[::-1]
        left, parts = 100 - known.sum(), []
        while left > 1e-9:  # firms of any size up to the smallest known
            parts.append(min(left, rng.uniform(0.2, 1) * known.min()))
            left -= parts[-1]
        low, high = inequality.hhi_bounds(known)
        index = 10_000 * inequality.hhi(np.append(known, parts))
        assert low - 1e-6 <= index <= high + 1e-6
        assert high <= inequality.hhi_bounds(known, rest="one firm")[1] + 1e-6


def test_half_of_a_market_alone_makes_the_mark():
    rng = np.random.default_rng(5)
    for top in rng.uniform(50, 100, 50):
        assert inequality.hhi_bounds([top])[0] >= 2500


@pytest.mark.parametrize("shares", [[], [0, 50], [-1], [60, 50]])
def test_shares_that_cannot_be_are_refused(shares):
    with pytest.raises(ValueError, match="100%"):
        inequality.hhi_bounds(shares)


def test_an_unknown_rest_is_refused():
    with pytest.raises(ValueError, match="one firm"):
        inequality.hhi_bounds([50], rest="nobody")


def share_rows(*rows):
    """Rows of market/platform_share: platform, market, share and perhaps measure and more."""
    columns = ["platform", "market", "share_pct", "measure", "source_id", "status", "year"]
    standard = [None, None, None, "share", "m037", "as_printed", 2014]
    frame = pd.DataFrame([[*row, *standard[len(row) :]] for row in rows], columns=columns)
    return frame.assign(period_start="2014-01", period_end="2014-12", rule=pd.Series(dtype="str"))


def test_brands_of_a_firm_are_joined_and_sums_are_not_counted_twice(planted):
    im = "mobile instant messaging"
    planted(
        market__platform_share=share_rows(
            ("Tencent QQ", im, 40.0),
            ("WeChat", im, 30.0),
            ("Tencent QQ + WeChat", im, 70.0),
            ("Feixin (China Mobile)", im, 20.0),
        )
    )
    firm = firms.concentration().iloc[0]
    assert (firm["leader"], firm["top"], firm["n"]) == ("Tencent", 70, 2)
    assert firm["low"] == 70**2 + 20**2
    brand = firms.concentration(owner="brand").iloc[0]
    assert (brand["leader"], brand["top"], brand["n"]) == ("Tencent QQ", 40, 3)
    with pytest.raises(ValueError, match="brand"):
        firms.concentration(owner="family")


def test_what_divides_no_market_is_left_out(planted):
    planted(
        market__platform_share=share_rows(
            ("Baidu", "search engine", 60.0),
            ("Baidu", "search engine", 92.0, "penetration_of_users"),
            ("Baidu", "search engine", 70.0, "share", "li2017"),
            ("Baidu", "search engine", 70.0, "share", "m036", "forecast"),
            ("Baidu", "search engine", 70.0, "share", "m036", "as_printed", 2018),
            ("Sogou", "search engine", 5.0, "share_of_use"),  # Baidu's part is not reported
            ("Baidu", "search of maps", 70.0),
        )
    )
    table = firms.concentration()
    assert len(table) == 1
    assert table.loc[0, "top"] == 60


def test_real_sets_of_shares_are_possible():
    table = firms.concentration()
    assert (table["low"] <= table["high"]).all()
    assert table["reported"].between(0, 100).all()
    assert (table["top"] <= table["reported"] + 1e-9).all()
    assert set(table["leader"]) == set(firms.LEADERS.values())


# ---- China and the United States ------------------------------------------------------------


def two_countries(planted):
    planted(
        market__online_retail=retail_rows(
            *[("exchange_rate_rmb_per_usd", year, 5.0, "RMB per USD") for year in (2013, 2016)],
            ("online_shopping_gmv_iresearch", 2013, 600.0),
            ("online_shopping_gmv_iresearch", 2016, 1500.0),
            ("online_retail_sales_nbs", 2016, 2000.0),
            *[
                (name, 2013, 500.0)
                for key, name in retail.PUBLISHERS.items()
                if key not in ("iResearch", "Statistics office")
            ],
            (retail.UNITED_STATES, 2013, 110.0, "USD billion"),
            (retail.UNITED_STATES, 2016, 200.0, "USD billion"),
        )
    )


def test_ratio_is_lowest_over_highest_by_hand(planted):
    two_countries(planted)
    table = retail.against_united_states()
    assert table.loc[2013, ["china_low", "china_high"]].tolist() == [100, 120]
    assert table.loc[2013, "ratio"] == pytest.approx(100 / 110)
    assert table.loc[2016, "ratio"] == pytest.approx(300 / 200)
    assert table.loc[2014].isna().all()
    assert table.loc[2016, "publishers"] == 2


def test_a_discount_and_a_single_publisher(planted):
    two_countries(planted)
    table = retail.against_united_states(publisher="iResearch", discount=25)
    assert table.loc[2013, "china_low"] == pytest.approx(120 * 0.75)
    details = market.largest_evidence(publisher="iResearch").details
    # 300 of 200: a third may go before both are equal
    assert details["break_even"] == pytest.approx(33.3)
    assert details["leads"] == details["years"] == 2
    assert details["first"] == "2013"  # a name of a year, not a quantity
    assert market.largest_evidence(unreal_orders_percent=90).details["first"] == "never"


def test_the_break_even_discount_makes_both_countries_equal():
    details = market.largest_evidence().details
    table = retail.against_united_states(discount=details["break_even"])
    assert table.loc[2016, "ratio"] == pytest.approx(1, abs=0.002)


def test_a_publisher_without_a_total_since_2013_is_not_testable():
    verdict = market.C05.judge(publisher="Internet Society")
    assert verdict.verdict == "not testable here"
    assert "2013" in verdict.reason


# ---- owners ---------------------------------------------------------------------------------


def firm_rows(*rows):
    columns = ["list_id", "sector", "ownership", "revenue_rmb_10k"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"revenue_rmb_10k": "Int64"}).assign(source_id="m037", owner_source_id=None)


def test_owners_that_were_not_found_widen_the_bounds(planted):
    top, web = "top500_2016", "internet100_2016"
    strategic = [(top, name, "state", 100) for name in firms.STRATEGIC]
    planted(
        market__leading_firms=firm_rows(
            *strategic,
            (top, "finance", "mixed", 50),
            (top, "finance", None, None),
            (web, "internet", "private", None),
            (web, "internet", None, None),
        )
    )
    table = firms.owners()
    assert table.loc["finance", ["state", "mixed", "not found"]].tolist() == [1, 1, 1]
    assert table.loc["finance", "state_low"] == pytest.approx(100 / 3)
    assert table.loc["finance", "state_high"] == 100
    assert table.loc["internet", ["private_low", "private_high"]].tolist() == [50, 100]
    # as private firms, the mixed one leaves a third for the state at least, two thirds at most
    finance = firms.owners(mixed="private").loc["finance"]
    assert finance["state_high"] == pytest.approx(200 / 3)
    # by revenue: 100 of 100 + 50 + 50, the one without a revenue being 50 at most
    assert firms.owners(weight="revenue").loc["finance", "state_low"] == 50


@pytest.mark.parametrize("choice", [{"mixed": "both"}, {"weight": "staff"}, {"internet": 1999}])
def test_unknown_choices_are_refused(choice):
    with pytest.raises(ValueError, match=str(next(iter(choice.values())))):
        firms.owners(**choice)


def test_every_named_owner_has_a_source():
    table = data.load("market/leading_firms")
    named = table["ownership"].notna()
    assert table.loc[named, "owner_source_id"].notna().all()
    assert table.loc[~named, "owner_source_id"].isna().all()
    assert table.groupby("firm")["ownership"].nunique().le(1).all()


# ---- rules ----------------------------------------------------------------------------------


def made(value=1.0, interval=None, **details):
    return Evidence(value, "", ["li2017"], interval, "made up", details=details)


@pytest.mark.parametrize(
    ("near", "verdict"),
    [((4, 2), "reproduced"), ((1, 2), "reproduced in part"), ((0, 0), "not reproduced")],
)
def test_rule_of_the_totals(near, verdict):
    evidence = made(publishers_2012=4, publishers_2016=2, near_2012=near[0], near_2016=near[1])
    assert market.C01.rule.decide(evidence)[0] == verdict


@pytest.mark.parametrize(
    ("online", "low", "verdict"),
    [
        (30, 20, "reproduced"),
        (30, 9, "reproduced in part"),
        (15, 12, "reproduced in part"),
        (10, 5, "contradicted"),
    ],
)
def test_rule_of_the_speed(online, low, verdict):
    evidence = made(online, (low, 60), other=10, times=2, ratio=online / 10)
    assert market.C02.rule.decide(evidence)[0] == verdict


def test_rule_of_the_speed_without_an_interval():
    assert market.C02.rule.decide(made(30, other=10, times=2, ratio=3))[0] == "reproduced"


@pytest.mark.parametrize(
    ("within", "below", "above", "verdict"),
    [
        (6, 0, 0, "reproduced"),
        (2, 1, 3, "reproduced in part"),
        (0, 3, 3, "not reproduced"),
        (0, 6, 0, "contradicted"),
        (0, 0, 6, "contradicted"),
    ],
)
def test_rule_of_the_seventy_percent(within, below, above, verdict):
    evidence = made(readings=6, within=within, below=below, above=above)
    assert market.C03.rule.decide(evidence)[0] == verdict


def test_rule_of_near_monopoly():
    parts = {f"{kind}_{key}": 2 for kind in ("sets", "holds") for key in firms.KEYS.values()}
    decide = market.C04.rule.decide
    assert decide(made(segments_whole=3, holds=6, **parts))[0] == "reproduced"
    assert decide(made(segments_whole=2, holds=5, **parts))[0] == "reproduced in part"
    assert decide(made(segments_whole=0, holds=0, **parts))[0] == "contradicted"


@pytest.mark.parametrize(
    ("leads", "last", "trails", "verdict"),
    [
        (4, 1, 0, "reproduced"),
        (2, 1, 0, "reproduced in part"),
        (3, 0, 0, "not reproduced"),
        (0, 0, 4, "contradicted"),
    ],
)
def test_rule_of_the_largest_market(leads, last, trails, verdict):
    evidence = made(years=4, leads=leads, leads_last=last, trails=trails, last=2016)
    assert market.C05.rule.decide(evidence)[0] == verdict


@pytest.mark.parametrize(
    ("mostly", "maybe", "interval", "verdict"),
    [
        (4, 4, (80, 100), "reproduced in part"),
        (4, 4, (40, 90), "reproduced in part"),
        (0, 4, (40, 90), "not reproduced"),
        (0, 0, (80, 100), "contradicted"),
        (4, 4, (10, 30), "contradicted"),
    ],
)
def test_rule_of_the_owners(mostly, maybe, interval, verdict):
    evidence = made(1, interval, sectors=4, mostly_state=mostly, maybe_state=maybe)
    found, reason = market.C57.rule.decide(evidence)
    assert found == verdict
    assert ("not measured" in reason) == (verdict != "contradicted")


def test_choices_that_the_rules_turn_on():
    assert market.C01.judge(tolerance=10).verdict == "reproduced in part"
    assert market.C01.judge(tolerance=15).verdict == "reproduced"
    assert market.C03.judge(platforms=retail.ALONE).verdict == "contradicted"
    assert market.C03.judge(period="same months", market="Statistics office").verdict == (
        "reproduced"
    )
    assert market.C04.judge(online_market="B2C", search_shares="revenue").verdict == "reproduced"
    assert market.C04.judge(shares_by="brand").verdict == "reproduced in part"
    assert market.C05.judge(unreal_orders_percent=40).verdict == "reproduced in part"


# ---- every claim ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", IDS)
def test_each_claim_has_a_verdict_a_reason_and_sources(name):
    verdict = getattr(market, name).judge()
    assert verdict.claim.section == "market"
    assert verdict.reason.endswith(".")
    assert verdict.evidence.n
    assert verdict.evidence.limits
    assert set(verdict.evidence.sources) <= set(data.sources().index)


@pytest.mark.parametrize("name", IDS)
def test_every_choice_is_varied(name):
    claim = getattr(market, name)
    assert set(claim.variants) == set(inspect.signature(claim.evidence).parameters)


def test_the_article_is_not_held_against_itself():
    totals = market.size_evidence()
    assert totals.n == len(
        [
            row
            for row in retail.online_retail().itertuples()
            if row.year in market.STATED and row.source_id != retail.ARTICLE
        ]
    )
    assert retail.ARTICLE not in market.monopoly_evidence().sources
    assert retail.ARTICLE not in market.largest_evidence().sources

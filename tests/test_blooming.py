"""The chapter on growth and spatial concentration: worked cases, known properties, variants."""

import numpy as np
import pandas as pd
import pytest

from taobao_villages import data
from taobao_villages.chapters import blooming
from taobao_villages.methods import growth, space
from taobao_villages.subjects import provinces, villages
from taobao_villages.subjects.later import totals

# ---- growth ---------------------------------------------------------------------------------


def intervals(counts, months):
    """Intervals between counts, with the columns that the test of one rate needs."""
    start, end = np.array(counts[:-1]), np.array(counts[1:])
    return pd.DataFrame(
        {
            "months": months,
            "n_from": start,
            "n_to": end,
            "rate": np.log(end / start) / (np.array(months) / 12),
        }
    )


def test_table_two_keeps_gaps_and_conflicts():
    table = villages.table_two()
    assert list(table.index) == list(range(2009, 2017))
    assert table.loc[[2010, 2011], ["low", "high"]].isna().all(axis=None)
    assert tuple(table.loc[2014, ["low", "high"]]) == (211, 212)
    assert table.loc[2013, "high"] == 20


def test_growth_by_hand():
    # 212 to 780 in twelve months: factor 780/212 = 3.679; ln = 1.303 a year;
    # doubling 12 * 0.6931 / 1.303 = 6.39 months; 568 villages a year.
    row = blooming.growth().set_index("to").loc[2015]
    assert row["months"] == 12
    assert row["factor"] == pytest.approx(3.679, abs=0.001)
    assert row["rate"] == pytest.approx(1.303, abs=0.001)
    assert row["doubling_months"] == pytest.approx(6.38, abs=0.02)
    assert row["additions"] == pytest.approx(568)


def test_the_two_totals_of_2014_change_the_factor_as_they_should():
    one, two = (blooming.growth(total_2014=n).set_index("to").loc[2015] for n in (211, 212))
    assert one["factor"] / two["factor"] == pytest.approx(212 / 211)


def test_the_list_of_2016_is_eight_months_after_that_of_2015():
    assert blooming.growth().set_index("to").loc[2016, "months"] == 8
    assert set(blooming.growth(dates="calendar")["months"]) == {12}


def test_an_earlier_first_list_slows_the_first_interval_only():
    early, late = (blooming.growth(first=month) for month in ("2013-01", "2013-12"))
    assert early.loc[0, "months"] == 23
    assert early.loc[0, "rate"] < late.loc[0, "rate"]
    assert early.loc[1:].equals(late.loc[1:])
    assert blooming.growth(dates="publication").set_index("to").loc[2016, "months"] == 10


def test_unknown_dates_are_refused():
    with pytest.raises(ValueError, match="calendar"):
        blooming.growth(dates="moon")


def test_one_rate_is_accepted_when_there_is_one():
    test = growth.constant_rate_test(intervals([100, 200, 400, 800], [12, 12, 12]))
    assert test["p"] > 0.99
    assert test["common_rate"] == pytest.approx(np.log(2), abs=0.01)


def test_one_rate_is_accepted_over_unequal_times():
    # doubling every six months, seen after 12, 6 and 24 months
    test = growth.constant_rate_test(intervals([100, 400, 800, 12800], [12, 6, 24]))
    assert test["p"] > 0.99


def test_falling_rates_are_rejected():
    assert growth.constant_rate_test(intervals([20, 212, 780, 1311], [12, 12, 8]))["p"] < 1e-6


def test_size_of_the_growth_test_under_its_own_null():
    # Yule process with one rate: the rejection rate at 5% stays near 5%
    rng, rejected = np.random.default_rng(1), 0
    for _ in range(200):
        counts = [50]
        for _ in range(3):
            counts.append(counts[-1] + rng.negative_binomial(counts[-1], np.exp(-0.8)))
        rejected += growth.constant_rate_test(intervals(counts, [12, 12, 12]))["p"] < 0.05
    assert 2 <= rejected <= 22


def test_growth_before_the_lists_is_dated_by_decembers():
    early = blooming.growth(years=(2009, 2012, 2013))
    assert early["months"].tolist() == [36, 12]
    assert early["n_from"].tolist() == [3, 14]
    assert early["rate"].tolist() == pytest.approx([np.log(14 / 3) / 3, np.log(20 / 14)])
    assert blooming.growth()["from"].tolist() == [2013, 2014, 2015]


def test_verdict_on_growth_turns_on_the_dates():
    assert blooming.C15.judge().verdict == "reproduced in part"
    assert blooming.C15.judge(dates="calendar").verdict == "not reproduced"
    for choice in ({"total_2014": 211}, {"first": "2013-01"}, {"dates": "publication"}):
        assert blooming.C15.judge(**choice).verdict == "reproduced in part"


def growth_rule(p, additions):
    """Verdict of C15's rule for made-up evidence."""
    names = ("additions_2014", "additions_2015", "additions_2016")
    details = {"p": p} | dict(zip(names, additions, strict=True))
    made = blooming.Evidence(1, "", ["li2017"], details=details)
    return blooming.C15.rule.decide(made)[0]


@pytest.mark.parametrize(
    ("p", "additions", "verdict"),
    [
        (0.2, (1, 2, 3), "reproduced"),
        (0.01, (1, 2, 3), "reproduced in part"),
        (0.01, (1, 3, 2), "not reproduced"),
        (0.01, (1, 3, -2), "contradicted"),
    ],
)
def test_rule_of_growth(p, additions, verdict):
    assert growth_rule(p, additions) == verdict


def test_counts_are_dated_by_their_lists_and_by_decembers_before():
    months = villages.count_months([2009, 2012, 2013, 2014, 2015, 2016]).astype(str)
    assert months.tolist() == ["2009-12", "2012-12", "2013-12", "2014-12", "2015-12", "2016-08"]
    later = totals()["month"].loc[:2016].astype(str)
    assert months.to_dict() == later.to_dict(), "two chapters draw the same series"


def test_rivals_are_fitted_to_the_six_dated_totals():
    rivals = blooming.rival_curves().set_index("curve")
    years = np.array([0, 36, 48, 60, 72, 80]) / 12  # not 84: the last list closed in August
    totals = np.log(villages.table_two()["high"].dropna())
    slope, start = np.polyfit(years, totals, 1)
    assert rivals.loc["exponential", "best"] == pytest.approx([start, slope], rel=1e-4)
    assert set(rivals.index) == {"exponential", "power", "quadratic", "logistic", "Gompertz"}
    assert {len(fit) for fit in rivals["fit"]} == {6}
    # a quadratic holds every straight line, so it cannot fit worse
    assert rivals.loc["quadratic", "residual"] <= rivals.loc["exponential", "residual"]


# ---- definition -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("households", "shops"), [(100, 10), (999, 99.9), (1000, 100), (5000, 100)]
)
def test_the_easier_condition_counts(households, shops):
    assert villages.shops_needed([households])[0] == pytest.approx(shops)


def test_definitions_differ_in_the_number_of_shops():
    table = villages.definitions()
    assert {50, 100} <= set(table["shops"].dropna())
    assert table["sales_rmb_million"].eq(10).all()
    # of the list of 2014 both are told, and by whom
    shops = table[table["version_year"] == 2014].dropna(subset=["shops"])
    assert shops.set_index("source_id")["shops"].to_dict() == {
        "tongrong2014": 50,
        "nankai2015": 50,
        "paypers2014": 100,
        "burb": 100,
    }


# ---- goods ----------------------------------------------------------------------------------


def test_every_village_of_2014_has_goods_of_a_class():
    table = villages.by_product()
    assert (table["low"] <= table["settled"]).all()
    assert (table["settled"] <= table["high"]).all()
    rows = data.load("villages/products_2014")
    words = data.load("villages/product_classes").set_index("product")["settled"]
    classes = [len(set(words[cell.split("、")])) for cell in rows["product"]]
    assert table["settled"].sum() == (rows["n_villages"] * classes).sum()
    assert rows["n_villages"].sum() == 212


def test_a_village_counts_once_in_a_class_and_in_each_class(put):
    columns = ["product", "n_villages"]
    put(
        "villages/products_2014",
        pd.DataFrame([("a、b", 3), ("b、c", 2), ("c", 1)], columns=columns),
    )
    put(
        "villages/product_classes",
        pd.DataFrame(
            [
                ("a", "toys", "clear", None, "toys", "clear", None, "toys"),
                ("b", "toys", "clear", None, "sports", "doubtful", "toys", "toys"),
                ("c", "sports", "clear", None, "sports", "clear", None, "sports"),
            ],
            columns=[
                *("product", "first", "first_certainty", "first_other"),
                *("second", "second_certainty", "second_other", "settled"),
            ],
        ),
    )
    table = villages.by_product()
    assert table.loc["toys"].to_dict() == {
        "first": 5, "second": 3, "settled": 5, "low": 3, "high": 5
    }  # fmt: skip
    assert table.loc["sports", ["first", "second", "settled"]].tolist() == [3, 6, 3]
    found = villages.product_agreement()
    assert found[["words", "same", "doubtful_first", "doubtful_second"]].tolist() == [3, 2, 0, 1]
    assert found["kappa"] == pytest.approx((2 / 3 - 4 / 9) / (1 - 4 / 9))  # chance: 2/9 + 2/9


def test_both_codings_of_the_goods_agree():
    found = villages.product_agreement()
    assert found["same"] == found["words"] == 92
    assert found["kappa"] == 1


# ---- where ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "total"), [(2014, 212), (2015, 780), (2016, 1311)])
def test_complete_lists_sum_to_the_national_total(year, total):
    placed = villages.by_prefecture(year)["n_villages"].sum()
    lost = villages.unmatched().query("year == @year")["n_villages"].sum()
    assert placed + lost == total


def test_prefectures_include_those_without_villages():
    units = villages.by_prefecture(2016)
    assert 330 <= len(units) <= 345
    assert (units["n_villages"] == 0).mean() > 0.5


def test_rate_by_hand():
    code = "33"
    people = data.indicator("population", 2016, "nbs_pop_2023")[code]
    urban = data.indicator("urbanisation_rate", 2016, "renjiyi_compiled")[code]
    by_hand = 506 / (people * 10_000 * (1 - urban / 100)) * 1_000_000
    assert provinces.rates(2016)[code] == pytest.approx(by_hand)


# ---- shares over definitions ----------------------------------------------------------------


def test_shares_by_hand():
    # 2015: Zhejiang 280, Guangdong 157, Jiangsu 127, Fujian 71, Jiangxi 3, Hunan 3, Sichuan 2,
    # Yunnan 2, Hubei 1 of 780
    assert villages.share(2015, "south") == pytest.approx(100 * 646 / 780)
    assert villages.share(2015, "south_jiangsu_north") == pytest.approx(100 * 519 / 780)


def test_splitting_jiangsu_lies_between_the_two_ways_of_placing_it():
    for year in provinces.YEARS:
        split = villages.share(year, "seat_below_33n")
        assert villages.share(year, "south_jiangsu_north") < split < villages.share(year, "south")


def test_leaving_a_county_out_moves_the_share_both_ways():
    low, high = villages.leave_one_county_out(2015, "south")
    assert low < villages.share(2015, "south") < high
    assert high - low < 5


def test_verdicts_of_the_shares():
    assert blooming.C19.judge().verdict == "reproduced"
    assert blooming.C20.judge().verdict == "reproduced in part"
    assert blooming.C20.judge(definitions=["south"]).verdict == "reproduced"
    assert blooming.C20.judge(definitions=["south_jiangsu_north"]).verdict == "contradicted"


def test_inland_is_what_the_coast_leaves():
    details = blooming.inland_evidence().details
    for year, total in ((2014, 212), (2015, 780), (2016, 1311)):
        assert details[f"count_{year}"] + details[f"coast_{year}"] == total


def test_printed_regions_by_hand():
    table = villages.printed_regions()
    assert table["year"].max() == 2016
    inland = table[table["inland"]].drop_duplicates("year").set_index("year")
    assert inland["n_villages"].to_dict() == {2014: 4, 2015: 17, 2016: 25}
    assert inland.loc[2014, "low"] == pytest.approx(100 * 4 / 212)
    assert inland.loc[2014, "high"] == pytest.approx(100 * 4 / 211)
    others = table[~table["inland"]].set_index("source_id")
    assert others.loc["e_diao2017", ["low", "high"]].tolist() == [98, 98]
    assert others.loc["paypers2014", ["low", "high"]].tolist() == [90, 100]  # "over 90%"


def test_printed_figures_are_a_reading_of_the_east_and_of_the_inland():
    by_default = blooming.C19.judge()
    printed = blooming.C19.judge(source="printed")
    assert printed.verdict == by_default.verdict == "reproduced"
    assert printed.evidence.interval == (round(100 - 1700 / 780, 1), round(100 - 400 / 212, 1))
    assert by_default.evidence.details["printed_low"] == printed.evidence.interval[0]
    assert {"paypers2014", "e_diao2017", "xinhua2015"} <= set(by_default.evidence.sources)
    inland = blooming.C22.judge(source="printed")
    assert inland.evidence.value == 25
    assert inland.evidence.interval == (round(100 * 4 / 212, 1), round(1700 / 780, 1))
    for claim in (blooming.C19, blooming.C22):
        with pytest.raises(ValueError, match="use one of lists, printed"):
            claim.judge(source="hearsay")
        assert claim.skip(definitions=("coastal",), source="printed")
        assert not claim.skip(definitions=blooming.EAST, source="printed")


def test_printed_counts_bound_the_south_from_below():
    # 2015: Zhejiang 280 and Fujian 71 are printed, of 780; 2016: with Guangdong 262, Jiangsu 201
    bounds = villages.printed_south()
    assert bounds.loc[2015, "low"] == pytest.approx(100 * 351 / 780)
    assert bounds.loc[2015, "high"] == 100
    north = villages.printed_south("south_jiangsu_north")
    assert bounds.loc[2016, "low"] - north.loc[2016, "low"] == pytest.approx(100 * 201 / 1311)
    assert bounds.loc[2016, "high"] - north.loc[2016, "high"] == pytest.approx(100 * 201 / 1311)
    for year in provinces.YEARS:
        assert bounds.loc[year, "low"] <= villages.share(year, "south") <= bounds.loc[year, "high"]
    assert blooming.C20.judge().evidence.details["printed_low_2015"] == 45


# ---- deltas ---------------------------------------------------------------------------------


def test_distance_is_zero_inside_a_delta_and_right_outside():
    km = blooming.distance_to_delta()
    names = villages.by_prefecture(2016)["name_zh"]
    assert km[names[names == "广州"].index[0]] == 0
    assert km[names[names == "上海"].index[0]] == 0
    # Urumqi is some 2,900 km from the nearest of either delta
    assert 2600 < km[names[names == "乌鲁木齐"].index[0]] < 3300


def test_a_wider_delta_is_never_farther():
    assert (blooming.distance_to_delta(definition="yrd_26") <= blooming.distance_to_delta()).all()


def test_villages_put_at_random_are_not_near_a_delta(monkeypatch):
    real = villages.by_prefecture

    def shuffled(year):
        units = real(year)
        rng = np.random.default_rng(7)
        return units.assign(n_villages=rng.permutation(units["n_villages"].to_numpy()))

    monkeypatch.setattr(villages, "by_prefecture", shuffled)
    assert blooming.delta_test(2016, permutations=499).p > 0.05


def test_distance_test_is_repeatable():
    one, two = (blooming.delta_test(2015, permutations=199) for _ in range(2))
    assert one.p == two.p
    assert one.p < 0.05


# ---- cases ----------------------------------------------------------------------------------


def test_not_reported_is_not_absent():
    table = blooming.hub_table()
    kinds = ["near", "not near", "disputed", "not reported"]
    for _, row in table.iterrows():
        unknown = row["disputed"] + row["not reported"]
        assert row["lowest"] == pytest.approx(100 * row["near"] / row[kinds].sum())
        assert row["highest"] == pytest.approx(100 * (row["near"] + unknown) / row[kinds].sum())
    assert table[kinds].sum(axis=None) == len(data.load("cases/cases"))


def test_a_case_on_which_sources_disagree_widens_the_bounds():
    either, near, far = (
        blooming.hub_table(disputed=choice).loc["early"]
        for choice in ("either", "near", "not near")
    )
    assert near["near"] == either["near"] + either["disputed"]
    assert either["lowest"] == far["lowest"] < near["lowest"]
    assert either["highest"] == near["highest"] > far["highest"]


# ---- every claim ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(15, 25))
def test_each_claim_of_the_section_has_a_verdict_and_a_reason(number):
    verdict = getattr(blooming, f"C{number}").judge()
    assert verdict.claim.section == "blooming"
    assert verdict.reason.endswith(".")
    assert verdict.evidence.n


def test_rules_can_give_every_verdict():
    def made(low, high, **details):
        return blooming.Evidence(1, "", ["li2017"], (low, high), "made up", details=details)

    assert blooming.C19.rule.decide(made(91, 95))[0] == "reproduced"
    assert blooming.C19.rule.decide(made(80, 95))[0] == "reproduced in part"
    assert blooming.C19.rule.decide(made(80, 85))[0] == "contradicted"
    assert blooming.C23.rule.decide(made(50, 90))[0] == "reproduced"
    assert blooming.C23.rule.decide(made(40, 60))[0] == "reproduced in part"
    assert blooming.C23.rule.decide(made(10, 40))[0] == "not reproduced"
    assert blooming.C21.rule.decide(made(1.1, 2, largest_p=0.01))[0] == "reproduced"
    assert blooming.C21.rule.decide(made(1.1, 2, largest_p=0.3))[0] == "reproduced in part"
    assert blooming.C21.rule.decide(made(0.9, 2, largest_p=0.3))[0] == "not reproduced"
    few = {f"count_{year}": 3 for year in provinces.YEARS}
    assert blooming.C22.rule.decide(made(1, 5, **few))[0] == "reproduced"
    assert blooming.C22.rule.decide(made(5, 15, **few))[0] == "reproduced in part"
    assert blooming.C22.rule.decide(made(12, 15, **few))[0] == "not reproduced"
    rich = {"lowest_index": 0.2, "lowest_ratio": 1.2}
    assert blooming.C18.rule.decide(made(1.5, 2, **rich))[0] == "reproduced"
    assert blooming.C18.rule.decide(made(0.5, 2, **rich))[0] == "reproduced in part"
    assert blooming.C18.rule.decide(made(0.5, 2, lowest_index=-1, lowest_ratio=2))[0] == (
        "not reproduced"
    )


def test_association_does_not_rest_on_the_family():
    for family in ("quasi-poisson", "negative binomial"):
        effect = provinces.association(2016, family=family).effects.iloc[0]
        assert effect["low"] > 1


def test_local_tests_count_what_the_local_moran_marks():
    table = blooming.local_tests(2016, permutations=999)
    assert len(table) == 6
    assert set(table["weights"]) == {"contiguity", "knn", "distance"}
    assert (table["high"] <= table["after"]).all()
    assert (table["after"] <= table["before"]).all()
    local = space.local_moran(
        provinces.villages(2016).to_numpy(float),
        provinces.neighbours("knn"),
        permutations=999,
        seed=blooming.SEED,
        alternative="two-sided",
    )
    row = table.query("values == 'counts' and weights == 'knn'").iloc[0]
    assert row["before"] == (local["p"] < 0.05).sum() > 0


def test_contiguity_without_the_ferry_names_hainan():
    with pytest.raises(ValueError, match="46"):
        provinces.neighbours("contiguity", ferry=False)


# ---- what mutants of the code showed to be held by no test ----------------------------------


def test_tables_have_the_columns_that_they_promise():
    assert list(villages.totals()) == ["year", "n_villages", "source_id", "status"]
    told = ["year", "region", "n_villages", "low", "high", "inland", "source_id"]
    assert list(villages.printed_regions()) == told
    tests = blooming.spatial_tests(permutations=99)
    assert list(tests) == ["year", "values", "weights", "I", "expected", "p"]
    assert len(tests) == 3 * 3 * 2


def test_the_share_of_cases_with_a_logistic_advantage_goes_from_none_to_all_others():
    evidence = blooming.logistics_evidence()
    share = round(100 * evidence.value / evidence.n, 1)
    assert evidence.interval == (share, 100.0)


def test_without_a_case_and_without_parcels_no_advantage_is_reproduced():
    def made(cases, low):
        return blooming.Evidence(cases, "", ["li2017"], details={"rank_low": low})

    told = [blooming.decide_logistics(made(*one))[0] for one in ((0, -0.1), (1, -0.1), (0, 0.1))]
    assert told == ["not reproduced", "reproduced in part", "reproduced in part"]
    assert blooming.decide_logistics(made(2, 0.1))[0] == "reproduced"


def test_the_south_east_is_compared_over_the_base_that_was_asked_for():
    for base in ("rural_population", "land_area"):
        effect = provinces.association(2016, exposure=base, family="quasi-poisson").effects.iloc[0]
        details = blooming.south_east_evidence(base=base).details
        assert details["ratio_2016"] == round(float(effect["rate_ratio"]), 1)

"""The chapter on sustainability: worked cases, planted tables, second implementations, variants."""

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import comb

from taobao_villages import data
from taobao_villages.chapters import sustainability
from taobao_villages.methods import counts, illustrations
from taobao_villages.subjects import cases, coding, counties, later, literature, provinces
from taobao_villages.verdicts import multiverse
from taobao_villages.verdicts.claims import Evidence


def made(value=1, low=None, high=None, **details):
    """Made-up evidence for a rule."""
    interval = None if low is None else (low, high)
    return Evidence(value, "", ["li2017"], interval, "made up", details=details)


@pytest.fixture
def plant(put):
    """Puts small tables in the place of the real ones."""

    def plant_all(**tables):
        for name, frame in tables.items():
            put(name.replace("__", "/"), frame)

    return plant_all


# ---- poverty counties -----------------------------------------------------------------------


@pytest.fixture
def three_counties(plant):
    """One poor county, one rich, one unknown inland; one in the east."""
    names = ["poor", "rich", "open", "coast"]
    listed = pd.DataFrame(
        {
            "year": [2014, 2014, 2014, 2015, 2016, 2016, 2016, 2016],
            "province_code": ["13", "13", "41", "13", "13", "13", "41", "33"],
            "province": "P",
            "city": "c",
            "county": ["poor", "rich", "open", "poor", *names],
            "n_villages": [3, 5, 2, 4, 7, 1, 2, 90],
        }
    )
    status = pd.DataFrame(
        {
            "province_code": ["13", "13", "41"],
            "city": "c",
            "county": names[:3],
            "national_poverty_county": ["yes", "no", "unknown"],
            "key_county": ["no", "no", "unknown"],
        }
    )

    def put(printed_2014=9):
        poverty = pd.DataFrame(
            {
                "year": [2014, 2016, 2016],
                "category": [
                    "national-level poverty counties",
                    "national-level poverty counties",
                    "national-level poverty counties (832)",
                ],
                "quantity": ["n_villages", "n_counties_total", "n_counties_total"],
                "value": [printed_2014, 20, 30],
            }
        )
        plant(
            villages__county_year=listed,
            villages__poverty_status=status,
            villages__poverty=poverty,
        )

    return put


def test_counties_and_villages_are_counted_apart(three_counties):
    three_counties()
    found = counties.recount(2016)
    assert dict(found) == {
        "counties_low": 1,
        "counties_high": 2,
        "villages_low": 7,
        "villages_high": 9,
    }


def test_the_narrow_definition_has_its_own_flag_and_total(three_counties):
    three_counties()
    found = counties.recount(2016, definition=counties.NARROW)
    assert (found["counties_low"], found["counties_high"]) == (0, 1)
    assert counties.n_poverty_counties() == 30
    assert counties.n_poverty_counties(counties.NARROW) == 20


def test_a_printed_total_that_is_used_up_settles_the_unknown(three_counties):
    three_counties(printed_2014=3)  # all three stand in the county known to be poor
    assert counties.recount(2016)["counties_high"] == 1
    assert counties.recount(2016, unknown="left open")["counties_high"] == 2
    three_counties(printed_2014=4)  # one may stand in the county of unknown status
    assert counties.recount(2016)["counties_high"] == 2


def test_a_county_of_the_east_is_never_a_poverty_county(three_counties):
    three_counties()
    listed = counties.listed_counties(2016).set_index("county")
    assert listed.loc["coast", "poor"] == "no"


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match="2014, 2015, 2016"):
        counties.listed_counties(2019)
    with pytest.raises(ValueError, match="moon"):
        counties.listed_counties(2016, definition="moon")
    with pytest.raises(ValueError, match="moon"):
        counties.county_units("moon")
    with pytest.raises(ValueError, match="moon"):
        sustainability.chance(model="moon", draws=2)


def test_every_inland_county_on_a_list_has_a_status():
    listed = data.load("villages/county_year")
    inland = listed[~listed["province_code"].isin(counties.WITHOUT_POVERTY_COUNTIES)]
    key = ["province_code", "city", "county"]
    status = data.load("villages/poverty_status")
    assert set(inland[key].itertuples(index=False, name=None)) == set(
        status[key].itertuples(index=False, name=None)
    )
    narrow = status["key_county"] == "yes"
    assert (status.loc[narrow, "national_poverty_county"] == "yes").all()


def test_the_recount_meets_the_printed_numbers_of_villages():
    for year, printed in counties.printed_villages().items():
        if year in provinces.YEARS:
            assert [counties.recount(year)["villages_low"]] == printed


def test_the_stated_number_is_that_of_villages_and_not_of_counties():
    found = counties.recount(2016, unknown="deduced")
    assert found["villages_low"] == sustainability.STATED_COUNTIES
    assert found["counties_high"] < sustainability.STATED_COUNTIES


def test_county_units_agree_with_the_panel():
    units = data.load("counties/units")
    for name in ("administrative_villages", "residents_committees"):
        panel = data.indicator(name, 2016, "nbs_divcodes_2016")
        assert units.groupby("province_code")[name].sum().to_dict() == panel.dropna().to_dict()


def test_units_shrink_as_the_comparison_narrows():
    sizes = [len(counties.county_units(others)) for others in counties.OTHERS]
    assert sizes[0] > max(sizes[1:])
    assert not counties.county_units("without city districts")["kind"].eq("district").any()


def test_other_counties_by_hand(three_counties):
    three_counties()
    rest = counties.other_counties(2016)
    total = len(counties.county_units()) - 30
    assert rest["with_low"] == 2  # rich and coast
    assert rest["with_high"] == 3  # and the unknown one
    assert rest["share_low"] == pytest.approx(100 * 2 / total)


def test_other_counties_under_each_choice(three_counties, plant):
    three_counties()
    listed = data.load("villages/county_year")
    town = listed[listed["year"] == 2016].head(1).assign(county="新区", province_code="41")
    plant(
        villages__county_year=pd.concat([listed, town]),
        villages__poverty_status=data.load("villages/poverty_status"),
        villages__poverty=data.load("villages/poverty"),
        counties__units=pd.DataFrame(
            {
                "province_code": ["41"] * 60 + ["33"] * 10 + ["41"] * 30,
                "kind": ["county"] * 60 + ["city"] * 10 + ["district"] * 30,
                "administrative_villages": [1] * 99 + [0],
                "residents_committees": [0] * 98 + [2, 0],
            }
        ),
    )
    # With villages: rich, coast and the district of unknown status; the open county, too.
    found = {
        others: counties.other_counties(2016, unknown="left open", others=others)
        for others in counties.OTHERS
    }
    told = {others: tuple(row[["with_low", "with_high", "total"]]) for others, row in found.items()}
    assert told == {
        "all other counties": (3, 4, 99 - 30),
        "without city districts": (2, 3, 70 - 30),
        "same provinces only": (2, 3, 89 - 30),
    }
    assert found["same provinces only"]["share_high"] == pytest.approx(100 * 3 / 59)


# ---- chance ---------------------------------------------------------------------------------


@pytest.fixture
def urn(monkeypatch):
    """Ten inland counties, two of them poor, three with a village each."""
    units = pd.DataFrame(
        {
            "county_code": [str(i) for i in range(10)],
            "province_code": "41",
            "kind": "county",
            "administrative_villages": [10] * 10,
            "residents_committees": 0,
        }
    )
    listed = pd.DataFrame({"province_code": ["41"] * 3, "n_villages": [1, 1, 1]})
    monkeypatch.setattr(sustainability, "county_units", lambda others=None: units)
    monkeypatch.setattr(sustainability, "n_poverty_counties", lambda definition=None: 2)
    monkeypatch.setattr(sustainability, "listed_counties", lambda year: listed)
    sustainability.chance.cache_clear()
    yield
    sustainability.chance.cache_clear()


def test_counties_drawn_at_random_are_hypergeometric(urn):
    # by hand: none with probability 8/10 * 7/9 * 6/8 = 0.467; on average 0.6
    drawn = sustainability.chance(model="counties", draws=4000)
    assert drawn.mean() == pytest.approx(0.6, abs=0.04)
    law = stats.hypergeom(10, 2, 3)
    assert law.pmf(0) == pytest.approx(8 / 10 * 7 / 9 * 6 / 8)
    assert (drawn == 0).mean() == pytest.approx(law.pmf(0), abs=0.03)
    assert sustainability.expected_by_chance(model="counties") == pytest.approx(0.6)


def test_villages_dropped_at_random_by_hand(urn):
    # a county is missed by all three villages with probability 0.9**3
    by_hand = 2 * (1 - 0.9**3)
    assert sustainability.expected_by_chance(model="villages") == pytest.approx(by_hand)
    drawn = sustainability.chance(model="villages", draws=4000)
    assert drawn.mean() == pytest.approx(by_hand, abs=0.04)


def test_the_simulation_agrees_with_the_formula_on_the_real_counties():
    for model in sustainability.CHANCE:
        drawn = sustainability.chance(model=model, draws=199)
        error = drawn.std() / np.sqrt(len(drawn))
        assert abs(drawn.mean() - sustainability.expected_by_chance(model=model)) < 4 * error


def test_the_simulation_is_repeatable_and_follows_its_seed():
    sustainability.chance.cache_clear()
    one = sustainability.chance(draws=50)
    sustainability.chance.cache_clear()
    assert (sustainability.chance(draws=50) == one).all()
    assert (sustainability.chance(draws=50, seed=2) != one).any()


def test_evidence_on_poverty_counts_a_draw_with_as_few_as_the_list(monkeypatch):
    high = int(counties.recount(2016, definition=counties.NARROW)["counties_high"])
    seen = []

    def drawn(year, *, model, definition, draws):
        seen.append((year, model, definition, draws))
        return np.array([high - 1, high, high + 1, high + 2])

    monkeypatch.setattr(sustainability, "chance", drawn)
    choices = {"definition": counties.NARROW, "others": "same provinces only", "draws": 4}
    found = sustainability.poverty_evidence(model="villages", **choices)
    assert found.details["as_few_by_chance"] == round((1 + 2) / (1 + 4), 3)
    assert found.details["chance"] == high + 0.5
    assert seen[0] == (2016, "villages", counties.NARROW, 4)
    assert {row[1] for row in seen[1:]} == set(sustainability.CHANCE)
    assert {row[2:] for row in seen} == {(counties.NARROW, 4)}
    del choices["draws"]
    rest = counties.other_counties(2016, **choices)
    share = 100 * found.details["counties_high"] / found.n
    assert found.details["others_share"] == round(rest["share_low"], 1)
    assert found.details["others_total"] == rest["total"]
    assert found.details["ratio_low"] == round(rest["share_low"] / share, 1)


# ---- after 2016 -----------------------------------------------------------------------------


def test_the_series_keeps_gaps_and_conflicts():
    series = counties.poverty_series()
    assert series.loc[2017:, ["recounted_low", "recounted_high"]].isna().all(axis=None)
    assert tuple(series.loc[2016, ["recounted_low", "recounted_high"]]) == (18, 25)
    left_open = counties.poverty_series(unknown="left open").loc[2016]
    assert left_open["recounted_high"] == 37
    assert left_open["share_high"] == pytest.approx(100 * 37 / left_open["all_villages"])
    assert series.loc[2018, "printed_low"] < series.loc[2018, "printed_high"]
    assert np.isnan(series.loc[2016, "printed_low"])
    assert series.loc[2020, "share_high"] == pytest.approx(
        100 * series.loc[2020, "printed_high"] / series.loc[2020, "all_villages"]
    )


def test_a_year_with_neither_list_nor_printed_number_has_no_share(three_counties):
    three_counties()
    series = counties.poverty_series(last=2017)
    assert series.index.tolist() == [2014, 2015, 2016, 2017]
    assert series.loc[2017, ["share_low", "share_high"]].isna().all()
    assert series.loc[2017, "all_villages"] > 0
    # 2014: 3 villages by the list without the unknown county, 5 with it, 9 printed
    told = series.loc[2014, ["recounted_low", "recounted_high", "printed_low", "printed_high"]]
    assert told.tolist() == [3, 5, 9, 9]
    total = series.loc[2014, "all_villages"]
    assert series.loc[2014, "share_low"] == pytest.approx(100 * 3 / total)
    assert series.loc[2014, "share_high"] == pytest.approx(100 * 9 / total)


def test_the_share_from_a_year_to_itself_has_not_changed():
    evidence = sustainability.after_evidence(first_list=2020, last_list=2020)
    assert evidence.interval == (1, 1)


def test_both_ends_of_2016_reach_the_interval():
    evidence = sustainability.after_evidence()
    totals = counties.poverty_series()["all_villages"]
    assert evidence.interval == (
        round(43 / totals[2018] / (25 / totals[2016]), 2),
        round(45 / totals[2018] / (18 / totals[2016]), 2),
    )


def test_pairs_that_cross_a_change_of_the_definition_are_in_part_at_best():
    table = later.changes()
    changed = table.loc[table["object"] == "villages", "year"]
    assert set(sustainability.REDEFINED) == set(changed)
    for first in (2014, 2015, 2016, 2017):
        for last in (2018, 2019, 2020):
            found = sustainability.C37.judge(first_list=first, last_list=last)
            crossed = later.between(first, last)
            assert found.evidence.details["redefined"] == len(crossed)
            if crossed:
                assert found.verdict == "reproduced in part"
    default = multiverse.combinations(sustainability.C37)
    assert not any(later.between(c["first_list"], c["last_list"]) for c in default)


def test_poor_villages_on_the_coast_are_those_of_hebei():
    listed = counties.listed_counties(2016).query("poor == 'yes'")
    hebei = int(listed.loc[listed["province"] == "Hebei", "n_villages"].sum())
    assert sustainability.C36.judge().evidence.details["coast_villages"] == hebei
    assert 2 * hebei > listed["n_villages"].sum()


def test_returnees_are_those_of_later_sources(plant):
    codes = pd.DataFrame(
        {
            "case_id": ["a", "b", "c"],
            "dimension": "social_change",
            "code": ["returnees", "returnees", "women"],
            "value": "1",
            "certainty": ["doubtful", "clear", "clear"],
            "about": "place",
            "source_id": ["luoniu2019", "li2017", "luoniu2019"],
            "paraphrase": ["Read so.", "They came back.", "Women sell."],
        }
    )
    book = pd.DataFrame(
        {"dimension": "social_change", "code": ["returnees", "women"], "group": ["r", "w"]}
    )
    plant(cases__case_codes=codes, cases__codebook=book)
    assert cases.returnees(2017) == {"a"}
    assert cases.returnees(2000) == {"a", "b"}
    assert cases.returnees(2000, doubtful=False) == {"b"}


def test_dropped_villages_are_a_range_and_a_rate_by_hand(plant):
    survival = pd.DataFrame(
        {
            "year_from": [2015, 2015],
            "year_to": [2016, 2016],
            "match_rule": ["exact: all", "loose: some"],
            "n_from": [100, 100],
            "n_to": [200, 200],
            "n_kept": [90, 96],
            "n_dropped": [10, 4],
        }
    )
    plant(villages__survival=survival)
    row = counties.persistence().loc[0]
    assert (row["dropped_low"], row["dropped_high"]) == (4, 10)
    assert (row["rate_low"], row["rate_high"]) == (4, 10)
    assert row["months"] == 8
    assert row["a_year_high"] == pytest.approx(100 * (1 - 0.9**1.5))
    assert counties.rename_effect().loc["exact", "2015 to 2016"] == 10
    assert counties.rename_effect().loc["loose", "2015 to 2016"] == 4
    assert counties.rename_effect().index.name == "rule"
    assert counties.rename_effect().columns.name is None  # a reader sees this table


# ---- roads ----------------------------------------------------------------------------------


def test_covariates_are_standardised_and_zeros_stay():
    frame = provinces.road_frame()
    assert len(frame) == 31
    assert (frame["n_villages"] == 0).any()
    assert frame["roads"].mean() == pytest.approx(0, abs=1e-9)
    assert frame["roads"].std(ddof=0) == pytest.approx(1)
    inland = provinces.road_frame(sample="inland provinces")
    assert len(inland) == 20
    assert inland["roads"].std(ddof=0) == pytest.approx(1)


def test_road_density_by_hand():
    length = data.indicator("highway_length", 2016, "nbs_transport_ttc")
    land = data.indicator("land_area", 2000, "area_marioarace")
    density = np.log(length / land)
    by_hand = (density - density.mean()) / density.std(ddof=0)
    assert provinces.road_frame()["roads"].to_dict() == pytest.approx(by_hand.to_dict())


def test_the_association_agrees_with_a_second_fit():
    # ordinary Poisson estimating equations, written out for statsmodels
    frame = provinces.road_frame()
    design = sm.add_constant(frame[["roads", "income"]])
    fit = sm.GLM(
        frame["n_villages"],
        design,
        family=sm.families.Poisson(),
        offset=np.log(frame["exposure"].astype(float)),
    ).fit()
    ours = sustainability.road_model().effects.set_index("covariate")["rate_ratio"]
    assert ours["roads"] == pytest.approx(np.exp(fit.params["roads"]), rel=1e-4)
    assert ours["income"] == pytest.approx(np.exp(fit.params["income"]), rel=1e-4)


def test_internet_access_is_beside_the_roads_alone_and_with_income_held():
    frame = provinces.road_frame()
    users = data.indicator("internet_penetration", 2016, "nbs_internet_nfu")
    by_hand = (users - users.mean()) / users.std(ddof=0)
    assert frame["internet"].to_dict() == pytest.approx(by_hand.to_dict())
    evidence = sustainability.infrastructure_evidence()
    for name, terms in (("internet_alone", ["internet"]), ("internet", ["internet", "income"])):
        # Poisson estimating equations; the interval by Pearson's dispersion and t, as R does
        fit = sm.GLM(
            frame["n_villages"],
            sm.add_constant(frame[terms]),
            family=sm.families.Poisson(),
            exposure=frame["exposure"].astype(float),
        ).fit(scale="X2", use_t=True)
        low, high = np.exp(fit.conf_int().loc["internet"])
        for end, value in zip(
            ("rate_ratio", "low", "high"), (np.exp(fit.params["internet"]), low, high), strict=True
        ):
            assert evidence.details[f"{name}_{end}"] == pytest.approx(value, abs=0.006), name
    assert "nbs_internet_nfu" in evidence.sources


def test_parcels_leave_out_the_provinces_without_a_number():
    assert sustainability.road_model(("parcels",)).n == 23


def test_inflation_by_hand():
    # correlation 0.8: 1 / (1 - 0.64) = 2.78; unrelated columns: 1
    related = pd.DataFrame({"a": [1.0, -1, 1, -1], "b": [1.4, -0.2, 0.2, -1.4]})
    r = np.corrcoef(related["a"], related["b"])[0, 1]
    assert r == pytest.approx(0.8)
    assert counts.inflation(related).tolist() == pytest.approx([1 / 0.36] * 2)
    unrelated = pd.DataFrame({"a": [1.0, -1, 1, -1], "b": [1.0, 1, -1, -1]})
    assert counts.inflation(unrelated).tolist() == pytest.approx([1, 1])


def test_inflation_agrees_with_the_inverse_of_the_correlations():
    frame = provinces.road_frame()[["roads", "income", "density"]]
    inverse = np.linalg.inv(np.corrcoef(frame.to_numpy().T))
    assert counts.inflation(frame).tolist() == pytest.approx(np.diag(inverse).tolist())


def test_the_specification_curve_is_sorted_and_holds_the_chapters_model():
    curve = sustainability.specifications()
    assert curve["rate_ratio"].is_monotonic_increasing
    assert not curve.duplicated(curve.columns[:6].tolist()).any()
    ours = curve.query(
        "covariates == 'roads + income' and roads == 'per area' and income == 'disposable income' "
        "and exposure == 'rural_population' and family == 'quasi-poisson' and year == 2016"
    )
    assert round(float(ours["rate_ratio"].iloc[0]), 2) == sustainability.C35.judge().evidence.value
    terms = curve["covariates"].eq("roads + income + density") & curve["year"].eq(2014)
    for row in curve[terms & curve["exposure"].eq("rural_population")].to_dict("records"):
        choices = {name: row[name] for name in ("family", "year", "roads", "income")}
        model = sustainability.road_model(("roads", "income", "density"), **choices)
        effect = model.effects.set_index("covariate").loc["roads"]
        for end in ("rate_ratio", "low", "high"):
            assert row[end] == pytest.approx(effect[end]), choices


# ---- competition ----------------------------------------------------------------------------


@pytest.fixture
def eight_places(plant):
    """Four places with imitation, four with rivalry, three with both; two silent ones."""
    told = [
        *[(case, "sustainability_pressure", "homogenisation") for case in "abcd"],
        *[(case, "sustainability_pressure", "price_war") for case in "abce"],
        *[(case, "sustainability_pressure", "fire_safety") for case in "fgh"],
        ("a", "upgrading", "design"),
    ]
    codes = pd.DataFrame(told, columns=["case_id", "dimension", "code"])
    codes = codes.assign(
        value="1", certainty="clear", about="place", source_id="li2017", paraphrase="Said."
    )
    codes.loc[0, "certainty"] = "doubtful"
    plant(
        cases__case_codes=codes,
        cases__cases=pd.DataFrame({"case_id": list("abcdefghij")}),
    )


def test_fisher_by_hand(eight_places):
    # 3 with both, 1 and 1 with one, 3 with neither: (16 + 1) / 70
    found = cases.co_reporting()
    assert (found["both"], found["imitation_only"]) == (3, 1)
    assert (found["rivalry_only"], found["neither"]) == (1, 3)
    assert found["p"] == pytest.approx(17 / 70)
    by_sum = sum(comb(4, k) * comb(4, 4 - k) for k in (3, 4)) / comb(8, 4)
    assert found["p"] == pytest.approx(by_sum)
    assert found["p"] == pytest.approx(stats.hypergeom(8, 4, 4).sf(2))
    assert (found["share_low"], found["share_high"]) == (75, 100)


def test_silent_places_make_any_two_things_look_related(eight_places):
    few = cases.co_reporting()
    many = cases.co_reporting(among="all cases")
    assert many["neither"] == few["neither"] + 2
    assert many["p"] < few["p"]


def test_not_reported_is_neither_yes_nor_no(eight_places):
    evidence = sustainability.competition_evidence()
    assert evidence.interval == (75, 100)
    assert evidence.details["better"] == 1
    assert (evidence.details["better_low"], evidence.details["better_high"]) == (25, 100)


def test_doubtful_codes_reach_every_case_claim(eight_places):
    sure = cases.co_reporting(doubtful=False)
    assert sure["both"] == 2
    assert cases.pressures(doubtful=False)["copying"].sum() == 3


def test_doubtful_rivalry_is_left_out_too(eight_places, plant):
    codes = data.load("cases/case_codes")
    codes.loc[codes["case_id"].eq("b") & codes["code"].eq("price_war"), "certainty"] = "doubtful"
    plant(cases__case_codes=codes, cases__cases=data.load("cases/cases"))
    every, sure = (cases.co_reporting(doubtful=doubtful) for doubtful in (True, False))
    assert every[["both", "imitation_only", "rivalry_only"]].tolist() == [3, 1, 1]
    assert sure[["both", "imitation_only", "rivalry_only"]].tolist() == [1, 2, 2]


def test_inland_places_that_name_infrastructure_are_counted_without_doubt_if_asked(plant):
    told = [("bachu", "clear"), ("badong", "doubtful"), ("aicun", "clear")]
    cases = data.load("cases/cases").set_index("case_id")["region4"]
    assert [cases[case] == "East" for case, _ in told] == [False, False, True]
    book = data.load("cases/codebook").set_index("group")["code"]
    codes = pd.DataFrame(told, columns=["case_id", "certainty"])
    codes = codes.assign(
        dimension="sustainability_pressure",
        code=book[["infrastructure"]].iloc[0],
        value="1",
        about="place",
        source_id="li2017",
        paraphrase="Said.",
    )
    plant(cases__case_codes=codes)
    every, sure = (
        sustainability.infrastructure_evidence(doubtful=doubtful).details
        for doubtful in (True, False)
    )
    assert (every["cases"], every["cases_inland"]) == (3, 2)
    assert (sure["cases"], sure["cases_inland"]) == (2, 1)


def test_each_pressure_is_told_for_its_own_cases_and_without_doubt(plant):
    names = {
        "copying": ("sustainability_pressure", "homogenisation"),
        "dispute": ("sustainability_pressure", "ipr_dispute"),
        "price_war": ("sustainability_pressure", "price_war"),
        "falling_profit": ("sustainability_pressure", "profit_decline"),
        "better_product": ("upgrading", "better_product"),
    }
    book = data.load("cases/codebook").drop_duplicates(["dimension", "group"])
    codes = book.set_index(["dimension", "group"])["code"]
    told = [
        row
        for place, key in enumerate(names.values())
        for row in (
            (f"sure {place}", key[0], codes[key], "clear"),
            (f"doubted {place}", key[0], codes[key], "doubtful"),
        )
    ]
    # Each of these places has another pressure, too, that nobody doubts.
    silent = [
        (case, "sustainability_pressure", "fire_safety", "clear")
        for case in sorted({row[0] for row in told})
    ]
    table = pd.DataFrame(told + silent, columns=["case_id", "dimension", "code", "certainty"])
    table = table.assign(value="1", about="place", source_id="li2017", paraphrase="Said.")
    plant(cases__case_codes=table)
    every, sure = (cases.pressures(doubtful=doubtful) for doubtful in (True, False))
    assert list(every) == list(names)
    assert every.index.name == "case_id"
    for place, name in enumerate(names):
        assert set(every.index[every[name]]) == {f"sure {place}", f"doubted {place}"}
        assert set(sure.index[sure[name]]) == {f"sure {place}"}


def test_shares_of_places_are_told_to_a_tenth_of_a_percent(eight_places, plant):
    # without the doubted code three places have imitation, two of them rivalry; none is better
    found = sustainability.competition_evidence(doubtful=False)
    assert found.interval == (66.7, 100)
    codes = data.load("cases/case_codes")
    codes.loc[codes["dimension"] == "upgrading", "case_id"] = "b"
    plant(cases__case_codes=codes, cases__cases=data.load("cases/cases"))
    found = sustainability.competition_evidence(doubtful=False)
    assert (found.details["better_low"], found.details["better_high"]) == (33.3, 100)
    assert found.details["p"] == 0.5  # of 8 places 4 with rivalry, 3 drawn, 2 or 3 of them hit
    assert stats.hypergeom(8, 3, 4).sf(1) == pytest.approx(0.5)


# ---- margins and sales ----------------------------------------------------------------------


@pytest.fixture
def places(plant):
    rows = [
        ("a", 2010, "sales_rmb_million", 100, "village", "about", "s1", "year"),
        ("a", 2012, "sales_rmb_million", 200, "village", "about", "s5", "year"),
        ("a", 2014, "sales_rmb_million", 300, "village", "about", "s2", "year"),
        ("a", 2014, "shops", 600, "village", "about", "s3", "year"),
        ("a", 2014, "shops", 500, "village", "about", "s4", "year"),
        ("a", 2016, "sales_rmb_million", 9, "village", "about", "s1", "quarter"),
        ("a", 2012, "sales_rmb_million", 1, "town", "about", "s1", "year"),
        ("a", 2018, "sales_rmb_million", 900, "village", "expected", "s1", "year"),
        ("b", 2010, "sales_rmb_million", 100, "town", "about", "s1", "year"),
        ("b", 2012, "sales_rmb_million", 50, "town", "about", "s1", "year"),
        ("c", 2010, "sales_rmb_million", 100, "town", "about", "s1", "year"),
        ("c", 2012, "sales_rmb_million", 50, "town", "about", "s1", "year"),
        ("c", 2012, "sales_rmb_million", 150, "town", "about", "s2", "year"),
        ("d", 2013, "sales_rmb_million", 80, "county", "about", "s1", "year"),
        ("d", 2015, "sales_rmb_million", 80, "county", "about", "s1", "year"),
    ]
    columns = ["case_id", "year", "indicator", "value", "scale", "qualifier", "source_id", "period"]
    plant(cases__case_series=pd.DataFrame(rows, columns=columns))


def test_sales_are_compared_at_the_same_scale_and_never_with_a_guess(places):
    growth = cases.sales_growth().set_index("case_id")
    assert growth["direction"].to_dict() == {
        "a": "rose",
        "b": "fell",
        "c": "unclear",
        "d": "unclear",  # the same at both ends
    }
    assert growth.loc["a"].to_dict() == {
        "scale": "village",
        "first": 2010,
        "last": 2014,
        "sales_first": 100,
        "sales_last": 300,
        "direction": "rose",
        "sources": "s1, s2",
    }
    none = cases.sales_growth(until=2011)
    assert none.empty
    assert list(none) == ["case_id", *growth.columns]


def test_sales_per_shop_is_a_range_over_the_sources(places):
    row = cases.sales_per_shop().set_index("case_id").loc["a"]
    assert (row["per_shop_low"], row["per_shop_high"]) == (0.5, 0.6)
    assert row["source_id"] == "s2;s3;s4"


def test_reports_are_dated_and_of_the_press():
    for sources in ("press", "any"):
        early = cases.thin_profit(sources=sources, until=2014)
        late = cases.thin_profit(sources=sources)
        assert set(early) <= set(late)
    kinds = data.sources()["kind"]
    ids = set().union(*cases.thin_profit(sources="press").values())
    assert {kinds[source] for source in ids} <= {"press", "reprint"}
    report = data.bearing("market/evidence", "C34:thin_profit")
    assert report["topic"].eq("e-tailer profit").all()


@pytest.fixture
def reports(plant):
    """Thin profit by the press, a reprint, a study and an official; two more are doubtful."""
    told = [
        ("by press", "163_shuyang2025", "clear"),
        ("by reprint", "597mm_shuyang2016", "clear"),
        ("by study", "aea2021", "clear"),
        ("by official", "broadband_2016q2", "clear"),
        ("doubted", "597mm_shuyang2016", "doubtful"),
    ]
    codes = pd.DataFrame(told, columns=["case_id", "source_id", "certainty"])
    codes = codes.assign(dimension="sustainability_pressure", code="profit_decline", value="1")
    codes = codes.assign(about="place", paraphrase="Said.")
    other = codes.head(1).assign(case_id="silent", code="fire_safety")
    plant(cases__case_codes=pd.concat([codes, other]))


def test_thin_profit_counts_the_press_and_its_reprints_alone(reports):
    told = cases.thin_profit()
    assert told.pop("qingyanliu")  # a report in market/evidence
    assert told == {
        "by press": {"163_shuyang2025"},
        "by reprint": {"597mm_shuyang2016"},
        "doubted": {"597mm_shuyang2016"},
    }
    every = set(cases.thin_profit(sources="any"))
    assert every == {*told, "by study", "by official", "qingyanliu"}
    assert "doubted" not in cases.thin_profit(doubtful=False)


def test_a_report_of_thin_profit_counts_up_to_its_own_year(reports):
    assert "by reprint" in cases.thin_profit(until=2016)
    assert "by reprint" not in cases.thin_profit(until=2015)
    assert "by press" not in cases.thin_profit(until=2024)


def test_without_a_report_of_thin_profit_nothing_can_be_tested(reports):
    judged = sustainability.C34.judge(last_year_of_reports=2000)
    assert judged.verdict == "not testable here"
    assert judged.reason == "No source reports thin profit under these choices."


def test_the_bounds_of_growing_sales_are_told_to_a_tenth_of_a_percent(reports, plant):
    codes, series = data.load("cases/case_codes"), data.load("cases/case_series")
    shop = series[series["case_id"].eq("qingyanliu") & series["indicator"].eq("sales_rmb_million")]
    falling = shop.head(2).assign(
        case_id="by press", year=[2010, 2012], value=[50, 20], qualifier="about", note=""
    )
    plant(cases__case_codes=codes, cases__case_series=pd.concat([series, falling]))
    found = sustainability.profit_evidence(last_year_of_reports=2025, doubtful=False)
    # Qingyanliu rose, one place fell, of one nothing is known
    assert (found.value, found.details["fell"], found.n) == (1, 1, 3)
    assert found.interval == (33.3, 66.7)


def test_margins_are_percents_of_one_place_and_year(plant):
    columns = ["case_id", "year", "indicator", "value", "scale", "qualifier", "source_id", "note"]
    rows = [
        ("a", 2010, "shops", 9, "village", "about", "s1", ""),
        ("a", 2012, "profit_margin_pct", 30, "village", "about", "s1", ""),
    ]
    plant(cases__case_series=pd.DataFrame(rows, columns=columns))
    assert cases.margins().to_dict("index") == {
        0: {"case_id": "a", "year": 2012, "margin": 30, "scale": "village", "qualifier": "about",
            "source_id": "s1"}
    }  # fmt: skip


# ---- later studies and literature -----------------------------------------------------------


def test_studies_carry_a_known_source_each():
    table = literature.later_studies()
    assert set(table["source_id"]) <= set(data.sources().index)
    assert set(table["direction"]) == set(literature.SIGNS.values())


def test_fewer_who_leave_and_more_who_earn_less_point_as_they_should():
    way = literature.later_studies().set_index("study")["direction"]
    assert way["Qi 2020"] == literature.SIGNS["better"]
    assert way["Seller survey 2012"] == literature.SIGNS["worse"]


def test_works_are_split_at_the_article(plant):
    works = pd.DataFrame(
        {
            "work_key": ["one", "two", "three", "four", "undated"],
            "year": pd.array([2016, 2020, 2016, 2015, None], dtype="Int64"),
            "on_villages": [True, True, False, False, True],
            "read": ["not_read", "text_or_abstract", "not_read", "not_read", "not_read"],
            "read_source_id": [None, "qianyi2025;x", None, None, None],
        }
    )
    plant(literature__works=works)
    assert list(literature.works().index) == ["one"]
    assert list(literature.works(which="later").index) == ["two"]
    assert literature.works(which="later")["diagnoses"].tolist() == [True]
    assert list(literature.works(which="all").index) == ["one", "two", "undated"]
    assert list(literature.works()) == ["year", "read", "diagnoses"]
    assert literature.works(which="all")["year"].tolist() == [2016, 2020, pd.NA]


def test_the_bounds_of_the_literature_are_told_to_a_tenth_of_a_percent(plant):
    works = pd.DataFrame(
        {
            "work_key": ["one", "two", "three"],
            "year": [2016, 2017, 2018],
            "on_villages": True,
            "read": ["not_read", "text_or_abstract", "not_read"],
            "read_source_id": [None, "qianyi2025", None],
        }
    )
    plant(literature__works=works)
    found = sustainability.literature_evidence(which="all")
    assert (found.value, found.n, found.interval) == (1, 3, (33.3, 100))
    assert found.details["unread"] == 2
    found = sustainability.literature_evidence()  # one of the two works up to 2017
    assert (found.value, found.n, found.interval) == (1, 2, (50, 100))


# ---- the illustration -----------------------------------------------------------------------


def test_entry_by_hand():
    # a = 3, c = 1, s = 1, F = 1, 9 buyers: q = 1/3, n = 5, sales = 9 * 5 * 1/3 * 4/3 = 20
    row = illustrations.entry([9]).loc[0]
    assert row["shops"] == pytest.approx(5)
    assert row["margin"] == pytest.approx(100 / 3)
    assert row["sales"] == pytest.approx(20)
    assert row["sales_per_shop"] == pytest.approx(4)


def test_entry_solves_the_first_order_condition_and_leaves_no_profit():
    for similarity, cost in itertools.product((0.3, 1.0), (0.2, 1.0)):
        table = illustrations.entry([2, 30], similarity=similarity, entry_cost=cost)
        each = table["margin"] / 100
        others = (table["shops"] - 1) * each
        marginal = 3 - 2 * each - similarity * others - 1  # derivative of (p - c) q
        assert marginal.abs().max() < 1e-9
        assert (table["buyers"] * each**2).tolist() == pytest.approx([cost] * 2)


def test_entry_cost_is_counted_in_profits_of_a_lone_seller():
    # a = 5, c = 1: a lone seller earns 2 on each of 2 pieces, 4 a buyer; with that cost there is
    # one shop at one buyer, with a margin of 200%
    row = illustrations.entry([1], top_price=5).loc[0]
    assert row["shops"] == pytest.approx(1)
    assert row["margin"] == pytest.approx(200)
    assert illustrations.entry([4], top_price=5).loc[0, "margin"] == pytest.approx(100)


def test_margins_fall_while_sales_grow_and_entry_cost_matters():
    table = illustrations.entry(np.geomspace(1, 50, 20))
    assert table["margin"].is_monotonic_decreasing
    assert table["sales"].is_monotonic_increasing
    cheap = illustrations.entry(np.geomspace(1, 50, 20), entry_cost=0.25)
    assert (cheap["margin"] < table["margin"]).all()


def test_likeness_moves_shops_and_not_margins():
    alike, apart = (illustrations.entry([25], similarity=s).loc[0] for s in (1.0, 0.5))
    assert alike["margin"] == pytest.approx(apart["margin"])
    assert apart["shops"] > alike["shops"]


@pytest.mark.parametrize(
    "choice", [{"similarity": 0}, {"similarity": 1.1}, {"entry_cost": 0}, {"top_price": 1}]
)
def test_parameters_of_the_illustration_are_checked(choice):
    with pytest.raises(ValueError, match="similarity"):
        illustrations.entry([1], **choice)
    with pytest.raises(ValueError, match="buyers"):
        illustrations.entry([0])


# ---- rules ----------------------------------------------------------------------------------

POOR = {"stated_counties": 18, "villages_low": 18}


@pytest.mark.parametrize(
    ("claim", "evidence", "verdict"),
    [
        ("C32", made(0, 60, 100), "reproduced"),
        ("C32", made(0, 0, 50), "contradicted"),
        ("C32", made(0, 0, 100), "not testable here"),
        ("C32", made(0, 50, 100), "not testable here"),
        ("C32", made(0, 0, 50.1), "not testable here"),
        ("C33", made(1, 50, 100, p=0.01, better_low=10, better_high=49), "reproduced"),
        ("C33", made(1, 50, 100, p=0.2, better_low=10, better_high=40), "reproduced in part"),
        ("C33", made(1, 50, 100, p=0.01, better_low=25, better_high=100), "reproduced in part"),
        ("C33", made(1, 20, 100, p=0.01, better_low=50, better_high=100), "reproduced in part"),
        ("C33", made(1, 50, 100, p=0.01, better_low=10, better_high=50), "reproduced in part"),
        ("C33", made(1, 50, 100, p=0.05, better_low=10, better_high=49), "reproduced in part"),
        ("C33", made(1, 49.9, 100, p=0.01, better_low=10, better_high=49), "reproduced in part"),
        ("C33", made(1, 20, 50, p=0.05, better_low=0, better_high=0), "not reproduced"),
        ("C33", made(1, 20, 40, p=0.2, better_low=0, better_high=0), "contradicted"),
        ("C33", made(1, 20, 100, p=0.2, better_low=0, better_high=0), "not reproduced"),
        ("C34", made(2, fell=1), "reproduced"),
        ("C34", made(2, fell=2), "reproduced in part"),
        ("C34", made(1, fell=0), "reproduced in part"),
        ("C34", made(0, fell=0), "not reproduced"),
        ("C35", made(1, 1.1, 2, cases_inland=2), "reproduced"),
        ("C35", made(1, 1.1, 2, cases_inland=1), "reproduced in part"),
        ("C35", made(1, 0.5, 2, cases_inland=2), "reproduced in part"),
        ("C35", made(1, 0.5, 2, cases_inland=1), "not reproduced"),
        ("C35", made(1, 0.5, 0.9, cases_inland=2), "contradicted"),
        ("C35", made(1, 1, 2, cases_inland=1), "not reproduced"),
        ("C35", made(1, 0.5, 1, cases_inland=1), "not reproduced"),
        ("C36", made(counties_low=10, counties_high=20, ratio_low=2, ratio_high=3, **POOR),
         "reproduced"),
        ("C36", made(counties_low=7, counties_high=14, ratio_low=2, ratio_high=3, **POOR),
         "reproduced in part"),
        ("C36", made(counties_low=10, counties_high=20, ratio_low=0.9, ratio_high=3, **POOR),
         "reproduced in part"),
        ("C36", made(counties_low=7, counties_high=14, ratio_low=0.9, ratio_high=3, **POOR),
         "not reproduced"),
        ("C36", made(counties_low=10, counties_high=20, ratio_low=0.5, ratio_high=0.9, **POOR),
         "contradicted"),
        ("C36", made(counties_low=18, counties_high=18, ratio_low=1.1, ratio_high=1.1, **POOR),
         "reproduced"),
        ("C36", made(counties_low=18, counties_high=18, ratio_low=1, ratio_high=1, **POOR),
         "reproduced in part"),
        ("C36", made(counties_low=19, counties_high=20, ratio_low=1, ratio_high=1, **POOR),
         "not reproduced"),
        ("C37", made(1, 1, 2, redefined=0), "reproduced in part"),
        ("C37", made(1, 0.5, 1, redefined=0), "reproduced in part"),
        ("C37", made(1, 1.1, 2, redefined=0), "not reproduced"),
        ("C37", made(1, 0.5, 0.9, redefined=0), "reproduced"),
        ("C37", made(1, 0.9, 1.1, redefined=0), "reproduced in part"),
        ("C37", made(1, 1.1, 2, redefined=1), "reproduced in part"),
        ("C37", made(1, 0.5, 0.9, redefined=2), "reproduced in part"),
    ],
)  # fmt: skip
def test_every_branch_of_every_rule(claim, evidence, verdict):
    found, reason = getattr(sustainability, claim).rule.decide(evidence)
    assert found == verdict
    assert reason[0].isupper()
    assert reason.endswith(".")


def test_a_reason_of_c33_names_what_does_not_hold():
    reason = sustainability.C33.rule.decide
    assert reason(made(1, 20, 100, p=0.01, better_low=25, better_high=100))[1] == (
        "Some places show it; but rivalry is reported for fewer than half of the places with "
        "imitation; how many of these places improve their goods is not known: 25% to 100%."
    )
    assert reason(made(1, 50, 100, p=0.2, better_low=50, better_high=100))[1] == (
        "Some places show it; but the two are not reported together more often than chance "
        "allows; at least half of these places are also reported to improve their goods."
    )


def test_a_reason_of_c37_says_which_way_the_share_went():
    reason = sustainability.C37.rule.decide
    assert reason(made(1, 1.1, 2, redefined=1))[1].startswith("The share rose, but ")
    assert reason(made(1, 0.5, 0.9, redefined=1))[1].startswith("The share fell, but ")


# ---- every claim ----------------------------------------------------------------------------

IDS = [f"C{number}" for number in range(32, 38)]


@pytest.mark.parametrize("claim", IDS)
def test_each_claim_has_a_verdict_a_reason_and_sources(claim):
    verdict = getattr(sustainability, claim).judge()
    assert verdict.claim.section == "sustainability"
    assert verdict.reason.endswith(".")
    assert verdict.evidence.n
    assert verdict.evidence.sources
    assert verdict.evidence.limits.endswith(".")


@pytest.mark.parametrize("claim", ["C33", "C34"])
def test_claims_on_cases_are_run_without_doubtful_codes_and_by_each_coder(claim):
    variants = getattr(sustainability, claim).variants
    assert variants["doubtful"] == (True, False)
    assert tuple(variants["coder"]) == tuple(coding.CODERS)

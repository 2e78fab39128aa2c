"""The frame of all counties, and distances from their seats."""

import numpy as np
import pandas as pd
import pytest
import shapely

from taobao_villages import data
from taobao_villages.methods.space import haversine_km
from taobao_villages.subjects import counties, villages


@pytest.fixture(scope="module")
def frame():
    return counties.frame()


def changed(table, code, year=None, **values):
    """A table with some cells of one unit changed."""
    rows = data.load(table)
    mine = rows["county_code"].eq(code)
    if year is not None:
        mine &= rows["year"].eq(year)
    assert mine.any(), "the test changes nothing"
    for column, value in values.items():
        rows.loc[mine, column] = value
    return {table: rows}


@pytest.mark.parametrize("year", [2014, 2015, 2016])
def test_villages_of_units_and_of_zones_without_code_make_the_list(frame, year):
    total = villages.by_prefecture(year)["n_villages"].sum()
    assert frame[f"villages_{year}"].sum() + counties.without_unit(year) == total


def test_units_without_committees_have_no_village(frame):
    towns = frame[frame["committees"] == 0]
    assert len(towns) == 115
    assert towns[["villages_2014", "villages_2015", "villages_2016"]].to_numpy().sum() == 0


def test_figures_are_those_of_the_tables(frame):
    row = frame.set_index("county_code").loc["330782"]  # Yiwu
    census = data.load("counties/census").query("county_code == '330782'").set_index("year")
    first, second = census.loc[2010], census.loc[2020]
    assert row["villages_2016"] == 65
    assert row["manufacturing"] == pytest.approx(
        100 * first["employed_manufacturing"] / first["employed"]
    )
    assert row["urban"] == pytest.approx(100 - 100 * row["rural"] / row["population"])
    assert row["growth"] == pytest.approx(100 * second["population"] / first["population"] - 100)
    area = data.load("counties/units").set_index("county_code").loc["330782", "area_km2"]
    assert row["density"] == pytest.approx(first["population"] / area)


@pytest.mark.parametrize(
    ("table", "year", "values", "empty", "stays"),
    [
        ("counties/units", None, {"area_quality": "boundary_changed"}, "density", "manufacturing"),
        ("counties/census", 2010, {"quality": "boundary_changed"}, "manufacturing", "coast_km"),
        ("counties/census", 2020, {"quality": "boundary_changed"}, "growth", "density"),
        ("counties/census", 2020, {"zones_apart": "yes"}, "growth", "density"),
        ("counties/census", 2010, {"employed_manufacturing": pd.NA}, "manufacturing", "farming"),
    ],
)
def test_what_is_doubted_is_left_out(frame, table, year, values, empty, stays):
    assert frame.set_index("county_code").loc["330782", [empty, stays]].notna().all()
    with data.replaced(changed(table, "330782", year, **values)):
        row = counties.frame().set_index("county_code").loc["330782"]
    assert pd.isna(row[empty])
    assert pd.notna(row[stays])


def test_all_poverty_counties_that_are_units_are_poor(frame):
    assert frame["poor"].sum() == 829
    told = frame.loc[frame["poor"], "key_county"].value_counts()
    named = data.load("counties/poverty").dropna(subset="county_code")["key_county"].value_counts()
    assert told.to_dict() == named.to_dict()
    assert set(frame.loc[~frame["poor"], "key_county"]) == {"no"}


def test_distances_to_the_coast_by_points_along_it(frame):
    points = np.concatenate(
        [
            shapely.get_coordinates(shapely.segmentize(shapely.linestrings(line), 0.01))
            for line in counties.coast()
        ]
    )
    for row in frame.dropna(subset=["lon"]).sample(60, random_state=1).itertuples():
        brute = haversine_km(row.lon, row.lat, points[:, 0], points[:, 1]).min()
        assert row.coast_km == pytest.approx(brute, abs=1.0, rel=0.01)


def test_borders_on_land_are_no_coast(frame):
    """Towns on the Yalu and on the border to Vietnam lie far from the sea."""
    far = frame.set_index("name_zh")
    assert far.loc["集安市", "coast_km"] > 100
    assert far.loc["宽甸满族自治县", "coast_km"] > 50
    assert far.loc["凭祥市", "coast_km"] > 80
    assert far.loc["东港市", "coast_km"] < 5
    assert far.loc["东兴市", "coast_km"] < 5


def test_seats_inside_a_delta_are_at_no_distance(frame):
    deltas = data.load("geo/delta_prefectures")
    core = set(deltas.loc[deltas["definition"].isin(["yrd_16", "prd_9"]), "prefecture_code"])
    inside = frame[frame["prefecture_code"].isin(core) & frame["lon"].notna()]
    assert len(inside) > 100
    assert (inside[["delta_km", "delta_core_km"]] < 1e-6).to_numpy().all()
    assert (frame["delta_km"].dropna() <= frame["delta_core_km"].dropna() + 1e-6).all()
    assert frame.set_index("name_zh").loc["喀什市", "delta_km"] > 3000


def test_large_cities_are_counted_by_their_districts():
    cities = counties.large_cities().set_index("name_zh")
    census = data.load("counties/census").query("year == 2010")
    units = data.load("counties/units").query("prefecture_code == '330100' and kind == 'district'")
    hangzhou = census[census["county_code"].isin(units["county_code"])]["urban"].sum()
    assert cities.loc["杭州", "urban"] == hangzhou >= counties.LARGE_CITY
    assert "赣州" not in cities.index  # a prefecture of many towns and no large city
    assert cities["urban"].min() >= counties.LARGE_CITY


def test_what_the_drawn_coast_may_be_wrong_by():
    error = counties.coast_error()
    assert 10 < error["seats"] < 60
    assert error["median_km"] < 10
    assert error["largest_km"] < 60

"""Comparisons of the tables of counties: sums, codes and places that must agree."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from taobao_villages.data.files import schema
from taobao_villages.data.loading import fault_at, load

FARTHEST = 600.0  # km of a seat from the label point of its prefecture; the largest is 531


def county_faults() -> Iterator[str]:
    """Faults that only the comparison of the counties' tables shows."""
    for faults in (
        _people_faults,
        _prefecture_faults,
        _province_faults,
        _place_faults,
        _code_faults,
        _listed_faults,
        _poverty_faults,
    ):
        yield from faults()


def prefecture_of(units: pd.DataFrame) -> pd.Series:
    """The code in ``geo/prefectures`` for each unit; its own prefecture code if there is none.

    Units directly under a province are prefectures there, and a municipality is one.
    """
    known = set(load("geo/prefectures")["prefecture_code"])
    whole = units["prefecture_code"].str[:2] + "0000"
    own = units["county_code"].where(units["county_code"].isin(known), units["prefecture_code"])
    return own.where(own.isin(known) | ~whole.isin(known), whole)


def _people_faults() -> Iterator[str]:
    """Urban and rural people make the population; nobody works twice."""
    for table in ("counties/census", "counties/prefecture_census"):
        rows = load(table)
        wrong = rows[(rows["urban"] + rows["rural"]).sub(rows["population"]).abs() > 0]
        for index, row in wrong.iterrows():
            made = row["urban"] + row["rural"]
            problem = f"urban and rural make {made:g}, not {row['population']:g}"
            yield fault_at(table, index, "population", problem, "correct one of the three")
    rows = load("counties/census")
    for part in ("employed_farming", "employed_manufacturing"):
        for index in rows.index[rows[part] > rows["employed"]]:
            yield fault_at("counties/census", index, part, "more than all employed", "correct one")
    for index in rows.index[rows["employed"] > rows["population"]]:
        problem, remedy = "more employed than people", "correct one"
        yield fault_at("counties/census", index, "employed", problem, remedy)
    for index in rows.index[rows["population"].isna() & (rows["quality"] == "same")]:
        problem, remedy = "no people in a unit that was the same", "fill it, or say the quality"
        yield fault_at("counties/census", index, "population", problem, remedy)


def _prefecture_faults() -> Iterator[str]:
    """Counties make their prefecture, where all are in the census as they were in 2016."""
    units = load("counties/units")
    units["prefecture"] = prefecture_of(units)
    rows = load("counties/census").merge(units[["county_code", "prefecture"]], on="county_code")
    rows["whole"] = (
        rows["population"].notna() & rows["quality"].eq("same") & ~rows["zones_apart"].eq("yes")
    )
    groups = rows.groupby(["prefecture", "year"])
    made, sizes = groups[["population", "urban", "rural"]].sum(), groups.size()
    all_there = units.groupby("prefecture").size().reindex(sizes.index, level="prefecture")
    whole = groups["whole"].all() & (sizes == all_there)
    about = schema("counties/prefecture_census")
    more = {entry["prefecture_code"] for entry in about.get("more_than_its_counties", [])}
    table = load("counties/prefecture_census")
    at = pd.MultiIndex.from_frame(table[["prefecture_code", "year"]])
    equal = whole.reindex(at, fill_value=False).to_numpy() & ~table["prefecture_code"].isin(more)
    for column in made.columns:
        counties = made[column].reindex(at).to_numpy(float)
        here = table[column].to_numpy(float)
        for place in np.flatnonzero((counties > here) | (equal & (counties < here))):
            problem = f"{here[place]:g} here, its counties have {counties[place]:g}"
            remedy = "correct one, or name it under more_than_its_counties in datapackage.json"
            where = ("counties/prefecture_census", table.index[place], column)
            yield fault_at(*where, problem, remedy)


def _province_faults() -> Iterator[str]:
    """Prefectures hold no more people than their province, counties as many committees."""
    panel = load("provinces/panel")
    people = panel[panel["indicator"] == "census_population"].set_index(["province_code", "year"])
    table = load("counties/prefecture_census")
    for key, rows in table.groupby(["province_code", "year"]):
        total = people["value"].get(key)
        if total is not None and rows["population"].sum() > total:
            problem = f"the prefectures sum to {rows['population'].sum():g}, {key[0]} has {total:g}"
            where = ("counties/prefecture_census", rows.index[0], "population")
            yield fault_at(*where, problem, "correct one of them")
    units = load("counties/units")
    for indicator in ("administrative_villages", "residents_committees"):
        counted = panel[
            panel["indicator"].eq(indicator) & panel["source_id"].eq("nbs_divcodes_2016")
        ].set_index("province_code")["value"]
        for code, rows in units.groupby("province_code"):
            if code in counted.index and rows[indicator].sum() != counted[code]:
                total = rows[indicator].sum()
                problem = f"province {code}: {total}, the panel has {counted[code]:g}"
                where = ("counties/units", rows.index[0], indicator)
                yield fault_at(*where, problem, "correct one of them")


def _place_faults() -> Iterator[str]:
    """Seats lie near their prefecture, and a place comes with its source."""
    units = load("counties/units")
    for one, other in (("lon", "lat"), ("lon", "seat_source_id"), ("area_km2", "area_source_id")):
        for index in units.index[units[one].notna() != units[other].notna()]:
            yield fault_at("counties/units", index, other, f"not as {one}", "fill both or neither")
    units["prefecture"] = prefecture_of(units)
    near = load("geo/prefectures").set_index("prefecture_code")
    units = units[units["prefecture"].isin(near.index) & units["lon"].notna()]
    there = near.loc[units["prefecture"]]
    east = np.radians(units["lon"].to_numpy() - there["lon"].to_numpy())
    north = np.radians(units["lat"].to_numpy() - there["lat"].to_numpy())
    middle = np.radians(there["lat"].to_numpy())
    far = 6371 * np.hypot(east * np.cos(middle), north)
    for index, km in zip(units.index[far > FARTHEST], far[far > FARTHEST], strict=True):
        problem = f"the seat lies {km:.0f} km from its prefecture"
        yield fault_at("counties/units", index, "lon", problem, "correct the point")


def _code_faults() -> Iterator[str]:
    """Codes begin with their province, also those of other years."""
    units = load("counties/units")
    for index in units.index[units["county_code"].str[:2] != units["province_code"]]:
        problem, remedy = "not in its province", "correct the code"
        yield fault_at("counties/units", index, "county_code", problem, remedy)
    table = load("counties/concordance")
    for column in ("codes_2009", "codes_2020", "codes_2024"):
        for index, own, codes in table[["county_code", column]].dropna().itertuples():
            if any(code[:2] != own[:2] for code in codes.split(";")):
                problem = f"{codes} is not in the province of {own}"
                yield fault_at("counties/concordance", index, column, problem, "correct the code")


def _listed_faults() -> Iterator[str]:
    """A county with villages lies in its prefecture, and one code is one place in a year."""
    units = load("counties/units")
    units["prefecture"] = prefecture_of(units)
    where = units.set_index("county_code")["prefecture"]
    rows = load("villages/county_year")
    coded = rows[rows["county_code"].notna() & rows["prefecture_code"].notna()]
    there = coded["county_code"].map(where)
    for index in coded.index[there != coded["prefecture_code"]]:
        problem = f"{coded['county_code'][index]} lies in {there[index]}"
        yield fault_at("villages/county_year", index, "county_code", problem, "correct one")
    named = coded.drop_duplicates(["province_code", "city", "county", "county_code"])
    for index in named.index[named.duplicated(["province_code", "city", "county"])]:
        problem = "another code than in another year"
        yield fault_at("villages/county_year", index, "county_code", problem, "correct one")


def _poverty_faults() -> Iterator[str]:
    """The 832: printed counts by province, printed villages in them, what other tables say."""
    table = load("counties/poverty")
    panel = load("provinces/panel")
    printed = panel[panel["indicator"] == "poverty_counties_832"].set_index("province_code")
    counted = table.groupby("province_code").size()
    for code in sorted(set(counted.index) | set(printed.index)):
        here, there = counted.get(code, 0), printed["value"].get(code, 0)
        if here != there:
            problem = f"province {code}: {here} named, {there:g} printed"
            yield fault_at("counties/poverty", -1, "province_code", problem, "correct one of them")
    key = panel[panel["indicator"] == "national_poverty_counties"]
    most = key[key["year"] == 2012].groupby("province_code")["value"].max()
    for code, rows in table[table["key_county"] == "yes"].groupby("province_code"):
        if code in most.index and len(rows) > most[code]:
            problem = f"province {code}: {len(rows)} key counties named, {most[code]:g} printed"
            yield fault_at("counties/poverty", rows.index[0], "key_county", problem, "correct one")
    for index in table.index[(table["key_county"] != "unknown") != table["key_source_id"].notna()]:
        problem, remedy = "not as key_county", "name the source, or leave it unknown"
        yield fault_at("counties/poverty", index, "key_source_id", problem, remedy)
    for index in table.index[table["county_code"].isna() != (table["joined_by"] == "none")]:
        problem, remedy = "not as county_code", "say how it was joined"
        yield fault_at("counties/poverty", index, "joined_by", problem, remedy)
    poor = set(table["county_code"].dropna())
    lists = load("villages/county_year")
    found = lists[lists["county_code"].isin(poor)].groupby("year")["n_villages"].sum()
    total = load("villages/poverty")
    total = total[
        total["category"].eq("national-level poverty counties") & total["quantity"].eq("n_villages")
    ]
    for index, row in total[total["year"].isin(lists["year"])].iterrows():
        if row["value"] != found.get(row["year"], 0):
            problem = f"{row['value']:g} here, the lists have {found.get(row['year'], 0)}"
            yield fault_at("villages/poverty", index, "value", problem, "correct one of them")
    keys = ["province_code", "city", "county"]
    codes = lists.drop_duplicates(keys).set_index(keys)["county_code"]
    status = load("villages/poverty_status")
    for index, row in status.iterrows():
        code = codes.get(tuple(row[keys]))
        said = row["national_poverty_county"]
        if isinstance(code, str) and said in ("yes", "no") and (code in poor) != (said == "yes"):
            problem = f"{said} here, counties/poverty says otherwise"
            where = ("villages/poverty_status", index, "national_poverty_county")
            yield fault_at(*where, problem, "correct one of them")

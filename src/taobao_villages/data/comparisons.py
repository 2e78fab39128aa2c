"""Comparisons between tables: sums, names, dates and shares that must agree."""

from __future__ import annotations

import ast
import datetime
import math
import operator
from collections.abc import Iterator

import pandas as pd

from taobao_villages.data.assertions import assertion_faults
from taobao_villages.data.case_comparisons import LISTS, listed_faults, reading_faults
from taobao_villages.data.county_comparisons import county_faults
from taobao_villages.data.described import package_faults, role_faults
from taobao_villages.data.files import (
    SEAL,
    file_name,
    folder,
    package,
    parsed,
    resources,
    schema,
    stamp,
    tables,
)
from taobao_villages.data.loading import fault_at, load
from taobao_villages.data.tallies import census_faults, product_faults

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
LENGTHS = {"year": 4, "month": 7, "half": 7, "day": 10, "unknown": 0}  # of an ISO date
DATES = (  # columns of dates, as exact as each is written
    *("date", "date_end", "as_of", "month", "period_start", "period_end", "read_on"),
)
TIED = ("association_party_overlap", "association_under_party_branch")  # codes of associations
ABOUT_ASSOCIATIONS = ("association", "individual")
SUPPORT = ("gov_timing", "gov_support")  # dimensions in which a code can be of general policy
NAMED = (  # tables whose columns for the code and name of a province have other titles
    ("geo/adjacency", "province_code_a", "name_en_a"),
    ("geo/adjacency", "province_code_b", "name_en_b"),
    ("geo/centroids", "province_code", "name_en"),
    ("geo/tilegrid", "province_code", "name_en"),
)


def cross_faults() -> Iterator[str]:
    """Faults that only the comparison of tables or rows shows."""
    for faults in (
        _sum_faults,
        product_faults,
        census_faults,
        _place_faults,
        _share_faults,
        _growth_faults,
        _survival_faults,
        _poverty_faults,
        _rank_faults,
        _border_faults,
        _case_faults,
        listed_faults,
        reading_faults,
        _map_faults,
        _panel_faults,
        _unit_faults,
        _agreement_faults,
        _range_faults,
        _next_year_faults,
        _total_faults,
        _date_faults,
        _calendar_faults,
        _event_faults,
        _derived_faults,
        _literature_faults,
        county_faults,
        assertion_faults,
        role_faults,
        package_faults,
    ):
        yield from faults()


def _unequal(
    table: str, rows: pd.DataFrame, keys: list[str], column: str, other: pd.Series, what: str
) -> Iterator[str]:
    """A fault for each key at which rows and another table differ; missing is 0."""
    keyed = zip(
        rows[keys].itertuples(index=False, name=None), rows.index, rows[column], strict=True
    )
    here = {key: (index, value) for key, index, value in keyed}
    there = {key if isinstance(key, tuple) else (key,): n for key, n in other.items()}
    for key in sorted(here | there, key=str):
        index, value = here.get(key, (-1, 0))
        if value != there.get(key, 0):
            name = ", ".join(map(str, key))
            problem = f"{name}: {value:g} here against {there.get(key, 0):g} in {what}"
            yield fault_at(table, index, column, problem, "correct one of them")


def _sum_faults() -> Iterator[str]:
    """The named lists: counties make prefectures, prefectures provinces, provinces the nation."""
    keys = ["year", "source_id"]
    national = load("villages/national")
    listed = load("villages/province_year")
    lists = listed[listed["source_id"].isin(LISTS)]
    total = national[national["source_id"].isin(LISTS)]
    summed = lists.groupby(keys)["n_villages"].sum()
    yield from _unequal(
        "villages/national", total, keys, "n_villages", summed, "villages/province_year"
    )
    keys = ["year", "province_code", "source_id"]
    summed = load("villages/city_year").groupby(keys)["n_villages"].sum()
    yield from _unequal(
        "villages/province_year", lists, keys, "n_villages", summed, "villages/city_year"
    )
    keys = ["year", "province_code", "city", "source_id"]
    summed = load("villages/county_year").groupby(keys)["n_villages"].sum()
    yield from _unequal(
        "villages/city_year",
        load("villages/city_year"),
        keys,
        "n_villages",
        summed,
        "villages/county_year",
    )
    most = national.groupby("year")["n_villages"].max()
    least = listed.groupby(["year", "province_code"])["n_villages"].min().groupby("year").sum()
    for year, number in least.items():
        if year in most.index and number > most[year]:
            index = listed.index[listed["year"] == year][0]
            problem = f"the provinces of {year} sum to {number}, the nation has {most[year]}"
            yield fault_at(
                "villages/province_year", index, "n_villages", problem, "correct a province"
            )


def _place_faults() -> Iterator[str]:
    """Prefectures lie in their provinces, and a code stands for one name."""
    names = load("provinces/provinces").set_index("province_code")["name_en"]
    for table, code, name in NAMED:
        rows = load(table)
        here = rows[rows[code].isin(names.index)]
        for index, row in here[here[code].map(names) != here[name]].iterrows():
            problem = f"{row[name]!r} is not province {row[code]}"
            yield fault_at(table, index, name, problem, "correct the name or the code")
    for table in tables():
        rows = load(table)
        if {"province_code", "province"} <= set(rows.columns):
            here = rows[rows["province_code"].notna()]
            if "scope" in rows.columns:
                here = here[here["scope"] != "corps"]
            for index, row in here[here["province_code"].map(names) != here["province"]].iterrows():
                problem = f"{row['province']!r} is not province {row['province_code']}"
                yield fault_at(table, index, "province", problem, "correct the name or the code")
        if {"province_code", "prefecture_code"} <= set(rows.columns):
            known = rows[rows["prefecture_code"].notna()]
            for index, row in known[
                known["prefecture_code"].str[:2] != known["province_code"]
            ].iterrows():
                problem = f"{row['prefecture_code']} is not in province {row['province_code']}"
                yield fault_at(table, index, "prefecture_code", problem, "correct one of the codes")
    keys = ["year", "province_code", "city"]
    cities = load("villages/city_year").set_index(keys)["prefecture_code"]
    for index, row in load("villages/county_year").iterrows():
        if cities.get(tuple(row[keys])) != row["prefecture_code"]:
            problem = f"{row['city']} has another code, or none, in villages/city_year"
            remedy = "correct one of the codes"
            yield fault_at("villages/county_year", index, "prefecture_code", problem, remedy)


def _share_faults() -> Iterator[str]:
    """Shares lie between 0 and 100; growth need not."""
    for table in tables():
        rows = load(table)
        if {"unit", "value"} <= set(rows.columns) and rows["value"].dtype == "float64":
            share = rows["unit"].fillna("").str.match("%|percent")
            for name in {"indicator", "quantity"} & set(rows.columns):
                share &= ~rows[name].str.contains("growth")
            for index, value in rows.loc[share, "value"].items():
                if value < 0 or value > 100:
                    problem = f"a share of {value:g} is not between 0 and 100"
                    yield fault_at(table, index, "value", problem, "correct the value or the unit")


def _growth_faults() -> Iterator[str]:
    """Growth of the national total agrees, within rounding, with printed totals."""
    table = load("villages/national")
    known = table.dropna(subset="n_villages").groupby("year")["n_villages"].agg(set)
    for index, row in table.dropna(subset="growth_pct").iterrows():
        half = 0.5 * 10.0 ** -_decimals(row["growth_pct"])
        now, before = known.get(row["year"], set()), known.get(row["year"] - 1, set())
        possible = [100 * (a / b - 1) for a in now for b in before]
        if not any(abs(row["growth_pct"] - rate) <= half * 1.001 for rate in possible):
            rates = ", ".join(f"{rate:.1f}" for rate in possible) or "nothing"
            problem = f"{row['growth_pct']:g}% does not agree with the totals, which give {rates}"
            yield fault_at(
                "villages/national", index, "growth_pct", problem, "correct rate or totals"
            )


def _survival_faults() -> Iterator[str]:
    """What was kept, dropped and new adds up."""
    for index, row in load("villages/survival").iterrows():
        sums = {
            "n_dropped": (row["n_kept"] + row["n_dropped"], row["n_from"]),
            "n_new": (row["n_kept"] + row["n_new"], row["n_to"]),
            "kept_pct": (round(100 * row["n_kept"] / row["n_from"], 1), row["kept_pct"]),
        }
        for column, (found, expected) in sums.items():
            if found != expected:
                problem = f"the row's counts give {found:g}, not {expected:g}"
                yield fault_at("villages/survival", index, column, problem, "correct the counts")


def _poverty_faults() -> Iterator[str]:
    """Counties with villages are among all poverty counties, their villages among all villages."""
    rows = load("villages/poverty")
    rows = rows[rows["category"] == "national-level poverty counties"]
    counties = rows.loc[rows["quantity"] == "n_counties_total", "value"].max()
    villages = load("villages/national").groupby("year")["n_villages"].max()
    for index, row in rows.iterrows():
        most = {"n_counties_with_villages": counties, "n_villages": villages.get(row["year"])}
        limit = most.get(row["quantity"])
        if limit is not None and row["value"] > limit:
            problem = f"{row['value']:g} is more than all {limit:g}"
            yield fault_at("villages/poverty", index, "value", problem, "correct the value")


def _rank_faults() -> Iterator[str]:
    """Ranks follow the counts, and counts from the named lists are in them."""
    counties = load("villages/county_year")
    for table in ("villages/counties_top", "villages/cities_top"):
        rows = load(table)
        ranked = rows.dropna(subset=["rank", "n_villages"])
        for _, group in ranked.groupby(["year", "source_id"]):
            group = group.sort_values("rank")
            for index in group.index[group["n_villages"].diff() > 0]:
                problem = f"rank {group['rank'][index]} has more villages than the rank before"
                yield fault_at(table, index, "rank", problem, "correct a rank or a count")
        for index, row in rows[rows["source_id"].isin(LISTS)].iterrows():
            same = (counties["year"] == row["year"]) & (
                counties["province_code"] == row["province_code"]
            )
            if row["n_villages"] not in set(counties.loc[same, "n_villages"]):
                problem = f"no county of the province has {row['n_villages']} in county_year"
                yield fault_at(table, index, "n_villages", problem, "correct one of them")
    clusters = load("villages/clusters").pivot_table(
        index="year", columns="quantity", values="value", aggfunc="max"
    )
    sizes = ["n_super_clusters (>=100)", "n_large_clusters (>=30)", "n_clusters (>=10 villages)"]
    for year, row in clusters[sizes].iterrows():
        present = row.dropna()
        if not present.is_monotonic_increasing:
            problem = f"{year}: larger clusters outnumber smaller ones"
            yield fault_at("villages/clusters", -1, "value", problem, "correct the counts")


def _border_faults() -> Iterator[str]:
    """A border is as long from either side, and of one sort."""
    table = "geo/adjacency"
    borders = load(table)
    borders["length"] = borders["shared_border_km"] + borders["gap_km"]
    lengths = borders.set_index(["province_code_b", "province_code_a"])["length"]
    keys = ["province_code_a", "province_code_b"]
    for fault in _unequal(table, borders, keys, "length", lengths, "the other direction"):
        yield fault.replace("column length", "column shared_border_km")
    links = borders.set_index(keys)["link_type"].to_dict()
    for index, (a, b) in enumerate(links):
        if links.get((b, a)) != links[a, b]:
            problem = f"{a}, {b}: {links[a, b]} here, {links.get((b, a), 'no row')} from {b} to {a}"
            yield fault_at(table, index, "link_type", problem, "let both directions agree")


def _map_faults() -> Iterator[str]:
    """Each tile has its place, and the outlines are those of the provinces."""
    table = "geo/tilegrid"
    tiles = load(table)
    for column, names in (("col", ["col", "row"]), ("abbr", ["abbr"])):
        for index in tiles.index[tiles.duplicated(names)]:
            shown = " and ".join(f"{name} {tiles[name][index]}" for name in names)
            problem = f"another tile has {shown}"
            yield fault_at(table, index, column, problem, "give each province its own")
    about = resources()["geo/outlines"]
    shapes = parsed(file_name(about), (folder() / about["path"]).read_bytes())["features"]
    drawn = [shape["properties"]["province_code"] for shape in shapes]
    units = set(load("provinces/provinces")["province_code"])
    for code in sorted(
        units.symmetric_difference(drawn) | {c for c in drawn if drawn.count(c) > 1}
    ):
        problem = f"province {code} has {drawn.count(code)} outlines, {int(code in units)} expected"
        remedy = "run geo/make_outlines.py"
        yield f"{file_name(about)}, province_code {code}: {problem}. Remedy: {remedy}"


def _case_faults() -> Iterator[str]:
    """Codes are counted right, every case has one, and lies in the region of its province."""
    codes = load("cases/case_codes")
    book = load("cases/codebook")
    keys = ["dimension", "code"]
    coded = codes.groupby(keys)["case_id"].nunique()
    yield from _unequal("cases/codebook", book, keys, "n_cases", coded, "cases/case_codes")
    for index, case in load("cases/cases")["case_id"].items():
        if case not in set(codes["case_id"]):
            yield fault_at("cases/cases", index, "case_id", f"{case} has no code", "code the case")
    regions = load("provinces/provinces").set_index("province_code")["region4"]
    cases = load("cases/cases")
    for index, row in cases[cases["province_code"].map(regions) != cases["region4"]].iterrows():
        problem = f"{row['province']} is not in {row['region4']}"
        yield fault_at("cases/cases", index, "region4", problem, "correct region or province")
    for index, name in cases.loc[cases["short_name"].duplicated(), "short_name"].items():
        yield fault_at(
            "cases/cases",
            index,
            "short_name",
            f"{name!r} is the name of another case too",
            "tell them apart",
        )
    # An association's codes are about it or a single seller, general policy is about support.
    group = codes["dimension"].where(~codes["code"].isin(TIED), "association")
    for index, about in codes["about"].items():
        fits = {"association": ABOUT_ASSOCIATIONS}.get(group[index], ("place",))
        fits = (*fits, "general_policy") if group[index] in SUPPORT else fits
        if about not in fits:
            problem = f"{about} for a code of {group[index]}"
            yield fault_at("cases/case_codes", index, "about", problem, f"use {' or '.join(fits)}")


def _panel_faults() -> Iterator[str]:
    """Series that are declared complete are, and sums of the provinces are the nation's."""
    rows = load("provinces/panel")
    panel = rows.set_index(["indicator", "source_id", "year"])
    codes = set(load("provinces/provinces")["province_code"])
    for series in schema("provinces/panel")["complete"]:
        for year in series["years"]:
            place = (series["indicator"], series["source_id"], year)
            for code in sorted(codes - set(panel.loc[panel.index.isin([place]), "province_code"])):
                problem = f"{', '.join(map(str, place))} lacks province {code}"
                remedy = "add the row, or correct complete in datapackage.json"
                yield fault_at("provinces/panel", -1, "province_code", problem, remedy)
    keys = ["year", "indicator", "source_id"]
    nation = load("provinces/national")
    # A row with a formula is recomputed from it; the others are sums of the provinces.
    derived = nation[(nation["status"] == "derived") & nation["formula"].isna()]
    summed = rows.groupby(keys)["value"].sum()
    summed = summed[summed.index.isin(list(derived[keys].itertuples(index=False, name=None)))]
    yield from _unequal("provinces/national", derived, keys, "value", summed, "provinces/panel")


def _unit_faults() -> Iterator[str]:
    """An indicator has one unit; exceptions are named under ``units`` in the data package."""
    for table in tables():
        rows = load(table)
        for name in {"indicator", "quantity"} & set(rows.columns) if "unit" in rows.columns else ():
            declared = schema(table).get("units", {})
            for key, group in rows.assign(unit=rows["unit"].fillna("")).groupby(name)["unit"]:
                right = declared.get(key, group.value_counts().index[:1])
                for index, unit in group.items() if set(group) - set(right) else ():
                    if unit not in right:
                        usual = " or ".join(map(repr, right))
                        problem = f"{key} in {unit!r}, elsewhere in {usual}"
                        remedy = "correct the unit, or name it under units in datapackage.json"
                        yield fault_at(table, index, "unit", problem, remedy)


def _agreement_faults() -> Iterator[str]:
    """Sources of one figure lie within the factor that the data package declares."""
    for table in tables():
        for rule in schema(table).get("agree", []):
            rows = load(table)
            for column in rule["columns"]:
                known = rows[rows[column].notna() & (rows[column] > 0)]
                # Figures within the factor of each other are no fault.
                far = known.groupby(rule["same"])[column]
                known = known[far.transform("max") > rule["factor"] * far.transform("min")]
                for key, group in known.groupby(rule["same"])[column]:
                    for index, value in group.items():
                        others = group.drop(index)
                        usual = others.median()
                        if not 1 / rule["factor"] <= value / usual <= rule["factor"]:
                            place = ", ".join(map(str, key))
                            problem = f"{place}: {value:g}, other sources have {usual:g}"
                            remedy = "correct the value, or widen agree in datapackage.json"
                            yield fault_at(table, index, column, problem, remedy)


def _range_faults() -> Iterator[str]:
    """Values of an indicator lie between the ends that the data package declares."""
    for table in tables():
        for rule in schema(table).get("ranges", []):
            rows = load(table)
            values = rows.loc[rows["indicator"] == rule["indicator"], "value"]
            for index, value in values[
                (values <= rule["above"]) | (values > rule["maximum"])
            ].items():
                problem = f"{value:g} is not above {rule['above']} and at most {rule['maximum']}"
                remedy = "correct the value: is it a fraction instead of percent?"
                yield fault_at(table, index, "value", problem, remedy)


def _next_year_faults() -> Iterator[str]:
    """A series does not jump from one year to the next by more than the declared factor."""
    table = "provinces/panel"
    about = schema(table)["next_year"]
    wider = {rule["indicator"]: rule["factor"] for rule in about["wider"]}
    keys = ["province_code", "indicator", "source_id"]
    rows = load(table).reset_index()
    pairs = rows.merge(
        rows.assign(year=rows["year"] + 1), on=[*keys, "year"], suffixes=("", "_old")
    )
    factor = pairs["indicator"].map(wider).fillna(about["factor"])
    ends = pairs[["value", "value_old"]]
    for _, row in pairs[ends.max(axis=1) > factor * ends.min(axis=1)].iterrows():
        place = f"{row['indicator']}, {row['province']}, {row['source_id']}"
        problem = f"{place}: {row['value']:g} after {row['value_old']:g} in {row['year'] - 1}"
        remedy = "correct one of them, or declare the jump under next_year in datapackage.json"
        yield fault_at(table, row["index"], "value", problem, remedy)


def _total_faults() -> Iterator[str]:
    """Sums over the provinces fit printed national totals: all of it, or no more if some lack."""
    table = "provinces/national"
    panel = load("provinces/panel").groupby(["indicator", "year", "source_id"])["value"]
    sums = panel.agg(["sum", "size"]).reset_index()
    units = len(load("provinces/provinces"))
    rules = {rule["indicator"]: rule["tolerance_pct"] / 100 for rule in schema(table)["totals"]}
    nation = load(table)
    for index, row in nation[nation["indicator"].isin(rules)].iterrows():
        same = (sums["indicator"] == row["indicator"]) & (sums["year"] == row["year"])
        most = row["value"] * (1 + rules[row["indicator"]])
        least = row["value"] * (1 - rules[row["indicator"]])
        for _, found in sums[same].iterrows():
            if found["sum"] > most or (found["size"] == units and found["sum"] < least):
                problem = (
                    f"{row['indicator']} of {row['year']}: {row['value']:g} here, the provinces "
                    f"sum to {found['sum']:g} in {found['source_id']}"
                )
                remedy = "correct total or provinces, or the tolerance in datapackage.json"
                yield fault_at(table, index, "value", problem, remedy)


def _calendar_faults() -> Iterator[str]:
    """Dates stand in the calendar, and none lies after the release of the data."""
    created = package(folder(), stamp())["created"][:10]
    for table in tables():
        rows = load(table)
        for column in [name for name in DATES if name in rows.columns]:
            for index, date in rows[column].dropna().items():
                try:
                    datetime.date.fromisoformat(
                        (date + "-01-01")[:10] if len(date) == 4 else (date + "-01")[:10]
                    )
                except ValueError:
                    problem = f"{date!r} is not a day, month or year of the calendar"
                    yield fault_at(
                        table, index, column, problem, "write it as 2016, 2016-08 or 2016-08-31"
                    )
                    continue
                if date > created[: len(date)]:
                    problem = f"{date} is after the release of {created}"
                    remedy = f"correct the date, or raise version and run {SEAL}"
                    yield fault_at(table, index, column, problem, remedy)


def _date_faults() -> Iterator[str]:
    """Dates are as exact as they say, and periods do not end before they start."""
    for table in tables():
        rows = load(table)
        if {"date", "precision"} <= set(rows.columns):
            lengths = rows["date"].fillna("").str.len()
            for index in rows.index[lengths != rows["precision"].map(LENGTHS)]:
                problem = f"{rows['date'][index]!r} is not a date of {rows['precision'][index]}"
                yield fault_at(table, index, "precision", problem, "correct date or precision")
        if {"date", "year"} <= set(rows.columns):
            for index in rows.index[rows["date"].str[:4] != rows["year"].astype("str")]:
                problem = f"{rows['year'][index]} is not the year of {rows['date'][index]}"
                yield fault_at(table, index, "year", problem, "correct year or date")
        for start, end in (
            ("period_start", "period_end"),
            ("year_from", "year_to"),
            ("low_pct", "high_pct"),
        ):
            if {start, end} <= set(rows.columns):
                for index in rows.index[(rows[start] > rows[end]).fillna(False).astype(bool)]:
                    problem = f"{rows[end][index]} is before {rows[start][index]}"
                    yield fault_at(table, index, end, problem, "correct one of them")
        if "period_end" in rows.columns:
            for index in rows.index[rows["period_end"].str[:4] != rows["year"].astype("str")]:
                problem = f"{rows['year'][index]} is not the year of {rows['period_end'][index]}"
                yield fault_at(table, index, "year", problem, "correct year or period")


def _event_faults() -> Iterator[str]:
    """Rows of one event are numbered from 1."""
    rows = load("policy/events")
    numbers = rows.groupby("event_key").cumcount() + 1
    for index, row in rows.iterrows():
        if row["event_id"] != (expected := f"{row['event_key']}_{numbers[index]}"):
            problem = f"{row['event_id']!r} is not {expected!r}, the next row of its event"
            yield fault_at("policy/events", index, "event_id", problem, "correct id or event_key")


def _derived_faults() -> Iterator[str]:
    """Derived figures agree with their formula, or the package says why there is none."""
    for table in tables():
        rows = load(table)
        if "status" not in rows.columns:
            continue
        excused = {entry["source_id"] for entry in schema(table).get("not_recomputed", [])}
        formulas = rows["formula"] if "formula" in rows.columns else pd.Series(index=rows.index)
        for index in rows.index[rows["status"] == "derived"]:
            if pd.isna(formulas[index]) and not set(rows["source_id"][index].split(";")) <= excused:
                problem = "a derived figure without a formula"
                remedy = "add the formula, or its source to not_recomputed in datapackage.json"
                yield fault_at(table, index, "status", problem, remedy)
        for index, formula in formulas.dropna().items():
            for part in formula.split("; "):
                column, _, sum_ = part.partition(" = ")
                if column not in rows.columns or not pd.api.types.is_numeric_dtype(rows[column]):
                    problem = f"{column!r} is not a column of figures"
                    yield fault_at(
                        table, index, "formula", problem, "name the column of the figure"
                    )
                elif (result := _arithmetic(sum_)) is None:
                    problem = f"{sum_!r} cannot be worked out"
                    yield fault_at(
                        table, index, "formula", problem, "write numbers with + - * / ( )"
                    )
                elif pd.isna(stored := rows[column][index]) or (
                    abs(result - stored) > 0.5001 * 10.0 ** -_decimals(stored)
                ):
                    problem = f"{stored} is not {sum_}, which is {result:.6g}"
                    yield fault_at(
                        table, index, column, problem, "correct the figure or the formula"
                    )


def _literature_faults() -> Iterator[str]:
    """The argument map is a tree of three levels, and unread works state nothing."""
    table = "literature/argument"
    nodes = load(table)
    kinds = nodes.set_index("node_id")["kind"]
    above = {"thesis": None, "premise": ("thesis",)}
    for index, row in nodes.iterrows():
        allowed = above.get(row["kind"], ("premise",))
        parent = row["parent_id"]
        if (kinds.get(parent) not in allowed) if allowed else not pd.isna(parent):
            problem = f"a {row['kind']} cannot stand below {parent}"
            yield fault_at(table, int(str(index)), "parent_id", problem, "correct the parent")
        if row["kind"] in ("for", "against") and pd.isna(row["year"]):
            yield fault_at(
                table, int(str(index)), "year", "evidence without a year", "add its year"
            )
    if (n := int((kinds == "thesis").sum())) != 1:
        yield fault_at(table, 0, "kind", f"{n} theses", "keep one")
    table = "literature/statements"
    for index, row in load(table).iterrows():
        if (row["read"] == "not_read") != (row["direction"] == "not_read"):
            problem = f"direction {row['direction']} of a work read as {row['read']}"
            yield fault_at(table, int(str(index)), "direction", problem, "correct one of them")
        if (row["direction"] in ("silent", "not_read")) != pd.isna(row["strength"]):
            problem = f"strength {row['strength']} of a statement that is {row['direction']}"
            yield fault_at(table, int(str(index)), "strength", problem, "correct one of them")


def _decimals(number: float) -> int:
    """Decimals with which a number is written."""
    return len(repr(float(number)).removesuffix(".0").partition(".")[2])


def _arithmetic(text: str) -> float | None:
    """Value of a sum of plain numbers; None if the text is anything else."""

    def value(node: ast.expr) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        raise ValueError

    try:
        result = value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError):
        return None
    return result if math.isfinite(result) else None

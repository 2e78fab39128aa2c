"""The data package: it is sound, and every planted fault is found and named."""

import ast
import csv
import datetime
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import frictionless
import pandas as pd
import pytest

from taobao_villages import PACKAGE, __main__, data

TOTALS = {2014: 212, 2015: 780, 2016: 1311}
SOURCE = PACKAGE.parents[1] / "data"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the data that `data` reads; faults are planted in it."""
    shutil.copytree(SOURCE, tmp_path / "data")
    monkeypatch.setenv("TAOBAO_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def replace(path, old, new):
    """Put `new` in place of the first `old`; return the line of the file."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}: the test plants nothing"
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")
    return text[: text.index(old)].count("\n") + 1 + old.startswith("\n")


def faults(table):
    with pytest.raises(data.DataError) as caught:
        data.load(table)
    return caught.value.faults


def edit_package(copy, table, change):
    path = copy / "datapackage.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    change(next(about for about in package["resources"] if about["name"] == table))
    path.write_text(json.dumps(package), encoding="utf-8")


# ---- the data as they are ---------------------------------------------------------------------


def test_nothing_is_wrong():
    assert data.check() == []


def test_frictionless_finds_the_package_valid():
    report = frictionless.Package(str(SOURCE / "datapackage.json")).validate()
    assert report.flatten(["type", "note"]) == []
    assert [warning for task in report.tasks for warning in task.warnings] == []


def test_every_file_is_described_and_every_description_has_its_file():
    described = {data.schema(name)["path"] for name in data.tables()}
    assert described == {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.csv")}


def test_every_column_has_type_title_and_meaning():
    for name in data.tables():
        for field in data.schema(name)["schema"]["fields"]:
            assert field["title"], (name, field)
            assert len(field["description"]) > 3, (name, field)
            assert field["type"] in {"string", "integer", "number", "boolean", "date"}


def test_files_are_utf8_with_unix_lines_and_no_line_inside_a_cell():
    for name in data.tables():
        raw = (SOURCE / data.schema(name)["path"]).read_bytes()
        assert b"\r" not in raw, name
        assert raw.endswith(b"\n"), name
        assert raw.decode("utf-8").count("\n") == len(data.load(name)) + 1, name


@pytest.mark.parametrize("year", TOTALS)
def test_complete_years_sum_to_the_total(year):
    for table in ("province_year", "city_year", "county_year"):
        rows = data.load(f"villages/{table}")
        listed = rows[(rows["source_id"] == f"xrwang{year}") & (rows["year"] == year)]
        assert listed["n_villages"].sum() == TOTALS[year], table


def test_both_totals_of_2014_and_the_growth_printed_from_them():
    table = data.load("villages/national")
    assert set(table.loc[table["year"] == 2014, "n_villages"].dropna()) == {211, 212}
    printed = table.dropna(subset="growth_pct").groupby("year")["growth_pct"].agg(set)
    assert printed[2015] == {round(100 * (780 / 212 - 1))}
    assert printed[2016] == {round(100 * (1311 / 780 - 1))}


def test_every_source_that_is_cited_exists_and_every_source_is_cited():
    assert set(data.used_by()) == set(data.sources().index)


def test_sources_have_addresses_or_say_that_they_have_none_and_no_two_are_the_same():
    table = data.sources()
    addresses = table["address_read"].where(table["address_read"] != "", table["address"])
    assert not addresses[addresses != ""].duplicated().any()
    unknown = table[(addresses == "") & (table["kind"] != "project")]
    assert (
        unknown["note"]
        .str.contains("address not recorded|address was not recorded", case=False)
        .all()
    )
    assert not table["title"].str.contains("[\u3400-\u9fff]").any()


def test_no_table_holds_the_names_of_villages():
    """The named lists have a row a village; what is carried are counts by place."""
    for name in data.tables():
        columns = set(data.load(name).columns)
        assert not columns & {"village", "village_name", "village_zh"}, name
        if name.startswith("villages/"):
            text = (SOURCE / data.schema(name)["path"]).read_text(encoding="utf-8")
            assert not re.search("村|社区|居委会", text), name
    assert len(data.load("cases/cases")) < 150


def test_no_path_of_somebodys_machine_is_in_the_data():
    # A path that starts at the root, and is not a part of an address.
    own = rf"(?<![\w/:.])/\w+/|{re.escape(str(SOURCE.parent))}|NOTES\.md"
    assert re.search(own, "see /home/me/table.csv")
    for path in SOURCE.rglob("*.*"):
        assert not re.search(own, path.read_text(encoding="utf-8")), path


def test_frames_have_the_types_of_the_schema():
    national = data.load("villages/national").dtypes.astype(str)
    assert national[["year", "n_villages", "growth_pct", "status"]].tolist() == [
        "int64",
        "Int64",
        "float64",
        "str",
    ]
    provinces = data.load("provinces/provinces")
    assert provinces["coastal"].dtype == bool
    assert provinces["province_code"].iloc[0] == "11"
    assert data.load("geo/centroids")["lon_label"].dtype == "float64"


def test_text_that_pandas_takes_for_missing_stays(copy):
    replace(copy / "villages/clusters.csv", ",clusters,", ",NA,")
    assert "NA" in set(data.load("villages/clusters")["unit"])


def test_a_frame_is_a_copy():
    table = data.load("claims")
    table["section"] = "spoilt"
    assert "spoilt" not in set(data.load("claims")["section"])


def test_definitions_of_coast_and_south():
    table = data.load("provinces/provinces").set_index("name_en")
    size = table.select_dtypes(bool).sum()
    assert size["coastal"] == 11
    assert table.index[table["coastal"] ^ table["coastal_without_guangxi"]].tolist() == ["Guangxi"]
    assert size["east_nbs"] == 10
    assert size["six_coastal"] == 6
    assert size["south"] - size["south_jiangsu_north"] == 1
    assert size["south"] - size["south_jiangsu_anhui_north"] == 2
    assert table.index[table["southeast_three"]].tolist() == ["Zhejiang", "Fujian", "Guangdong"]
    assert table.index[table["delta"] ^ table["delta_with_anhui"]].tolist() == ["Anhui"]
    assert table.loc["Beijing", "east_nbs"]
    assert not table.loc["Beijing", "coastal"]


def test_deltas():
    table = data.load("geo/delta_prefectures")
    assert table.groupby("definition").size().to_dict() == {"prd_9": 9, "yrd_16": 16, "yrd_26": 26}
    assert (table["prefecture_code"].str[:2] == table["province_code"]).all()
    sets = table.groupby("definition")["name_en"].agg(set)
    assert sets["yrd_16"] < sets["yrd_26"]
    names = data.load("geo/prefectures").set_index("prefecture_code")["name_zh"]
    assert (table["prefecture_code"].map(names) == table["name_zh"]).all()


def test_prefectures_match_and_levels_follow_the_codes():
    units = data.load("geo/prefectures").set_index("prefecture_code")["level"]
    assert (units == "municipality").sum() == 4
    assert units["110000"] == "municipality"
    assert units["419001"] == "county_under_province"
    for table in ("villages/city_year", "villages/county_year"):
        assert data.load(table)["prefecture_code"].notna().all()
    cities = data.load("villages/city_year").drop_duplicates("city").set_index("city")
    codes = cities.loc[
        ["延边朝鲜族自治州", "大理白族自治州", "西双版纳傣族自治州"], "prefecture_code"
    ]
    assert codes.tolist() == ["222400", "532900", "532800"]


def test_borders():
    table = data.load("geo/adjacency")
    pairs = set(zip(table["province_code_a"], table["province_code_b"], strict=True))
    assert pairs == {(b, a) for a, b in pairs}
    assert table["link_type"].value_counts().to_dict() == {"land": 2 * 68, "ferry": 2}


def test_outlines_are_valid_and_of_the_31_units():
    shapes = data.outlines()
    assert (
        shapes["province_code"].tolist()
        == data.load("provinces/provinces")["province_code"].tolist()
    )
    assert shapes.geometry.is_valid.all()
    assert shapes.crs == "EPSG:4326"
    assert (SOURCE / "geo/provinces.geojson").stat().st_size < 150_000
    areas = shapes.set_index("province_code").to_crs("ESRI:102025").area / 1e6
    ratio = areas / data.load("geo/centroids").set_index("province_code")["area_km2_polygon"]
    assert ratio.drop("31").between(0.88, 1.12).all()  # Shanghai's polygon lacks Chongming


def test_outlines_touch_where_provinces_border():
    shapes = data.outlines().set_index("province_code").geometry
    land = data.load("geo/adjacency").query("link_type == 'land'")
    expected = set(zip(land["province_code_a"], land["province_code_b"], strict=True))
    touching = {
        (a, b)
        for a in shapes.index
        for b in shapes.index[shapes.intersects(shapes[a])]
        if a != b and shapes[a].boundary.intersection(shapes[b].boundary).length > 0
    }
    assert touching == expected


# ---- indicator and sources --------------------------------------------------------------------


def test_indicator_covers_31_units():
    people = data.indicator("population", 2015, "nbs_pop_2023")
    assert people.shape == (31,)
    assert people.notna().all()
    assert people.index.name == "province_code"
    assert people.dtype == "float64"
    assert 136_000 < people.sum() < 139_000  # 10,000 persons


def test_indicator_is_nan_where_there_is_no_value():
    parcels = data.indicator("express_parcels_jan_jun", 2016)
    assert parcels.shape == (31,)
    assert parcels.notna().sum() == 23


def test_indicator_refuses_to_choose_between_sources():
    with pytest.raises(data.DataError, match=r"several sources.*nbs_gdp_v2018, nbs_gdp_v2023"):
        data.indicator("gdp", 2015)


@pytest.mark.parametrize(
    ("name", "year", "source"),
    [("gpd", 2015, None), ("gdp", 1950, None), ("gdp", 2015, "nbs_pop_2023")],
)
def test_indicator_names_what_is_not_there(name, year, source):
    with pytest.raises(data.DataError, match=f"no {name!r} of {year}"):
        data.indicator(name, year, source)


def test_sources_in_the_order_asked_for_with_empty_text_for_missing():
    table = data.sources(["li2017", "ali2016en"])
    assert table.index.tolist() == ["li2017", "ali2016en"]
    assert table.loc["li2017", "read_on"] == ""
    with pytest.raises(data.DataError, match="'nobody'"):
        data.sources(["li2017", "nobody"])


def test_an_unknown_table_is_named():
    with pytest.raises(data.DataError, match="'villages/nation'"):
        data.load("villages/nation")


FIGURES = {"value", "value_pct", "share_pct", "n_villages", "threshold_number"}
NO_FIGURES = {  # and why
    "villages/definitions": "a criterion has one wording, not figures that sources repeat",
    "villages/products": "ranks and shares of one report",
    "market/evidence": "each row is another piece",
    "cases/sustainability": "each row is the result of one study",
}


# ---- planted faults: file, row and column are named -------------------------------------------


@dataclass(frozen=True)
class Fault:
    """One fault to plant in a table, and what must be said of it.

    `change` gets the cells of the file (the header is row 0) and changes them in place, or gets
    its text and returns another. It returns the row of the file that must be named, for text with
    the new text.
    """

    table: str
    column: str
    words: str
    change: Callable


def header(rows, column):
    return rows[0].index(column)


def put(column, value, **where):
    """Change one cell, of the first row where the other cells are as said."""

    def change(rows):
        for number, row in enumerate(rows[1:], start=2):
            if all(row[header(rows, name)] == cell for name, cell in where.items()):
                assert row[header(rows, column)] != value, "the test plants nothing"
                row[header(rows, column)] = value
                return number
        raise AssertionError(f"no row with {where}: the test plants nothing")

    return change


def first_filled(rows, column):
    return next(n for n, row in enumerate(rows) if n and row[header(rows, column)])


def spoil(column, value):
    """Change the first cell of a column that is not empty."""

    def change(rows):
        row = first_filled(rows, column)
        rows[row][header(rows, column)] = value
        return row + 1

    return change


def twice(rows):
    rows.append(list(rows[1]))
    return len(rows)


def short(rows):
    del rows[1][-1]
    return 2


def long(rows):
    rows[1].insert(1, "x")
    return 2


def blank(rows):
    rows.insert(1, [])
    return 2


def without(column):
    def change(rows):
        place = header(rows, column)
        for row in rows:
            del row[place]
        return 1

    return change


def extra(rows):
    for number, row in enumerate(rows):
        row.append("mine" if not number else "1")
    return 1


def reordered(rows):
    for row in rows:
        row.reverse()
    return 1


def fewer(rows):
    del rows[len(rows) // 2 :]
    return len(rows)


def cut(text):
    return text.count("\n"), text[:-1].encode()


def marked(text):
    return 1, b"\xef\xbb\xbf" + text.encode()


def carriage(text):
    return 1, text.replace("\n", "\r\n").encode()


def latin(text):
    return 2, text.encode().replace(b"\n", b"\n\xe9", 1)


# A code of the right form that nothing has.
STRANGERS = {"province_code": "69", "prefecture_code": "999999", "county_code": "699999"}


def faults_of_a_schema(table):
    """A fault of each kind that the description of a table allows, as (kind, fault)."""
    about = data.schema(table)
    fields = about["schema"]["fields"]
    first, last = fields[0]["name"], fields[-1]["name"]
    key = " and ".join(about["schema"].get("primaryKey", [field["name"] for field in fields]))
    whole = {
        "dropped column": Fault(table, last, "missing", without(last)),
        "extra column": Fault(table, "mine", "not described", extra),
        "reordered columns": Fault(table, last, "in the order", reordered),
        "double row": Fault(table, key, "stands in row 2 already", twice),
        "short row": Fault(table, last, f"{len(fields) - 1} cells", short),
        "long row": Fault(table, last, f"{len(fields) + 1} cells", long),
        "empty line": Fault(table, first, "0 cells", blank),
        "rows taken out": Fault(table, first, "are declared", fewer),
        "line cut off": Fault(table, last, "no line end after the last line", cut),
        "byte order mark": Fault(table, first, "byte order mark", marked),
        "carriage returns": Fault(table, first, "carriage return", carriage),
        "another encoding": Fault(table, first, "not UTF-8", latin),
    }
    turn = data.tables().index(table)  # a third of them for each table, in turn
    yield from list(whole.items())[turn % 3 :: 3]
    seen = set()
    for field in fields:
        name, limits = field["name"], field.get("constraints", {})
        if not any(row[name] for row in cells(table)):
            continue  # a column without values in this version
        wrong = {
            "text for a number": ("many", "is not of type", field["type"] in {"integer", "number"}),
            "fraction for a count": ("7.5", "integer", field["type"] == "integer"),
            "flag that is none": ("perhaps", "boolean", field["type"] == "boolean"),
            "day that is none": ("2026-13-40", "date", field["type"] == "date"),
            "below the minimum": (low(limits), "below the minimum", "minimum" in limits),
            "above the maximum": (high(limits), "above the maximum", "maximum" in limits),
            "word that is not allowed": ("xyz", "is not one of", "enum" in limits),
            "form that is not allowed": ("?", "does not have the form", "pattern" in limits),
            "required cell empty": ("", "empty", bool(limits.get("required"))),
        }
        for kind, (value, words, applies) in wrong.items():
            if applies and kind not in seen:
                seen.add(kind)
                yield kind, Fault(table, name, words, spoil(name, value))
        if "separator" in field and "unknown in a list" not in seen:
            seen.add("unknown in a list")
            yield "unknown in a list", Fault(table, name, "'nobody'", listed(name))
    for reference in about["schema"].get("foreignKeys", []):
        columns = reference["fields"]
        names = [columns] if isinstance(columns, str) else columns
        last_name = names[-1].replace("_a", "").replace("_b", "")
        stranger = STRANGERS.get(last_name, "nobody")
        target = f"is not in data/{data.schema(reference['reference']['resource'])['path']}"
        place = " and ".join(names)
        yield f"unknown {place}", Fault(table, place, target, spoil(names[-1], stranger))


def listed(column):
    def change(rows):
        row = first_filled(rows, column)
        rows[row][header(rows, column)] += ";nobody"
        return row + 1

    return change


def low(limits):
    return f"{limits['minimum'] - 1:g}" if "minimum" in limits else ""


def high(limits):
    return f"{limits['maximum'] + 1:g}" if "maximum" in limits else ""


def cells(table):
    text = (SOURCE / data.schema(table)["path"]).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


SCHEMA = [
    pytest.param(fault, id=f"{table}: {kind}")
    for table in data.tables()
    for kind, fault in faults_of_a_schema(table)
]


SCHEMA += [
    pytest.param(fault, id=f"{fault.table}: {kind}")
    for kind, fault in {
        "a case without a short name": Fault(
            "cases/cases", "short_name", "empty", put("short_name", "", case_id="aicun")),
        "a level that is none": Fault(
            "cases/cases", "level", "is not one of", put("level", "hamlet", case_id="aicun")),
        "a case of which it is not said whether it was listed": Fault(
            "cases/cases", "listed_2015", "empty", put("listed_2015", "", case_id="aicun")),
        "a case that was perhaps listed": Fault(
            "cases/cases", "listed_2016", "is not one of",
            put("listed_2016", "perhaps", case_id="aicun")),
        "a certainty that is none": Fault(
            "cases/case_codes", "certainty", "is not one of", put("certainty", "sure")),
        "a code of neither the first pass nor later": Fault(
            "cases/case_codes", "since_second_pass", "empty", put("since_second_pass", "")),
        "a code about a thing that is not listed": Fault(
            "cases/case_codes", "about", "is not one of", put("about", "dog")),
        "a role that is not described": Fault(
            "market/evidence", "bears_on", "'C44:useful' is no role",
            put("bears_on", "C44:useful", bears_on="C44:idle")),
        "a role given twice": Fault(
            "market/evidence", "bears_on", "'C44:idle' stands twice",
            put("bears_on", "C44:idle;C44:idle", bears_on="C44:idle")),
        "a claim without a role": Fault(
            "policy/events", "bears_on", "'C07' is no role",
            put("bears_on", "C07", bears_on="C07:opinion")),
        "a case of evidence that is not coded": Fault(
            "market/evidence", "case_id", "is not in data/cases/cases.csv",
            put("case_id", "atlantis", case_id="qingyanliu")),
        "a work neither on the villages nor on another thing": Fault(
            "literature/works", "on_villages", "empty", put("on_villages", "")),
        "a figure neither suspect nor sound": Fault(
            "market/cnnic", "suspect", "empty", put("suspect", "")),
        "a figure of no part of a year": Fault(
            "cases/case_series", "period", "empty", put("period", "")),
        "a zone that is none": Fault(
            "villages/regions", "zone", "is not one of", put("zone", "moon")),
        "villages of which it is not said whether all are counted": Fault(
            "villages/regions", "counted", "empty", put("counted", "")),
        "a direction that is none": Fault(
            "cases/sustainability", "direction", "is not one of",
            put("direction", "sideways", direction="better")),
        "an assertion of no section": Fault(
            "literature/coverage", "section", "is not one of", put("section", "preface")),
        "an assertion in sentence 0": Fault(
            "literature/coverage", "sentence", "below the minimum", put("sentence", "0")),
        "an assertion in paragraph 0": Fault(
            "literature/coverage", "paragraph", "below the minimum", put("paragraph", "0")),
        "an assertion of no part": Fault(
            "literature/coverage", "part", "does not have the form", put("part", "A")),
        "an assertion of no kind": Fault(
            "literature/coverage", "kind", "is not one of", put("kind", "joke")),
        "an assertion in one word": Fault(
            "literature/coverage", "about", "does not have the form", put("about", "growth")),
        "an assertion neither covered nor missing": Fault(
            "literature/coverage", "status", "is not one of", put("status", "half")),
        "a claim that there is not for an assertion": Fault(
            "literature/coverage", "claim_ids", "'C99' is not in data/claims.csv",
            put("claim_ids", "C01;C99", claim_ids="C01")),
        "a ground that is none": Fault(
            "literature/coverage", "ground", "is not one of", put("ground", "tired")),
        "a repetition of no place": Fault(
            "literature/coverage", "repeats", "does not have the form",
            put("repeats", "market 1", ground="repetition")),
        "a reading that says something else": Fault(
            "literature/coverage", "first_reading", "is not one of",
            put("first_reading", "perhaps")),
        "a second reading that says something else": Fault(
            "literature/coverage", "second_reading", "is not one of",
            put("second_reading", "perhaps")),
    }.items()
]  # fmt: skip


def more(**cells):
    """Add a row: the first, with other cells."""

    def change(rows):
        rows.append([cells.get(name, cell) for name, cell in zip(rows[0], rows[1], strict=True)])
        return len(rows)

    return change


# Faults that only a comparison of rows or tables shows: the fault, and where it is reported if
# that is in another table than the changed one.
COMPARED = {
    "a province against the nation": (
        Fault("villages/province_year", "n_villages", "281 here against 280",
              put("n_villages", "281", year="2015", province_code="33", source_id="xrwang2015")),
        None),
    "the nation against its provinces": (
        Fault("villages/national", "n_villages", "1312 here against 1311",
              put("n_villages", "1312", year="2016", source_id="xrwang2016")), None),
    "a prefecture against its province": (
        Fault("villages/city_year", "n_villages", "23 here against 24",
              put("n_villages", "23", year="2014", city="广州市")), None),
    "a county against its prefecture": (
        Fault("villages/county_year", "n_villages", "24 here against 23",
              put("n_villages", "8", year="2014", city="广州市", county="增城市")),
        "villages/city_year"),
    "more in the provinces than in the nation": (
        Fault("villages/province_year", "n_villages", "the provinces of 2009 sum to 9",
              put("n_villages", "7", year="2009", province_code="13")), None),
    "a province under the name of another": (
        Fault("provinces/panel", "province", "'Hebei' is not province 11",
              put("province", "Hebei", province_code="11")), None),
    "a neighbour under the name of another": (
        Fault("geo/adjacency", "name_en_b", "'Hebei' is not province 12",
              put("name_en_b", "Hebei", province_code_b="12")), None),
    "a centre under the name of another": (
        Fault("geo/centroids", "name_en", "'Hebei' is not province 12",
              put("name_en", "Hebei", province_code="12")), None),
    "a tile under the name of another": (
        Fault("geo/tilegrid", "name_en", "'Hebei' is not province 12",
              put("name_en", "Hebei", province_code="12")), None),
    "a prefecture of another province": (
        Fault("villages/city_year", "prefecture_code", "140100 is not in province 13",
              put("prefecture_code", "140100", year="2014", prefecture_code="130100")), None),
    "a delta's prefecture in another province": (
        Fault("geo/delta_prefectures", "prefecture_code", "440100 is not in province 45",
              put("province_code", "45", prefecture_code="440100")), None),
    "a county with another code than its prefecture": (
        Fault("villages/county_year", "prefecture_code", "another code",
              put("prefecture_code", "130200", year="2014", prefecture_code="130100")), None),
    "a clear code that was not found again": (
        Fault("cases/second_reading", "verdict", "counts as clear",
              put("verdict", "not_in_text", verdict="same_clear")), None),
    "a code of the second reading that is coded": (
        Fault("cases/second_reading", "verdict", "added, and yet coded",
              put("verdict", "added", verdict="same_clear")), None),
    "a code read again that is not coded": (
        Fault("cases/second_reading", "verdict", "no such code",
              put("verdict", "same_doubtful", verdict="added")), None),
    "people of a county": (
        Fault("counties/census", "population", "urban and rural make",
              put("urban", "1", county_code="110105", year="2010")), None),
    "more farmers than workers": (
        Fault("counties/census", "employed_farming", "more than all employed",
              put("employed_farming", "999999", county_code="110105", year="2010")), None),
    "more workers than people": (
        Fault("counties/census", "employed", "more employed than people",
              put("employed", "99999999", county_code="110105", year="2010")), None),
    "a county without people": (
        Fault("counties/census", "population", "no people in a unit",
              put("population", "", county_code="110105", year="2010")), None),
    "a prefecture that its counties do not make": (
        Fault("counties/prefecture_census", "rural", "its counties have",
              put("rural", "9", prefecture_code="110000", year="2010")), None),
    "more people in prefectures than in the province": (
        Fault("provinces/panel", "population", "the prefectures sum to",
              put("value", "1", indicator="census_population", province_code="11", year="2010")),
        "counties/prefecture_census"),
    "committees of counties that the panel does not have": (
        Fault("counties/units", "administrative_villages", "the panel has",
              put("administrative_villages", "7", county_code="110101")), None),
    "a seat far away": (
        Fault("counties/units", "lon", "km from its prefecture",
              put("lon", "90", county_code="110101")), None),
    "a seat without a source": (
        Fault("counties/units", "seat_source_id", "not as lon",
              put("seat_source_id", "", county_code="110101")), None),
    "an area without a source": (
        Fault("counties/units", "area_source_id", "not as area_km2",
              put("area_source_id", "", county_code="110101")), None),
    "a county of another province": (
        Fault("counties/units", "county_code", "not in its province",
              put("province_code", "12", county_code="110101")), None),
    "an earlier code of another province": (
        Fault("counties/concordance", "codes_2009", "not in the province",
              put("codes_2009", "120101", county_code="110105")), None),
    "a county with villages in another prefecture": (
        Fault("villages/county_year", "county_code", "110101 lies in 110000",
              put("county_code", "110101", year="2014", prefecture_code="130100")), None),
    "a county with another code in another year": (
        Fault("villages/county_year", "county_code", "another code than in another year",
              put("county_code", "130102", year="2016", county_code="130123")), None),
    "a poverty county too many": (
        Fault("counties/poverty", "province_code", "44 named, 45 printed",
              put("province_code", "14", printed_code="130125")), "counties/poverty"),
    "a key county too many": (
        Fault("counties/poverty", "key_county", "40 key counties named",
              put("key_county", "yes", province_code="13", key_county="no")), "counties/poverty"),
    "a key county without a source": (
        Fault("counties/poverty", "key_source_id", "not as key_county",
              put("key_source_id", "", key_county="yes")), None),
    "a poverty county joined to nothing": (
        Fault("counties/poverty", "joined_by", "not as county_code",
              put("joined_by", "none", joined_by="code")), None),
    "villages in poverty counties": (
        Fault("villages/poverty", "value", "the lists have 4",
              put("value", "5", year="2014", quantity="n_villages",
                  category="national-level poverty counties")), None),
    "a poverty county of one table only": (
        Fault("villages/poverty_status", "national_poverty_county", "says otherwise",
              put("national_poverty_county", "yes", county="安新县")), None),
    "a share over 100": (
        Fault("villages/clusters", "value", "a share of 540", put("value", "540", unit="%")), None),
    "a share over 100 in the market": (
        Fault("market/demo_counties", "value", "a share of 182.5",
              put("value", "182.5", indicator="central_western_share")), None),
    "a share below 0": (
        Fault("market/cnnic", "value", "a share of -3.1",
              put("value", "-3.1", indicator="internet_penetration_rural")), None),
    "growth that the totals do not give": (
        Fault("villages/national", "growth_pct", "368% does not agree",
              put("growth_pct", "368", year="2015", growth_pct="268")), None),
    "villages that were kept": (
        Fault("villages/survival", "n_dropped", "the row's counts give 213",
              put("n_kept", "210", n_kept="209")), None),
    "a share of villages that were kept": (
        Fault("villages/survival", "kept_pct", "the row's counts give 98.6",
              put("kept_pct", "88.6", n_kept="209")), None),
    "more villages in poor counties than in all": (
        Fault("villages/poverty", "value", "99999 is more than all",
              put("value", "99999", year="2017", quantity="n_villages")), None),
    "a rank with more villages than the one before": (
        Fault("villages/counties_top", "rank", "has more villages than the rank before",
              put("rank", "30", year="2014", county="Qinghe")), "any row"),
    "a count that the lists do not have": (
        Fault("villages/counties_top", "n_villages", "no county of the province has 7",
              put("n_villages", "7", year="2014", county="Qinghe")), None),
    "more large clusters than clusters": (
        Fault("villages/clusters", "value", "2019: larger clusters outnumber smaller ones",
              put("value", "9999", year="2019", quantity="n_large_clusters (>=30)")), "no row"),
    "a border of two lengths": (
        Fault("geo/adjacency", "shared_border_km", "11, 12: 38.1 here against 37.1",
              put("shared_border_km", "38.1", province_code_a="11", province_code_b="12")), None),
    "a code counted wrong": (
        Fault("cases/codebook", "n_cases", "association, exists: 99 here",
              put("n_cases", "99", dimension="association", code="exists")), None),
    "a code taken from a case": (
        Fault("cases/case_codes", "n_cases", "initiator, firm",
              put("code", "government", dimension="initiator", code="firm")), "cases/codebook"),
    "a case without a code": (
        Fault("cases/cases", "case_id", "nowhere has no code",
              lambda rows: rows.append(["nowhere", *rows[1][1:]]) or len(rows)), None),
    "two cases of one name": (
        Fault("cases/cases", "short_name", "'Bainiu' is the name of another case too",
              put("short_name", "Bainiu", case_id="beishan")), None),
    "a code of an association about a place": (
        Fault("cases/case_codes", "about", "place for a code of association",
              put("about", "place", dimension="association", about="association")), None),
    "a code of a place about an association": (
        Fault("cases/case_codes", "about", "association for a code of outcome",
              put("about", "association", dimension="outcome")), None),
    "general policy where none is coded": (
        Fault("cases/case_codes", "about", "general_policy for a code of outcome",
              put("about", "general_policy", dimension="outcome")), None),
    "a report of thin profit in no case": (
        Fault("market/evidence", "case_id", "empty in a row for C34:thin_profit",
              put("case_id", "", bears_on="C34:thin_profit")), None),
    "a case in another region": (
        Fault("cases/cases", "region4", "Hebei is not in West",
              put("region4", "West", case_id="aicun")), None),
    "a case in a county of another province": (
        Fault("cases/cases", "county_code", "330185 is not in province 13",
              put("county_code", "330185", case_id="aicun")), None),
    "a case listed in a county without villages": (
        Fault("cases/cases", "listed_2014", "沛县 (320322) has no village",
              put("listed_2014", "yes", case_id="houliuduan")), None),
    "a listed case in another county of its province": (
        Fault("cases/cases", "listed_2016", "井陉县 (130121) has no village",
              put("county_code", "130121", case_id="donggaozhuang")), None),
    "a case listed before it was recognised": (
        Fault("cases/cases", "year_first_recognised", "2016 is later than the list of 2015",
              put("year_first_recognised", "2016", case_id="huozhuang")), None),
    "a province that a complete series lacks": (
        Fault("provinces/panel", "province_code", "internet_penetration, nbs_internet_nfu",
              put("year", "2009", indicator="internet_penetration", year="2015")), "no row"),
    "a nation that is not the sum of its provinces": (
        Fault("provinces/panel", "value", "2016, administrative_villages, nbs_divcodes_2016",
              put("value", "1", indicator="administrative_villages", year="2016")),
        "provinces/national"),
    "an assertion covered by no claim": (
        Fault("literature/coverage", "claim_ids", "no claim for covered",
              put("claim_ids", "", claim_ids="C02")), None),
    "a claim named for nothing": (
        Fault("literature/coverage", "claim_ids", "C02 for missing no_claim",
              put("claim_ids", "C02", ground="no_claim")), None),
    "a missing assertion without a reason": (
        Fault("literature/coverage", "reason", "missing without a reason",
              put("reason", "", status="missing")), None),
    "an excused assertion without a reason": (
        Fault("literature/coverage", "reason", "excused without a reason",
              put("reason", "", status="excused")), None),
    "a reason where none is needed": (
        Fault("literature/coverage", "reason", "covered, with a reason",
              put("reason", "said so", status="covered")), None),
    "a missing assertion with an excuse": (
        Fault("literature/coverage", "ground", "background for an assertion that is missing",
              put("ground", "background", ground="no_claim")), None),
    "a covered assertion with a ground": (
        Fault("literature/coverage", "ground", "no_claim for an assertion that is covered",
              put("ground", "no_claim", status="covered")), "any row"),
    "a fact excused as a judgement": (
        Fault("literature/coverage", "ground", "empirical, excused as a judgement",
              put("kind", "empirical", ground="judgement")), None),
    "a repetition of nothing": (
        Fault("literature/coverage", "repeats", "no place for repetition",
              put("repeats", "", ground="repetition")), None),
    "a place for what is no repetition": (
        Fault("literature/coverage", "repeats", "market 1 1 a for background",
              put("repeats", "market 1 1 a", ground="background")), None),
    "a repetition of what comes later": (
        Fault("literature/coverage", "repeats", "'conclusion 1 8 a' is no row before this one",
              put("repeats", "conclusion 1 8 a", ground="repetition")), None),
    "a repetition of a repetition": (
        Fault("literature/coverage", "repeats", "'market 1 3 a' is no row before this one",
              put("repeats", "market 1 3 a", section="conclusion", ground="repetition")), None),
    "a sentence that has no row": (
        Fault("literature/coverage", "sentence", "expansion 3 8 after expansion 3 6",
              put("sentence", "8", section="expansion", paragraph="3", sentence="7")), None),
    "a paragraph that has no row": (
        Fault("literature/coverage", "sentence", "society 3 1 after society 1 10",
              put("paragraph", "3", section="society", paragraph="2")), "any row"),
    "a claim that stands for no assertion": (
        Fault("literature/coverage", "claim_id", "no assertion of literature/coverage names C43",
              put("claim_ids", "C42", claim_ids="C43")), "claims"),
    "a date less exact than said": (
        Fault("policy/events", "precision", "'2006' is not a date of day",
              put("precision", "day", event_id="ev_vip2006_1")), None),
    "a date less exact than said, of a piece of evidence": (
        Fault("market/evidence", "precision", "'2016-07' is not a date of day",
              put("precision", "day", evidence_id="ev001")), None),
    "a date less exact than said, of a list": (
        Fault("villages/list_events", "precision", "'2013' is not a date of month",
              put("precision", "month", list_year="2013")), None),
    "a date less exact than said, of a count of stations": (
        Fault("market/rural_taobao", "precision", "is not a date of day",
              put("precision", "day", date="2014-10")), None),
    "a date less exact than said, of users": (
        Fault("market/platform_users", "precision", "is not a date of year",
              put("precision", "year", date="2013-12")), None),
    "a year that is not the date's": (
        Fault("market/cnnic", "year", "2016 is not the year of 2006-12",
              put("year", "2016", date="2006-12")), None),
    "a period that ends before it starts": (
        Fault("market/online_retail", "period_end", "2017-12 is before 2018-01",
              put("period_start", "2018-01", period_start="2017-01", period_end="2017-12")), None),
    "a year that is not the period's": (
        Fault("market/platform_share", "year", "2014 is not the year of 2013-12",
              put("year", "2014", period_end="2013-12")), None),
    "a first year after the last": (
        Fault("market/demo_counties", "year_to", "2020 is before 2031",
              put("year_from", "2031", year_to="2020")), None),
    "an event numbered wrong": (
        Fault("policy/events", "event_id", "'ev_vip2006_7' is not 'ev_vip2006_2'",
              put("event_id", "ev_vip2006_7", event_id="ev_vip2006_2")), None),
    "a derived figure without a formula": (
        Fault("villages/poverty", "status", "without a formula",
              put("formula", "", formula="value = 63 - 18")), None),
    "a formula for a column that is none": (
        Fault("villages/poverty", "formula", "'price' is not a column of figures",
              put("formula", "price = 63 - 18", formula="value = 63 - 18")), None),
    "a formula that cannot be worked out": (
        Fault("villages/poverty", "formula", "cannot be worked out",
              put("formula", "value = 63 - (18", formula="value = 63 - 18")), None),
    "a formula that divides by nought": (
        Fault("villages/poverty", "formula", "cannot be worked out",
              put("formula", "value = 63 / 0", formula="value = 63 - 18")), None),
    "a total far from that of the other sources": (
        Fault("villages/national", "n_villages", "2016: 13110, other sources have 1311",
              more(n_villages="13110", year="2016", source_id="li2017")), None),
    "a province's count far from that of the other sources": (
        Fault("villages/province_year", "n_villages", "2018, 37: 36, other sources have 367",
              put("n_villages", "36", year="2018", province_code="37")), None),
    "a second source of a province's value that is far away": (
        Fault("provinces/panel", "value", "11, 2015, population: 21, other sources have 21",
              more(value="21", year="2015", indicator="population", source_id="li2017")), None),
    "an indicator in two units": (
        Fault("provinces/panel", "unit", "gdp in 'yuan', elsewhere in '100 million yuan",
              put("unit", "yuan", indicator="gdp", year="2015")), None),
    "a quantity in another unit": (
        Fault("villages/poverty", "unit", "n_villages in 'counties', elsewhere in 'villages'",
              put("unit", "counties", quantity="n_villages")), None),
    "a unit that is not among those declared": (
        Fault("market/online_retail", "unit", "'%', elsewhere in 'RMB billion' or",
              put("unit", "%", indicator="online_retail_cnnic")), None),
    "a fraction for a rate of urbanisation": (
        Fault("provinces/panel", "value", "0.865 is not above 1 and at most 100",
              put("value", "0.865", indicator="urbanisation_rate", year="2015")), None),
    "a rate of urbanisation over 100": (
        Fault("provinces/panel", "value", "865 is not above 1 and at most 100",
              put("value", "865", indicator="urbanisation_rate", year="2015")), None),
    "a series that jumps": (
        Fault("provinces/panel", "value", "highway_length, Beijing, nbs_transport_ttc: 2190",
              put("value", "2190", indicator="highway_length", year="2015")), None),
    "a series that jumps more than is declared for it": (
        Fault("provinces/panel", "value", "ecommerce_sales, Qinghai, nbs_ecsales_nfu: 6437",
              put("value", "6437", indicator="ecommerce_sales", year="2015", province="Qinghai")),
        None),
    "provinces that do not sum to the printed total": (
        Fault("provinces/panel", "value", "highway_length of 2016: 4.6963e+06 here",
              put("value", "23000", indicator="highway_length", year="2016", province="Beijing")),
        "provinces/national"),
    "a printed total that is not the provinces' sum": (
        Fault("provinces/national", "value", "population of 2016: 128271 here, the provinces sum",
              put("value", "128271", indicator="population", year="2016")), None),
    "some provinces with more than the nation": (
        Fault("provinces/national", "value", "national_poverty_counties of 2012: 192 here",
              put("value", "192", indicator="national_poverty_counties")), None),
    "neighbours by land one way and by ferry the other": (
        Fault("geo/adjacency", "link_type", "44, 46: land here, ferry from 46 to 44",
              put("link_type", "land", link_type="ferry")), None),
    "a neighbour one way only": (
        Fault("geo/adjacency", "link_type", "12, 11: land here, no row from 11 to 12",
              put("province_code_b", "14", province_code_a="11", province_code_b="12")),
        "any row"),
    "two tiles in one place": (
        Fault("geo/tilegrid", "col", "another tile has col 5 and row 7",
              put("col", "5", province_code="82")), None),
    "two tiles with one short name": (
        Fault("geo/tilegrid", "abbr", "another tile has abbr HK",
              put("abbr", "HK", province_code="82")), None),
    "a day that no calendar has": (
        Fault("villages/list_events", "date", "'2015-12-34' is not a day, month or year",
              put("date", "2015-12-34", list_year="2015", precision="day")), None),
    "a month that no calendar has": (
        Fault("market/cnnic", "date", "'2006-13' is not a day, month or year",
              put("date", "2006-13", date="2006-12")), None),
    "a date after the release": (
        Fault("sources", "read_on", "2031-01-01 is after the release of 20",
              spoil("read_on", "2031-01-01")), None),
    "goods of fewer villages than the county has": (
        Fault("villages/products_2014", "n_villages", "白沟新城: 4 here against 5",
              put("n_villages", "4", county="白沟新城")), None),
    "a good that is not classed": (
        Fault("villages/products_2014", "product", "石刻 not in villages/product_classes",
              put("product", "石刻", product="石雕")), None),
    "a good under another English name": (
        Fault("villages/products_2014", "product_en", "'carving' is not 'stone carving'",
              put("product_en", "carving", product="石雕")), None),
    "goods of a county in another province": (
        Fault("villages/products_2014", "county_code", "140105 is not in province 13",
              put("county_code", "140105", product="石雕")), None),
    "a class of a good that no village sells": (
        Fault("villages/product_classes", "product", "no village sells 石刻",
              more(product="石刻")), None),
    "a settled class that neither coding has": (
        Fault("villages/product_classes", "settled", "toys, but both codings say handicraft",
              put("settled", "toys", product="石雕")), None),
    "a doubtful class without another one": (
        Fault("villages/product_classes", "first_other", "as other class of household, doubtful",
              put("first_other", "", product="不锈钢制品")), None),
    "a clear class with another one": (
        Fault("villages/product_classes", "second_other", "toys as other class of handicraft",
              put("second_other", "toys", product="石雕")), None),
    "a nation that is not between its regions": (
        Fault("provinces/agricultural_census", "value", "99 is not between those of each region",
              put("value", "99.0", level="nation", year="2006", indicator="villages_with_road")),
        None),
    "a nation that is not between its provinces": (
        Fault("provinces/agricultural_census", "value", "64 is not between those of each province",
              put("value", "64.0", level="nation", year="2006", indicator="villages_with_road")),
        None),
    "a region that the statistics office does not have": (
        Fault("provinces/agricultural_census", "place", "South is no region",
              put("place", "South", place="West")), None),
    "a census of a province under another's code": (
        Fault("provinces/agricultural_census", "province_code", "12 for Beijing, which is 11",
              put("province_code", "12", place="Beijing")), None),
    "a nation in a province": (
        Fault("provinces/agricultural_census", "province_code", "11 for a nation",
              put("province_code", "11", place="China")), None),
    "a city that is a province": (
        Fault("provinces/agricultural_census", "place", "Guangxi is no prefecture",
              put("place", "Guangxi", place="Beihai")), None),
    "two sources of one share of villages": (
        Fault("provinces/agricultural_census", "value", "villages_with_road: 93.3, other sources",
              put("value", "93.3", place="China", year="2016", indicator="villages_with_road",
                  source_id="agri3_b3")), None),
    "a source that nothing uses": (
        Fault("sources", "source_id", "no table uses a_li2018",
              lambda rows: rows.append(["a_li2018", "press", "P", "T", *[""] * 5, "A", "", ""])
              or len(rows)), None),
}  # fmt: skip


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """A copy of the data in which nothing is wrong; each test puts back what it changes."""
    folder = tmp_path_factory.mktemp("clean") / "data"
    shutil.copytree(SOURCE, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAOBAO_DATA", str(folder))
        assert data.check() == []
        yield folder
        assert data.check() == [], "a test did not put back what it changed"


@pytest.fixture
def plant(clean):
    """Plant a fault in the clean copy; return the row that must be named."""
    changed = {}

    def planted(fault):
        path = clean / data.schema(fault.table)["path"]
        changed[path] = path.read_bytes()
        text = changed[path].decode("utf-8")
        if fault.change in {cut, marked, carriage, latin}:
            row, raw = fault.change(text)
        else:
            rows = list(csv.reader(io.StringIO(text)))
            row = fault.change(rows)
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows(rows)
            raw = out.getvalue().encode()
        assert raw != changed[path], "the test plants nothing"
        path.write_bytes(raw)
        return row

    yield planted
    for path, raw in changed.items():
        path.write_bytes(raw)


def test_at_least_sixty_faults_are_planted_and_some_in_every_table():
    assert len(SCHEMA) + len(COMPARED) >= 60
    assert {param.values[0].table for param in SCHEMA} == set(data.tables())
    kinds = {param.id.partition(": ")[2] for param in SCHEMA}
    assert len(kinds) >= 25, sorted(kinds)
    assert len(COMPARED) >= 40
    named = {param.values[0].table for param in SCHEMA if "unknown source_id" in param.id}
    lists = {param.values[0].table for param in SCHEMA if "unknown in a list" in param.id}
    assert named | lists == set(data.tables()) - {"sources"}


@pytest.mark.parametrize("fault", SCHEMA)
def test_a_fault_in_one_table_is_found(plant, fault):
    row = plant(fault)
    found = faults(fault.table)
    start = f"data/{data.schema(fault.table)['path']}, row {row}, column {fault.column}: "
    if fault.words == "in the order":
        start = f"data/{data.schema(fault.table)['path']}, row 1, column "
    assert any(line.startswith(start) and fault.words in line for line in found), found
    assert all(re.search(r"Remedy: .{8,}", line) for line in found)
    assert all(line.startswith(f"data/{data.schema(fault.table)['path']}, row ") for line in found)


@pytest.mark.parametrize(("fault", "where"), COMPARED.values(), ids=COMPARED)
def test_a_fault_that_a_comparison_shows_is_found(plant, fault, where):
    row = plant(fault)
    found = data.check()
    table = where if where in data.tables() else fault.table
    start = f"data/{data.schema(table)['path']}, row "
    if where is None:
        start += f"{row}, column {fault.column}: "
    matching = [line for line in found if line.startswith(start) and fault.words in line]
    assert matching, found
    assert all(f", column {fault.column}: " in line for line in matching)
    assert all(re.search(r"Remedy: .{8,}", line) for line in found)


def test_outlines_of_other_units_are_found(copy):
    replace(copy / "geo/provinces.geojson", '"province_code":"11"', '"province_code":"12"')
    found = [line for line in data.check() if line.startswith("data/geo/provinces.geojson, ")]
    assert len(found) == 2
    assert "province_code 11: province 11 has 0 outlines, 1 expected. Remedy: " in found[0]
    assert "province_code 12: province 12 has 2 outlines, 1 expected" in found[1]


def test_an_exception_is_declared_in_the_package(copy):
    def narrower(about):
        about["next_year"]["wider"] = []

    edit_package(copy, "provinces/panel", narrower)
    found = data.check()
    assert len(found) == 16  # 13 of firms' sales, and three of broadband
    assert all("ecommerce_sales, " in x or "broadband_" in x for x in found)
    assert all("Remedy: " in line for line in found)


# ---- a version is one state of the files -------------------------------------------------------


def test_the_data_are_those_of_the_released_version():
    """A change of the data needs a new version, its entry in the changelog, and the seal."""
    assert data.released() is None
    told = (SOURCE / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = json.loads((SOURCE / "versions.json").read_text(encoding="utf-8"))
    assert re.findall(r"^## \[(.+?)\] - ", told, re.MULTILINE) == list(versions)[::-1]
    assert list(versions)[-1] == data.version()


def test_a_value_that_was_changed_with_its_hash_is_told(copy, capsys):
    path = copy / "villages/economy.csv"
    place = replace(path, ",as_printed,", ",rounded,")
    assert place
    raw = path.read_bytes()

    def hide(about):
        about.update(hash=f"sha256:{hashlib.sha256(raw).hexdigest()}", bytes=len(raw))

    edit_package(copy, "villages/economy", hide)
    (line,) = data.check()
    assert line.startswith("data/datapackage.json, key version: the data are not those of version")
    assert "Remedy: undo the change; or raise version" in line
    assert line.endswith("and run python -m taobao_villages seal")
    assert __main__.main(["check"]) == 1
    assert capsys.readouterr().out == line + "\n"
    with pytest.raises(data.DataError, match="are not those of version"):
        data.seal()


def test_a_new_version_is_sealed_with_its_day(copy):
    replace(copy / "villages/economy.csv", ",as_printed,", ",rounded,")
    replace(copy / "datapackage.json", f'"version": "{data.version()}"', '"version": "9.0.0"')
    assert data.check()[-1].endswith("not sealed. Remedy: run python -m taobao_villages seal")
    assert data.seal() == ["villages/economy"]
    assert data.check() == []
    package = json.loads((copy / "datapackage.json").read_text(encoding="utf-8"))
    assert package["created"].startswith(f"{datetime.date.today()}T")


def test_the_check_gathers_the_faults_of_all_tables(plant):
    for table in data.tables():
        if table != "sources":
            plant(Fault(table, "", "", fewer))
    found = data.check()
    for table in set(data.tables()) - {"sources"}:
        assert any(line.startswith(f"data/{data.schema(table)['path']}, row ") for line in found)


# ---- derived figures are worked out again -----------------------------------------------------


def worked_out(text):
    """A second way to work out a formula: with fractions, and with the parser's own evaluation."""
    tree = ast.parse(text.strip(), mode="eval")
    exact = re.sub(r"[0-9]+(?:\.[0-9]+)?", lambda n: f"Fraction('{n.group()}')", ast.unparse(tree))
    return eval(exact, {"Fraction": Fraction, "__builtins__": {}})


FORMULAS = [name for name in data.tables() if data.load(name).get("formula") is not None]
DERIVED = [name for name in FORMULAS if data.load(name)["formula"].notna().any()]


@pytest.mark.parametrize("table", DERIVED)
def test_every_formula_gives_the_figure_beside_it(table):
    for row in cells(table):
        for part in filter(None, row["formula"].split("; ")):
            column, _, formula = part.partition(" = ")
            places = len(row[column].partition(".")[2])
            assert abs(worked_out(formula) - Fraction(row[column])) <= Fraction(
                5001, 10 ** (places + 4)
            ), (table, row)


@pytest.mark.parametrize("table", DERIVED)
def test_a_derived_figure_that_was_changed_is_found(plant, table):
    changed = {}

    def change(rows):
        number = first_filled(rows, "formula")
        column = rows[number][header(rows, "formula")].partition(" = ")[0]
        place = header(rows, column)
        old = rows[number][place]
        rows[number][place] = f"{Fraction(old) + 1}" if old.isdigit() else f"{float(old) * 1.1:.4f}"
        changed.update(column=column, value=rows[number][place])
        return number + 1

    row = plant(Fault(table, "", "", change))
    start = f"data/{data.schema(table)['path']}, row {row}, column {changed['column']}: "
    matching = [line for line in data.check() if line.startswith(start) and " is not " in line]
    assert matching, data.check()
    assert all("Remedy: correct the figure or the formula" in line for line in matching)


def test_derived_rows_have_a_formula_or_a_reason():
    for table in data.tables():
        rows = data.load(table)
        if "status" in rows.columns:
            derived = rows[rows["status"] == "derived"]
            if "formula" in rows.columns:
                derived = derived[derived["formula"].isna()]
            excused = {e["source_id"] for e in data.schema(table).get("not_recomputed", [])}
            cited = {i for ids in derived["source_id"] for i in ids.split(";")}
            assert cited <= excused, (table, cited - excused)


def test_figures_that_rest_on_one_source_are_marked():
    for table in data.tables():
        columns = data.schema(table).get("figure")
        if columns:
            support = data.support(table)
            rows = data.load(table)
            assert (support >= 1).all(), table
            assert len(support) == len(rows)
            named = [name for name in rows.columns if name.endswith("source_id")]
            for _, group in rows.groupby(columns, dropna=False):
                cells = [cell for name in named for cell in group[name].dropna()]
                cited = {i for cell in cells for i in cell.split(";")}
                assert set(support[group.index]) == {len(cited)}, (table, group)


def test_one_column_of_a_table_of_figures_has_fewer_sources_than_its_rows():
    rows = data.load("villages/national")
    towns = data.support("villages/national", "n_towns")
    assert (towns.index == rows.index[rows["n_towns"].notna()]).all()
    assert (towns <= data.support("villages/national")[towns.index]).all()
    assert (
        towns[rows["year"] == 2014].max()
        < data.support("villages/national")[rows["year"] == 2014].max()
    )
    with pytest.raises(data.DataError, match="no column 'colour'"):
        data.support("villages/national", "colour")
    with pytest.raises(data.DataError, match="names no figure"):
        data.support("villages/products")


def test_every_table_of_figures_says_what_a_figure_is_about():
    """A table with values, sources and a status counts the sources of each figure."""
    for table in data.tables():
        names = {field["name"] for field in data.schema(table)["schema"]["fields"]}
        if "source_id" in names and names & FIGURES:
            columns = set(data.schema(table).get("figure", []))
            assert columns or table in NO_FIGURES, table
            assert not columns & (FIGURES | {"source_id", "note", "status"}), table


# ---- other faults of files and of the package --------------------------------------------------


def test_another_encoding_is_found(copy):
    path = copy / "villages/city_year.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("gb18030"))
    assert faults("villages/city_year") == [
        "data/villages/city_year.csv, row 2, column city: not UTF-8. Remedy: save the file as UTF-8"
    ]


def test_a_file_that_ends_within_a_row_is_found(copy):
    path = copy / "villages/national.csv"
    path.write_bytes(path.read_bytes()[:-25])
    (line,) = faults("villages/national")
    assert "no line end after the last line" in line


def test_a_file_with_a_header_alone_is_found(copy):
    path = copy / "villages/national.csv"
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.index(b"\n") + 1])
    (line,) = faults("villages/national")
    assert line.startswith("data/villages/national.csv, row 1, column year: the file ends after 0")


def test_an_empty_file_is_found(copy):
    (copy / "villages/national.csv").write_text("")
    assert "row 1, column year: missing" in faults("villages/national")[0]


@pytest.mark.parametrize(
    ("table", "column", "cell"),
    [
        ("provinces/panel", "value", "NaN"),
        ("provinces/panel", "value", "INF"),
        ("provinces/panel", "value", "-inf"),
        ("provinces/panel", "value", "1e3"),
        ("provinces/panel", "value", "+5"),
        ("provinces/panel", "value", "9" * 400),
        ("provinces/panel", "value", "1_000.5"),
        ("villages/province_year", "n_villages", "1_000"),
        ("villages/province_year", "n_villages", "１２"),
        ("villages/province_year", "n_villages", "99999999999999999999"),
        ("villages/province_year", "n_villages", " 12"),
        ("provinces/provinces", "coastal", "1"),
        ("provinces/provinces", "coastal", "True"),
    ],
)
def test_a_spelling_that_pandas_reads_otherwise_is_found(plant, table, column, cell):
    """Frictionless takes some of these; pandas refuses them, or reads something else."""
    row = plant(Fault(table, column, "", spoil(column, cell)))
    start = f"data/{table}.csv, row {row}, column {column}: {cell!r} is not "
    assert [line for line in faults(table) if line.startswith(start) and "Remedy: " in line]
    assert [line for line in data.check() if line.startswith(start)]


@pytest.mark.parametrize(
    ("old", "new", "row", "words"),
    [
        ("\n2009,", '\n"2009,', 2, "cannot be split into cells"),
        ("\n2009,", '\n"2009"x,', 2, "cannot be split into cells"),
        ("\n2009,", '\n"20\n09",', 2, "a line end inside the cell"),
        ("\n2009,", "\n20\x0009,", 2, "a null character"),
    ],
)
def test_a_broken_row_is_found(copy, old, new, row, words):
    path = copy / "villages/national.csv"
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode(), 1))
    (line,) = faults("villages/national")
    assert line.startswith(f"data/villages/national.csv, row {row}, column year: ")
    assert words in line
    assert "Remedy: " in line


def test_a_quote_left_open_at_the_end_is_found(copy):
    path = copy / "villages/national.csv"
    with path.open("ab") as file:
        file.write(b'2022,7780,,,,,,,,ali2016en,as_printed,,"cut\n')
    (line,) = faults("villages/national")
    assert "column year: the row cannot be split into cells (unexpected end of data)" in line


def test_a_cut_file_is_found_although_a_cell_holds_a_line_end(copy):
    """Rows are counted, not lines, so that a line end does not make up for a lost row."""
    path = copy / "villages/national.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [*lines[:-2], lines[-2].rpartition(",")[0] + ',"two\nlines"\n']
    path.write_text("".join(kept), encoding="utf-8", newline="\n")
    (line,) = faults("villages/national")
    assert f"row {len(kept)}, column note: a line end inside the cell" in line


def test_a_missing_file_is_found(copy):
    (copy / "villages/national.csv").unlink()
    assert faults("villages/national")[0].startswith(
        "data/villages/national.csv: the file is missing"
    )
    assert any("villages/national.csv" in line for line in data.check())


def test_a_missing_package_is_found(copy):
    (copy / "datapackage.json").unlink()
    with pytest.raises(data.DataError, match=r"no datapackage\.json .*TAOBAO_DATA"):
        data.tables()


OPTIONAL = {"reason", "what"}  # of a rule: words for readers


def test_a_rule_of_the_description_that_lacks_a_part_is_refused(copy):
    path = copy / "datapackage.json"
    whole = path.read_text("utf-8")
    checks = ("agree", "ranges", "next_year", "totals", "not_recomputed", "complete")
    removed = []

    def each(value, place):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(value, dict) and key not in OPTIONAL:
                removed.append([*place, key])
            if isinstance(part, dict | list):
                each(part, [*place, key])

    for number, about in enumerate(json.loads(whole)["resources"]):
        if about["name"] in ("provinces/panel", "provinces/national", "villages/national"):
            for name in set(checks) & set(about):
                each(about[name], ["resources", number, name])
    assert len(removed) > 40
    for *way, last in removed:
        package = json.loads(whole)
        place = package
        for step in way:
            place = place[step]
        del place[last]
        path.write_text(json.dumps(package), "utf-8")
        with pytest.raises(data.DataError, match=rf"datapackage\.json, .*'{last}' is a required"):
            data.load("claims")


@pytest.mark.parametrize("name", ["datapackage.json", "versions.json", "geo/provinces.geojson"])
def test_a_partial_download_of_a_description_is_found(copy, name):
    path = copy / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(data.DataError, match=rf"data/{name}, row \d+: not a JSON object. Remedy: "):
        data.check()


def test_a_description_without_what_is_needed_is_found(copy):
    edit_package(copy, "villages/national", lambda about: about.pop("path"))
    with pytest.raises(
        data.DataError, match=r"datapackage\.json, \$\.resources\[\d+\]: 'path' is a "
    ):
        data.check()


def test_a_list_that_says_not_where_its_ids_stand_is_refused(copy):
    def change(about):
        field = next(f for f in about["schema"]["fields"] if f["name"] == "claim_ids")
        del field["lists"]["fields"]

    edit_package(copy, "literature/coverage", change)
    with pytest.raises(data.DataError, match=r"lists: 'fields' is a required"):
        data.load("claims")


def test_a_column_without_a_title_is_named(copy):
    replace(copy / "villages/national.csv", "year,", ",")
    assert any("column without a title: not described" in line for line in data.check())


def test_a_broken_table_of_sources_is_named_by_whoever_needs_it(copy):
    replace(copy / "sources.csv", "\nli2017,", "\nli2016,")
    assert "'li2017' is not in data/sources.csv" in faults("claims")[0]


@pytest.mark.parametrize(
    ("key", "value"), [("used_for", ["C01", "C99"]), ("figure", ["year", "colour"])]
)
def test_a_word_of_the_package_for_a_thing_that_is_not_there_is_found(copy, key, value):
    edit_package(copy, "villages/national", lambda about: about.update({key: value}))
    assert data.check() == [
        f"data/datapackage.json, villages/national, key {key}: no {value[1]}. "
        "Remedy: correct the name"
    ]


def test_a_role_for_a_claim_that_does_not_exist_is_found(copy):
    def strange(about):
        (field,) = [f for f in about["schema"]["fields"] if f["name"] == "bears_on"]
        field["roles"]["C99:useless"] = "of no use"

    edit_package(copy, "market/evidence", strange)
    assert data.check() == [
        "data/datapackage.json, market/evidence, column bears_on, key roles: no claim for "
        "C99:useless. Remedy: begin it with the claim's id"
    ]


def test_rows_are_found_by_their_role():
    rows = data.bearing("market/evidence", "C44:useless", "C44:idle")
    assert list(rows["bears_on"].unique()) == ["C44:useless", "C44:idle"]
    with data.replaced({"market/evidence": rows.assign(bears_on="C44:idle;C58:dispute")}):
        assert len(data.bearing("market/evidence", "C58:dispute")) == len(rows)
        assert data.bearing("market/evidence", "C44:useless").empty
    with pytest.raises(
        data.DataError, match=r"no role C44:lost\. Remedy: use one of C34:thin_profit, "
    ):
        data.bearing("market/evidence", "C44:lost")
    with pytest.raises(data.DataError, match="choose a table with bears_on"):
        data.bearing("villages/national", "C44:idle")


def test_rows_may_be_added_and_values_edited(copy):
    path = copy / "villages/national.csv"
    before = len(data.load("villages/national"))
    replace(path, "2015,780", "2015,781")
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write("2016,1310,,,,,,,,li2017,as_printed,,\n")
    table = data.load("villages/national")
    assert len(table) == before + 1
    assert 781 in set(table["n_villages"])


def test_rows_may_be_taken_out_when_that_is_declared(copy):
    path = copy / "villages/national.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8", newline="\n")
    edit_package(copy, "villages/national", lambda about: about.update(rows=len(lines) - 2))
    assert len(data.load("villages/national")) == len(lines) - 2


def test_a_change_is_seen_without_a_restart(copy):
    before = len(data.load("villages/clusters"))
    with (copy / "villages/clusters.csv").open("a", encoding="utf-8", newline="\n") as file:
        file.write("2021,n_clusters (>=10 villages),151,clusters,li2017,as_printed,,\n")
    assert len(data.load("villages/clusters")) == before + 1


def test_a_long_list_of_faults_is_shortened_in_print_but_kept(copy):
    path = copy / "villages/county_year.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",derived", ",counted"), "utf-8")
    with pytest.raises(data.DataError) as caught:
        data.load("villages/county_year")
    assert len(caught.value.faults) == 482
    assert str(caught.value).endswith("... and 462 more faults")


def test_csv_reads_the_same_with_the_standard_library():
    """No tool but a CSV reader is needed."""
    with (SOURCE / "cases/cases.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert next(row for row in rows if row["case_id"] == "daji")["county"] == "Cao"


# ---- what is read, and what-ifs -------------------------------------------------------------


def test_conflicts_are_found_in_every_table_of_figures():
    panel = data.load("provinces/panel")
    one = panel.head(1)
    two = one.assign(value=one["value"] * 2, source_id="li2017")
    firm = data.load("villages/national").query("year == 2014").head(2)
    firm = firm.assign(n_villages=[211, 212], n_counties=3)
    with data.replaced({"provinces/panel": pd.concat([one, two]), "villages/national": firm}):
        found = data.conflicts().set_index("table")
    (told,) = found.loc[["provinces/panel"], "told"]
    assert told.endswith("(li2017)")
    assert str(one["source_id"].iloc[0]) in told
    (row,) = found.loc[["villages/national"]].itertuples()
    assert row.what == "2014, n_villages"
    assert row.told.startswith("211 (")


def test_one_value_of_two_sources_or_in_two_units_is_no_conflict():
    one = data.load("provinces/panel").head(1)
    same = one.assign(source_id="li2017")
    other = one.assign(value=one["value"] * 2, unit="other")
    with data.replaced({"provinces/panel": pd.concat([one, same, other])}):
        assert "provinces/panel" not in set(data.conflicts()["table"])


def test_inside_a_steady_block_files_are_as_they_were_at_its_start(tmp_path, monkeypatch):
    shutil.copytree(data.folder(), tmp_path / "data")
    monkeypatch.setenv("TAOBAO_DATA", str(tmp_path / "data"))
    path = tmp_path / "data" / "market" / "platform_users.csv"
    rows = len(data.load("market/platform_users"))
    with data.steady():
        before = data.load("market/platform_users")
        path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:-1]), "utf-8")
        with data.steady():
            pd.testing.assert_frame_equal(data.load("market/platform_users"), before)
    assert len(before) == rows
    with pytest.raises(data.DataError, match="rows"):
        data.load("market/platform_users")


def test_tables_that_are_read_are_told_also_when_nested():
    with data.reads() as outer:
        data.load("villages/national")
        with data.reads() as inner:
            data.load("provinces/provinces")
    data.load("claims")
    assert inner == {"provinces/provinces"}
    assert outer == {"villages/national", "provinces/provinces"}


def test_the_way_from_a_claim_names_the_tables_and_lines_that_it_read(capsys):
    assert __main__.main(["sources", "C19"]) == 0
    told = capsys.readouterr().out
    (line,) = re.findall(r"reads villages/regions, (.*)", told)
    number, total = re.match(r"(\d+) of (\d+) rows from the sources below: lines ", line).groups()
    assert int(total) == len(data.load("villages/regions")) > int(number) > 0
    first = int(re.search(r"lines (\d+)", line)[1])
    assert __main__.main(["sources", f"villages/regions:{first}"]) == 0
    row = capsys.readouterr().out
    below = re.findall(r"^(\w+): ", told, re.M)
    assert any(f"source_id: {name}" in row for name in below)
    assert "reads claims" not in told


def test_the_way_from_a_claim_names_the_rows_with_a_role(capsys):
    assert __main__.main(["sources", "C44"]) == 0
    told = capsys.readouterr().out
    (meaning, lines) = re.search(r"C44:useless \((.*)\): lines (.*)", told).groups()
    assert meaning == data.roles("market/evidence")["C44:useless"]
    rows = data.load("market/evidence").iloc[[int(line) - 2 for line in lines.split(", ")]]
    assert rows["bears_on"].tolist() == ["C44:useless"] * 3
    assert "C44:idle (" in told
    assert "C58:" not in told


def test_a_replaced_table_is_seen_inside_the_block_only():
    whole = data.load("villages/national")
    with data.replaced({"villages/national": whole.head(3)}):
        inside = data.load("villages/national")
        assert len(inside) == 3
        inside["n_villages"] = 0
        assert data.load("villages/national")["n_villages"].sum() > 0
        assert len(data.load("villages/poverty")) > 3
    assert len(data.load("villages/national")) == len(whole)


def test_an_unknown_table_cannot_be_replaced():
    whole = data.load("villages/national")
    with pytest.raises(data.DataError, match="no table"), data.replaced({"villages/x": whole}):
        pass


# ---- files are whole --------------------------------------------------------------------------


def test_files_are_written_whole_and_links_and_rights_stay(tmp_path):
    (tmp_path / "a").write_text("old", "utf-8")
    (tmp_path / "a").chmod(0o640)
    rights = (tmp_path / "a").stat().st_mode  # Windows knows fewer
    (tmp_path / "link").symlink_to("a")
    data.write_whole({tmp_path / "link": "村\n", tmp_path / "new/b": b"\x00"})
    assert (tmp_path / "a").read_bytes() == "村\n".encode()
    assert (tmp_path / "a").stat().st_mode == rights
    assert (tmp_path / "link").is_symlink()
    assert {path.name for path in tmp_path.rglob("*")} == {"a", "link", "new", "b"}


@pytest.mark.parametrize("trouble", ["a folder", "a closed file", "a full disk"])
def test_no_file_changes_if_one_cannot_be_written(tmp_path, monkeypatch, trouble):
    (tmp_path / "a").write_text("old", "utf-8")
    (tmp_path / "b").mkdir() if trouble == "a folder" else (tmp_path / "b").write_text("own")
    if trouble == "a closed file":
        monkeypatch.setattr(os, "access", lambda path, _: path.name != "b")  # also for root
    if trouble == "a full disk":

        def full(path, content):
            path.write_text("half")
            if content == b"new b":
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"folder|directory|denied|space") as failed:
        data.write_whole({tmp_path / "a": "new a", tmp_path / "b": "new b"})
    assert failed.value.filename == str(tmp_path / "b")
    assert (tmp_path / "a").read_text("utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_killed_run_leaves_the_file_as_it_was(tmp_path):
    (tmp_path / "a").write_text("old", "utf-8")
    code = (
        "import os, pathlib, sys\n"
        "from taobao_villages import data\n"
        "write = pathlib.Path.write_bytes\n"
        "def killed(path, content):\n"
        "    write(path, content[:1])\n"
        "    os._exit(9)\n"
        "pathlib.Path.write_bytes = killed\n"
        "data.write_whole({pathlib.Path(sys.argv[1]): 'new'})\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")])
    assert done.returncode == 9
    assert (tmp_path / "a").read_text("utf-8") == "old"

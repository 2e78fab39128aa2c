"""The data package: it is sound, and every planted fault is found and named."""

import csv
import json
import re
import shutil
from pathlib import Path

import frictionless
import pandas as pd
import pytest

from taobao_villages import data
from taobao_villages.data import DataError

TOTALS = {2014: 212, 2015: 780, 2016: 1311}
SOURCE = Path(data.__file__).parents[2] / "data"


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
    with pytest.raises(DataError) as caught:
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


def test_sources_have_addresses_and_no_two_are_the_same():
    table = data.sources()
    addresses = table["address_read"].where(table["address_read"] != "", table["address"])
    assert not addresses[addresses != ""].duplicated().any()
    unknown = set(table.index[(addresses == "") & (table["kind"] != "project")])
    assert unknown == {"cnr_gengche", "fujinhua2021"}
    assert not table["title"].str.contains("[\u3400-\u9fff]").any()


def test_no_table_holds_the_names_of_villages():
    """The named lists have a row a village; what is carried are counts by place."""
    for name in data.tables():
        columns = set(data.load(name).columns)
        assert not columns & {"village", "village_name", "village_zh"}, name
        if name.startswith("villages/"):
            text = (SOURCE / data.schema(name)["path"]).read_text(encoding="utf-8")
            assert not re.search("村|社区|居委会", text), name
    assert len(data.load("cases/cases")) < 100


def test_no_path_of_a_workplace_is_in_the_data():
    for path in SOURCE.rglob("*.*"):
        assert not re.search(r"/work/|/tmp/|NOTES\.md", path.read_text(encoding="utf-8"))


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
    with pytest.raises(DataError, match=r"several sources.*nbs_gdp_v2018, nbs_gdp_v2023"):
        data.indicator("gdp", 2015)


@pytest.mark.parametrize(
    ("name", "year", "source"),
    [("gpd", 2015, None), ("gdp", 1950, None), ("gdp", 2015, "nbs_pop_2023")],
)
def test_indicator_names_what_is_not_there(name, year, source):
    with pytest.raises(DataError, match=f"no {name!r} of {year}"):
        data.indicator(name, year, source)


def test_sources_in_the_order_asked_for_with_empty_text_for_missing():
    table = data.sources(["li2017", "ali2016en"])
    assert table.index.tolist() == ["li2017", "ali2016en"]
    assert table.loc["li2017", "read_on"] == ""
    with pytest.raises(DataError, match="'nobody'"):
        data.sources(["li2017", "nobody"])


def test_an_unknown_table_is_named():
    with pytest.raises(DataError, match="'villages/nation'"):
        data.load("villages/nation")


# ---- planted faults: file, row and column are named -------------------------------------------

CELLS = {
    "negative count": ("villages/national", "2015,780", "2015,-780", "n_villages", "minimum 0"),
    "text for a number": ("villages/national", "2015,780", "2015,many", "n_villages", "integer"),
    "fraction for a count": ("villages/national", "2015,780", "2015,7.8", "n_villages", "integer"),
    "unknown province": ("villages/province_year", "2015,33,", "2015,39,", "province_code", "'39'"),
    "form of a code": ("villages/province_year", "2015,33,", "2015,99,", "province_code", "form"),
    "unknown source": ("villages/national", ",heze2018,", ",heze,", "source_id", "'heze'"),
    "unknown in a list": ("villages/survival", "xrwang2014;", "nobody;", "source_id", "'nobody'"),
    "half a list": ("villages/survival", ";xrwang2015", ";", "source_id", "sources.csv"),
    "no source": ("villages/national", ",ali2015en,", ",,", "source_id", "empty"),
    "unknown case": ("cases/case_codes", "\naicun,", "\nnowhere,", "case_id", "'nowhere'"),
    "unknown code": ("cases/case_codes", "initiator,e", "initiator,x", "dimension and", "codebook"),
    "unknown prefecture": ("villages/city_year", "440100", "449900", "prefecture_code", "'449900'"),
    "unknown status": ("villages/national", "as_printed", "printed", "status", "not one of"),
    "share over 100": ("villages/regions", ",97,", ",197,", "share_pct", "maximum 100"),
    "flag that is none": ("provinces/provinces", ",true,", ",perhaps,", "east_nbs", "boolean"),
    "code too long": ("geo/prefectures", "110000", "1100000", "prefecture_code", "form"),
    "place off the map": ("geo/prefectures", "116.405285", "16.405285", "lon", "minimum 73"),
    "row cut off": ("villages/national", "2015,780,71,17,,,268,,,ali2015en,as_printed,towns +274%",
                    "2015,780,71", "n_provinces", "3 cells instead of 12"),
    "comma without quotes": ("villages/national", "2015,780", "2015,1,780", "note", "13 cells"),
    "empty line": ("villages/national", "\n2015", "\n\n2015", "year", "0 cells"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "old", "new", "column", "problem"), CELLS.values(), ids=CELLS)
def test_a_wrong_cell_is_found(copy, table, old, new, column, problem):
    row = replace(copy / f"{table}.csv", old, new)
    found = faults(table)
    start = f"data/{table}.csv, row {row}, column "
    matching = [line for line in found if line.startswith(start + column) and problem in line]
    assert matching, found
    assert all("Remedy: " in line for line in found)
    assert len(found) == 1
    assert set(found) <= set(data.check())


def test_a_double_key_is_found(copy):
    path = copy / "geo/centroids.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines, lines[3]]), encoding="utf-8", newline="\n")
    assert faults("geo/centroids") == [
        "data/geo/centroids.csv, row 33, column province_code: '13' stands in row 4 already. "
        "Remedy: take one row out"
    ]


@pytest.mark.parametrize("column", ["year", "n_towns", "note"])
def test_a_dropped_column_is_found(copy, column):
    path = copy / "villages/national.csv"
    table = pd.read_csv(path, dtype=str).drop(columns=column)
    table.to_csv(path, index=False, lineterminator="\n")
    assert len(faults("villages/national")) == 1
    assert faults("villages/national")[0].startswith(
        f"data/villages/national.csv, row 1, column {column}: missing"
    )


def test_an_extra_column_is_found(copy):
    path = copy / "villages/national.csv"
    pd.read_csv(path, dtype=str).assign(mine="1").to_csv(path, index=False, lineterminator="\n")
    assert "row 1, column mine: not described" in faults("villages/national")[0]


@pytest.mark.parametrize("header", ["year,year", "source_id,year"])
def test_columns_twice_or_in_another_order_are_found(copy, header):
    path = copy / "villages/list_dates.csv"
    text = path.read_text(encoding="utf-8")
    names = text.partition("\n")[0]
    changed = f"{names},note" if header == "year,year" else ",".join(names.split(",")[::-1])
    path.write_text(text.replace(names, changed, 1), encoding="utf-8", newline="\n")
    assert "row 1, column" in faults("villages/list_dates")[0]
    assert "in the order" in faults("villages/list_dates")[0]


def test_another_encoding_is_found(copy):
    path = copy / "villages/city_year.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("gb18030"))
    assert faults("villages/city_year") == [
        "data/villages/city_year.csv, row 2, column city: not UTF-8. Remedy: save the file as UTF-8"
    ]


@pytest.mark.parametrize(
    ("cut", "problem"),
    [
        (lambda raw: raw[:-25], "no line end after the last line"),
        (lambda raw: b"".join(raw.splitlines(keepends=True)[:-3]), "57 rows, 60 are declared"),
        (lambda raw: raw[: raw.index(b"\n") + 1], "0 rows, 60 are declared"),
    ],
)
def test_a_truncated_file_is_found(copy, cut, problem):
    path = copy / "villages/national.csv"
    path.write_bytes(cut(path.read_bytes()))
    rows = len(path.read_text(encoding="utf-8").splitlines())
    (line,) = faults("villages/national")
    assert line.startswith(f"data/villages/national.csv, row {rows}, column ")
    assert problem in line


def test_an_empty_file_is_found(copy):
    (copy / "villages/national.csv").write_text("")
    assert "row 1, column year: missing" in faults("villages/national")[0]


def test_a_missing_file_is_found(copy):
    (copy / "villages/national.csv").unlink()
    assert faults("villages/national")[0].startswith(
        "data/villages/national.csv: the file is missing"
    )
    assert any("villages/national.csv" in line for line in data.check())


def test_a_missing_package_is_found(copy):
    (copy / "datapackage.json").unlink()
    with pytest.raises(DataError, match=r"no datapackage\.json .*TAOBAO_DATA"):
        data.tables()


def test_a_broken_table_of_sources_is_named_by_whoever_needs_it(copy):
    replace(copy / "sources.csv", "\nli2017,", "\nli2016,")
    assert "'li2017' is not in data/sources.csv" in faults("claims")[0]


def test_rows_may_be_added_and_values_edited(copy):
    replace(copy / "villages/national.csv", "2015,780", "2015,781")
    with (copy / "villages/national.csv").open("a", encoding="utf-8", newline="\n") as file:
        file.write("2016,1310,,,,,,,,li2017,as_printed,\n")
    table = data.load("villages/national")
    assert len(table) == 61
    assert 781 in set(table["n_villages"])


def test_rows_may_be_taken_out_when_that_is_declared(copy):
    path = copy / "villages/national.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8", newline="\n")
    edit_package(copy, "villages/national", lambda about: about.update(rows=59))
    assert len(data.load("villages/national")) == 59


def test_a_change_is_seen_without_a_restart(copy):
    before = len(data.load("villages/clusters"))
    with (copy / "villages/clusters.csv").open("a", encoding="utf-8", newline="\n") as file:
        file.write("2021,n_clusters (>=10 villages),151,clusters,li2017,as_printed,\n")
    assert len(data.load("villages/clusters")) == before + 1


def test_a_long_list_of_faults_is_shortened_in_print_but_kept(copy):
    path = copy / "villages/county_year.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",derived", ",counted"), "utf-8")
    with pytest.raises(DataError) as caught:
        data.load("villages/county_year")
    assert len(caught.value.faults) == 482
    assert str(caught.value).endswith("... and 462 more faults")


# ---- tables that do not fit each other --------------------------------------------------------

CROSS = {
    "province": ("villages/province_year", "2015,33,Zhejiang,280,20", "2015,33,Zhejiang,281,20",
                 "against villages/national, 2015, xrwang2015: 781 against 780"),
    "national": ("villages/national", "2016,1311,135,18,221,75", "2016,1312,135,18,221,75",
                 "against villages/national, 2016, xrwang2016: 1311 against 1312"),
    "prefecture": ("villages/city_year", "广州市,24,", "广州市,23,",
                   "villages/city_year against province_year, 2014, 44: 53 against 54"),
    "county": ("villages/county_year", "广州市,增城市,9,", "广州市,增城市,8,",
               "villages/county_year against province_year, 2014, 44: 53 against 54"),
    "border": ("geo/adjacency", "Tianjin,land,37.1", "Tianjin,land,38.1",
               "geo/adjacency, both ways, 11, 12: 38.1 against 37.1"),
    "panel": ("provinces/panel", "11,Beijing,2015,population", "11,Beijing,2008,population",
              "provinces/panel: population, nbs_pop_2023, 2015 lacks province 11"),
    "share": ("villages/clusters", ",54,%", ",540,%", "a share of 540 is not between 0 and 100"),
    "codebook": ("cases/codebook", "exists,exists,7,", "exists,exists,8,",
                 "cases/case_codes against cases/codebook, association, exists: 7 against 8"),
    "unused source": ("sources", "\nli2017,", "\nli2018,press,P,T,,,,,,A,,\nli2017,",
                      "data/sources.csv: no table uses li2018"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "old", "new", "problem"), CROSS.values(), ids=CROSS)
def test_tables_that_disagree_are_found(copy, table, old, new, problem):
    path = copy / f"{table}.csv"
    if old.endswith("population"):  # the row of the source that is declared complete
        text = path.read_text(encoding="utf-8")
        old = next(
            line for line in text.splitlines() if line.startswith(old) and "nbs_pop_2023" in line
        )
        new = old.replace(",2015,", ",2008,")
    replace(path, old, new)
    found = data.check()
    assert any(problem in line for line in found), found
    assert all("Remedy: " in line for line in found)


def test_csv_reads_the_same_with_the_standard_library():
    """No tool but a CSV reader is needed."""
    with (SOURCE / "cases/cases.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert next(row for row in rows if row["case_id"] == "daji")["county"] == "Cao"


# ---- what is read, and what-ifs -------------------------------------------------------------


def test_tables_that_are_read_are_told_also_when_nested():
    with data.reads() as outer:
        data.load("villages/national")
        with data.reads() as inner:
            data.load("provinces/provinces")
    data.load("claims")
    assert inner == {"provinces/provinces"}
    assert outer == {"villages/national", "provinces/provinces"}


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

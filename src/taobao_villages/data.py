"""The data package: validated, typed tables, and the sources behind them.

Every table is described in ``datapackage.json`` (Frictionless). `load` reads a table only after it
has passed its schema, its keys and its references; `check` does so for all and compares tables
with each other. Errors name the file, the row (line of the file, the header is 1), the column and
what to do. Values may be edited and rows added: damage is found, not change. Whether a file is
as released, ``frictionless validate`` tells from the hashes in ``datapackage.json``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import frictionless
import pandas as pd

if TYPE_CHECKING:
    import geopandas

DTYPES = {"string": "str", "number": "float64", "boolean": "bool", "date": "str"}
SHOWN = 20  # faults that an error prints; all are in its `faults`
LISTS = ("xrwang2014", "xrwang2015", "xrwang2016")  # the named lists, which are complete
BROKEN = {
    "type": "is not of type",
    "minimum": "is below the minimum",
    "maximum": "is above the maximum",
    "enum": "is not one of",
    "pattern": "does not have the form",
}


class DataError(Exception):
    """Tables that do not fit the data package; `faults` has one line for each fault."""

    def __init__(self, faults: Sequence[str]):
        self.faults = list(faults)
        more = [f"... and {len(faults) - SHOWN} more faults"] if len(faults) > SHOWN else []
        super().__init__("\n".join(self.faults[:SHOWN] + more))


def folder() -> Path:
    """Folder of the data: ``TAOBAO_DATA``, else the repository's, else the installed package's."""
    chosen = os.environ.get("TAOBAO_DATA")
    if chosen:
        return Path(chosen).absolute()
    here = Path(__file__).absolute()
    repository = here.parents[2] / "data"
    return repository if (repository / "datapackage.json").is_file() else here.parent / "_data"


def tables() -> list[str]:
    """Names of all tables, in the order of the data package."""
    return [name for name, about in _resources().items() if about["type"] == "table"]


def schema(table: str) -> dict[str, Any]:
    """Description of a table: title, description, fields with type, unit and meaning, keys.

    Raises
    ------
    DataError
        If the data package has no such table.
    """
    about = _resources().get(table)
    if about is None or about["type"] != "table":
        raise DataError([f"no table {table!r}. Remedy: use one of {', '.join(tables())}"])
    return about


def load(table: str) -> pd.DataFrame:
    """A table, validated and typed.

    Parameters
    ----------
    table : str
        Name as in `tables`, for example "villages/national".

    Returns
    -------
    DataFrame
        The rows and columns of the file, in its order. Text is ``str``, numbers ``float64``,
        flags ``bool``; integers are ``int64`` where the schema requires a value, else ``Int64``.
        Units stand in `schema`. The frame is a copy: change it freely.

    Raises
    ------
    DataError
        With one line for each fault: wrong encoding, missing or extra column, a file that is cut
        off (no line end at the end, a row with too few cells, or fewer rows than the data package
        declares), a value of the wrong type or outside its limits, a double key, or an unknown
        source, province, prefecture, case or code.
    """
    schema(table)
    return _load(folder(), table, _stamp()).copy()


def sources(ids: Iterable[str] | None = None) -> pd.DataFrame:
    """The sources, indexed by ``source_id``; empty cells are empty text.

    Parameters
    ----------
    ids : iterable of str, optional
        Only these, in this order.

    Raises
    ------
    DataError
        If an id is unknown.
    """
    table = load("sources").set_index("source_id").fillna("")
    if ids is None:
        return table
    wanted = list(ids)
    unknown = sorted(set(wanted) - set(table.index))
    if unknown:
        raise DataError(
            [f"unknown source_id {i!r}. Remedy: add it to sources.csv" for i in unknown]
        )
    return table.loc[wanted]


def used_by() -> dict[str, list[str]]:
    """Names of the tables (and of the outlines) that rest on each source."""
    used: dict[str, list[str]] = {}
    for name, about in _resources().items():
        if about["type"] == "table":
            cells = load(name)["source_id"] if name != "sources" else []
            ids = {part for cell in cells for part in cell.split(";")}
        else:
            ids = {about["source_id"]}
        for source in ids:
            used.setdefault(source, []).append(name)
    return used


def indicator(name: str, year: int, source: str | None = None) -> pd.Series:
    """One indicator of the province panel in one year.

    Parameters
    ----------
    name : str
        Indicator, for example "population".
    year : int
    source : str, optional
        Id of the source; needed where several print a value for the same province.

    Returns
    -------
    Series, shape (31,)
        Values in the panel's unit, indexed by ``province_code``; NaN where there is no value.

    Raises
    ------
    DataError
        If there is no such series, or if two sources have a value for one province and `source`
        is not given.
    """
    panel = load("provinces/panel")
    rows = panel[(panel["indicator"] == name) & (panel["year"] == year)]
    known = ", ".join(sorted(set(rows["source_id"]))) or "no source"
    asked = f"{name!r} of {year}"
    if source is not None:
        rows = rows[rows["source_id"] == source]
        asked += f" from {source}"
    if rows.empty:
        remedy = f"see provinces/panel; {year} has {known}"
        raise DataError([f"there is no {asked}. Remedy: {remedy}"])
    if rows["province_code"].duplicated().any():
        raise DataError([f"{asked} has several sources. Remedy: name one as source: {known}"])
    values = rows.set_index("province_code")["value"]
    return values.reindex(load("provinces/provinces")["province_code"]).rename(name)


def outlines() -> geopandas.GeoDataFrame:
    """Outlines of the provinces, for orientation.

    Returns
    -------
    GeoDataFrame, shape (31, 3)
        ``province_code``, ``name_en``, ``geometry`` (longitude and latitude, WGS 84).
    """
    import geopandas  # slow to import, and only maps need it

    return geopandas.read_file(folder() / "geo/provinces.geojson")


def check() -> list[str]:
    """Validate all tables and compare them with each other.

    Returns
    -------
    list of str
        One line for each fault, empty if there is none. The comparisons run only when every
        table is valid by itself.
    """
    faults: dict[str, None] = {}
    for table in tables():
        try:
            load(table)
        except DataError as error:
            faults |= dict.fromkeys(error.faults)
    return list(faults) or list(_cross_faults())


def seal() -> list[str]:
    """Write the present size, hash and number of rows of every file into ``datapackage.json``.

    Returns
    -------
    list of str
        Names of the resources that had changed.

    Raises
    ------
    DataError
        If `check` finds a fault other than rows that were taken out: nothing is written then.
    """
    path = folder() / "datapackage.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    old = path.read_bytes()
    changed = []
    for about in package["resources"]:
        raw = (folder() / about["path"]).read_bytes()
        new = {"hash": f"sha256:{hashlib.sha256(raw).hexdigest()}", "bytes": len(raw)}
        if about["type"] == "table":
            new["rows"] = len(list(csv.reader(io.StringIO(raw.decode("utf-8"))))) - 1
        if new != {key: about.get(key) for key in new}:
            changed.append(about["name"])
            about.update(new)
    if changed:
        fresh = path.with_suffix(".part")
        fresh.write_text(json.dumps(package, ensure_ascii=False, indent=1) + "\n", "utf-8")
        fresh.replace(path)
    faults = check()
    if faults:
        path.write_bytes(old)
        raise DataError(faults)
    return changed


# ---- one table --------------------------------------------------------------------------------


def _stamp() -> tuple[int, ...]:
    """Changes when any file of the package does, so that references are checked again."""
    files = [folder() / "datapackage.json", *sorted(folder().rglob("*.csv"))]
    return tuple(path.stat().st_mtime_ns for path in files if path.exists())


def _resources() -> dict[str, dict[str, Any]]:
    return _package(folder(), _stamp())


@lru_cache(maxsize=8)
def _package(root: Path, stamp: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    try:
        text = (root / "datapackage.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError([f"no datapackage.json in {root}. Remedy: set TAOBAO_DATA"]) from None
    return {about["name"]: about for about in json.loads(text)["resources"]}


@lru_cache(maxsize=128)
def _load(root: Path, table: str, stamp: tuple[int, ...]) -> pd.DataFrame:
    about = schema(table)
    text = _text(about)
    for find in (_file_faults, _cell_faults, _reference_faults):  # each needs the one before
        if faults := find(about, text):
            raise DataError(faults)
    return pd.read_csv(
        io.StringIO(text),
        dtype={field["name"]: _dtype(field) for field in about["schema"]["fields"]},
        keep_default_na=False,
        na_values=[""],
    )


def _dtype(field: dict[str, Any]) -> str:
    if field["type"] == "integer":
        return "int64" if field.get("constraints", {}).get("required") else "Int64"
    return DTYPES[field["type"]]


def _file(about: dict[str, Any]) -> str:
    return f"{folder().name}/{about['path']}"


def _fault(about: dict[str, Any], row: int, column: str, problem: str, remedy: str) -> str:
    return f"{_file(about)}, row {row}, column {column}: {problem}. Remedy: {remedy}"


def _text(about: dict[str, Any]) -> str:
    """The file's text, or what keeps it from being read."""
    try:
        raw = (folder() / about["path"]).read_bytes()
        return raw.decode("utf-8")
    except FileNotFoundError:
        raise DataError([f"{_file(about)}: the file is missing. Remedy: restore it"]) from None
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        fields = about["schema"]["fields"]
        place = len(next(csv.reader([before.rpartition("\n")[2]]), [""])) - 1
        column = fields[min(place, len(fields) - 1)]["name"]
        remedy = "save the file as UTF-8"
        row = before.count("\n") + 1
        raise DataError([_fault(about, row, column, "not UTF-8", remedy)]) from None


def _file_faults(about: dict[str, Any], text: str) -> list[str]:
    """Columns that are not as described, and files that are cut off."""
    expected = [field["name"] for field in about["schema"]["fields"]]
    lines = text.splitlines()
    header = next(csv.reader(lines[:1]), [])
    back = "put it back, as in datapackage.json"
    out = "take it out, or describe it in datapackage.json"
    faults = [_fault(about, 1, c, "missing", back) for c in expected if c not in header]
    faults += [_fault(about, 1, c, "not described", out) for c in header if c not in expected]
    if not faults and header != expected:
        problem = f"the columns are not once each, in the order {', '.join(expected)}"
        faults.append(_fault(about, 1, header[0], problem, "restore the header"))
    if not faults and not text.endswith("\n"):
        problem = "no line end after the last line: the file may be cut off"
        faults.append(
            _fault(about, len(lines), expected[-1], problem, "restore it, or end the line")
        )
    if not faults and len(lines) - 1 < about["rows"]:
        problem = f"the file ends after {len(lines) - 1} rows, {about['rows']} are declared"
        remedy = "restore it; if rows were taken out on purpose, lower rows in datapackage.json"
        faults.append(_fault(about, len(lines), expected[0], problem, remedy))
    return faults


def _cell_faults(about: dict[str, Any], text: str) -> list[str]:
    """Rows that are cut off, cells that Frictionless refuses, keys that occur twice."""
    # The fields of Frictionless are used alone: its Resource first checks the description with
    # jsonschema, which takes 2 s a process and is the part of `frictionless validate`.
    fields = {field["name"]: field for field in about["schema"]["fields"]}
    readers = {
        name: getattr(frictionless.fields, f"{field['type'].title()}Field")(
            name=name, constraints=field.get("constraints", {})
        ).create_cell_reader()
        for name, field in fields.items()
    }
    key = about["schema"].get("primaryKey", [])
    first: dict[tuple[str, ...], int] = {}
    faults = []
    for row, cells in enumerate(csv.reader(io.StringIO(text)), start=1):
        if len(cells) != len(fields):
            column = list(fields)[min(len(cells), len(fields) - 1)]
            problem = f"{len(cells)} cells instead of {len(fields)}"
            remedy = "restore the row; a cell with a comma needs quotes"
            faults.append(_fault(about, row, column, problem, remedy))
            continue
        if row == 1:
            continue
        named = dict(zip(fields, cells, strict=True))
        for column, cell in named.items():
            for rule in readers[column](cell)[1] or ():
                limit = {**fields[column].get("constraints", {}), **fields[column]}[rule]
                problem = f"{cell!r} {BROKEN.get(rule, rule)} {limit}" if cell else "empty"
                remedy = "correct the cell, or the rule in datapackage.json"
                faults.append(_fault(about, row, column, problem, remedy))
        value = tuple(named[name] for name in key)
        if key and first.setdefault(value, row) != row:
            problem = f"{' / '.join(value)!r} stands in row {first[value]} already"
            faults.append(_fault(about, row, " and ".join(key), problem, "take one row out"))
    return faults


def _reference_faults(about: dict[str, Any], text: str) -> list[str]:
    """Rows that refer to something that is not there."""
    references = [
        (key["fields"], key["reference"]["resource"], key["reference"]["fields"], None)
        for key in about["schema"].get("foreignKeys", [])
    ] + [
        (field["name"], "sources", "source_id", field["separator"])
        for field in about["schema"]["fields"]
        if "separator" in field
    ]
    faults = []
    for columns, table, there, separator in references:
        target = schema(table)
        known = set(_cells(_text(target), there))
        for row, value in enumerate(_cells(text, columns), start=2):
            parts = [(part,) for part in value[0].split(separator)] if separator else [value]
            for part in parts:
                if (any(part) or separator) and part not in known:
                    column = columns if isinstance(columns, str) else " and ".join(columns)
                    problem = f"{' / '.join(part)!r} is not in {_file(target)}"
                    remedy = "correct the cell, or add the row there"
                    faults.append(_fault(about, row, column, problem, remedy))
    return faults


def _cells(text: str, columns: str | list[str]) -> list[tuple[str, ...]]:
    """The cells of some columns, as they stand in the file; absent ones are empty."""
    names = [columns] if isinstance(columns, str) else columns
    reader = csv.DictReader(io.StringIO(text))
    return [tuple(row.get(name) or "" for name in names) for row in reader]


# ---- tables against each other ----------------------------------------------------------------


def _differences(what: str, left: pd.Series, right: pd.Series) -> Iterator[str]:
    """A line for each index of two series at which the values differ; missing is 0."""
    pairs = pd.DataFrame({"left": left, "right": right}).astype("float64").fillna(0)
    for index, row in pairs[pairs["left"] != pairs["right"]].iterrows():
        name = ", ".join(map(str, index)) if isinstance(index, tuple) else index
        values = f"{row['left']:g} against {row['right']:g}"
        yield f"{what}, {name}: {values}. Remedy: correct one of them"


def _cross_faults() -> Iterator[str]:
    national = load("villages/national").set_index(["year", "source_id"])["n_villages"].sort_index()
    listed = load("villages/province_year")
    listed = listed[listed["source_id"].isin(LISTS)].set_index(["year", "province_code"])
    totals = listed.groupby(["year", "source_id"])["n_villages"].sum()
    title = "villages/province_year against villages/national"
    yield from _differences(title, totals, national[national.index.isin(LISTS, level=1)])
    for table in ("villages/city_year", "villages/county_year"):
        counted = load(table).groupby(["year", "province_code"])["n_villages"].sum()
        yield from _differences(f"{table} against province_year", counted, listed["n_villages"])

    borders = load("geo/adjacency").set_index(["province_code_a", "province_code_b"])
    lengths = borders["shared_border_km"] + borders["gap_km"]
    yield from _differences("geo/adjacency, both ways", lengths, lengths.swaplevel())

    coded = load("cases/case_codes").groupby(["dimension", "code"])["case_id"].nunique()
    book = load("cases/codebook").set_index(["dimension", "code"])["n_cases"]
    yield from _differences("cases/case_codes against cases/codebook", coded, book)

    panel = load("provinces/panel").set_index(["indicator", "source_id", "year"])
    codes = set(load("provinces/provinces")["province_code"])
    for series in schema("provinces/panel")["complete"]:
        for year in series["years"]:
            place = (series["indicator"], series["source_id"], year)
            for code in sorted(codes - set(panel.loc[panel.index.isin([place]), "province_code"])):
                remedy = "add the row, or correct complete in datapackage.json"
                name = ", ".join(map(str, place))
                yield f"provinces/panel: {name} lacks province {code}. Remedy: {remedy}"

    for table in tables():
        rows = load(table)
        if {"unit", "value"} <= set(rows.columns) and rows["value"].dtype == "float64":
            share = rows["unit"].fillna("").str.match("%|percent")
            for index, value in rows.loc[share, "value"].items():
                if not 0 <= value <= 100:
                    problem = f"a share of {value:g} is not between 0 and 100"
                    remedy = "correct the value or the unit"
                    yield _fault(schema(table), index + 2, "value", problem, remedy)
    for source in sorted(set(sources().index) - set(used_by())):
        yield f"data/sources.csv: no table uses {source}. Remedy: take it out, or cite it"

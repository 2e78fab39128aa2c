"""The data package: validated, typed tables, and the sources behind them.

Every table is described in ``datapackage.json`` (Frictionless). `load` reads a table only after it
has passed its schema, its keys and its references; `check` does so for all and compares tables
with each other. Errors name the file, the row (line of the file, the header is 1), the column and
what to do. `load` finds damage, not change: values may be edited and rows added. Whether the files
are as released, `check` tells: `seal` binds each version of the data to one state of the files
(``versions.json``), and ``frictionless validate`` compares single files with their hashes.
"""

from __future__ import annotations

import ast
import csv
import datetime
import errno
import hashlib
import io
import json
import math
import operator
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import jsonschema
import pandas as pd

from taobao_villages.libraries import needs

if TYPE_CHECKING:
    import geopandas

DTYPES = {"string": "str", "number": "float64", "boolean": "bool", "date": "str"}
SCHEMA = Path(__file__).with_name("datapackage.schema.json")
SEAL = "python -m taobao_villages seal"
SHOWN = 20  # faults that an error prints; all are in its `faults`
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
LISTS = ("xrwang2014", "xrwang2015", "xrwang2016")  # the named lists, which are complete
NAMED = (  # tables whose columns for the code and name of a province have other titles
    ("geo/adjacency", "province_code_a", "name_en_a"),
    ("geo/adjacency", "province_code_b", "name_en_b"),
    ("geo/centroids", "province_code", "name_en"),
    ("geo/tilegrid", "province_code", "name_en"),
)
SPELLINGS = {  # stricter than Frictionless, which takes 1_000, NaN, fullwidth digits and 1 for true
    "integer": (re.compile("-?[0-9]{1,15}"), "a whole number such as 1311"),
    "number": (re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?"), "a number such as 1311 or 0.5"),
    "boolean": (re.compile("true|false"), "true or false"),
}
BROKEN = {
    "type": "is not of type",
    "minimum": "is below the minimum",
    "maximum": "is above the maximum",
    "enum": "is not one of",
    "pattern": "does not have the form",
}


_READS: ContextVar[tuple[set[str], ...]] = ContextVar("reads", default=())

_STEADY: ContextVar[tuple[int, ...] | None] = ContextVar("steady", default=None)

_REPLACED: ContextVar[Mapping[str, pd.DataFrame]] = ContextVar(
    "replaced", default=MappingProxyType({})
)


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


def version() -> str:
    """Version of the data, as declared in ``datapackage.json``."""
    return _package(folder(), _stamp())["version"]


def load(table: str, version: str | None = None) -> pd.DataFrame:
    """A table, validated and typed.

    Parameters
    ----------
    table : str
        Name as in `tables`, for example "villages/national".
    version : str, optional
        Version of the data that the caller was written for, for example "0.2.0".

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
        declares), a quote that does not end, a line end inside a cell, a value of the wrong type,
        in another than the plain spelling or outside its limits, a double key, or an unknown
        source, province, prefecture, case or code. Also if the loaded data are not `version`.
    """
    schema(table)
    for tables_read in _READS.get():
        tables_read.add(table)
    if table in _REPLACED.get():
        return _REPLACED.get()[table].copy()
    if version is not None and version != (loaded := globals()["version"]()):
        remedy = f"take version {version} of the data, or ask for {loaded}"
        raise DataError(
            [f"version {loaded} of the data is loaded, not {version}. Remedy: {remedy}"]
        )
    return _load(folder(), table, _stamp()).copy()


@contextmanager
def reads() -> Iterator[set[str]]:
    """The names of the tables that are loaded inside the ``with`` block, as they are."""
    found: set[str] = set()
    token = _READS.set((*_READS.get(), found))
    try:
        yield found
    finally:
        _READS.reset(token)


@contextmanager
def steady() -> Iterator[None]:
    """Look for changed files once, at the start of the ``with`` block, not at every `load`."""
    token = _STEADY.set(_stamp())
    try:
        yield
    finally:
        _STEADY.reset(token)


@contextmanager
def replaced(frames: Mapping[str, pd.DataFrame]) -> Iterator[None]:
    """Let `load` return other frames inside the ``with`` block: for what-ifs and placebos.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        By table; with the columns that `load` gives. They are not checked, and no file changes.
    """
    for table in frames:
        schema(table)
    token = _REPLACED.set({**_REPLACED.get(), **frames})
    try:
        yield
    finally:
        _REPLACED.reset(token)


def roles(table: str) -> dict[str, str]:
    """The roles that rows of a table have for claims, by ``bears_on``, and what each means."""
    return _roles(schema(table))


def bearing(table: str, *roles: str) -> pd.DataFrame:
    """The rows of a table that bear on a claim in a role, by its column ``bears_on``.

    Parameters
    ----------
    table : str
    *roles : str
        For example "C44:useless"; rows with any of them.

    Returns
    -------
    DataFrame
        As `load`, fewer rows.

    Raises
    ------
    DataError
        If the data package describes no such role for the table.
    """
    known = _roles(schema(table))
    if unknown := sorted(set(roles) - set(known)):
        remedy = f"use one of {', '.join(known)}" if known else "choose a table with bears_on"
        raise DataError([f"{table} has no role {', '.join(unknown)}. Remedy: {remedy}"])
    rows = load(table)
    given = rows["bears_on"].fillna("").str.split(";")
    return rows[[bool(set(roles) & set(cell)) for cell in given]]


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
            ids = set() if name == "sources" else set().union(*cited(name))
        else:
            ids = {about["source_id"]}
        for source in ids:
            used.setdefault(source, []).append(name)
    return used


def support(table: str, column: str | None = None) -> pd.Series:
    """How many sources a table has for the figure of each row.

    Rows are about one figure if they agree in the columns that ``figure`` names in the data
    package. Sources are counted by id: two reports of one dispatch count twice.

    Parameters
    ----------
    table : str
    column : str, optional
        Count only the rows that fill this column, for tables with several figures in a row.

    Returns
    -------
    Series of int
        Indexed as the table (the rows that fill `column`); 1 marks a figure that rests on one
        source.

    Raises
    ------
    DataError
        If the table does not hold figures, or has no such column.
    """
    columns = schema(table).get("figure")
    if not columns:
        raise DataError([f"{table} names no figure. Remedy: use a table of figures"])
    rows = load(table)
    ids = pd.Series(cited(table), index=rows.index)
    if column is not None:
        if column not in rows.columns:
            raise DataError([f"{table} has no column {column!r}. Remedy: see schema({table!r})"])
        rows = rows[rows[column].notna()]
    cells = rows[columns].astype("object")
    key = cells.where(cells.notna(), "").astype("str").agg("|".join, axis=1)
    counted = ids[rows.index].groupby(key).agg(lambda s: len(set().union(*s)))
    return key.map(counted).rename("n_sources")


def conflicts() -> pd.DataFrame:
    """Every figure for which a table holds more than one value.

    A figure is what the columns under ``figure`` in the data package name, in one unit. Only
    numbers are compared; two roundings of one number count as two values.

    Returns
    -------
    DataFrame
        Columns ``table``, ``what`` (the figure, and the column if it is not ``value``) and
        ``told`` (each value with the sources that give it, lowest first).
    """
    rows = []
    for name in tables():
        about = schema(name)
        if not about.get("figure"):
            continue
        frame = load(name)
        keys = [*about["figure"], *({"unit"} & set(frame) - set(about["figure"]))]
        numbers = [
            f["name"] for f in about["schema"]["fields"] if f["type"] in ("integer", "number")
        ]
        for column in (n for n in numbers if n not in keys and n != "year"):
            kept = frame.dropna(subset=[column])
            for key, group in kept.groupby(keys, dropna=False):
                if group[column].nunique() < 2:
                    continue
                parts = [str(part) for part in key if not pd.isna(part)]
                if column != "value":
                    parts.append(column)
                ids = group.groupby(column)["source_id"].agg(lambda s: ", ".join(sorted(set(s))))
                told = "; ".join(f"{value:,.10g} ({who})" for value, who in ids.items())
                rows.append({"table": name, "what": ", ".join(parts), "told": told})
    return pd.DataFrame(rows, columns=["table", "what", "told"])


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
    with needs("The map of outlines"):
        import geopandas  # slow to import, and only maps need it

    with (folder() / "geo/provinces.geojson").open("rb") as file:  # by Python, which notes it
        return geopandas.read_file(file)


def check() -> list[str]:
    """Validate all tables and compare them with each other.

    Returns
    -------
    list of str
        One line for each fault, empty if there is none. The comparisons run only when every
        table is valid by itself. The last line tells if the files are not those of the declared
        version (see `released`).
    """
    changed = released()
    return faults() + ([changed] if changed else [])


def faults() -> list[str]:
    """Faults of the tables and between them, as `check` but without the version."""
    found: dict[str, None] = {}
    for table in tables():
        try:
            load(table)
        except DataError as error:
            found |= dict.fromkeys(error.faults)
    return list(found) or list(_cross_faults())


def checksum(names: Iterable[str] | None = None) -> str:
    """SHA-256 over the names and contents of files of the data package, all if none are named."""
    whole = hashlib.sha256()
    wanted = None if names is None else set(names)
    for name, about in sorted(_resources().items()):
        if wanted is None or name in wanted:
            raw = (folder() / about["path"]).read_bytes()
            whole.update(f"{name} {hashlib.sha256(raw).hexdigest()}\n".encode())
    return whole.hexdigest()


def released() -> str | None:
    """What is wrong with the declared version, None if it is that of the files."""
    path = folder() / "versions.json"
    known = _parsed("data/versions.json", path.read_bytes()) if path.is_file() else {}
    if version() not in known:
        return f"data/versions.json: version {version()} is not sealed. Remedy: run {SEAL}"
    try:
        if known[version()] == checksum():
            return None
    except FileNotFoundError:
        pass  # the check of the table names the file
    return (
        f"data/datapackage.json, key version: the data are not those of version {version()}. "
        "Remedy: undo the change; or raise version, describe it in data/CHANGELOG.md, and run "
        f"{SEAL}"
    )


def state() -> str:
    """The declared version, with "(changed)" after it if the files are no longer those of it."""
    return version() + (" (changed)" if released() else "")


def seal() -> list[str]:
    """Write the present state of every file into ``datapackage.json`` and ``versions.json``.

    Returns
    -------
    list of str
        Names of the resources that had changed.

    Raises
    ------
    DataError
        If `check` finds a fault other than rows that were taken out, or if the data changed and
        the version did not: nothing is written then. The day is written as the release of a
        version that is new.
    """
    path, versions = folder() / "datapackage.json", folder() / "versions.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    known = _parsed("data/versions.json", versions.read_bytes()) if versions.is_file() else {}
    if version() in known and (fault := released()):
        raise DataError([fault])
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
    if version() not in known:
        package["created"] = f"{datetime.date.today()}T00:00:00Z"
    _write(path, package)
    found = faults()
    if found:
        write_whole({path: old})
        raise DataError(found)
    _write(versions, known | {version(): checksum()})
    return changed


def _write(path: Path, content: Any) -> None:
    write_whole({path: json.dumps(content, ensure_ascii=False, indent=1) + "\n"})


def write_whole(files: Mapping[Path, str | bytes]) -> None:
    """Write files of which each is whole or as it was, whenever the process ends.

    All are first written beside their places, and put there when none can fail any more for want
    of space or rights. A file behind a link is written and the link stays.

    Raises
    ------
    OSError
        With the name of the file that cannot be written: no file has changed then.
    """
    parts: dict[Path, Path] = {}
    try:
        for number, (path, content) in enumerate(files.items()):
            target = Path(os.path.realpath(path))
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                if target.exists() and not os.access(target, os.W_OK):  # a rename would not ask
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                part = target.with_name(f".{os.getpid()}-{number}.part")
                parts[part] = target
                part.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
                if target.exists():
                    shutil.copymode(target, part)
            except OSError as error:
                error.filename = str(path)  # a full disk names none, the part's name tells nothing
                raise
        for part, target in parts.items():
            part.replace(target)
    finally:
        for part in parts:
            with suppress(OSError):
                part.unlink()


# ---- one table --------------------------------------------------------------------------------


def _stamp() -> tuple[int, ...]:
    """Changes when any file of the package does, so that references are checked again."""
    if (known := _STEADY.get()) is not None:
        return known
    found = []
    for path, _, names in os.walk(folder()):
        found += [os.path.join(path, n) for n in names if n.endswith((".csv", "package.json"))]
    return tuple(os.stat(path).st_mtime_ns for path in sorted(found))


def _resources() -> dict[str, dict[str, Any]]:
    return _by_name(folder(), _stamp())


@lru_cache(maxsize=8)
def _by_name(root: Path, stamp: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    return {about["name"]: about for about in _package(root, stamp)["resources"]}


@lru_cache(maxsize=8)
def _package(root: Path, stamp: tuple[int, ...]) -> dict[str, Any]:
    try:
        raw = (root / "datapackage.json").read_bytes()
    except FileNotFoundError:
        raise DataError([f"no datapackage.json in {root}. Remedy: set TAOBAO_DATA"]) from None
    package = _parsed("data/datapackage.json", raw)
    faults = [
        f"data/datapackage.json, {error.json_path}: {error.message[:200]}. Remedy: restore the file"
        for error in jsonschema.Draft202012Validator(
            _parsed(SCHEMA.name, SCHEMA.read_bytes())
        ).iter_errors(package)
    ]
    if faults:
        raise DataError(faults)
    return package


def _parsed(name: str, raw: bytes) -> dict[str, Any]:
    """What a file of JSON says, or where it is broken."""
    try:
        said = json.loads(raw)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        row = raw[: getattr(error, "start", getattr(error, "pos", 0))].count(b"\n") + 1
        said, name = None, f"{name}, row {row}"
    if not isinstance(said, dict):
        raise DataError([f"{name}: not a JSON object. Remedy: restore the file"])
    return said


def cited(table: str) -> list[set[str]]:
    """Ids of the sources that each row of a table names, in the order of its rows."""
    rows = load(table)
    columns = [
        name
        for name in rows.columns
        if name.endswith("source_id") and not (table == "sources" and name == "source_id")
    ]
    cells = zip(*(rows[name].fillna("") for name in columns), strict=True)
    return [set(";".join(cell).split(";")) - {""} for cell in cells]


@lru_cache(maxsize=128)
def _load(root: Path, table: str, stamp: tuple[int, ...]) -> pd.DataFrame:
    about = schema(table)
    text = _text(about)
    for find in (_file_faults, _cell_faults, _reference_faults):  # each needs the one before
        if found := find(about, text):
            raise DataError(found)
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
        text = raw.decode("utf-8")
    except FileNotFoundError:
        raise DataError([f"{_file(about)}: the file is missing. Remedy: restore it"]) from None
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        fields = about["schema"]["fields"]
        place = max(len(next(csv.reader([before.rpartition("\n")[2]]))) - 1, 0)
        column = fields[min(place, len(fields) - 1)]["name"]
        remedy = "save the file as UTF-8"
        row = before.count("\n") + 1
        raise DataError([_fault(about, row, column, "not UTF-8", remedy)]) from None
    first = about["schema"]["fields"][0]["name"]
    if text.startswith("\ufeff"):
        remedy = "save the file as UTF-8 without it"
        raise DataError([_fault(about, 1, first, "a byte order mark before the text", remedy)])
    for character, name, remedy in (
        ("\r", "a carriage return", "save the file with Unix line ends"),
        ("\0", "a null character", "save the file as plain text"),
    ):
        if character in text:
            row = text[: text.index(character)].count("\n") + 1
            raise DataError([_fault(about, row, first, name, remedy)])
    return text


def _rows(about: dict[str, Any], text: str) -> list[list[str]]:
    """The cells of each row, or why the file cannot be split into rows of one line each."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text), strict=True)
    remedy = "end each quote in its cell, write each row in one line, and a quote in text twice"
    fields = about["schema"]["fields"]
    try:
        for cells in reader:
            rows.append(cells)
            if reader.line_num != len(rows):
                place = next((i for i, cell in enumerate(cells) if "\n" in cell), 0)
                column = fields[min(place, len(fields) - 1)]["name"]
                problem = "a line end inside the cell"
                raise DataError([_fault(about, len(rows), column, problem, remedy)])
    except csv.Error as error:
        problem = f"the row cannot be split into cells ({error})"
        column = fields[0]["name"]
        raise DataError([_fault(about, len(rows) + 1, column, problem, remedy)]) from None
    return rows


def _file_faults(about: dict[str, Any], text: str) -> list[str]:
    """Columns that are not as described, and files that are cut off."""
    expected = [field["name"] for field in about["schema"]["fields"]]
    lines = _rows(about, text)
    header = lines[0] if lines else []
    back = "put it back, as in datapackage.json"
    out = "take it out, or describe it in datapackage.json"
    faults = [_fault(about, 1, c, "missing", back) for c in expected if c not in header]
    strange = [c for c in header if c not in expected]
    faults += [
        _fault(about, 1, c.strip() or "without a title", "not described", out) for c in strange
    ]
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
    import frictionless  # slow to import, and only a check needs it

    # Its fields are used alone: its Resource first checks the description with jsonschema, which
    # takes 2 s a process and is the part of `frictionless validate`.
    fields = {field["name"]: field for field in about["schema"]["fields"]}
    readers = {
        name: getattr(frictionless.fields, f"{field['type'].title()}Field")(
            name=name, constraints=field.get("constraints", {})
        ).create_cell_reader()
        for name, field in fields.items()
    }
    key = about["schema"].get("primaryKey", list(fields))
    first: dict[tuple[str, ...], int] = {}
    faults = []
    for row, cells in enumerate(_rows(about, text), start=1):
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
            plain, told = SPELLINGS.get(fields[column]["type"], (None, ""))
            broken = readers[column](cell)[1]
            if plain and cell and not broken and not plain.fullmatch(cell):
                remedy = f"write {told}, in plain digits or letters, or leave the cell empty"
                faults.append(_fault(about, row, column, f"{cell!r} is not {told}", remedy))
            for rule in broken or ():
                limit = {**fields[column].get("constraints", {}), **fields[column]}[rule]
                problem = f"{cell!r} {BROKEN.get(rule, rule)} {limit}" if cell else "empty"
                remedy = "correct the cell, or the rule in datapackage.json"
                faults.append(_fault(about, row, column, problem, remedy))
        value = tuple(named[name] for name in key)
        if first.setdefault(value, row) != row:
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
        if "separator" in field and "roles" not in field
    ]  # an empty cell refers to nothing; whether it may be empty, the schema says
    faults = []
    if roles := _roles(about):
        for row, (cell,) in enumerate(_cells(text, "bears_on"), start=2):
            named = cell.split(";") if cell else []
            for role in sorted({r for r in named if r not in roles or named.count(r) > 1}):
                problem = f"{role!r} stands twice" if role in roles else f"{role!r} is no role"
                remedy = f"use each once, of {', '.join(roles)}, or describe it in datapackage.json"
                faults.append(_fault(about, row, "bears_on", problem, remedy))
    for columns, table, there, separator in references:
        target = schema(table)
        known = set(_cells(_text(target), there))
        for row, value in enumerate(_cells(text, columns), start=2):
            parts = [(part,) for part in value[0].split(separator)] if separator else [value]
            for part in parts if any(value) else []:
                if part not in known:
                    column = columns if isinstance(columns, str) else " and ".join(columns)
                    problem = f"{' / '.join(part)!r} is not in {_file(target)}"
                    remedy = "correct the cell, or add the row there"
                    faults.append(_fault(about, row, column, problem, remedy))
    return faults


def _roles(about: dict[str, Any]) -> dict[str, str]:
    """The roles that rows of a table can have for a claim, and what each means."""
    fields = about["schema"]["fields"]
    return next((field["roles"] for field in fields if field["name"] == "bears_on"), {})


def _cells(text: str, columns: str | list[str]) -> list[tuple[str, ...]]:
    """The cells of some columns, as they stand in the file; absent ones are empty."""
    names = [columns] if isinstance(columns, str) else columns
    reader = csv.DictReader(io.StringIO(text))
    return [tuple(row.get(name) or "" for name in names) for row in reader]


# ---- tables against each other ----------------------------------------------------------------


def _cross_faults() -> Iterator[str]:
    """Faults that only the comparison of tables or rows shows."""
    for faults in (
        _sum_faults,
        _place_faults,
        _share_faults,
        _growth_faults,
        _survival_faults,
        _poverty_faults,
        _rank_faults,
        _border_faults,
        _case_faults,
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
        _role_faults,
        _package_faults,
    ):
        yield from faults()


def _at(table: str, index: int, column: str, problem: str, remedy: str) -> str:
    """A fault in the row of a loaded table; `index` -1 stands for a row that is not there."""
    return _fault(schema(table), index + 2, column, problem, remedy)


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
            yield _at(table, index, column, problem, "correct one of them")


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
            yield _at("villages/province_year", index, "n_villages", problem, "correct a province")


def _place_faults() -> Iterator[str]:
    """Prefectures lie in their provinces, and a code stands for one name."""
    names = load("provinces/provinces").set_index("province_code")["name_en"]
    for table, code, name in NAMED:
        rows = load(table)
        here = rows[rows[code].isin(names.index)]
        for index, row in here[here[code].map(names) != here[name]].iterrows():
            problem = f"{row[name]!r} is not province {row[code]}"
            yield _at(table, index, name, problem, "correct the name or the code")
    for table in tables():
        rows = load(table)
        if {"province_code", "province"} <= set(rows.columns):
            here = rows[rows["province_code"].notna()]
            if "scope" in rows.columns:
                here = here[here["scope"] != "corps"]
            for index, row in here[here["province_code"].map(names) != here["province"]].iterrows():
                problem = f"{row['province']!r} is not province {row['province_code']}"
                yield _at(table, index, "province", problem, "correct the name or the code")
        if {"province_code", "prefecture_code"} <= set(rows.columns):
            known = rows[rows["prefecture_code"].notna()]
            for index, row in known[
                known["prefecture_code"].str[:2] != known["province_code"]
            ].iterrows():
                problem = f"{row['prefecture_code']} is not in province {row['province_code']}"
                yield _at(table, index, "prefecture_code", problem, "correct one of the codes")
    keys = ["year", "province_code", "city"]
    cities = load("villages/city_year").set_index(keys)["prefecture_code"]
    for index, row in load("villages/county_year").iterrows():
        if cities.get(tuple(row[keys])) != row["prefecture_code"]:
            problem = f"{row['city']} has another code, or none, in villages/city_year"
            remedy = "correct one of the codes"
            yield _at("villages/county_year", index, "prefecture_code", problem, remedy)


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
                    yield _at(table, index, "value", problem, "correct the value or the unit")


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
            yield _at("villages/national", index, "growth_pct", problem, "correct rate or totals")


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
                yield _at("villages/survival", index, column, problem, "correct the counts")


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
            yield _at("villages/poverty", index, "value", problem, "correct the value")


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
                yield _at(table, index, "rank", problem, "correct a rank or a count")
        for index, row in rows[rows["source_id"].isin(LISTS)].iterrows():
            same = (counties["year"] == row["year"]) & (
                counties["province_code"] == row["province_code"]
            )
            if row["n_villages"] not in set(counties.loc[same, "n_villages"]):
                problem = f"no county of the province has {row['n_villages']} in county_year"
                yield _at(table, index, "n_villages", problem, "correct one of them")
    clusters = load("villages/clusters").pivot_table(
        index="year", columns="quantity", values="value", aggfunc="max"
    )
    sizes = ["n_super_clusters (>=100)", "n_large_clusters (>=30)", "n_clusters (>=10 villages)"]
    for year, row in clusters[sizes].iterrows():
        present = row.dropna()
        if not present.is_monotonic_increasing:
            problem = f"{year}: larger clusters outnumber smaller ones"
            yield _at("villages/clusters", -1, "value", problem, "correct the counts")


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
            yield _at(table, index, "link_type", problem, "let both directions agree")


def _map_faults() -> Iterator[str]:
    """Each tile has its place, and the outlines are those of the provinces."""
    table = "geo/tilegrid"
    tiles = load(table)
    for column, names in (("col", ["col", "row"]), ("abbr", ["abbr"])):
        for index in tiles.index[tiles.duplicated(names)]:
            shown = " and ".join(f"{name} {tiles[name][index]}" for name in names)
            problem = f"another tile has {shown}"
            yield _at(table, index, column, problem, "give each province its own")
    about = _resources()["geo/outlines"]
    shapes = _parsed(_file(about), (folder() / about["path"]).read_bytes())["features"]
    drawn = [shape["properties"]["province_code"] for shape in shapes]
    units = set(load("provinces/provinces")["province_code"])
    for code in sorted(
        units.symmetric_difference(drawn) | {c for c in drawn if drawn.count(c) > 1}
    ):
        problem = f"province {code} has {drawn.count(code)} outlines, {int(code in units)} expected"
        yield f"{_file(about)}, province_code {code}: {problem}. Remedy: run geo/make_outlines.py"


def _case_faults() -> Iterator[str]:
    """Codes are counted right, every case has one, and lies in the region of its province."""
    codes = load("cases/case_codes")
    book = load("cases/codebook")
    keys = ["dimension", "code"]
    coded = codes.groupby(keys)["case_id"].nunique()
    yield from _unequal("cases/codebook", book, keys, "n_cases", coded, "cases/case_codes")
    for index, case in load("cases/cases")["case_id"].items():
        if case not in set(codes["case_id"]):
            yield _at("cases/cases", index, "case_id", f"{case} has no code", "code the case")
    regions = load("provinces/provinces").set_index("province_code")["region4"]
    cases = load("cases/cases")
    for index, row in cases[cases["province_code"].map(regions) != cases["region4"]].iterrows():
        problem = f"{row['province']} is not in {row['region4']}"
        yield _at("cases/cases", index, "region4", problem, "correct region or province")
    for index, name in cases.loc[cases["short_name"].duplicated(), "short_name"].items():
        yield _at(
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
            yield _at("cases/case_codes", index, "about", problem, f"use {' or '.join(fits)}")


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
                yield _at("provinces/panel", -1, "province_code", problem, remedy)
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
            for key, group in rows.groupby(name)["unit"]:
                counted = group.fillna("").value_counts()
                for index, unit in group.fillna("").items():
                    if unit not in declared.get(key, counted.index[:1]):
                        usual = " or ".join(map(repr, declared.get(key, counted.index[:1])))
                        problem = f"{key} in {unit!r}, elsewhere in {usual}"
                        remedy = "correct the unit, or name it under units in datapackage.json"
                        yield _at(table, index, "unit", problem, remedy)


def _agreement_faults() -> Iterator[str]:
    """Sources of one figure lie within the factor that the data package declares."""
    for table in tables():
        for rule in schema(table).get("agree", []):
            rows = load(table)
            for column in rule["columns"]:
                known = rows[rows[column].notna() & (rows[column] > 0)]
                for key, group in known.groupby(rule["same"])[column]:
                    for index, value in group.items():
                        others = group.drop(index)
                        usual = others.median()
                        if (
                            len(others)
                            and not 1 / rule["factor"] <= value / usual <= rule["factor"]
                        ):
                            place = ", ".join(map(str, key))
                            problem = f"{place}: {value:g}, other sources have {usual:g}"
                            remedy = "correct the value, or widen agree in datapackage.json"
                            yield _at(table, index, column, problem, remedy)


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
                yield _at(table, index, "value", problem, remedy)


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
        yield _at(table, row["index"], "value", problem, remedy)


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
                yield _at(table, index, "value", problem, remedy)


def _calendar_faults() -> Iterator[str]:
    """Dates stand in the calendar, and none lies after the release of the data."""
    created = _package(folder(), _stamp())["created"][:10]
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
                    yield _at(
                        table, index, column, problem, "write it as 2016, 2016-08 or 2016-08-31"
                    )
                    continue
                if date > created[: len(date)]:
                    problem = f"{date} is after the release of {created}"
                    remedy = f"correct the date, or raise version and run {SEAL}"
                    yield _at(table, index, column, problem, remedy)


def _date_faults() -> Iterator[str]:
    """Dates are as exact as they say, and periods do not end before they start."""
    for table in tables():
        rows = load(table)
        if {"date", "precision"} <= set(rows.columns):
            lengths = rows["date"].fillna("").str.len()
            for index in rows.index[lengths != rows["precision"].map(LENGTHS)]:
                problem = f"{rows['date'][index]!r} is not a date of {rows['precision'][index]}"
                yield _at(table, index, "precision", problem, "correct date or precision")
        if {"date", "year"} <= set(rows.columns):
            for index in rows.index[rows["date"].str[:4] != rows["year"].astype("str")]:
                problem = f"{rows['year'][index]} is not the year of {rows['date'][index]}"
                yield _at(table, index, "year", problem, "correct year or date")
        for start, end in (
            ("period_start", "period_end"),
            ("year_from", "year_to"),
            ("low_pct", "high_pct"),
        ):
            if {start, end} <= set(rows.columns):
                for index in rows.index[(rows[start] > rows[end]).fillna(False).astype(bool)]:
                    problem = f"{rows[end][index]} is before {rows[start][index]}"
                    yield _at(table, index, end, problem, "correct one of them")
        if "period_end" in rows.columns:
            for index in rows.index[rows["period_end"].str[:4] != rows["year"].astype("str")]:
                problem = f"{rows['year'][index]} is not the year of {rows['period_end'][index]}"
                yield _at(table, index, "year", problem, "correct year or period")


def _event_faults() -> Iterator[str]:
    """Rows of one event are numbered from 1."""
    rows = load("policy/events")
    numbers = rows.groupby("event_key").cumcount() + 1
    for index, row in rows.iterrows():
        if row["event_id"] != (expected := f"{row['event_key']}_{numbers[index]}"):
            problem = f"{row['event_id']!r} is not {expected!r}, the next row of its event"
            yield _at("policy/events", index, "event_id", problem, "correct id or event_key")


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
                yield _at(table, index, "status", problem, remedy)
        for index, formula in formulas.dropna().items():
            for part in formula.split("; "):
                column, _, sum_ = part.partition(" = ")
                if column not in rows.columns or not pd.api.types.is_numeric_dtype(rows[column]):
                    problem = f"{column!r} is not a column of figures"
                    yield _at(table, index, "formula", problem, "name the column of the figure")
                elif (result := _arithmetic(sum_)) is None:
                    problem = f"{sum_!r} cannot be worked out"
                    yield _at(table, index, "formula", problem, "write numbers with + - * / ( )")
                elif pd.isna(stored := rows[column][index]) or (
                    abs(result - stored) > 0.5001 * 10.0 ** -_decimals(stored)
                ):
                    problem = f"{stored} is not {sum_}, which is {result:.6g}"
                    yield _at(table, index, column, problem, "correct the figure or the formula")


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
            yield _at(table, int(str(index)), "parent_id", problem, "correct the parent")
        if row["kind"] in ("for", "against") and pd.isna(row["year"]):
            yield _at(table, int(str(index)), "year", "evidence without a year", "add its year")
    if (n := int((kinds == "thesis").sum())) != 1:
        yield _at(table, 0, "kind", f"{n} theses", "keep one")
    table = "literature/statements"
    for index, row in load(table).iterrows():
        if (row["read"] == "not_read") != (row["direction"] == "not_read"):
            problem = f"direction {row['direction']} of a work read as {row['read']}"
            yield _at(table, int(str(index)), "direction", problem, "correct one of them")
        if (row["direction"] in ("silent", "not_read")) != pd.isna(row["strength"]):
            problem = f"strength {row['strength']} of a statement that is {row['direction']}"
            yield _at(table, int(str(index)), "strength", problem, "correct one of them")


def _role_faults() -> Iterator[str]:
    """Roles are for claims there are, and their rows fill the columns that the roles need."""
    claims = set(load("claims")["claim_id"])
    for table in tables():
        about = schema(table)
        for role in _roles(about):
            if role.partition(":")[0] not in claims:
                where = f"data/datapackage.json, {table}, column bears_on, key roles"
                yield f"{where}: no claim for {role}. Remedy: begin it with the claim's id"
        for field in about["schema"]["fields"]:
            for role in field.get("needed_for", []):
                rows = bearing(table, role)
                for index in rows.index[rows[field["name"]].isna()]:
                    problem, remedy = f"empty in a row for {role}", "fill it, or take the role away"
                    yield _at(table, index, field["name"], problem, remedy)


def _package_faults() -> Iterator[str]:
    """Every source is used, and what the package says of a table is about things there are."""
    used = used_by()
    for index, source in enumerate(sources().index):
        if source not in used:
            problem = f"no table uses {source}"
            yield _at("sources", index, "source_id", problem, "take it out, or cite it")
    claims = set(load("claims")["claim_id"])
    for table in tables():
        about = schema(table)
        known = {"used_for": claims, "figure": {f["name"] for f in about["schema"]["fields"]}}
        for key, names in known.items():
            for name in sorted(set(about.get(key, [])) - names):
                remedy = "correct the name"
                yield f"data/datapackage.json, {table}, key {key}: no {name}. Remedy: {remedy}"


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

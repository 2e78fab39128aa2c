"""Tables of the data package, validated and typed, and the sources behind their rows."""

from __future__ import annotations

import copy
import datetime
import inspect
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from taobao_villages import inputs
from taobao_villages.data.files import (
    DataError,
    described_roles,
    fault_line,
    file_text,
    folder,
    resources,
    schema,
    stamp,
    steady,
    tables,
)
from taobao_villages.data.libraries import needs
from taobao_villages.data.validation import cell_faults, file_faults, reference_faults

if TYPE_CHECKING:
    import geopandas

DTYPES = {"string": "str", "number": "float64", "boolean": "bool", "date": "str"}
KEPT = 128  # results that `cached` keeps of each function
PLAIN = (str, bytes, int, float, datetime.date, np.generic, type(None))  # arguments of kept results
_READS: ContextVar[tuple[set[str], ...]] = ContextVar("reads", default=())

P = ParamSpec("P")
R = TypeVar("R")


class _Replaced(NamedTuple):
    """Frames that stand in for tables, and a mark of the block in which they do."""

    frames: Mapping[str, pd.DataFrame]
    mark: object


_FILES = _Replaced(MappingProxyType({}), None)  # outside of any block
_REPLACED: ContextVar[_Replaced] = ContextVar("replaced", default=_FILES)


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
    with steady():
        inputs.note([f"file {folder().absolute() / schema(table)['path']}"])
        for tables_read in _READS.get():
            tables_read.add(table)
        if table in _REPLACED.get().frames:
            return _REPLACED.get().frames[table].copy()
        if version is not None and version != (loaded := globals()["version"]()):
            remedy = f"take version {version} of the data, or ask for {loaded}"
            raise DataError(
                [f"version {loaded} of the data is loaded, not {version}. Remedy: {remedy}"]
            )
        return _load(folder(), table, stamp()).copy()


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
def replaced(frames: Mapping[str, pd.DataFrame]) -> Iterator[None]:
    """Let `load` return other frames inside the ``with`` block: for what-ifs and placebos.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        By table; with the columns that `load` gives. They are not checked, and no file changes.
        They count as they are now: what is done to them inside the block has no effect.
    """
    for table in frames:
        schema(table)
    new = {table: frame.copy() for table, frame in frames.items()}
    token = _REPLACED.set(_Replaced({**_REPLACED.get().frames, **new}, object()))
    try:
        yield
    finally:
        _REPLACED.reset(token)


def supposing() -> bool:
    """Whether a `replaced` block holds."""
    return bool(_REPLACED.get().frames)


def cached(function: Callable[P, R]) -> Callable[P, R]:
    """Keep what a function computes from the data, for as long as the data are the same.

    Use it as a decorator, for functions that depend on nothing but the tables that they `load` and
    their arguments. A kept result is given again to a call with the same arguments if no file of
    the data has changed, the data lie in the same folder, and the same `replaced` block holds.
    Each caller gets a copy, which is theirs to change. `reads` notes the tables that were loaded
    when the result was computed. The last `KEPT` results are kept. Who puts other code in the
    place of a function does so inside ``replaced({})``, where nothing from before is known.

    Parameters
    ----------
    function : callable
        Results of calls whose arguments are not text, numbers, dates, None, or lists, tuples, sets
        or mappings of them, are not kept: the function runs each time.

    Raises
    ------
    TypeError
        When called, if `function` gives an iterator, which could be read only once.
    """
    signature = inspect.signature(function)

    @lru_cache(maxsize=KEPT)
    def place(key: tuple[Any, ...]) -> list[tuple[R, frozenset[str], frozenset[str]]]:
        return []  # filled by who asks first; stays empty if the function fails

    @wraps(function)
    def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        with steady():
            try:
                bound = signature.bind(*args, **kwargs)
                bound.apply_defaults()
                key = (folder(), stamp(), _REPLACED.get().mark, _as_key(bound.arguments))
            except TypeError:
                return function(*args, **kwargs)
            found = place(key)
            if not found:
                with inputs.watched() as notes, reads() as loaded:
                    result = function(*args, **kwargs)
                if isinstance(result, Iterator):
                    name = f"{function.__module__}.{function.__qualname__}"
                    raise TypeError(f"{name} gives an iterator, which is read once: give a list")
                found.append((_copy(result), frozenset(loaded), frozenset(notes)))
            result, tables_read, notes_then = found[0]
            for noted in _READS.get():
                noted |= tables_read
            inputs.note(notes_then)
            return _copy(result)

    kept.cache_clear = place.cache_clear  # type: ignore[attr-defined]  # as functools calls it
    return kept


def _as_key(value: Any) -> tuple[Any, ...]:
    """An argument with its types, as 1, 1.0 and True are equal but not the same."""
    if isinstance(value, Mapping):
        return type(value), tuple((_as_key(k), _as_key(v)) for k, v in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(map(_as_key, value))
    if isinstance(value, set | frozenset):
        return type(value), frozenset(map(_as_key, value))
    if not isinstance(value, PLAIN):
        raise TypeError(f"{value!r} may change")
    return type(value), value


def _copy(value: Any) -> Any:
    """A copy that shares nothing that can change, also not lists in the cells of a frame."""
    if isinstance(value, (*PLAIN, frozenset)):
        return value
    if type(value) in (list, tuple):
        return type(value)(map(_copy, value))
    if type(value) is dict:
        return {key: _copy(part) for key, part in value.items()}
    new = copy.deepcopy(value)  # of a frame or series: without what its cells refer to
    if isinstance(new, pd.Series) and pd.api.types.is_object_dtype(new.dtype):
        return pd.Series(copy.deepcopy(list(new)), new.index, object, new.name)
    if isinstance(new, pd.DataFrame):
        for place, dtype in enumerate(new.dtypes):
            if pd.api.types.is_object_dtype(dtype):
                new.isetitem(place, _copy(new.iloc[:, place]))
    return new


def roles(table: str) -> dict[str, str]:
    """The roles that rows of a table have for claims, by ``bears_on``, and what each means."""
    return described_roles(schema(table))


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
    known = described_roles(schema(table))
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


def source_ids(*columns: Iterable[str]) -> list[str]:
    """Ids of sources in columns whose cells may hold several, separated by semicolons; sorted."""
    return sorted({part for column in columns for cell in column for part in cell.split(";")})


def used_by() -> dict[str, list[str]]:
    """Names of the tables (and of the outlines) that rest on each source."""
    used: dict[str, list[str]] = {}
    for name, about in resources().items():
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


@cached
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

    shapes = json.loads((folder() / "geo/provinces.geojson").read_text("utf-8"))
    found = geopandas.GeoDataFrame.from_features(shapes, crs="EPSG:4326")
    return found[["province_code", "name_en", "geometry"]]


# ---- one table -----------------------------------------------------------------------------------


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
    text = file_text(about)
    frame = _alone(json.dumps(about), text)
    if found := reference_faults(about, text):
        raise DataError(found)
    return frame


@lru_cache(maxsize=128)
def _alone(described: str, text: str) -> pd.DataFrame:
    """A table that is right by itself: another file's change does not check its cells again."""
    about = json.loads(described)
    for find in (file_faults, cell_faults):  # the second needs the first
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


# ---- tables against each other -------------------------------------------------------------------


def fault_at(table: str, index: int, column: str, problem: str, remedy: str) -> str:
    """A fault in the row of a loaded table; `index` -1 stands for a row that is not there."""
    return fault_line(schema(table), index + 2, column, problem, remedy)

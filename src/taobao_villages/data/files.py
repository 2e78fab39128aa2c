"""Files of the data package: where they lie, what describes them, and their text."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema

from taobao_villages import PACKAGE, inputs

SCHEMA = Path(__file__).with_name("datapackage.schema.json")
SEAL = "python -m taobao_villages seal"
SHOWN = 20  # faults that an error prints; all are in its `faults`
_STEADY: ContextVar[tuple[int, ...] | None] = ContextVar("steady", default=None)


class DataError(Exception):
    """Tables that do not fit the data package; `faults` has one line for each fault."""

    def __init__(self, faults: Sequence[str]):
        self.faults = list(faults)
        more = [f"... and {len(faults) - SHOWN} more faults"] if len(faults) > SHOWN else []
        super().__init__("\n".join(self.faults[:SHOWN] + more))


def folder() -> Path:
    """Folder of the data: ``TAOBAO_DATA``, else the repository's, else the installed package's."""
    with inputs.unseen():  # what lies there counts, not where it is
        chosen = os.environ.get("TAOBAO_DATA")
        if chosen:
            return Path(chosen).expanduser().absolute()
        repository = PACKAGE.parents[1] / "data"
        return repository if (repository / "datapackage.json").is_file() else PACKAGE / "_data"


def tables() -> list[str]:
    """Names of all tables, in the order of the data package."""
    return [name for name, about in resources().items() if about["type"] == "table"]


def schema(table: str) -> dict[str, Any]:
    """Description of a table: title, description, fields with type, unit and meaning, keys.

    Raises
    ------
    DataError
        If the data package has no such table.
    """
    about = resources().get(table)
    if about is None or about["type"] != "table":
        raise DataError([f"no table {table!r}. Remedy: use one of {', '.join(tables())}"])
    return about


def version() -> str:
    """Version of the data, as declared in ``datapackage.json``."""
    return package(folder(), stamp())["version"]


@contextmanager
def steady() -> Iterator[None]:
    """Look for changed files once, at the start of the ``with`` block, not at every `load`."""
    token = _STEADY.set(stamp())
    try:
        yield
    finally:
        _STEADY.reset(token)


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


def stamp() -> tuple[int, ...]:
    """Changes when any file of the package does, so that references are checked again.

    A copy can bring its time of change along, and two changes can fall into one tick of the clock.
    So size and time of the file's state (which nobody sets) count as well.
    """
    if (known := _STEADY.get()) is not None:
        return known
    found = []
    with inputs.unseen():  # each table notes itself when it is loaded
        for path, _, names in os.walk(folder()):
            found += [os.path.join(path, n) for n in names if n.endswith((".csv", "json"))]
        states = [os.stat(path) for path in sorted(found)]
    return tuple(n for s in states for n in (s.st_mtime_ns, s.st_ctime_ns, s.st_size))


def resources() -> dict[str, dict[str, Any]]:
    inputs.note([f"file {folder().absolute() / 'datapackage.json'}"])
    return _by_name(folder(), stamp())


@lru_cache(maxsize=8)
def _by_name(root: Path, stamp: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    return {about["name"]: about for about in package(root, stamp)["resources"]}


@lru_cache(maxsize=8)
def package(root: Path, stamp: tuple[int, ...]) -> dict[str, Any]:
    try:
        with inputs.unseen():  # `resources` notes it
            raw = (root / "datapackage.json").read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        remedy = "let TAOBAO_DATA name the folder of a data package, by its whole path, or unset it"
        raise DataError([f"no datapackage.json in {root}. Remedy: {remedy}"]) from None
    package = parsed("data/datapackage.json", raw)
    faults = [
        f"data/datapackage.json, {error.json_path}: {error.message[:200]}. Remedy: restore the file"
        for error in jsonschema.Draft202012Validator(
            parsed(SCHEMA.name, SCHEMA.read_bytes())
        ).iter_errors(package)
    ]
    if faults:
        raise DataError(faults)
    return package


def parsed(name: str, raw: bytes) -> dict[str, Any]:
    """What a file of JSON says, or where it is broken."""
    try:
        said = json.loads(raw)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        row = raw[: getattr(error, "start", getattr(error, "pos", 0))].count(b"\n") + 1
        said, name = None, f"{name}, row {row}"
    if not isinstance(said, dict):
        raise DataError([f"{name}: not a JSON object. Remedy: restore the file"])
    return said


def file_name(about: dict[str, Any]) -> str:
    return f"{folder().name}/{about['path']}"


def fault_line(about: dict[str, Any], row: int, column: str, problem: str, remedy: str) -> str:
    return f"{file_name(about)}, row {row}, column {column}: {problem}. Remedy: {remedy}"


def file_text(about: dict[str, Any]) -> str:
    """The file's text, or what keeps it from being read."""
    try:
        with inputs.unseen():  # `load` notes the table that was asked for
            raw = (folder() / about["path"]).read_bytes()
        text = raw.decode("utf-8")
    except FileNotFoundError:
        raise DataError([f"{file_name(about)}: the file is missing. Remedy: restore it"]) from None
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        fields = about["schema"]["fields"]
        place = max(len(next(csv.reader([before.rpartition("\n")[2]]))) - 1, 0)
        column = fields[min(place, len(fields) - 1)]["name"]
        remedy = "save the file as UTF-8"
        row = before.count("\n") + 1
        raise DataError([fault_line(about, row, column, "not UTF-8", remedy)]) from None
    first = about["schema"]["fields"][0]["name"]
    if text.startswith("\ufeff"):
        remedy = "save the file as UTF-8 without it"
        raise DataError([fault_line(about, 1, first, "a byte order mark before the text", remedy)])
    for character, name, remedy in (
        ("\r", "a carriage return", "save the file with Unix line ends"),
        ("\0", "a null character", "save the file as plain text"),
    ):
        if character in text:
            row = text[: text.index(character)].count("\n") + 1
            raise DataError([fault_line(about, row, first, name, remedy)])
    return text


def parsed_rows(about: dict[str, Any], text: str) -> list[list[str]]:
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
                raise DataError([fault_line(about, len(rows), column, problem, remedy)])
    except csv.Error as error:
        problem = f"the row cannot be split into cells ({error})"
        column = fields[0]["name"]
        raise DataError([fault_line(about, len(rows) + 1, column, problem, remedy)]) from None
    return rows


def described_roles(about: dict[str, Any]) -> dict[str, str]:
    """The roles that rows of a table can have for a claim, and what each means."""
    fields = about["schema"]["fields"]
    return next((field["roles"] for field in fields if field["name"] == "bears_on"), {})


def cells_of(text: str, columns: str | list[str]) -> list[tuple[str, ...]]:
    """The cells of some columns, as they stand in the file; absent ones are empty."""
    return _cells(text, (columns,) if isinstance(columns, str) else tuple(columns))


@lru_cache(maxsize=512)
def _cells(text: str, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    reader = csv.DictReader(io.StringIO(text))
    return [tuple(row.get(name) or "" for name in names) for row in reader]

"""The whole package: every check in one, and the seal that binds a version to its files."""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from taobao_villages.data.comparisons import cross_faults
from taobao_villages.data.files import (
    SEAL,
    DataError,
    folder,
    parsed,
    resources,
    steady,
    tables,
    version,
    write_whole,
)
from taobao_villages.data.loading import load


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
    with steady():
        for table in tables():
            try:
                load(table)
            except DataError as error:
                found |= dict.fromkeys(error.faults)
        return list(found) or list(cross_faults())


def checksum(names: Iterable[str] | None = None) -> str:
    """SHA-256 over the names and contents of files of the data package, all if none are named."""
    whole = hashlib.sha256()
    wanted = None if names is None else set(names)
    for name, about in sorted(resources().items()):
        if wanted is None or name in wanted:
            raw = (folder() / about["path"]).read_bytes()
            whole.update(f"{name} {hashlib.sha256(raw).hexdigest()}\n".encode())
    return whole.hexdigest()


def released() -> str | None:
    """What is wrong with the declared version, None if it is that of the files."""
    path = folder() / "versions.json"
    known = parsed("data/versions.json", path.read_bytes()) if path.is_file() else {}
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
    known = parsed("data/versions.json", versions.read_bytes()) if versions.is_file() else {}
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

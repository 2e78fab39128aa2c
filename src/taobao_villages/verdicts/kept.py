"""Results of the multiverse that are kept between runs, and the ledger with what they say."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from taobao_villages import LAYOUT, PACKAGE, data, inputs
from taobao_villages.verdicts import ledger as registry
from taobao_villages.verdicts import multiverse
from taobao_villages.verdicts.claims import Claim, ClaimError

LOGGER = logging.getLogger(__name__)
OF_BYTES = {"hash": None, "bytes": None}  # of a table's description: the file has them
STATES = 4  # of code and data, for which results are kept: trying a change out and back is free


def kept(
    *, permutations: int = multiverse.PERMUTATIONS, progress: bool = False, only: bool = False
) -> pd.DataFrame:
    """The results of `run`, from the cache for every claim whose code and tables are unchanged.

    Parameters
    ----------
    permutations, progress : int, bool
        See `run`.
    only : bool
        Leave out the claims that are not in the cache, instead of running them.

    Returns
    -------
    DataFrame
        As `run`. Choices that were tuples come back as lists.
    """
    if data.supposing():  # what is kept is of the files
        return multiverse.run(permutations=permutations, progress=progress)
    folder, now = _cache(), inputs.Inputs(data=data.folder())
    known: dict[str, list[dict[str, Any]]] = {}
    with inputs.watched() as seen:  # what chapters looked at when they were imported
        claims = registry.declared()
    told = inputs.besides(seen, PACKAGE, data.folder())
    imported = [note for note in told if not note.startswith("module ")]
    for claim in claims:
        for record in _records(folder / f"{claim.id}-{permutations}.json"):
            if record["key"] and record["key"] == _key(claim, record, now):
                known[claim.id] = record["rows"]
                inputs.note(_notes(claim, record))
    missing = [claim for claim in claims if claim.id not in known]
    if missing and not only:
        fresh = multiverse.run(missing, permutations=permutations, progress=progress)
        records = {claim.id: _record(claim, fresh, imported, now) for claim in missing}
        known |= {name: record["rows"] for name, record in records.items()}
        try:
            for name, record in records.items():
                _keep(folder / f"{name}-{permutations}.json", record)
        except OSError as error:
            LOGGER.warning(
                "the results are right but not kept, so the next run takes as long: %s: %s. "
                "Remedy: make room there, or allow yourself to write",
                *(error.filename, error.strerror),
            )
    rows = [row for claim in claims for row in known.get(claim.id, [])]
    return pd.DataFrame(rows, columns=multiverse.COLUMNS)


def ledger(
    entries: Sequence[Mapping[str, Any]] | None = None, *, only: bool = False
) -> list[dict[str, Any]]:
    """The ledger with what the variants say.

    Parameters
    ----------
    entries : sequence of mapping, optional
        From `ledger.ledger`; computed if not given.
    only : bool
        Add ``variants`` to those claims alone whose variants are in the cache.

    Returns
    -------
    list of dict
        The entries, with ``variants`` as in `summary`.

    Raises
    ------
    ClaimError
        If the variants of a claim, under its default choices, say something else than its entry.
    """
    told = multiverse.summary(kept(only=only))
    rows = registry.ledger() if entries is None else entries
    differ = [
        f"{row['id']}: the ledger says {row['verdict']}, the variants under the same choices "
        f"{told[row['id']]['default']}. Remedy: remove {_cache()}, and tell us how this came about"
        for row in rows
        if row["id"] in told and told[row["id"]]["default"] != row["verdict"]
    ]
    if differ:
        raise ClaimError("\n".join(differ))
    return [
        dict(row) | ({"variants": told[row["id"]]} if row["id"] in told else {}) for row in rows
    ]


def moved(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which verdicts differ between two ledgers, and why.

    Returns
    -------
    list of str
        One line for each claim that came, went, or has another verdict; the reason is "the rule
        changed" if its words or its logged changes did, "the evidence changed" with what differs,
        or "code or file changed" where the ledger shows the same rule and the same evidence, or
        other evidence under the same version of the data.
    """
    before, after = ({row["id"]: row for row in rows} for rows in (old, new))
    lines = []
    for key in sorted(before | after):
        if key not in before:
            lines.append(f"{key}: new, {after[key]['verdict']}")
        elif key not in after:
            lines.append(f"{key}: gone, was {before[key]['verdict']}")
        elif before[key]["verdict"] != after[key]["verdict"]:
            was, now = before[key], after[key]
            shown = ("value", "interval", "n", "sources", "details")
            differ = [name for name in shown if was.get(name) != now.get(name)]
            because = []
            worded = ("rule", "rule_changes")
            if any(was.get(name) != now.get(name) for name in worded):
                because.append("the rule changed")
            if differ:
                old_data, new_data = (row.get("data_version", "?") for row in (was, now))
                source = f"data {old_data} to {new_data}"
                if old_data == new_data:
                    source = f"code or file changed, data {new_data} in both"
                because.append(f"the evidence changed ({', '.join(differ)}; {source})")
            why = " and ".join(because) or "code or file changed: same rule text, same evidence"
            lines.append(f"{key}: {was['verdict']} -> {now['verdict']}: {why}")
    return lines


def _records(path: Path) -> list[dict[str, Any]]:
    """Results kept for the latest states of code and data, the newest first."""
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


def _record(
    claim: Claim, fresh: pd.DataFrame, imported: Sequence[str], now: inputs.Inputs
) -> dict[str, Any]:
    """A claim's rows with the key under which they hold, and what they were computed from."""
    rows = fresh[fresh["claim_id"] == claim.id]
    record: dict[str, Any] = {
        "tables": sorted(set().union(*rows["tables"])),
        "notes": sorted(set(imported).union(*rows["notes"])),
    }
    told = json.loads(rows.drop(columns="notes").to_json(orient="records"))
    if why := [note for note in record["notes"] if note.startswith("unknown ")]:
        LOGGER.warning("%s is computed each time: %s", claim.id, why[0].partition(" ")[2])
    return record | {"key": _key(claim, record, now), "rows": told}


def _keep(path: Path, record: dict[str, Any]) -> None:
    """Put a record before those of earlier states; nobody finds the file half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps([record, *_records(path)[: STATES - 1]]), "utf-8")
    part.replace(path)


def _cache() -> Path:
    """In the repository; in the user's cache where there is none, or none that may be written."""
    root = PACKAGE.parents[1]
    kept = root / ".cache" / f"multiverse-{LAYOUT}"
    there = next(path for path in (kept, *kept.parents) if path.exists())
    if (root / "pyproject.toml").is_file() and os.access(there, os.W_OK):
        return kept
    return Path.home() / ".cache" / "taobao-villages" / f"multiverse-{LAYOUT}"


def _key(claim: Claim, record: Mapping[str, Any], now: inputs.Inputs) -> str | None:
    """Changes with the code that judges a claim, its tables, and what else was looked at."""
    about = [{**data.schema(table), **OF_BYTES} for table in record["tables"]]
    return now.key(_notes(claim, record), json.dumps(about))


def _notes(claim: Claim, record: Mapping[str, Any]) -> list[str]:
    # Of the multiverse its own file counts: through the registry it would reach every chapter.
    own = PACKAGE / "verdicts" / "multiverse.py"
    code = {*inputs.reached(PACKAGE / "chapters" / f"{claim.section}.py"), own}
    tables = [data.folder().absolute() / data.schema(table)["path"] for table in record["tables"]]
    return [*(f"file {path}" for path in (*sorted(code), *tables)), *record["notes"]]

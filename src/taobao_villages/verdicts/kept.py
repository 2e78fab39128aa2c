"""Results of the multiverse that are kept between runs, and the ledger with what they say."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from taobao_villages import LAYOUT, PACKAGE, data, inputs
from taobao_villages.verdicts import ledger as registry
from taobao_villages.verdicts import multiverse
from taobao_villages.verdicts.claims import Claim, ClaimError

LOGGER = logging.getLogger(__name__)
OF_BYTES = {"hash": None, "bytes": None}  # of a table's description: the file has them
FEW = 150  # variants that one process has run before others have started
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
    state, names = _State(), f"{{}}-{permutations}.json"
    claims, imported = _declared()
    known: dict[str, list[dict[str, Any]]] = {}
    for claim in claims:
        if (rows := state.find(names.format(claim.id), claim.section)) is not None:
            known[claim.id] = rows
    missing = [claim for claim in claims if claim.id not in known]
    if missing and not only:
        # Processes take seconds to start, and a process that ends with another one starts none.
        some = sum(1 for claim in missing for _ in multiverse.combinations(claim)) <= FEW
        jobs = 1 if some or multiprocessing.parent_process() else -1
        fresh = multiverse.run(missing, permutations=permutations, jobs=jobs, progress=progress)
        for claim in missing:
            rows = fresh[fresh["claim_id"] == claim.id]
            tables, notes = set().union(*rows["tables"]), imported.union(*rows["notes"])
            if why := [note for note in sorted(notes) if note.startswith("unknown ")]:
                LOGGER.warning("%s is computed each time: %s", claim.id, why[0].partition(" ")[2])
            told = json.loads(rows.drop(columns="notes").to_json(orient="records"))
            known[claim.id] = told
            state.keep(names.format(claim.id), claim.section, tables, notes, told)
    rows = [row for claim in claims for row in known.get(claim.id, [])]
    return pd.DataFrame(rows, columns=multiverse.COLUMNS)


def entries() -> list[dict[str, Any]]:
    """The ledger as `ledger.ledger`; a claim whose code and tables are unchanged is read.

    Chapters are imported only if a claim is to be judged.
    """
    if data.supposing():
        return registry.ledger()
    state, known = _State(), {}
    for claim_id, section in data.load("claims")[["claim_id", "section"]].to_numpy():
        known[claim_id] = state.find(f"{claim_id}.json", section)
    if None in known.values():
        claims, imported = _declared()
        for claim in claims:
            if known.get(claim.id) is None:
                _, entry, tables, notes = multiverse.watched(claim)
                known[claim.id] = told = json.loads(registry.as_json([entry]))[0]
                state.keep(f"{claim.id}.json", claim.section, tables, imported.union(notes), told)
    version = data.state()
    found = {name: told for name, told in known.items() if told is not None}
    return [found[name] | {"data_version": version} for name in sorted(found)]


def ledger(
    rows: Sequence[Mapping[str, Any]] | None = None, *, only: bool = False
) -> list[dict[str, Any]]:
    """The ledger with what the variants say.

    Parameters
    ----------
    rows : sequence of mapping, optional
        From `entries`, for example; every claim is judged anew if none are given.
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
    rows = registry.ledger() if rows is None else rows
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


def _declared() -> tuple[list[Claim], set[str]]:
    """The claims, and what their chapters looked at when they were imported."""
    with inputs.watched() as seen:
        claims = registry.declared()
    told = inputs.besides(seen, PACKAGE, data.folder())
    return claims, {note for note in told if not note.startswith("module ")}


class _State:
    """Code and data as they are now, and the results that are kept for them."""

    def __init__(self) -> None:
        self._folder, self._inputs = _cache(), inputs.Inputs(data=data.folder())
        self._code: dict[str, list[str]] = {}
        self._told = False  # that nothing can be kept

    def find(self, name: str, section: str) -> Any:
        """What is kept under this name for code and data as they are now; None if nothing is."""
        for record in self._records(name):
            if not set(record["tables"]) <= set(data.tables()):
                continue  # of a state that had a table which is gone, or is called otherwise now
            notes = self._notes(section, record["tables"], record["notes"])
            if record["key"] and record["key"] == self._key(notes, record["tables"]):
                inputs.note(notes)
                return record["rows"]
        return None

    def keep(
        self, name: str, section: str, tables: Iterable[str], notes: Iterable[str], rows: Any
    ) -> None:
        """Keep a result before those of earlier states; nobody finds the file half written."""
        about = {"tables": sorted(tables), "notes": sorted(notes)}
        key = self._key(self._notes(section, **about), about["tables"])
        records = [about | {"key": key, "rows": rows}, *self._records(name)[: STATES - 1]]
        path = self._folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps(records), "utf-8")
            part.replace(path)
        except OSError as error:
            if not self._told:
                LOGGER.warning(
                    "the results are right but not kept, so the next run takes as long: %s: %s. "
                    "Remedy: make room there, or allow yourself to write",
                    *(error.filename, error.strerror),
                )
            self._told = True

    def _records(self, name: str) -> list[dict[str, Any]]:
        path = self._folder / name
        return json.loads(path.read_text("utf-8")) if path.is_file() else []

    def _notes(self, section: str, tables: list[str], notes: list[str]) -> list[str]:
        """The code that judges a section's claims, a claim's tables, and what else was seen."""
        if section not in self._code:
            # Of the multiverse its file counts: through the registry it would reach every chapter.
            own = PACKAGE / "verdicts" / "multiverse.py"
            code = {*inputs.reached(PACKAGE / "chapters" / f"{section}.py"), own}
            self._code[section] = [f"file {path}" for path in sorted(code)]
        files = [data.folder().absolute() / data.schema(table)["path"] for table in tables]
        return [*self._code[section], *(f"file {path}" for path in files), *notes]

    def _key(self, notes: Iterable[str], tables: Iterable[str]) -> str | None:
        about = [{**data.schema(table), **OF_BYTES} for table in tables]
        return self._inputs.key(notes, json.dumps(about))


def _cache() -> Path:
    """In the repository; in the user's cache where there is none, or none that may be written."""
    root = PACKAGE.parents[1]
    kept = root / ".cache" / f"multiverse-{LAYOUT}"
    there = next(path for path in (kept, *kept.parents) if path.exists())
    if (root / "pyproject.toml").is_file() and os.access(there, os.W_OK):
        return kept
    return Path.home() / ".cache" / "taobao-villages" / f"multiverse-{LAYOUT}"

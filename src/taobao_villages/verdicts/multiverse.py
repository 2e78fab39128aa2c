"""Every verdict under every reasonable choice.

Each claim declares its choices beside it (`Claim.variants`). Here they are combined, run through
the claim's own function, and summed up: how often each verdict comes out, which choice decides,
and what is the nearest change that flips it. Nothing is computed a second way.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import joblib
import pandas as pd
from rich.console import Console
from rich.progress import track

from taobao_villages import PACKAGE, data, inputs
from taobao_villages.verdicts import card, ledger
from taobao_villages.verdicts.claims import VERDICTS, Claim, ClaimError, Evidence, Rule, Verdict
from taobao_villages.verdicts.words import commoner, sentence, value_words, words

PERMUTATIONS = 999
NOT_EVIDENCE = {"claims", "sources"}  # wording and addresses: no verdict depends on them
COLUMNS = [
    *("claim_id", "variant", "choices", "value", "low", "high", "verdict"),
    *("reads", "tables", "notes"),
]
OUTCOME = ["value", "low", "high", "verdict"]  # what makes two variants different results


class Task(NamedTuple):
    """One variant of one claim; the same task gives the same result wherever it runs."""

    claim_id: str
    variant: int
    choices: dict[str, Any]
    permutations: int


def combinations(claim: Claim) -> list[dict[str, Any]]:
    """Every combination of a claim's choices, the defaults first; one empty one if it has none."""
    names = list(claim.variants)
    crossed = itertools.product(*claim.variants.values())
    found = [dict(zip(names, values, strict=True)) for values in crossed]
    return found[:1] + [c for c in found[1:] if claim.skip is None or not claim.skip(**c)]


def seed(claim_id: str, choices: Mapping[str, Any]) -> int:
    """A seed that depends on the variant alone, not on order or on the number of workers."""
    text = json.dumps([claim_id, choices], sort_keys=True, default=str)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def tasks(which: Iterable[Claim] | None = None, *, permutations: int = PERMUTATIONS) -> list[Task]:
    """All variants of the claims, `ledger.declared` if none are given."""
    return [
        Task(claim.id, number, choices, permutations)
        for claim in (ledger.declared() if which is None else which)
        for number, choices in enumerate(combinations(claim))
    ]


def judge(task: Task, claim: Claim | None = None) -> dict[str, Any]:
    """Run one variant: the claim's own function, with its own rule.

    Returns
    -------
    dict
        One row of `COLUMNS`: `value`, `low` and `high` are None where they are not numbers,
        ``reads`` is a fingerprint of what the rule looked at, ``tables`` and ``notes`` are
        those of `watched`.

    Raises
    ------
    ClaimError
        Naming claim and choices, if the evidence or the rule fails.
    """
    if claim is None:
        claim = _declared()[task.claim_id]
    accepted = inspect.signature(claim.evidence).parameters
    extra: dict[str, Any] = {}
    if "permutations" in accepted:
        extra["permutations"] = task.permutations
    if "seed" in accepted:
        extra["seed"] = seed(task.claim_id, task.choices)
    try:
        judged, row, tables, notes = watched(claim, **extra | task.choices)
        reads = fingerprint(claim.rule, judged.evidence)
    except Exception as error:
        said = ", ".join(f"{name}={value!r}" for name, value in task.choices.items())
        kind = type(error).__name__
        raise ClaimError(f"{task.claim_id} with {said}: {kind}: {error}") from error
    low, high = row["interval"] or (None, None)
    value = row["value"] if isinstance(row["value"], int | float) else None
    known = [task.claim_id, task.variant, task.choices, value, low, high, row["verdict"], reads]
    return dict(zip(COLUMNS, [*known, sorted(tables - NOT_EVIDENCE), notes], strict=True))


def watched(claim: Claim, **choices: Any) -> tuple[Verdict, dict[str, Any], set[str], list[str]]:
    """A verdict, its entry, the tables that this needs, and notes (see `inputs`) of all else."""
    with inputs.watched() as notes, data.reads() as tables:
        judged = claim.judge(**choices)
        entry = judged.as_dict()
    # What the key of kept results has by itself: these tables, their description, the package.
    own = {data.folder() / data.schema(table)["path"] for table in tables}
    seen = inputs.besides(notes, PACKAGE, *own, data.folder() / "datapackage.json")
    # Libraries are imported by whichever variant comes first.
    others = [note for note in seen if not note.startswith("module ")]
    return judged, entry, tables, others


class _Watched(dict):
    """Details that note which of them are read."""

    def __init__(self, details: Mapping[str, Any], read: dict[str, Any]) -> None:
        super().__init__(details)
        self.read = read

    def __getitem__(self, key: str) -> Any:
        self.read[key] = super().__getitem__(key)
        return self.read[key]

    def get(self, key: str, default: Any = None) -> Any:
        self.read[key] = super().get(key, default)
        return self.read[key]

    def items(self) -> Any:
        self.read.update(self)
        return super().items()


def fingerprint(rule: Rule, evidence: Evidence) -> str:
    """Short hash of those parts of the evidence that the rule reads, values included."""
    read: dict[str, Any] = {}
    seen: dict[str, Any] = {"value": evidence.value}
    if evidence.value is not None:
        watched = _Watched(evidence.details, read)
        rule.decide(dataclasses.replace(evidence, details=watched))
        seen |= {"interval": evidence.interval, "details": read}
    text = json.dumps(seen, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _declared() -> dict[str, Claim]:
    return {claim.id: claim for claim in ledger.declared()}


def run(
    which: Sequence[Claim] | None = None,
    *,
    permutations: int = PERMUTATIONS,
    jobs: int = -1,
    dask: str | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Run all variants.

    Parameters
    ----------
    which : sequence of Claim, optional
        Only these; every declared claim otherwise.
    permutations : int
        For claims whose evidence takes them.
    jobs : int
        Processes on this machine; -1 is one a core.
    dask : str, optional
        Address of a Dask scheduler, for example "tcp://10.0.0.1:8786": its workers do the work.
        They need this package, of the same version and with the same data.
    progress : bool
        Show a progress bar on standard error.

    Returns
    -------
    DataFrame
        One row a variant, in the order of `tasks`: `COLUMNS`. The same for every number of
        workers.

    Raises
    ------
    data.DataError
        If the workers' data are not those of this machine.
    """
    todo = tasks(which, permutations=permutations)
    if data.supposing():  # no other process knows of it
        jobs, dask = 1, None
    with inputs.unseen():  # each variant notes what it looks at
        if dask is not None:
            rows = _on_cluster(todo, dask)
        else:
            known = None if which is None else {claim.id: claim for claim in which}
            work = (
                joblib.delayed(judge)(task, None if known is None else known[task.claim_id])
                for task in todo
            )
            rows = joblib.Parallel(n_jobs=jobs, batch_size=8, return_as="generator")(work)
        shown = track(
            rows,
            "running variants",
            total=len(todo),
            console=Console(stderr=True),
            transient=True,
            disable=not progress,
        )
        told = pd.DataFrame(list(shown), columns=COLUMNS)
    inputs.note(set().union(*told["notes"]))
    return told


def _on_cluster(todo: Sequence[Task], address: str) -> Iterator[dict[str, Any]]:
    from distributed import Client  # an extra: only a cluster needs it

    with Client(address, timeout="30s") as client:
        here = data.checksum()
        for worker, there in client.run(data.checksum).items():
            if there != here:
                remedy = "install this version of the package and of its data on every worker"
                raise data.DataError([f"{worker}: the data are not ours. Remedy: {remedy}"])
        yield from client.gather(client.map(judge, todo, pure=False))


def explained(results: pd.DataFrame) -> pd.Series:
    """How much of the variation of one claim's verdicts each choice explains.

    Parameters
    ----------
    results : DataFrame
        Rows of `run` of one claim.

    Returns
    -------
    Series
        By choice, between 0 and 1, largest first: the share by which knowing the choice lowers
        the chance that two variants drawn at random differ in verdict (Goodman and Kruskal's
        tau; for two verdicts, the variance share of a one-way analysis). Empty if all agree.
    """
    if results["verdict"].nunique() < 2:
        return pd.Series(dtype=float)
    table = pd.DataFrame(list(results["choices"]))
    verdicts = results["verdict"].reset_index(drop=True)

    def disagreement(group: pd.Series) -> float:
        return 1 - float((group.value_counts(normalize=True) ** 2).sum())

    total = disagreement(verdicts)
    shares = {}
    for name in table.columns:
        groups = verdicts.groupby(table[name].map(repr))
        if groups.ngroups > 1:
            within = groups.agg(lambda group: disagreement(group) * len(group)).sum()
            shares[name] = 1 - within / len(verdicts) / total
    return pd.Series(shares, dtype=float).sort_values(ascending=False, kind="stable")


def nearest_flip(results: pd.DataFrame) -> dict[str, Any] | None:
    """The variant with another verdict that changes the fewest choices of the default.

    Returns
    -------
    dict or None
        ``changes`` (choice and value), ``verdict``; None if no variant differs. Of several, the
        one whose choice explains most comes first.
    """
    default = results.iloc[0]
    other = results[results["verdict"] != default["verdict"]]
    if other.empty:
        return None
    order = {name: rank for rank, name in enumerate(explained(results).index)}
    found = []
    for row in other.itertuples():
        changes = {k: v for k, v in row.choices.items() if v != default["choices"][k]}
        ranks = sorted(order.get(name, len(order)) for name in changes)
        found.append(((len(changes), ranks, row.Index), changes, row.verdict))
    _, changes, verdict = min(found, key=lambda item: item[0])
    return {"changes": changes, "verdict": verdict}


def summary(results: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """What the variants of each claim say, ready for the ledger.

    Returns
    -------
    dict
        By claim id: ``n``, ``outcomes`` (how many variants differ in value, interval or verdict),
        ``default`` (verdict), ``agree`` (percent of variants with it), ``commonest`` (verdict; the
        default if it ties), ``shares`` (percent by verdict), ``decisive`` (choice),
        ``decisive_share`` (percent of the variation that it explains), ``flip`` (see
        `nearest_flip`), ``sentence``.
    """
    out = {}
    for claim_id, rows in results.groupby("claim_id", sort=False):
        default = rows["verdict"].iloc[0]
        counts = rows["verdict"].value_counts()
        shares = {v: round(100 * float(counts[v]) / len(rows), 1) for v in VERDICTS if v in counts}
        weights = explained(rows)
        entry = {
            "n": len(rows),
            "outcomes": len(rows.reindex(columns=OUTCOME).astype(object).drop_duplicates()),
            "default": default,
            "agree": shares[default],
            "commonest": default if counts[default] == counts.max() else str(counts.idxmax()),
            "shares": shares,
            "decisive": weights.index[0] if len(weights) else None,
            "decisive_share": round(100 * float(weights.iloc[0]), 1) if len(weights) else None,
            "flip": nearest_flip(rows),
        }
        out[str(claim_id)] = entry | {"sentence": sentence(entry)}
    return out


def against_default(summed: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Claims for which the default's verdict is not the commonest among the variants: ids.

    Parameters
    ----------
    summed : mapping
        From `summary`, or by claim id the ``variants`` of the ledger.
    """
    return [key for key, entry in summed.items() if entry["commonest"] != entry["default"]]


def outvoted(summed: Mapping[str, Mapping[str, Any]]) -> str:
    """Sentence on the claims of which more variants say something else; see `against_default`."""
    rare = against_default(summed)
    told = "; ".join(f"{key}: {commoner(summed[key])}" for key in rare)
    if not rare:
        return "No claim has another verdict under more of the other choices."
    return (
        f"For {card.counted(len(rare), 'claim')} more of the variants say something else: {told}."
    )


def sensitive(results: pd.DataFrame, *, most: int = 10) -> list[str]:
    """Claims whose verdict moves most between variants: ids, the most sensitive first.

    Sensitivity is the chance that two variants drawn at random differ in verdict; claims whose
    variants all agree are left out.
    """
    found = results.groupby("claim_id")["verdict"].agg(
        lambda told: 1 - float((told.value_counts(normalize=True) ** 2).sum())
    )
    return list(found[found > 0].sort_values(ascending=False, kind="stable").index[:most])


def curve(results: pd.DataFrame, claim_id: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The variants of one claim in the order of a specification curve.

    Returns
    -------
    rows : DataFrame
        ``value``, ``low``, ``high``, ``verdict``, ``choices``; sorted by value, then verdict.
        Where the interval is not about the value, but about something else (the bounds of a
        share, say), ``value`` is its lower end.
    labels : dict
        By choice (if it varies), by value: positions of the variants that take it.
    """
    rows = results[results["claim_id"] == claim_id]
    rows = rows.astype({"value": float, "low": float, "high": float})
    inside = rows["value"].between(rows["low"], rows["high"]) | rows["low"].isna()
    if not inside.all():
        rows["value"] = rows["low"]
    rows["rank"] = rows["verdict"].map(list(VERDICTS).index)
    rows = rows.sort_values(["value", "rank"], kind="stable").reset_index(drop=True)
    labels: dict[str, dict[str, list[int]]] = {}
    for name in rows["choices"].iloc[0]:
        taken = rows["choices"].map(lambda choices, name=name: value_words(name, choices[name]))
        places = {value: list(taken.index[taken == value]) for value in taken.unique()}
        if len(places) > 1:
            labels[words(name)] = places
    return rows[["value", "low", "high", "verdict", "choices"]], labels

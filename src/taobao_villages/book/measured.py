"""Results of long runs (timings, planted faults, calibration), as tables of the colophon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from taobao_villages import PACKAGE

# ---- what notebooks return -----------------------------------------------------------------------


def broken(
    faults: dict[str, Any],
    mutants: dict[str, dict[str, Any]],
    kills: dict[str, Any],
    surroundings: dict[str, Any],
) -> list[list[str]]:
    """Rows of the table of what was broken on purpose, from the kept results of that name.

    Each has what was done, how often it was tried, caught (or came out the same), lost, and the
    day and commit of the run. A change of the data that alters no value is no fault, and a build
    that ended before its moment came was not killed.
    """

    def row(what: str, tried: int, lost: int, run: dict[str, Any]) -> list[str]:
        return [what, *map(str, (tried, tried - lost, lost)), f"{run['date']}, {run['commit']}"]

    rows = []
    for kind, told in faults["kinds"].items():
        tried = sum(n for outcome, n in told.items() if outcome != "harmless")
        rows.append(row(f"Data: {kind}", tried, told["lost"], faults))
    for module, one in mutants.items():
        rows.append(row(f"Code: {module}.py", one["tried"], one["tried"] - one["caught"], one))
    hit = [kill for kill in kills["kills"] if kill["doing"] != "ended before"]
    lost = sum(kill["result"] != "same" for kill in hit)
    rows.append(row("Build killed and run again", len(hit), lost, kills))
    for way, one in surroundings["ways"].items():
        what = f"Notebooks: {way}"
        if "why" in one:
            rows.append([what, "not tried", "", "", row("", 0, 0, surroundings)[-1]])
        else:
            rows.append(row(what, one["run"], len(one["other"]), surroundings))
    return rows


def timed(results: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Rows of the table of timings, from the kept results of ``make bench``.

    Each has what was timed, how long it took (or weighs), what it is compared with, the ratio of
    the two, and the day and commit of the run. A part that was not run has no rows.
    """
    rows: list[list[str]] = []

    def row(
        part: str, what: str, one: float, other: float, unit: str, against: str, ratio: float = 0.0
    ) -> None:
        about = results[part]["about"]
        told = f"{ratio or one / other:.2f}"  # the middle one of the runs, where that is kept
        values = [f"{one:,.4g} {unit}", f"{against}: {other:,.4g} {unit}", told]
        rows.append([what, *values, f"{about['date']}, {about['commit']}"])

    cold = results.get("cold", {})
    for name in ("lower bound", "notebooks alone", "serial build") if cold else ():
        ratio = cold[f"cold build over {name}"]
        row("cold", "Book built from nothing", cold["cold build"], cold[name], "s", name, ratio)
    changes = {name: one for name, one in results.get("rebuild", {}).items() if name != "about"}
    for name, one in changes.items():
        of, against = cold.get("cold build", one["seconds"]), "from nothing"
        if len(one["notebooks run"]) == 1:
            of, against = next(iter(one["notebooks run"].values())), "its notebook's own run"
        row("rebuild", f"Built again, changed: {name}", one["seconds"], of, "s", against)
    if setup := results.get("environment"):
        full, empty = (setup[f"seconds, caches {state}"] for state in ("full", "empty"))
        row(
            "environment",
            "Environment, packages at hand",
            full,
            empty,
            "s",
            "from the network",
        )
    for name, one in results.get("methods", {}).get("against", {}).items():
        ours, library, ratio = (one[key] for key in ("ours, ms", "library, ms", "ratio"))
        row("methods", name, ours, library, "ms", "the library alone", ratio)
    if speed := results.get("multiverse"):
        by = speed["variants a second, by workers"]
        row("multiverse", "Multiverse, two workers", by["2"], by["1"], "variants a second", "one")
    pages = results.get("pages", {})
    for name in (name for name in pages if name.endswith(".html")):
        for what, unit in (("kB", "kB"), ("first paint, ms", "ms"), ("requests", "requests")):
            told = f"{name.removeprefix('book/')}, {what.partition(',')[0]}"
            bare = pages["theme's bare page"][what]
            row("pages", told, pages[name][what], bare, unit, "the theme's bare page")
    return rows


def growing(results: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Rows of the table of growth: a method, its seconds by size, exponents of time and memory."""
    told = results.get("methods", {})
    return [
        [
            name,
            *(f"{seconds:,.4g}" for seconds in one["seconds"]),
            *(f"{one[f'exponent of {what}']:.2f}" for what in ("seconds", "MB")),
        ]
        for name, one in told.get("growth", {}).items()
    ]


# ---- kept results --------------------------------------------------------------------------------


def stored(name: str) -> dict[str, Any]:
    """A kept result of a long run: of ``audits/placebo.py``, for example.

    Parameters
    ----------
    name : {"placebo", "calibration", "faults", "mutants", "kills", "surroundings", "results"}
        Which run.

    Returns
    -------
    dict
        ``commit``, ``date``, ``data_version`` of the run, and what it found.

    Raises
    ------
    FileNotFoundError
        Outside the repository, which holds the results.
    """
    return json.loads(stored_in(name).read_text("utf-8"))


def stored_in(name: str) -> Path:
    """The file of a kept result."""
    return PACKAGE.parents[1] / ("timings" if name == "results" else "audits") / f"{name}.json"

"""Choices, their values and what the variants say, in a reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def commoner(entry: Mapping[str, Any]) -> str:
    """What the variants of one claim say more often than its verdict, with its percent.

    Parameters
    ----------
    entry : mapping
        From `summary`, or the ``variants`` of the ledger.

    Returns
    -------
    str
        All verdicts that share the first place; empty if the claim's own is among them.
    """
    if entry["commonest"] == entry["default"]:
        return ""
    most = max(entry["shares"].values())
    return " or ".join(f"{v} ({most:.0f}%)" for v, one in entry["shares"].items() if one == most)


def verdict_line(verdict: str, entry: Mapping[str, Any]) -> str:
    """A claim's verdict, with what more of its variants say, if that is another."""
    other = commoner(entry)
    return f"{verdict}; more variants say {other}" if other else verdict


INCLUDED = (
    "doubtful",
    "derived",
    "finance",
    "forecasts",
    "inferred_dates",
    "mid_year",
    "thin_sources",
    "weak_sources",
)
SPOKEN = {  # names of columns and arguments that many chapters share
    "doubtful": "codes the coder doubted",
    "calendar": "calendar years",
    "south": "capital in the south",
    "south_jiangsu_north": "south without Jiangsu",
    "south_jiangsu_anhui_north": "no Jiangsu, no Anhui",
    "seat_below_33n": "by prefecture, below 33° N",
    "unreal_orders_percent": "orders assumed unreal, %",
    "reports_about": "subject of the reports",
    "signs_counted": "kinds of sign",
    "mid_year": "June reports",
    "gdp": "GDP",
    "needed_hhi": "needed HHI",
    "dongfeng_and_shaji": "Dongfeng and Shaji",
    "youth_league": "Youth League",
    "wholesale market or garment cluster": "market or garment cluster",
    "any market or factory cluster": "market or any cluster",
    "all but counties and prefectures": "no counties, prefectures",
    "832 national poverty counties": "832 poverty counties",
    "price war or falling profit": "price war, falling profit",
    "third_measure": "third measure in model",
}


def words(value: Any) -> str:
    """A choice or its value, as a reader should see it; many values at once are only counted."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return f"all {len(value)}" if len(value) > 3 else ", ".join(words(part) for part in value)
    return SPOKEN.get(str(value), str(value).replace("_", " "))


def value_words(name: str, value: Any) -> str:
    """The value of a choice in words: what a choice takes in or not is counted or left out."""
    if name in INCLUDED and isinstance(value, bool):
        return "counted" if value else "left out"
    return words(value)


def choice_words(choices: Mapping[str, Any]) -> str:
    """Choices and their values in one line."""
    told = (f"{words(name)}: {value_words(name, value)}" for name, value in choices.items())
    return "; ".join(told)


def flip_words(flip: Mapping[str, Any] | None) -> str:
    """What `nearest_flip` found, in words."""
    if flip is None:
        return "none"
    return f"{flip['verdict']} ({choice_words(flip['changes'])})"


def sentence(entry: Mapping[str, Any]) -> str:
    """The sum-up of one claim's variants in plain words."""
    if entry["n"] == 1:
        return "No choice to vary."
    results = "one result" if entry["outcomes"] == 1 else f"{entry['outcomes']} different results"
    many = f"{entry['n']} variants ({results})"
    if entry["flip"] is None:
        return f"The same verdict in all {many}."
    agree = entry["shares"][entry["default"]]
    other = f"; more say {told}" if (told := commoner(entry)) else ""
    return (
        f"{agree:.0f}% of {many} agree{other}. What matters most is the choice of "
        f"{words(entry['decisive'])} ({entry['decisive_share']:.0f}% of the variation). "
        f"Nearest flip: {flip_words(entry['flip'])}."
    )

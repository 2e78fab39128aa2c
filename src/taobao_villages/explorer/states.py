"""The explorer: every border of the coast, the south and the deltas, every list, every base.

One page on which a reader changes the year, the base and the border and sees share, location
quotient and verdict move. The numbers are those of the chapters' own functions, computed when the
book is built and laid into the page; the script of the page only shows them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from taobao_villages import data
from taobao_villages.chapters import blooming
from taobao_villages.subjects import coding, later, policy, provinces
from taobao_villages.subjects.villages import location_quotient, share
from taobao_villages.verdicts import kept

YEARS = (*provinces.YEARS, 2017, 2018, 2019, 2020)  # after 2016 single provinces are known
# Each base: its name, what a rate counts villages for, and how many units of the base that is.
BASES: Mapping[str, tuple[str, str, float]] = {
    "rural_population": ("rural residents", "million rural residents", 100),
    "population": ("all residents", "million residents", 100),
    "administrative_villages": ("villagers' committees", "1,000 villagers' committees", 1000),
    "land_area": ("land area", "10,000 square kilometres", 10_000),
}


class ExplorerError(ValueError):
    """A choice that the explorer does not have."""


@dataclass(frozen=True)
class Region:
    """One border of the coast, the south or the deltas.

    Parameters
    ----------
    name : str
        A flag of ``provinces/provinces``, or ``"seat_below_33n"``, which goes by prefecture.
    group, label : str
        What the reader chooses from.
    claim_id : str
        The claim that the border decides.
    threshold : float, optional
        Percent of the villages that the claim states, if it states one.
    """

    name: str
    group: str
    label: str
    claim_id: str
    threshold: float | None = None

    @property
    def inside(self) -> pd.Series | None:
        """Which provinces are inside, by code; None for a border through provinces."""
        table = data.load("provinces/provinces").set_index("province_code")
        return table[self.name] if self.name in table.columns else None


REGIONS = (
    Region("south", "The south", "South by capital (with Jiangsu)", "C20", 70),
    Region("south_jiangsu_north", "The south", "South, Jiangsu as north", "C20", 70),
    Region(
        "south_jiangsu_anhui_north", "The south", "South, Jiangsu and Anhui as north", "C20", 70
    ),
    Region("seat_below_33n", "The south", "South by prefecture, below 33° N", "C20", 70),
    Region("coastal", "The eastern coast", "Coast, with Guangxi", "C19", 90),
    Region("coastal_without_guangxi", "The eastern coast", "Coast, without Guangxi", "C19", 90),
    Region("east_nbs", "The eastern coast", "East of the statistics office", "C19", 90),
    Region("six_coastal", "The eastern coast", "Six provinces of AliResearch", "C19", 90),
    Region("delta", "The deltas", "Delta provinces", "C21"),
    Region("delta_with_anhui", "The deltas", "Delta provinces, with Anhui", "C21"),
)
SOURCES = (*provinces.SOURCES, "nbs_divcodes_2016", "area_marioarace", "project_definition")


def region(name: str) -> Region:
    """The region of that name.

    Raises
    ------
    ExplorerError
        For a name that no region has.
    """
    for one in REGIONS:
        if one.name == name:
            return one
    raise ExplorerError(f"no region {name!r}; use one of {', '.join(r.name for r in REGIONS)}")


# ---- one state -----------------------------------------------------------------------------------


def state(
    name: str = "south", *, year: int = 2015, base: str = "rural_population"
) -> dict[str, float | None]:
    """What one border makes of one year.

    Parameters
    ----------
    name : str
        Of a region; see `REGIONS`.
    year : {2014, ..., 2020}
    base : str
        See `provinces.base`.

    Returns
    -------
    dict
        ``share`` of the villages and ``of_base`` (percent), ``quotient`` of the two, and for years
        without a complete list ``low`` and ``high`` of the share; None is no data. A border
        through provinces has no base, since bases are known by province.
    """
    here = region(name)
    known: dict[str, float | None] = dict.fromkeys(("share", "of_base", "quotient", "low", "high"))
    if base not in provinces.BASES:
        raise ExplorerError(f"base is {base!r}; use one of {', '.join(provinces.BASES)}")
    if year not in YEARS:
        raise ExplorerError(f"no year {year}; use one of {', '.join(map(str, YEARS))}")
    inside = here.inside
    if year not in provinces.YEARS:
        if inside is not None:
            known["low"], known["high"] = later.share_limits(year, name)
        return known
    known["share"] = share(year, name)
    if inside is not None:
        size = provinces.base(base, year)
        known["of_base"] = float(100 * size[inside].sum() / size.sum())
        known["quotient"] = location_quotient(year, inside, over=base)
    return known


def borders(year: int = 2015, *, base: str = "rural_population") -> pd.DataFrame:
    """Every border of one year, side by side.

    Returns
    -------
    DataFrame, shape (10, 5)
        ``border`` (label), ``group``, and ``share``, ``of_base``, ``quotient`` as in `state`.
    """
    rows = []
    for one in REGIONS:
        told = state(one.name, year=year, base=base)
        kept = {name: told[name] for name in ("share", "of_base", "quotient")}
        rows.append({"border": one.label, "group": one.group, **kept})
    return pd.DataFrame(rows).astype({"share": float, "of_base": float, "quotient": float})


def verdicts(
    name: str, *, year: int, base: str, variants: pd.DataFrame | None = None
) -> dict[str, str]:
    """Verdicts that hang on a border, under that border alone.

    Parameters
    ----------
    name, year, base
        As for `state`. C19 and C20 are judged by the list of the year, the others over all lists.
    variants : DataFrame, optional
        From `kept.kept`, which is asked otherwise: C18 and C21 are read from there.

    Returns
    -------
    dict of str to str
        Verdict by claim; empty for years without a complete list.
    """
    claim = region(name).claim_id
    if year not in provinces.YEARS:
        return {}
    if claim == "C19":
        return {
            "C19": blooming.C19.judge(definitions=(name,), years=(year,)).verdict,
            "C22": blooming.C22.judge(definitions=(name,)).verdict,
        }
    variants = kept.kept() if variants is None else variants
    if claim == "C21":
        choices = {"delta_provinces": [name], "definitions": list(blooming.DELTAS)}
        return {"C21": _kept(variants, "C21", choices)}
    told = {"C20": blooming.C20.judge(definitions=(name,), years=(year,)).verdict}
    if name in blooming.C18.variants["south"]:
        told["C18"] = c18_verdict(name, base, variants)
    return told


def c18_verdict(south: str, base: str, variants: pd.DataFrame) -> str:
    """The verdict of C18, the only one that hangs on the base."""
    return _kept(variants, "C18", {"base": base, "family": "quasi-poisson", "south": south})


def _kept(variants: pd.DataFrame, claim_id: str, choices: Mapping[str, Any]) -> str:
    """The verdict of one variant, which the multiverse has run."""
    rows = variants[variants["claim_id"] == claim_id]
    (verdict,) = rows.loc[[kept == choices for kept in rows["choices"]], "verdict"]
    return verdict


# ---- provinces, prefectures, counties ------------------------------------------------------------


def villages(year: int) -> pd.Series:
    """Villages by province, NaN where no source gives a count.

    Parameters
    ----------
    year : {2014, ..., 2020}
        2014 to 2016 from the complete lists.

    Returns
    -------
    Series, shape (31,)
        By ``province_code``.
    """
    if year in provinces.YEARS:
        return provinces.villages(year).astype(float)
    limits = later.province_limits(year)
    return limits["low"].where(limits["low"] == limits["high"]).rename("n_villages")


def rate(year: int, base: str) -> pd.Series:
    """Villages for a round number of the base (see `BASES`), by province."""
    return villages(year) / provinces.base(base, year) * BASES[base][2]


def quotient(year: int, base: str) -> pd.Series:
    """Location quotient of each province; NaN for years without a complete list."""
    count, size = villages(year), provinces.base(base, year)
    if year not in provinces.YEARS:
        return count * np.nan
    return (count / count.sum()) / (size / size.sum())


def provinces_table(*, year: int = 2016, base: str = "rural_population") -> pd.DataFrame:
    """Provinces with their villages in the three lists, to sort and search.

    Returns
    -------
    DataFrame, shape (31, 8)
        Texts for a reader, with the ids of the sources in ``Sources``.
    """
    about = data.load("provinces/provinces").set_index("province_code")
    table = pd.DataFrame({"Province": about["name_en"] + " " + about["name_zh"]})
    table["Region"] = about["region4"]
    for each in provinces.YEARS:
        table[str(each)] = provinces.villages(each).map("{:,}".format)
    table[f"Per {BASES[base][1]}, {year}"] = rate(year, base).map("{:.2f}".format)
    table[f"Location quotient, {year}"] = quotient(year, base).map("{:.2f}".format)
    table["Sources"] = ";".join(provinces.SOURCES)
    order = provinces.villages(year).sort_values(ascending=False, kind="stable").index
    return table.loc[order]


def _by_list(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Villages in the three lists by place; a place that a complete list omits has none."""
    wide = table.pivot_table(
        index=list(keys), columns="year", values="n_villages", aggfunc="sum", fill_value=0
    )
    order = [*reversed(provinces.YEARS)]
    wide = wide.sort_values(order, ascending=False, kind="stable")
    return wide.astype(int).rename(columns=str).reset_index().rename_axis(columns=None)


def prefectures_table() -> pd.DataFrame:
    """Prefectures that are on a list, with their villages in each."""
    table = data.load("villages/city_year")
    wide = _by_list(table, ["prefecture_code", "province"])
    names = data.load("geo/prefectures").set_index("prefecture_code")["name_zh"]
    wide.insert(0, "Prefecture", wide.pop("prefecture_code").map(names))
    return wide.rename(columns={"province": "Province"}).assign(
        Sources=";".join(provinces.LISTS.values())
    )


def counties_table() -> pd.DataFrame:
    """Counties that are on a list, with their villages in each."""
    wide = _by_list(data.load("villages/county_year"), ["county", "city", "province"])
    names = {"county": "County", "city": "Prefecture", "province": "Province"}
    return wide.rename(columns=names).assign(Sources=";".join(provinces.LISTS.values()))


# ---- policy events and the cases linked with them ------------------------------------------------


def cases() -> pd.DataFrame:
    """The coded cases with their dated steps.

    Returns
    -------
    DataFrame
        Indexed by ``case_id``; ``place``, ``province_code``, ``county``, and the years ``shop``,
        ``recognised`` and ``support`` (NaN if not reported).
    """
    about = data.load("cases/cases").set_index("case_id")
    table = coding.places()[["place", "recognised"]].join(about[["province_code", "county"]])
    steps = data.load("cases/milestones").groupby(["case_id", "event"])["year"].min().unstack()
    for column, event in (("shop", "first shop"), ("support", "first public support")):
        table[column] = steps[event].reindex(table.index).astype(float)
    return table


def events() -> pd.DataFrame:
    """All policy events, each with the cases that it is linked with; undated ones last.

    An event is linked with a case if a source describes both (the article itself aside), or if it
    happened in the case's province and its issuer or title names the case's county.

    Returns
    -------
    DataFrame
        Indexed by ``event_key``: the columns of `policy.events` with ``province_code`` (missing
        for the nation), ``level`` (in words) and ``cases`` (list of case ids).
    """
    table = policy.events()
    rows = data.load("policy/events").dropna(subset=["province_code"])
    table["province_code"] = rows.groupby("event_key")["province_code"].first().reindex(table.index)
    table["level"] = table["issuer_level"].map(policy.LEVELS)
    known = cases()
    coded = pd.concat([data.load(f"cases/{name}") for name in ("case_codes", "milestones")])
    coded = coded[coded["source_id"] != policy.ARTICLE]
    told = coded.groupby("source_id")["case_id"].agg(set)
    linked = []
    for event in table.itertuples():
        found = set().union(*(told.get(name, set()) for name in event.source_id.split(";")))
        words = f"{event.issuer} {event.title_en}".split()
        near = known[known["province_code"].eq(event.province_code).fillna(False).astype(bool)]
        found |= {case for case, county in near["county"].dropna().items() if county in words}
        linked.append([case for case in known.index if case in found])
    table["cases"] = linked
    return table


def events_table() -> pd.DataFrame:
    """Policy events as texts, to sort and search."""
    places, names = cases()["place"], province_names()
    table = events()
    return pd.DataFrame(
        {
            "Date": table["date"].fillna("not dated"),
            "Issuer": table["issuer"],
            "Level": table["level"],
            "Event": table["title_en"],
            "Province": table["province_code"].map(names).fillna("nation"),
            "Linked cases": [", ".join(places[ids]) or "none" for ids in table["cases"]],
            "Sources": table["source_id"],
        }
    )


def province_names() -> pd.Series:
    return data.load("provinces/provinces").set_index("province_code")["name_en"]

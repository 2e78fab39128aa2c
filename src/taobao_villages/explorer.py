"""The explorer: every border of the coast, the south and the deltas, every list, every base.

One page on which a reader changes the year, the base and the border and sees share, location
quotient and verdict move. The numbers are those of the chapters' own functions, computed when the
book is built and laid into the page; the script of the page only shows them.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from taobao_villages import (
    after_2017,
    blooming,
    coding,
    data,
    expansion,
    figures,
    multiverse,
)
from taobao_villages import provinces as units

YEARS = (*units.YEARS, 2017, 2018, 2019, 2020)  # after 2016 single provinces are known
START = {"year": 2015, "shade": "villages", "base": "rural_population", "region": "south"}
SQUEEZE = float(np.cos(np.deg2rad(35)))  # of longitude, so that shapes look familiar

# Each base: its name, what a rate counts villages for, and how many units of the base that is.
BASES: Mapping[str, tuple[str, str, float]] = {
    "rural_population": ("rural residents", "million rural residents", 100),
    "population": ("all residents", "million residents", 100),
    "administrative_villages": ("villagers' committees", "1,000 villagers' committees", 1000),
    "land_area": ("land area", "10,000 square kilometres", 10_000),
}
SHADES: Mapping[str, str] = {
    "villages": "Villages",
    "rate": "Villages for the base",
    "quotient": "Location quotient",
}
# Upper ends of all classes but the last; zero has a class of its own.
BREAKS: Mapping[str, tuple[float, ...]] = {
    "villages": (5, 20, 100, 300),
    "quotient": (0.5, 1, 2, 4),
    "rural_population": (0.5, 2, 5, 10),
    "population": (0.2, 1, 2, 5),
    "administrative_villages": (0.2, 1, 5, 10),
    "land_area": (0.5, 2, 5, 20),
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
CLAIMS = ("C18", "C19", "C20", "C21", "C22")  # that hang on a border
SOURCES = (*units.SOURCES, "nbs_divcodes_2016", "area_marioarace", "project_definition")


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


# ---- one state ------------------------------------------------------------------------------


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
    if base not in units.BASES:
        raise ExplorerError(f"base is {base!r}; use one of {', '.join(units.BASES)}")
    if year not in YEARS:
        raise ExplorerError(f"no year {year}; use one of {', '.join(map(str, YEARS))}")
    inside = here.inside
    if year not in units.YEARS:
        if inside is not None:
            known["low"], known["high"] = after_2017.share_limits(year, name)
        return known
    known["share"] = blooming.share(year, name)
    if inside is not None:
        size = units.base(base, year)
        known["of_base"] = float(100 * size[inside].sum() / size.sum())
        known["quotient"] = blooming.location_quotient(year, inside, over=base)
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
        From `multiverse.kept`, which is asked otherwise: C18 and C21 are read from there.

    Returns
    -------
    dict of str to str
        Verdict by claim; empty for years without a complete list.
    """
    claim = region(name).claim_id
    if year not in units.YEARS:
        return {}
    if claim == "C19":
        return {
            "C19": blooming.C19.judge(definitions=(name,), years=(year,)).verdict,
            "C22": blooming.C22.judge(definitions=(name,)).verdict,
        }
    variants = multiverse.kept() if variants is None else variants
    if claim == "C21":
        choices = {"delta_provinces": [name], "definitions": list(blooming.DELTAS)}
        return {"C21": _kept(variants, "C21", choices)}
    told = {"C20": blooming.C20.judge(definitions=(name,), years=(year,)).verdict}
    if name in blooming.C18.variants["south"]:
        told["C18"] = _c18(name, base, variants)
    return told


def _c18(south: str, base: str, variants: pd.DataFrame) -> str:
    """The verdict of C18, the only one that hangs on the base."""
    return _kept(variants, "C18", {"base": base, "family": "quasi-poisson", "south": south})


def _kept(variants: pd.DataFrame, claim_id: str, choices: Mapping[str, Any]) -> str:
    """The verdict of one variant, which the multiverse has run."""
    rows = variants[variants["claim_id"] == claim_id]
    (verdict,) = rows.loc[[kept == choices for kept in rows["choices"]], "verdict"]
    return verdict


# ---- provinces, prefectures, counties -------------------------------------------------------


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
    if year in units.YEARS:
        return units.villages(year).astype(float)
    limits = after_2017.province_limits(year)
    return limits["low"].where(limits["low"] == limits["high"]).rename("n_villages")


def rate(year: int, base: str) -> pd.Series:
    """Villages for a round number of the base (see `BASES`), by province."""
    return villages(year) / units.base(base, year) * BASES[base][2]


def quotient(year: int, base: str) -> pd.Series:
    """Location quotient of each province; NaN for years without a complete list."""
    count, size = villages(year), units.base(base, year)
    if year not in units.YEARS:
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
    for each in units.YEARS:
        table[str(each)] = units.villages(each).map("{:,}".format)
    table[f"Per {BASES[base][1]}, {year}"] = rate(year, base).map("{:.2f}".format)
    table[f"Location quotient, {year}"] = quotient(year, base).map("{:.2f}".format)
    table["Sources"] = ";".join(units.SOURCES)
    order = units.villages(year).sort_values(ascending=False, kind="stable").index
    return table.loc[order]


def _by_list(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Villages in the three lists by place; a place that a complete list omits has none."""
    wide = table.pivot_table(
        index=list(keys), columns="year", values="n_villages", aggfunc="sum", fill_value=0
    )
    order = [*reversed(units.YEARS)]
    wide = wide.sort_values(order, ascending=False, kind="stable")
    return wide.astype(int).rename(columns=str).reset_index().rename_axis(columns=None)


def prefectures_table() -> pd.DataFrame:
    """Prefectures that are on a list, with their villages in each."""
    table = data.load("villages/city_year")
    wide = _by_list(table, ["prefecture_code", "province"])
    names = data.load("geo/prefectures").set_index("prefecture_code")["name_zh"]
    wide.insert(0, "Prefecture", wide.pop("prefecture_code").map(names))
    return wide.rename(columns={"province": "Province"}).assign(
        Sources=";".join(units.LISTS.values())
    )


def counties_table() -> pd.DataFrame:
    """Counties that are on a list, with their villages in each."""
    wide = _by_list(data.load("villages/county_year"), ["county", "city", "province"])
    names = {"county": "County", "city": "Prefecture", "province": "Province"}
    return wide.rename(columns=names).assign(Sources=";".join(units.LISTS.values()))


# ---- policy events and the cases linked with them -------------------------------------------


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
        Indexed by ``event_key``: the columns of `expansion.events` with ``province_code`` (missing
        for the nation), ``level`` (in words) and ``cases`` (list of case ids).
    """
    table = expansion.events()
    rows = data.load("policy/events").dropna(subset=["province_code"])
    table["province_code"] = rows.groupby("event_key")["province_code"].first().reindex(table.index)
    table["level"] = table["issuer_level"].map(expansion.LEVELS)
    known = cases()
    coded = pd.concat([data.load(f"cases/{name}") for name in ("case_codes", "milestones")])
    coded = coded[coded["source_id"] != expansion.ARTICLE]
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
    places, names = cases()["place"], _names()
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


def _names() -> pd.Series:
    return data.load("provinces/provinces").set_index("province_code")["name_en"]


# ---- what the page carries ------------------------------------------------------------------


def payload(variants: pd.DataFrame | None = None) -> dict[str, Any]:
    """All numbers of the page, as plain values; None is no data.

    Parameters
    ----------
    variants : DataFrame, optional
        From `multiverse.kept`, which is asked otherwise; those of `CLAIMS` are enough.

    Returns
    -------
    dict
        ``years``, ``tiles``, ``values``, ``regions``, ``prefectures``, ``outlines``, ``events``,
        ``cases`` and the words of the controls. Lists by province follow ``tiles``.
    """
    grid = data.load("geo/tilegrid")
    codes = grid["province_code"].tolist()

    def column(values: pd.Series) -> list[float | None]:
        return _plain(values.reindex(codes))

    values = {
        str(year): {
            "villages": column(villages(year)),
            "rate": {base: column(rate(year, base)) for base in BASES},
            "quotient": {base: column(quotient(year, base)) for base in BASES},
        }
        for year in YEARS
    }
    known, happened = cases(), events()
    variants = multiverse.kept() if variants is None else variants
    book = variants[variants["variant"] == 0].set_index("claim_id")["verdict"]
    return {
        "start": START,
        "colours": {
            "ink": figures.INK,
            "muted": figures.MUTED,
            "grey": figures.GREY,
            "accent": figures.ACCENT,
            "second": figures.SECOND,
            "paper": figures.PAPER,
            "sequence": list(figures.SEQUENCE),
        },
        "years": [
            {
                "year": year,
                "complete": year in units.YEARS,
                "known": int(villages(year).notna().sum()),
                "total": _total(year),
            }
            for year in YEARS
        ],
        "bases": {name: {"label": a, "unit": b} for name, (a, b, _) in BASES.items()},
        "shades": dict(SHADES),
        "breaks": {name: list(ends) for name, ends in BREAKS.items()},
        "tiles": grid[["province_code", "name_en", "abbr", "col", "row"]].to_dict("records"),
        "values": values,
        "regions": [_region(one, variants) for one in REGIONS],
        "claims": {
            claim.id: {"says": claim.statement, "verdict": book[claim.id]}
            for claim in (getattr(blooming, key) for key in CLAIMS)
        },
        "prefectures": _prefectures(),
        "outlines": _outlines(),
        "frame": {"type": "MultiPoint", "coordinates": [[81.0, 18.0], [107.5, 44.5]]},
        "events": [
            {
                "key": key,
                "date": row["date"] if isinstance(row["date"], str) else None,
                "issuer": row["issuer"],
                "level": row["level"],
                "title": row["title_en"],
                "province": row["province_code"] if isinstance(row["province_code"], str) else None,
                "cases": row["cases"],
            }
            for key, row in happened.iterrows()
        ],
        "levels": list(dict.fromkeys(expansion.LEVELS.values())),
        "cases": [
            {
                "id": key,
                "place": row["place"],
                "province": row["province_code"],
                **{step: _plain([row[step]])[0] for step in ("shop", "recognised", "support")},
            }
            for key, row in known.iterrows()
        ],
    }


def payload_json(variants: pd.DataFrame | None = None) -> str:
    """`payload` as JSON text."""
    with data.steady():
        return json.dumps(payload(variants), ensure_ascii=False, allow_nan=False)


def _total(year: int) -> int:
    if year in units.YEARS:
        return int(units.villages(year).sum())
    return int(after_2017.totals().loc[year, "n"])


def _region(one: Region, variants: pd.DataFrame) -> dict[str, Any]:
    """A region with what it makes of every year and base."""
    inside = one.inside
    results: dict[str, Any] = {}
    for year in YEARS:
        first = state(one.name, year=year)
        found = dict.fromkeys(BASES, first)  # no base is told of years without a complete list
        if year in units.YEARS:
            found = {base: state(one.name, year=year, base=base) for base in BASES}
        told = verdicts(one.name, year=year, base="rural_population", variants=variants)
        results[str(year)] = {
            **{name: _plain([first[name]])[0] for name in ("share", "low", "high")},
            "of_base": {base: _plain([found[base]["of_base"]])[0] for base in BASES},
            "quotient": {base: _plain([found[base]["quotient"]])[0] for base in BASES},
            "verdicts": {claim: dict.fromkeys(BASES, verdict) for claim, verdict in told.items()},
        }
        if "C18" in told:
            of_base = {base: _c18(one.name, base, variants) for base in BASES}
            results[str(year)]["verdicts"]["C18"] = of_base
    return {
        "name": one.name,
        "group": one.group,
        "label": one.label,
        "claim": one.claim_id,
        "threshold": one.threshold,
        "inside": None if inside is None else inside.index[inside].tolist(),
        "results": results,
    }


def _prefectures() -> list[dict[str, Any]]:
    """Prefectures on a list: name, province, place on the map, villages in each list."""
    tables = [blooming.by_prefecture(year) for year in units.YEARS]
    counts = pd.concat([table["n_villages"] for table in tables], axis=1)
    names = _names()
    return [
        {
            "name": row["name_zh"],
            "province": row["province_code"],
            "where": names[row["province_code"]],
            "x": round(row["lon"] * SQUEEZE, 3),
            "y": round(row["lat"], 3),
            "south": bool(row["lat"] < blooming.PARALLEL),
            "villages": counts.loc[code].tolist(),
        }
        for code, row in tables[0].iterrows()
        if counts.loc[code].any()
    ]


def _outlines() -> dict[str, Any]:
    """Outlines of the provinces with few points, borders shared, longitude compressed."""
    import shapely  # slow to import, and only the map needs it

    shapes = shapely.coverage_simplify(data.outlines().geometry.to_numpy(), 0.2)
    shapes = shapely.transform(shapes, lambda xy: np.round(xy * [SQUEEZE, 1.0], 2))
    return json.loads(shapely.to_geojson(shapely.GeometryCollection(list(shapes))))


def _plain(values: Any) -> list[float | None]:
    """Numbers to four decimals, None where missing."""
    return [None if value is None or pd.isna(value) else round(float(value), 4) for value in values]


# ---- the page -------------------------------------------------------------------------------


def markup(content: Mapping[str, Any]) -> str:
    """The explorer's controls and empty views as HTML, hidden until its script shows them.

    Parameters
    ----------
    content : mapping
        From `payload`.
    """
    start = content["start"]
    years = "".join(
        f'<label><input type="radio" name="year" value="{one["year"]}"'
        f"{' checked' if one['year'] == start['year'] else ''}> {one['year']}"
        f"{'' if one['complete'] else ' (in part)'}</label>"
        for one in content["years"]
    )
    borders = ""
    for group in dict.fromkeys(one["group"] for one in content["regions"]):
        inside = {one["name"]: one["label"] for one in content["regions"] if one["group"] == group}
        borders += f'<optgroup label="{group}">{_options(inside, start["region"])}</optgroup>'
    names = {one["province_code"]: one["name_en"] for one in content["tiles"]}
    counted = {code: names[code] for code in data.load("provinces/provinces")["province_code"]}
    places = {"": "All provinces", **dict(sorted(counted.items(), key=lambda item: item[1]))}
    acts = {e["key"]: f"{e['date'] or 'Not dated'}: {e['title']}" for e in content["events"]}
    dated = sum(event["date"] is not None for event in content["events"])
    bases = {name: about["label"] for name, about in content["bases"].items()}
    selects = (
        _select("region", "Border", borders)
        + _select("base", "Compared with", _options(bases, start["base"]))
        + _select("shade", "Map shows", _options(content["shades"], start["shade"]))
        + _select("province", "Province", _options(places, ""))
    )
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c")
    return f"""<form id="explorer-app" class="explorer" hidden aria-label="Explorer">
<fieldset><legend>Year</legend>{years}
<button type="button" data-view="play" aria-pressed="false">Play the years</button></fieldset>
<div class="explorer-choices">{selects}</div>
<div class="explorer-answer" role="status" data-view="answer"></div>
<div class="explorer-views">
<div>{_view("tiles", "Read the map as a table")}
<ul class="explorer-legend" aria-label="Shades" data-view="legend"></ul>
<p class="explorer-note">Blue frame: inside the border. Dashed frame: the chosen province. Tiles
keep rough position, not area or neighbourhood.</p></div>
<div>{_view("points", "Read the points as a table")}
<p class="explorer-note">A point stands near the prefecture's seat; its area is its number of
villages. Filled: inside the border. Outlines are for orientation only.</p></div>
</div>
{_view("borders", "Read the borders as a table", "Every border, side by side")}
<p class="explorer-note">Filled: villages. Hollow: the base. Dashed: what the article claims. The
gap between the two is the location quotient. Bars: what is possible where not all is known.</p>
<p class="explorer-title">Policy events, and the cases linked with them</p>
{_select("event", "Event", _options({"": "None", **acts}, ""))}
<p role="status" data-view="linked"></p>
<div class="explorer-views">
<div><div class="explorer-chart" data-view="events"></div>
<p class="explorer-note">Blue: in the chosen province. Orange: the chosen event. The strip shows the
{dated} events with a date; the list of events below has all {len(acts)}.</p></div>
<div>{_view("cases", "Read the cases as a table")}
<p class="explorer-note">Circle: first shop. Square: first named a Taobao Village. Triangle: first
public support. Missing steps are not reported.</p></div>
</div>
<p><button type="button" data-view="copy">Copy the address of this view</button>
<span class="explorer-note" role="status" data-view="address"></span></p>
</form>
<script type="application/json" id="explorer-data">{text}</script>"""


def _options(names: Mapping[str, str], chosen: str) -> str:
    return "".join(
        f'<option value="{html.escape(value)}"{" selected" if value == chosen else ""}>'
        f"{html.escape(label)}</option>"
        for value, label in names.items()
    )


def _select(name: str, label: str, options: str) -> str:
    return f'<label class="explorer-wide">{label}<select name="{name}">{options}</select></label>'


def _view(name: str, twin: str, title: str = "") -> str:
    """A chart with its title above and its table folded below, filled by the script."""
    return (
        f'<p class="explorer-title" data-view="{name}-title">{title}</p>'
        f'<div class="explorer-chart" data-view="{name}"></div><details><summary>{twin}</summary>'
        f'<div tabindex="0" role="region" aria-label="{twin}" data-view="{name}-table"></div>'
        "</details>"
    )

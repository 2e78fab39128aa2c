"""The explorer's page: the numbers that its script takes, and its markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from taobao_villages import PACKAGE, data, figures
from taobao_villages.chapters import blooming
from taobao_villages.explorer import states
from taobao_villages.subjects import later, policy, provinces, villages
from taobao_villages.verdicts import kept

START = {"year": 2015, "shade": "villages", "base": "rural_population", "region": "south"}
SQUEEZE = float(np.cos(np.deg2rad(35)))  # of longitude, so that shapes look familiar
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
CLAIMS = ("C18", "C19", "C20", "C21", "C22")  # that hang on a border
TEMPLATES = Environment(
    loader=FileSystemLoader(PACKAGE / "explorer"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


# ---- what the page carries -----------------------------------------------------------------------


def payload(variants: pd.DataFrame | None = None) -> dict[str, Any]:
    """All numbers of the page, as plain values; None is no data.

    Parameters
    ----------
    variants : DataFrame, optional
        From `kept.kept`, which is asked otherwise; those of `CLAIMS` are enough.

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
            "villages": column(states.villages(year)),
            "rate": {base: column(states.rate(year, base)) for base in states.BASES},
            "quotient": {base: column(states.quotient(year, base)) for base in states.BASES},
        }
        for year in states.YEARS
    }
    known, happened = states.cases(), states.events()
    variants = kept.kept() if variants is None else variants
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
                "complete": year in provinces.YEARS,
                "known": int(states.villages(year).notna().sum()),
                "total": _total(year),
            }
            for year in states.YEARS
        ],
        "bases": {name: {"label": a, "unit": b} for name, (a, b, _) in states.BASES.items()},
        "shades": dict(SHADES),
        "breaks": {name: list(ends) for name, ends in BREAKS.items()},
        "tiles": grid[["province_code", "name_en", "abbr", "col", "row"]].to_dict("records"),
        "values": values,
        "regions": [_region(one, variants) for one in states.REGIONS],
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
        "levels": list(dict.fromkeys(policy.LEVELS.values())),
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
    if year in provinces.YEARS:
        return int(provinces.villages(year).sum())
    return int(later.totals().loc[year, "n"])


def _region(one: states.Region, variants: pd.DataFrame) -> dict[str, Any]:
    """A region with what it makes of every year and base."""
    inside = one.inside
    results: dict[str, Any] = {}
    for year in states.YEARS:
        first = states.state(one.name, year=year)
        found = dict.fromkeys(
            states.BASES, first
        )  # no base is told of years without a complete list
        if year in provinces.YEARS:
            found = {base: states.state(one.name, year=year, base=base) for base in states.BASES}
        told = states.verdicts(one.name, year=year, base="rural_population", variants=variants)
        results[str(year)] = {
            **{name: _plain([first[name]])[0] for name in ("share", "low", "high")},
            "of_base": {base: _plain([found[base]["of_base"]])[0] for base in states.BASES},
            "quotient": {base: _plain([found[base]["quotient"]])[0] for base in states.BASES},
            "verdicts": {
                claim: dict.fromkeys(states.BASES, verdict) for claim, verdict in told.items()
            },
        }
        if "C18" in told:
            of_base = {base: states.c18_verdict(one.name, base, variants) for base in states.BASES}
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
    tables = [villages.by_prefecture(year) for year in provinces.YEARS]
    counts = pd.concat([table["n_villages"] for table in tables], axis=1)
    names = states.province_names()
    return [
        {
            "name": row["name_zh"],
            "province": row["province_code"],
            "where": names[row["province_code"]],
            "x": round(row["lon"] * SQUEEZE, 3),
            "y": round(row["lat"], 3),
            "south": bool(row["lat"] < villages.PARALLEL),
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


# ---- the page ------------------------------------------------------------------------------------


def markup(content: Mapping[str, Any]) -> str:
    """The explorer's controls and empty views as HTML, hidden until its script shows them.

    Parameters
    ----------
    content : mapping
        From `payload`.
    """
    borders: dict[str, dict[str, str]] = {}
    for one in content["regions"]:
        borders.setdefault(one["group"], {})[one["name"]] = one["label"]
    names = {one["province_code"]: one["name_en"] for one in content["tiles"]}
    counted = {code: names[code] for code in data.load("provinces/provinces")["province_code"]}
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return TEMPLATES.get_template("page.html").render(
        content,
        borders=borders,
        compared={name: about["label"] for name, about in content["bases"].items()},
        places=dict(sorted(counted.items(), key=lambda item: item[1])),
        acts={e["key"]: f"{e['date'] or 'Not dated'}: {e['title']}" for e in content["events"]},
        dated=sum(event["date"] is not None for event in content["events"]),
        text=text.replace("<", "\\u003c"),
    )

"""The article held against its future: its forecasts and worries, and what is known of 2017-2022.

This chapter declares no claim of the article. It declares forecasts: what follows if the article
is right about the time after it. Each has evidence and a rule, as a claim has, and its verdict is
"right", "wrong" or "open". Counts of single provinces are partial after 2016: what is not printed
is bounded, never filled.
"""

from __future__ import annotations

import html
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm

from taobao_villages import claims, coding, data, retail, statistics
from taobao_villages.claims import Evidence, Rule

VERDICTS = ("right", "wrong", "open")
PUBLISHED = "2017-09"  # month of the article
LAST_LIST = 2016  # the last list that the article knows
SIX = "six_coastal"
METHODS = ("same growth", "same increment", "chosen curve")
DATES = ("closing", "publication", "calendar")
FIRSTS = ("2013-12", "2013-06", "2013-01")
TOTALS_2014 = (212, 211)
VILLAGE_RULES = ("TBV2014call", "TBV2015", "TBV2017", "TBV2019", "TBV2020")
TOWN_RULES = ("TBT2017", "TBT2019", "TBT2020")


class ForecastError(Exception):
    """A forecast is not well formed."""


@dataclass(frozen=True)
class Forecast:
    """What follows for the time after 2016 if the article (or somebody else) is right.

    Parameters
    ----------
    key : str
        Short name; the prose names it ``F_<key>``.
    claim_ids : sequence of str
        Claims of the article that it bears on; empty for forecasts by others.
    statement : str
        The forecast in our words.
    evidence : callable
        Computes the evidence; its keyword arguments are the choices.
    rule : Rule
        Its ``decide`` gives a verdict of `VERDICTS` and the reason.
    variants : mapping of str to sequence
        The reasonable values of each choice, the default first.
    """

    key: str
    claim_ids: Sequence[str]
    statement: str
    evidence: Callable[..., Evidence]
    rule: Rule
    variants: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def judge(self, **choices: Any) -> Judged:
        """Compute the evidence under `choices` and apply the rule.

        Raises
        ------
        ForecastError
            If the rule returns a verdict that is not one of `VERDICTS`.
        """
        evidence = self.evidence(**choices)
        if evidence.value is None:
            return Judged(self, evidence, "open", evidence.limits)
        verdict, reason = self.rule.decide(evidence)
        if verdict not in VERDICTS:
            raise ForecastError(f"{self.key}: {verdict!r} is not one of {VERDICTS}")
        return Judged(self, evidence, verdict, reason)

    def all_variants(self) -> pd.DataFrame:
        """Every combination of the variants with its ``verdict`` and ``value``, a row each."""
        names = list(self.variants)
        rows = []
        for values in itertools.product(*self.variants.values()):
            chosen = dict(zip(names, values, strict=True))
            judged = self.judge(**chosen)
            rows.append(chosen | {"value": judged.evidence.value, "verdict": judged.verdict})
        return pd.DataFrame(rows)


@dataclass(frozen=True)
class Judged:
    """The outcome of one forecast under one set of choices."""

    forecast: Forecast
    evidence: Evidence
    verdict: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """An entry of the same shape as the ledger's, with plain numbers, strings and lists."""
        found = self.evidence
        return {
            "id": f"F_{self.forecast.key}",
            "claim_ids": list(self.forecast.claim_ids),
            "statement": self.forecast.statement,
            "stated_value": "",
            "value": _plain(found.value),
            "unit": found.unit,
            "interval": None if found.interval is None else [_plain(v) for v in found.interval],
            "interval_kind": found.interval_kind,
            "n": _plain(found.n),
            "n_unit": found.n_unit,
            "sources": list(found.sources),
            "rule": self.forecast.rule.text,
            "verdict": self.verdict,
            "reason": self.reason,
            "limits": found.limits,
            "details": {key: _plain(value) for key, value in found.details.items()},
        }

    def _repr_mimebundle_(self, include=None, exclude=None):
        row = self.as_dict()
        lines = "".join(
            f"<dt>{html.escape(term)}</dt><dd>{html.escape(text)}</dd>"
            for term, text in panel_lines(row)
        )
        return {
            "application/vnd.taobao-villages.forecast+json": row,
            "text/html": f'<div class="forecast-panel"><p><strong>Forecast: {self.verdict}'
            f"</strong></p><dl>{lines}</dl></div>",
            "text/plain": f"Forecast {self.forecast.key}: {self.verdict}. {self.reason}",
        }


def panel_lines(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Term and text of each line of a forecast's panel, from an entry of `forecasts`."""
    rest = claims.panel_lines(row)[1:]
    names = {"The data show": "What is known"}
    return [
        ("The forecast, in our words", row["statement"]),
        *((names.get(t, t), text) for t, text in rest),
    ]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _sources(*tables: pd.DataFrame) -> list[str]:
    """Ids of the sources of these rows, each once."""
    cells = itertools.chain.from_iterable(table["source_id"] for table in tables)
    return sorted({part for cell in cells for part in cell.split(";")})


# ---- dated totals, and forecasts made with those to 2016 ---------------------------------------


def totals(
    *, total_2014: int = 212, dates: str = "closing", first: str = "2013-12"
) -> pd.DataFrame:
    """National totals with the month that each stands for.

    Parameters
    ----------
    total_2014 : int
        212 (the named list) or 211 (the other printed total).
    dates : {"closing", "publication", "calendar"}
        See `statistics.list_months`. No month is known for 2009, which is put into December.
    first : str
        Month of the list of 2013, for which no source gives one.

    Returns
    -------
    DataFrame
        Indexed by the years that have a total, 2009 to 2022; columns ``n`` (villages),
        ``month`` and ``years`` (since December 2009).
    """
    table = data.load("villages/national").dropna(subset=["n_villages"])
    count = table.groupby("year")["n_villages"].max().astype(float)
    count[2014] = total_2014
    months = statistics.list_months(data.load("villages/list_dates"), dates=dates)
    months[2009], months[2012], months[2013] = (
        pd.Period(month, "M") for month in ("2009-12", "2012-12", first)
    )
    months[2022] = pd.Period("2022-12" if dates == "calendar" else _published(2022), "M")
    out = pd.DataFrame({"n": count, "month": months}).dropna()
    out["years"] = [(month - months[2009]).n / 12 for month in out["month"]]
    return out.rename_axis("year")


def _total_sources(since: int = 2009) -> list[str]:
    """Sources of the totals (for each year the most reliable ones) and of the months."""
    rows = data.load("villages/national").dropna(subset=["n_villages"])
    rows = rows[rows["year"] >= since]
    grade = rows["source_id"].map(data.sources()["reliability"])
    best = rows[grade == grade.groupby(rows["year"]).transform("min")]
    dates, events = data.load("villages/list_dates"), data.load("villages/list_events")
    return _sources(best, dates[dates["year"] >= since], events[events["list_year"] == 2022])


def _published(year: int) -> str:
    """Month in which a list was out, from the dispatches about it."""
    events = data.load("villages/list_events")
    known = events[(events["list_year"] == year) & (events["event"] == "list published by")]
    return known["date"].min()[:7]


def curves(table: pd.DataFrame, *, train_from: int = 2009) -> pd.DataFrame:
    """Three growth curves, each a least-squares fit to the logarithm of the totals to 2016.

    Parameters
    ----------
    table : DataFrame
        As returned by `totals`.
    train_from : int
        First total to use.

    Returns
    -------
    DataFrame
        Indexed by ``curve``; columns ``parameters``, ``residual`` (root mean square, log scale),
        ``aicc`` (smaller is better, infinite where there are too few totals), and ``forecast``:
        a frame by later year with ``forecast``, ``low``, ``high`` (95% prediction interval).

    Notes
    -----
    AICc: Burnham, K. P. and Anderson, D. R. (2002), Model Selection and Multimodel Inference.
    """
    known = table.loc[train_from:LAST_LIST]
    later = table.loc[LAST_LIST + 1 :]
    designs: dict[str, Callable[[np.ndarray], list[np.ndarray]]] = {
        "exponential": lambda t: [t],
        "power": lambda t: [np.log(t + 1)],
        "quadratic": lambda t: [t, t**2],
    }
    rows = {}
    for name, design in designs.items():
        fitted = sm.OLS(np.log(known["n"]), _design(design, known["years"])).fit()
        n, k = len(known), len(fitted.params) + 1
        rss = float((fitted.resid**2).sum())
        small = 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.inf
        ahead = fitted.get_prediction(_design(design, later["years"])).summary_frame(alpha=0.05)
        ends = ahead[["mean", "obs_ci_lower", "obs_ci_upper"]].to_numpy()
        rows[name] = {
            "parameters": k - 1,
            "residual": np.sqrt(rss / n),
            "aicc": n * np.log(rss / n) + 2 * k + small,
            "forecast": pd.DataFrame(
                np.exp(ends), index=later.index, columns=["forecast", "low", "high"]
            ),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("curve")


def _design(design: Callable[[np.ndarray], list[np.ndarray]], years: pd.Series) -> np.ndarray:
    t = years.to_numpy(float)
    return np.column_stack([np.ones(len(t)), *design(t)])


def forecast(method: str, table: pd.DataFrame, *, train_from: int = 2009) -> pd.DataFrame:
    """Forecast of the totals after 2016, made with the totals to 2016 alone.

    Parameters
    ----------
    method : {"same growth", "same increment", "chosen curve"}
        The rate of growth of the last interval goes on; the number added in it does; or the
        curve of `curves` with the smallest AICc. The ends of the first two are the slowest and
        the fastest interval of 2013-2016, those of the third a 95% prediction interval.
    table : DataFrame
        As returned by `totals`.
    train_from : int
        First total that the curve sees.

    Returns
    -------
    DataFrame
        Indexed by the years after 2016; columns ``forecast``, ``low``, ``high``, ``actual``.

    Raises
    ------
    ValueError
        For another method.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; use one of {', '.join(METHODS)}")
    later = table.loc[LAST_LIST + 1 :]
    if method == "chosen curve":
        known = curves(table, train_from=train_from)
        return known.loc[known["aicc"].idxmin(), "forecast"].assign(actual=later["n"])
    start = table.loc[LAST_LIST]
    ahead = (later["years"] - start["years"]).to_numpy(float)
    past = statistics.growth_intervals(table.loc[2013:LAST_LIST, "n"], table["month"])
    if method == "same growth":
        pace, grow = past["rate"], lambda rate: start["n"] * np.exp(rate * ahead)
    else:
        pace, grow = past["additions"], lambda added: start["n"] + added * ahead
    ends = {"forecast": pace.iloc[-1], "low": pace.min(), "high": pace.max()}
    out = pd.DataFrame({name: grow(value) for name, value in ends.items()}, index=later.index)
    return out.assign(actual=later["n"])


def scores(table: pd.DataFrame, *, train_from: int = 2009) -> pd.DataFrame:
    """How far each method was off, and how often its interval held the total.

    Parameters
    ----------
    table, train_from
        See `forecast`.

    Returns
    -------
    DataFrame
        Indexed by method; ``off_2018`` and ``off_2022``: the mean factor between forecast and
        total, for 2017-2018 (one definition) and for 2017-2022; ``too_high`` of ``n`` totals;
        ``covered``; ``width`` (mean ratio of the interval's ends).
    """
    rows = {}
    for method in METHODS:
        made = forecast(method, table, train_from=train_from)
        error = np.log(made["forecast"] / made["actual"])
        rows[method] = {
            "off_2018": np.exp(error.loc[:2018].abs().mean()),
            "off_2022": np.exp(error.abs().mean()),
            "too_high": int((error > 0).sum()),
            "covered": int(made["actual"].between(made["low"], made["high"]).sum()),
            "n": len(made),
            "width": float(np.exp(np.log(made["high"] / made["low"]).mean())),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def growth_evidence(
    *, total_2014: int = 212, dates: str = "closing", first: str = "2013-12"
) -> Evidence:
    """Evidence on growth at an unchanged rate: the totals against the slowest rate seen."""
    table = totals(total_2014=total_2014, dates=dates, first=first)
    ahead = forecast("same growth", table)
    past = statistics.growth_intervals(table.loc[2013:LAST_LIST, "n"], table["month"])
    since = statistics.growth_intervals(table.loc[[LAST_LIST, 2022], "n"], table["month"]).iloc[0]
    each = statistics.growth_intervals(table.loc[LAST_LIST:, "n"], table["month"])
    over = ahead["low"] / ahead["actual"]
    return Evidence(
        value=round(float(over.loc[2022]), 1),
        unit="times the total of 2022 is what the slowest rate of 2013-2016 foretold",
        interval=(round(float(over.min()), 2), round(float(over.max()), 2)),
        interval_kind="the same ratio in the best and in the worst year, 2017-2022",
        n=len(ahead),
        n_unit="later totals",
        sources=_total_sources(),
        details={
            "reached": int((over <= 1).sum()),
            "reached_2018": int((over.loc[:2018] <= 1).sum()),
            "slowest": round(float(past["rate"].min()), 2),
            "rate": round(float(since["rate"]), 2),
            "added": round(float(since["additions"])),
            "added_fewest": round(float(each["additions"].min())),
            "added_most": round(float(each["additions"].max())),
            "added_before": round(float(past["additions"].iloc[-1])),
            "factor": round(float(since["factor"]), 1),
            "n_2016": int(table.loc[2016, "n"]),
            "n_2018": int(table.loc[2018, "n"]),
            "n_2022": int(table.loc[2022, "n"]),
        },
        limits="The lists of 2019 and 2020 changed what counts as a village; 2017 and 2018 did "
        "not. The month of the list of 2022 is that of the first dispatch found.",
    )


def decide_growth(evidence: Evidence) -> tuple[str, str]:
    """Rule of the forecast of unchanged growth."""
    reached, same = evidence.details["reached"], evidence.details["reached_2018"]
    if reached == evidence.n:
        return "right", "Every later total reached what the slowest earlier rate foretold."
    if reached == 0:
        return (
            "wrong",
            "No later total reached what even the slowest earlier rate foretold, and the miss is "
            "there already in 2017 and 2018, before the definition changed.",
        )
    if same == 0:
        return "open", "Some totals reached it, but only after the definition had changed."
    return "open", "Some totals reached it and others did not."


def model_evidence(
    *,
    train_from: int = 2009,
    total_2014: int = 212,
    dates: str = "closing",
    first: str = "2013-12",
) -> Evidence:
    """Evidence on the chosen growth curve: its errors and coverage against two naive forecasts."""
    known = totals(total_2014=total_2014, dates=dates, first=first)
    table, fits = scores(known, train_from=train_from), curves(known, train_from=train_from)
    own = table.loc["chosen curve"]
    details: dict[str, Any] = {"curve": fits["aicc"].idxmin(), "covered": int(own["covered"])}
    for name, method in zip(("growth", "increment", "curve"), METHODS, strict=True):
        row = table.loc[method]
        details |= {
            f"off_{name}": round(float(row["off_2022"]), 2),
            f"off_{name}_2018": round(float(row["off_2018"]), 2),
            f"covered_{name}": int(row["covered"]),
            f"too_low_{name}": int(row["n"] - row["too_high"]),
            f"width_{name}": round(float(row["width"]), 1),
        }
    naive = table.drop("chosen curve")["off_2022"]
    details |= {"beaten": int((own["off_2022"] < naive).sum()), "naive": len(naive)}
    ahead = fits.loc[details["curve"], "forecast"]
    details |= {
        "low_2022": round(float(ahead.loc[2022, "low"])),
        "high_2022": round(float(ahead.loc[2022, "high"])),
        "all_villages": int(_all_villages()["value"].iloc[0]),
    }
    return Evidence(
        value=details["off_curve"],
        unit="times off on average, 2017-2022",
        interval=(details["low_2022"], details["high_2022"]),
        interval_kind="95% prediction interval for 2022, villages",
        n=int(own["n"]),
        n_unit="later totals",
        sources=sorted({*_total_sources(), *_all_villages()["source_id"]}),
        details=details,
        limits="Six totals make the curve. The interval takes the curve as true and its errors "
        "as independent; neither is known.",
    )


def _all_villages() -> pd.DataFrame:
    """The row with the latest number of administrative villages in all of China."""
    table = data.load("provinces/national")
    return table[table["indicator"] == "administrative_villages"].sort_values("year").tail(1)


def decide_model(evidence: Evidence) -> tuple[str, str]:
    """Rule of the chosen growth curve."""
    found, n = evidence.details, int(evidence.n or 0)
    covers, beats = found["covered"] >= n - 1, found["beaten"] == found["naive"]
    if covers and beats:
        return "right", "Its interval held nearly every total, and it beat both naive forecasts."
    if 2 * found["covered"] < n or found["beaten"] == 0:
        return (
            "wrong",
            "Its interval missed most totals."
            if 2 * found["covered"] < n
            else "Both naive forecasts were nearer to the totals.",
        )
    return "open", "It was neither clearly better nor clearly worse than the naive forecasts."


# ---- what the definition's changes leave standing ----------------------------------------------


def changes() -> pd.DataFrame:
    """Changes in the published definition, found by comparing one version with the next.

    Returns
    -------
    DataFrame
        Columns ``object``, ``year``, ``change``: "stricter" (a threshold rose), "wider" (another
        way to qualify), "spelled out" (a condition that earlier texts do not print) or
        "narrower" (places no longer counted); and ``source_id``.
    """
    table = data.load("villages/definitions")
    rows = []
    for name, versions in (("villages", VILLAGE_RULES), ("towns", TOWN_RULES)):
        parts = [table[table["def_id"] == version] for version in versions]
        for before, after in itertools.pairwise(parts):
            change = _change(before, after)
            if change:
                rows.append(
                    {
                        "object": name,
                        "year": int(after["version_year"].iloc[0]),
                        "change": change,
                        "source_id": after["source_id"].iloc[0],
                    }
                )
    return pd.DataFrame(rows)


def _change(before: pd.DataFrame, after: pd.DataFrame) -> str:
    """How one version of a definition differs from the one before, empty if it does not."""
    if (after["logic"] == "scope change").any():
        return "narrower"
    numbers = [rows.groupby("unit")["threshold_number"].max().dropna() for rows in (before, after)]
    if len(set(numbers[1].index) - set(numbers[0].index)) and len(before) < len(after):
        return "wider"
    both = numbers[0].index.intersection(numbers[1].index)
    if (numbers[1][both] > numbers[0][both]).any():
        return "stricter"
    return "spelled out" if after["threshold_number"].isna().any() else ""


def between(start: int, end: int, *, what: str = "villages", strict: bool = True) -> list[str]:
    """Changes of the definition after the list of `start` and up to that of `end`.

    Parameters
    ----------
    start, end : int
    what : {"villages", "towns"}
    strict : bool
        Count a condition that was only spelled out as a change.
    """
    return _between(changes(), start, end, what, strict)


def _between(table: pd.DataFrame, start: int, end: int, what: str, strict: bool) -> list[str]:
    return [
        f"{row.year} {row.change}"
        for row in table.itertuples()
        if row.object == what
        and start < row.year <= end
        and (strict or row.change != "spelled out")
    ]


def survives(start: int, end: int, *, what: str = "villages", measure: str = "growth") -> str:
    """Whether a comparison of two lists survives the changes between them, in a few words."""
    crossed = between(start, end, what=what)
    if not crossed:
        return "yes"
    if any("wider" in change for change in crossed):
        return "no"
    if all("spelled out" in change for change in crossed):
        return "probably"
    if measure == "growth":
        return "as a lower bound"
    return "no: who left the list is not known"


def comparisons() -> pd.DataFrame:
    """Comparisons that one would like to make, and what the changes leave of each.

    Returns
    -------
    DataFrame
        Columns ``comparison``, ``from``, ``to``, ``changes``, ``survives``.
    """
    wanted = (
        ("All villages", 2016, 2018, "villages", "growth"),
        ("All villages", 2018, 2019, "villages", "growth"),
        ("All villages", 2018, 2022, "villages", "growth"),
        ("All villages", 2020, 2022, "villages", "growth"),
        ("Share inland or poor", 2015, 2018, "villages", "share"),
        ("Share inland or poor", 2018, 2020, "villages", "share"),
        ("Share inland", 2020, 2021, "villages", "share"),
        ("Towns", 2018, 2019, "towns", "growth"),
        ("Towns", 2020, 2022, "towns", "growth"),
    )
    return pd.DataFrame(
        {
            "comparison": what,
            "from": start,
            "to": end,
            "changes": ", ".join(between(start, end, what=kind)) or "none",
            "survives": survives(start, end, what=kind, measure=measure),
        }
        for what, start, end, kind, measure in wanted
    )


# ---- where they are: bounds for years that are known in part ------------------------------------


def _total(year: int) -> float:
    return float(totals().loc[year, "n"])


def province_limits(year: int) -> pd.DataFrame:
    """Least and most villages that each province can have had.

    Counts are exact. A printed "over 100" is at least 101. In 2019 the six leading provinces are
    printed in order, so one without a count lies between its neighbours in that order. Else the
    least is zero, and the most is unknown (infinite).

    Returns
    -------
    DataFrame, shape (31, 2)
        ``low`` and ``high``, indexed by ``province_code``.
    """
    codes = data.load("provinces/provinces")["province_code"]
    counts = data.load("villages/province_year")
    counts = counts[counts["year"] == year].groupby("province_code")["n_villages"].max()
    complete = year <= LAST_LIST
    out = pd.DataFrame({"low": 0.0, "high": 0.0 if complete else np.inf}, index=codes)
    out.loc[counts.index, "low"] = out.loc[counts.index, "high"] = counts.astype(float)
    bounds = data.load("villages/province_bounds")
    bounds = bounds[(bounds["year"] == year) & bounds["province_code"].notna()]
    for row in bounds[bounds["quantity"] == "n_villages"].itertuples():
        if row.province_code not in counts.index and row.qualifier == "gt":
            out.loc[row.province_code, "low"] = row.value + 1
    ranks = bounds[bounds["quantity"] == "rank_of_provinces"].set_index("province_code")["value"]
    ranks = ranks[~ranks.index.isin(counts.index)]
    six = _members(SIX)
    known = counts[counts.index.isin(six)].sort_values(ascending=False)
    if len(ranks) and len(ranks) + len(known) == len(six):
        free = [place for place in range(1, len(six) + 1) if place not in set(ranks)]
        order = pd.Series(known.to_numpy(float), index=free)
        for code, place in ranks.items():
            out.loc[code, "low"] = order[order.index > place].max()
            out.loc[code, "high"] = order[order.index < place].min()
    return out


def _members(flag: str) -> set[str]:
    table = data.load("provinces/provinces")
    return set(table.loc[table[flag], "province_code"])


def share_limits(year: int, flag: str, *, outside: float = 0) -> tuple[float, float]:
    """Lowest and highest share of the villages, in percent, that a group of provinces can hold.

    Parameters
    ----------
    year : int
        2014 to 2022.
    flag : str
        A column of ``provinces/provinces``, for example "six_coastal" or "south".
    outside : float
        Villages known to lie outside the group from elsewhere; counts only if more than what
        the single provinces add up to.
    """
    limits, total = province_limits(year), _total(year)
    inside = limits.index.isin(_members(flag))
    low, rest = limits.loc[inside, "low"].sum(), limits.loc[~inside, "low"].sum()
    high = min(limits.loc[inside, "high"].sum(), total - max(rest, outside))
    return float(100 * low / total), float(100 * high / total)


def six_limits() -> pd.DataFrame:
    """Lowest and highest share of the six coastal provinces, 2014 to 2020.

    Villages printed as inland lie outside the six, so they bound the share from above.

    Returns
    -------
    DataFrame
        ``low`` and ``high`` (%), indexed by year.
    """
    known = inland()["low"]
    rows = {
        year: share_limits(year, SIX, outside=known.get(year, 0.0)) for year in range(2014, 2021)
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high"]).rename_axis("year")


def inland(*, doubtful: bool = True) -> pd.DataFrame:
    """Villages outside the East (in the centre, the west and the north-east), by year.

    Parameters
    ----------
    doubtful : bool
        Keep figures printed as "about" or under another scheme of regions.

    Returns
    -------
    DataFrame
        Indexed by year; ``low`` and ``high`` (villages), ``share_low`` and ``share_high`` (%),
        ``basis``: "list", "printed" or "bounds".
    """
    table, total = data.load("villages/regions"), totals()["n"]
    regions = data.load("provinces/provinces").set_index("province_code")["region4"]
    found: dict[int, list[float]] = {}
    for year in (2014, 2015, 2016):
        found[year] = [province_limits(year).loc[regions != "East", "low"].sum()]
    part = table[(table["year"] == 2017) & (table["region_scheme"] == "central+west")]
    east = province_limits(2017).loc[regions == "East", "low"].sum()
    found[2017] = [float(part["n_villages"].max()), total[2017] - east]
    for scheme in ("east/central+northeast/west", "central+west+northeast"):
        rows = table[(table["region_scheme"] == scheme) & table["n_villages"].notna()]
        rows = rows[~rows["zone"].isin(["east", "northeast"])]  # the one counted already
        for year, row in zip(rows["year"], rows["n_villages"], strict=True):
            found.setdefault(year, []).append(float(row))
    found[2018] = [sum(found[2018])]  # the centre with the north-east, and the west
    later = table[table["region_scheme"].isin(["east", "eastern coast"]) & (table["year"] > 2020)]
    for year, count, share, qualifier in zip(
        later["year"], later["n_villages"], later["share_pct"], later["qualifier"], strict=True
    ):
        if not pd.isna(count):
            found.setdefault(year, []).append(total[year] - float(count))
        elif doubtful and qualifier == "about":
            found.setdefault(year, []).append(total[year] * (100 - share) / 100)
    years = sorted(found)
    out = pd.DataFrame(
        {"low": [min(found[year]) for year in years], "high": [max(found[year]) for year in years]},
        index=pd.Index(years, name="year"),
    )
    basis = ["list" if y <= LAST_LIST else "bounds" if y == 2017 else "printed" for y in years]
    return out.assign(
        share_low=100 * out["low"] / total[years],
        share_high=100 * out["high"] / total[years],
        basis=basis,
    )


SCHEMES = (  # of regions, as the sources use them, from which the number inland follows
    "central+west",
    "central+west+northeast",
    "east",
    "east/central+northeast/west",
    "eastern coast",
)


def _place_sources(years: Sequence[int], *, provinces: bool = True) -> list[str]:
    """Sources of printed shares, and of counts and bounds of provinces, in these years."""
    table = data.load("villages/regions")
    tables = [table[table["region_scheme"].isin(SCHEMES)]]
    if provinces:
        tables += [data.load("villages/province_year"), data.load("villages/province_bounds")]
    named = {f"xrwang{year}" for year in years if year <= LAST_LIST}
    later = [year for year in years if year > LAST_LIST]
    return sorted(
        {*named, *_sources(*(t[t["year"].isin(later)] for t in tables)), "nbs_region4_2011"}
    )


def coast_evidence(*, doubtful: bool = True) -> Evidence:
    """Evidence on concentration: the share of the East in the last year that has one."""
    table = inland(doubtful=doubtful)
    last = int(table.index.max())
    before, after = 100 - table.loc[LAST_LIST, "share_high"], 100 - table.loc[last, "share_high"]
    details: dict[str, Any] = {"last": str(last), "east_2016": round(before, 1)}
    details["fall"] = round(before - (100 - table.loc[last, "share_low"]), 1)
    details["fall_most"] = round(before - after, 1)
    for row in six_limits().itertuples():
        details |= {
            f"six_low_{row.Index}": round(row.low, 1),
            f"six_high_{row.Index}": round(row.high, 1),
        }
    return Evidence(
        value=round(float(after), 1),
        unit="%",
        interval=(round(float(after), 1), round(float(100 - table.loc[last, "share_low"]), 1)),
        interval_kind=f"lowest and highest share of the East that is printed for {last}",
        n=int(_total(last)),
        n_unit=f"listed villages in {last}",
        sources=_place_sources(list(table.index)),
        details=details,
        limits="Later shares are printed, not counted from a list that we could check, and the "
        "sources draw the border of the East a little differently.",
    )


def decide_coast(evidence: Evidence) -> tuple[str, str]:
    """Rule of lasting concentration."""
    low, high = evidence.interval or (np.nan, np.nan)
    fell = evidence.details["fall"] > 0
    note = "The share has fallen, though." if fell else "The share has not fallen."
    if low > 90:
        return "right", f"Every printed share of the East is still above nine tenths. {note}"
    if high <= 90:
        return "wrong", "No printed share of the East is above nine tenths any more."
    return "open", "The printed shares lie on both sides of nine tenths."


def few_evidence(*, doubtful: bool = True) -> Evidence:
    """Evidence on the number inland: its highest share in a later year with a printed count."""
    table = inland(doubtful=doubtful)
    later = table.loc[LAST_LIST + 1 :]
    later = later[later["basis"] != "bounds"]
    last = int(later.index.max())
    return Evidence(
        value=round(float(later["share_high"].max()), 1),
        unit="%",
        interval=(
            round(float(later["share_low"].min()), 1),
            round(float(later["share_high"].max()), 1),
        ),
        interval_kind="lowest and highest printed share outside the East, 2018-2021",
        n=len(later),
        n_unit="later years with a printed count",
        sources=_place_sources([LAST_LIST, *later.index], provinces=False),
        details={
            "n_2016": int(table.loc[2016, "high"]),
            "n_2018": int(table.loc[2018, "high"]),
            "n_low_2019": int(table.loc[2019, "low"]),
            "n_high_2019": int(table.loc[2019, "high"]),
            "n_2020": int(table.loc[2020, "high"]),
            "share_2016": round(float(table.loc[2016, "share_high"]), 1),
            "share_2018": round(float(table.loc[2018, "share_high"]), 1),
            "share_2020": round(float(table.loc[2020, "share_high"]), 1),
            "last": str(last),
        },
        limits="Shares of a list, not of the country's people, most of whom live outside the East.",
    )


def pace(
    part: pd.DataFrame, *, strict: bool = True, total_2014: int = 212, against: str = "rest"
) -> pd.DataFrame:
    """By how much a part of the villages was multiplied, against the rest, for pairs of years.

    Parameters
    ----------
    part : DataFrame
        Indexed by year; ``low`` and ``high`` (villages).
    strict : bool
        See `between`.
    total_2014 : int
        See `totals`.
    against : {"rest", "all"}
        What the part is compared with: all other villages, or all villages.

    Returns
    -------
    DataFrame
        One row a pair of years: ``from``, ``to``, ``part_low``, ``part_high``, ``other_low``,
        ``other_high`` (factors), ``faster`` ("yes", "no" or "depends") and ``comparable``.
    """
    whole, changed = totals(total_2014=total_2014)["n"], changes()
    rows = []
    for start, end in itertools.combinations(part.index, 2):
        first, last = part.loc[start], part.loc[end]
        low, high = last["low"] / first["high"], last["high"] / first["low"]
        taken = {"rest": 1, "all": 0}[against]
        # where the part is larger the rest is smaller, so the ends are paired
        least = (whole[end] - taken * last["low"]) / (whole[start] - taken * first["high"])
        most = (whole[end] - taken * last["high"]) / (whole[start] - taken * first["low"])
        ends = sorted((least, most))
        rows.append(
            {
                "from": start,
                "to": end,
                "part_low": low,
                "part_high": high,
                "other_low": ends[0],
                "other_high": ends[1],
                "faster": "yes"
                if low > least and high > most
                else "no"
                if low <= least and high <= most
                else "depends",
                "comparable": not _between(changed, start, end, "villages", strict),
            }
        )
    return pd.DataFrame(rows)


def catch_up_evidence(*, strict: bool = True) -> Evidence:
    """Evidence on inland growth: its factor against that of the East from 2016 to 2018."""
    table = pace(inland(), strict=strict)
    table = table[(table["from"] == LAST_LIST)].set_index("to")
    comparable = table[table["comparable"] & (table.index != 2017)]
    last = comparable.index.max()
    own, to_2020 = comparable.loc[last], table.loc[2020]
    return Evidence(
        value=round(float(own["part_low"] / own["other_high"]), 2),
        unit=f"times the factor of the East, 2016 to {last}",
        n=int(inland().loc[LAST_LIST, "high"]),
        n_unit="villages outside the East at the start",
        sources=_place_sources([LAST_LIST, int(last), 2020], provinces=False),
        details={
            "last": str(last),
            "faster": own["faster"],
            "inland": round(float(own["part_low"]), 1),
            "east": round(float(own["other_high"]), 1),
            "inland_2020": round(float(to_2020["part_low"]), 1),
            "east_2020": round(float(to_2020["other_high"]), 1),
        },
        limits="A factor from a few villages moves much with a few more. In villages added, the "
        "East is far ahead.",
    )


def decide_catch_up(evidence: Evidence) -> tuple[str, str]:
    """Rule of slow inland growth."""
    faster = evidence.details["faster"]
    if faster == "yes":
        return "wrong", "Under one definition, the number inland was multiplied by more."
    if faster == "no":
        return "right", "Under one definition, the number inland was multiplied by no more."
    return "open", "Whether it was multiplied by more depends on the source."


SOUTHS = ("south", "south_jiangsu_north")


def south_evidence(*, definitions: Sequence[str] = SOUTHS, stated: float = 70) -> Evidence:
    """Evidence on the south: bounds of its share in 2018, when six provinces are counted."""
    limits = {name: share_limits(2018, name) for name in definitions}
    details = {
        f"{end}_{name}": round(value, 1)
        for name, ends in limits.items()
        for end, value in zip(("low", "high"), ends, strict=True)
    }
    lowest, highest = (
        min(low for low, _ in limits.values()),
        max(high for _, high in limits.values()),
    )
    details |= {
        "article": stated,
        "over": int(sum(low > stated for low, _ in limits.values())),
        "under": int(sum(high <= stated for _, high in limits.values())),
        "definitions": len(limits),
    }
    return Evidence(
        value=details[f"low_{definitions[0]}"],
        unit="% at least, under the first definition",
        interval=(round(lowest, 1), round(highest, 1)),
        interval_kind="lowest and highest share possible, over the definitions",
        n=int(_total(2018)),
        n_unit="listed villages in 2018",
        sources=_place_sources([2018]),
        details=details,
        limits="Six provinces are counted for 2018; the others can only be bounded.",
    )


def decide_south(evidence: Evidence) -> tuple[str, str]:
    """Rule of the southern share."""
    found = evidence.details
    if found["over"] == found["definitions"]:
        return "right", "Above the stated share under each definition of the south."
    if found["under"] == found["definitions"]:
        return "wrong", "At or under the stated share under each definition of the south."
    return "open", "As in the article's own years, where Jiangsu is put decides."


def delta_evidence(*, flag: str = "delta") -> Evidence:
    """Evidence on the deltas: least share of villages against the share of people."""
    years = (2017, 2018, 2019, 2020)
    inside = _members(flag)
    details: dict[str, Any] = {}
    lows, highs = [], []
    for year in years:
        people = data.indicator("population", year, "nbs_pop_2023")
        of_people = 100 * people[people.index.isin(inside)].sum() / people.sum()
        low, high = share_limits(year, flag)
        lows.append(low / of_people)
        highs.append(high / of_people)
        details |= {f"least_{year}": round(low, 1), f"people_{year}": round(float(of_people), 1)}
    return Evidence(
        value=round(float(min(lows)), 1),
        unit="times their share of people, at least",
        interval=(round(float(min(lows)), 1), round(float(max(highs)), 1)),
        interval_kind="lowest and highest possible, 2017-2020",
        n=len(years),
        n_unit="years",
        sources=sorted({*_place_sources(years), "nbs_pop_2023"}),
        details=details,
        limits="Provinces only: no list by prefecture is at hand after 2016, so distance to a "
        "delta cannot be measured again.",
    )


def decide_delta(evidence: Evidence) -> tuple[str, str]:
    """Rule of the deltas."""
    low, high = evidence.interval or (np.nan, np.nan)
    if low > 1:
        return "right", "Even the least they can have held is more than their share of people."
    if high <= 1:
        return "wrong", "Even the most they can have held is no more than their share of people."
    return "open", "What is printed leaves it open."


# ---- poor counties ------------------------------------------------------------------------------


def poor() -> pd.DataFrame:
    """Villages in national-level poverty counties.

    Returns
    -------
    DataFrame
        Indexed by year; ``low`` and ``high`` over the sources (villages), ``share_low`` and
        ``share_high`` (% of all villages, over both totals of 2014).
    """
    table = data.load("villages/poverty")
    table = table[
        (table["category"] == "national-level poverty counties")
        & (table["quantity"] == "n_villages")
    ]
    out = table.groupby("year")["value"].agg(low="min", high="max")
    least, most = (totals(total_2014=n)["n"].loc[out.index] for n in (211, 212))
    return out.assign(share_low=100 * out["low"] / most, share_high=100 * out["high"] / least)


def poor_evidence(*, strict: bool = True, total_2014: int = 212) -> Evidence:
    """Evidence on poor counties: their villages against all villages, pair of years by pair."""
    table, pairs = poor(), pace(poor(), strict=strict, total_2014=total_2014, against="all")
    later = pairs[pairs["comparable"] & (pairs["to"] > LAST_LIST)]
    rows = data.load("villages/poverty")
    counties = rows[rows["quantity"] == "n_counties_with_villages"].set_index("year")["value"]
    listed = rows[rows["quantity"] == "n_counties_total"].groupby("category")["value"].max()
    first, last = int(table.index.min()), int(table.index.max())
    counted = rows["quantity"].isin(["n_villages", "n_counties_with_villages", "n_counties_total"])
    used = rows[counted & rows["category"].str.startswith("national")]
    whole = pairs.set_index(["from", "to"]).loc[(first, last)]
    return Evidence(
        value=round(float(table.loc[last, "share_high"]), 1),
        unit="%",
        interval=(
            round(float(table["share_low"].min()), 1),
            round(float(table["share_high"].max()), 1),
        ),
        interval_kind=f"lowest and highest share of all villages, {first}-{last}",
        n=len(later),
        n_unit="pairs of years under one definition",
        sources=sorted({*_sources(used), *_total_sources(first)}),
        details={
            "faster": int((later["faster"] == "yes").sum()),
            "slower": int((later["faster"] == "no").sum()),
            "pairs": len(later),
            "first_n": int(table.loc[first, "high"]),
            "last_n": int(table.loc[last, "high"]),
            "factor": round(float(whole["part_high"]), 1),
            "factor_all": round(float(whole["other_high"]), 1),
            "counties_2016": int(counties[2016]),
            "counties_2020": int(counties[2020]),
            "listed_old": int(listed["national-level poverty counties"]),
            "listed_all": int(listed["national-level poverty counties (832)"]),
            "share_2014": round(float(table.loc[2014, "share_high"]), 1),
            "share_2018": round(float(table.loc[2018, "share_high"]), 1),
            "share_2020": round(float(table.loc[2020, "share_high"]), 1),
        },
        limits="The series does not say whether a county that left the poverty list was still "
        "counted, nor which of two lists of poor counties is meant. It shows where villages "
        "arose, not whether anybody became less poor.",
    )


def decide_poor(evidence: Evidence) -> tuple[str, str]:
    """Rule of the poor left behind."""
    found = evidence.details
    if found["slower"] == found["pairs"]:
        return "right", "They grew more slowly than all villages in each pair of years."
    if found["faster"] == found["pairs"]:
        return "wrong", "They grew faster than all villages in each pair of years."
    return "open", "It depends on which years one compares: in some they gained, in others not."


# ---- the platform -------------------------------------------------------------------------------


NAMES = ("each name of the market", "latest figure alone", "online retail alone")


def platform_evidence(*, market: str = NAMES[0], forecasts: bool = True) -> Evidence:
    """Evidence on dependence: the platform's share of online selling, first and last printed.

    Parameters
    ----------
    market : {"each name of the market", "latest figure alone", "online retail alone"}
        Sources name the whole in different words. Take the last share under each name, the latest
        of all whatever it is called, or nothing but shares of "online retail".
    forecasts : bool
        Keep shares that were printed before their year was over.

    Raises
    ------
    ValueError
        For another value of `market`.
    """
    if market not in NAMES:
        raise ValueError(f"market is {market!r}; use one of {', '.join(NAMES)}")
    table = retail.printed_shares()
    if not forecasts:
        table = table[table["covers"] != "printed before its end"]
    if market == "online retail alone":
        table = table[table["market"] == "online retail"]
    own, rival = (table[table["firm"] == firm] for firm in ("Alibaba", "Pinduoduo"))
    before, after = own[own["year"] <= LAST_LIST], own[own["year"] > LAST_LIST]
    users = data.load("market/platform_users")
    users = users[(users["quantity"] == "annual_active_buyers") & (users["date"] == "2020-12")]
    fine = data.bearing("policy/events", "C30:fine")
    sources = _sources(own, rival, users, fine)
    if after.empty:
        return Evidence(
            None,
            "%",
            sources,
            limits=f"No share of a year after {LAST_LIST} is printed under these choices.",
        )
    latest = after["year"].max()
    if market != "latest figure alone":
        latest = after.groupby("market")["year"].transform("max")
    ends = after[after["year"] == latest].sort_values("share")
    low, high = (round(float(share), 1) for share in ends["share"].iloc[[0, -1]])
    # A share is held against earlier ones of the same name; without one it cannot have kept up.
    floors = ends["market"].map(before.groupby("market")["share"].min())
    whole = own[own["covers"] == "whole year"]
    buyers = users.set_index("platform")["value"]
    return Evidence(
        value=low,
        unit=f"% of {ends['market'].iloc[0]} in {ends['year'].iloc[0]}",
        interval=(low, high),
        interval_kind="last printed share of "
        + " and of ".join(f"{row.market} ({row.year})" for row in ends.itertuples()),
        n=len(own),
        n_unit="printed shares",
        sources=sources,
        details={
            "before_low": round(float(before["share"].min()), 1),
            "before_high": round(float(before["share"].max()), 1),
            "no_lower": bool((ends["share"] >= floors).all()),
            "last": str(ends["year"].iloc[0]),
            "other_market": ends["market"].iloc[-1],
            "other_last": str(ends["year"].iloc[-1]),
            "last_whole_year": str(whole["year"].max()),
            "rival_2015": round(float(rival.set_index("year")["share"].get(2015, np.nan)), 1),
            "buyers_own": int(buyers["Alibaba China retail"]),
            "buyers_rival": int(buyers["Pinduoduo"]),
            "fine_billion": round(float(fine["amount_rmb_million"].max()) / 1000, 1),
            "cross_platform": len(coding.reported("upgrading", *_cross_platform())),
            "cases": len(data.load("cases/cases")),
        },
        limits="Makers divide by different wholes: even in the article's time their shares of one "
        "year differ widely. The last whole year whose share was printed after its end is "
        f"{whole['year'].max()}. What part of the villages' own sales runs over one platform is "
        "printed nowhere that we know of; and a Taobao Village is defined by sales on it.",
    )


def _cross_platform() -> list[str]:
    """The codebook's concept for selling on several platforms."""
    book = data.load("cases/codebook")
    return sorted(set(book.loc[book["code"] == "cross_platform", "group"]))


def decide_platform(evidence: Evidence) -> tuple[str, str]:
    """Rule of dependence on one platform."""
    low, high = evidence.interval or (np.nan, np.nan)
    if evidence.details["no_lower"]:
        return "right", "Its share of the market is no lower than before."
    if high < 50:
        return "wrong", "It no longer has half of the market."
    still = (
        "it still has about half"
        if low >= 50
        else "whether it still has half depends on what the share is of"
    )
    return (
        "open",
        f"Its hold on the market has weakened, but {still}; and no source tells what the villages "
        "themselves sell where.",
    )


def stations(*, doubtful: bool = True) -> pd.DataFrame:
    """Village service points of Rural Taobao, with the plan of 2014.

    Parameters
    ----------
    doubtful : bool
        Keep counts whose date is inferred.

    Returns
    -------
    DataFrame
        Columns ``date``, ``kind`` ("count" or "plan"), ``value``, ``qualifier``, ``source_id``.
    """
    table = data.load("market/rural_taobao")
    table = table[(table["operator"] == "Alibaba") & table["place"].isna()]
    if not doubtful:
        table = table[~table["date_inferred"]]
    kinds = {"villages": "count", "target_village_stations": "plan"}
    table = table[table["indicator"].isin(kinds)]
    out = table.assign(kind=table["indicator"].map(kinds)).sort_values(["date", "source_id"])
    return out[["date", "kind", "value", "qualifier", "source_id"]].reset_index(drop=True)


def stations_evidence(*, doubtful: bool = True) -> Evidence:
    """Evidence on Rural Taobao: the last known count of village points against the plan."""
    table = stations(doubtful=doubtful)
    plan, counts = table[table["kind"] == "plan"], table[table["kind"] == "count"]
    target, last = float(plan["value"].max()), counts.iloc[-1]
    months = (pd.Period(last["date"][:7], "M") - pd.Period(plan["date"].min()[:7], "M")).n
    evidence = data.load("market/evidence")
    exits = evidence[evidence["topic"] == "Rural Taobao partner exit"]
    return Evidence(
        value=round(100 * float(last["value"]) / target),
        unit="% of the planned village points at the last known count",
        n=len(counts),
        n_unit="counts",
        sources=_sources(plan, counts, exits),
        details={
            "target": int(target),
            "reached": int(last["value"]),
            "months": int(months),
            "exits": len(exits),
        },
        limits="No count after the last is known, and its year is inferred. Reports of agents who "
        "left tell of places, not of how many.",
    )


def decide_stations(evidence: Evidence) -> tuple[str, str]:
    """Rule of the plan for Rural Taobao."""
    if evidence.value is not None and float(evidence.value) >= 100:
        return "right", "The plan was reached."
    if evidence.details["months"] >= 36 and float(evidence.value or 0) < 50:
        return "wrong", "More than three years on, under half of the plan stood; agents left later."
    return "open", "The last count known is too early to judge a plan for three to five years."


def decade_evidence() -> Evidence:
    """Evidence on the institute's own forecast of 2019: the last list against its number."""
    rows = data.load("villages/economy")
    row = rows[rows["status"] == "forecast"].iloc[0]
    table = totals()
    last = int(table.index.max())
    since = statistics.growth_intervals(table.loc[[2019, last], "n"], table["month"]).iloc[0]
    left = (int(row["year"]) - last) + (12 - table.loc[last, "month"].month) / 12
    return Evidence(
        value=int(table.loc[last, "n"]),
        unit=f"villages in the last list, of {last}",
        n=1,
        n_unit="forecast",
        sources=sorted({row["source_id"], *_total_sources(2019)}),
        details={
            "foretold": int(row["value"]),
            "due": str(row["year"]),
            "last": str(last),
            "added": round(float(since["additions"])),
            "needed": round((row["value"] - table.loc[last, "n"]) / left),
        },
        limits="We found no list after the last; whether there will be one is not known.",
    )


def decide_decade(evidence: Evidence) -> tuple[str, str]:
    """Rule of the institute's forecast."""
    if float(evidence.value or 0) > evidence.details["foretold"]:
        return "right", "A list has passed the number."
    if int(evidence.details["last"]) >= int(evidence.details["due"]):
        return "wrong", "The year has come and the number was not reached."
    return "open", "The time is not up, and there is no later list to look at."


# ---- villages and power -------------------------------------------------------------------------

ORDERS = (
    "administrative push",
    "targets",
    "sales targets",
    "sales targets imposed by local government",
)
FORCED = "sales targets imposed by local government"
# Codes of the codebook on who spread the trade, and on founders, heads and the party.
KIN = ("kin", "kin_neighbours")
LEADERS = ("founded_by", "leader_from_village_administration", "leader_is_party_secretary")
LED_BY_KIN: tuple[str, ...] = ()  # no source was found to code
PARTY_INSIDE = ("association_has_party_branch", "leader_is_party_secretary")


def campaign_evidence(*, coder: str = "first", doubtful: bool = True) -> Evidence:
    """Evidence on campaigns: reports after the article of orders, targets and force."""
    rows = data.load("market/evidence")
    rows = rows[(rows["date"] >= PUBLISHED) & rows["topic"].isin(ORDERS)]
    codes = coding.codes(coder=coder, doubtful=doubtful)
    codes = codes[codes["code"] == "numeric_targets"]
    dates = data.sources()["date"]
    codes = codes[codes["source_id"].map(dates) >= PUBLISHED[:4]]
    return Evidence(
        value=len(rows) + len(codes),
        unit="reports of orders or targets after the article",
        n=len(data.load("market/evidence").query("date >= @PUBLISHED")),
        n_unit="statements dated after the article",
        sources=_sources(rows, codes) or ["li2017"],
        details={"reports": len(rows) + len(codes), "forced": int((rows["topic"] == FORCED).sum())},
        limits="Press reports of single places. A campaign that nobody reported leaves no row, and "
        "places in which nothing happened are not written about.",
    )


def decide_campaign(evidence: Evidence) -> tuple[str, str]:
    """Rule of coercive campaigns."""
    if evidence.details["forced"] >= 2:
        return "right", "At least two reports tell of people made to comply."
    if evidence.details["reports"]:
        return (
            "open",
            "Orders and targets are reported, force on residents is not; and reports cannot "
            "show that there was none.",
        )
    return "open", "Nothing of the kind is reported, which does not show that there was none."


def kin_evidence(*, coder: str = "first", doubtful: bool = True) -> Evidence:
    """Evidence on kin groups: places where kin spread the trade and who leads the association."""
    codes = coding.codes(coder=coder, doubtful=doubtful)
    kin = codes[(codes["dimension"] == "diffusion") & codes["code"].isin(KIN)]
    own = codes[codes["case_id"].isin(kin["case_id"]) & (codes["dimension"] == "association")]
    led = own[own["code"].isin(LEADERS)]
    return Evidence(
        value=int(led["case_id"].nunique()),
        unit="of these places have an association with a known founder or head",
        n=int(kin["case_id"].nunique()),
        n_unit="places where kin spread the trade",
        sources=_sources(kin, led) or ["li2017"],
        details={
            "kin": int(kin["case_id"].nunique()),
            "founder": ", ".join(
                sorted(set(led.loc[led["code"] == "founded_by", "value"].dropna()))
            )
            or "not reported",
            "by_kin": int(led["code"].isin(LED_BY_KIN).sum()),
        },
        limits="What a source does not mention is not reported; it is not absent.",
    )


def decide_kin(evidence: Evidence) -> tuple[str, str]:
    """Rule of the power of kin groups."""
    if evidence.details["by_kin"] >= 2:
        return "right", "In at least two places a kin group is reported to lead."
    return "open", "No source tells whether the kin who spread the trade came to lead."


def corporatism_evidence() -> Evidence:
    """Evidence on corporatism: dated acts that join party, e-tailers and platform."""
    events = data.load("policy/events")
    later = events[events["date"] >= PUBLISHED]
    party = later[later["instrument"] == "party-building"]
    partners = later[later["instrument"] == "partnership"]
    joint = party[party.index.isin(data.bearing("policy/events", "C52:joint").index)]
    places = set(party["province_code"]) & set(partners["province_code"])
    return Evidence(
        value=int(party["event_key"].nunique()),
        unit="acts of party organs over e-commerce after the article",
        n=len(later),
        n_unit="dated acts after the article",
        sources=_sources(party, partners),
        details={
            "provinces": int(party["province_code"].nunique()),
            "partnerships": int(partners["event_key"].nunique()),
            "both": len(places),
            "joint": int(joint["event_key"].nunique()),
        },
        limits="A list of acts that we came upon, not a count of all. The acts say what was set "
        "up, not who decides in it.",
    )


def decide_corporatism(evidence: Evidence) -> tuple[str, str]:
    """Rule of party-state corporatism."""
    found = evidence.details
    if found["provinces"] >= 3 and found["joint"] >= 1:
        return "right", "Party organs over e-tailers in three provinces, with the platform inside."
    if found["provinces"] >= 3:
        return (
            "open",
            "Half of it is there: party organs over e-commerce in several provinces. That the "
            "platform's people sit in them is not reported.",
        )
    return "open", "Too few acts are known."


def protection_evidence(*, coder: str = "first", doubtful: bool = True) -> Evidence:
    """Evidence on associations: how many are tied to the party, and later disputes."""
    codes = coding.codes(coder=coder, doubtful=doubtful)
    own = codes[codes["dimension"] == "association"]
    organs = codes[(codes["dimension"] == "party_organ") & codes["code"].isin(data.TIED)]
    tied = pd.concat([own[own["code"].isin(PARTY_INSIDE)], organs])
    cases = int(own["case_id"].nunique())
    low, high = statistics.share_bounds(int(tied["case_id"].nunique()), 0, cases)
    rows = data.load("market/evidence")
    disputes = rows[(rows["topic"] == "protest") & (rows["date"] >= PUBLISHED)]
    return Evidence(
        value=int(tied["case_id"].nunique()),
        unit="places whose association has a reported tie to the party",
        interval=(round(100 * low, 1), round(100 * high, 1)),
        interval_kind="share in percent if none, or all, of the not-reported have one",
        n=cases,
        n_unit="places with an association reported",
        sources=_sources(own, organs),
        details={"disputes": len(disputes)},
        limits="The places are not a sample. A tie to the party does not show that an association "
        "is silent.",
    )


def decide_protection(evidence: Evidence) -> tuple[str, str]:
    """Rule of unprotected e-tailers: it needs later disputes in which associations took sides."""
    if evidence.details["disputes"] == 0:
        return (
            "open",
            "No dispute after the article is reported in which an association took sides.",
        )
    return "open", "Disputes are reported, and what the associations did in them is not coded."


# ---- what later research found -------------------------------------------------------------------


def later_findings() -> pd.DataFrame:
    """What later studies found, as carried in ``cases/sustainability``.

    Returns
    -------
    DataFrame
        Columns ``question``, ``study``, ``method``, ``period``, ``finding``, ``source_id``.
    """
    table = data.load("cases/sustainability").dropna(subset="outcome")
    works = data.load("literature/works").dropna(subset="read_source_id")
    works = works.assign(source_id=works["read_source_id"].str.split(";")).explode("source_id")
    works = works[works["year"] >= int(PUBLISHED[:4])].set_index("source_id")
    table = table[table["source_id"].isin(works.index)]
    whole = table["unit"] == "qualitative"
    read = works.loc[table["source_id"]].set_index(table.index)
    return pd.DataFrame(
        {
            "question": table["outcome"].str.capitalize(),
            "study": read.apply(_who, axis=1),
            "method": read["method"],
            "period": table["year"],
            "finding": table["value"].where(whole, table["value"] + " " + table["unit"]),
            "source_id": table["source_id"],
        }
    ).reset_index(drop=True)


def _who(work: pd.Series) -> str:
    """A work in short: first author, or the journal where no author was seen, and year."""
    if isinstance(work["authors"], str):
        names = [name.split(",")[0].strip() for name in work["authors"].split(";")]
        name = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    else:
        name = str(work["venue"]).split(" 1")[0]
    return f"{name} {work['year']}"


# ---- the forecasts ----------------------------------------------------------------------------

FORECASTS = (
    Forecast(
        "growth",
        ("C15",),
        "Exponential growth, which the article sees up to 2016, goes on.",
        growth_evidence,
        Rule(
            "Right if every later total reaches what the slowest rate of growth of 2013-2016 "
            "foretells. Wrong if none does, the two of 2017 and 2018 included, which were made "
            "under the same definition. Else open.",
            decide_growth,
        ),
        {"total_2014": TOTALS_2014, "dates": DATES, "first": FIRSTS},
    ),
    Forecast(
        "model",
        ("C15",),
        "The growth curve that fits the totals to 2016 best foretells those of 2017-2022.",
        model_evidence,
        Rule(
            "Right if its 95% interval holds all later totals but one at most, and it comes "
            "nearer than both naive forecasts. Wrong if the interval misses most totals or both "
            "naive forecasts come nearer. Else open.",
            decide_model,
        ),
        {"train_from": (2009, 2012), "total_2014": TOTALS_2014, "dates": DATES, "first": FIRSTS},
    ),
    Forecast(
        "coast",
        ("C18", "C19"),
        "The villages stay where the article finds them: nine in ten in the developed East.",
        coast_evidence,
        Rule(
            "Right if every share of the East printed for the last known year is above 90%. "
            "Wrong if none is. Else open.",
            decide_coast,
        ),
        {"doubtful": (True, False)},
    ),
    Forecast(
        "inland",
        ("C22",),
        "Inland villages remain few.",
        few_evidence,
        Rule(
            "Right if the share outside the East stays under 10% in every later year with a "
            "printed count, the threshold of claim C22. Wrong if it is 10% or more in the last. "
            "Else open.",
            lambda evidence: (
                ("right", "Under a tenth in every later year that is known.")
                if float(evidence.value or 0) < 10
                else ("wrong", "A tenth or more.")
                if (evidence.interval or (0, 0))[0] >= 10
                else ("open", "Under a tenth in some years or sources only.")
            ),
        ),
        {"doubtful": (True, False)},
    ),
    Forecast(
        "catch_up",
        ("C22", "C54"),
        "Inland growth stays behind that of the coast.",
        catch_up_evidence,
        Rule(
            "Wrong if the number outside the East was multiplied by more than that of the East "
            "from 2016 to the last year under the same definition; right if by no more; open if "
            "that depends on the source.",
            decide_catch_up,
        ),
        {"strict": (True, False)},
    ),
    Forecast(
        "south",
        ("C20",),
        "The south keeps the share that the article names.",
        south_evidence,
        Rule(
            "Right if the lowest possible share in 2018 is above the article's under each "
            "definition of the south. Wrong if the highest possible is not, under each. Else open.",
            decide_south,
        ),
        {"definitions": (SOUTHS, ("south",), ("south_jiangsu_north",))},
    ),
    Forecast(
        "delta",
        ("C21",),
        "The villages stay next to the two deltas.",
        delta_evidence,
        Rule(
            "Right if the lowest possible share of the delta provinces is above their share of "
            "people in each year from 2017 to 2020. Wrong if the highest possible is not. Else "
            "open.",
            decide_delta,
        ),
        {"flag": ("delta", "delta_with_anhui")},
    ),
    Forecast(
        "poverty",
        ("C36", "C37"),
        "Poor counties are left behind as the villages spread.",
        poor_evidence,
        Rule(
            "Right if villages in poor counties were multiplied by no more than all villages in "
            "each pair of years under one definition that ends after 2016. Wrong if by more in "
            "each. Else open.",
            decide_poor,
        ),
        {"strict": (True, False), "total_2014": TOTALS_2014},
    ),
    Forecast(
        "platform",
        ("C30",),
        "One platform keeps its hold on online selling, and so on the villages.",
        platform_evidence,
        Rule(
            "Right if its last printed share of online retail is no lower than the lowest before "
            "2017. Wrong if it is under half. Else open. Where sources name the whole in "
            "different words, each has its own last share, and all must agree.",
            decide_platform,
            changes=(
                "2026-11-29: shares of what a source calls e-commerce, online sales or online "
                "shopping count too. Before, only those of online retail did, so that a later "
                "and lower one was left out without a word.",
            ),
        ),
        {"market": NAMES, "forecasts": (True, False)},
    ),
    Forecast(
        "stations",
        ("C12",),
        "Rural Taobao goes on to reach the number of villages that the company planned in 2014.",
        stations_evidence,
        Rule(
            "Right if a count reaches the plan. Wrong if the last count, three years or more "
            "after it, is under half. Else open.",
            decide_stations,
        ),
        {"doubtful": (True, False)},
    ),
    Forecast(
        "decade",
        (),
        "The platform's institute, in 2019: the number of villages will pass a round mark within "
        "ten years.",
        decade_evidence,
        Rule(
            "Right once a list passes the number. Wrong if the last list of the decade does not. "
            "Open until then.",
            decide_decade,
        ),
    ),
    Forecast(
        "campaign",
        ("C29",),
        "Local governments' attention turns future villages into coercive campaigns.",
        campaign_evidence,
        Rule(
            "Right if at least two reports dated after the article tell of people made to comply. "
            "Else open: reports cannot show that something did not happen.",
            decide_campaign,
        ),
        {"coder": coding.CODERS, "doubtful": (True, False)},
    ),
    Forecast(
        "kin",
        ("C51",),
        "Kin groups that spread e-commerce gain economic power.",
        kin_evidence,
        Rule(
            "Right if in at least two places a kin group is reported to lead the trade's "
            "association. Else open: what is not reported is not absent.",
            decide_kin,
        ),
        {"coder": coding.CODERS, "doubtful": (True, False)},
    ),
    Forecast(
        "corporatism",
        ("C52",),
        "Governance turns into party-state corporatism: e-tailers and the platform's people under "
        "the party's lead.",
        corporatism_evidence,
        Rule(
            "Right if acts dated after the article put party organs over e-tailers in at least "
            "three provinces, and at least one of them includes the platform. Else open.",
            decide_corporatism,
        ),
    ),
    Forecast(
        "protection",
        ("C60",),
        "Associations under the party do not push for reform, and e-tailers' interests go "
        "unprotected.",
        protection_evidence,
        Rule(
            "Needs disputes dated after the article in which associations spoke for or against "
            "their members. Open while none is known.",
            decide_protection,
        ),
        {"coder": coding.CODERS, "doubtful": (True, False)},
    ),
)
BY_KEY = {item.key: item for item in FORECASTS}
IN_NUMBERS = ("growth", "model", "coast", "inland", "catch_up", "south", "delta", "poverty")
LABELS = {
    "growth": "Growth stays exponential",
    "model": "The best curve foretells it",
    "coast": "Nine in ten stay in the East",
    "inland": "Inland villages remain few",
    "catch_up": "Inland growth stays behind",
    "south": "The south keeps its share",
    "delta": "They stay next to the deltas",
    "poverty": "Poor counties are left behind",
    "platform": "One platform keeps its hold",
    "stations": "Rural Taobao meets its plan",
    "decade": "The institute's mark is passed",
    "campaign": "Coercive campaigns follow",
    "kin": "Kin groups gain power",
    "corporatism": "Corporatism under the party",
    "protection": "E-tailers go unprotected",
}


def forecasts() -> list[dict[str, Any]]:
    """One entry a forecast under the default choices; ``details`` counts its variants.

    ``variants`` is the number of combinations, ``agree`` how many give the same verdict.
    """
    out = []
    with data.steady():
        for item in FORECASTS:
            judged = item.judge()
            verdicts = item.all_variants()["verdict"]
            counted = {"variants": len(verdicts), "agree": int((verdicts == judged.verdict).sum())}
            evidence = replace(judged.evidence, details={**judged.evidence.details, **counted})
            out.append(replace(judged, evidence=evidence).as_dict())
    return out


def forecasts_json() -> str:
    """The forecasts as JSON text (a list of objects)."""
    return json.dumps(forecasts(), ensure_ascii=False, indent=1, allow_nan=False)


def scorecard(keys: Sequence[str] = tuple(BY_KEY)) -> pd.DataFrame:
    """Forecasts with their verdicts.

    Parameters
    ----------
    keys : sequence of str
        Which forecasts, in this order.

    Returns
    -------
    DataFrame
        Indexed by a short label; columns ``claims``, ``verdict``, ``variants`` ("18 of 18" agree).
    """
    rows = {row["id"].removeprefix("F_"): row for row in forecasts()}
    return pd.DataFrame(
        {
            "forecast": LABELS[key],
            "claims": ", ".join(rows[key]["claim_ids"]) or "not the article's",
            "verdict": rows[key]["verdict"],
            "variants": "{agree} of {variants}".format(**rows[key]["details"]),
        }
        for key in keys
    ).set_index("forecast")


def tally() -> pd.Series:
    """How many forecasts are right, wrong and open."""
    return scorecard()["verdict"].value_counts().reindex(list(VERDICTS), fill_value=0)

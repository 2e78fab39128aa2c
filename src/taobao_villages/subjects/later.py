"""The villages after the article: totals, curves, lists and shares, 2017 to 2022."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import statsmodels.api as sm

from taobao_villages import data
from taobao_villages.methods import growth

LAST_LIST = 2016  # the last list that the article knows
SIX = "six_coastal"
METHODS = ("same growth", "same increment", "chosen curve")
DATES = ("closing", "publication", "calendar")
FIRSTS = ("2013-12", "2013-06", "2013-01")
TOTALS_2014 = (212, 211)
VILLAGE_RULES = ("TBV2014call", "TBV2015", "TBV2017", "TBV2019", "TBV2020")
TOWN_RULES = ("TBT2017", "TBT2019", "TBT2020")


def source_ids(*tables: pd.DataFrame) -> list[str]:
    """Ids of the sources of these rows, each once."""
    return data.source_ids(*(table["source_id"] for table in tables))


# ---- dated totals, and forecasts made with those to 2016 -----------------------------------------


@data.cached
def totals(
    *, total_2014: int = 212, dates: str = "closing", first: str = "2013-12"
) -> pd.DataFrame:
    """National totals with the month that each stands for.

    Parameters
    ----------
    total_2014 : int
        212 (the named list) or 211 (the other printed total).
    dates : {"closing", "publication", "calendar"}
        See `growth.list_months`. No month is known for 2009, which is put into December.
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
    months = growth.list_months(data.load("villages/list_dates"), dates=dates)
    months[2009], months[2012], months[2013] = (
        pd.Period(month, "M") for month in ("2009-12", "2012-12", first)
    )
    months[2022] = pd.Period("2022-12" if dates == "calendar" else _published(2022), "M")
    out = pd.DataFrame({"n": count, "month": months}).dropna()
    out["years"] = [(month - months[2009]).n / 12 for month in out["month"]]
    return out.rename_axis("year")


@data.cached
def total_sources(since: int = 2009) -> list[str]:
    """Sources of the totals (for each year the most reliable ones) and of the months."""
    rows = data.load("villages/national").dropna(subset=["n_villages"])
    rows = rows[rows["year"] >= since]
    grade = rows["source_id"].map(data.sources()["reliability"])
    best = rows[grade == grade.groupby(rows["year"]).transform("min")]
    dates, events = data.load("villages/list_dates"), data.load("villages/list_events")
    return source_ids(best, dates[dates["year"] >= since], events[events["list_year"] == 2022])


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
    past = growth.growth_intervals(table.loc[2013:LAST_LIST, "n"], table["month"])
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


def all_villages() -> pd.DataFrame:
    """The row with the latest number of administrative villages in all of China."""
    table = data.load("provinces/national")
    return table[table["indicator"] == "administrative_villages"].sort_values("year").tail(1)


# ---- what the definition's changes leave standing ------------------------------------------------


@data.cached
def changes() -> pd.DataFrame:
    """Changes in the published definition, found by comparing one version with the next.

    Returns
    -------
    DataFrame
        Columns ``object``, ``year``, ``change``: "stricter" (a threshold rose), "wider" (another
        way to qualify), "spelled out" (a condition that earlier texts do not print) or
        "narrower" (places no longer counted); and ``source_id``.

    Notes
    -----
    For 2014 the call for the list is taken. Two reports on that list print the number of shops of
    2015: by them there was no change in that year.
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


# ---- where they are: bounds for years that are known in part -------------------------------------


def total_of(year: int) -> float:
    return float(totals().loc[year, "n"])


@data.cached
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
    six = members(SIX)
    known = counts[counts.index.isin(six)].sort_values(ascending=False)
    if len(ranks) and len(ranks) + len(known) == len(six):
        free = [place for place in range(1, len(six) + 1) if place not in set(ranks)]
        order = pd.Series(known.to_numpy(float), index=free)
        for code, place in ranks.items():
            out.loc[code, "low"] = order[order.index > place].max()
            out.loc[code, "high"] = order[order.index < place].min()
    return out


def members(flag: str) -> set[str]:
    table = data.load("provinces/provinces")
    return set(table.loc[table[flag], "province_code"])


@data.cached
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
    limits, total = province_limits(year), total_of(year)
    inside = limits.index.isin(members(flag))
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


@data.cached
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


# ---- poor counties -------------------------------------------------------------------------------


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

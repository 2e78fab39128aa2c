"""Counties: all units of 2016 with people and places, those on the lists, those that are poor."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from taobao_villages import data
from taobao_villages.data.county_comparisons import prefecture_of
from taobao_villages.methods import distance
from taobao_villages.subjects import provinces

# The two meanings of "national poverty county": columns of villages/poverty_status, and how many.
DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "832 national poverty counties": (
        "national_poverty_county",
        "national-level poverty counties (832)",
    ),
    "592 key counties": ("key_county", "national-level poverty counties"),
}
WIDE, NARROW = DEFINITIONS
# Provinces of the official East whose poverty counties were moved to other provinces in 2001.
# Hebei, Hainan and Guangxi lie on the coast too and kept theirs.
WITHOUT_POVERTY_COUNTIES = ("11", "12", "21", "31", "32", "33", "35", "37", "44")
OTHERS = ("all other counties", "without city districts", "same provinces only")
# Deltas by their lists of prefectures: the wider list of the Yangtze, the nine cities of the Pearl.
DELTAS: Mapping[str, tuple[str, ...]] = {
    "wide": ("yrd_26", "prd_9"),
    "core": ("yrd_16", "prd_9"),
}
# The outlines know no neighbours of China. Its coast ends at two border towns: east of the one and
# west of the other the outer line of Liaoning and of Guangxi is a border on land.
LAST_TOWNS: Mapping[str, str] = {"21": "210603", "45": "450681"}
LARGE_CITY = 2_000_000  # urban residents of the districts of a prefecture in 2010
# Census figures that are those of the unit of 2016: not where its boundary changed or it was split.
WHOLE = ("same", "merged_since")


# ---- all counties --------------------------------------------------------------------------------


@data.cached
def frame() -> pd.DataFrame:
    """All county-level units of 2016, with villages, people and places.

    Returns
    -------
    DataFrame, one row a unit
        ``county_code``, ``name_zh``, ``province_code``, ``province``, ``prefecture_code``,
        ``kind``; ``villages_2014``, ``villages_2015``, ``villages_2016`` (0 where the list has
        none); ``committees`` (villagers' committees; 0 in units that are all town);
        of the census of 2010 ``population``, ``rural``, ``urban`` (percent of residents),
        ``manufacturing``, ``farming`` (percent of employed people), ``schooling`` (years),
        ``movers`` (percent of residents registered in another province), ``density`` (residents
        a km2); ``growth`` (percent, 2010 to 2020); ``poor`` (one of the 832 national poverty
        counties), ``key_county`` (one of the 592: "yes", "no" or "unknown"); ``lon``, ``lat``
        (seat, degrees); ``coast_km``, ``delta_km``, ``delta_core_km``, ``city_km`` (from the seat,
        in km; 0 inside a delta).

        Missing where the data say nothing, and where they are of another boundary: census figures
        of units whose boundary changed or that were split, density where the area is of a later
        boundary, growth where zones stand apart.
    """
    units = data.load("counties/units")
    units = units.rename(columns={"administrative_villages": "committees"})
    lists = data.load("villages/county_year")
    listed = lists.pivot_table("n_villages", "county_code", "year", aggfunc="sum", fill_value=0)
    for year in provinces.LISTS:
        found = units["county_code"].map(listed[year])
        units[f"villages_{year}"] = found.fillna(0).astype(int)
    census = data.load("counties/census")
    census = census[census["quality"].isin(WHOLE)]
    first, second = (
        census[census["year"] == year].set_index("county_code") for year in (2010, 2020)
    )
    people = pd.DataFrame(
        {
            "population": first["population"],
            "rural": first["rural"],
            "urban": 100 * first["urban"] / first["population"],
            "manufacturing": 100 * first["employed_manufacturing"] / first["employed"],
            "farming": 100 * first["employed_farming"] / first["employed"],
            "schooling": first["schooling_years"],
            "movers": 100 * first["movers_other_province"] / first["population"],
            "growth": 100
            * (second["population"] / first["population"] - 1).where(
                second["zones_apart"].eq("no")
            ),
        }
    )
    units = units.merge(people.astype(float), left_on="county_code", right_index=True, how="left")
    units["density"] = units["population"] / units["area_km2"].where(
        units["area_quality"] == "same"
    )
    poverty = data.load("counties/poverty").dropna(subset="county_code").set_index("county_code")
    units["poor"] = units["county_code"].isin(poverty.index)
    units["key_county"] = units["county_code"].map(poverty["key_county"]).fillna("no")
    return units.join(_distances(units))[
        ["county_code", "name_zh", "province_code", "province", "prefecture_code", "kind"]
        + [f"villages_{year}" for year in provinces.LISTS]
        + ["committees", *people.columns.drop("growth"), "density", "growth", "poor", "key_county"]
        + ["lon", "lat", "coast_km", "delta_km", "delta_core_km", "city_km"]
    ]


def without_unit(year: int) -> int:
    """Villages of a list in development zones that are no county-level units."""
    lists = data.load("villages/county_year")
    rows = lists[(lists["year"] == year) & lists["county_code"].isna()]
    return int(rows["n_villages"].sum())


def _distances(units: pd.DataFrame) -> pd.DataFrame:
    """Kilometres from each seat to the coast, the deltas and the nearest large city."""
    units = units[units["lon"].notna()]
    seats = units[["lon", "lat"]].to_numpy()
    found = {"coast_km": distance.line_km(seats, coast())}
    prefecture = prefecture_of(units)
    deltas = data.load("geo/delta_prefectures")
    for column, name in (("delta_km", "wide"), ("delta_core_km", "core")):
        codes = deltas.loc[deltas["definition"].isin(DELTAS[name]), "prefecture_code"]
        found[column] = distance.nearest_km(seats, seats[prefecture.isin(codes)])[0]
    found["city_km"] = distance.nearest_km(seats, large_cities()[["lon", "lat"]].to_numpy())[0]
    return pd.DataFrame(found, index=units.index)


def large_cities() -> pd.DataFrame:
    """Cities of at least `LARGE_CITY` urban residents in 2010: the districts of one prefecture.

    Returns
    -------
    DataFrame, one row a city
        ``prefecture_code``, ``urban`` (residents), ``name_zh``, ``lon``, ``lat`` (degrees).
    """
    units = data.load("counties/units")
    units["prefecture_code"] = prefecture_of(units)
    census = data.load("counties/census")
    census = census[census["year"] == 2010][["county_code", "urban"]]
    districts = units[units["kind"] == "district"].merge(census, on="county_code")
    cities = districts.groupby("prefecture_code", as_index=False)["urban"].sum()
    points = data.load("geo/prefectures")[["prefecture_code", "name_zh", "lon", "lat"]]
    return cities[cities["urban"] >= LARGE_CITY].merge(points, on="prefecture_code")


@data.cached
def coast() -> list[np.ndarray]:
    """The sea side of the outlines that the book draws.

    Returns
    -------
    list of ndarray, shape (m, 2) each
        Longitude and latitude of the corners of each line. Without islands under 200 km2, and cut
        at `LAST_TOWNS`.
    """
    import shapely

    shapes = data.outlines().set_index("province_code").geometry
    sides = data.load("provinces/provinces").set_index("province_code")["coastal"]
    outer = shapely.union_all(shapes.to_numpy()).boundary
    seats = data.load("counties/units").set_index("county_code")
    lines = []
    for code in sides.index[sides]:
        side = shapely.intersection(outer, shapes[code].boundary)
        if code in LAST_TOWNS:
            lon = seats.loc[LAST_TOWNS[code], "lon"]
            box = (lon, -90, 180, 90) if code == "45" else (-180, -90, lon, 90)
            side = shapely.intersection(side, shapely.box(*box))
        parts = shapely.get_parts(shapely.line_merge(side))
        lines += [shapely.get_coordinates(part) for part in parts if part.length > 0]
    return lines


def coast_error() -> pd.Series:
    """How far seats lie outside of the outlines, out at sea, in km: what the coast may be wrong by.

    Returns
    -------
    Series
        ``seats`` (in provinces on the coast, outside), ``median_km``, ``largest_km``.
    """
    import shapely

    land = shapely.union_all(data.outlines().geometry.to_numpy())
    sides = data.load("provinces/provinces").set_index("province_code")["coastal"]
    units = frame()
    units = units[units["population"].notna() & units["province_code"].map(sides)]
    outside = units[~shapely.intersects(land, shapely.points(units["lon"], units["lat"]))]
    return pd.Series(
        {
            "seats": len(outside),
            "median_km": outside["coast_km"].median(),
            "largest_km": outside["coast_km"].max(),
        }
    )


# ---- poverty counties: what the lists say --------------------------------------------------------


@data.cached
def listed_counties(year: int, *, definition: str = WIDE, unknown: str = "deduced") -> pd.DataFrame:
    """Counties on a list, and whether each is a poverty county.

    Parameters
    ----------
    year : {2014, 2015, 2016}
    definition : str
        One of `DEFINITIONS`.
    unknown : {"deduced", "left open"}
        What to make of counties whose status no source gives. AliResearch printed how many
        villages stood in poverty counties in 2014 and 2015. Where the counties known to be poor
        already hold that many, none is left for the others: "deduced" makes them "no".

    Returns
    -------
    DataFrame
        Columns ``province_code``, ``province``, ``city``, ``county``, ``n_villages``, ``poor``
        ("yes", "no" or "unknown").

    Raises
    ------
    ValueError
        For a year without a complete list, or another definition or treatment of the unknown.
    """
    if year not in provinces.LISTS:
        raise ValueError(
            f"no complete list for {year}; complete are {', '.join(map(str, provinces.LISTS))}"
        )
    if definition not in DEFINITIONS or unknown not in ("deduced", "left open"):
        raise ValueError(f"definition {definition!r}, unknown {unknown!r}: see the docstring")
    table = data.load("villages/county_year")
    key = ["province_code", "city", "county"]
    status = data.load("villages/poverty_status")[[*key, "national_poverty_county", "key_county"]]
    table = table.merge(status, on=key, how="left")
    flags = ["national_poverty_county", "key_county"]
    east = table["province_code"].isin(WITHOUT_POVERTY_COUNTIES)
    table[flags] = table[flags].fillna("no").where(~east, "no")
    if unknown == "deduced":
        excluded = set()
        for listed, printed in printed_villages().items():
            rows = table[table["year"] == listed]
            known = rows.loc[rows[flags[0]] == "yes", "n_villages"].sum()
            if len(printed) == 1 and printed[0] == known:
                excluded |= set(
                    rows.loc[rows[flags[0]] == "unknown", key].itertuples(index=False, name=None)
                )
        settled = [row in excluded for row in table[key].itertuples(index=False, name=None)]
        table.loc[settled, flags] = "no"
    table = table[table["year"] == year].rename(columns={DEFINITIONS[definition][0]: "poor"})
    return table[["province_code", "province", "city", "county", "n_villages", "poor"]].reset_index(
        drop=True
    )


def printed_villages() -> dict[int, list[int]]:
    """Villages in national poverty counties as printed: the different numbers of each year."""
    table = data.load("villages/poverty")
    table = table[
        table["category"].eq("national-level poverty counties") & table["quantity"].eq("n_villages")
    ]
    return {
        int(year): sorted({int(value) for value in rows["value"]})
        for year, rows in table.groupby("year")
    }


def recount(year: int, *, definition: str = WIDE, unknown: str = "deduced") -> pd.Series:
    """Poverty counties with villages, and villages in them, counted from the list.

    Returns
    -------
    Series
        ``counties_low``, ``counties_high``, ``villages_low``, ``villages_high``: without and with
        the counties of unknown status.
    """
    table = listed_counties(year, definition=definition, unknown=unknown)
    sure, maybe = table[table["poor"] == "yes"], table[table["poor"] != "no"]
    return pd.Series(
        {
            "counties_low": len(sure),
            "counties_high": len(maybe),
            "villages_low": int(sure["n_villages"].sum()),
            "villages_high": int(maybe["n_villages"].sum()),
        },
        name=year,
    )


def n_poverty_counties(definition: str = WIDE) -> int:
    """How many counties a definition names: 832 or 592."""
    table = data.load("villages/poverty")
    rows = table[
        table["category"].eq(DEFINITIONS[definition][1]) & table["quantity"].eq("n_counties_total")
    ]
    return int(rows["value"].max())


def county_units(others: str = OTHERS[0]) -> pd.DataFrame:
    """County-level units with at least one committee, in the official codes of 2016.

    Parameters
    ----------
    others : str
        One of `OTHERS`: all of them; counties and county-level cities (a few poverty "counties"
        are districts, so this overstates the others a little); or all in the provinces that have
        poverty counties.
    """
    units = data.load("counties/units")
    units = units[units["administrative_villages"] + units["residents_committees"] > 0]
    if others == OTHERS[1]:
        units = units[units["kind"] != "district"]
    elif others == OTHERS[2]:
        units = units[~units["province_code"].isin(WITHOUT_POVERTY_COUNTIES)]
    elif others != OTHERS[0]:
        raise ValueError(f"others is {others!r}; use one of {', '.join(OTHERS)}")
    return units.reset_index(drop=True)


def other_counties(
    year: int, *, definition: str = WIDE, unknown: str = "deduced", others: str = OTHERS[0]
) -> pd.Series:
    """How often counties that are not poverty counties have villages.

    Returns
    -------
    Series
        ``with_low``, ``with_high`` (counties with villages), ``total`` (counties), ``share_low``,
        ``share_high`` (percent).
    """
    listed = listed_counties(year, definition=definition, unknown=unknown)
    if others == OTHERS[1]:
        listed = listed[~listed["county"].str.endswith("区")]
    elif others == OTHERS[2]:
        listed = listed[~listed["province_code"].isin(WITHOUT_POVERTY_COUNTIES)]
    total = len(county_units(others)) - n_poverty_counties(definition)
    low, high = int((listed["poor"] == "no").sum()), int((listed["poor"] != "yes").sum())
    return pd.Series(
        {
            "with_low": low,
            "with_high": high,
            "total": total,
            "share_low": 100 * low / total,
            "share_high": 100 * high / total,
        }
    )


# ---- what followed, for villages in poverty counties ---------------------------------------------


def poverty_series(*, last: int = 2020, unknown: str = "deduced") -> pd.DataFrame:
    """Villages in national poverty counties by year, recounted and printed, and their share.

    Parameters
    ----------
    last : int
        Last year to show.
    unknown : {"deduced", "left open"}
        See `listed_counties`.

    Returns
    -------
    DataFrame
        Indexed by year from 2014; ``recounted_low`` and ``recounted_high`` (villages, the lists
        of 2014 to 2016, without and with the counties of unknown status), ``printed_low``,
        ``printed_high``, ``all_villages`` (largest printed total), ``share_low`` and
        ``share_high`` (percent of all). NaN where there is no number.
    """
    totals = data.load("villages/national").groupby("year")["n_villages"].max()
    rows = {}
    printed = printed_villages()
    for year in range(2014, last + 1):
        counted: list[float] = []
        if year in provinces.LISTS:
            found = recount(year, unknown=unknown)
            counted = [float(found["villages_low"]), float(found["villages_high"])]
        values = [*printed.get(year, []), *counted]
        rows[year] = {
            "recounted_low": min(counted, default=np.nan),
            "recounted_high": max(counted, default=np.nan),
            "printed_low": min(printed[year]) if year in printed else np.nan,
            "printed_high": max(printed[year]) if year in printed else np.nan,
            "all_villages": float(totals[year]),
            "share_low": 100 * min(values) / totals[year] if values else np.nan,
            "share_high": 100 * max(values) / totals[year] if values else np.nan,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("year")


# ---- persistence ---------------------------------------------------------------------------------


def persistence() -> pd.DataFrame:
    """Villages dropped from list to list, over the rules of matching names.

    Returns
    -------
    DataFrame
        One row a pair of lists: ``from``, ``to``, ``months``, ``n_from``, ``dropped_low``,
        ``dropped_high``, ``rate_low``, ``rate_high`` (percent of the first list) and the same
        ``a_year`` (percent, at a constant rate).
    """
    dates = data.load("villages/list_dates").pivot(index="year", columns="event", values="month")
    month = dates["closing"].fillna(dates["publication"]).map(lambda m: pd.Period(m, "M"))
    rows = []
    for (start, end), pair in data.load("villages/survival").groupby(["year_from", "year_to"]):
        months = (month[end] - month[start]).n
        rate = 100 * pair["n_dropped"] / pair["n_from"]
        row = {
            "from": int(start),
            "to": int(end),
            "months": months,
            "n_from": int(pair["n_from"].max()),
            "dropped_low": int(pair["n_dropped"].min()),
            "dropped_high": int(pair["n_dropped"].max()),
            "rate_low": rate.min(),
            "rate_high": rate.max(),
        }
        for end_name in ("low", "high"):
            kept = 1 - row[f"rate_{end_name}"] / 100
            row[f"a_year_{end_name}"] = 100 * (1 - kept ** (12 / months))
        rows.append(row)
    table = pd.DataFrame(rows)
    return table[table["to"] - table["from"] == 1].reset_index(drop=True)


def rename_effect() -> pd.DataFrame:
    """What each rule of matching names does to the number of dropped villages.

    Returns
    -------
    DataFrame
        Indexed by rule ("exact", "normalised", "loose"); one column a pair of lists.
    """
    table = data.load("villages/survival")
    rule = table["match_rule"].str.partition(":")[0]
    pair = table["year_from"].astype(str) + " to " + table["year_to"].astype(str)
    return pd.crosstab(rule, pair, table["n_dropped"], aggfunc="sum").rename_axis(
        index="rule", columns=None
    )

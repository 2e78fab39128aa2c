"""Comparisons of counts with what they are counts of: goods, and the agricultural censuses."""

from __future__ import annotations

from collections.abc import Iterator

from taobao_villages.data.loading import fault_at, load

BETWEEN_GOODS = "、"  # the list's mark between two goods of one village


def product_faults() -> Iterator[str]:
    """Goods of the list of 2014: all villages of each county, in words that are classed."""
    table, classes = "villages/products_2014", "villages/product_classes"
    rows, words = load(table), load(classes)
    place = ["year", "province_code", "city", "county"]
    counties = load("villages/county_year")
    counties = counties[counties["source_id"].isin(rows["source_id"])]
    expected = counties.set_index(place)["n_villages"]
    found = rows.groupby(place)["n_villages"].sum()
    first = rows.reset_index().groupby(place)["index"].first()
    for key in sorted({*expected.index, *found.index}):
        if found.get(key, 0) != expected.get(key, 0):
            problem = (
                f"{', '.join(map(str, key))}: {found.get(key, 0)} here against "
                f"{expected.get(key, 0)} in villages/county_year"
            )
            yield fault_at(table, first.get(key, -1), "n_villages", problem, "correct one of them")
    english = words.set_index("product")["english"]
    used = set()
    for index, row in rows.iterrows():
        goods = row["product"].split(BETWEEN_GOODS)
        used.update(goods)
        if unknown := [word for word in goods if word not in english.index]:
            problem = f"{', '.join(unknown)} not in {classes}"
            yield fault_at(table, index, "product", problem, "correct the word, or class it")
        elif row["product_en"] != (right := ", ".join(english[goods])):
            problem = f"{row['product_en']!r} is not {right!r}, as in {classes}"
            yield fault_at(table, index, "product_en", problem, "let both tables agree")
        if isinstance(row["county_code"], str) and row["county_code"][:2] != row["province_code"]:
            problem = f"{row['county_code']} is not in province {row['province_code']}"
            yield fault_at(table, index, "county_code", problem, "correct one of the codes")
    for index, row in words.iterrows():
        if row["product"] not in used:
            problem = f"no village sells {row['product']}"
            yield fault_at(classes, index, "product", problem, "correct the word, or take it out")
        if row["first"] == row["second"] != row["settled"]:
            problem = f"{row['settled']}, but both codings say {row['first']}"
            yield fault_at(classes, index, "settled", problem, "correct one of the classes")
        for coding in ("first", "second"):
            other = row[f"{coding}_other"]
            doubtful = row[f"{coding}_certainty"] == "doubtful"
            if isinstance(other, str) != doubtful or other == row[coding]:
                problem = f"{other} as other class of {row[coding]}, {row[f'{coding}_certainty']}"
                remedy = "a doubtful class has another one, a clear class has none"
                yield fault_at(classes, index, f"{coding}_other", problem, remedy)


def census_faults() -> Iterator[str]:
    """Places of the agricultural censuses are known, and the nation lies between its parts."""
    table = "provinces/agricultural_census"
    rows = load(table)
    units = load("provinces/provinces").set_index("name_en")
    regions = set(units["region4"])
    for index, row in rows.iterrows():
        fits = {
            "nation": row["place"] == "China",
            "region": row["place"] in regions,
            "province": row["place"] in units.index,
        }.get(row["level"], row["place"] not in units.index)
        if not fits:
            problem = f"{row['place']} is no {row['level']}"
            yield fault_at(table, index, "place", problem, "correct the place or the level")
        elif row["level"] == "province":
            if row["province_code"] != (code := units["province_code"][row["place"]]):
                problem = f"{row['province_code']} for {row['place']}, which is {code}"
                yield fault_at(table, index, "province_code", problem, "correct one of them")
        elif isinstance(row["province_code"], str) != (row["level"] in ("prefecture", "county")):
            problem = f"{row['province_code']} for a {row['level']}"
            remedy = "name the province of a place below, and no other"
            yield fault_at(table, index, "province_code", problem, remedy)
    shares = rows[rows["unit"] == "%"]
    whole = {"region": len(regions), "province": len(units)}
    for (year, indicator), group in shares.groupby(["year", "indicator"]):
        for index, value in group.loc[group["level"] == "nation", "value"].items():
            for level, number in whole.items():
                parts = group[group["level"] == level]
                if parts["place"].nunique() == number and not (
                    parts["value"].min() <= value <= parts["value"].max()
                ):
                    problem = (
                        f"{indicator} of {year}: {value:g} is not between those of each {level}"
                    )
                    yield fault_at(table, index, "value", problem, "correct nation or parts")

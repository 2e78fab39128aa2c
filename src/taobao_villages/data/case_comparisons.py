"""The cases against the named lists of 2014 to 2016, and their codes against the second reading."""

from __future__ import annotations

from collections.abc import Iterator

from taobao_villages.data.loading import fault_at, load

LISTS = ("xrwang2014", "xrwang2015", "xrwang2016")  # the named lists, which are complete


def listed_faults() -> Iterator[str]:
    """A listed case lies in a county with villages that year, and is recognised by then."""
    cases = load("cases/cases")
    units = load("counties/units").set_index("county_code")
    counted = load("villages/county_year")
    places = set(zip(counted["year"], counted["county_code"], strict=True))
    coded = cases[cases["county_code"].isin(units.index)]  # another code is a fault of the key
    for index, row in coded[coded["county_code"].str[:2] != coded["province_code"]].iterrows():
        problem = f"{row['county_code']} is not in province {row['province_code']}"
        yield fault_at("cases/cases", index, "county_code", problem, "correct one of the codes")
    for source in LISTS:
        year, column = int(source[-4:]), f"listed_{source[-4:]}"
        for index, code in coded.loc[coded[column] == "yes", "county_code"].items():
            if (year, code) not in places:
                problem = (
                    f"{units['name_zh'][code]} ({code}) has no village in villages/county_year"
                )
                yield fault_at("cases/cases", index, column, problem, "correct code or list")
        late = cases[(cases[column] == "yes") & (cases["year_first_recognised"] > year)]
        for index, first in late["year_first_recognised"].items():
            problem = f"{first} is later than the list of {year}, on which it stands"
            remedy = "correct the year or the list"
            yield fault_at("cases/cases", index, "year_first_recognised", problem, remedy)


def reading_faults() -> Iterator[str]:
    """A code that the second reading did not find clearly in the text is not clear."""
    keys = ["case_id", "dimension", "code", "source_id"]
    codes = load("cases/case_codes").set_index(keys)["certainty"]
    table = load("cases/second_reading")
    for index, row in table.iterrows():
        certainty = codes.get(tuple(row[keys]))
        if (row["verdict"] == "added") != (certainty is None):
            problem, remedy = "added, and yet coded", "correct the verdict, or the key"
            if certainty is None:
                problem = "no such code in cases/case_codes"
            yield fault_at("cases/second_reading", index, "verdict", problem, remedy)
        elif certainty == "clear" and row["verdict"] not in ("same_clear", "text_not_found"):
            problem, remedy = "the code counts as clear", "make it doubtful in cases/case_codes"
            yield fault_at("cases/second_reading", index, "verdict", problem, remedy)

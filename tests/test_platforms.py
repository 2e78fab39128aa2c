"""The printed shares of platforms: one table for both chapters that speak of them."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from taobao_villages import data
from taobao_villages.chapters import after_2017, society
from taobao_villages.subjects import platforms


@pytest.fixture
def shares():
    return platforms.printed_shares()


@pytest.fixture
def plant(put):
    """Puts made-up rows into the table of shares."""
    real = data.load("market/platform_share")

    def plant_rows(*rows, instead=False):
        made = pd.DataFrame(rows)
        table = made if instead else pd.concat([real, made], ignore_index=True)
        put("market/platform_share", table.reindex(columns=real.columns))

    return plant_rows


def row(year, share, source_id, **changes):
    return {
        "period_start": f"{year}-01",
        "period_end": f"{year}-12",
        "precision": "year",
        "year": year,
        "platform": "Alibaba (all sites)",
        "market": "online retail",
        "share_pct": share,
        "source_id": source_id,
        "status": "as_printed",
    } | changes


def test_no_share_of_online_selling_is_left_out(shares):
    table = data.load("market/platform_share")
    online = table["market"].str.contains("^online|^e-commerce|retail")
    online &= table["measure"] != "gmv_over_total"  # worked out over another maker's total
    assert set(table.loc[online, "market"]) == set(platforms.MARKETS)
    own = table["platform"].str.contains("Alibaba|Taobao|Tmall") & ~table["platform"].str.contains(
        r"\+JD"
    )
    expected = table[online & own & (table["source_id"] != "li2017")]
    shown = shares[shares["firm"] == "Alibaba"]
    assert sorted(zip(expected["year"], expected["share_pct"], strict=True)) == sorted(
        zip(shown["year"], shown["share"], strict=True)
    )
    assert set(shown["source_id"]) == set(expected["source_id"])


def test_conflicts_stay_and_sums_over_firms_go(shares):
    assert set(shares["firm"]) == {"Alibaba", "JD.com", "Pinduoduo"}
    of_2015 = shares[(shares["firm"] == "Alibaba") & (shares["year"] == 2015)]
    assert of_2015["share"].nunique() == 2
    assert shares["share"].max() < 85


def test_what_a_share_covers_by_hand(plant):
    plant(
        row(2015, 1.0, "asiae2021_alibaba_share"),  # printed in October 2021
        row(2021, 2.0, "asiae2021_alibaba_share"),
        row(2021, 3.0, "asiae2021_alibaba_share", period_end="2021-06", precision="half"),
        row(2013, 4.0, "m139"),  # has no date
        row(2014, 5.0, "m192"),  # dated 2014
        row(2017, 6.0, "m216", status="forecast"),  # printed in 2018
        row(2023, 7.0, "deccan2024_platform_shares"),  # printed in 2024, made in 2023
        instead=True,
    )
    table = platforms.printed_shares().set_index("share")
    assert table["covers"].to_dict() == {
        1.0: "whole year",
        2.0: "printed before its end",
        3.0: "part of the year",
        4.0: "whole year",
        5.0: "printed before its end",
        6.0: "printed before its end",
        7.0: "printed before its end",
    }
    assert table.loc[4.0, "printed"] == "not dated"
    assert table.loc[1.0, "time"] == pytest.approx(2015.5)
    assert table.loc[3.0, "time"] == pytest.approx(2021.25)


def test_a_figure_made_before_it_was_printed_is_marked_so_in_the_data():
    notes = data.sources(list(platforms.FIRST_PRINTED))["note"]
    assert all(year in notes[key] for key, year in platforms.FIRST_PRINTED.items())


def test_every_whole_and_every_reach_has_a_mark_of_its_own(shares):
    figure, axes = plt.subplots()
    platforms.draw_shares(axes, shares, "black")
    drawn = [(x, y) for line in axes.lines for x, y in line.get_xydata()]
    assert sorted(drawn) == sorted(zip(shares["time"], shares["share"], strict=True))
    looks = {(line.get_marker(), line.get_fillstyle()) for line in axes.lines}
    assert len(looks) == len(axes.lines)
    plt.close(figure)


def test_a_new_share_reaches_both_chapters(plant):
    plant(row(2025, 30.0, "m216", market="online shopping"))
    first, second = society.C30.judge().evidence, after_2017.BY_KEY["platform"].judge().evidence
    assert (first.details["late"], first.details["late_year"]) == (30.0, "2025")
    assert (second.value, second.details["last"]) == (30.0, "2025")


def test_both_figures_show_the_same_shares(html):
    """On the built pages, from the tables that stand below the two figures."""
    tables = [
        pd.read_csv(next((html / "_downloads").glob(f"*/{name}.csv")))
        for name in ("society-platform", "after-2017-platforms")
    ]
    own = [table[table["firm"] == "Alibaba"].reset_index(drop=True) for table in tables]
    assert len(own[0]) == after_2017.platform_evidence().n
    pd.testing.assert_frame_equal(*own)
    assert {"market", "covers", "printed"} <= set(own[0])

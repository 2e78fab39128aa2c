"""The chapter on rural society: planted cases, hand-worked shares, rules, simulation."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from taobao_villages import data
from taobao_villages.chapters import society
from taobao_villages.methods import illustrations
from taobao_villages.subjects import cases, coding, retail, support

COLUMNS = ["case_id", "topic", "item", "kind", "year", "source_id", "doubtful", "note"]


class Planted(dict):
    """Made-up tables by name; one that is set again is put in the place of the real one again."""

    def __init__(self, put, tables):
        self.put = put
        for name, frame in tables.items():
            self[name] = frame

    def __setitem__(self, name, frame):
        super().__setitem__(name, frame)
        self.put(name, frame)


@pytest.fixture
def planted(put):
    """A small world of four cases; the real sources, so that ids and grades exist."""
    tables = {
        "cases/cases": pd.DataFrame(
            {
                "case_id": ["a", "b", "c", "lirendong", "qingyanliu"],
                "level": ["village", "town", "county", "village", "village"],
                "in_article": [False, True, False, True, True],
            }
        ),
        "cases/codebook": pd.DataFrame(
            {
                "dimension": ["diffusion"] * 3 + ["social_change"] * 2,
                "code": ["kin", "neighbours", "training", "tertiary_jobs", "tradition_retained"],
                "group": ["kin", "neighbours", "training", "tertiary_jobs", "tradition_retained"],
            }
        ),
        "cases/case_codes": pd.DataFrame(
            [
                ("a", "diffusion", "kin", "m058", "clear"),
                ("b", "diffusion", "neighbours", "m061", "clear"),
                ("b", "diffusion", "kin", "m062", "doubtful"),
                ("c", "diffusion", "training", "m058", "clear"),
                ("lirendong", "social_change", "tradition_retained", "li2017", "clear"),
                ("qingyanliu", "social_change", "tradition_retained", "m058", "clear"),
            ],
            columns=["case_id", "dimension", "code", "source_id", "certainty"],
        ).assign(value="1", about="place", paraphrase="Said."),
        "cases/society": pd.DataFrame(
            [
                ("a", "goods", "nuts", "farm", pd.NA, "m058", False, None),
                ("b", "goods", "toys", "factory", pd.NA, "m058", False, None),
                ("c", "goods", "mats", "craft", pd.NA, "m058", True, None),
                ("a", "trade", "couriers", "delivery", 2014, "m058", False, None),
                ("a", "trade", "schools", "design and images", 2014, "m058", False, None),
                ("b", "trade", "packers", "packing and parts", 2014, "m061", True, None),
                ("lirendong", "tradition", "festivals", "kept", 2016, "li2017", False, None),
                ("qingyanliu", "tradition", "rites", "kept", 2016, "m058", False, None),
                ("a", "tradition", "farming", "lost", 2016, "m058", False, None),
                ("a", "platform", "Taobao", "only", 2012, "m058", False, None),
                ("a", "platform", "JD.com", "elsewhere", 2022, "m058", False, None),
                ("b", "platform", "WeChat", "elsewhere", 2016, "m058", False, None),
                ("c", "platform", "Taobao", "only", pd.NA, "m058", False, None),
            ],
            columns=COLUMNS,
        ).astype({"year": "Int64", "doubtful": bool}),
        "cases/case_series": pd.DataFrame(
            [
                ("a", 2010, "households_ecommerce", 20.0, "village", "about", "m058"),
                ("a", 2010, "households_total", 100.0, "village", "as_stated", "m058"),
                ("a", 2015, "households_total", 200.0, "village", "as_stated", "m061"),
                ("a", 2010, "shops", 5.0, "village", "more_than", "m058"),
                ("a", 2010, "shops", 4.0, "village", "about", "m061"),
                ("a", 2012, "shops", 90.0, "town", "about", "m061"),
                ("dongfeng_shaji", 2010, "express_companies", 10.0, "village", "about", "m058"),
                ("shaji_town", 2010, "express_companies", 4.0, "town", "about", "m058"),
                ("shaji_town", 2018, "express_companies", 136.0, "town", "about", "m058"),
            ],
            columns=[
                "case_id",
                "year",
                "indicator",
                "value",
                "scale",
                "qualifier",
                "source_id",
            ],
        ),
    }
    return Planted(put, tables)


def code(planted, *rows):
    """Plant more codes."""
    new = pd.DataFrame(
        rows, columns=["case_id", "dimension", "code", "source_id", "certainty"]
    ).assign(value="1", about="place", paraphrase="Said.")
    planted["cases/case_codes"] = pd.concat([planted["cases/case_codes"], new], ignore_index=True)
    book = pd.DataFrame(
        {"dimension": new["dimension"], "code": new["code"], "group": new["code"]}
    ).drop_duplicates()
    planted["cases/codebook"] = pd.concat(
        [planted["cases/codebook"], book], ignore_index=True
    ).drop_duplicates(["dimension", "code"])


# ---- the cases ------------------------------------------------------------------------------


def test_sets_of_cases(planted):
    assert list(cases.cases().index) == ["a", "b", "c", "lirendong", "qingyanliu"]
    assert "c" not in cases.cases("all but counties and prefectures").index
    assert list(cases.cases("all but the article's own").index) == ["a", "c"]
    with pytest.raises(ValueError, match="all cases"):
        cases.cases("some")


def test_a_cell_counts_its_sources_once(planted):
    again = ("a", "diffusion", "kin", "m058", "clear")
    code(planted, ("a", "diffusion", "kin", "m061", "clear"), again)
    table = cases.single_sourced().set_index(["topic", "case_id", "cell"])["n_sources"]
    assert table["diffusion", "a", "kin"] == 2
    assert table["diffusion", "b", "neighbours"] == 1
    assert ("diffusion", "b", "kin") in table.index
    rows = planted["cases/society"]
    rows.loc[len(rows)] = ["a", "tradition", "farming", "kept", 2016, "m061", False, None]
    planted["cases/society"] = rows
    farming = cases.single_sourced().query("cell.str.startswith('farming')", engine="python")
    assert farming["n_sources"].tolist() == [1, 1]
    certain = cases.single_sourced(doubtful=False)
    assert not ((certain["case_id"] == "b") & (certain["cell"] == "kin")).any()
    assert not ((certain["case_id"] == "c") & (certain["topic"] == "goods")).any()


# ---- goods ----------------------------------------------------------------------------------


def test_origin_is_not_reported_until_a_source_tells_it(planted):
    assert cases.goods()["origin"].to_dict() == {
        "a": "farm product",
        "b": "not reported",
        "c": "craft",
    }


@pytest.mark.parametrize(
    ("told", "nearby", "origin"),
    [
        ("near_wholesale_market", "wholesale market", "bought nearby"),
        ("near_garment_cluster", "wholesale market", "not reported"),
        ("near_garment_cluster", "wholesale market or garment cluster", "bought nearby"),
        ("existing_industrial_cluster", "wholesale market", "made in own factories"),
        ("existing_industrial_cluster", "any market or factory cluster", "bought nearby"),
        ("none", "wholesale market", "bought far away"),
    ],
)
def test_origins_of_factory_goods(planted, told, nearby, origin):
    code(planted, ("b", "spatial_precondition", told, "m058", "clear"))
    assert cases.goods(nearby_market=nearby).loc["b", "origin"] == origin


def test_bounds_of_the_three_sorts_by_hand(planted):
    # a farm, c craft, b unknown: 2 of 3 at the lowest, 3 of 3 at the highest
    found = society.goods_evidence()
    assert found.interval == (66.7, 100.0)
    # b made in the place: 2 of 3, both ends
    code(planted, ("b", "spatial_precondition", "existing_industrial_cluster", "m058", "clear"))
    found = society.goods_evidence()
    assert found.interval == (66.7, 66.7)
    # of all 5 cases, two without known goods: 2 at the lowest, 4 at the highest
    assert (found.details["all_low"], found.details["all_high"]) == (40.0, 80.0)
    # without the doubtful craft: 1 of 2
    assert society.goods_evidence(doubtful=False).interval == (50.0, 50.0)


def test_an_unknown_market_is_refused():
    with pytest.raises(ValueError, match="wholesale"):
        cases.goods(nearby_market="bazaar")


def made(value=1, **details):
    """Made-up evidence for a rule."""
    return society.Evidence(value, "", ["m058"], details=details)


@pytest.mark.parametrize(
    ("three", "low", "high", "verdict"),
    [
        ((5, 5, 5), 60, 90, "reproduced"),
        ((5, 5, 5), 50, 90, "reproduced in part"),
        ((5, 0, 5), 60, 90, "reproduced in part"),
        ((5, 5, 5), 20, 49, "not reproduced"),
    ],
)
def test_rule_of_goods(three, low, high, verdict):
    names = ("farm_product", "craft", "bought_nearby")
    evidence = made(low=low, high=high, **dict(zip(names, three, strict=True)))
    assert society.C25.rule.decide(evidence)[0] == verdict


# ---- diffusion ------------------------------------------------------------------------------


def test_channels_count_sources_and_leave_silent_cases_out(planted):
    table = cases.channels()
    assert list(table.index) == ["a", "b", "c"]
    assert table.loc["b", ["kin", "neighbours", "training"]].tolist() == [1, 1, 0]
    assert cases.channels(doubtful=False).loc["b", "kin"] == 0


def test_kin_by_hand(planted):
    # 3 cases with a channel: a and b name kin, b's is doubtful; no source denies kin
    found = society.kin_evidence()
    assert found.interval == (66.7, 100.0)
    assert (found.n, found.details["silent"]) == (3, 2)
    assert society.kin_evidence(doubtful=False).interval == (33.3, 100.0)
    assert society.kin_evidence(ties_counted="kin or neighbours", doubtful=False).value == 66.7
    assert found.details["households"] == 1


def test_no_channel_at_all_is_not_a_no(planted):
    planted["cases/case_codes"] = planted["cases/case_codes"].query("dimension != 'diffusion'")
    assert society.C26.judge().verdict == "not testable here"


def test_unknown_ties_are_refused():
    with pytest.raises(ValueError, match="neighbours"):
        society.kin_evidence(ties_counted="friends")


@pytest.mark.parametrize(
    ("low", "personal_low", "personal", "training", "households", "verdict"),
    [
        (60, 90, 9, 1, 3, "reproduced"),
        (60, 90, 9, 1, 2, "not testable here"),
        (20, 90, 9, 1, 3, "reproduced in part"),
        (20, 40, 4, 1, 3, "not testable here"),
        (20, 40, 4, 5, 3, "not reproduced"),
    ],
)
def test_rule_of_kin(low, personal_low, personal, training, households, verdict):
    evidence = made(
        named_low=low,
        personal_low=personal_low,
        personal=personal,
        training=training,
        firm=0,
        households=households,
    )
    assert society.C26.rule.decide(evidence)[0] == verdict


def test_series_keep_conflicts_and_never_mix_scales(planted):
    village = cases.series("a", "shops")
    assert village["value"].tolist() == [4.0, 5.0]
    assert cases.series("a", "shops", scale="town")["value"].tolist() == [90.0]
    assert cases.series("a", "shops", first=2011).empty


def test_household_shares_keep_both_totals(planted):
    code(planted, ("a", "outcome", "first_shop_year", "m058", "clear"))
    codes = planted["cases/case_codes"]
    codes.loc[codes["code"] == "first_shop_year", "value"] = "2006"
    planted["cases/case_codes"] = codes
    # 20 of 200 or of 100 households, four years after the first shop
    row = cases.household_shares().iloc[0]
    assert (row["low"], row["high"], row["since_first"]) == (10.0, 20.0, 4)


# ---- trades ---------------------------------------------------------------------------------


def test_trades_by_hand(planted):
    found = society.trades_evidence().details
    # packing is a trade but no service; schools of image editing count as skill
    assert (found["ancillary"], found["tertiary"], found["skilled"]) == (2, 1, 1)
    assert (found["low"], found["high"]) == (40.0, 100.0)
    # the town's seat and the village are two places; neither is the whole town of later
    assert [found[f"express_{name}"] for name in ("seat", "village", "town")] == [4, 10, 136]
    assert society.trades_evidence(doubtful=False).value == 1
    code(planted, ("c", "social_change", "tertiary_jobs", "m058", "clear"))
    assert society.trades_evidence().details["tertiary"] == 2


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((3, 3, 3), "reproduced"),
        ((9, 3, 2), "reproduced in part"),
        ((3, 0, 0), "reproduced in part"),
        ((2, 2, 2), "not testable here"),
    ],
)
def test_rule_of_trades(counts, verdict):
    ancillary, tertiary, skilled = counts
    evidence = made(ancillary=ancillary, tertiary=tertiary, skilled=skilled, least=3)
    assert society.C27.rule.decide(evidence)[0] == verdict


# ---- tradition ------------------------------------------------------------------------------


def test_the_article_does_not_testify_for_itself(planted):
    assert society.tradition_evidence().value == 1
    assert society.tradition_evidence(witnesses="with the article").value == 2
    narrow = society.C28.judge(subject="festivals or close ties")
    assert narrow.verdict == "not testable here"


def test_a_village_counts_only_if_the_coder_says_so(planted):
    table = planted["cases/case_codes"]
    planted["cases/case_codes"] = table[table["case_id"] != "qingyanliu"]
    assert society.C28.judge().verdict == "not testable here"


def test_lost_festivals_contradict(planted):
    rows = planted["cases/society"]
    rows.loc[len(rows)] = ["lirendong", "tradition", "festivals", "lost", 2018, "m061", False, None]
    planted["cases/society"] = rows
    assert society.C28.judge().verdict == "contradicted"


def test_strength_of_evidence(planted):
    rows = planted["cases/society"]
    rows.loc[len(rows)] = [
        "qingyanliu",
        "tradition",
        "rites",
        "kept",
        2018,
        "ali2016en",
        False,
        None,
    ]
    planted["cases/society"] = rows
    grades = data.sources()["reliability"]
    assert (grades["ali2016en"], grades["m058"]) == ("A", "C")
    table = cases.traditions().set_index(["case_id", "item"])
    assert table.loc[("lirendong", "festivals"), "only_article"]
    assert not table.loc[("qingyanliu", "rites"), "only_article"]
    assert table.loc[("qingyanliu", "rites"), ["n_sources", "best", "year"]].tolist() == [
        2,
        "A",
        2018,
    ]


@pytest.mark.parametrize(
    ("kept", "lost", "verdict"),
    [
        (2, 0, "reproduced"),
        (1, 0, "reproduced in part"),
        (2, 1, "contradicted"),
    ],
)
def test_rule_of_tradition(kept, lost, verdict):
    assert society.C28.rule.decide(made(kept=kept, lost=lost))[0] == verdict


def test_unknown_words_on_tradition_are_refused():
    with pytest.raises(ValueError, match="songs"):
        society.tradition_evidence(subject="songs")
    with pytest.raises(ValueError, match="nobody"):
        society.tradition_evidence(witnesses="nobody")


# ---- campaigns ------------------------------------------------------------------------------


def test_only_reports_after_the_article_count_as_later():
    table = support.campaign_signs()
    assert table["date"].is_monotonic_increasing
    assert (table.loc[table["later"], "date"].str[:4].astype(int) >= 2017).all()
    assert not table.loc[table["date"].str[:4].astype(int) <= 2016, "later"].any()
    assert set(table["sign"]) <= {"order", "target", "reward", "refusal"}


def test_a_year_alone_is_not_after_a_month_of_it(put):
    rows = data.load("market/evidence").head(2).copy()
    rows["topic"] = "targets"
    rows["date"] = ["2017", "2017-10"]
    rows["source_id"] = ["m058", "m061"]
    put("market/evidence", rows)
    table = support.campaign_signs().set_index("source_id")
    assert not table.loc["m058", "later"]
    assert table.loc["m061", "later"]


def test_without_later_reports_the_forecast_is_open(monkeypatch):
    real = support.campaign_signs
    monkeypatch.setattr(
        support, "campaign_signs", lambda **choices: real(**choices).assign(later=False)
    )
    assert society.C29.judge().verdict == "not testable here"


@pytest.mark.parametrize(
    ("villages", "orders", "verdict"),
    [
        (2, 1, "reproduced"),
        (2, 0, "reproduced in part"),
        (1, 1, "reproduced in part"),
    ],
)
def test_rule_of_campaigns(villages, orders, verdict):
    assert society.C29.rule.decide(made(villages=villages, village_orders=orders))[0] == verdict


def test_unknown_words_on_campaigns_are_refused():
    with pytest.raises(ValueError, match="hints"):
        society.campaign_evidence(signs_counted="hints")


# ---- dependence -----------------------------------------------------------------------------


def test_platforms_by_hand(planted):
    table = cases.platform_use()
    # a: once on one platform, later elsewhere; b: a chat shop, which does not count; c: only
    assert table.loc["a", ["only", "elsewhere"]].tolist() == [True, True]
    assert "b" not in table.index
    assert cases.platform_use(selling_elsewhere="chat shops too").loc["b", "elsewhere"]
    found = society.dependence_evidence()
    # c alone of 5 at the lowest; all but a at the highest
    assert found.interval == (20.0, 80.0)
    assert found.details["silent"] == 3


def test_periods_split_dated_statements_and_drop_undated_ones(planted):
    assert cases.platform_use(period="up to 2017").index.tolist() == ["a"]
    assert not cases.platform_use(period="up to 2017").loc["a", "elsewhere"]
    assert cases.platform_use(period="after 2017").loc["a"].tolist() == [False, False, True]


def test_codes_take_the_year_of_their_source(planted):
    year = data.sources()["date"]["m058"][:4]
    assert int(year) < 2017
    code(planted, ("b", "sustainability_pressure", "platform_fees", "m058", "clear"))
    assert cases.platform_use(period="up to 2017").loc["b", "exposed"]
    assert "b" not in cases.platform_use(period="after 2017").index


def test_no_report_on_platforms_is_not_a_no(planted):
    rows = planted["cases/society"]
    planted["cases/society"] = rows[rows["topic"] != "platform"]
    assert society.C30.judge().verdict == "not testable here"


@pytest.mark.parametrize(
    ("low", "high", "exposed", "verdict"),
    [
        (51, 90, 0, "reproduced"),
        (0, 49, 5, "contradicted"),
        (0, 90, 1, "reproduced in part"),
        (0, 90, 0, "not testable here"),
    ],
)
def test_rule_of_dependence(low, high, exposed, verdict):
    evidence = made(low=low, high=high, exposed=exposed, elsewhere=1)
    assert society.C30.rule.decide(evidence)[0] == verdict


def test_unknown_words_on_platforms_are_refused():
    with pytest.raises(ValueError, match="markets"):
        cases.platform_use(selling_elsewhere="markets")
    with pytest.raises(ValueError, match="1999"):
        cases.platform_use(period="1999")


# ---- rules and fees -------------------------------------------------------------------------


def test_relief_and_regulators_are_no_cost_to_sellers():
    table = retail.rule_changes()
    costs = table[table["borne_by"].isin(retail.SELLERS)]
    assert not costs["kind"].isin(["relief", "order of a regulator"]).any()
    assert table["date"].is_monotonic_increasing
    sources = society.rules_evidence(reports_dated="until today").sources
    assert set(sources) == set(costs["source_id"])  # one of them tells of the relief as well


def test_a_practice_found_later_counts_only_until_today():
    early = society.rules_evidence()
    late = society.rules_evidence(reports_dated="until today")
    assert late.value > early.value
    assert not {"mondaq2021_samr_alibaba"} & set(early.sources)


def test_agents_and_villages_narrow_the_count():
    everyone = society.rules_evidence()
    assert society.rules_evidence(village_agents="left out").value < everyone.value
    named = society.rules_evidence(people_named="village people only")
    assert named.details["reports"] == named.details["villages"] < everyone.details["reports"]
    with pytest.raises(ValueError, match="tomorrow"):
        society.rules_evidence(reports_dated="tomorrow")


@pytest.mark.parametrize(
    ("changes", "reports", "villages", "verdict"),
    [
        (2, 2, 1, "reproduced"),
        (1, 3, 1, "reproduced in part"),
        (3, 3, 0, "reproduced in part"),
    ],
)
def test_rule_of_rules(changes, reports, villages, verdict):
    evidence = made(changes=changes, reports=reports, villages=villages)
    assert society.C31.rule.decide(evidence)[0] == verdict


# ---- simulation -----------------------------------------------------------------------------


def test_certain_learning_reaches_who_is_near_enough():
    # with chance 1 the sellers of year t are the households at most t ties from a pioneer
    network = illustrations.village_network(
        households=60, clans=6, within=0.2, between=0.01, seed=3
    )
    path = illustrations.spread(network, learn=1, pioneers=(0, 1), years=5, seed=1)
    distance = nx.multi_source_dijkstra_path_length(network, {0, 1}, weight=None)
    for year, share in enumerate(path):
        near = sum(steps <= year for steps in distance.values())
        assert share == pytest.approx(100 * near / 60)


def test_without_teachers_nothing_spreads():
    network = illustrations.village_network(seed=1)
    assert set(illustrations.spread(network, learn=0, seed=1)) == {0.5}
    assert set(illustrations.spread(network, channel="training", places=0, seed=1)) == {0.5}


def test_training_alone_is_a_straight_line():
    # 40 places of which all succeed: 10% of 400 households a year
    network = illustrations.village_network(seed=1)
    path = illustrations.spread(network, channel="training", success=1, years=9, seed=1)
    assert np.diff(path) == pytest.approx(10)


def test_clans_without_ties_between_them_keep_the_trade():
    network = illustrations.village_network(clans=10, within=0.5, between=0, seed=1)
    assert illustrations.spread(network, learn=1, years=20, seed=1)[-1] == 10


def test_trade_is_never_unlearnt_and_the_seed_decides():
    network = illustrations.village_network(seed=1)
    one, two = (illustrations.spread(network, channel="both", seed=5) for _ in range(2))
    assert (one == two).all()
    assert (np.diff(one) >= 0).all()
    assert (one != illustrations.spread(network, channel="both", seed=6)).any()


def test_runs_are_summed_up_in_order():
    table = illustrations.simulate(runs=12, years=6)
    assert table.index.tolist() == list(range(7))
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()
    assert table.equals(illustrations.simulate(runs=12, years=6))


def test_network_has_the_ties_it_was_asked_for():
    network = illustrations.village_network(households=40, clans=4, within=1, between=0, seed=1)
    assert nx.number_connected_components(network) == 4
    assert network.number_of_edges() == 4 * 10 * 9 / 2


# ---- every claim ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(25, 32))
def test_each_claim_of_the_section_has_a_verdict_and_a_reason(number):
    verdict = getattr(society, f"C{number}").judge()
    assert verdict.claim.section == "society"
    assert verdict.reason.endswith(".")
    assert verdict.evidence.n
    assert verdict.evidence.sources
    assert "li2017" not in verdict.evidence.sources


@pytest.mark.parametrize("number", [25, 26, 27, 28, 30])
def test_claims_on_cases_run_without_doubt_and_under_either_coder(number):
    claim = getattr(society, f"C{number}")
    assert claim.variants["doubtful"] == (True, False)
    assert claim.variants["coder"] == coding.CODERS


def test_no_share_takes_the_unreported_for_a_no():
    for claim in (society.C25, society.C26, society.C30):
        low, high = claim.judge().evidence.interval
        assert low < high
    assert society.C26.judge().evidence.interval[1] == 100

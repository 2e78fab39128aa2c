"""What is coded of the cases, and how far two passes agree: planted codes, worked by hand."""

import pandas as pd
import pytest

from taobao_villages import data
from taobao_villages.subjects import coding, literature


@pytest.fixture
def planted():
    """Four cases read twice and a fifth that was not; two codes of one concept, and others."""
    frames = {
        "cases/case_codes": pd.DataFrame(
            {
                "case_id": ["a", "b", "c", "e", "d"],
                "dimension": ["diffusion"] * 4 + ["initiator"],
                "code": ["kin", "friends", "kin", "kin", "firm"],
                "value": "1",
                "certainty": ["clear", "doubtful", "clear", "clear", "clear"],
                "about": "place",
                "since_second_pass": False,
                "source_id": "s",
                "paraphrase": ["Said.", "Read so.", "Said.", "Said.", None],
            }
        ),
        "cases/codebook": pd.DataFrame(
            {
                "dimension": ["diffusion"] * 3 + ["initiator"] * 2,
                "code": ["kin", "friends", "training", "firm", "person"],
                "group": ["network", "network", "training", "firm", "person"],
            }
        ),
        "cases/second_pass": pd.DataFrame(
            {
                "case_id": ["a", "a", "b", "d"],
                "dimension": ["diffusion"] * 3 + ["initiator"],
                "code": ["kin", "friends", "friends", "person"],
                "certainty": ["clear", "clear", "doubtful", "clear"],
                "source_id": "t",
                "reason": "Seen.",
            }
        ),
        "cases/second_coverage": pd.DataFrame(
            {"case_id": list("abcde"), "comparable": [True, True, True, True, False]}
        ),
        "cases/settled": pd.DataFrame(
            {"case_id": ["d"], "dimension": ["initiator"], "decision": ["firm"], "reason": ["x"]}
        ),
    }
    with data.replaced(frames):
        yield frames


def test_codes_are_joined_to_concepts(planted):
    assert coding.reported("diffusion") == {"a", "b", "c", "e"}
    assert coding.reported("diffusion", "network") == {"a", "b", "c", "e"}
    assert coding.reported("diffusion", "training") == set()


def test_doubtful_codes_can_be_left_out_of_either_pass(planted):
    assert coding.reported("diffusion", doubtful=False) == {"a", "c", "e"}
    assert coding.reported("diffusion", doubtful=False, coder="second") == {"a"}
    assert coding.reported("initiator", doubtful=False) == {"d"}


def test_the_coders_together_have_what_both_have_once(planted):
    assert coding.reported("diffusion", coder="second") == {"a", "b"}
    both = coding.codes(coder="either")
    assert len(both) == 5 + 2  # the second pass adds a's friends and d's person
    assert not both.duplicated(["case_id", "dimension", "code"]).any()
    assert set(both.loc[both["case_id"] == "d", "concept"]) == {"firm", "person"}


def test_what_the_codebook_does_not_have_is_named(planted):
    with pytest.raises(ValueError, match="no netwrok"):
        coding.reported("diffusion", "netwrok")
    with pytest.raises(ValueError, match="no weather"):
        coding.reported("weather")
    with pytest.raises(ValueError, match="third"):
        coding.codes(coder="third")


def test_units_are_pairs_of_a_compared_case_and_a_concept(planted):
    units = coding.units()
    network = units[units["concept"] == "network"]
    assert list(network["case_id"]) == ["a", "b", "c", "d"]
    assert list(network["first"]) == [True, True, True, False]
    assert list(network["second"]) == [True, True, False, False]
    assert len(units) == 4 * 4  # network, training, firm, person


def test_agreement_by_hand(planted):
    # Diffusion, 8 pairs: both 2 (a, b), first only 1 (c), second only 0, neither 5.
    # Observed 7/8; by chance 3/8 * 2/8 + 5/8 * 6/8 = 36/64; kappa (56 - 36) / (64 - 36) = 5/7.
    row = coding.agreement().loc["diffusion"]
    assert tuple(row[["both", "first_only", "second_only", "neither"]]) == (2, 1, 0, 5)
    assert row["kappa"] == pytest.approx(5 / 7)
    assert row["found_again"] == pytest.approx(200 / 3)


def test_without_doubtful_codes_by_hand(planted):
    # First: a, c; second: a. Observed 7/8; by chance 2/8 * 1/8 + 6/8 * 7/8 = 44/64; kappa 12/20.
    row = coding.agreement(doubtful=False).loc["diffusion"]
    assert tuple(row[["both", "first_only", "second_only", "neither"]]) == (1, 1, 0, 6)
    assert row["kappa"] == pytest.approx(0.6)


def test_texts_that_the_first_pass_could_not_read_can_be_left_out(planted):
    # b's code then comes from elsewhere: both 1 (a), first only 2 (b, c), neither 5.
    second = planted["cases/second_pass"]
    second.loc[second["case_id"] == "b", "source_id"] = "project_second_pass"
    with data.replaced({"cases/second_pass": second}):
        row = coding.agreement(listed=True).loc["diffusion"]
        assert tuple(row[["both", "first_only", "second_only", "neither"]]) == (1, 2, 0, 5)
        assert coding.agreement().loc["diffusion", "both"] == 2


def test_passes_that_exclude_each_other_are_listed_with_the_decision(planted):
    found = coding.contradictions()
    assert found.to_dict("records") == [
        {
            "case_id": "d",
            "dimension": "initiator",
            "first": "firm",
            "second": "person",
            "decision": "firm",
            "reason": "x",
        }
    ]


def test_disagreements_by_hand(planted):
    found = coding.disagreements()
    keys = ["case_id", "dimension", "concept", "reported_by", "doubtful", "source_id"]
    assert list(found) == keys
    apart = coding.units().query("first != second")
    assert len(found) == len(apart) == 3
    told = found.set_index(["case_id", "concept"])[["reported_by", "doubtful"]]
    assert told.loc[("c", "network")].tolist() == ["first pass", False]
    assert told.loc[("d", "firm")].tolist() == ["first pass", False]
    assert told.loc[("d", "person")].tolist() == ["second pass", False]


def test_a_disagreement_is_doubtful_if_no_code_of_it_is_sure(planted):
    second = planted["cases/second_pass"].query("case_id == 'b'").assign(case_id="c")
    first = planted["cases/case_codes"].query("case_id != 'c'")
    with data.replaced({"cases/second_pass": second, "cases/case_codes": first}):
        row = coding.disagreements().set_index("case_id").loc["c"]
        assert row[["reported_by", "doubtful"]].tolist() == ["second pass", True]


# ---- the article's assertions, read twice ------------------------------------------------------


@pytest.fixture
def asserted(put):
    """Seven assertions in two sections; the readings agree on four of the five that both list."""
    frame = pd.DataFrame(
        [
            ("market", "empirical", "covered", None, "covered", "covered"),
            ("market", "cause", "covered", None, "covered", "covered"),
            ("market", "cause", "missing", "hedge_dropped", "covered", "covered"),
            ("conclusion", "cause", "missing", "no_claim", "missing", "missing"),
            ("conclusion", "cause", "excused", "background", "missing", "excused"),
            ("conclusion", "forecast", "missing", "no_claim", "missing", "not listed"),
            ("conclusion", "judgement", "excused", "judgement", "not listed", "excused"),
        ],
        columns=["section", "kind", "status", "ground", "first_reading", "second_reading"],
    )
    put("literature/coverage", frame)


def test_assertions_are_counted_in_the_order_of_the_article(asserted):
    found = literature.coverage()
    assert [*found.index[:2], found.index[-1]] == ["introduction", "market", "conclusion"]
    assert list(found.columns) == ["covered", "missing", "excused", "all"]
    assert found.loc["introduction"].tolist() == [0, 0, 0, 0]
    assert found.loc["market"].tolist() == [2, 1, 0, 3]
    assert found.loc["conclusion"].tolist() == [0, 2, 2, 4]
    assert literature.coverage("kind").loc["cause"].tolist() == [1, 2, 1, 4]
    assert literature.coverage("ground").loc["no_claim"].tolist() == [0, 2, 0, 2]
    with pytest.raises(ValueError, match="by"):
        literature.coverage("part")


def test_agreement_of_the_readings(asserted):
    found = literature.readings()
    assert [found[k] for k in ("all", "first_only", "second_only", "both", "same")] == [
        7,
        1,
        1,
        5,
        4,
    ]
    assert found["same_pct"] == 80
    # By chance 3/5 x 3/5 + 2/5 x 1/5 = 0.44 agree, so kappa is (0.8 - 0.44) / (1 - 0.44).
    assert found["kappa"] == pytest.approx(0.36 / 0.56)
    assert found["stricter"] == 1


def test_a_code_added_after_the_second_pass_counts_for_the_case_but_not_in_the_comparison(planted):
    before = coding.units(), coding.disagreements()
    first = planted["cases/case_codes"]
    later = first.query("case_id == 'a'").assign(code="training", since_second_pass=True)
    with data.replaced({"cases/case_codes": pd.concat([first, later])}):
        assert coding.reported("diffusion", "training") == {"a"}
        pd.testing.assert_frame_equal(coding.units(), before[0])
        pd.testing.assert_frame_equal(coding.disagreements(), before[1])


def test_a_contradiction_of_the_passes_stays_one_when_a_code_is_added_later(planted):
    first = planted["cases/case_codes"]
    later = first.query("case_id == 'd'").assign(code="person", since_second_pass=True)
    with data.replaced({"cases/case_codes": pd.concat([first, later])}):
        assert set(coding.contradictions()["case_id"]) == {"d"}


# ---- on the data ----------------------------------------------------------------------------


def test_every_case_has_a_line_on_what_the_second_pass_could_read():
    coverage = data.load("cases/second_coverage").set_index("case_id")
    assert set(coverage.index) == set(data.load("cases/cases")["case_id"])
    second = set(data.load("cases/second_pass")["case_id"])
    assert (coverage.loc[sorted(second), "texts_read"] > 0).all()


def test_every_contradiction_is_settled_or_left_open_with_a_reason():
    found = coding.contradictions()
    assert found["reason"].notna().all(), found[["case_id", "dimension", "first", "second"]]
    settled = data.load("cases/settled")
    concepts = set(data.load("cases/codebook")["group"]) | {"open"}
    assert set(settled["decision"]) <= concepts
    pairs = set(zip(found["case_id"], found["dimension"], strict=True))
    assert set(zip(settled["case_id"], settled["dimension"], strict=True)) <= pairs


def test_agreement_is_better_than_chance_in_every_dimension():
    assert (coding.agreement()["kappa"].dropna() > 0).all()

"""The multiverse: combinations, seeds, sums worked by hand, workers here and on a cluster."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import runpy
import shutil
import sys
import types
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from taobao_villages import LAYOUT, PACKAGE, data, inputs
from taobao_villages.book import measured
from taobao_villages.verdicts import kept as store
from taobao_villages.verdicts import ledger, multiverse
from taobao_villages.verdicts.claims import VERDICTS, Claim, ClaimError, Evidence, Rule
from taobao_villages.verdicts.words import choice_words, commoner, flip_words, verdict_line, words

SIGN = Rule(
    "Reproduced if positive.",
    lambda found: ("reproduced" if found.value > 0 else "contradicted", "By its sign."),
)


def made_up(*, shift: int = 1, base: str = "people", seed: int = 0, permutations: int = 1):
    noise = np.random.default_rng(seed).integers(10**6)
    return Evidence(
        value=shift if base == "people" else 3,
        unit="x",
        sources=["li2017"],
        details={"noise": int(noise), "permutations": permutations},
    )


def claim(**changes) -> Claim:
    choices = {"shift": (1, 0, -1), "base": ("people", "area")}
    return Claim("C15", made_up, SIGN, **({"variants": choices} | changes))


def results(rows) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"claim_id": "C15", "variant": i, "choices": choices, "verdict": verdict}
            for i, (choices, verdict) in enumerate(rows)
        ]
    )


# ---- combinations ---------------------------------------------------------------------------


def test_all_combinations_the_defaults_first():
    found = multiverse.combinations(claim())
    assert len(found) == 6
    assert found[0] == {"shift": 1, "base": "people"}
    assert len({json.dumps(c) for c in found}) == 6


def test_combinations_that_make_no_sense_are_left_out_but_never_the_default():
    kept = multiverse.combinations(claim(skip=lambda shift, base: base == "area" and shift < 1))
    assert len(kept) == 4
    assert multiverse.combinations(claim(skip=lambda **choices: True)) == kept[:1]


def test_a_claim_without_choices_is_run_once():
    assert multiverse.combinations(Claim("C15", made_up, SIGN)) == [{}]


def test_every_declared_claim_has_variants_or_says_why_not():
    for declared in ledger.declared():
        assert bool(declared.variants) != bool(declared.no_variants), declared.id
        assert len(multiverse.combinations(declared)) <= 400, declared.id


def test_the_tasks_of_all_declared_claims_stand_in_their_order(monkeypatch):
    two = [claim(variants={"shift": (1, 0)}), Claim("C16", made_up, SIGN)]
    monkeypatch.setattr(ledger, "declared", lambda: two)
    assert multiverse.tasks(permutations=9) == [
        multiverse.Task("C15", 0, {"shift": 1}, 9),
        multiverse.Task("C15", 1, {"shift": 0}, 9),
        multiverse.Task("C16", 0, {}, 9),
    ]
    assert multiverse.tasks([]) == []
    assert {task.permutations for task in multiverse.tasks()} == {multiverse.PERMUTATIONS}


# ---- one variant ----------------------------------------------------------------------------


def test_a_variant_calls_the_claims_own_function():
    task = multiverse.Task("C15", 3, {"shift": -1, "base": "people"}, 99)
    row = multiverse.judge(task, claim())
    assert (row["value"], row["verdict"]) == (-1, "contradicted")
    assert row["choices"] == task.choices


def test_the_first_variant_of_each_claim_has_the_ledgers_verdict():
    kept = store.kept()
    first = kept[kept["variant"] == 0].set_index("claim_id")["verdict"].to_dict()
    assert first == {row["id"]: row["verdict"] for row in ledger.ledger()}


def test_seeds_depend_on_the_variant_alone():
    assert multiverse.seed("C15", {"a": 1, "b": 2}) == multiverse.seed("C15", {"b": 2, "a": 1})
    others = [multiverse.seed("C16", {"a": 1, "b": 2}), multiverse.seed("C15", {"a": 2, "b": 2})]
    assert multiverse.seed("C15", {"a": 1, "b": 2}) not in others


def test_seeds_are_the_same_on_every_machine():
    digest = hashlib.sha256(b'["C15", {"a": [1, 2], "day": "2017-09-01"}]').hexdigest()
    choices = {"day": datetime.date(2017, 9, 1), "a": (1, 2)}
    assert multiverse.seed("C15", choices) == int(digest[:8], 16)


def test_number_of_permutations_and_seed_reach_the_claim():
    def evidence(*, shift: int = 1, permutations: int = 1, seed: int = 0):
        return Evidence(permutations, "x", ["li2017"], (seed, seed + shift), "by hand")

    shifted = Claim("C15", evidence, SIGN, {"shift": (1, 2)})
    rows = multiverse.run([shifted], permutations=7, jobs=1)
    seeds = [multiverse.seed("C15", {"shift": shift}) for shift in (1, 2)]
    assert rows["value"].tolist() == [7, 7]
    assert rows["low"].tolist() == seeds
    assert rows["high"].tolist() == [seeds[0] + 1, seeds[1] + 2]


def test_a_fingerprint_tells_only_what_the_rule_reads():
    def told(interval=(0, 2), **details):
        details = {"day": datetime.date(2017, 9, 1), "unread": 1} | details
        return Evidence(1, "x", ["li2017"], interval, "by hand", details=details)

    rule = Rule("Later.", lambda found: (
        "reproduced" if found.details["day"].year > 2016 else "contradicted", "So."))  # fmt: skip
    mark = multiverse.fingerprint(rule, told())
    assert len(mark) == 12
    assert multiverse.fingerprint(rule, told(unread=2)) == mark
    assert multiverse.fingerprint(rule, told(day=datetime.date(2017, 9, 2))) != mark
    assert multiverse.fingerprint(rule, told(interval=(0, 3))) != mark
    unknown = Evidence(None, "", (), limits="No data.")
    assert multiverse.fingerprint(rule, unknown) != mark


def test_details_can_be_read_in_every_way():
    details = {"a": 1, "b": 2}
    read = {}
    watched = multiverse._Watched(details, read)
    assert watched["a"] == 1
    assert read == {"a": 1}
    assert watched.get("c", 3) == 3
    assert watched.get("c") is None
    assert read == {"a": 1, "c": None}
    assert list(watched.items()) == [("a", 1), ("b", 2)]
    assert read == {"a": 1, "c": None, "b": 2}


def test_a_variant_that_fails_is_named():
    def broken(*, year: int = 2014, base: str = "people"):
        raise ValueError("no such year")

    task = multiverse.Task("C15", 0, {"year": 1066, "base": "area"}, 99)
    said = "C15 with year=1066, base='area': ValueError: no such year"
    with pytest.raises(ClaimError, match=f"^{said}$"):
        multiverse.judge(task, Claim("C15", broken, SIGN))


def test_a_variant_says_which_tables_it_read():
    task = multiverse.tasks([c for c in ledger.declared() if c.id == "C19"])[0]
    row = multiverse.judge(task)
    assert {"villages/province_year", "provinces/provinces"} <= set(row["tables"])
    assert "cases/case_codes" not in row["tables"]


# ---- what they say --------------------------------------------------------------------------


def test_a_choice_that_decides_alone_explains_everything():
    rows = results(
        ({"a": a, "b": b}, "reproduced" if a else "contradicted") for a in (1, 0) for b in (1, 0)
    )
    assert multiverse.explained(rows).to_dict() == {"a": 1.0, "b": 0.0}


def test_explained_by_hand():
    # Verdicts R R R C; disagreement 1 - (9/16 + 1/16) = 3/8. By a: {R R} and {R C} with 0 and
    # 1/2 leave (0 * 2 + 1/2 * 2) / 4 = 1/4 of it, so a explains 1 - (1/4) / (3/8) = 1/3.
    verdicts = ["reproduced", "reproduced", "reproduced", "contradicted"]
    choices = [{"a": a, "b": b} for a in (1, 0) for b in (1, 0)]
    found = multiverse.explained(results(zip(choices, verdicts, strict=True)))
    assert found.to_dict() == {"a": pytest.approx(1 / 3), "b": pytest.approx(1 / 3)}


def test_choices_and_values_in_words():
    assert words("rural_population") == "rural population"
    assert words("doubtful") == "codes the coder doubted"
    assert words(False) == "no"
    assert choice_words({"doubtful": False, "a": True}) == (
        "codes the coder doubted: left out; a: yes"
    )
    assert words((2014, 2015)) == "2014, 2015"
    assert words(("a", "b", "c", "d")) == "all 4"


def test_nothing_to_explain_where_all_agree():
    rows = results([({"a": 1}, "reproduced"), ({"a": 2}, "reproduced")])
    assert multiverse.explained(rows).empty
    assert multiverse.nearest_flip(rows) is None
    assert multiverse.summary(rows)["C15"]["sentence"] == (
        "The same verdict in all 2 variants (one result)."
    )


def test_the_nearest_flip_changes_the_fewest_choices():
    rows = results(
        [
            ({"a": 1, "b": 1}, "reproduced"),
            ({"a": 2, "b": 2}, "contradicted"),
            ({"a": 1, "b": 2}, "not reproduced"),
            ({"a": 2, "b": 1}, "reproduced"),
        ]
    )
    assert multiverse.nearest_flip(rows) == {"changes": {"b": 2}, "verdict": "not reproduced"}


def test_of_two_nearest_flips_the_choice_that_explains_more_comes_first():
    rows = results(
        [
            ({"a": 1, "b": 1}, "reproduced"),
            ({"a": 2, "b": 1}, "contradicted"),
            ({"a": 1, "b": 2}, "not reproduced"),
            ({"a": 2, "b": 2}, "not reproduced"),
        ]
    )
    assert multiverse.explained(rows).index[0] == "b"
    assert multiverse.nearest_flip(rows) == {"changes": {"b": 2}, "verdict": "not reproduced"}


def test_a_share_of_the_variation_is_told_to_a_tenth_of_a_percent():
    verdicts = ["reproduced", "reproduced", "reproduced", "contradicted"]
    choices = [{"a": a, "b": b} for a in (1, 0) for b in (1, 0)]
    rows = results(zip(choices, verdicts, strict=True))
    assert multiverse.summary(rows)["C15"]["decisive_share"] == 33.3  # a third, as above


def test_names_of_choices_are_short_enough_for_a_specification_curve():
    names = {words(name) for claim in ledger.declared() for name in claim.variants}
    assert {name for name in names if len(name) > 26 or "_" in name} == set()
    rows = results([({"doubtful": True}, "reproduced"), ({"doubtful": False}, "contradicted")])
    _, labels = multiverse.curve(rows.assign(value=1.0, low=0.0, high=2.0), "C15")
    assert labels == {"codes the coder doubted": {"counted": [0], "left out": [1]}}


def test_summary_by_hand():
    rows = multiverse.run([claim()], jobs=1)
    entry = multiverse.summary(rows)["C15"]
    assert entry["n"] == 6
    assert entry["shares"] == {"reproduced": 66.7, "contradicted": 33.3}
    assert entry["agree"] == 66.7
    assert entry["flip"] == {"changes": {"shift": 0}, "verdict": "contradicted"}
    assert "contradicted (shift: 0)" in entry["sentence"]
    # values 1, 0, -1 by people and 3 by area, whatever the shift: four results
    assert entry["outcomes"] == 4
    assert "67% of 6 variants (4 different results) agree." in entry["sentence"]
    assert entry["commonest"] == "reproduced"
    # disagreement 1 - (4/9 + 1/9) = 4/9; by shift {R R} {C R} {C R} leave 1/3, a quarter less;
    # by base {R C C} {R R R} leave 2/9, half of it
    assert entry["decisive"] == "base"
    assert entry["decisive_share"] == 50.0
    assert entry["sentence"] == (
        "67% of 6 variants (4 different results) agree. What matters most is the choice of base "
        "(50% of the variation). Nearest flip: contradicted (shift: 0)."
    )


def test_a_claim_without_a_choice_has_a_short_summary():
    entry = multiverse.summary(multiverse.run([Claim("C15", made_up, SIGN)], jobs=1))["C15"]
    assert entry["sentence"] == "No choice to vary."
    assert (entry["n"], entry["outcomes"], entry["agree"]) == (1, 1, 100)
    assert entry["decisive"] is entry["decisive_share"] is entry["flip"] is None
    assert flip_words(entry["flip"]) == "none"


def test_a_summary_keeps_the_order_of_the_claims():
    rows = multiverse.run([Claim("C16", made_up, SIGN), claim()], jobs=1)
    assert list(multiverse.summary(rows)) == ["C16", "C15"]


def test_a_default_that_is_not_the_commonest_verdict_is_told():
    rows = multiverse.run([claim(variants={"shift": (1, 0, -1)})], jobs=1)
    summed = multiverse.summary(rows)
    assert summed["C15"]["commonest"] == "contradicted"
    assert (
        "33% of 3 variants (3 different results) agree; more say contradicted (67%)."
        in (summed["C15"]["sentence"])
    )
    assert multiverse.against_default(summed) == ["C15"]
    entry = summed["C15"]
    assert commoner(entry) == "contradicted (67%)"
    assert verdict_line("reproduced", entry) == ("reproduced; more variants say contradicted (67%)")
    assert multiverse.outvoted(summed) == (
        "For 1 claim more of the variants say something else: C15: contradicted (67%)."
    )
    assert multiverse.outvoted(summed | {"C16": entry}) == (
        "For 2 claims more of the variants say something else: C15: contradicted (67%); "
        "C16: contradicted (67%)."
    )
    tied = multiverse.summary(multiverse.run([claim(variants={"shift": (1, 0)})], jobs=1))
    assert multiverse.against_default(tied) == []
    assert verdict_line("reproduced", tied["C15"]) == "reproduced"
    assert multiverse.outvoted(tied) == (
        "No claim has another verdict under more of the other choices."
    )


def test_verdicts_that_share_the_first_place_are_both_told():
    told = ["reproduced in part", *2 * ["reproduced"], *2 * ["contradicted"]]
    rows = results(({"a": number}, verdict) for number, verdict in enumerate(told))
    (entry,) = multiverse.summary(rows.assign(value=1.0, low=0.0, high=2.0)).values()
    assert commoner(entry) == "reproduced (40%) or contradicted (40%)"
    assert "; more say reproduced (40%) or contradicted (40%)." in entry["sentence"]


def inert(results: pd.DataFrame) -> list[str]:
    """Choices of one claim that change nothing of what its rule reads, in any variant.

    Parameters
    ----------
    results : DataFrame
        Rows of `run` of one claim.
    """
    found = []
    for name in results["choices"].iloc[0]:
        others = [
            json.dumps({k: v for k, v in choices.items() if k != name}, sort_keys=True, default=str)
            for choices in results["choices"]
        ]
        groups = results["reads"].groupby(others)
        if (groups.size() > 1).any() and groups.nunique().max() == 1:
            found.append(name)
    return found


def test_choices_that_the_rule_cannot_read_are_found():
    def evidence(*, shift: int = 1, colour: str = "red", label: str = "a"):
        details = {"colour": colour, "shift": shift}
        return Evidence(5, "x", ["li2017"], details=details, limits=label)

    rule = Rule("By its shift.", lambda found: (
        "reproduced" if found.details["shift"] > 0 else "contradicted", "So."))  # fmt: skip
    choices = {"shift": (1, 0), "colour": ("red", "blue"), "label": ("a", "b")}
    rows = multiverse.run([Claim("C15", evidence, rule, choices)], jobs=1)
    assert inert(rows) == ["colour", "label"]
    shuffled = rows["choices"].map(
        lambda made: dict(sorted(made.items(), reverse=made["colour"] == "red"))
    )
    assert set(inert(rows.assign(choices=shuffled))) == {"colour", "label"}


def test_a_choice_that_never_varies_alone_is_not_called_without_effect():
    together = claim(
        variants={"shift": (1, 0), "base": ("people", "area")},
        skip=lambda shift, base: (shift == 1) != (base == "people"),
    )
    rows = multiverse.run([together], jobs=1)
    assert len(rows) == 2
    assert inert(rows) == []
    assert inert(rows.assign(reads="same")) == []


# Choices that reach what the rule counts, and that change none of its counts in today's data.
# They stay, since other data could make them matter; the number of different results stands
# beside the number of variants wherever one is told.
ROBUST = {
    "C06": ["dating"],  # years of acts
    "C07": ["sources_used"],
    "C11": ["sources_used"],
    "C12": ["page_year", "sources_used"],
    "C14": ["last"],
    "C21": ["definitions"],
    "C34": ["sources", "doubtful"],
    "C38": ["tolerance"],
    "C52": ["article_as_witness"],
    "C56": ["thin_sources"],
    "C57": ["mixed", "weight"],
}


def test_every_choice_reaches_its_rule_or_is_known_to_change_nothing():
    found = {}
    for claim_id, rows in store.kept().groupby("claim_id"):
        if names := inert(rows.reset_index(drop=True)):
            found[claim_id] = names
    assert found == ROBUST


def test_the_most_sensitive_claim_comes_first_and_settled_ones_not_at_all():
    rows = pd.DataFrame(
        {
            "claim_id": ["C01"] * 4 + ["C02"] * 4 + ["C03"] * 2,
            "verdict": ["reproduced"] * 3
            + ["contradicted"]
            + ["reproduced", "contradicted"] * 2
            + ["reproduced"] * 2,
        }
    )
    assert multiverse.sensitive(rows) == ["C02", "C01"]
    assert multiverse.sensitive(rows, most=1) == ["C02"]


def test_sensitivity_is_the_chance_that_two_variants_differ():
    # C01: 1 - (1/4 + 1/4) = 0.5; C02: 1 - (0.65**2 + 0.2**2 + 0.15**2) = 0.515
    split = ["reproduced"] * 10 + ["contradicted"] * 10
    spread = ["reproduced"] * 13 + ["contradicted"] * 4 + ["not reproduced"] * 3
    rows = pd.DataFrame({"claim_id": ["C01"] * 20 + ["C02"] * 20, "verdict": split + spread})
    assert multiverse.sensitive(rows) == ["C02", "C01"]


def test_a_curve_is_sorted_and_says_where_each_choice_stands():
    rows, labels = multiverse.curve(multiverse.run([claim()], jobs=1), "C15")
    assert rows["value"].tolist() == [-1, 0, 1, 3, 3, 3]
    assert labels["base"]["area"] == [3, 4, 5]
    assert sorted(place for places in labels["shift"].values() for place in places) == list(
        range(6)
    )


def test_a_curve_sorts_equal_values_by_their_verdict():
    told = ["contradicted", "reproduced in part", "reproduced"]
    rows = results(({"a": number}, verdict) for number, verdict in enumerate(told))
    shown, labels = multiverse.curve(rows.assign(value=1.0, low=0.0, high=2.0), "C15")
    assert shown["verdict"].tolist() == told[::-1]
    assert labels == {"a": {"2": [0], "1": [1], "0": [2]}}


def test_a_curve_of_bounds_shows_the_bounds():
    rows = results([({"a": 1}, "reproduced"), ({"a": 2}, "contradicted")])
    rows = rows.assign(value=[5, 5], low=[60.0, 40.0], high=[80.0, 70.0])
    shown, _ = multiverse.curve(rows, "C15")
    assert shown["value"].tolist() == [40, 60]


def test_a_drawn_threshold_is_the_one_that_the_rule_uses():
    """No variant below it is reproduced, and none above it contradicted."""
    kept = store.kept()
    rules = {claim.id: claim.rule for claim in ledger.declared()}
    stated = {claim.id: claim.stated_value for claim in ledger.declared()}
    drawn = {key for key in multiverse.sensitive(kept) if rules[key].threshold}
    assert drawn == set(multiverse.sensitive(kept))
    for key in drawn - {"C38", "C48"}:  # a sum to be met, and a number that makes a test possible
        rows, (least, words) = multiverse.curve(kept, key)[0], rules[key].threshold
        assert words
        reproduced = rows.loc[rows["verdict"] == "reproduced", "value"]
        contradicted = rows.loc[rows["verdict"] == "contradicted", "value"]
        assert (reproduced >= least).all(), key
        assert (contradicted <= least).all(), key
    for key in ("C03", "C20", "C38"):
        assert float(stated[key].split(";")[0]) == rules[key].threshold[0]
    assert multiverse.curve(kept, "C48")[0]["value"].min() == rules["C48"].threshold[0]


def test_jiangsu_decides_the_south():
    entry = multiverse.summary(store.kept())["C20"]
    assert entry["decisive"] == "definitions"
    assert set(entry["shares"]) == {"reproduced", "reproduced in part", "contradicted"}


# ---- workers --------------------------------------------------------------------------------


def test_the_number_of_workers_changes_nothing():
    some = [c for c in ledger.declared() if c.id in ("C20", "C21")]
    one, two = (multiverse.run(some, permutations=99, jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one.drop(columns="notes"), two.drop(columns="notes"))


def test_a_cluster_gives_the_same_with_one_worker_or_two():
    from distributed import LocalCluster

    some = [c for c in ledger.declared() if c.id in ("C20", "C21", "C23")]
    here = multiverse.run(some, permutations=99, jobs=1)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        there = multiverse.run(some, permutations=99, dask=cluster.scheduler_address)
        pd.testing.assert_frame_equal(here.drop(columns="notes"), there.drop(columns="notes"))
        cluster.scale(1)
        again = multiverse.run(some, permutations=99, dask=cluster.scheduler_address)
        pd.testing.assert_frame_equal(here.drop(columns="notes"), again.drop(columns="notes"))


def test_a_cluster_with_other_data_is_refused(tmp_path):
    from distributed import LocalCluster

    other = shutil.copytree(data.folder(), tmp_path / "data")
    with (other / "villages/national.csv").open("a") as file:
        file.write("\n")
    environment = {"TAOBAO_DATA": str(other)}
    with (
        LocalCluster(n_workers=1, dashboard_address=None, env=environment) as cluster,
        pytest.raises(data.DataError, match="the data are not ours"),
    ):
        multiverse.run(dask=cluster.scheduler_address)


def test_jobs_and_progress_are_handed_on(monkeypatch):
    seen = {}

    def parallel(**options):
        seen.update(options)
        return lambda work: (function(*task, **more) for function, task, more in work)

    def track(rows, told, *, total, console, disable, **options):
        seen.update(total=total, disable=disable, stderr=console.stderr)
        return rows

    monkeypatch.setattr(multiverse.joblib, "Parallel", parallel)
    monkeypatch.setattr(multiverse, "track", track)
    assert len(multiverse.run([claim()], jobs=3)) == 6
    assert (seen["n_jobs"], seen["total"]) == (3, 6)
    assert seen["disable"]  # quiet unless asked
    assert seen["stderr"]  # standard output is for results
    multiverse.run([claim()], progress=True)
    assert seen["n_jobs"] == -1
    assert not seen["disable"]


def test_without_a_claim_there_are_columns_and_no_rows():
    none = multiverse.run([], jobs=1)
    assert none.empty
    assert list(none) == multiverse.COLUMNS


@pytest.fixture
def far_workers(monkeypatch):
    """A Dask scheduler with two workers, one of them with other data if asked; what it was told."""
    seen = types.SimpleNamespace(other="", closed=False)

    class Client:
        def __init__(self, address, timeout):
            seen.address, seen.timeout = address, timeout

        def run(self, function):
            return {"tcp://one": function(), "tcp://two": function() + seen.other}

        def map(self, function, todo, *, pure):
            seen.pure = pure
            return [function(task) for task in todo]

        def gather(self, futures):
            return futures

    @contextlib.contextmanager
    def client(address, timeout):
        yield Client(address, timeout)
        seen.closed = True

    monkeypatch.setitem(sys.modules, "distributed", types.SimpleNamespace(Client=client))
    return seen


def test_workers_elsewhere_judge_every_task_anew(far_workers):
    some = [c for c in ledger.declared() if c.id == "C21"]
    there = multiverse.run(some, permutations=9, dask="tcp://10.0.0.1:8786")
    pd.testing.assert_frame_equal(there, multiverse.run(some, permutations=9, jobs=1))
    assert far_workers.address == "tcp://10.0.0.1:8786"
    assert far_workers.timeout == "30s"
    assert far_workers.pure is False  # the tables are read: what a worker kept may be old
    assert far_workers.closed


def test_a_what_if_stays_here_since_no_worker_elsewhere_knows_of_it(far_workers):
    some = [c for c in ledger.declared() if c.id == "C21"]
    with data.replaced({"sources": data.load("sources")}):
        assert len(multiverse.run(some, permutations=9, dask="tcp://10.0.0.1:8786"))
    assert not hasattr(far_workers, "address")


def test_a_worker_elsewhere_with_other_data_is_named(far_workers):
    far_workers.other = "x"
    with pytest.raises(data.DataError) as caught:
        multiverse.run([claim()], dask="tcp://10.0.0.1:8786")
    assert str(caught.value).endswith(
        "tcp://two: the data are not ours. Remedy: install this version of the package and of "
        "its data on every worker"
    )


# ---- kept results ---------------------------------------------------------------------------


def test_results_are_kept_until_a_table_or_the_chapter_changes(tmp_path, monkeypatch):
    ran = []
    real = multiverse.run
    tables = shutil.copytree(data.folder(), tmp_path / "data")
    monkeypatch.setenv("TAOBAO_DATA", str(tables))
    some = [c for c in ledger.declared() if c.id in ("C19", "C23")]
    monkeypatch.setattr(store, "_cache", lambda: tmp_path / "kept")
    monkeypatch.setattr(ledger, "declared", lambda: some)

    def counted(which, **options):
        ran.append([c.id for c in which])
        return real(which, **options | {"jobs": 1})

    monkeypatch.setattr(multiverse, "run", counted)
    first = store.kept()
    pd.testing.assert_frame_equal(first, store.kept())
    assert ran == [["C19", "C23"]]
    table = tables / "cases" / "case_codes.csv"
    table.write_text(table.read_text("utf-8").replace("coder", "coders", 1), "utf-8")
    store.kept()
    assert ran == [["C19", "C23"], ["C23"]]
    assert set(store.kept(only=True)["claim_id"]) == {"C19", "C23"}


@pytest.fixture
def without_zhejiang(tmp_path, monkeypatch):
    """Claim C19 alone and an empty cache; the tables of a what-if that moves it."""
    some = [c for c in ledger.declared() if c.id == "C19"]
    monkeypatch.setattr(store, "_cache", lambda: tmp_path)
    monkeypatch.setattr(ledger, "declared", lambda: some)
    named = data.load("villages/province_year")
    return {"villages/province_year": named[named["province_code"] != "33"]}


def test_a_what_if_is_run_anew_and_not_kept(without_zhejiang):
    before = store.kept()
    with data.replaced(without_zhejiang):
        during = store.kept()
    assert not during["value"].equals(before["value"])
    assert store.kept(only=True)["value"].equals(before["value"])


@pytest.fixture
def two_claims(tmp_path, monkeypatch):
    """Two made-up claims, an empty cache, and the options of each run."""
    seen = []
    real = multiverse.run

    def counted(which, **options):
        seen.append(([c.id for c in which], options))
        return real(which, permutations=options["permutations"], jobs=1)

    two = [claim(), Claim("C16", made_up, SIGN, {"shift": (1, 0)})]
    monkeypatch.setattr(multiverse, "run", counted)
    monkeypatch.setattr(store, "_cache", lambda: tmp_path / "new" / "cache")
    monkeypatch.setattr(ledger, "declared", lambda: two)
    return seen


def test_results_are_kept_apart_by_the_number_of_permutations(two_claims):
    first = store.kept(permutations=9)
    assert len(first) == 8
    store.kept(permutations=9, progress=True)
    store.kept(progress=True)
    assert two_claims == [
        (["C15", "C16"], {"permutations": 9, "jobs": 1, "progress": False}),
        (["C15", "C16"], {"permutations": multiverse.PERMUTATIONS, "jobs": 1, "progress": True}),
    ]
    kept = sorted(path.name for path in store._cache().iterdir())
    assert kept == ["C15-9.json", "C15-999.json", "C16-9.json", "C16-999.json"]


def test_a_claim_that_nobody_can_know_is_computed_each_time(two_claims, monkeypatch, caplog):
    def asks(*, shift: int = 1):
        inputs.note(["unknown it asks another machine"])
        return made_up(shift=shift)

    two = [claim(), Claim("C16", asks, SIGN, {"shift": (1, 0)})]
    monkeypatch.setattr(ledger, "declared", lambda: two)
    for _ in range(2):
        assert len(store.kept(permutations=9)) == 8
    assert [which for which, _ in two_claims] == [["C15", "C16"], ["C16"]]
    assert caplog.messages == 2 * ["C16 is computed each time: it asks another machine"]
    assert set(store.kept(permutations=9, only=True)["claim_id"]) == {"C15"}


def test_results_of_the_latest_states_are_kept_and_older_ones_dropped(two_claims, monkeypatch):
    states = [f"state {number}" for number in range(store.STATES + 1)]
    for state in [*states, states[-1], states[1], states[0]]:
        monkeypatch.setattr(store._State, "_key", lambda *_, state=state: state)
        store.kept(permutations=9)
    # each state is run once; trying a change out and back is free; the oldest is run again
    assert len(two_claims) == len(states) + 1
    kept = json.loads((store._cache() / "C15-9.json").read_text("utf-8"))
    assert [record["key"] for record in kept] == [states[0], *states[:1:-1]]


def test_results_of_a_state_with_another_table_are_passed_over(two_claims):
    store.kept(permutations=9)
    path = store._cache() / "C15-9.json"
    records = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps([{**records[0], "tables": ["villages/gone"]}]), "utf-8")
    assert len(store.kept(permutations=9)) == 8
    assert len(two_claims) == 2  # C15 is run again


def test_results_are_kept_in_the_repository_or_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "PACKAGE", tmp_path / "src" / "taobao_villages")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    name = f"multiverse-{LAYOUT}"
    assert store._cache() == tmp_path / "home" / ".cache" / "taobao-villages" / name
    (tmp_path / "pyproject.toml").touch()
    assert store._cache() == tmp_path / ".cache" / name
    monkeypatch.setattr("os.access", lambda path, _: path != tmp_path)
    assert store._cache().is_relative_to(tmp_path / "home")


def test_results_that_cannot_be_kept_are_given_all_the_same(two_claims, tmp_path, caplog):
    (tmp_path / "new").touch()  # no folder can be made there
    assert len(store.kept(permutations=9)) == 8
    (told,) = caplog.messages
    assert told.startswith("the results are right but not kept")
    assert f"{tmp_path / 'new'}" in told
    assert "Remedy: " in told


def test_a_key_changes_with_tables_shared_code_and_chapter(tmp_path, monkeypatch):
    package = tmp_path / PACKAGE.name
    shutil.copytree(PACKAGE, package)
    for module in (store, inputs):
        monkeypatch.setattr(module, "PACKAGE", package)

    def key(*tables, notes=()):
        state, names = store._State(), ["claims", *tables]
        return state._key(state._notes("blooming", names, [*notes]), names)

    first = key()
    assert key("villages/national") != first
    assert key(notes=["variable TAOBAO_TRIAL"]) != first
    assert key(notes=["unknown it starts another program"]) is None
    shared = ("data/loading", "subjects/villages", "verdicts/claims")
    for name in [*shared, "chapters/blooming", "chapters/market"]:
        with (package / f"{name}.py").open("a") as file:
            file.write("# changed")
        changed = key()
        assert (changed == first) == (name == "chapters/market"), name  # C15 is of another chapter
        first = changed


def test_only_kept_results_are_shown_when_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_cache", lambda: tmp_path)
    assert store.kept(only=True).empty
    assert all("variants" not in row for row in store.ledger(only=True))


def test_variants_that_differ_from_the_verdict_are_refused(two_claims, monkeypatch):
    rows = [c.judge().as_dict() for c in ledger.declared()]
    assert len(store.ledger(rows)) == 2
    rows[0]["verdict"] = "contradicted"
    with pytest.raises(ClaimError, match=r"C15: the ledger says contradicted, .* Remedy: remove "):
        store.ledger(rows)


def test_an_entry_is_read_until_its_claim_table_or_chapter_changes(tmp_path, monkeypatch):
    tables = shutil.copytree(data.folder(), tmp_path / "data")
    monkeypatch.setenv("TAOBAO_DATA", str(tables))
    monkeypatch.setattr(store, "_cache", lambda: tmp_path / "kept")
    judged, real = [], multiverse.watched
    monkeypatch.setattr(
        multiverse, "watched", lambda claim: (judged.append(claim.id), real(claim))[1]
    )
    first = store.entries()
    assert first == json.loads(ledger.as_json(ledger.ledger()))
    assert judged == [row["id"] for row in first]
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "declared", None)  # no chapter is imported
        assert store.entries() == first
    worded = (tables / "claims.csv").read_text("utf-8")
    (tables / "claims.csv").write_text(worded.replace("E-commerce has grown", "It grew"), "utf-8")
    assert {row["id"]: row["statement"] for row in store.entries()}["C02"].startswith("It grew")
    (tables / "claims.csv").write_text(worded, "utf-8")
    codes = tables / "cases" / "case_codes.csv"
    codes.write_text(codes.read_text("utf-8").replace("coder", "coders", 1), "utf-8")
    judged.clear()
    again = {row["id"]: row for row in store.entries()}
    assert {"C23", "C24"} <= set(judged)
    assert not {"C01", "C19"} & set(judged)
    assert again["C23"]["data_version"] != first[22]["data_version"]


def test_what_a_chapter_looks_at_when_it_is_imported_counts_for_its_entries(tmp_path, monkeypatch):
    some = [c for c in ledger.declared() if c.id == "C19"]
    judged, real, asks = [], multiverse.watched, ["unknown it asks another machine"]
    monkeypatch.setattr(store, "_cache", lambda: tmp_path)
    monkeypatch.setattr(ledger, "declared", lambda: (inputs.note(asks), some)[1])
    monkeypatch.setattr(
        multiverse, "watched", lambda claim: (judged.append(claim.id), real(claim))[1]
    )
    assert store.entries() == store.entries()
    assert judged == ["C19", "C19"]
    asks.clear()
    assert store.entries() == store.entries()
    assert judged == 3 * ["C19"]


def test_an_entry_of_a_what_if_is_neither_read_nor_kept(without_zhejiang):
    before = store.entries()
    with data.replaced(without_zhejiang):
        (during,) = store.entries()
    assert during["value"] != before[0]["value"]
    assert store.entries() == before


# ---- the ledger for programs ----------------------------------------------------------------


def test_the_ledger_fits_its_schema():
    schema = json.loads((PACKAGE / "verdicts" / "ledger.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    rows = json.loads(ledger.as_json(store.ledger()))
    assert len(rows) == len(ledger.declared())
    assert list(check.iter_errors(rows)) == []
    assert list(check.iter_errors([rows[0] | {"verdict": "probably"}]))
    assert list(check.iter_errors([rows[0] | {"mood": "good"}]))


# ---- differences between ledgers ------------------------------------------------------------


def entry(**changes):
    row = {"id": "C15", "verdict": "reproduced", "rule": "If so.", "value": 1, "n": 3}
    return row | {"data_version": "0.1.0"} | changes


@pytest.mark.parametrize(
    ("new", "line"),
    [
        ([entry()], None),
        ([], "C15: gone, was reproduced"),
        ([entry(verdict="contradicted", rule="If not.")], "the rule changed"),
        (
            [entry(verdict="contradicted", value=2, data_version="0.2.0")],
            "the evidence changed (value; data 0.1.0 to 0.2.0)",
        ),
        (
            [entry(verdict="contradicted", value=2)],
            "the evidence changed (value; code or file changed, data 0.1.0 in both)",
        ),
        (
            [entry(verdict="contradicted")],
            "code or file changed: same rule text, same evidence",
        ),
        ([entry(verdict="contradicted", rule_changes=["Today."])], "the rule changed"),
        (
            [entry(verdict="contradicted", rule="If not.", value=2, n=4, data_version="0.2.0")],
            "C15: reproduced -> contradicted: the rule changed and the evidence changed "
            "(value, n; data 0.1.0 to 0.2.0)",
        ),
    ],
)
def test_what_moved_and_why(new, line):
    lines = store.moved([entry()], new)
    assert (lines == []) if line is None else (len(lines) == 1 and line in lines[0])


def test_a_new_claim_is_told():
    assert store.moved([], [entry()]) == ["C15: new, reproduced"]


def test_a_ledger_without_a_version_of_the_data_is_compared_too():
    old, new = entry(), entry(verdict="contradicted", value=2)
    del old["data_version"]
    assert store.moved([old], [new]) == [
        "C15: reproduced -> contradicted: the evidence changed (value; data ? to 0.1.0)"
    ]


# ---- placebo --------------------------------------------------------------------------------


PLACEBO = runpy.run_path(str(Path(__file__).parents[1] / "audits" / "placebo.py"))


def test_rules_seldom_find_what_is_not_there_and_mostly_what_is():
    kept = measured.stored("placebo")
    assert kept["sets"] >= 500
    assert set(kept["rates"]) <= set(PLACEBO["FLOORS"])
    for claim, kinds in kept["rates"].items():
        assert kinds["shuffled"]["reproduced"] <= PLACEBO["CEILING"], claim
        assert kinds["planted"]["reproduced"] >= PLACEBO["FLOORS"][claim], claim


def test_placebo_tries_the_claims_with_a_floor_and_no_other():
    tried = {*PLACEBO["LOCATION"], *PLACEBO["ASSOCIATION"], *PLACEBO["PARCELS"]}
    assert tried == set(PLACEBO["FLOORS"])
    declared = {claim.id for claim in ledger.declared()}
    assert tried | set(PLACEBO["LEFT_OUT"]) <= declared
    assert not tried & set(PLACEBO["LEFT_OUT"])
    rows = PLACEBO["one"](0, "planted")
    assert {row["claim_id"] for row in rows} == tried
    assert all(row["verdict"] in VERDICTS for row in rows)


# ---- calibration ----------------------------------------------------------------------------


def test_calibration_tells_which_methods_keep_their_promise_and_which_do_not():
    told = measured.stored("calibration")
    assert told["draws"] >= 2000
    rows = {(row["method"], row["kind"], row["drawn"]): row for row in told["rows"]}
    assert len(rows) == len(told["rows"])
    known = {claim.id for claim in ledger.declared()} | {"forecasts"}
    assert all(set(row["claims"]) <= known for row in rows.values())
    for (method, kind, _), row in rows.items():
        assert row["low"] <= row["percent"] <= row["high"]
        if ("ratio" in method and "exact" not in method) or row["drawn"].startswith("half"):
            continue  # those fall short, and the colophon says so
        assert row["percent"] >= 93 if kind == "interval" else row["percent"] <= 6, row


def test_the_interval_that_decides_over_counties_keeps_its_promise():
    told = measured.stored("clusters")
    assert told["draws"] >= 500
    rows = pd.DataFrame(told["rows"])
    assert not rows.duplicated(["method", "drawn"]).any()
    assert rows["percent"].between(rows["low"], rows["high"]).all()
    percent = rows.pivot(index="drawn", columns="method", values="percent")
    assert (percent["Rate ratio, dispersed, score bootstrap"].dropna() >= 93).all()
    assert (percent["Odds ratio of entry, score bootstrap"].dropna() >= 93).all()
    # Why it is there: the sandwich of the plain model is too short.
    assert (percent["Rate ratio, Poisson, sandwich"].dropna() < 93).any()


# ---- second implementation ------------------------------------------------------------------


def test_what_a_choice_explains_is_found_by_comparing_all_pairs():
    rng = np.random.default_rng(8)
    choices = [{"a": a, "b": b} for a in range(4) for b in range(6)]
    verdicts = rng.choice(["reproduced", "contradicted", "not reproduced"], size=24)
    rows = results(zip(choices, verdicts, strict=True))

    def differ(name=None):
        means = []
        for one, first in zip(choices, verdicts, strict=True):
            others = [
                first != second
                for other, second in zip(choices, verdicts, strict=True)
                if name is None or one[name] == other[name]
            ]
            means.append(np.mean(others))
        return np.mean(means)

    found = multiverse.explained(rows)
    for name in ("a", "b"):
        assert found[name] == pytest.approx(1 - differ(name) / differ())

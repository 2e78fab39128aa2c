"""What the long runs compare and count (audits/kills.py, surroundings.py, faults.py)."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from audits import faults, kills, surroundings
from taobao_villages.book import measured

# ---- builds that were killed ----------------------------------------------------------------


def test_files_are_compared_by_content_but_for_the_mark(tmp_path):
    for name, text in (("one", "killed-001, the same"), ("two", "killed-017, the same")):
        (tmp_path / name / "book").mkdir(parents=True)
        (tmp_path / name / "book" / "market.html").write_text(text, "utf-8")
        (tmp_path / name / ".buildinfo").write_text(name, "utf-8")
    one, two = kills.digests(tmp_path / "one"), kills.digests(tmp_path / "two")
    assert list(one) == ["book/market.html"]
    assert one == two
    (tmp_path / "two" / "book" / "market.html").write_text("killed-017, the sane", "utf-8")
    assert kills.differing(one, kills.digests(tmp_path / "two")) == ["book/market.html"]


def test_changed_missing_and_new_files_differ():
    assert kills.differing({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}) == [
        *"bcd"
    ]
    assert kills.differing({"a": "1"}, {"a": "1"}) == []


def test_moments_are_the_same_each_time_and_every_fourth_is_from_nothing():
    found = kills.moments(20)
    assert found == kills.moments(20)
    assert found != kills.moments(20, seed=1)
    assert [nothing for nothing, _ in found] == 5 * [True, False, False, False]
    shares = [share for _, share in found]
    assert 0 <= min(shares) < 0.2
    assert 0.8 < max(shares) <= 1


@pytest.mark.parametrize(
    ("log", "doing"),
    [
        ("", "starting"),
        ("Running Jupyter-Book\nrunning 2 notebooks on 2 cores\n", "notebooks"),
        ("running 2\n\x1b[01mreading sources... \x1b[39;49;00m[10%]\rlooking for", "reading pages"),
        ("reading sources\nwriting output... [ 5%] book/market\r", "writing pages"),
        ("writing output\nbuild succeeded.\n", "ended before"),
    ],
)
def test_the_log_tells_what_a_build_was_doing(log, doing):
    assert kills.phase(log) == doing


def test_a_marked_notebook_is_another_file_with_the_same_cells(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [{"metadata": {}, "source": ["1 + 1"]}]}), "utf-8")
    kills.mark(path, 1)
    first = path.read_bytes()
    kills.mark(path, 23)
    assert path.read_bytes() == first.replace(b"killed-001", b"killed-023") != first
    assert json.loads(first)["cells"][0]["source"] == ["1 + 1"]


def test_every_build_that_was_killed_gave_the_same_pages_in_the_end():
    kept = measured.stored("kills")
    assert len(kept["kills"]) == kept["same"] + kept["other"] >= 20
    assert [kill for kill in kept["kills"] if kill["result"] != "same"] == []
    assert kept["other"] == 0
    assert sum(kill["doing"] != "ended before" for kill in kept["kills"]) >= 0.7 * kept["same"]


# ---- notebooks elsewhere --------------------------------------------------------------------


def test_outputs_are_compared_without_number_address_and_path(tmp_path):
    output = {
        "output_type": "execute_result",
        "execution_count": 3,
        "data": {"text/plain": f"<A at 0x7f00aa00bb00> in {tmp_path}/book"},
    }
    told = surroundings.plain(output, tmp_path)
    assert told["data"]["text/plain"] == "<A at 0x> in /book"
    assert "execution_count" not in told


def test_a_notebook_that_says_something_else_or_nothing_is_named():
    expected = {"a": [1], "b": [{"text": "2"}], "c": [3]}
    assert surroundings.compare(expected, dict(expected)) == {"run": 3, "same": 3, "other": []}
    found = {"a": [1], "b": [{"text": "3"}]}
    assert surroundings.compare(expected, found) == {"run": 2, "same": 1, "other": ["b", "c"]}


def test_a_way_that_the_machine_does_not_allow_is_refused_with_a_reason():
    surroundings.allowed([])
    with pytest.raises(OSError, match=r"\w"):
        surroundings.allowed(["setpriv", "--reuid=nobody-of-that-name"])


def test_every_notebook_said_the_same_in_every_way(root):
    kept = measured.stored("surroundings")
    assert list(kept["ways"]) == list(surroundings.WAYS)
    assert kept["notebooks"] == len(list((root / "book").rglob("*.ipynb")))
    for way, told in kept["ways"].items():
        assert "why" in told or told["run"] == told["same"] == kept["notebooks"], way


# ---- the tally of the faults ----------------------------------------------------------------


def test_the_tally_is_read_from_the_report_of_the_tests():
    case = '<testcase><properties><property name="a cell" value="{}"/></properties></testcase>'
    counts = '{"named": 3, "lost": 0}'
    report = ET.fromstring(f"<suite>{case.format(counts.replace(chr(34), '&quot;'))}</suite>")
    assert faults.tally(report) == {"a cell": {"named": 3, "lost": 0}}


def test_a_planted_fault_whose_test_fails_is_lost():
    report = ET.fromstring(
        "<suite><testcase/><testcase><failure/></testcase><testcase><error/></testcase></suite>"
    )
    assert faults.one_by_one(report) == {"named": 1, "lost": 2}

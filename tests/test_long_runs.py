"""What the long runs compare, count and keep (audits and timings)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from audits import faults, kills, mutants, surroundings
from taobao_villages.book import measured
from timings import build, methods, timing


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where the long runs keep their tables, instead of the repository."""
    for name in ("timings", "audits"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(measured, "stored_in", lambda name: tmp_path / name)
    return tmp_path


def columns_of(name, *columns):
    """Some columns of a kept table."""
    return measured.table(name)[list(columns)].to_numpy().tolist()


# ---- tables that are kept -------------------------------------------------------------------


def test_rows_of_a_part_take_the_place_of_its_former_ones(place, capsys):
    for part, lost in (("faults", 0), ("mutants", 1), ("kills", 0)):
        timing.save(timing.BROKEN, part, [timing.tally(f"{part}, {n}", 9, lost) for n in "ab"])
    capsys.readouterr()
    timing.save(timing.BROKEN, "mutants", [timing.tally("mutants, c", 5, 2)])
    wanted = [
        *(["faults", "faults, a", "9", "0"], ["faults", "faults, b", "9", "0"]),
        ["mutants", "mutants, c", "3", "2"],
        *(["kills", "kills, a", "9", "0"], ["kills", "kills, b", "9", "0"]),
    ]
    assert columns_of(timing.BROKEN, "part", "what", "caught", "lost") == wanted
    said = capsys.readouterr().out
    assert "mutants, c" in said
    assert "kills" not in said
    head = (place / timing.BROKEN).read_text("utf-8").split("\n")[0]
    assert head == "part,what,tried,caught,lost,date,commit"


def test_a_table_that_cannot_be_written_stays_as_it_was(place, monkeypatch):
    timing.save(timing.BROKEN, "kills", [timing.tally("a", 9, 0)])
    before = (place / timing.BROKEN).read_bytes()

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        timing.save(timing.BROKEN, "kills", [timing.tally("b", 9, 0)])
    assert (place / timing.BROKEN).read_bytes() == before


def test_a_run_is_told_with_the_day_and_the_commit_of_now_or_its_own():
    assert timing.tally("a", 9, 0) == timing.tally("a", 9, 0, timing.stamp())
    run = {"date": "2026-01-02", "commit": "abc"}
    became = {"tried": 9, "caught": 8, "survivors": []} | run
    counts = {"tried": "9", "caught": "8", "lost": "1"}
    assert mutants.tallied("claims", became) == {"what": "Code: claims.py"} | counts | run


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((150.0, "lower bound", 100.0, "s", 5), ["150 s", "lower bound: 100 s", "1.50", "5"]),
        ((5.04, "all", 50.4, "s", 7), ["5.04 s", "all: 50.4 s", "0.10", "7"]),
        ((7423.1, "one", 0.1234567, "ms", 5, 1.1), ["7,423 ms", "one: 0.1235 ms", "1.10", "5"]),
    ],
)
def test_timings_are_told_as_ratios(values, told):
    row = timing.ratio("a thing", *values)
    assert row == dict(zip(row, ["a thing", *told, *timing.stamp().values()], strict=True))
    assert list(row) == ["what", "taken", "compared", "ratio", "runs", "date", "commit"]


def cost(seconds, log=""):
    return timing.Cost(seconds, log)


def test_a_build_from_nothing_is_compared_with_bound_notebooks_and_series(place, monkeypatch):
    monkeypatch.setattr(build.os, "cpu_count", lambda: 2)
    alone = {"market": 60.0, "multiverse": 50.0, "society": 40.0}
    monkeypatch.setattr(build, "alone", lambda folder: dict(alone))
    seconds = iter([120.0, 300.0, 140.0, 280.0, 130.0, 260.0])  # ours, in series, ours, ...
    monkeypatch.setattr(build, "build", lambda *_: cost(next(seconds)))
    build.cold(place, 3)
    assert columns_of(timing.RESULTS, "part", "taken", "compared", "ratio", "runs") == [
        ["cold", "130 s", "lower bound: 100 s", "1.30", "3"],
        ["cold", "130 s", "notebooks alone: 150 s", "0.87", "3"],
        ["cold", "130 s", "serial build: 280 s", "0.50", "3"],
    ]
    assert build.from_nothing() == 130


def test_a_build_after_a_change_is_compared_with_its_notebook_or_all(place, monkeypatch):
    row = timing.ratio("Gini", 2.0, "the library alone", 1.0, "ms", 5)
    timing.save(timing.RESULTS, "methods", [row])
    with pytest.raises(SystemExit, match=r"results\.csv.*Remedy"):
        build.rebuilds(place, 1)
    row = timing.ratio(build.FROM_NOTHING, 1500.0, "lower bound", 99.0, "s", 5)
    timing.save(timing.RESULTS, "cold", [row])
    log = "[1/1] market.ipynb 6.0 s\n"
    taken = [cost(1500.0), cost(3.0), cost(15.0), cost(12.0, log), cost(750.0, 2 * log)]
    builds = iter(taken)
    monkeypatch.setattr(build, "build", lambda *_: next(builds))
    names = ("nothing", "a word", "a cell", "a value")
    monkeypatch.setattr(build, "CHANGES", dict.fromkeys(names, lambda *_: None))
    build.rebuilds(place, 1)
    assert columns_of(timing.RESULTS, "what", "taken", "compared", "ratio")[2:] == [
        ["Built again, changed: nothing", "3 s", "from nothing: 1,500 s", "0.00"],
        ["Built again, changed: a word", "15 s", "from nothing: 1,500 s", "0.01"],
        ["Built again, changed: a cell", "12 s", "its notebook's own run: 6 s", "2.00"],
        ["Built again, changed: a value", "750 s", "from nothing: 1,500 s", "0.50"],
    ]


def test_what_the_timed_builds_change_and_patch_is_there(root, tmp_path):
    paths = ["book/course/ethics.md", "book/market.ipynb", "data/market/platform_users.csv"]
    paths.append("src/taobao_villages/chapters/market.py")
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / path, tmp_path / path)
    files = {path: (tmp_path / path).read_bytes() for path in paths}
    for name, change in build.CHANGES.items():
        change(tmp_path, 1)
        after = {path: (tmp_path / path).read_bytes() for path in paths}
        assert sum(after[path] != files[path] for path in paths) == (name != "nothing"), name
        files = after
    patched = build.SERIAL.partition("from jupyter_book")[0]
    subprocess.run([sys.executable, "-c", f"{patched}\n{SAME}"], check=True)


# The build of the book sees what was put in place of the runner and of the warm server.
SAME = """
assert build.run_notebooks(["a"], None, None, None) == {"a": notebooks.Ran("serial", "", ())}
assert build.kernels.warm(enough=True).__enter__() is None
"""


def test_growth_is_told_by_size_with_the_slope_of_logarithms(monkeypatch):
    monkeypatch.setattr(methods, "village_world", lambda n: n)
    monkeypatch.setattr(methods, "steps", lambda n: {"Gini": n})
    monkeypatch.setattr(methods, "median_seconds", lambda n: n**2 / 1e7)
    monkeypatch.setattr(methods, "peak", lambda n: n / 1e3)
    (row,) = methods.growth()
    told = {"1,000 places, s": "0.1", "10,000 places, s": "10", "100,000 places, s": "1,000"}
    slopes = {"Time grows as": "2.00", "Memory as": "1.00"}
    assert row == {"Method": "Gini"} | told | slopes | timing.stamp()


def test_methods_for_counties_are_told_by_seconds_and_megabytes(monkeypatch):
    monkeypatch.setattr(methods, "spatial_world", lambda n: n)
    monkeypatch.setattr(methods, "county_world", lambda n: n)
    monkeypatch.setattr(methods, "spatial_steps", lambda n: {"Lorenz curve": n})
    monkeypatch.setattr(methods, "clustered_steps", lambda n: {"usable units": 10 * n})
    monkeypatch.setattr(methods, "median_seconds", lambda n, runs: n / 1e4)
    monkeypatch.setattr(methods, "peak", lambda n: n / 1e3)
    first, second = methods.clusters()
    told = {"2,855 units, s": "0.2855", "2,855 units, MB": "3"}
    told |= {"50,000 units, s": "5", "50,000 units, MB": "50", "Time grows as": "1.00"}
    assert first == {"Method": "Lorenz curve"} | told | timing.stamp()
    assert second["50,000 units, s"] == "50"


# ---- builds that were killed ----------------------------------------------------------------


def test_files_are_compared_by_content_but_for_the_mark(tmp_path):
    for name, text in (("one", "killed-001, the same"), ("two", "killed-017, the same")):
        (tmp_path / name / "book").mkdir(parents=True)
        (tmp_path / name / "book" / "market.html").write_text(text, "utf-8")
    one, two = kills.digests(tmp_path / "one"), kills.digests(tmp_path / "two")
    assert list(one) == ["book/market.html"]
    assert one == two
    (tmp_path / "two" / "book" / "market.html").write_text("killed-017, the sane", "utf-8")
    (tmp_path / "two" / ".buildinfo").write_text("config: 1", "utf-8")
    differ = kills.differing(one, kills.digests(tmp_path / "two"))
    assert differ == [".buildinfo", "book/market.html"]  # every file counts


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


def test_a_build_that_ended_before_its_moment_was_not_killed():
    doing = [("notebooks", "same"), ("writing pages", "other"), ("ended before", "same")]
    row = kills.tallied([{"doing": one, "result": result} for one, result in doing])
    assert row == timing.tally("Build killed and run again", 2, 1)


def test_every_build_that_was_killed_gave_the_same_pages_in_the_end():
    ((tried, caught, lost),) = [row[1:] for row in broken("kills")]
    assert int(tried) == int(caught) >= 20
    assert lost == "0"


def broken(part):
    """What one audit did, how often, caught and lost."""
    kept = columns_of(timing.BROKEN, "part", "what", "tried", "caught", "lost")
    return [row[1:] for row in kept if row[0] == part]


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


def test_a_way_is_told_with_the_notebooks_that_say_something_else():
    became = {"run": 4, "same": 3, "other": ["market"]}
    assert surroundings.tallied("twice", became) == timing.tally("Notebooks: twice", 4, 1)
    refused = surroundings.tallied("offline", {"run": 0, "same": 0, "other": [], "why": "no right"})
    assert list(refused.values())[:4] == ["Notebooks: offline", "not tried", "", ""]
    assert list(refused) == list(timing.tally("Notebooks: offline", 0, 0))


def test_every_notebook_said_the_same_in_every_way(root):
    kept = broken("surroundings")
    assert [row[0] for row in kept] == [f"Notebooks: {way}" for way in surroundings.WAYS]
    number = str(len(list((root / "book").rglob("*.ipynb"))))
    for way, *counts in kept:
        assert counts in (["not tried", "", ""], [number, number, "0"]), way


# ---- the tally of the faults ----------------------------------------------------------------


def test_the_tally_is_read_from_the_report_of_the_tests():
    case = '<testcase><properties><property name="a cell" value="{}"/></properties></testcase>'
    counts = '{"named": 3, "lost": 0}'
    report = ET.fromstring(f"<suite>{case.format(counts.replace(chr(34), '&quot;'))}</suite>")
    assert faults.outcomes(report) == {"a cell": {"named": 3, "lost": 0}}


def test_a_planted_fault_whose_test_fails_is_lost():
    report = ET.fromstring(
        "<suite><testcase/><testcase><failure/></testcase><testcase><error/></testcase></suite>"
    )
    assert faults.one_by_one(report) == {"named": 1, "lost": 2}


def test_what_was_broken_is_counted_without_what_is_harmless():
    kinds = {"a cell": {"named": 5, "harmless": 3, "lost": 2}, "one": {"named": 4, "lost": 0}}
    assert faults.tallied(kinds) == [
        timing.tally("Data: a cell", 7, 2),
        timing.tally("Data: one", 4, 0),
    ]


def test_rows_agree_with_what_else_their_run_kept():
    columns = ("what", "tried", "caught", "lost", "date", "commit")
    kept = columns_of(timing.BROKEN, *columns)
    run = measured.stored("faults")
    again = [
        row | {key: run[key] for key in ("date", "commit")} for row in faults.tallied(run["kinds"])
    ]
    again += [mutants.tallied(name, became) for name, became in measured.stored("mutants").items()]
    assert len(again) > 8
    assert [[row[key] for key in columns] for row in again] == kept[: len(again)]

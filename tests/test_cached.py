"""Results kept inside a process: never those of other tables, other files or another folder."""

import os
import shutil
import threading
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from taobao_villages import data
from taobao_villages.chapters import conclusion, sustainability
from taobao_villages.data import loading
from taobao_villages.subjects import coding
from taobao_villages.verdicts import ledger

TABLE = "market/platform_users"
runs: list[object] = []


@data.cached
def rows(step=1, *, names=()):
    runs.append(step)
    return len(data.load(TABLE)) * step


@data.cached
def frame():
    cells = pd.Series([["a"], ["b"]], dtype=object)
    return pd.DataFrame({"number": [1.0, 2.0], "cells": cells}), [np.zeros(2)], {"k": [1]}


@pytest.fixture(autouse=True)
def nothing_kept():
    runs.clear()
    rows.cache_clear()
    frame.cache_clear()


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the data that `data` reads."""
    shutil.copytree(data.folder(), tmp_path / "data")
    monkeypatch.setenv("TAOBAO_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def shorter(number):
    return {TABLE: data.load(TABLE).head(number)}


def cut(path):
    """Take the last row off a file."""
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:-1]), "utf-8")


# ---- the same result as without ---------------------------------------------------------------


def test_a_result_is_computed_once():
    assert [rows(), rows(), rows(1), rows(step=1)] == [len(data.load(TABLE))] * 4
    assert runs == [1]


def test_equal_arguments_of_other_types_are_other_arguments():
    assert [type(rows(step)) for step in (1, 1.0, True)] == [int, float, int]
    assert len(runs) == 3
    for names in ((1,), (True,), [1], {1}, {1: 2}, {1: True}):
        rows(names=names)
        rows(names=names)
    assert len(runs) == 9


def test_what_may_change_is_no_key():
    state = np.random.default_rng(1)
    rows(names=state)
    rows(names=state)
    rows(names=[np.zeros(1)])
    rows(names=[np.zeros(1)])
    assert len(runs) == 4
    with pytest.raises(TypeError, match="unexpected keyword"):
        rows(nothing=1)


def test_a_what_if_is_computed_anew_also_nested_and_after_an_error():
    whole = rows()
    with data.replaced(shorter(5)):
        assert rows() == 5
        with data.replaced(shorter(3)):
            assert rows() == 3
        with suppress(RuntimeError), data.replaced(shorter(2)):
            assert rows() == 2
            raise RuntimeError
        assert rows() == 5
    assert rows() == whole
    with data.replaced(shorter(4)):
        assert rows() == 4
    assert runs == [1] * 5


def test_a_frame_that_is_changed_inside_the_block_counts_as_it_was():
    made = shorter(3)
    with data.replaced(made):
        assert rows() == 3
        made[TABLE]["platform"] = "another"
        assert "another" not in set(data.load(TABLE)["platform"])


def test_a_what_if_of_one_thread_is_not_seen_by_others():
    inside, told = threading.Barrier(2, timeout=60), {}

    def what_if():
        with data.replaced(shorter(3)):
            told["what-if"] = rows()
            inside.wait()
            inside.wait()
            told["again"] = rows()

    thread = threading.Thread(target=what_if)
    thread.start()
    inside.wait()
    told["here"] = rows()
    inside.wait()
    thread.join()
    assert told == {"what-if": 3, "again": 3, "here": len(data.load(TABLE))}


def test_a_file_that_changes_is_seen(copy):
    before = rows()
    with data.steady():
        cut(copy / f"{TABLE}.csv")
        assert rows() == before  # as it was at the start of the block
    with pytest.raises(data.DataError, match="rows"):
        rows()


def test_a_change_that_keeps_the_time_of_the_file_is_seen(copy):
    path, number = copy / f"{TABLE}.csv", rows()
    text, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(text + text.splitlines(keepends=True)[-1].replace(b"alibaba", b"alibabb"))
    os.utime(path, ns=times)
    with suppress(data.DataError):  # the row may be refused, but it was seen
        assert rows() == number + 1
    assert len(runs) == 2


def test_another_folder_is_seen_inside_a_process(copy, monkeypatch):
    before = rows()
    monkeypatch.delenv("TAOBAO_DATA")
    assert rows() == before
    assert len(runs) == 2
    with data.steady():
        rows()
        monkeypatch.setenv("TAOBAO_DATA", str(copy))
        rows()
    assert len(runs) == 3


def test_a_failure_is_not_kept():
    @data.cached
    def fails():
        runs.append(0)
        raise ValueError("once")

    for _ in range(2):
        with pytest.raises(ValueError, match="once"):
            fails()
    assert runs == [0, 0]


# ---- what callers get -------------------------------------------------------------------------


def test_tables_are_told_also_when_the_result_was_kept():
    @data.cached
    def outer():
        data.load("claims")
        return rows()

    for _ in range(2):
        with data.reads() as read:
            outer()
        assert read == {"claims", TABLE}
    with data.reads() as read:
        rows()
    assert read == {TABLE}
    assert runs == [1]


def test_nobody_changes_what_is_kept():
    for _ in range(3):
        table, arrays, mapping = frame()
        assert table["number"].tolist() == [1, 2]
        assert table["cells"].tolist() == [["a"], ["b"]]
        assert table["cells"].dtype == object
        assert (arrays[0].tolist(), mapping) == ([0, 0], {"k": [1]})
        assert (table.index.name, table.attrs) == (None, {})
        table["cells"].iloc[0].append("spoilt")
        table.index.name, table.attrs["a"] = "spoilt", 1
        table["number"] = 9.0
        arrays[0][0] = 9
        mapping["k"].append(9)


def test_what_is_kept_does_not_follow_a_list_held_elsewhere():
    held = [1]

    @data.cached
    def given():
        return held

    given()
    held.append(2)
    assert given() == [1]


def test_integers_that_may_lack_are_not_shared():
    @data.cached
    def series():
        return pd.Series([1, 2], dtype="Int64")

    series().array[0] = 9
    assert series().tolist() == [1, 2]


def test_what_is_read_once_is_refused():
    @data.cached
    def lines():
        yield from data.load(TABLE)["platform"]

    @data.cached
    def pairs():
        return zip([1], [2], strict=True)

    for function in (lines, pairs):
        with pytest.raises(TypeError, match=f"{function.__name__} gives an iterator"):
            function()


def test_only_so_many_results_are_kept():
    for step in range(loading.KEPT + 1):
        rows(step)
    rows(loading.KEPT)
    assert len(runs) == loading.KEPT + 1
    rows(0)
    assert len(runs) == loading.KEPT + 2


# ---- in the book ------------------------------------------------------------------------------


def test_chance_is_drawn_anew_in_a_what_if():
    before = sustainability.chance(draws=99)
    villages = data.load("villages/county_year")
    with data.replaced({"villages/county_year": villages[villages.index % 2 == 0]}):
        assert sustainability.chance(draws=99).mean() < before.mean()
    assert (sustainability.chance(draws=99) == before).all()


def test_the_balance_sees_a_what_if():
    before = conclusion.balance()
    with data.replaced({"cases/case_codes": data.load("cases/case_codes").iloc[:0]}):
        assert not conclusion.balance().equals(before)
    assert conclusion.balance().equals(before)


def test_the_words_of_a_claim_follow_the_table():
    claim = ledger.declared()[0]
    said = claim.statement
    table = data.load("claims").assign(paraphrase="Other words.")
    with data.replaced({"claims": table}):
        assert claim.statement == "Other words."
    assert claim.statement == said


def test_codes_of_a_what_if_reach_what_is_kept_above_them():
    before = coding.codes()
    with data.replaced({"cases/case_codes": data.load("cases/case_codes").iloc[:7]}):
        assert len(coding.codes()) == 7
    assert coding.codes().equals(before)


def test_no_other_cache_depends_on_the_data(root):
    """The data's own caches know the files' stamp; everywhere else there is `data.cached`."""
    pure = {"early_acts_needed"}  # no table, only numbers
    found = set()
    for folder in ("subjects", "chapters", "verdicts", "explorer", "figures"):
        for path in (root / "src/taobao_villages" / folder).rglob("*.py"):
            lines = path.read_text("utf-8").splitlines()
            for line, below in zip(lines, [*lines[1:], ""], strict=True):
                if line.strip().startswith(("@cache", "@lru_cache", "@functools")):
                    found.add(below.split("def ")[-1].split("(")[0])
    assert found == pure

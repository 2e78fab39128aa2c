"""The comparison of two builds names each file that differs, and where."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest

BENCHMARK = runpy.run_path(str(Path(__file__).parents[1] / "audits" / "two_clones.py"))
differences = BENCHMARK["differences"]


@pytest.fixture
def builds(tmp_path: Path) -> tuple[Path, Path]:
    """Two equal folders of pages."""
    folders = tmp_path / "one", tmp_path / "other"
    for folder in folders:
        (folder / "book").mkdir(parents=True)
        (folder / "book" / "market.html").write_text("<p>the same</p>", "utf-8")
        (folder / "ledger.json").write_text("[1, 2]", "utf-8")
    return folders


def test_equal_builds_have_no_difference(builds):
    assert differences(*builds) == []


def test_a_changed_byte_is_named_with_its_file_and_place(builds):
    one, other = builds
    (other / "ledger.json").write_text("[1, 3]", "utf-8")
    assert differences(one, other) == ["ledger.json: byte 4: '[1, 2]' against '[1, 3]'"]


def test_a_file_of_the_same_size_and_time_is_read_all_the_same(builds):
    one, other = builds
    (other / "book" / "market.html").write_text("<p>The same</p>", "utf-8")
    for folder in builds:
        os.utime(folder / "book" / "market.html", (0, 0))
    (line,) = differences(one, other)
    assert line.startswith("book/market.html: byte 3:")


def test_a_missing_file_and_one_too_many_are_named(builds):
    one, other = builds
    (other / "ledger.json").unlink()
    (other / "new.png").write_bytes(b"\x89PNG")
    found = differences(one, other)
    assert found == [f"ledger.json: only in {one}", f"new.png: only in {other}"]


def test_a_longer_file_differs_at_the_end_of_the_shorter(builds):
    one, other = builds
    (other / "ledger.json").write_text("[1, 2]\n", "utf-8")
    (line,) = differences(one, other)
    assert line.startswith("ledger.json: byte 6:")


def test_nothing_built_is_not_equal(builds, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="build the book first"):
        differences(builds[0], tmp_path / "empty")


def test_hidden_files_are_compared_as_all_others(builds):
    one, other = builds
    (one / ".buildinfo").write_text("config: 1", "utf-8")
    (other / ".buildinfo").write_text("config: 2", "utf-8")
    (other / ".nojekyll").touch()
    line, differs = differences(one, other)
    assert line == f".nojekyll: only in {other}"
    assert differs.startswith(".buildinfo: byte 8:")

"""Random faults in random files of the data package: none passes without a word.

A faulty copy must be refused. Either its content shows the fault, and the line names file, row,
column and remedy; or only the seal shows it, since nothing but the sealed files can tell a number
from another one that is as likely. What the seal alone refuses has other numbers or the same
ones: in neither case may the check be silent.

    pytest tests/test_faults.py --hypothesis-profile=deep     (make audit-deep: 100 a kind)

The profiles stand in conftest.py; audits/faults.py keeps what the long run finds.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from taobao_villages import PACKAGE, data
from taobao_villages.book import measured
from taobao_villages.data.files import resources

SOURCE = PACKAGE.parents[1] / "data"
# File, row (or another place in it), column, and what to do. A column's title may hold a colon.
SAID = re.compile(
    r"data/[\w/.]+(, row \d+(, column .+?)?|, province_code \w+|, key version|, [\w/]+, key \w+"
    r"|, \$[^:]*)?: "
    r".+ Remedy: .{8,}",
    re.S,
)
PLACED = re.compile(r"data/[\w/.]+\.csv, row \d+, column .+?: ", re.S)
TABLES = data.tables()


def wrong_cell(cell: str) -> st.SearchStrategy[str]:
    """Another content for a cell: slips of hand, of a spreadsheet, of a keyboard."""
    slips = [
        st.sampled_from(["", "NaN", "0", "-1", "1e3", "1_000", " ", "n/a", "2015", "true", "\x00"]),
        st.text(max_size=6),
        st.just(cell + " "),
        st.just(" " + cell),
        st.just(cell.upper()),
        st.just(cell.translate({ord(str(d)): chr(0xFF10 + d) for d in range(10)})),
        st.just(cell.replace(".", ",")),
        st.just(f'"{cell}'),
    ]
    if re.fullmatch(r"-?\d+(\.\d+)?", cell):
        number = float(cell)
        for factor, more in ((1, 1), (1, -1), (10, 0), (0.1, 0), (-1, 0), (1.05, 0)):
            slips.append(st.just(f"{number * factor + more:.10g}"))
    return st.one_of(slips)


def in_cell(draw, rows):
    row, column = place(draw, rows)
    rows[row][column] = draw(wrong_cell(rows[row][column]))


def number_changed(draw, rows):
    """Another number, as likely as the one that stood there."""
    places = [
        (row, column)
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
        if row and re.fullmatch(r"\d+(\.\d+)?", cell)
    ]
    if places:
        row, column = draw(st.sampled_from(places))
        factor = draw(st.sampled_from([0.1, 0.9, 1.05, 1.5, 2, 10]))
        decimals = len(rows[row][column].partition(".")[2])
        rows[row][column] = f"{float(rows[row][column]) * factor:.{decimals}f}"


def in_a_neighbour(draw, rows):
    """Two cells of a row change places."""
    row, column = place(draw, rows)
    other = draw(st.integers(0, len(rows[0]) - 1))
    rows[row][column], rows[row][other] = rows[row][other], rows[row][column]


def from_another_row(draw, rows):
    """A cell gets the content of the same column in another row."""
    row, column = place(draw, rows)
    rows[row][column] = rows[draw(st.integers(1, len(rows) - 1))][column]


def row_taken_out(draw, rows):
    del rows[place(draw, rows)[0]]


def row_twice(draw, rows):
    rows.append(list(rows[place(draw, rows)[0]]))


def row_twice_but_for_a_cell(draw, rows):
    row, column = place(draw, rows)
    fresh = list(rows[row])
    fresh[column] = draw(wrong_cell(fresh[column]))
    rows.append(fresh)


def rows_swapped(draw, rows):
    one, two = place(draw, rows)[0], place(draw, rows)[0]
    rows[one], rows[two] = rows[two], rows[one]


def row_cut(draw, rows):
    row, column = place(draw, rows)
    del rows[row][column:]


def row_with_one_more(draw, rows):
    row, column = place(draw, rows)
    rows[row].insert(column, draw(st.text(max_size=3)))


def column_taken_out(draw, rows):
    column = place(draw, rows)[1]
    for row in rows:
        del row[column]


def column_renamed(draw, rows):
    rows[0][place(draw, rows)[1]] = draw(st.text(max_size=8))


def column_shifted(draw, rows):
    """The contents of a column slip down by a row."""
    column = place(draw, rows)[1]
    cells = [row[column] for row in rows[1:]]
    for row, cell in zip(rows[1:], cells[-1:] + cells[:-1], strict=True):
        row[column] = cell


def columns_swapped(draw, rows):
    one, two = place(draw, rows)[1], place(draw, rows)[1]
    for row in rows[draw(st.integers(0, 1)) :]:  # with their titles, or without
        row[one], row[two] = row[two], row[one]


def place(draw, rows) -> tuple[int, int]:
    """Any row but the header, and any column."""
    return draw(st.integers(1, len(rows) - 1)), draw(st.integers(0, len(rows[0]) - 1))


def bytes_cut(draw, raw: bytes) -> bytes:
    return raw[: draw(st.integers(0, len(raw) - 1))]


def byte_changed(draw, raw: bytes) -> bytes:
    at = draw(st.integers(0, len(raw) - 1))
    return raw[:at] + bytes([draw(st.integers(0, 255))]) + raw[at + 1 :]


def part_lost(draw, raw: bytes) -> bytes:
    at = draw(st.integers(0, len(raw) - 1))
    return raw[:at] + raw[at + draw(st.integers(1, 4096)) :]


def part_twice(draw, raw: bytes) -> bytes:
    at = draw(st.integers(0, len(raw) - 1))
    end = at + draw(st.integers(1, 4096))
    return raw[:end] + raw[at:end] + raw[end:]


def line_ends_of_windows(draw, raw: bytes) -> bytes:
    return raw.replace(b"\n", b"\r\n")


def another_encoding(draw, raw: bytes) -> bytes:
    return raw.decode("utf-8").encode(draw(st.sampled_from(["utf-16", "utf-8-sig", "gb18030"])))


KINDS = {
    "another number": [number_changed],
    "a cell": [in_cell, in_a_neighbour, from_another_row],
    "a row": [
        row_taken_out, row_twice, row_twice_but_for_a_cell, rows_swapped, row_cut,
        row_with_one_more,
    ],
    "a column": [column_taken_out, column_renamed, column_shifted, columns_swapped],
    "the bytes of a file": [
        bytes_cut, byte_changed, part_lost, part_twice, line_ends_of_windows, another_encoding,
    ],
    "the package's description": [bytes_cut, byte_changed, part_lost, part_twice],
}  # fmt: skip
OUTCOMES = ("named with its row", "named", "refused by the seal alone", "harmless", "lost")


@dataclass(frozen=True)
class Fault:
    """A file's path and its new content, which is not printed."""

    path: str
    change: str
    raw: bytes = field(repr=False)


@st.composite
def planted(draw, kind: str) -> Fault:
    """A file of the data package with one fault of a kind."""
    change = draw(st.sampled_from(KINDS[kind]))
    if kind in ("the bytes of a file", "the package's description"):
        described = ["datapackage.json", "versions.json"]
        path = draw(st.sampled_from(paths() if kind == "the bytes of a file" else described))
        return Fault(path, change.__name__, change(draw, (SOURCE / path).read_bytes()))
    path = data.schema(draw(st.sampled_from(TABLES)))["path"]
    rows = list(csv.reader(io.StringIO((SOURCE / path).read_text(encoding="utf-8"))))
    change(draw, rows)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return Fault(path, change.__name__, out.getvalue().encode("utf-8", "surrogatepass"))


def paths() -> list[str]:
    return [about["path"] for about in resources().values()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the data that `data` reads."""
    copied = shutil.copytree(SOURCE, tmp_path_factory.mktemp("faults") / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAOBAO_DATA", str(copied))
        assert data.check() == []
        yield copied
        assert data.check() == [], "a test did not put back what it changed"


@pytest.fixture(scope="module")
def tally():
    """How often each kind of fault had each outcome."""
    return {kind: Counter() for kind in KINDS}


def outcome(folder: Path, path: str, raw: bytes) -> str:
    """What becomes of the copy with other bytes in a file; then they are put back."""
    before = (folder / path).read_bytes()
    if raw == before:
        return "harmless"
    (folder / path).write_bytes(raw)
    try:
        lines = data.check()
    except data.DataError as error:
        lines = error.faults
    finally:
        (folder / path).write_bytes(before)
    if not lines:
        assert path in ("datapackage.json", "versions.json"), f"{path}: the check says nothing"
        return "harmless"  # the values and their checksums are as they were
    assert [line for line in lines if not SAID.fullmatch(line)] == []
    content = [line for line in lines if ", key version: " not in line]
    if not content:
        return "refused by the seal alone"
    return "named with its row" if any(map(PLACED.match, content)) else "named"


@pytest.mark.parametrize("kind", KINDS)
def test_no_random_fault_passes_without_a_word(folder, tally, kind):
    @given(planted(kind))
    def plant(fault):
        path, raw = fault.path, fault.raw
        tally[kind]["lost"] += 1  # until we know better
        found = outcome(folder, path, raw)
        event(found)
        tally[kind]["lost"] -= 1
        tally[kind][found] += 1

    plant()


def test_what_became_of_them_is_told(tally, record_property):
    """The table of the colophon counts these, see audits/faults.py."""
    for kind, counts in tally.items():
        record_property(kind, json.dumps({name: counts[name] for name in OUTCOMES}))
    for kind, counts in tally.items():
        assert counts["lost"] == 0
        assert counts["named with its row"] + counts["named"] > 0, "no fault was planted"
        if kind == "another number":
            assert counts["refused by the seal alone"] > 0, "every fault showed by itself"


def test_a_title_with_a_colon_is_read_as_the_columns():
    line = "data/claims.csv, row 1, column a: b: not described. Remedy: take it out"
    assert SAID.fullmatch(line)
    assert PLACED.match(line)
    assert not SAID.fullmatch("data/claims.csv, row 1, column a: b: not described")


# ---- the kept results of the long run -------------------------------------------------------


def test_every_kind_was_tried_at_length_and_nothing_was_lost():
    kept = measured.stored("faults")
    assert list(kept["kinds"]) == [*KINDS, "planted one by one"]
    assert {kind: told["lost"] for kind, told in kept["kinds"].items() if told["lost"]} == {}
    random = {kind: sum(kept["kinds"][kind].values()) for kind in KINDS}
    assert min(random.values()) >= 100
    assert sum(random.values()) == kept["examples"]

"""A notebook runs again when what it read has changed, and only then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from taobao_villages import data
from taobao_villages.book import notebooks
from taobao_villages.book.reads import VARIABLE, Reads

CNNIC, USERS = "market/cnnic", "market/platform_users"


def traced(tmp_path, code):
    """Paths that a process opened which ran `code`."""
    log = tmp_path / "log.txt"
    environment = os.environ | {VARIABLE: str(log)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, cwd=tmp_path)
    return set(log.read_text("utf-8").splitlines())


def path_of(table):
    return data.folder() / data.schema(table)["path"]


def test_every_table_and_the_outlines_are_noted_when_loaded(tmp_path):
    code = (
        "from taobao_villages import data\n[data.load(t) for t in data.tables()]\ndata.outlines()"
    )
    found = traced(tmp_path, code)
    wanted = [data.folder() / "geo/provinces.geojson", data.folder() / "datapackage.json"]
    wanted += [path_of(table) for table in data.tables()]
    assert {str(path) for path in wanted} <= found


def test_a_table_is_noted_with_those_that_it_refers_to_and_no_other(tmp_path):
    found = traced(tmp_path, f"from taobao_villages import data\ndata.load({CNNIC!r})")
    tables = {p for p in found if p.startswith(str(data.folder())) and p.endswith(".csv")}
    assert tables == {str(path_of(CNNIC)), str(path_of("sources"))}


def test_what_is_written_is_not_read_and_what_is_missing_is_noted(tmp_path):
    code = "import taobao_villages\nopen('out.txt', 'w').close()\n"
    found = traced(tmp_path, code + "try: open('in.txt')\nexcept FileNotFoundError: pass")
    assert str(tmp_path / "out.txt") not in found
    assert str(tmp_path / "in.txt") in found


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs notebooks on a copy of the data; returns the text output of each."""
    tables = tmp_path / "data"
    shutil.copytree(data.folder(), tables)
    monkeypatch.setenv("TAOBAO_DATA", str(tables))
    folder = tmp_path / "book"
    folder.mkdir()

    def execute(**cells):
        paths = []
        for name, cell in cells.items():
            cell += f"\nwith open('{name}.ran', 'a') as file:\n    print('x', file=file)"
            note = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell, id="c")])
            paths.append(folder / f"{name}.ipynb")
            paths[-1].write_text(nbformat.writes(note), "utf-8")
        reads = Reads(tmp_path / "reads", "code", tmp_path)
        execute.keys = notebooks.run_notebooks(paths, tmp_path / "jupyter", reads)
        return {p.stem: len((folder / f"{p.stem}.ran").read_text().split()) for p in paths}

    execute.folder = tmp_path
    return execute


def change(table):
    path = path_of(table)
    rows = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([rows[0], *reversed(rows[1:])]), "utf-8")


def test_only_the_notebook_whose_table_changed_runs_again(run):
    start = "from taobao_villages import data\n"
    workers = "import joblib\njoblib.Parallel(n_jobs=2)(joblib.delayed(data.load)(t) for t in {})"
    cells = {
        "one": start + f"data.load({CNNIC!r})",
        "other": start + f"data.load({USERS!r})",
        "both": start + workers.format([CNNIC, USERS]),
        "plain": f"open({str(path_of(CNNIC))!r}).read()",  # without the package
    }
    assert run(**cells) == dict.fromkeys(cells, 1)
    assert run(**cells) == dict.fromkeys(cells, 1)
    change(CNNIC)
    assert run(**cells) == {"one": 2, "other": 1, "both": 2, "plain": 2}
    change(USERS)
    assert run(**cells) == {"one": 2, "other": 2, "both": 3, "plain": 2}
    change("sources")  # every table is checked against it
    assert run(**cells) == {"one": 3, "other": 3, "both": 4, "plain": 2}


def test_what_is_edited_while_a_notebook_runs_is_read_by_the_next_build(run):
    path = path_of(CNNIC)
    edit = f"text = open({str(path)!r}).read()\nopen({str(path)!r}, 'a').write(' ')"
    assert run(one=edit) == {"one": 1}
    assert run(one=edit) == {"one": 2}


def test_what_is_edited_and_put_back_while_a_notebook_runs_is_run_again(run):
    path = path_of(CNNIC)
    edit = f"p = {str(path)!r}\nt = open(p).read()\nopen(p, 'w').write('')\nopen(p, 'w').write(t)"
    assert run(one=edit) == {"one": 1}
    assert run(one=edit) == {"one": 2}
    assert run(other=f"open({str(path)!r}).read()") == {"other": 1}
    assert run(other=f"open({str(path)!r}).read()") == {"other": 1}


def test_code_written_after_the_build_began_gives_a_key_that_no_later_build_asks_for(
    tmp_path, monkeypatch
):
    notebook = tmp_path / "a.ipynb"
    notebook.write_text("{}")
    reads = Reads(tmp_path / "reads", "code", tmp_path)
    assert reads.note(notebook, []) == reads.key(notebook)
    monkeypatch.setattr(reads, "began", 0.0)
    assert reads.note(notebook, []) != reads.key(notebook)


def test_a_template_written_after_the_build_began_counts_as_code_and_bytecode_does_not(
    tmp_path, monkeypatch
):
    package = tmp_path / "package"
    (package / "__pycache__").mkdir(parents=True)
    monkeypatch.setattr("taobao_villages.book.reads.ROOT", package)
    notebook = tmp_path / "a.ipynb"
    notebook.write_text("{}")
    reads = Reads(tmp_path / "reads", "code", tmp_path)
    later = reads.began + 60
    for name, same in (("__pycache__/page.cpython-311.pyc", True), ("page.html", False)):
        (package / name).write_text("")
        os.utime(package / name, (later, later))
        assert (reads.note(notebook, []) == reads.key(notebook)) is same, name


def test_other_data_in_another_folder_have_other_keys(tmp_path, monkeypatch):
    notebook = tmp_path / "a.ipynb"
    notebook.write_text("{}")
    keys = []
    for name, content in (("one", "1"), ("two", "2"), ("three", "1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.csv").write_text(content)
        monkeypatch.setenv("TAOBAO_DATA", str(tmp_path / name))
        reads = Reads(tmp_path / "reads", "code", tmp_path)
        if not keys:
            reads.note(notebook, [str(tmp_path / name / "t.csv")])
        keys.append(reads.key(notebook))
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]


def test_package_and_source_count_and_nothing_noted_means_every_table(tmp_path, monkeypatch):
    monkeypatch.setenv("TAOBAO_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "t.csv").write_text("1")
    notebook = tmp_path / "a.ipynb"
    notebook.write_text("{}")

    def reads(code="code"):
        return Reads(tmp_path / "reads", code, tmp_path)

    first = reads().note(notebook, [])
    assert reads().key(notebook) == first
    assert reads("other code").key(notebook) is None
    (tmp_path / "data" / "t.csv").write_text("2")
    assert reads().key(notebook) != first
    notebook.write_text("{ }")
    assert reads().key(notebook) is None

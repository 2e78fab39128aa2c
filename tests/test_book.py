"""The book: what builds and what must fail, and what stands on the built pages."""

import ast
import csv
import errno
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import jsonschema
import matplotlib as mpl
import nbformat
import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from nbclient import NotebookClient

from audits import surroundings
from taobao_villages import __main__, data
from taobao_villages.book import asserted, build, measured, notebooks, prose
from taobao_villages.chapters import after_2017
from taobao_villages.subjects import coding
from taobao_villages.verdicts import card
from taobao_villages.verdicts import ledger as registry
from taobao_villages.verdicts.forecasts import VERDICTS

SECTIONS = registry.sections()
TWO_CLONES = runpy.run_path(str(Path(__file__).parents[1] / "audits" / "two_clones.py"))
NOTEBOOKS = sorted(path.stem for path in (Path(__file__).parents[1] / "book").glob("*.ipynb"))


@pytest.fixture(scope="session")
def ledger() -> dict[str, dict]:
    """The ledger by claim, computed once."""
    return {row["id"]: row for row in registry.ledger()}


# ---- the built book -------------------------------------------------------------------------


def test_the_root_leads_to_the_book(html):
    assert "book/index.html" in (html / "index.html").read_text("utf-8")


def test_every_page_has_one_title(pages):
    for name, page in pages.items():
        assert len(page.select("article h1")) == 1, name
    assert pages["book/blooming.html"].h1.text.startswith("The blooming of Taobao Villages")


def test_figures_have_alt_texts_captions_sizes_sources_and_data(pages, html):
    seen = 0
    for name, page in pages.items():
        for figure in page.select("figure"):
            seen += 1
            image = figure.img
            assert 40 <= len(image["alt"]) <= 250, name
            assert figure.figcaption.text.strip(), name
            line = figure.find_next(class_="source-line")
            assert line.select('a[href*="sources.html#source-"]'), name
            download = line.select_one("a.download")
            target = (html / name).parent / unquote(download["href"])
            assert len(target.read_text("utf-8").splitlines()) > 1, name
    assert seen > 50


@pytest.mark.parametrize("section", SECTIONS)
def test_a_chapter_has_at_most_six_figures(pages, section):
    assert 2 <= len(pages[f"book/{section}.html"].select("figure")) <= 6


@pytest.mark.parametrize("section", SECTIONS)
def test_a_chapter_ends_in_what_would_change_our_mind_exercises_and_reading(pages, section):
    titles = [title.get_text().rstrip("#") for title in pages[f"book/{section}.html"].select("h2")]
    last = ["What would change our mind", "Exercises", "Further reading"]
    assert [title for title in titles if title in last] == last
    assert len(pages[f"book/{section}.html"].select(".exercise")) >= 3
    assert len(pages[f"book/{section}.html"].select(".solution.dropdown")) >= 3


def test_no_image_anywhere_is_without_an_alt_text(pages):
    for name, page in pages.items():
        for image in page.select("img:not(.logo__image)"):  # the logo's words stand beside it
            assert len(image.get("alt", "")) >= 12, (name, image)


@pytest.mark.parametrize("section", SECTIONS)
def test_each_claim_of_a_chapter_has_its_panel(pages, ledger, section):
    panels = {
        re.search(r"C\d\d", panel.text)[0]: panel.text.replace("\u2019", "'")
        for panel in pages[f"book/{section}.html"].select(".claim-panel")
    }
    assert set(panels) == {row["id"] for row in ledger.values() if row["section"] == section}
    for claim, text in panels.items():
        row = ledger[claim]
        assert f"{claim}: {row['verdict']}" in text
        if row["value"] is not None:
            assert card.with_unit(row["value"], row["unit"]) in text
        assert "Variants: " in text
        for source in row["sources"]:
            assert source in text


def test_numbers_in_the_prose_are_those_of_the_ledger(pages):
    text = " ".join(pages["book/blooming.html"].get_text(" ").split())
    details = build.numbers(registry.ledger())
    assert f"the share in 2015 is {details['C20']['south_2015']}%" in text


def test_each_forecast_has_its_panel(pages):
    page = pages["book/after_2017.html"]
    panels = {panel.p.text: panel for panel in page.select(".forecast-panel")}
    shown = [panel.get_text(" ").replace("\u2019", "'") for panel in page.select(".forecast-panel")]
    assert len(shown) == len(after_2017.FORECASTS)
    assert set(panels) <= {f"Forecast: {verdict}" for verdict in VERDICTS}
    for item in after_2017.FORECASTS:
        row = item.judge().as_dict()
        (text,) = [text for text in shown if row["statement"] in text]
        assert f"Forecast: {row['verdict']}" in text
        for name in (*row["sources"], *row["claim_ids"]):
            assert name in text
    assert page.select_one('.forecast-panel a[href*="claims.html#claim-"]')
    assert len(page.select("figure")) <= 6


def test_forecasts_can_be_named_in_the_prose():
    rows = [item.judge().as_dict() for item in after_2017.FORECASTS[:1]]
    named = build.numbers([*registry.ledger()[:1], *rows])
    growth = named["F_growth"]
    assert growth["value"] == card.number(rows[0]["value"])
    assert growth["added"] == card.number(rows[0]["details"]["added"])
    assert (growth["low"], growth["high"]) == tuple(map(card.number, rows[0]["interval"]))
    assert (growth["verdict"], growth["n"]) == (rows[0]["verdict"], "6")
    assert set(named) == {"version", "ledger", "C01", "F_growth"}


def test_what_is_computed_for_the_prose_is_kept_for_the_next_build(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return '[{"id": "F_x"}]'

    path = tmp_path / "new" / "forecasts-abc.json"
    assert notebooks.keep(path, compute) == notebooks.keep(path, compute) == [{"id": "F_x"}]
    assert len(calls) == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_nothing_unresolved_is_left(pages):
    for name, page in pages.items():
        text = re.sub(r"author = \{\{.*?\}\}", "", page.get_text(" "))  # as BibTeX has it
        for mark in ("{ref}", "{doc}", "{term}", "{cite", "{{", "}}", "Substitution", "[?]"):
            assert mark not in text, (name, mark)


def test_a_fold_is_named_by_what_it_holds(pages):
    folds = [fold for page in pages.values() for fold in page.select("details.above-input")]
    assert len(folds) > 100
    for fold in folds:
        names = {name.get_text() for name in fold.summary.select("p")}
        assert names == {"Code"}
        assert not fold.summary.has_attr("aria-label"), "it would be read instead of the name"
        assert fold.select_one("pre")
    for name, page in pages.items():
        for summary in page.select("summary"):
            assert not re.search(r"[Cc]aption|[Ss]ource code|code cell", summary.get_text()), name


def test_what_is_announced_below_is_what_follows(pages):
    announced = re.compile(r"\b[Tt]he (table|figure|map|chart) below\b")
    seen = 0
    for name, page in pages.items():
        for paragraph in page.select("article p"):
            if said := announced.search(paragraph.get_text(" ")):
                seen += 1
                kind = "table" if said[1] == "table" else "figure"
                assert paragraph.find_next(["table", "figure"]).name == kind, (name, said[0])
    assert seen


DRAWN = {
    ("blooming", "growth"): [2009, *range(2012, 2017)],
    ("after_2017", "after-2017-growth"): [*range(2012, 2023)],
}


@pytest.mark.parametrize(("page", "figure"), DRAWN)
def test_lists_stand_at_their_dates(pages, html, page, figure):
    image = pages[f"book/{page}.html"].select_one(f"figure#fig-{figure} img")["src"]
    svg = (html / "book" / image).resolve().read_text("utf-8")
    marks = re.findall(r'<use [^>]*?x="([\d.]+)"[^>]*?fill: #b5460f', svg)
    place = dict(zip(DRAWN[page, figure], map(float, marks), strict=True))
    year = place[2015] - place[2014]  # December to December
    assert place[2014] - place[2013] == pytest.approx(year, rel=0.01)
    assert place[2016] - place[2015] == pytest.approx(year * 8 / 12, rel=0.01)  # to August


def test_no_output_is_the_address_of_an_object(pages):
    for name, page in pages.items():
        assert not re.search(r" at 0x[0-9a-f]{6,}", page.get_text()), name


def test_links_and_anchors_inside_the_book_lead_somewhere(pages, html):
    ids = {
        name: {tag["id"] for tag in page.select("[id]")} | {tag.get("name") for tag in page("a")}
        for name, page in pages.items()
    }
    checked = 0
    for name, page in pages.items():
        for tag, key in [*((a, "href") for a in page("a")), *((i, "src") for i in page("img"))]:
            address = tag.get(key, "")
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or not address or address == "#":
                continue
            target = (html / name).parent / unquote(parts.path) if parts.path else html / name
            assert target.exists(), (name, address)
            key_name = target.resolve().relative_to(html.resolve()).as_posix()
            if parts.fragment and key_name in ids:
                assert unquote(parts.fragment) in ids[key_name], (name, address)
            checked += 1
    assert checked > 200


def test_no_page_loads_anything_from_outside(html):
    for path in html.rglob("*.html"):
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for tag, key in (("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src")):
            for found in page(tag):
                if tag == "link" and "canonical" in (found.get("rel") or []):
                    continue
                assert not str(found.get(key, "")).startswith(("http", "//")), (path.name, found)


def test_each_claim_has_a_short_address_and_leads_to_its_panel(pages):
    page = pages["book/reference/claims.html"]
    for claim in registry.declared():
        short = claim.id.lower()
        part = page.find(id=short)
        assert part is not None, claim.id
        section = part if part.name == "section" else part.find_parent("section")
        assert section["id"] == f"claim-{short}"
        address = f"{claim.section}.html#panel-{short}"
        assert section.select_one(f'a[href$="{address}"]'), claim.id
        panel = pages[f"book/{claim.section}.html"].find(id=f"panel-{short}")
        assert panel is not None, claim.id
        assert "claim-panel" in panel["class"], claim.id


def test_reference_pages_hold_the_whole_package(pages):
    sources = pages["book/reference/sources.html"].select("table.sortable tbody tr")
    assert {row["id"] for row in sources} == {f"source-{name}" for name in data.sources().index}
    assert len(sources) == len(data.sources())
    claims_table = pages["book/reference/claims.html"].select("table.sortable tbody tr")
    assert len(claims_table) == len(data.load("claims"))
    page = pages["book/reference/dictionary.html"]
    headings = {heading.get_text().rstrip("#") for heading in page.select("article h2")}
    assert headings == set(data.tables())
    assert page.select("table.sortable")
    slips = pages["book/reference/corrections.html"].select("table.sortable tbody tr")
    assert len(slips) == len(data.load("literature/corrections"))
    gaps = pages["book/reference/gaps.html"]
    told = {row.get_text(" ", strip=True) for row in gaps.select("table.sortable tbody tr")}
    found = data.conflicts()
    assert len(gaps.select("table.sortable tbody tr")) > len(found) > 300
    assert any("provinces/panel" in row for row in told)
    listed = pages["book/reference/coding.html"].select("table.sortable tbody tr")
    assert len(listed) == len(coding.disagreements())


def test_the_missing_assertions_are_listed_and_those_of_each_ground_counted():
    rows = data.load("literature/coverage")
    counted, by_section, by_ground, _, folded = asserted.coverage()
    assert counted.astext().startswith(f"{len(rows)} assertions: ")
    sums = [
        int(row[-1].astext())
        for row in by_section.findall(nodes.row)
        if row.parent.tagname == "tbody"
    ]
    assert sum(sums) == len(rows)
    lines = [row for row in by_ground.findall(nodes.row) if row.parent.tagname == "tbody"]
    told = {(row[0].astext(), row[1].astext()): int(row[2].astext()) for row in lines}
    kinds = rows.dropna(subset="ground").groupby(["status", "ground"]).size()
    assert told == {(s, asserted.GROUNDS[g]): n for (s, g), n in kinds.items()}
    missing = rows[rows["status"] == "missing"]
    listed = [row for row in folded.findall(nodes.row) if row.parent.tagname == "tbody"]
    assert [row[1].astext() for row in listed] == missing["about"].tolist()
    assert [row[2].astext() for row in listed] == missing["reason"].tolist()
    near = [row[3].astext().replace(", ", ";") for row in listed]
    assert near == missing["claim_ids"].fillna("").tolist()


def test_the_page_of_claims_ends_with_what_the_article_asserts(pages):
    page = pages["book/reference/claims.html"]
    part = page.select("article section")[-1]
    assert part.h2.get_text().startswith("What the article asserts")
    missing = (data.load("literature/coverage")["status"] == "missing").sum()
    assert len(part.select("details tbody tr")) == missing


def test_the_colophon_tells_what_was_broken_on_purpose(pages):
    told = pages["book/reference/colophon.html"].select_one("#what-was-broken-on-purpose table")
    shown = cells(told)
    assert shown[1:] == kept("audits/broken.csv", ["what", "tried", "caught", "lost"])
    things = [row[0] for row in shown[1:]]
    for kind in measured.stored("faults")["kinds"]:
        assert f"Data: {kind}" in things
    for module in measured.stored("mutants"):
        assert f"Code: {module}.py" in things
    for way in surroundings.WAYS:
        assert f"Notebooks: {way}" in things
    assert "Build killed and run again" in things
    lost = {row[0]: row[3] for row in shown[1:] if not row[0].startswith("Code")}
    assert set(lost.values()) <= {"0", ""}, lost


def kept(name, columns):
    """Rows of a kept table, the last cell with the day and the commit."""
    rows = measured.table(name).to_dict("records")
    return [[*map(row.get, columns), f"{row['date']}, {row['commit']}"] for row in rows]


def cells(table):
    """The texts of a table's rows."""
    return [
        [cell.get_text(strip=True).replace("\u2019", "'") for cell in row(["th", "td"])]
        for row in table("tr")
    ]


def test_the_colophon_tells_how_long_things_take(pages):
    tables = pages["book/reference/colophon.html"].select("#how-long-does-it-take table")
    times, growth, clusters = tables
    name = "timings/results.csv"
    assert cells(times)[1:] == kept(name, ["what", "taken", "compared", "ratio"])
    for printed, kept_in in ((growth, "timings/growth.csv"), (clusters, "timings/clusters.csv")):
        told = measured.table(kept_in).drop(columns=["part", "date", "commit"])
        assert cells(printed) == [list(told), *told.to_numpy().tolist()]
        assert len(told) > 3
    results = measured.table(name)
    parts = {"cold", "rebuild", "environment", "methods", "multiverse", "pages"}
    assert set(results["part"]) == parts
    assert results["runs"].astype(int).min() >= 5


def test_formulas_are_mathml(pages):
    page = pages["book/blooming_methods.html"]
    assert len(page("math")) >= 6
    assert "\\frac" not in page.get_text()


def test_private_and_foreign_files_are_not_in_the_book(html):
    names = {path.name for path in html.rglob("*")}
    assert not names & {"README.html", "CONTRIBUTING.html", "test_book.html", ".venv"}


# ---- each notebook runs alone ---------------------------------------------------------------


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs_from_any_folder(root, tmp_path, name):
    notebook = nbformat.read(root / "book" / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(tmp_path))
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in shown if output.get("name") == "stderr"]


# ---- what must fail, on a book of one page --------------------------------------------------


FIGURE = """
from taobao_villages import figures
from taobao_villages.subjects import villages
figures.use_house_style()
figure, axes = figures.canvas("A finding", "A measure")
figures.show(figure, name="one", caption="A caption long enough.", alt={alt!r},
             sources=["li2017"], frame=villages.table_two().reset_index())
"""


def test_a_changed_number_in_the_data_shows_on_the_page(small):
    cell = "from taobao_villages import data\nsold = data.load('market/online_retail')['value']\n"
    cell += "print('total', sold.iloc[0])"
    code, log, page = small(cell)
    assert code == 0, log
    assert "total 240.0" in page
    table = small.folder / "data" / "market" / "online_retail.csv"
    changed = re.sub(
        r"(?m)^(2017-01,.*?online_retail,)240,", r"\g<1>250,", table.read_text("utf-8")
    )
    assert changed != table.read_text("utf-8")
    table.write_text(changed, "utf-8")
    code, log, page = small(cell)
    assert code == 0, log
    assert "total 250.0" in page, "the page must not show a cached number"
    assert re.search(r"reading sources.*book/reference/sources", log), "it counts rows"
    assert not re.search(r"reading sources.*book/market", log), "it shows nothing of this table"
    assert "these are your own data" in log


def test_faulty_data_of_a_user_are_refused_with_all_faults(small):
    table = small.folder / "data" / "market" / "online_retail.csv"
    text = table.read_text("utf-8").replace(",240,", ",many,", 1).replace(",m209,", ",nobody,", 1)
    table.write_text(text, "utf-8")
    sources = small.folder / "data" / "villages" / "poverty.csv"
    sources.write_text(sources.read_text("utf-8")[:-1], "utf-8")
    code, log, page = small(text="# A page\n")
    assert code != 0
    assert not page
    assert f"the data package in {small.folder / 'data'} is refused, faults: 2" in log
    assert "data/market/online_retail.csv, row 2, column value: 'many'" in log
    assert "data/villages/poverty.csv" in log
    assert "the file may be cut off" in log


# ---- what is stopped in the middle goes on ---------------------------------------------------


def a_notebook(path: Path, *cells: str) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    path.write_text(nbformat.writes(notebook), "utf-8")
    return path


def test_a_cached_notebook_that_is_half_written_is_run_again(tmp_path):
    path = a_notebook(tmp_path / "one.ipynb", "print('here')")
    cache = tmp_path / "cache"
    notebooks.run_notebooks([path], cache, notebooks.Notes(tmp_path / "notes", tmp_path))
    (kept,) = cache.glob("executed/*/*.ipynb")
    whole = kept.read_text("utf-8")
    kept.write_text(whole[:100], "utf-8")
    notebooks.run_notebooks([path], cache, notebooks.Notes(tmp_path / "notes", tmp_path))
    assert json.loads(kept.read_text("utf-8")) == json.loads(whole)


def test_control_c_ends_the_kernels_at_once_and_keeps_what_has_run(tmp_path):
    cell = "import pathlib, time\npathlib.Path('started-' + {!r}).touch()\ntime.sleep({})"
    paths = [
        a_notebook(tmp_path / f"{n}.ipynb", cell.format(str(n), 0 if n == 0 else 300))
        for n in range(8)
    ]
    names = [str(path) for path in paths]
    script = "import sys; from pathlib import Path\n"
    script += "from taobao_villages.book import notebooks\n"
    script += "known = notebooks.Notes(Path('notes'), Path('.'))\n"
    script += f"notebooks.run_notebooks([Path(n) for n in {names!r}], Path('cache'), known)"
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 60
    while not any((tmp_path / f"started-{n}").exists() for n in range(1, 8)):
        assert time.monotonic() < until, "no notebook began"
        time.sleep(0.1)
    while not list(tmp_path.glob("cache/executed/*/*.ipynb")):
        assert time.monotonic() < until, "the short notebook is not kept"
        time.sleep(0.1)
    for _ in range(3):  # as a person would: at a rare moment Python loses one
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            told = process.communicate(timeout=20)[1]
            break
    else:
        process.kill()
        pytest.fail("Ctrl-C did not end it")
    assert process.returncode == 1
    assert told.rstrip().endswith("stopped; what has run is kept, so the next build goes on")
    known = notebooks.Notes(tmp_path / "notes", tmp_path)
    notebooks.run_notebooks(paths[:1], tmp_path / "cache", known)  # from the cache, at once


def test_pages_that_a_stopped_build_left_are_all_written_anew(root, tmp_path):
    config = SimpleNamespace(nb_execution_cache_path="")
    app = SimpleNamespace(srcdir=str(root), doctreedir=str(tmp_path), config=config, _warncount=0)
    key = notebooks.digest(root, pages=True)
    env = SimpleNamespace(found_docs={"a", "b"}, taobao_built_with=key, taobao_ran={})
    assert build.outdated(app, env, set(), set(), set()) == []
    build.unfinished(app).touch()
    assert sorted(build.outdated(app, env, set(), set(), set())) == ["a", "b"]
    build.finish(app, KeyError("a failure"))
    assert build.unfinished(app).exists()
    build.finish(app, None)
    assert build.outdated(app, env, set(), set(), set()) == []


def test_a_full_disk_is_told_and_leaves_no_half_file(tmp_path, monkeypatch, caplog):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "page.html")

    def write(path, *_, **__):
        path.touch()
        raise full

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(OSError, match="No space left"):
        notebooks.keep(tmp_path / "ledger.json", lambda: "[]")
    assert not (tmp_path / "ledger.json").exists()
    told = []
    monkeypatch.setattr(build.LOGGER, "error", told.append)
    build.finish(SimpleNamespace(doctreedir=str(tmp_path)), full)
    assert told == ["the disk is full. Remedy: free some space and build again; nothing is lost"]


def test_a_folder_without_the_right_to_write_is_named(monkeypatch, capsys):
    def refuse():
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "data/versions.part")

    monkeypatch.setattr(data, "seal", refuse)
    assert __main__.main(["seal"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("data/versions.part: Permission denied. Remedy: ")


def test_reading_the_data_writes_nothing_into_their_folder(tmp_path, monkeypatch):
    shutil.copytree(data.folder(), tmp_path / "data")
    monkeypatch.setenv("TAOBAO_DATA", str(tmp_path / "data"))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}
    data.load("villages/national")
    notebooks.digest(tmp_path)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "data").rglob("*")} == before


def test_the_font_of_the_figures_comes_with_matplotlib():
    """No font can be missing: no figure needs one of the system."""
    import matplotlib.font_manager as fonts

    found = fonts.findfont("DejaVu Sans", fallback_to_default=False)
    assert Path(found).is_relative_to(mpl.get_data_path())


def test_the_cache_key_covers_data_package_and_lock(root, tmp_path, monkeypatch):
    package, tables = tmp_path / "package", tmp_path / "data"
    shutil.copytree(notebooks.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(data.folder(), tables)
    shutil.copy(root / "requirements.lock", tmp_path)
    monkeypatch.setattr(notebooks, "PACKAGE", package)
    monkeypatch.setenv("TAOBAO_DATA", str(tables))
    keys = [notebooks.digest(tmp_path)]
    assert notebooks.digest(tmp_path) == keys[0]
    for changed in (
        package / "methods" / "inequality.py",
        tables / "sources.csv",
        tmp_path / "requirements.lock",
    ):
        changed.write_bytes(changed.read_bytes() + b"\n")
        keys.append(notebooks.digest(tmp_path))
    assert len(set(keys)) == 4


NUMBERED = """# A page

See {numref}`own`.

:::{figure} _assets/logo.svg
:name: own
:alt: The logo of this book

Its logo
:::
"""
COUNTED = """
from pathlib import Path
with Path("ran.txt").open("a") as file:
    file.write("x")
Path("other.txt").read_text()
"""


def test_a_notebook_runs_again_if_a_file_changes_that_it_reads_and_not_else(small):
    book = small.folder / "book"
    for content, ran in (("first", "x"), ("first", "x"), ("second", "xx")):
        (book / "other.txt").write_text(content)
        code, log, page = small(COUNTED, text=NUMBERED)
        assert code == 0, log
        assert (book / "ran.txt").read_text() == ran
        assert not list(small.folder.rglob("unfinished")), "a build marks its end"
        shown = " ".join(BeautifulSoup(page, "html.parser").get_text().split())
        assert f"'{content}'" in shown
        # Also where the build before had nothing to read.
        assert "See Fig. 1." in shown
        assert "Fig. 1 Its logo" in shown


def test_a_build_after_a_change_gives_the_same_files_as_one_from_nothing(small):
    with (small.folder / "book" / "market.md").open("a") as page:
        page.write("\n```{glossary}\nbridge village\n  A village with a bridge.\n```\n")
    pages = small.folder / "_build" / "html"
    text = "# A page\n\n" + "Words of an introduction. " * 20  # the card for sharing shows these
    small(text=f"{text}Vanishing.\n\n![A logo of this book](_assets/logo.svg)\n")
    assert len(list(pages.glob("_images/*.svg"))) == 1
    assert small(text=f"{text}And others.\n")[0] == 0
    after = shutil.copytree(pages, small.folder / "after")
    assert "bridge village" in (pages / "searchindex.js").read_text("utf-8")
    shutil.rmtree(small.folder / "_build")
    assert small(text=f"{text}And others.\n")[0] == 0
    assert TWO_CLONES["differences"](pages, after) == []


def test_exceptions_fail_the_build_and_all_are_named(small):
    a_notebook(small.folder / "book" / "other.ipynb", FIGURE.format(alt=""))
    with (small.folder / "_toc.yml").open("a") as toc:
        toc.write("  - file: book/other\n")
    code, log, page = small("1 + 1", "total = 1 / 0")
    assert code != 0
    assert not page
    assert "page.ipynb: cell 3: ZeroDivisionError: division by zero" in log
    assert re.search(r"other\.ipynb: cell 1: \w+: .*alt text", log), "a figure without one"


def test_a_warning_of_a_library_and_a_drawing_outside_the_house_fail_the_build(small):
    drawn = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    code, log, _ = small("import warnings\nwarnings.warn('old call')", drawn)
    assert code != 0
    assert "stderr" in log
    assert "no alt text" in log


SLIDER = """
from taobao_villages import figures
from taobao_villages.subjects import villages
figures.use_house_style()
figure, axes = figures.canvas("A finding", "A measure")
steps = {str(n): (axes.plot([1, 2], [1, n]), f"Step {n}.") for n in (1, 2)}
figures.slider(figure, steps, label="Height", name="one", caption="A caption long enough.",
    alt="Line chart with axes and one line that a slider moves, for a test of the build.",
    sources=["li2017"], frame=villages.table_two().reset_index())
"""


def test_figures_and_sliders_reach_the_page_with_caption_sources_and_data(small):
    alt = "Line chart with axes but without lines, for a test of the build of the book."
    code, log, page = small(SLIDER, FIGURE.format(alt=alt).replace('"one"', '"two"'))
    assert code == 0, log
    assert alt in page
    figure = BeautifulSoup(page, "html.parser").select_one("#fig-two")
    assert "Download the data (CSV)" in figure.find_next(class_="source-line").text
    shown = BeautifulSoup(page, "html.parser").select_one("#fig-one")
    assert len(shown.select("[data-step]")) == 2
    assert shown.select_one("input[type=range]")
    assert "getElementById" in shown.script.text
    assert shown.select_one(".slider-caption").text == "A caption long enough."
    line = shown.find_next(class_="source-line")
    assert line.select('a[href*="sources.html#source-li2017"]')
    assert "Download the data (CSV)" in line.text


MUST_NOT_BE = {
    "About 70% of it.": "the figure '70%' is typed",
    "There are 1311 villages.": "the figure '1311' is typed",
    "See {ref}`no-label`.": "no-label",
    "See {doc}`no-page`.": "no-page",
    "See {term}`no term`.": "no term",
    "See {cite:p}`nobody2020`.": "nobody2020",
    "The value is {{ C19.nonsense }}.": "nonsense",
    "![](../book/_assets/logo.svg)": "alt text",
}


def test_what_a_page_must_not_have_is_told_by_every_build_until_it_is_mended(small):
    for _ in range(2):
        code, log, _ = small(text="# A page\n\n" + "\n\n".join(MUST_NOT_BE) + "\n")
        assert code != 0
        told = [line for line in log.splitlines() if "WARNING" in line or "ERROR" in line]
        for text, message in MUST_NOT_BE.items():
            assert any(message in line for line in told), text


# ---- typed figures --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "about 70% of them",
        "in 18 of 592 counties",
        "a factor of 3.7",
        "1,311 villages",
        "C19 has 5",
        "1. In 42 places.",
        "They came in\n42. Then more.",
        "```{note}\nSome 42 of them.\n```",
        "```{note}\nOf them.\n```\n\nIn 42 places.\n\n```{note}\nOf them.\n```",
        "```python\nx = 5\n```\n\nIn 42 places.\n\n```python\nx = 5\n```",
        "````{tab-set}\n```{tab-item} One\nIn 42 places.\n```\n````",
    ],
)
def test_typed_figures_are_found(text):
    assert prose.typed_figures(text)


@pytest.mark.parametrize(
    "text",
    [
        "from 2013 to 2016, or 2017/3",
        "claim C19 and {ref}`C20 <claim-c20>`",
        "{{ C19.value }}% of `villages.share(2015)`",
        "$n - 2$ and $$x = 3$$",
        "[a link](page.html#c19)",
        "```{exercise}\n:label: e-1\nRun `f(211)`.\n```",
        "::::{grid} 1 1 3 3\n:gutter: 2",
        "## Twice 2\n:label: a-1",
        "```python\nx = 5\n```",
        "````{note}\n```python\nx = 5\n```\n````",
        "```{math}\nx = 5\n```",
        "the early 2000s",
        "A worked example: 2 and 3 make 5.",
        "Table 2 of the article",
        "1. First.\n2. Then.\n   1. Within.",
    ],
)
def test_what_may_be_typed_is_left_alone(text):
    assert prose.typed_figures(text) == []


# What captions may name: the two ends of a share, no association, and the usual levels of a test.
METHOD = {"0", "1", "100%", "95%", "0.05"}


def typed_in_captions(notebook) -> list[str]:
    """Figures typed in the captions and alt texts that a notebook's cells hand over."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    calls = [
        node
        for cell in cells
        for node in ast.walk(ast.parse("".join(cell["source"])))
        if isinstance(node, ast.Call)
    ]
    given = [k.value for call in calls for k in call.keywords if k.arg in ("caption", "alt")]
    parts = [part for value in given for part in ast.walk(value)]
    for part in parts:
        if isinstance(part, ast.FormattedValue):
            part.value = part.format_spec = ast.Constant(None)  # computed, and how it is printed
    parts = [part for value in given for part in ast.walk(value)]
    texts = [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
    return [
        figure for text in texts for figure in prose.typed_figures(text) if figure not in METHOD
    ]


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "book").rglob("*.ipynb")))
def test_captions_and_alt_texts_have_no_typed_figures(path):
    assert typed_in_captions(nbformat.read(path, 4)) == []


@pytest.mark.parametrize(
    ("source", "typed"),
    [
        ('show(alt="About 70% of 31.")', ["70%", "31"]),
        ('show(caption=f"In {year} some 12 of {n}.")', ["12"]),
        ('show(caption=f"In {year:02d}, {n:.1f}, at 1, list of 2016", name="x7")', []),
    ],
)
def test_typed_figures_of_captions_are_found(source, typed):
    cell = nbformat.v4.new_code_cell(source)
    assert typed_in_captions(nbformat.v4.new_notebook(cells=[cell])) == typed


def test_the_ledger_that_the_pages_use_is_the_current_one(html, root, ledger):
    kept = notebooks.kept_in(root / ".cache" / "jupyter", "ledger", notebooks.digest(root))
    assert json.loads(kept.read_text("utf-8"))["told"] == list(ledger.values())


def test_the_ledger_for_programs_stands_beside_the_pages(html, ledger):
    rows = json.loads((html / "ledger.json").read_text("utf-8"))
    schema = json.loads((html / "ledger.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(rows)
    assert [row["verdict"] for row in rows] == [row["verdict"] for row in ledger.values()]
    with (html / "ledger.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["id"] for line in table] == list(ledger)
    assert {line["id"]: line["verdict"] for line in table}["C20"] == ledger["C20"]["verdict"]


def test_all_claims_are_in_the_ledger(ledger):
    assert set(ledger) == set(data.load("claims")["claim_id"])

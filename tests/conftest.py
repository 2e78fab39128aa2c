"""What several test files share."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import browsing
import matplotlib as mpl
import nbformat
import pytest
from bs4 import BeautifulSoup
from filelock import FileLock
from hypothesis import HealthCheck, Phase, settings

from taobao_villages import data, elsewhere
from taobao_villages.verdicts import ledger

mpl.use("Agg")
BUILD = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "-n", "--keep-going"]

# Random tests: the same few cases each time, or many new ones with --hypothesis-profile=deep.
for name, examples in (("quick", 12), ("deep", 100)):
    settings.register_profile(
        name,
        max_examples=examples,
        derandomize=name == "quick",
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
settings.load_profile("quick")


def pytest_configure():
    """The tests of a copied folder are about its own package."""
    if told := elsewhere(Path(__file__)):
        pytest.exit(told, 1)


def pytest_collection_modifyitems(items):
    """Mark what needs built pages or a browser: elsewhere the analysis is tested without them."""
    for item in items:
        if {"html", "pages", "site", "browser", "small"} & set(item.fixturenames):
            item.add_marker("website")


def alone(root: Path) -> FileLock:
    """Holds the other processes that run tests, while something is made that all of them use."""
    (root / ".cache").mkdir(exist_ok=True)
    return FileLock(root / ".cache" / "tests.lock")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def anew():
    """No test gets what another has kept: it may have put functions in the place of others."""
    with data.replaced({}):
        yield


@pytest.fixture
def put():
    """Puts a made-up table in the place of a real one until the test ends: ``put(name, frame)``."""
    with ExitStack() as stack:
        yield lambda name, frame: stack.enter_context(data.replaced({name: frame}))


@pytest.fixture(scope="session")
def html(root) -> Path:
    """The folder of built pages; built here if `make test` has not done so."""
    with alone(root):
        done = subprocess.run(BUILD, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return root / "_build" / "html"


@pytest.fixture(scope="session")
def pages(html) -> dict[str, BeautifulSoup]:
    """Every page by its path, parsed."""
    found = sorted((html / "book").rglob("*.html"))
    return {
        path.relative_to(html).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in found
    }


@pytest.fixture(scope="session")
def browser():
    """Chromium; without one the tests are skipped, but not where the project is judged."""
    lacking = browsing.missing()
    if lacking and os.environ.get("CI") != "true":
        pytest.skip(lacking)
    assert not lacking, lacking
    with browsing.browsing() as running:
        yield running


@pytest.fixture(scope="session")
def site(html, browser):
    """The address of the built book, served as a host serves it, for the browser."""
    with alone(browsing.HERE.parent):
        if not browsing.AXE.exists():
            browsing.npm("--omit=dev")
    with browsing.serving(html) as address:
        yield address


@pytest.fixture
def small(root, tmp_path):
    """Builds a book of one page from the repository's own settings; returns the process."""
    (tmp_path / "book" / "reference").mkdir(parents=True)
    for name in ("_config.yml", "references.bib", "requirements.lock", "CITATION.cff"):
        shutil.copy(root / name, tmp_path / name)
    shutil.copytree(root / "book" / "_assets", tmp_path / "book" / "_assets")
    for name in ("claims", "sources"):
        shutil.copy(root / "book" / "reference" / f"{name}.md", tmp_path / "book" / "reference")
    shutil.copytree(data.folder(), tmp_path / "data")
    (tmp_path / ".cache").mkdir()
    for kept in (root / ".cache").glob("*-*.json"):
        shutil.copy(kept, tmp_path / ".cache")  # the same data give the same ledger
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/page\nchapters:\n"
        "  - file: book/reference/claims\n  - file: book/reference/sources\n"
    )
    for name in sorted({claim.section for claim in ledger.declared()}):
        panels = [f"(panel-{c.id.lower()})=\n" for c in ledger.declared() if c.section == name]
        text = "\n".join(f"{panel}## Panel\n" for panel in panels)
        (tmp_path / "book" / f"{name}.md").write_text(f"# Chapter\n\n{text}")
        with (tmp_path / "_toc.yml").open("a") as toc:
            toc.write(f"  - file: book/{name}\n")

    def build(*cells: str, text: str = "# A page\n", **environ: str) -> tuple[int, str, str]:
        if cells:
            notebook = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_markdown_cell(text, id="text")]
                + [nbformat.v4.new_code_cell(cell, id=f"c{i}") for i, cell in enumerate(cells)],
                metadata={
                    "kernelspec": {"name": "python3", "display_name": "Python 3"},
                    "language_info": {"name": "python"},
                },
            )
            (tmp_path / "book" / "page.ipynb").write_text(nbformat.writes(notebook))
        else:
            (tmp_path / "book" / "page.md").write_text(text)
        done = subprocess.run(
            [
                Path(sys.executable).with_name("jupyter-book"),
                "build",
                ".",
                "-W",
                "-n",
                "--keep-going",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=os.environ | {"TAOBAO_DATA": str(tmp_path / "data")} | environ,
        )
        built = tmp_path / "_build" / "html" / "book" / "page.html"
        page = built.read_text("utf-8") if built.exists() else ""
        return done.returncode, done.stdout + done.stderr, page

    build.folder = tmp_path
    return build

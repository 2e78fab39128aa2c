"""What several test files share."""

import os
import subprocess
import sys
from pathlib import Path

import browsing
import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def html(root) -> Path:
    """The folder of built pages; built here if `make test` has not done so."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("jupyter-book"),
            *["build", ".", "-W", "-n", "--keep-going"],
        ],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return root / "_build" / "html"


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
    if not browsing.AXE.exists():
        browsing.npm("--omit=dev")
    with browsing.serving(html) as address:
        yield address

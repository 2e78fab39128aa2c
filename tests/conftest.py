"""What several test files share."""

import subprocess
import sys
from pathlib import Path

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

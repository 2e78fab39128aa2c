"""The book in the browser takes what the pinned Pyodide release provides, and declares the rest."""

from __future__ import annotations

import copy
import importlib.metadata
import re
import runpy
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from taobao_villages.book import launch


@pytest.fixture(scope="module")
def lite(root) -> dict[str, Any]:
    return runpy.run_path(str(root / "deploy" / "lite" / "build.py"))


@pytest.fixture
def pins(lite) -> dict[str, Any]:
    return copy.deepcopy(lite["pins"]())


@pytest.fixture(scope="module")
def wheels(root) -> dict[str, str]:
    """Name and version of each wheel that the site brings along."""
    text = (root / "deploy" / "lite" / "wheels.txt").read_text("utf-8")
    blocks = re.split(r"^(?=[a-z])", text, flags=re.M)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    pairs = (block.split()[0].split("==") for block in blocks)
    return {canonicalize_name(name): number for name, number in pairs}


def test_every_range_of_the_package_takes_the_version_of_the_release(root, pins):
    """What the browser has, pyproject.toml must accept."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    seen = set()
    for line in project["dependencies"]:
        wanted = Requirement(line)
        about = pins["packages"].get(canonicalize_name(wanted.name))
        if about:
            seen.add(wanted.name)
            assert wanted.specifier.contains(about["version"]), f"{line}: {about['version']}"
    assert {"numpy", "pandas", "scipy", "statsmodels", "matplotlib", "geopandas"} <= seen


def test_what_the_release_lacks_is_brought_along(lite, pins, wheels):
    from_pyodide, own = lite["resolve"](pins["packages"])
    assert {n: p["version"] for n, p in pins["packages"].items()} == from_pyodide
    assert {"seaborn", "esda", "libpysal", "frictionless"} <= set(own)
    assert wheels == own | pins["kernel"], "run: python deploy/lite/build.py --pin"


def test_a_version_that_a_package_refuses_is_named(lite, pins):
    pins["packages"]["pandas"]["version"] = "2.3.0"
    with pytest.raises(SystemExit, match=r"taobao-villages needs pandas.*Pyodide has 2\.3\.0"):
        lite["resolve"](pins["packages"])


def test_differences_to_the_lock_are_the_declared_ones(pins):
    """Chapters may differ in the last digits for these, see deploy/README.md."""
    declared = {"pandas", "scipy", "statsmodels", "matplotlib", "geopandas"}
    project = importlib.metadata.distribution("taobao-villages").requires or []
    names = {canonicalize_name(Requirement(line).name) for line in project} & set(pins["packages"])
    names -= {"rich", "joblib", "jinja2", "networkx", "beautifulsoup4"}  # compute no number
    other = {n for n in names if importlib.metadata.version(n) != pins["packages"][n]["version"]}
    assert other == declared


def test_the_notebooks_for_the_browser_install_the_package_first(root, tmp_path):
    (first, *_) = launch.export(root, tmp_path, launch.LITE_CELL)
    assert "%pip install -q taobao-villages" in first.read_text("utf-8")


def test_ledgers_are_compared_up_to_the_tolerance(root):
    check = runpy.run_path(str(root / "deploy" / "lite" / "check.py"))
    unequal, tolerance = check["unequal"], check["TOLERANCE"]
    row = {"id": "C01", "value": 2.0, "verdict": "reproduced", "interval": [1.0, 3.0]}
    assert unequal([row], [row | {"value": 2.0 * (1 + tolerance / 2)}]) == []
    (line,) = unequal([row], [row | {"value": 2.0 * (1 + tolerance * 3)}])
    assert line.startswith("ledger[0].value: 2.0 here, ")
    assert unequal([row], [row | {"verdict": "contradicted"}]) == [
        "ledger[0].verdict: 'reproduced' here, 'contradicted' in the browser"
    ]
    assert unequal([row], []) != []
    assert unequal([row], [row | {"interval": None}]) != []
    assert unequal([{"a": True}], [{"a": 1.0000001}]) != []

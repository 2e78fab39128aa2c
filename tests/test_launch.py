"""Each place to run a notebook has a right address and first cell; what it lacks is told."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from taobao_villages import __version__, data
from taobao_villages.book import launch
from taobao_villages.course import wheel
from taobao_villages.data.libraries import MissingLibrary, needs
from taobao_villages.methods import space

URL = "https://github.com/someone/taobao"


def test_without_an_address_and_a_site_there_is_no_button():
    assert launch.places("book/market", url="", branch="main", lite=False) == []


def test_the_browser_opens_the_notebook_from_any_depth():
    (found,) = launch.places("book/reference/coding", url="", branch="main", lite=True)
    assert found[0] == "Run in the browser"
    assert found[2] == "../../lite/lab/index.html?path=reference/coding.ipynb"


@pytest.mark.parametrize("url", [URL, URL + "/", URL + ".git"])
def test_binder_and_colab_take_the_repository_of_the_one_setting(url):
    found = {p[0]: p[2] for p in launch.places("book/market", url=url, branch="dev", lite=False)}
    assert found == {
        "Binder": "https://mybinder.org/v2/gh/someone/taobao/dev?urlpath=lab/tree/book/market.ipynb",
        "Colab": "https://colab.research.google.com/github/someone/taobao/blob/notebooks/market.ipynb",
    }


@pytest.mark.parametrize(
    "url", ["https://example.org/a/b", "https://github.com/a", "github.com/a/b"]
)
def test_another_address_is_refused_with_a_remedy(url):
    with pytest.raises(ValueError, match=r"_config.yml: repository url .* Remedy: give it as"):
        launch.places("book/market", url=url, branch="main", lite=False)


def test_exported_notebooks_have_one_more_cell_and_are_else_the_same(root, tmp_path):
    written = launch.export(root, tmp_path, launch.colab_cell(URL))
    assert len(written) == len(launch.notebooks(root)) > 10
    for path in written:
        first, *rest = json.loads(path.read_text("utf-8"))["cells"]
        source = root / "book" / path.relative_to(tmp_path)
        assert rest == json.loads(source.read_text("utf-8"))["cells"]
        assert first["metadata"]["tags"] == ["remove-cell"]
        wheel = f"{URL}/releases/download/v{__version__}/taobao_villages-{__version__}"
        assert f"%pip install -q {wheel}-py3-none-any.whl" in "".join(first["source"])


def test_the_wheel_is_the_same_twice_and_holds_the_data(root, tmp_path):
    one, other = (wheel.build_wheel(root, tmp_path / name) for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    held = set(zipfile.ZipFile(one).namelist())
    assert {"taobao_villages/book/launch.py", "taobao_villages/_data/datapackage.json"} <= held


def test_a_missing_library_is_told_in_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(MissingLibrary) as caught:
        data.outlines()
    told = str(caught.value)
    assert told.startswith(
        "The map of outlines needs the library geopandas, which is not installed"
    )
    assert caught.value._render_traceback_() == [told]


def test_a_missing_spatial_library_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "esda.moran", None)
    with pytest.raises(MissingLibrary, match=r"A spatial statistic needs the library esda"):
        space.moran([1.0, 2.0, 3.0, 4.0], None, seed=1)


def test_an_error_inside_a_library_is_not_hidden():
    with pytest.raises(ValueError, match="its own"), needs("Anything"):
        raise ValueError("its own")


def test_no_notebook_imports_what_the_browser_lacks_at_its_top(root: Path):
    """A chapter must start anywhere; only the part that needs such a library may stop."""
    for path in launch.notebooks(root):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                text = "".join(cell["source"])
                for name in ("geopandas", "esda", "libpysal"):
                    assert f"import {name}" not in text, path.name
                    assert f"from {name}" not in text, path.name


def test_notebooks_go_into_a_new_folder_only(root, tmp_path):
    (tmp_path / "market.ipynb").write_text("mine", "utf-8")
    call = [
        sys.executable,
        "-m",
        "taobao_villages.book.launch",
        "colab",
        str(tmp_path),
        "https://x.org/y",
    ]
    done = subprocess.run(call, cwd=root, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("Remedy: name a new folder")
    assert [path.name for path in tmp_path.iterdir()] == ["market.ipynb"]
    assert (tmp_path / "market.ipynb").read_text("utf-8") == "mine"
    call[-2] = str(tmp_path / "new")
    assert subprocess.run(call, cwd=root, capture_output=True).returncode == 0
    assert (tmp_path / "new/market.ipynb").exists()

"""Where a reader can run the notebooks, and the first cell that each place needs.

In the repository a notebook holds no install and no path. What Colab and the browser need first
is put in front when a copy is exported for them, so the book never shows it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from taobao_villages import __version__
from taobao_villages.course import wheel

# Under Pyodide, pip takes the wheels that lie beside the page.
LITE_CELL = """# This runs in your browser. The libraries come from Pyodide's public server.
%pip install -q taobao-villages"""
COLAB_CELL = """# The package with its data, as released. If Colab asks for it, restart the session.
%pip install -q {url}/releases/download/v{version}/taobao_villages-{version}-py3-none-any.whl"""
BINDER = "https://mybinder.org/v2/gh/{name}/{branch}?urlpath=lab/tree/{page}.ipynb"
COLAB = "https://colab.research.google.com/github/{name}/blob/notebooks/{page}.ipynb"
GITHUB = "https://github.com/"


def places(page: str, url: str, branch: str, lite: bool) -> list[tuple[str, str, str]]:
    """Where one notebook can be run: name, explanation and address.

    Parameters
    ----------
    page : str
        Name of the page, for example "book/market".
    url : str
        Address of the public repository; empty if there is none.
    branch : str
        Its branch that Binder takes. Colab takes the exported notebooks, in branch "notebooks".
    lite : bool
        Whether the book has a JupyterLite site.

    Raises
    ------
    ValueError
        If `url` is not the address of a GitHub repository.
    """
    found = []
    path = page.removeprefix("book/")
    if lite:
        up = "../" * page.count("/")
        told = "Runs on your own computer, inside the browser; the first start takes a minute"
        found.append(("Run in the browser", told, f"{up}lite/lab/index.html?path={path}.ipynb"))
    if url:
        name = url.rstrip("/").removeprefix(GITHUB).removesuffix(".git")
        if not url.startswith(GITHUB) or name.count("/") != 1:
            remedy = f"Remedy: give it as {GITHUB}OWNER/NAME, or leave it empty"
            raise ValueError(
                f"_config.yml: repository url {url!r} is no GitHub repository. {remedy}"
            )
        binder = BINDER.format(name=name, branch=branch or "main", page=page)
        found.append(("Binder", "Runs on a public server, without an account", binder))
        colab = COLAB.format(name=name, page=path)
        found.append(("Colab", "Runs on a server of Google, with an account", colab))
    return found


def colab_cell(url: str) -> str:
    """The first cell for Colab, which installs this release from the repository at `url`."""
    return COLAB_CELL.format(url=url.rstrip("/").removesuffix(".git"), version=__version__)


def with_first_cell(text: str, source: str) -> str:
    """A notebook's text with one more code cell in front, hidden in the book."""
    notebook: dict[str, Any] = json.loads(text)
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "first-cell",
        "metadata": {"tags": ["remove-cell"]},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }
    notebook["cells"].insert(0, cell)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def notebooks(root: Path) -> list[Path]:
    """The book's notebooks, sorted by path."""
    found = (root / "book").rglob("*.ipynb")
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def export(root: Path, folder: Path, source: str) -> list[Path]:
    """Copy the book's notebooks to a folder, each with one more cell in front.

    Parameters
    ----------
    root : Path
        The repository.
    folder : Path
        Where to; the notebooks keep their place below ``book/``.
    source : str
        Code of the new cell.
    """
    written = []
    for path in notebooks(root):
        copy = folder / path.relative_to(root / "book")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(with_first_cell(path.read_text("utf-8"), source), "utf-8", newline="\n")
        written.append(copy)
    return written


if __name__ == "__main__":  # for the workflow that publishes a release
    what, target, *address = sys.argv[1:]
    here = Path.cwd()
    if what == "wheel":
        print(wheel.build_wheel(here, Path(target)))
    elif Path(target).exists() and any(Path(target).iterdir()):
        sys.exit(f"{target} holds files, which could be replaced. Remedy: name a new folder")
    else:
        print(*export(here, Path(target), colab_cell(*address)), sep="\n")

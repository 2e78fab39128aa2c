"""The house: who may import whom, that every name in a string leads somewhere, and what the build's
keys cover wherever a file of the package lies."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from taobao_villages import PACKAGE, data, inputs
from taobao_villages.book import changes, notebooks
from taobao_villages.course.wheel import build_wheel
from taobao_villages.verdicts import kept, ledger
from taobao_villages.verdicts.claims import ClaimError

# From the ground up. A file imports from its own folder or a lower floor; folders of one floor do
# not know each other.
FLOORS = (
    {"inputs"},
    {"data"},
    {"methods", "figures"},
    {"subjects"},
    {"verdicts"},
    {"chapters"},
    {"explorer", "course"},
    {"book"},
    {"__main__", "trail"},
)
FLOOR = {name: height for height, names in enumerate(FLOORS) for name in names}
CODE = sorted(PACKAGE.rglob("*.py"))
WEBSITE = {"sphinx", "docutils", "myst_nb"}  # only the folder book may know them


def imports(path: Path) -> set[str]:
    """Full names of what a file imports: modules, and names of modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def folder(path: Path) -> str:
    """Folder of the package in which a file lies; of a file at its root, its name."""
    inside = path.relative_to(PACKAGE)
    return inside.parts[0].removesuffix(".py")


def upward(path: Path) -> list[str]:
    """Imports of a file that its floor does not allow."""
    here, wrong = folder(path), []
    for name in imports(path):
        parts = name.split(".")
        if here != "book" and parts[0] in WEBSITE:
            wrong.append(name)
        if parts[0] != "taobao_villages" or len(parts) < 2 or parts[1] not in FLOOR:
            continue
        there = parts[1]
        if here == "__init__":  # the package notes what a kernel reads, and knows nothing else
            lower = name.startswith("taobao_villages.inputs")
        elif here == there:
            lower = here != "chapters" or path.stem == "__init__" or len(parts) < 3
        else:
            lower = FLOOR[there] < FLOOR[here] or (here, there) == ("__main__", "trail")
        if not lower:
            wrong.append(name)
    return sorted(wrong)


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_imports_from_its_own_folder_or_a_lower_floor(path):
    assert folder(path) == "__init__" or folder(path) in FLOOR
    assert upward(path) == []


def test_the_test_of_floors_sees_an_arrow_upward(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    for place, line in {
        "data/loading.py": "from taobao_villages.subjects import villages",
        "methods/counts.py": "from taobao_villages import figures",
        "chapters/market.py": "from taobao_villages.chapters import blooming",
        "verdicts/card.py": "import docutils.nodes",
        "subjects/cases.py": "def late():\n    from taobao_villages.verdicts import claims",
    }.items():
        path = tmp_path / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(line)
        assert len(upward(path)) == 1, place
    path.write_text("from taobao_villages import data\nfrom taobao_villages.methods import shares")
    assert upward(path) == []


def test_every_folder_of_the_argument_has_files_and_no_file_is_too_long():
    for name in ("data", "methods", "subjects", "verdicts", "chapters", "figures", "book"):
        assert len([path for path in CODE if folder(path) == name]) > 3, name
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in CODE}
    long = {p.name: n for p, n in lengths.items() if n > 600 and folder(p) != "chapters"}
    assert long == {}


# ---- names in strings -----------------------------------------------------------------------


def named(root: Path) -> dict[str, set[str]]:
    """Every ``taobao_villages.x`` in settings, pages, notebooks and code, and where it stands."""
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "-co",
            "--exclude-standard",
            "*.yml",
            "*.toml",
            "*.md",
            "*.ipynb",
            "*.py",
            "*.yaml",
            "Makefile",
        ],
        cwd=root,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    found: dict[str, set[str]] = {}
    for name in filter(None, listed):
        gone = name.endswith("CHANGELOG.md") or not (root / name).is_file()
        if gone or name == "tests/test_layout.py":  # these tell of names that lead nowhere
            continue
        text = (root / name).read_text("utf-8")
        for match in re.findall(r"\btaobao_villages((?:\.[a-z_]\w*)+)", text):
            found.setdefault(match.strip("."), set()).add(name)
        for first, last in re.findall(
            r"from taobao_villages(?:\.([\w.]+))? import ([a-z_]\w*)", text
        ):
            found.setdefault(f"{first}.{last}".strip("."), set()).add(name)
    return found


def leads_somewhere(name: str) -> bool:
    """Whether ``x.y.z`` below the package is a module, a folder, or a name of one."""
    place, parts = PACKAGE, name.split(".")
    while parts and ((place / parts[0]).is_dir() or (place / f"{parts[0]}.py").is_file()):
        place /= parts.pop(0)
    if not parts or place == PACKAGE / "__main__":
        return True
    module = ".".join(("taobao_villages", *place.relative_to(PACKAGE).parts))
    return hasattr(importlib.import_module(module), parts[0])


def test_every_module_that_is_named_anywhere_is_there(root):
    there = named(root)
    assert len(there) > 40
    assert any("_config.yml" in places for places in there.values())
    assert any("release.yml" in str(places) for places in there.values())
    missing = {name: places for name, places in there.items() if not leads_somewhere(name)}
    assert missing == {}


# ---- one root, and what the keys cover -------------------------------------------------------


def test_the_package_is_found_from_one_place():
    counted = [p for p in CODE if "parents[" in p.read_text("utf-8").replace("PACKAGE.parents", "")]
    assert counted == []
    assert PACKAGE.name == "taobao_villages"
    assert (PACKAGE / "chapters").is_dir()


@pytest.fixture
def copied(tmp_path, monkeypatch, root):
    """A copy of the package, to which the keys look."""
    import shutil

    package = tmp_path / "src" / "taobao_villages"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "requirements.lock", tmp_path)
    for module in (notebooks, changes, kept, inputs):
        monkeypatch.setattr(module, "PACKAGE", package)
    return package


IN_NOTEBOOKS = (
    *("chapters/blooming.py", "subjects/villages.py", "methods/inequality.py"),
    *("verdicts/claims.py", "data/loading.py", "figures/maps.py", "explorer/states.py"),
    *("inputs.py", "__init__.py", "figures/sliders.html", "explorer/page.html"),
)


@pytest.mark.parametrize("name", IN_NOTEBOOKS)
def test_a_byte_changed_in_any_folder_moves_the_key_of_the_notebooks(copied, tmp_path, name):
    before = notebooks.digest(tmp_path), notebooks.digest(tmp_path, pages=True)
    (copied / name).write_bytes((copied / name).read_bytes() + b"\n")
    after = notebooks.digest(tmp_path), notebooks.digest(tmp_path, pages=True)
    assert before[0] != after[0]
    assert before[1] != after[1]


FOR_PAGES = ("book/cards.py", "course/grading.py", "trail.py")
FOR_PAGES += ("course/slides.html", "course/slides.css", "course/slides.js")


@pytest.mark.parametrize("name", FOR_PAGES)
def test_what_no_notebook_imports_moves_the_key_of_the_pages_alone(copied, tmp_path, name):
    before = notebooks.digest(tmp_path), notebooks.digest(tmp_path, pages=True)
    (copied / name).write_bytes((copied / name).read_bytes() + b"\n")
    assert notebooks.digest(tmp_path) == before[0]
    assert notebooks.digest(tmp_path, pages=True) != before[1]


FOR_ALL = ("book/cards.py", "verdicts/card.py", "data/loading.py", "course/slides.css")
FOR_SOME = ("chapters/blooming.py", "subjects/villages.py", "methods/space.py", "figures/maps.py")


@pytest.mark.parametrize("name", FOR_ALL + FOR_SOME)
def test_what_the_analysis_computes_shapes_no_page_by_itself(copied, tmp_path, name):
    before = changes.shape(tmp_path)
    (copied / name).write_bytes((copied / name).read_bytes() + b"\n")
    assert (changes.shape(tmp_path) != before) == (name in FOR_ALL)


def test_bytecode_moves_no_key(copied, tmp_path):
    before = notebooks.digest(tmp_path), notebooks.digest(tmp_path, pages=True)
    (copied / "data/__pycache__").mkdir()
    (copied / "data/__pycache__/frames.cpython-311.pyc").write_bytes(b"any")
    assert (notebooks.digest(tmp_path), notebooks.digest(tmp_path, pages=True)) == before


def test_files_of_one_name_in_two_folders_are_told_apart(copied, tmp_path):
    before = notebooks.digest(tmp_path)
    one, other = copied / "methods" / "association.py", copied / "subjects" / "associations.py"
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert notebooks.digest(tmp_path) != before


def test_kept_variants_hang_on_the_chapter_and_all_floors_below(copied):
    tables = ["villages/national"]

    def key():
        state = kept._State()
        return state._key(state._notes("blooming", tables, []), tables)

    keys = {key()}
    for name in (
        *("chapters/blooming.py", "subjects/villages.py", "methods/inequality.py"),
        *("verdicts/claims.py", "data/loading.py", "verdicts/multiverse.py"),
    ):
        (copied / name).write_bytes((copied / name).read_bytes() + b"\n")
        keys.add(key())
    assert len(keys) == 7


def test_results_of_an_older_layout_are_not_found(tmp_path):
    from taobao_villages import LAYOUT

    assert f"-{LAYOUT}-" in notebooks.kept_in(tmp_path / "jupyter", "ledger", "k" * 64).name
    assert kept._cache().name == f"multiverse-{LAYOUT}"


# ---- other systems -------------------------------------------------------------------------------

UNIX = {
    "modules": ["fcntl", "grp", "pwd", "resource", "termios"],
    "os": ["O_ACCMODE", "WNOHANG", "fork", "getuid", "killpg", "pidfd_open", "setsid", "waitpid"],
    "signal": ["SIGALRM", "SIGKILL", "SIGPROF", "setitimer"],
}


def test_what_the_analysis_imports_needs_no_unix():
    """Libraries choose by the system: they are imported first, then Unix is taken away."""
    modules = [
        ".".join(("taobao_villages", *p.relative_to(PACKAGE).with_suffix("").parts)) for p in CODE
    ]
    libraries = [
        "distributed",
        "frictionless",
        "ipykernel.kernelapp",
        "joblib",
        "libpysal",
        "esda",
        "jupyter_book.cli.main",
        "jupyter_cache",
        "matplotlib.pyplot",
        "myst_nb.sphinx_",
        "nbclient",
        "rich.progress",
        "seaborn",
        "sphinx.application",
        "statsmodels.api",
    ]
    code = f"""
import importlib, os, signal, sys
for name in {libraries}:
    importlib.import_module(name)
for name in {UNIX["modules"]}:
    sys.modules[name] = None
for name in {UNIX["os"]}:
    delattr(os, name)
for name in {UNIX["signal"]}:
    delattr(signal, name)
for name in {modules}:
    importlib.import_module(name)
from taobao_villages import inputs
from taobao_villages.book import kernels
from taobao_villages.chapters import blooming
inputs.trace(os.devnull)
print(kernels.POSSIBLE, blooming.C19.judge().verdict)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    here = next(c for c in ledger.declared() if c.id == "C19").judge()
    assert done.stdout == f"False {here.verdict}\n"


def test_pages_and_course_have_the_same_line_ends_on_every_system():
    """Python writes the line ends of the system, unless told otherwise."""
    told, silent = 0, []
    for path in [p for p in CODE if folder(p) in ("book", "course")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                named = {keyword.arg for keyword in node.keywords}
                needed = {"write_text": "newline", "to_csv": "lineterminator"}.get(node.func.attr)
                told += needed in named
                if needed and needed not in named:
                    silent.append(f"{path.name}:{node.lineno}: {node.func.attr} without {needed}")
    assert silent == []
    assert told > 10


# ---- the registry ----------------------------------------------------------------------------


def test_a_section_without_a_chapter_is_an_error_and_no_empty_ledger():
    table = data.load("claims")
    table.loc[0, "section"] = "prologue"
    with (
        data.replaced({"claims": table}),
        pytest.raises(ClaimError, match=r"prologue.*chapters/prologue\.py"),
    ):
        ledger.declared()
    assert len({claim.section for claim in ledger.declared()}) == len(ledger.sections())


# ---- kernels and wheel -----------------------------------------------------------------------


def test_the_folder_book_loads_nothing_by_itself():
    """Kernels import from it first: anything in its `__init__` would be loaded by each of them."""
    assert (PACKAGE / "book" / "__init__.py").read_text("utf-8").strip() == ""
    asked = "import sys, json, taobao_villages.inputs; print(json.dumps(sorted(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    ).stdout
    loaded = {name.split(".")[0] for name in json.loads(told)}
    assert not loaded & {*WEBSITE, "pandas", "nbclient", "nbformat"}


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    return build_wheel(root, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def alone(wheel, tmp_path_factory):
    """Runs code where the repository is not: libraries from here, package and data from a wheel."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    asked = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    own = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    packages = Path(own.stdout.strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # A plain line adds that folder, but does not follow the link to the repository that lies there.
    (packages / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("TAOBAO", "PYTHON"))}

    def run(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-c", code], cwd=folder, env=environ, capture_output=True, text=True
        )

    run.packages = packages
    return run


def test_the_wheel_alone_judges_a_claim(alone):
    done = alone(
        "from taobao_villages import PACKAGE, data\n"
        "from taobao_villages.chapters import blooming\n"
        "print(PACKAGE, data.folder(), blooming.C19.judge().verdict, sep='\\n')"
    )
    assert done.returncode == 0, done.stderr
    package, tables, verdict = done.stdout.split("\n")[:3]
    assert Path(package).is_relative_to(alone.packages)
    assert Path(tables) == Path(package) / "_data"
    here = next(c for c in ledger.declared() if c.id == "C19").judge()
    assert verdict == here.verdict


def test_the_wheel_holds_every_file_of_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = [path.relative_to(PACKAGE).as_posix() for path in inputs.of_package(PACKAGE)]
    assert {"course/slides.css", "explorer/page.html", "figures/sliders.html"} <= set(files)
    assert [name for name in files if f"taobao_villages/{name}" not in names] == []


def test_the_wheel_alone_tells_what_chapters_tell_of_long_runs(alone, root):
    """On Colab and in the browser there is no repository."""
    told = [path.read_text("utf-8") for path in sorted((root / "book").rglob("*.ipynb"))]
    names = re.findall(r'measured\.stored\(\\"(\w+)\\"\)', "".join(told))
    assert "placebo" in names
    assert not re.findall(r"measured\.table", "".join(told)), "the wheel holds no such table"
    asked = (
        "import sys; from taobao_villages.book import measured\nprint(*map(measured.stored, {}))"
    )
    done = alone(asked.format(names))
    assert done.returncode == 0, done.stderr
    assert "commit" in done.stdout


def test_the_wheel_alone_says_in_one_sentence_where_a_course_is_made(alone):
    """Where the website's libraries are missing too."""
    done = alone(
        "import sys\n"
        f"sys.modules |= dict.fromkeys({sorted(WEBSITE)})\n"
        "from taobao_villages.__main__ import main\n"
        "sys.exit(main(['course', '--seed', '1']))"
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "labs and notebooks of the course are not in the installed package. Remedy: run make "
        "course in a clone of the repository"
    )


def test_tables_of_the_trial_are_not_empty():
    """What the tests above replace is there: a glob over nothing would pass them all."""
    assert len(CODE) > 50
    assert isinstance(data.load("claims"), pd.DataFrame)

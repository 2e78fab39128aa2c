"""The environment, the licences, the versions and the stored notebooks agree with one another."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import taobao_villages

ROOT = Path(__file__).parents[1]

# The name on conda-forge where it is not the one in requirements.lock.
CONDA_NAMES = {
    "matplotlib": "matplotlib-base",  # the same package without the Qt window system
}
# Direct dependencies that environment.yml leaves out, and why.
NOT_IN_CONDA = {
    "hatchling": "pip builds the package in an environment of its own",
    "editables": "pip builds the package in an environment of its own",
    "uv": "only the Makefile uses it, to fill .venv",
    "jupyterlite-core": "only `make lite` uses it, which needs pip and npm as well",
    "jupyterlite-pyodide-kernel": "only `make lite` uses it, which needs pip and npm as well",
    "weasyprint": "make pdf: with the pip environment, where the fonts are those of the system",
    "ziamath": "make pdf: with the pip environment",
    "playwright": "conda-forge splits it in two packages that follow later; the browser tests"
    " run through `make test`",
    "mutmut": "only `make audit-deep` uses it",
    "pip-audit": "only a workflow uses it",
    "cyclonedx-bom": "only `make release` uses it",
}
# What environment.yml names beside the lock, and why.
NOT_IN_LOCK = {
    "python": "the interpreter",
    "pip": "installs the book's own package",
}
LONGEST_CELL, LONGEST_DRAWING = 20, 28  # lines


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def locked() -> list[tuple[Requirement, str]]:
    """Each requirement of the lock with its block of lines.

    A name stands twice where Python versions need different versions of the package.
    """
    blocks = re.split(r"^(?=[A-Za-z0-9])", read("requirements.lock"), flags=re.M)[1:]
    return [(Requirement(block.splitlines()[0].rstrip("\\ ")), block) for block in blocks]


def version(requirement: Requirement) -> str:
    pins = list(requirement.specifier)
    assert [pin.operator for pin in pins] == ["=="], f"requirements.lock: {requirement}: no pin"
    return pins[0].version


def locked_for_conda() -> dict[str, str]:
    """Name and version of what the lock installs on Linux with the Python of environment.yml."""
    platform = {
        "python_version": "3.11",
        "python_full_version": "3.11.9",
        "sys_platform": "linux",
        "os_name": "posix",
        "implementation_name": "cpython",
    }
    return {
        canonicalize_name(requirement.name): version(requirement)
        for requirement, _ in locked()
        if requirement.marker is None or requirement.marker.evaluate(platform)
    }


def direct() -> set[str]:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return {canonicalize_name(Requirement(line).name) for group in groups for line in group}


def conda() -> dict[str, str]:
    """Name (as in the lock) and pin of each conda package of environment.yml."""
    names = {theirs: ours for ours, theirs in CONDA_NAMES.items()}
    pins = {}
    for line in yaml.safe_load(read("environment.yml"))["dependencies"]:
        if isinstance(line, str):
            name, pin = re.fullmatch(r"([\w.-]+?)(==?.*)?", line).groups()
            pins[names.get(name, name)] = pin or ""
    return pins


def pip_lines() -> list[str]:
    last = yaml.safe_load(read("environment.yml"))["dependencies"][-1]
    assert isinstance(last, dict), "environment.yml: the pip section must come last"
    return last["pip"]


# --- the lock ---------------------------------------------------------------------------------


def test_lock_names_no_host():
    names = {requirement.name for requirement, _ in locked()}
    option = re.compile(r"--(extra-)?index-url|--find-links|--trusted-host|^-")
    for number, line in enumerate(read("requirements.lock").splitlines(), start=1):
        where = f"requirements.lock:{number}: {line}"
        assert not option.search(line), where
        # Some packages have "http" in their names; they stand in "# via" notes too.
        words = [word.split("==")[0] for word in line.split() if "http" in word]
        assert set(words) <= names, where


def test_every_locked_requirement_is_pinned_and_has_hashes():
    assert len(locked()) > 100
    for requirement, block in locked():
        assert version(requirement)
        hashes = re.findall(r"--hash=(\S+)", block)
        assert hashes, f"requirements.lock: {requirement}: no hash"
        for value in hashes:
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", value), f"{requirement}: {value}"


def test_lock_holds_every_direct_dependency():
    names = {canonicalize_name(requirement.name) for requirement, _ in locked()}
    assert sorted(direct() - names) == [], "run `make lock`"


# --- conda and Binder -------------------------------------------------------------------------


def test_conda_environment_has_the_locked_versions():
    pins, lock = conda(), locked_for_conda()
    wanted = {name: f"=={lock[name]}" for name in direct() - set(NOT_IN_CONDA)}
    have = {name: pins.get(name, "missing") for name in wanted}
    assert have == wanted


def test_conda_environment_has_nothing_beside_the_lock():
    assert sorted(set(conda()) - set(locked_for_conda()) - set(NOT_IN_LOCK)) == []
    wrong = {
        name: pin
        for name, pin in conda().items()
        if name not in NOT_IN_LOCK and pin != f"=={locked_for_conda()[name]}"
    }
    assert wrong == {}, "other versions than in requirements.lock"


def test_conda_environment_pins_python_and_installs_the_package_last():
    assert conda()["python"] == "=3.11"
    assert yaml.safe_load(read("environment.yml"))["channels"] == ["conda-forge"]
    assert pip_lines() == ["-e ."]
    assert read("environment.yml").rstrip().endswith("- -e .")


def test_declared_exceptions_are_still_needed():
    assert sorted(set(NOT_IN_CONDA) - direct()) == []
    assert sorted(set(NOT_IN_CONDA) & set(conda())) == []
    assert sorted(set(CONDA_NAMES) - direct()) == []
    assert sorted(set(NOT_IN_LOCK) - set(conda())) == []


# --- licences ---------------------------------------------------------------------------------


def licence(package: importlib.metadata.Distribution) -> str:
    """The licence in the package's own words.

    The SPDX expression if there is one, else a licence field of one line, else the classifiers,
    else the first line of the licence file.
    """
    metadata: Any = package.metadata
    stated = metadata.get("License-Expression") or metadata.get("License") or ""
    if stated and stated != "UNKNOWN" and "\n" not in stated:
        return stated
    classifiers = metadata.get_all("Classifier") or []
    told = "; ".join(line.split(" :: ")[-1] for line in classifiers if line.startswith("License"))
    files = metadata.get_all("License-File") or []
    return told or "".join((package.read_text(f"licenses/{n}") or "").split("\n")[0] for n in files)


def listed_licences() -> dict[tuple[str, str], str]:
    rows = re.findall(
        r"^\| ([\w.-]+) \| (\d\S*) \| (.*?) \|$", read("THIRD_PARTY_LICENSES.md"), flags=re.M
    )
    assert rows, "THIRD_PARTY_LICENSES.md: no table"
    return {(canonicalize_name(name), number): words for name, number, words in rows}


def test_third_party_licences_cover_the_lock():
    listed = listed_licences()
    lock = {(canonicalize_name(line.name), version(line)) for line, _ in locked()}
    extra, missing = sorted(set(listed) - lock), sorted(lock - set(listed))
    assert (extra, missing) == ([], []), "THIRD_PARTY_LICENSES.md: rows to remove, rows to add"


def test_third_party_licences_are_those_of_the_installed_packages():
    """Packages for other systems or Python versions are not installed here: not compared."""
    compared, wrong = 0, []
    for (name, number), words in listed_licences().items():
        assert words.strip(), f"THIRD_PARTY_LICENSES.md: {name}: no licence"
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if package.version == number:
            compared += 1
            if licence(package) != words:
                wrong.append(f"| {name} | {number} | {licence(package)} |")
    assert compared > 100, "run the tests in the environment that `make book` makes"
    assert wrong == [], "THIRD_PARTY_LICENSES.md: the rows should read\n" + "\n".join(wrong)


def test_own_licences_are_whole():
    assert read("LICENSE").startswith("MIT License\n\nCopyright (c) 2026 ")
    text = read("LICENSE-CC-BY-4.0.txt")
    assert text.startswith("Attribution 4.0 International\n")
    for number in range(1, 9):
        assert re.search(rf"^Section {number} -- ", text, flags=re.M), f"section {number}"


# --- versions ---------------------------------------------------------------------------------


def test_one_version_everywhere():
    number = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    citation = yaml.safe_load(read("CITATION.cff"))
    found = {"CITATION.cff": citation["version"], "src": taobao_villages.__version__}
    assert found == dict.fromkeys(found, number)
    assert f"\n## [{number}] - {citation['date-released']}\n" in read("CHANGELOG.md")


def test_the_version_of_the_data_is_sealed_and_described():
    number = json.loads(read("data/datapackage.json"))["version"]
    assert number in json.loads(read("data/versions.json"))
    assert f"\n## [{number}]" in read("data/CHANGELOG.md")


def test_citation_names_the_team_and_the_article():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert citation["authors"] == [{"name": "The Taobao Villages book team"}]
    (article,) = citation["references"]
    assert (article["journal"], article["year"]) == ("China Perspectives", 2017)
    assert (article["start"], article["end"]) == (57, 62)


# --- workflows --------------------------------------------------------------------------------


def workflows() -> dict[str, dict]:
    found = {
        path.name: yaml.safe_load(path.read_text("utf-8"))
        for path in sorted((ROOT / ".github/workflows").glob("*.y*ml"))
    }
    assert found, "no workflow"
    return found


def steps(only: str | None = None) -> list[dict]:
    return [
        step
        for name, workflow in workflows().items()
        if only in (None, name)
        for job in workflow["jobs"].values()
        for step in job["steps"]
    ]


def targets(text: str) -> set[str]:
    return set(re.findall(r"^\s*make ([\w-]+)", text, flags=re.M))


def test_workflows_run_what_ci_runs():
    here = targets(read(".ci/run"))
    assert here, ".ci/run calls no make target"
    assert {"run": "bash .ci/run"} in workflows()["book.yml"]["jobs"]["book"]["steps"]
    everywhere = targets("\n".join(f"\n{step.get('run', '')}" for step in steps()))
    for target in here | everywhere:
        assert re.search(rf"^{target}:", read("Makefile"), flags=re.M), f"Makefile: no {target}"


def test_the_job_for_other_systems_names_what_is_there_and_needs_no_make():
    job = workflows()["book.yml"]["jobs"]["elsewhere"]
    lines = [step["run"] for step in job["steps"] if "run" in step]
    assert not [line for line in lines if "make " in line or ".venv" in line]
    (tests,) = (line for line in lines if "pytest" in line)
    named = re.findall(r"tests/\S+", tests)
    assert [name for name in named if not (ROOT / name).is_file()] == []
    sections = {f"tests/test_{path.stem}.py" for path in (ROOT / "book").glob("*.ipynb")}
    assert sections & {p.relative_to(ROOT).as_posix() for p in ROOT.glob("tests/*.py")} - {
        "tests/test_explorer.py"  # its page is tested in a browser
    } <= set(named)
    assert (
        "website"
        in tomllib.loads(read("pyproject.toml"))["tool"]["pytest"]["ini_options"]["markers"][0]
    )
    systems = {(one["system"].split("-")[0], one["python"]) for one in included(job)}
    lowest = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"].removeprefix(">=")
    assert {("macos", lowest), ("windows", lowest)} < systems


def included(job: dict) -> list[dict[str, str]]:
    return job["strategy"]["matrix"]["include"]


def test_workflows_pin_actions_by_commit():
    for name in workflows():
        lines = re.findall(r"uses: (.*)", read(f".github/workflows/{name}"))
        for line in lines:
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), f"{name}: {line}"


def test_workflows_may_read_only_unless_they_publish():
    for name, workflow in workflows().items():
        assert workflow["permissions"] == {"contents": "read"}, name
        for job_name, job in workflow["jobs"].items():
            if "permissions" not in job:
                continue
            if job["permissions"] == {"contents": "write"}:
                assert "refs/tags/v" in job["if"], f"{job_name} may release from a tag only"
            else:
                assert job["permissions"] == {"pages": "write", "id-token": "write"}, job_name
                assert "refs/heads/main" in job["if"], f"{job_name} may publish from main only"


# --- stored notebooks -------------------------------------------------------------------------


def code_cells() -> list[tuple[str, list[dict]]]:
    """Each notebook's name with its code cells."""
    found = []
    for path in sorted((ROOT / "book").rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            cells = json.loads(path.read_text("utf-8"))["cells"]
            code = [cell for cell in cells if cell["cell_type"] == "code"]
            found.append((path.relative_to(ROOT).as_posix(), code))
    assert found, "no notebook under book/"
    return found


def source(cell: dict) -> str:
    return "".join(cell["source"])


def test_notebooks_are_stored_without_outputs():
    stored = [
        f"{name}: code cell {place}"
        for name, cells in code_cells()
        for place, cell in enumerate(cells, start=1)
        if cell.get("outputs") or cell.get("execution_count") is not None
    ]
    assert stored == [], "clear the outputs before committing"


def test_code_cells_are_short():
    long = [
        f"{name}: code cell {place} has {lines} lines"
        for name, cells in code_cells()
        for place, cell in enumerate(cells, start=1)
        if (lines := len(source(cell).splitlines()))
        > (LONGEST_DRAWING if "figures." in source(cell) else LONGEST_CELL)
    ]
    assert long == [], "\n".join(long)


def test_first_code_cell_sets_no_path_and_installs_nothing():
    command = re.compile(r"^\s*[!%].*", flags=re.M)
    set_up = re.compile(r"\bsys\.path\b|\bpip\b|\bconda\b|\bchdir\b|\bPath\b|\bos\.path\b")
    path = re.compile(r"[/\\~]|\.(csv|json|py|ipynb)$")
    faults = []
    for name, cells in code_cells():
        first = source(cells[0]) if cells else ""
        faults += [f"{name}: {word}" for word in command.findall(first) + set_up.findall(first)]
        for node in ast.walk(ast.parse(command.sub("", first))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and path.search(text):
                faults.append(f"{name}: {text!r}")
    assert faults == [], "\n".join(faults)


# --- the code itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "src", "tests", "timings", "audits", "book"],
        ["ruff", "format", "--check", "src", "tests", "timings", "audits"],
        ["mypy"],
    ],
    ids=["ruff", "format", "mypy"],
)
def test_code_is_clean(command):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_cleaning_leaves_the_course_that_a_class_works_with(root, tmp_path):
    shutil.copy(root / "Makefile", tmp_path)
    for name in ("_build/html/page.html", "_build/course/instructor/lab_4/key.json", ".cache/kept"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("", "utf-8")
    for _ in range(2):  # the second time there is less to remove
        subprocess.run(["make", "--quiet", "clean"], cwd=tmp_path, check=True)
        files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")]
        assert sorted(files) == ["_build/course/instructor/lab_4/key.json"]
    shutil.rmtree(tmp_path / "_build")
    subprocess.run(["make", "--quiet", "clean"], cwd=tmp_path, check=True)

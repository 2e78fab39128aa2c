"""Does each notebook say the same wherever it runs? Alone, in any order, twice, elsewhere.

Each notebook runs in a kernel of its own, in a clone of the repository; all that it puts out
(text, tables, figures) is compared with a plain run. Addresses of objects do not count.

    make audit-deep        (or: python -m audits.surroundings)

Prints for each way how many notebooks ran, how many said the same, the names of the others, and
why a way was not tried that this machine does not allow. Writes the rows of ``audits/broken.csv``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from timings.timing import BROKEN, ROOT, save, stamp, tally

SEED = 2017
USER = 65534  # nobody, on most systems
SETTINGS = {"SOURCE_DATE_EPOCH": "1764000000", "OMP_NUM_THREADS": "1"}
NO_NETWORK = ["unshare", "--map-root-user", "--net"]
# Another user, who may read all (the interpreter may be in somebody's home) and write nothing.
OTHER_USER = [
    *("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
]
# What each way changes: settings of the environment, words before the command, words after it.
WAYS: dict[str, tuple[dict[str, str], list[str], list[str]]] = {
    "in another order": ({}, [], ["--shuffle"]),
    "twice in one session": ({}, [], ["--twice"]),
    "without a language (LC_ALL=C)": ({"LC_ALL": "C"}, [], []),
    "in another time zone": ({"TZ": "Asia/Kathmandu"}, [], []),
    "without network": ({}, NO_NETWORK, []),
    "as another user, source read-only": ({}, OTHER_USER, []),
}
OWN_CLONE = ("in another order", "as another user, source read-only")  # nothing is kept there yet

Outputs = dict[str, list[Any]]


# ---- in the process that runs the notebooks ---------------------------------------------------


def outputs(path: Path, folder: Path, twice: bool) -> list[Any]:
    """What the cells of a notebook put out, the last time that they ran."""
    notebook = nbformat.read(path, as_version=4)
    # Sockets are files: without a network there is not even an address of one's own.
    sockets = {"transport": "ipc", "ip": f"{tempfile.gettempdir()}/{path.stem}"}
    client = NotebookClient(
        notebook,
        timeout=900,
        startup_timeout=300,
        kernel_name="python3",
        coalesce_streams=True,
        config=Config({"KernelManager": sockets}),
    )
    with client.setup_kernel(cwd=str(path.parent)):
        for _ in range(1 + twice):
            for number, cell in enumerate(notebook.cells):
                client.execute_cell(cell, number)
    return [plain(out, folder) for cell in notebook.cells for out in cell.get("outputs", [])]


def plain(output: Any, folder: Path) -> Any:
    """An output without what may differ: its number, addresses of objects, the clone's path."""
    told = {key: value for key, value in output.items() if key != "execution_count"}
    text = json.dumps(told, sort_keys=True).replace(str(folder), "")
    return json.loads(re.sub(r"\b0x[0-9a-f]{6,}", "0x", text))


def run_all(folder: Path, *, shuffle: bool, twice: bool) -> Outputs:
    """Outputs of every notebook of a clone; an error stands in their place."""
    paths = sorted((folder / "book").rglob("*.ipynb"))
    if shuffle:
        random.Random(SEED).shuffle(paths)

    def one(path: Path) -> list[Any]:
        try:
            return outputs(path, folder, twice)
        except Exception as error:  # a notebook that fails is one that differs
            return [f"{type(error).__name__}: {error}"]

    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip([path.stem for path in paths], pool.map(one, paths), strict=True))


# ---- in the process that compares -------------------------------------------------------------


def clone(folder: Path) -> Path:
    """The repository at its last commit."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def here(folder: Path, way: str = "") -> Outputs:
    """Run all notebooks of a clone in some way; homes and caches are new and writable.

    Raises
    ------
    OSError
        If the machine does not allow this way, with the reason.
    """
    settings, before, after = WAYS[way] if way else ({}, [], [])
    with tempfile.TemporaryDirectory(prefix="home-") as home:
        own = {"HOME": home, "TMPDIR": home, "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{ROOT}"}
        environment = os.environ | SETTINGS | own | settings
        for name in ("MPLCONFIGDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "XDG_CACHE_HOME"):
            environment[name] = f"{home}/{name.lower()}"
        if before == OTHER_USER:
            lock(folder, Path(home))
        allowed(before)
        result = Path(home) / "outputs.json"
        command = [
            *before,
            sys.executable,
            "-m",
            "audits.surroundings",
            "--folder",
            str(folder),
            "--to",
            str(result),
        ]
        subprocess.run([*command, *after], env=environment, check=True, cwd=home)
        return json.loads(result.read_text("utf-8"))


def allowed(before: list[str]) -> None:
    """Does the machine allow a command to start so? Else an OSError with the reason."""
    if before:
        done = subprocess.run([*before, "true"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(done.stderr.strip())


def lock(folder: Path, home: Path) -> None:
    """Take the right to write from a clone, and give the home to the other user."""
    if os.geteuid():
        raise OSError("only root can start a process as another user")
    subprocess.run(["chmod", "--recursive", "a-w,a+rX", str(folder)], check=True)
    folder.parent.chmod(0o755)
    os.chown(home, USER, USER)


def compare(expected: Outputs, found: Outputs) -> dict[str, Any]:
    """How many notebooks ran, how many put out the same, and which did not."""
    other = sorted(name for name in expected if found.get(name) != expected[name])
    return {"run": len(found), "same": len(expected) - len(other), "other": other}


def tell(expected: Outputs, found: Outputs, names: list[str]) -> None:
    """Print the first output that differs of each notebook."""
    for name in names:
        pairs = zip(expected[name], found.get(name, []), strict=False)
        first = next(((a, b) for a, b in pairs if a != b), (len(expected[name]), "number"))
        print(name, *(json.dumps(side)[:1500] for side in first), sep="\n  ", flush=True)


def tallied(way: str, became: dict[str, Any]) -> dict[str, str]:
    """How many notebooks ran in a way, and how many said something else or nothing."""
    what = f"Notebooks: {way}"
    if "why" in became:
        return {"what": what, "tried": "not tried", "caught": "", "lost": "", **stamp()}
    return tally(what, became["run"], len(became["other"]))


def main() -> int:
    """Run all notebooks in each way; write and print which say something else."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ways", nargs="*", metavar="WAY", help="; ".join(WAYS))
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--shuffle", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--twice", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.folder:
        found = run_all(asked.folder, shuffle=asked.shuffle, twice=asked.twice)
        asked.to.write_text(json.dumps(found), "utf-8")
        return 0
    ways: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="surroundings-") as place:
        shared = clone(Path(place) / "plain")
        expected = here(shared)
        failed = [name for name, out in expected.items() if out and isinstance(out[-1], str)]
        if failed:
            sys.exit(f"these fail in a plain run: {', '.join(failed)}\n{expected[failed[0]]}")
        for way in asked.ways or WAYS:
            began = time.perf_counter()
            folder = clone(Path(place) / "own" / way[:2]) if way in OWN_CLONE else shared
            try:
                found = here(folder, way)
            except OSError as error:
                ways[way] = {"run": 0, "same": 0, "other": [], "why": f"not tried: {error}"}
            else:
                ways[way] = compare(expected, found)
                tell(expected, found, ways[way]["other"])
            print(way, ways[way], f"{time.perf_counter() - began:.0f} s", flush=True)
    if not asked.ways:
        save(BROKEN, "surroundings", [tallied(way, became) for way, became in ways.items()])
    return int(any(told["other"] for told in ways.values()))


if __name__ == "__main__":
    sys.exit(main())

"""Does a folder that was copied, renamed or stopped half-way make its own environment, whole?

    make audit-deep        (or: python -m audits.folders)

In a clone the environment is made, with the packages that are at hand; then each trouble is made
and ``make check`` must end well and find a fault that was planted in this very folder's data, with
this folder's package. Prints a line for each trouble; exit status 1 if one fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from timings.timing import ROOT

PLACE = "import taobao_villages; print(taobao_villages.PACKAGE)"


def make(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run make in a folder."""
    own = os.environ | settings
    return subprocess.run(["make", *words], cwd=folder, env=own, capture_output=True, text=True)


def copied(folder: Path) -> Path:
    """A copy beside the folder, with all that is in it."""
    return Path(shutil.copytree(folder, folder.with_name("a copy 村"), symlinks=True))


def renamed(folder: Path) -> Path:
    """The folder under another name."""
    return folder.rename(folder.with_name("renamed"))


def killed(folder: Path) -> Path:
    """The making of its environment is killed, with all processes, after some seconds."""
    shutil.rmtree(folder / ".venv")
    call = subprocess.Popen(
        ["make", ".venv/ready"],
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(20)
    os.killpg(call.pid, 9)
    call.wait()
    return folder


def of_a_link(folder: Path) -> Path:
    """A folder whose ``.venv`` is a link to that of another one."""
    other = folder.with_name("with a link")
    subprocess.run(["git", "clone", "--quiet", str(folder), str(other)], check=True)
    (other / ".venv").symlink_to(folder / ".venv")
    return other


def without_git(folder: Path) -> Path:
    """As from an archive: no repository, no environment."""
    left_out = shutil.ignore_patterns(".git", ".venv", ".cache")
    return Path(shutil.copytree(folder, folder.with_name("archive"), ignore=left_out))


TROUBLES: tuple[Callable[[Path], Path], ...] = (copied, renamed, killed, of_a_link, without_git)


def faults(folder: Path, name: str) -> list[str]:
    """What is wrong with a folder in which a fault is planted, after make has run there."""
    table = folder / "data" / "villages" / "national.csv"
    before = table.read_bytes()
    table.write_bytes(before.replace(b"\n2009,", b"\nPLANTED,", 1))
    done = make(folder, "check")
    closed = make(folder, "check", HOME=str(folder / "no such home"))
    table.write_bytes(before)
    wrong = []
    for said, where in ((done, ""), (closed, " in a closed home")):
        if "PLANTED" not in said.stdout:
            wrong.append(f"{name}: no fault is found{where}: {said.stdout[-300:]}{said.stderr}")
    call = [folder / ".venv" / "bin" / "python", "-c", PLACE]
    place = subprocess.run(call, capture_output=True, text=True).stdout.strip()
    if place != str(folder / "src" / "taobao_villages"):
        wrong.append(f"{name}: the package is that of {place or 'no folder'}")
    call = [folder / ".venv" / "bin" / "jupyter-book", "--version"]
    if subprocess.run(call, capture_output=True).returncode:
        wrong.append(f"{name}: jupyter-book does not start")
    return wrong


def main() -> int:
    """Make each trouble and look what becomes of it."""
    chosen = [one for one in TROUBLES if one.__name__ in sys.argv[1:]] or TROUBLES
    found = []
    with tempfile.TemporaryDirectory(prefix="folders-") as place:
        folder = Path(os.path.realpath(place)) / "first"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        if make(folder, ".venv/ready").returncode:
            sys.exit("no environment can be made here at all. Remedy: run make .venv/ready")
        for trouble in chosen:
            began = time.perf_counter()
            other = trouble(folder)
            wrong = faults(other, trouble.__name__)
            print("\n".join(wrong) or f"{trouble.__name__}: whole", end="; ")
            print(f"{time.perf_counter() - began:.0f} s", flush=True)
            found += wrong
            folder = other if trouble is renamed else folder
            if other != folder:
                shutil.rmtree(other)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

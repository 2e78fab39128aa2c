"""Do two builds from two fresh clones at different paths give the same bytes? Which files differ?

    make audit-deep                                    clones, builds and compares
    python -m audits.two_clones                    the same alone
    python -m audits.two_clones FOLDER OTHER       compares two built folders

Each clone has its own path, environment, home folder, time zone and hash seed, so that whatever
depends on one of them shows. Prints one line for each file that differs; exit status 1 if any.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLONES = {
    "one": {"TZ": "UTC", "PYTHONHASHSEED": "1"},
    "a/longer path/two": {"TZ": "Asia/Shanghai", "PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8"},
}
AROUND = 60  # bytes shown on each side of the first difference


def differences(one: Path, other: Path) -> list[str]:
    """A line for each file that is in one folder alone or differs between the two.

    Parameters
    ----------
    one, other : Path
        Two folders, for example two of ``_build/html``.

    Raises
    ------
    FileNotFoundError
        If one of them is not a folder or is empty: nothing compared is not the same as equal.
    """
    files = [{p.relative_to(f) for p in f.rglob("*") if p.is_file()} for f in (one, other)]
    for folder, found in zip((one, other), files, strict=True):
        if not found:
            raise FileNotFoundError(f"{folder} has no files. Remedy: build the book first")
    lines = [f"{name}: only in {one}" for name in sorted(files[0] - files[1])]
    lines += [f"{name}: only in {other}" for name in sorted(files[1] - files[0])]
    for name in sorted(files[0] & files[1]):
        if not filecmp.cmp(one / name, other / name, shallow=False):
            lines.append(f"{name}: {first_difference(one / name, other / name)}")
    return lines


def first_difference(one: Path, other: Path) -> str:
    """Where two files begin to differ, and how."""
    a, b = one.read_bytes(), other.read_bytes()
    same = zip(a, b, strict=False)
    place = next((i for i, (x, y) in enumerate(same) if x != y), min(len(a), len(b)))
    start = max(0, place - AROUND)
    shown = [text[start : place + AROUND].decode("utf-8", "replace") for text in (a, b)]
    return f"byte {place}: {shown[0]!r} against {shown[1]!r}"


def build(source: Path, folder: Path, settings: dict[str, str]) -> Path:
    """Clone, build as a new user would, and return the folder of pages."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "clone", "--quiet", str(source), str(folder)], check=True)
    began = time.perf_counter()
    with (folder.parent / f"{folder.name}.log").open("w") as log:
        environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
        done = subprocess.run(
            ["make", "book"], cwd=folder, env=environment | settings, stdout=log, stderr=log
        )
    if done.returncode:
        sys.exit(f"the build in {folder} failed; the end of its log:\n{tail(Path(log.name))}")
    print(f"built {folder.name} in {time.perf_counter() - began:.0f} s", flush=True)
    return folder / "_build" / "html"


def tail(path: Path) -> str:
    """The last lines of a log."""
    return "\n".join(path.read_text("utf-8", "replace").splitlines()[-30:])


def main() -> int:
    """Compare, and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="two built folders")
    chosen = parser.parse_args().folders
    if len(chosen) not in (0, 2):
        parser.error("give two folders, or none")
    with tempfile.TemporaryDirectory(prefix="clones-") as place:
        if not chosen:
            chosen = [build(ROOT, Path(place) / name, own) for name, own in CLONES.items()]
        found = differences(*chosen)
        count = sum(path.is_file() for path in chosen[0].rglob("*"))
    print("\n".join(found) or f"{count} files, the same bytes in both")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

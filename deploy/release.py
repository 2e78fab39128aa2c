"""The archive of one version: all that is needed to read, cite, check and build it in ten years.

    make release              dist/taobao-villages-VERSION.zip
    make release WHEELS=1     with every package of the lock, so that it builds without network
    python deploy/release.py --prove    builds from that archive with the network off and compares

In the archive: the repository with its lock, data package and CITATION.cff; ``html``, the pages;
``notebooks``, as executed; ``dist``, the package as a wheel; ``sbom.json``, the list of all parts
with their hashes (CycloneDX); ``SHA256SUMS`` over all of it (``sha256sum --check SHA256SUMS``).
The same state of the repository gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from taobao_villages import __version__
from taobao_villages.book import launch
from taobao_villages.course.wheel import build_wheel

ROOT = Path(__file__).parents[1]
NAME = f"taobao-villages-{__version__}"
PAGES = ROOT / "_build" / "html"
EXECUTED = ROOT / "_build" / "jupyter_execute"
EPOCH = os.environ.get("SOURCE_DATE_EPOCH", "1764000000")
LEFT_OUT = ("lite",)  # a site that needs the network


def tracked() -> list[Path]:
    """The files of the repository.

    Raises
    ------
    SystemExit
        If it is no clone, or if something is not committed: no version would name that state.
    """
    git = ["git", "-C", str(ROOT)]
    done = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    if done.returncode:
        sys.exit("this is no clone of the repository. Remedy: clone it with git")
    if done.stdout.strip():
        sys.exit(f"not committed:\n{done.stdout}Remedy: commit or remove these first")
    names = subprocess.run([*git, "ls-files", "-z"], capture_output=True, text=True, check=True)
    return [ROOT / name for name in names.stdout.split("\0") if name]


def wheelhouse(folder: Path) -> None:
    """Fetch every package of the lock that this system installs, held to its hash by pip."""
    call = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    call += ["--no-deps", "--require-hashes", "-r", str(ROOT / "requirements.lock")]
    if subprocess.run([*call, "-d", str(folder)]).returncode:
        sys.exit("a package cannot be fetched. Remedy: see pip's message above")


def parts(lock: Path, target: Path) -> Path:
    """Write the list of the packages of a lock, with versions and hashes, as CycloneDX."""
    call = [sys.executable, "-m", "cyclonedx_py", "requirements", str(lock)]
    call += ["--output-reproducible", "--of", "JSON", "-o", str(target)]
    subprocess.run(call, check=True, env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH})
    return target


def members(wheels: bool, work: Path) -> Iterator[tuple[str, Path]]:
    """Name in the archive and file, for everything but the checksums."""
    if not (PAGES / "ledger.json").is_file():
        sys.exit("the book is not built. Remedy: make book")
    for path in tracked():
        yield path.relative_to(ROOT).as_posix(), path
    for path in PAGES.rglob("*"):
        inside = path.relative_to(PAGES)
        if path.is_file() and inside.parts[0] not in LEFT_OUT:
            yield f"html/{inside.as_posix()}", path
    for path in launch.notebooks(ROOT):
        inside = path.relative_to(ROOT)
        yield f"notebooks/{inside.relative_to('book').as_posix()}", EXECUTED / inside
    wheel = build_wheel(ROOT, work / "dist")
    yield f"dist/{wheel.name}", wheel
    yield "sbom.json", parts(ROOT / "requirements.lock", work / "sbom.json")
    if wheels:
        wheelhouse(work / "wheelhouse")
        for path in (work / "wheelhouse").iterdir():
            yield f"wheelhouse/{path.name}", path


def pack(target: Path, files: dict[str, Path]) -> Path:
    """Write a zip archive with checksums: the same bytes for the same files.

    Parameters
    ----------
    target : Path
        The archive; its stem is the folder inside.
    files : dict
        Name in the archive to file.
    """
    when = time.gmtime(int(EPOCH))[:6]
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    sums = []
    with zipfile.ZipFile(part, "w") as archive:

        def add(name: str, content: bytes, runs: bool) -> None:
            about = zipfile.ZipInfo(f"{target.stem}/{name}", when)
            about.external_attr = (0o100755 if runs else 0o100644) << 16
            packed = name.endswith((".whl", ".png"))
            about.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            archive.writestr(about, content)

        for name, path in sorted(files.items()):
            content = path.read_bytes()
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
            add(name, content, os.access(path, os.X_OK))
        add("SHA256SUMS", "".join(sums).encode(), False)
    part.replace(target)  # an interrupted run leaves no archive that looks whole
    return target


def make(wheels: bool, folder: Path) -> Path:
    """Make the archive in `folder` and say how large it is."""
    with tempfile.TemporaryDirectory(prefix="release-") as work:
        files = dict(members(wheels, Path(work)))
        target = pack(folder / f"{NAME}.zip", files)
    print(f"{target}: {len(files)} files, {target.stat().st_size / 1e6:.0f} MB")
    return target


def prove() -> list[str]:
    """Build from an archive with wheels, without network, and list what differs from ours."""
    differences = runpy.run_path(str(ROOT / "audits" / "two_clones.py"))["differences"]
    if shutil.which("unshare") is None:
        return ["unshare is missing. Remedy: run it on Linux (Debian: apt install util-linux)"]
    with tempfile.TemporaryDirectory(prefix="archive-") as place:
        archive = make(True, Path(place))
        subprocess.run(["unzip", "-q", archive.name], cwd=place, check=True)
        folder = Path(place) / NAME
        subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=folder, check=True)
        began = time.perf_counter()
        # A network of its own, in which nothing but this machine can be reached.
        alone = ["unshare", "--net", "--map-root-user", "sh", "-c"]
        own = os.environ | {"HOME": place, "UV_CACHE_DIR": f"{place}/cache"}
        call = [*alone, f"ip link set lo up && make book PYTHON={sys.executable}"]
        done = subprocess.run(call, cwd=folder, env=own, capture_output=True, text=True)
        if done.returncode:
            return [f"the build failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"]
        print(f"built without network in {time.perf_counter() - began:.0f} s")
        return differences(folder / "html", folder / "_build" / "html")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheels", action="store_true", help="with every package of the lock")
    parser.add_argument("--prove", action="store_true", help="build from it with the network off")
    chosen = parser.parse_args()
    if not chosen.prove:
        make(chosen.wheels, ROOT / "dist")
        sys.exit()
    found = prove()
    print("\n".join(found) or "the archive gives the same pages and the same ledger")
    sys.exit(1 if found else 0)

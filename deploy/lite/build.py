"""JupyterLite in ``_build/html/lite``: the notebooks run in the reader's browser, on no server.

    make lite                               builds it
    python deploy/lite/build.py --pin       writes pyodide.json and wheels.txt anew

Three kinds of files end up in the site. From npm: the core of Pyodide, held to the integrity hash
in ``pyodide.json``. From the Python package index: the pure-Python wheels in ``wheels.txt``, held
to their hashes: what the kernel needs to start, and what Pyodide does not provide. From here: the
package with its data, and the notebooks. Compiled packages (numpy, pandas, ...) exist for the
browser in Pyodide's public distribution only: the browser fetches these from there, with the
hashes of Pyodide's lock. Without network the site opens and the kernel starts, but no chapter runs.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib.metadata
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from taobao_villages.book import launch
from taobao_villages.course.wheel import build_wheel

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
WORK = ROOT / ".cache" / "lite"
SITE = ROOT / "_build" / "html" / "lite"
PACKAGE = "taobao-villages"
# What the kernel loads by itself when it starts; `comm` is not in Pyodide's lock.
KERNEL = ("ipython", "jedi", "micropip", "packaging", "traitlets", "pyodide-http")
BESIDE_THE_LOCK = ("comm",)
# Files of the npm package that a browser needs.
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
BROWSER = {  # the values of environment markers in Pyodide
    "python_version": "3.14",
    "python_full_version": "3.14.2",
    "sys_platform": "emscripten",
    "platform_system": "Emscripten",
    "platform_machine": "wasm32",
    "os_name": "posix",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "extra": "",
}


def pins() -> dict[str, Any]:
    """What ``pyodide.json`` pins: the release, its hash and the versions that it provides."""
    return json.loads((HERE / "pyodide.json").read_text("utf-8"))


def pyodide(release: str, integrity: str) -> tuple[Path, dict[str, Any]]:
    """The unpacked npm package of a Pyodide release, and its lock.

    Raises
    ------
    SystemExit
        If npm cannot fetch it or its hash is another.
    """
    folder = WORK / f"pyodide-{release}"
    if not (folder / "package").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm")
        if npm is None:
            sys.exit("npm is not installed. Remedy: install Node.js (Debian: apt install npm)")
        call = [npm, "pack", "--silent", f"pyodide@{release}", "--pack-destination", str(folder)]
        if subprocess.run(call, stdout=subprocess.DEVNULL).returncode:
            sys.exit(f"npm cannot fetch pyodide {release}. Remedy: see its message above")
        (archive,) = folder.glob("*.tgz")
        found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != integrity:
            archive.unlink()
            sys.exit(f"pyodide {release} has the hash {found}, not {integrity} of pyodide.json")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    lock = json.loads((folder / "package" / "pyodide-lock.json").read_text("utf-8"))
    return folder / "package", lock


def provided(lock: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The packages of a Pyodide lock by normalised name."""
    return {canonicalize_name(name): about for name, about in lock["packages"].items()}


def resolve(packages: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """What the book needs in the browser: versions from Pyodide, and versions to bring along.

    Parameters
    ----------
    packages : mapping
        What Pyodide provides: name to an entry of its lock, with ``version`` and ``depends``.

    Raises
    ------
    SystemExit
        If Pyodide provides a version that a package does not accept.
    """
    from_pyodide, own = {}, {}
    waiting, faults = [PACKAGE], []
    while waiting:
        name = waiting.pop()
        if name in from_pyodide or name in own:
            continue
        if name in packages:
            from_pyodide[name] = packages[name]["version"]
            waiting += [canonicalize_name(other) for other in packages[name]["depends"]]
            continue
        about = importlib.metadata.distribution(name)
        own[name] = about.version
        for line in about.requires or []:
            wanted = Requirement(line)
            if wanted.marker and not wanted.marker.evaluate(BROWSER):
                continue
            other = canonicalize_name(wanted.name)
            if other in packages and not wanted.specifier.contains(packages[other]["version"]):
                faults.append(f"{name} needs {wanted}, Pyodide has {packages[other]['version']}")
            waiting.append(other)
    if faults:
        sys.exit("\n".join(faults) + "\nRemedy: widen the range in pyproject.toml if it works")
    del own[PACKAGE]
    return from_pyodide, own


def closure(packages: Mapping[str, Any], names: tuple[str, ...]) -> set[str]:
    """`names` and all that they depend on in Pyodide's lock."""
    found, waiting = set(), list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            waiting += packages[name]["depends"]
    return found


def pin() -> None:
    """Write ``pyodide.json`` and ``wheels.txt`` for the release named in ``pyodide.json``."""
    about = pins()
    packages = provided(pyodide(about["release"], about["integrity"])[1])
    from_pyodide, own = resolve(packages)
    kernel = {name: packages[name]["version"] for name in closure(packages, KERNEL)}
    kernel |= {name: importlib.metadata.version(name) for name in BESIDE_THE_LOCK}
    kept = {
        name: {"version": version, "depends": packages[name]["depends"]}
        for name, version in sorted(from_pyodide.items())
    }
    about |= {"kernel": dict(sorted(kernel.items())), "packages": kept}
    (HERE / "pyodide.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    wanted = [f"{name}=={version}" for name, version in sorted((own | kernel).items())]
    uv = Path(sys.executable).with_name("uv")
    call = [
        uv,
        "pip",
        "compile",
        "--quiet",
        "--no-deps",
        "--generate-hashes",
        "--no-emit-index-url",
    ]
    call += ["--python-version", "3.14", "--no-annotate", "--only-binary", ":all:"]
    call += ["--custom-compile-command", "python deploy/lite/build.py --pin"]
    done = subprocess.run(
        [*call, "-"], input="\n".join(wanted), text=True, capture_output=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("--")]
    (HERE / "wheels.txt").write_text("\n".join(lines) + "\n", "utf-8")


def wheels() -> list[Path]:
    """The wheels of ``wheels.txt``, fetched once and held to their hashes by pip."""
    text = (HERE / "wheels.txt").read_bytes()
    folder = WORK / f"wheels-{hashlib.sha256(text).hexdigest()[:16]}"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        call = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        call += ["--only-binary", ":all:", "--platform", "any", "--python-version", "3.14"]
        call += ["--implementation", "py", "--abi", "none", "--disable-pip-version-check"]
        subprocess.run([*call, "-d", str(part), "-r", str(HERE / "wheels.txt")], check=True)
        part.replace(folder)
    return sorted(folder.glob("*.whl"))


def prepare(folder: Path) -> None:
    """Lay out what ``jupyter lite build`` copies: ``static/pyodide``, ``pypi`` and ``files``."""
    about = pins()
    source, lock = pyodide(about["release"], about["integrity"])
    packages = provided(lock)
    stale = {n: p["version"] for n, p in about["packages"].items()}
    if stale != resolve(packages)[0]:
        sys.exit("pyodide.json is out of date. Remedy: python deploy/lite/build.py --pin")
    shutil.rmtree(folder, ignore_errors=True)
    static, pypi = folder / "static" / "pyodide", folder / "pypi"
    static.mkdir(parents=True)
    pypi.mkdir()
    for name in CORE:
        shutil.copyfile(source / name, static / name)
    base = f"{about['distribution']}/v{about['release']}/full/"
    for entry in packages.values():
        entry["file_name"] = base + entry["file_name"]
    for wheel in wheels():
        name = canonicalize_name(parse_wheel_filename(wheel.name)[0])
        if name in packages:
            shutil.copyfile(wheel, static / wheel.name)
            sha = hashlib.sha256(wheel.read_bytes()).hexdigest()
            packages[name] |= {"file_name": wheel.name, "sha256": sha}
        else:
            shutil.copyfile(wheel, pypi / wheel.name)
    (static / "pyodide-lock.json").write_text(json.dumps(lock), "utf-8")
    build_wheel(ROOT, pypi)
    launch.export(ROOT, folder / "files", launch.LITE_CELL)
    plugin = "@jupyterlite/pyodide-kernel-extension:kernel"
    settings = {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "litePluginSettings": {plugin: {"disablePyPIFallback": True}},
            "exposeAppInBrowser": True,  # check.py drives the site by it
        },
    }
    (folder / "jupyter-lite.json").write_text(json.dumps(settings, indent=1) + "\n", "utf-8")


def build() -> None:
    """Build the site beside the pages."""
    if not SITE.parent.is_dir():
        sys.exit("the book is not built. Remedy: make book")
    folder = WORK / "site"
    prepare(folder)
    shutil.rmtree(SITE, ignore_errors=True)
    call = [str(Path(sys.executable).with_name("jupyter")), "lite", "build"]
    call += ["--lite-dir", str(folder), "--contents", str(folder / "files"), "--apps", "lab"]
    call += ["--output-dir", str(SITE), "--no-sourcemaps", "--no-unused-shared-packages"]
    subprocess.run(call, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    print(f"{SITE}: {size / 1e6:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pin", action="store_true", help="write pyodide.json and wheels.txt anew")
    pin() if parser.parse_args().pin else build()

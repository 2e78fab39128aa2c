"""The environment in ``.venv``: made for this folder, and made anew where it does not fit.

    make .venv/ready                       what every target of the Makefile does first
    python deploy/environment.py           the same, with nothing but Python's standard library
    python deploy/environment.py PYTHON    with that Python
    python deploy/environment.py uv ...    runs uv with the mirror and certificate that pip has

It does not fit a folder that was copied or renamed, since its scripts and the package name the
first one; nor another Python than the one asked for; nor if its making was stopped half-way. The
old one comes back if a new one cannot be made.

pip installs uv, held to its hash; uv installs the lock and compiles bytecode. Where uv cannot,
pip does it all, only slower.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

ROOT = Path(os.path.realpath(__file__)).parents[1]
LOWEST = (3, 11)
# Version, home and place of the package of a Python, whatever links lead to it.
ASKED = """
import importlib.util, json, os, sys
package = importlib.util.find_spec("taobao_villages")
origin = os.path.realpath(package.origin) if package else ""
version = ".".join(map(str, sys.version_info[:3])) + sys.abiflags
print(json.dumps([version, os.path.realpath(sys.base_prefix), origin]))
"""
# What pip calls a setting, and what uv does.
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "client-cert": "SSL_CLIENT_CERT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
}
PLACES = ("index-url", "extra-index-url", "find-links")
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
REMEDY = (
    "Remedy: connect to the network and run make again; behind a mirror or a proxy, name it as for "
    "pip: PIP_INDEX_URL=https://..., PIP_CERT=/path/to/certificate.pem, HTTPS_PROXY=http://..."
)


class Environment:
    """An environment in the folder ``.venv`` of a repository.

    Parameters
    ----------
    root : Path
        The repository, without symbolic links in its path.
    """

    def __init__(self, root: Path):
        self.root = root
        self.folder = root / ".venv"
        self.old = root / ".venv-old"
        self.python = self.folder / "bin" / "python"
        self.ready = self.folder / "ready"  # it is whole; says what it was made for
        self.making = self.folder / "making"  # it is not whole yet
        self.lock = root / "requirements.lock"

    def misfit(self, asked: str | None) -> str:
        """Why the environment does not fit; empty if it does, "lock" if packages are outdated.

        Parameters
        ----------
        asked : str, optional
            The Python that it must have; any, if none is asked for.
        """
        if not os.path.lexists(self.folder):
            return "there is none"
        if self.making.exists():
            return "its making was stopped half-way"
        told = read(self.ready)
        if not told:
            return "it is not whole, or was not made here"
        if told["folder"] != str(self.root):
            return f"it was made for {told['folder']}"
        if not (have := about(self.python)):
            return "its Python does not run"
        version, home, package = have
        if not package.startswith(f"{self.root / 'src'}{os.sep}"):
            return f"it takes the package from {os.path.dirname(package) or 'nowhere'}"
        if asked and (wanted := about(asked)) and wanted[:2] != [version, home]:
            return f"it has Python {version}, and {asked} ({wanted[0]}) is asked for"
        return "" if told["lock"] == self.sums() else "lock"

    def sums(self) -> str:
        """Fingerprint of what the environment is made from."""
        files = [self.lock, self.root / "pyproject.toml"]
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()

    def make(self, asked: str | None = None) -> None:
        """Make the environment, or bring it up to date, unless it fits.

        Raises
        ------
        SystemExit
            With one line that says why it cannot be made and what to do.
        """
        base = os.path.expanduser(asked or getattr(sys, "_base_executable", "") or sys.executable)
        base = os.path.abspath(base) if os.sep in base else base
        version = (about(base) or ["0.0"])[0]
        if tuple(map(int, version.split(".")[:2])) < LOWEST:
            sys.exit(f"{base} is no Python 3.11 or later. Remedy: make PYTHON=/path/to/python3.11")
        if not self.misfit(asked and base):
            return
        with one_at_a_time(self.root / ".cache" / "environment.lock"):
            why = self.misfit(asked and base)  # it may have been made meanwhile
            if why == "lock":
                say("Bringing the environment in .venv up to date")
                self.ready.rename(self.making)
                self.fill()
            elif why:
                with self.aside(why):
                    say("Making the environment in .venv (some minutes on a slow network)")
                    self.folder.mkdir()
                    self.making.touch()
                    if not run([base, "-m", "venv", self.folder]):
                        remedy = "Remedy: see the message above (Debian: apt install python3-venv)"
                        sys.exit(f"{base} makes no environment. {remedy}")
                    self.fill()

    @contextmanager
    def aside(self, why: str) -> Iterator[None]:
        """Put the old environment aside; remove it in the end, or put it back after a failure."""
        if self.making.exists():
            remove(self.folder)
        if os.path.lexists(self.folder):
            say(f"The environment in .venv does not fit: {why}. It is made anew")
            if (self.old / "ready").exists():
                remove(self.old)
            if os.path.lexists(self.old):
                sys.exit("Both .venv and .venv-old are in the way. Remedy: move or remove one")
            self.folder.rename(self.old)
        try:
            yield
        except BaseException:
            remove(self.folder)
            if os.path.lexists(self.old):
                self.old.rename(self.folder)
            raise
        if (self.old / "ready").exists():
            remove(self.old)
        elif os.path.lexists(self.old):
            say("What was in .venv may be yours: it is in .venv-old now")

    def fill(self) -> None:
        """Install the lock and the package, and say that the environment is whole."""
        settings = for_uv(pip_settings(printed([self.python, "-m", "pip", "config", "list"])))
        pip = [self.python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        uv = [self.folder / "bin" / "uv", "pip", "install", "--python", self.python]
        only = self.folder / "uv.txt"
        text = self.lock.read_text("utf-8")
        only.write_text(text[text.index("\nuv==") :].partition("# via")[0].strip(), "utf-8")
        if not run([*pip, "--require-hashes", "-r", only], settings):
            sys.exit(f"The packages cannot be fetched (the reason stands above). {REMEDY}")
        locked = ["--require-hashes", "-r", self.lock]
        if not run([*uv, "--compile-bytecode", *locked], settings):
            say("uv cannot install the packages; pip tries, which takes longer")
            if not run([*pip, *locked], settings):
                sys.exit(f"The packages cannot be installed (the reason stands above). {REMEDY}")
        own = ["--no-deps", "--no-build-isolation", "-e", str(self.root)]
        if not run([*pip, *own], settings):
            sys.exit("The package cannot be installed. Remedy: see the message above")
        version, home, package = about(self.python) or ["", "", ""]
        if not package.startswith(f"{self.root / 'src'}{os.sep}"):
            remedy = f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}. Remedy: unset PYTHONPATH"
            sys.exit(f"Another package of this name is found first: {package}; {remedy}")
        told = {"folder": str(self.root), "python": f"{version} in {home}", "lock": self.sums()}
        self.making.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
        self.making.rename(self.ready)


# ---- what pip is told, uv is told ----------------------------------------------------------------


def pip_settings(listed: str) -> dict[str, str]:
    """What ``pip config list`` prints, by name, as ``pip install`` takes it."""
    found: dict[str, dict[str, str]] = {}
    for line in listed.splitlines():
        where, _, rest = line.partition(".")
        name, _, value = rest.partition("=")
        with suppress(ValueError, SyntaxError):  # a remark of pip
            found.setdefault(where, {})[name] = str(ast.literal_eval(value))
    return found.get("global", {}) | found.get("install", {}) | found.get(":env:", {})


def for_uv(settings: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which uv and pip reach the same places with the same certificates.

    Parameters
    ----------
    settings : mapping
        From `pip_settings`.
    environ : mapping
        The environment as it is; what it says to uv stays.
    """
    told = {}
    for name, variable in SETTINGS.items():
        value = settings.get(name, "").strip()
        if name in PLACES:
            value = ("," if name == "find-links" else " ").join(filter(is_there, value.split()))
        elif name == "trusted-host":
            value = " ".join(value.split())
        if value and value.lower() not in ("0", "false", "no", "off"):
            told[variable] = value
    if "UV_INDEX" in told:  # as pip does: the best of all places; each file is held to its hash
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if "UV_INDEX_URL" in environ:  # the older name of it
        told.pop("UV_DEFAULT_INDEX", None)
    if has_certificates():  # that of a company's proxy is among the system's
        told |= {"UV_NATIVE_TLS": "true", "UV_SYSTEM_CERTS": "true"}
    mirror = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL")
    if mirror and "index-url" not in settings:
        told["PIP_INDEX_URL"] = mirror
    made = {name: value for name, value in told.items() if not environ.get(name)}
    certificate = settings.get("cert") or next(filter(None, map(environ.get, CERTIFICATES)), "")
    if certificate:
        made |= {"SSL_CERT_FILE": certificate, "PIP_CERT": certificate}
    return {**environ, **made, "PIP_USER": "0"}  # some hubs set that, and pip would refuse


def is_there(place: str) -> bool:
    """Whether a place can be asked: pip passes over a folder that is missing, uv stops."""
    parts = urlsplit(place)
    if parts.scheme in ("", "file"):
        return Path(url2pathname(parts.path)).exists()
    return True


def has_certificates() -> bool:
    """Whether this system has certificates of its own."""
    places = ssl.get_default_verify_paths()
    return bool(places.cafile or (places.capath and os.listdir(places.capath)))


# ---- processes and files -------------------------------------------------------------------------


def about(python: str | Path) -> list[str]:
    """Version, home, and where the package is found, of a Python; empty if it does not run."""
    with suppress(ValueError):
        return json.loads(printed([python, "-c", ASKED]))
    return []


def printed(command: Sequence[str | Path]) -> str:
    """What a command prints; nothing if it cannot run."""
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, text=True).stdout
    return ""


def run(command: Sequence[str | Path], environ: Mapping[str, str] | None = None) -> bool:
    """Whether a command runs and ends well."""
    with suppress(FileNotFoundError, PermissionError):
        return subprocess.run(command, env=environ).returncode == 0
    return False


def read(path: Path) -> dict[str, str]:
    """What a file says of an environment; nothing if it is not there or says nothing."""
    with suppress(OSError, ValueError):
        told = json.loads(path.read_text("utf-8"))
        return told if {"folder", "lock"} <= set(told) else {}
    return {}


def remove(path: Path) -> None:
    """Remove a folder, or the link to one."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path)


def say(line: str) -> None:
    """Print a line before what other processes print."""
    print(line, flush=True)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process makes the environment; a killed one leaves no lock."""
    import fcntl  # not on Windows, where there is no make either

    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("The environment is being made by another process: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks
        yield


def main(arguments: list[str]) -> int:
    """Make the environment, or run uv."""
    here = Environment(ROOT)
    if arguments[:1] == ["uv"]:
        settings = for_uv(pip_settings(printed([here.python, "-m", "pip", "config", "list"])))
        return subprocess.run([here.folder / "bin" / "uv", *arguments[1:]], env=settings).returncode
    try:
        here.make(arguments[0] if arguments else None)
    except OSError as error:
        remedy = "Remedy: see its rights and the space on the disk, or copy the folder elsewhere"
        sys.exit(f"The environment cannot be made: {error.filename}: {error.strerror}. {remedy}")
    except KeyboardInterrupt:
        sys.exit("stopped; the environment is not made. Remedy: run make again")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

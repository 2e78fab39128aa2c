"""All that can change what a cell prints or what a claim says: the one place that knows it.

What is kept between two builds (outputs of notebooks, the ledger, the variants) is kept with notes
of everything that Python looked at while it was computed. `Inputs.key` turns the notes into a
fingerprint of how these things are now; what is kept holds as long as the fingerprint is the same.

Notes are lines of a kind and a name:

=========== ====================================================================================
file        opened for reading; libraries do not count here, see below
folder      listed, by names alone
entries     listed, with kind and size of each entry
link        asked where it leads
module      searched for in this folder
state       asked whether it is there, how large it is, and since when
variable    of the environment; ``*`` stands for all
unknown     what nobody can know: another process, another machine, a library that opens files
            without Python, the clock, chance without a seed (these two by their usual names, in
            cells). What has such a note is never kept.
=========== ====================================================================================

Besides, `surroundings` counts for everything: the version of Python, every file of the libraries
that are installed, the machine. Python tells by itself what it opens, lists and starts (its audit
events); for what it does not tell, `_Watch` stands in front of a few functions of `os`.

This module imports nothing else of the package: a kernel begins with it.
"""

from __future__ import annotations

import ast
import glob
import hashlib
import importlib.util
import locale
import os
import platform
import stat
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, wraps
from pathlib import Path
from types import FrameType
from typing import Any

from taobao_villages import PACKAGE

# What builds keep and make is no input: what it was made of is. Nor is the state of the system.
NO_INPUT = tuple(str(PACKAGE.parents[1] / name) + os.sep for name in (".cache", "_build"))
NO_INPUT += ("/proc", "/sys/", "/dev/") if os.sep == "/" else ()
_PATHS = sysconfig.get_paths()
PYTHON = os.path.realpath(_PATHS["stdlib"]) + os.sep
# Folders of Python and of libraries, both as they are called and as they lie.
LIBRARIES = tuple(
    place + os.sep
    for path in {*(_PATHS[name] for name in ("stdlib", "purelib", "platlib")), sys.prefix}
    for place in {path, os.path.realpath(path)}
)
VARIABLE = "TAOBAO_READS"  # names the file that takes the notes of a kernel
# What a shell keeps for itself: it differs from one terminal to the next.
OF_SHELLS = {"_", "OLDPWD", "PWD", "SHLVL", "COLUMNS", "LINES"}
# Variables that the build itself sets for a kernel.
OF_KERNELS = (VARIABLE, "JPY_", "MPLBACKEND", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# What libraries read of the environment without Python, which then tells nothing.
IN_C = (
    *("LANG", "LC_", "TZ", "PYTHONHASHSEED", "PYTHONPATH", "PYTHONWARNINGS", "IPYTHONDIR"),
    *("JUPYTER_PATH", "JUPYTER_CONFIG", "MPLCONFIGDIR", "OMP_", "OPENBLAS_", "MKL_", "LD_"),
)
# Settings that a kernel has read before its first cell; "~" is the home, "." the environment.
SETTINGS = (
    *("~/.config/matplotlib/matplotlibrc", "~/.matplotlib/matplotlibrc"),
    *("~/.ipython/profile_default/*.py", "~/.ipython/profile_default/startup/*.py"),
    *("./etc/ipython/*.py", "./pyvenv.cfg", "./share/jupyter/kernels/python3/kernel.json"),
    "~/.local/share/jupyter/kernels/python3/kernel.json",
)
WRITES = os.O_TRUNC | os.O_EXCL
STAT = os.stat  # before anybody stands in front of it
ACCESS = os.O_WRONLY | os.O_RDWR  # os.O_ACCMODE, which Windows does not name
# Compiled libraries that open no file, or open it through Python. Others may: see `_imported`.
QUIET = {
    *("contourpy", "kiwisolver", "matplotlib", "numpy", "pandas", "patsy", "PIL", "pyproj"),
    *("rpds", "scipy", "shapely", "sklearn", "statsmodels", "yaml", "zmq"),
}
COUNTED = (".py", ".pyc", ".so", ".pyd", ".pth")  # files of libraries that `surroundings` counts
ELSEWHERE = {  # events of what happens outside of this process
    "os.exec": "it starts another program",
    "os.posix_spawn": "it starts another program",
    "os.spawn": "it starts another program",
    "os.startfile": "it starts another program",
    "os.system": "it starts another program",
    "pty.spawn": "it starts another program",
    "subprocess.Popen": "it starts another program",
    "socket.connect": "it asks another process or machine",
    "socket.getaddrinfo": "it asks another machine",
    "socket.gethostbyname": "it asks another machine",
    "socket.gethostname": "it asks for the machine's name",
}
CLOCK = {"now", "today", "utcnow", "time_ns", "monotonic", "perf_counter", "process_time"}
CLOCK |= {"urandom", "uuid1", "uuid4", "token_hex", "token_bytes", "token_urlsafe"}
CLOCK_IF_BARE = {"time", "ctime", "localtime", "gmtime"}
SEEDED = {"default_rng", "Random", "RandomState", "SeedSequence", "Generator", "PCG64", "seed"}


# ---- what is noted ----------------------------------------------------------------------------


class _Watch:
    """Hears what this process looks at, as long as somebody takes the notes."""

    def __init__(self) -> None:
        self.takers: list[Callable[[str], None]] = []
        self.logs: list[Callable[[str], None]] = []  # takers that hear of forks too
        self.made: set[str] = set()  # files and folders that the process wrote itself
        self.placed = self.closed = False

    def add(self, take: Callable[[str], None]) -> None:
        if not self.placed:
            # For good: Python lets nobody take a hook away again, and a class whose methods were
            # put in place and back a thousand times may call the wrong ones (3.13).
            sys.addaudithook(self.hear)
            self.stand_in_front()
            self.placed = True
        self.takers.append(take)

    def remove(self, take: Callable[[str], None]) -> None:
        self.takers.remove(take)
        if not self.takers:
            self.made.clear()

    def deaf(self) -> bool:
        return self.closed or not self.takers

    def note(self, kind: str, name: str) -> None:
        for take in self.takers:
            take(f"{kind} {name}")

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.deaf():
            return
        with suppress(TypeError, ValueError):  # a path that is none fails where it is used
            self.heard(event, arguments)

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            self.opened(*arguments)
        elif event in ("os.listdir", "os.scandir"):
            kind = "folder" if event == "os.listdir" else "entries"
            self.listed(kind, arguments[0], sys._getframe(2))
        elif event == "import":
            self.imported(arguments[0], arguments[1])
        elif event == "sqlite3.connect":
            if str(arguments[0]).startswith("file:"):
                self.note("unknown", "it opens a database by an address")
            elif arguments[0] != ":memory:":
                self.opened(arguments[0], "r", 0)
                self.opened(f"{os.fsdecode(arguments[0])}-wal", "r", 0)  # what it has not yet taken
        elif event == "os.mkdir":
            self.made.add(_absolute(arguments[0]))
        elif event == "os.rename":
            if self.foreign(name := _absolute(arguments[0])):
                self.note("file", name)  # it may be read under its other name
            else:
                self.made.add(_absolute(arguments[1]))
        elif event in ("os.link", "os.symlink"):
            self.opened(arguments[0], "r", 0)
        elif event == "os.chdir":
            self.note("link", _absolute(arguments[0]))
        elif event == "os.fork" and len(self.takers) > len(self.logs):
            self.note("unknown", "it divides into two processes")
        elif event in ELSEWHERE:
            self.note("unknown", f"{ELSEWHERE[event]} ({event})")

    def opened(self, path: Any, mode: Any, flags: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):  # a descriptor was opened before
            return
        name = _absolute(path)
        flags = flags if isinstance(flags, int) else 0
        if flags & WRITES or (isinstance(mode, str) and "w" in mode and not flags):
            self.made.add(name)
        elif flags & ACCESS != os.O_WRONLY and self.foreign(name):
            if not installed(name):
                self.note("file", name)
            elif not name.endswith(COUNTED):  # a library's own data
                self.note("state", name)

    def listed(self, kind: str, path: Any, frame: FrameType | None) -> None:
        if isinstance(path, int):
            return
        name = _absolute("." if path is None else path)
        if not self.foreign(name) or installed(name):
            return
        if frame is None or "importlib" not in frame.f_code.co_filename:  # see `imported`
            self.note(kind, name)

    def imported(self, module: str, file: Any) -> None:
        if not file and "." not in module:
            for folder in sys.path:  # where a file of that name would come first
                if not installed(place := _absolute(folder or ".")):
                    self.note("module", f"{place}{os.sep}{module}")
        if not file or not str(file).endswith((".so", ".pyd")):
            return
        name, top = _absolute(file), module.partition(".")[0]
        if not installed(name):
            self.note("file", name)
        of_python = name.startswith(PYTHON) and "site-packages" not in name
        if not (top in QUIET or of_python or by_product(top)) or top in ("_dbm", "_gdbm"):
            self.note("unknown", f"{top} is compiled and may open files without Python")

    def foreign(self, name: str) -> bool:
        """Whether the process has not written it itself."""
        if name.startswith(NO_INPUT):
            return False
        made = self.made
        return not made or not any(str(p) in made for p in (name, *Path(name).parents))

    def stand_in_front(self) -> None:
        """Of the functions whose calls Python does not tell."""

        def place(kind: str) -> Callable[[Any], Any]:
            def front(real: Any) -> Any:
                @wraps(real)
                def told(path: Any, *more: Any, **named: Any) -> Any:
                    if not (self.deaf() or isinstance(path, int) or named.get("dir_fd")):
                        with suppress(TypeError, ValueError):
                            name = _absolute(path)
                            if self.foreign(name) and not installed(name):
                                self.note(kind, name)
                    return real(path, *more, **named)

                return told

            return front

        def variable(real: Any) -> Any:
            @wraps(real)
            def told(environ: Any, name: Any) -> Any:
                if not self.deaf():
                    self.note("variable", str(name))
                return real(environ, name)

            return told

        def variables(real: Any) -> Any:
            @wraps(real)
            def told(environ: Any) -> Any:
                if not self.deaf():
                    self.note("variable", "*")
                return real(environ)

            return told

        def process(real: Any) -> Any:
            @wraps(real)
            def told(*arguments: Any) -> Any:
                if not self.deaf():
                    self.note("unknown", "it starts another program (fork_exec)")
                return real(*arguments)

            return told

        fronts: list[tuple[Any, str, Any]] = [
            (os, "stat", place("state")),
            (os, "lstat", place("link")),
            (os, "access", place("state")),
            (os, "readlink", place("link")),
            (os._Environ, "__getitem__", variable),
            (os._Environ, "__iter__", variables),
            (os._Environ, "__len__", variables),
        ]
        with suppress(ImportError):  # elsewhere than on Unix subprocess tells
            import _posixsubprocess

            fronts.append((_posixsubprocess, "fork_exec", process))
        for owner, name, front in fronts:
            setattr(owner, name, front(getattr(owner, name)))


def by_product(top: str) -> bool:
    """Whether a library is loaded because another one is imported, and not because it is used."""
    frame: FrameType | None = sys._getframe(1)
    first = ""
    while frame:
        file = frame.f_code.co_filename
        if frame.f_code.co_name == "<module>" and installed(file):
            first = file
        frame = frame.f_back
    return bool(first) and top not in Path(first).parts and Path(first).stem != top


_WATCH = _Watch()


def trace(log: str) -> None:
    """Note all that this process and its workers look at from now on, one note a line.

    Parameters
    ----------
    log : str
        A file; other processes may write to it too.
    """
    if _WATCH.takers:
        return
    notes = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    noted: set[str] = set()

    def take(note: str) -> None:
        if note in noted or "\n" in note:
            return
        noted.add(note)
        line = f"{note}\n".encode("utf-8", "surrogateescape")
        try:
            os.write(notes, line)
        except OSError:  # a fork that closes all files before it becomes another program
            with unseen():
                again = os.open(log, os.O_WRONLY | os.O_APPEND)
                os.write(again, line)

    take(f"file {Path(__file__).absolute()}")  # that notes are taken at all
    _WATCH.logs.append(take)
    _WATCH.add(take)


@contextmanager
def watched() -> Iterator[set[str]]:
    """The notes of what this process looks at inside the ``with`` block."""
    notes: set[str] = set()
    take = notes.add
    closed, _WATCH.closed = _WATCH.closed, False
    _WATCH.add(take)
    try:
        yield notes
    finally:
        _WATCH.remove(take)
        _WATCH.closed = closed


@contextmanager
def unseen() -> Iterator[None]:
    """Inside the ``with`` block nothing is noted: whoever uses it says why nothing need be."""
    before, _WATCH.closed = _WATCH.closed, True
    try:
        yield
    finally:
        _WATCH.closed = before


def note(notes: Iterable[str]) -> None:
    """Note what another process has noted, or what this one knows from before."""
    for one in notes:
        _WATCH.note(*one.split(" ", 1))


def besides(notes: Iterable[str], *counted: Path) -> list[str]:
    """The notes without those of files and folders that count in another way, sorted."""
    places = tuple(str(path.absolute()) + os.sep for path in counted)
    return sorted(
        note
        for note in notes
        if not (
            note.startswith(("file ", "folder ", "module ", "state "))
            and (note.partition(" ")[2] + os.sep).startswith(places)
        )
    )


def of_clock(code: str) -> list[str]:
    """Notes for calls in the source of cells that ask for the time, as far as their names tell."""
    with suppress(SyntaxError):
        for node in ast.walk(ast.parse(code)):
            if not isinstance(node, ast.Call):
                continue
            said = ast.unparse(node.func).split(".")
            bare = not (node.args or node.keywords)
            time = said[-1] in CLOCK or (bare and said[-1] in CLOCK_IF_BARE)
            module = len(said) > 2 or "import random" in code  # else a variable of that name
            drawn = said[-2:-1] == ["random"] and module and said[-1] not in SEEDED
            if time or (drawn and "seed(" not in code) or (bare and said[-1] in SEEDED):
                name = ".".join(said)
                return [f"unknown it asks for the time, or for chance without a seed ({name})"]
        return []
    return ["unknown it has lines that are no plain Python"]


# ---- the key ------------------------------------------------------------------------------------


class Inputs:
    """How the things of some notes are now.

    A file is read once, and what is edited afterwards counts for the next `Inputs`.

    Parameters
    ----------
    **homes : Path
        Folders by name, ``data`` for example: what lies in one counts by its name there, so that
        it may lie elsewhere. The package is one.
    """

    def __init__(self, **homes: Path) -> None:
        places = {"package": PACKAGE, **homes}
        self.homes = {f"{path.absolute()}{os.sep}": name for name, path in places.items()}
        self.known: dict[str, str] = {}

    def key(self, notes: Iterable[str], *more: str) -> str | None:
        """Fingerprint of the notes' things, the surroundings and `more`; None if one is unknown."""
        total = hashlib.sha256(f"{surroundings()}\n".encode())
        for text in more:
            total.update(f"{text}\n".encode())
        lines, seen = [], set(notes)
        if "variable *" in seen:  # then each one by its name too, without need
            seen -= {f"variable {name}" for name in OF_SHELLS}
        for one in seen:
            kind, _, name = one.partition(" ")
            if kind == "unknown" or not hasattr(self, f"_{kind}"):  # of another version of this
                return None
            lines.append(f"{kind} {self.called(name)} {self.value(kind, name)}\n")
        total.update("".join(sorted(lines)).encode("utf-8", "surrogateescape"))
        return total.hexdigest()

    def called(self, name: str) -> str:
        """A path from the home that it lies in."""
        home = max((h for h in self.homes if name.startswith(h)), key=len, default="")
        return f"{self.homes[home]}:{name[len(home) :]}" if home else name

    def value(self, kind: str, name: str) -> str:
        one = f"{kind} {name}"
        if one not in self.known:
            with unseen():  # to compare a thing is not to use it
                self.known[one] = getattr(self, f"_{kind}")(name)
        return self.known[one]

    def _file(self, name: str) -> str:
        with suppress(OSError, ValueError):
            return hashlib.sha256(Path(name).read_bytes()).hexdigest()
        return "none"

    def _folder(self, name: str) -> str:
        with suppress(OSError):
            names = (n for n in os.listdir(name) if n != "__pycache__" and not n.startswith("."))
            return hashlib.sha256("\n".join(sorted(names)).encode("utf-8", "replace")).hexdigest()
        return "none"

    def _entries(self, name: str) -> str:
        with suppress(OSError):
            told = [
                f"{one.name} {one.is_dir()} {'' if one.is_dir() else one.stat().st_size}"
                for one in os.scandir(name)
                if one.name != "__pycache__" and not one.name.startswith(".")
            ]
            return hashlib.sha256("\n".join(sorted(told)).encode("utf-8", "replace")).hexdigest()
        return "none"

    def _link(self, name: str) -> str:
        with suppress(OSError, ValueError):
            return f"to {os.readlink(name)}"
        return self._state(name)

    def _module(self, name: str) -> str:
        folder, _, module = name.rpartition(os.sep)
        one = f"listed {folder}"
        with suppress(OSError):
            if one not in self.known:
                self.known[one] = "\n".join(sorted(os.listdir(folder)))
            return str([n for n in self.known[one].split("\n") if n.partition(".")[0] == module])
        return "none"

    def _state(self, name: str) -> str:
        told = _size_and_time(name)
        inside = name.startswith((*self.homes, str(PACKAGE.parents[1]) + os.sep))
        # A checkout gives its files another time, and git another folder another size.
        return told.rpartition(" ")[0] if inside else told

    def _variable(self, name: str) -> str:
        if name == "*":
            own = {
                key: value
                for key, value in os.environ.items()
                if not key.startswith(OF_KERNELS) and key not in OF_SHELLS
            }
            return hashlib.sha256(repr(sorted(own.items())).encode()).hexdigest()
        return repr(None if name.startswith(OF_KERNELS) else os.environ.get(name))


@cache
def surroundings() -> str:
    """Python, its packages and the machine: what counts for everything that is computed."""
    about = (sys.version, platform.machine(), sys.flags.optimize, locale.getencoding())
    total = hashlib.sha256(repr((*about, os.cpu_count())).encode())
    with unseen():
        for told in sorted(_libraries()):
            total.update(f"{told}\n".encode("utf-8", "surrogateescape"))
        for told in SETTINGS:
            place = sys.prefix if told.startswith(".") else os.path.expanduser("~")
            for name in sorted(glob.glob(place + told[1:])):
                total.update(
                    f"{name} {hashlib.sha256(Path(name).read_bytes()).hexdigest()}".encode()
                )
        for name, value in sorted(os.environ.items()):
            if name.startswith(IN_C) and not name.startswith(OF_KERNELS):
                total.update(f"{name}={value}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _libraries() -> Iterator[str]:
    """Each module of each library, with its size and time: versions, and what is edited by hand."""
    waiting = [*{_PATHS["purelib"], _PATHS["platlib"]}]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for one in entries:
                if one.name.endswith((*COUNTED, ".dist-info")):
                    told = one.stat()
                    yield f"{one.path} {told.st_size} {told.st_mtime_ns}"
                elif one.name not in ("__pycache__", "tests") and one.is_dir(follow_symlinks=False):
                    waiting.append(one.path)


def of_package(folder: Path) -> list[Path]:
    """The files of the package in `folder`, templates among them; bytecode does not count."""
    return [path for path in sorted(folder.rglob("*.*")) if "__pycache__" not in path.parts]


def reached(path: Path) -> list[Path]:
    """The files of the package that a module of it imports, however far, and all that is no module.

    A module that imports by name (the registry of chapters does) reaches all of the package.
    """
    found, waiting = set(), [path]
    with unseen():
        while waiting:
            file = waiting.pop()
            if file in found:
                continue
            found.add(file)
            names = _imports(file, file.stat().st_mtime_ns)
            if names is None:
                return of_package(PACKAGE)
            waiting += [f for name in names for f in _files(name)]
        return sorted({*found, *(p for p in of_package(PACKAGE) if p.suffix != ".py")})


@cache
def _imports(file: Path, _: int) -> list[str] | None:
    """Names of the package's modules that a file imports; None if it imports by name."""
    names = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Name | ast.Attribute):
            if getattr(node, "id", getattr(node, "attr", "")) in ("import_module", "__import__"):
                return None
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.partition(".")[0] == PACKAGE.name]


def _files(module: str) -> list[Path]:
    """The files that Python runs to import a module of the package."""
    place, files = PACKAGE, [PACKAGE / "__init__.py"]
    for part in module.split(".")[1:]:
        place = place / part
        files += [place / "__init__.py", place.with_suffix(".py")]
    return [file for file in files if file.is_file()]


# ---- places --------------------------------------------------------------------------------------


def installed(name: str) -> bool:
    """Whether a file belongs to Python or to a library."""
    return name.startswith(LIBRARIES)


def _absolute(path: Any) -> str:
    """A path from the root; bytecode as its source."""
    name = os.path.abspath(os.fsdecode(path))
    if name.endswith(".pyc") and "__pycache__" in name:
        with suppress(ValueError):
            return importlib.util.source_from_cache(name)
    return name


def _size_and_time(name: str) -> str:
    with suppress(OSError, ValueError):
        told = STAT(name)
        if stat.S_ISDIR(told.st_mode):
            return "a folder"
        return f"{told.st_mode} {told.st_size} {told.st_mtime_ns}"
    return "none"

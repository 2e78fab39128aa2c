"""Which files a notebook reads, so that it runs again when one of them changes, and only then.

While a notebook runs for the book, every file that its kernel opens is noted, from the kernel's
start, by Python itself (an audit hook): `trace`. Nothing need be declared, and nothing can be
forgotten. `Reads` turns the notes into the key under which the book's cache holds the notebook.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from taobao_villages import PACKAGE

VARIABLE = "TAOBAO_READS"  # names the file that takes the notes; its absence means none
ROOT = Path(os.path.realpath(PACKAGE))
ACCESS = os.O_WRONLY | os.O_RDWR  # os.O_ACCMODE, which Windows does not name


def of_package(folder: Path) -> list[Path]:
    """The files of the package in `folder`, templates among them; bytecode does not count."""
    return [path for path in sorted(folder.rglob("*.*")) if "__pycache__" not in path.parts]


def trace(log: str) -> None:
    """Write the path of each file that this process opens for reading to `log`, one a line.

    Parameters
    ----------
    log : str
        A file; other processes may write to it too.
    """
    notes = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    noted: set[str] = set()

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))
        writes = isinstance(arguments[2], int) and arguments[2] & ACCESS == os.O_WRONLY
        if path not in noted and not writes:
            noted.add(path)
            os.write(notes, f"{path}\n".encode())

    sys.addaudithook(note)


class Reads:
    """Which files each notebook read when it last ran, and the keys that follow from them.

    A notebook that runs with the same package, lock and source reads the same files again until
    one of them changes. So their contents, with the package and the lock, decide its output.

    Parameters
    ----------
    folder : Path
        Where the lists are kept.
    code : str
        Fingerprint of package and lock.
    root : Path
        The repository. Files outside it and outside the data in use do not count.
    """

    def __init__(self, folder: Path, code: str, root: Path):
        from taobao_villages import data  # not at the top: the kernel imports this module first

        self.folder, self.code, self.began = folder, code, time.time()
        real = Path(os.path.realpath(data.folder()))
        self.roots = {"data": real, "": Path(os.path.realpath(root))}
        self.known: dict[str, str] = {}
        # Before any notebook runs: what is edited while one does is newer than its output.
        self.tables = [f"data:{p.relative_to(real).as_posix()}" for p in real.rglob("*.*")]
        for name in self.tables:
            self._fingerprint(name)

    def key(self, path: Path) -> str | None:
        """The notebook's key in the cache; None if it is not known what it reads."""
        try:
            names = json.loads(self._list(path).read_text("utf-8"))
        except (FileNotFoundError, ValueError):  # never run, or half written
            return None
        return self._key(names)

    def note(self, path: Path, opened: Iterable[str]) -> str:
        """Keep what a run of the notebook has opened, and return its key."""
        files = [Path(os.path.realpath(line)) for line in opened]
        # Nothing at all was opened: nothing was noted, and what it reads may be any table.
        names = sorted({n for f in files if (n := self._name(f))} if files else self.tables)
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self._list(path).with_suffix(".part")
        fresh.write_text(json.dumps(names), "utf-8", newline="\n")
        fresh.replace(self._list(path))
        key = self._key(names)
        if any(file.stat().st_mtime > self.began for file in self._inputs(names)):
            # It may be as before by now: under its key the next build would take this output.
            key = hashlib.sha256(f"{key} written while it ran".encode()).hexdigest()
        return key

    def _inputs(self, names: Iterable[str]) -> list[Path]:
        """The files of that names that are there, and those of the package."""
        files = [self.roots[root] / inside for root, _, inside in (n.partition(":") for n in names)]
        return [file for file in [*files, *of_package(ROOT)] if file.is_file()]

    def _list(self, path: Path) -> Path:
        source = hashlib.sha256(self.code.encode() + path.read_bytes()).hexdigest()[:16]
        return self.folder / f"{path.stem}-{source}.json"

    def _name(self, file: Path) -> str | None:
        """A file's name, wherever repository and data stand; None if it does not count."""
        for name, root in self.roots.items():
            if file.is_relative_to(root):
                inside = file.relative_to(root)
                made = any(part.startswith((".", "_build", "__py")) for part in inside.parts)
                return None if made or file.is_relative_to(ROOT) else f"{name}:{inside.as_posix()}"
        return None

    def _fingerprint(self, name: str) -> str:
        if name not in self.known:
            root, _, inside = name.partition(":")
            path = self.roots[root] / inside
            there = path.is_file()
            self.known[name] = hashlib.sha256(path.read_bytes()).hexdigest() if there else "none"
        return self.known[name]

    def _key(self, names: Iterable[str]) -> str:
        total = hashlib.sha256(self.code.encode())
        for name in names:
            total.update(f"{name} {self._fingerprint(name)}\n".encode())
        return total.hexdigest()

"""Runs the notebooks over the cores into jupyter-cache, and keeps what else a build computes."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.render import strip_ansi
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from sphinx.util import logging

from taobao_villages import LAYOUT, PACKAGE, data, inputs
from taobao_villages.book import kernels
from taobao_villages.verdicts.claims import MIME as CLAIM

LOGGER = logging.getLogger(__name__)
# Folders and files that no claim and no notebook needs: they make pages and the course.
ONLY_PAGES = ("book", "course", "__main__.py", "trail.py")
# Folders of style sheets, scripts and templates that the theme copies or uses.
ASSETS = ("static", "templates", "explorer")
LOCK = "requirements.lock"
# Tags of a cell that change what it does.
TAGS = {"raises-exception", "skip-execution"}


def digest(root: Path, *, pages: bool = False) -> str:
    """Fingerprint of everything that the ledger depends on: package, data, lock, surroundings.

    Parameters
    ----------
    root : Path
        The repository: its ``requirements.lock`` counts, with the package and the data in use.
    pages : bool
        Count also what shapes the pages and no claim needs: some modules, styles, scripts.
    """
    files = [
        path
        for path in inputs.of_package(PACKAGE)
        if pages or path.relative_to(PACKAGE).parts[0] not in ONLY_PAGES
    ]
    files += sorted(data.folder().rglob("*.*"))
    return fingerprint([*files, *(assets(root) if pages else ())], root)


def assets(root: Path) -> list[Path]:
    """Style sheets, scripts and templates of the repository."""
    folders = [root / "book" / "_assets" / name for name in ASSETS]
    return [path for folder in folders for path in sorted(folder.rglob("*.*"))]


def fingerprint(files: Iterable[Path], root: Path) -> str:
    """Fingerprint of files, of the repository's lock, and of the surroundings."""
    now = inputs.Inputs(data=data.folder(), repository=root)
    key = now.key(f"file {path.absolute()}" for path in [*files, root / LOCK])
    assert key is not None
    return key


class Ran(NamedTuple):
    """What a build knows of a notebook that the cache holds."""

    key: str  # under which the cache holds it
    outputs: str  # a fingerprint of all that it put out
    claims: tuple[str, ...]  # ids of those whose verdicts it shows


def ran(key: str, notebook: nbformat.NotebookNode) -> Ran:
    """What there is to know of an executed notebook."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    claims = {one["data"][CLAIM]["id"] for one in outputs if CLAIM in one.get("data", {})}
    text = json.dumps(outputs, sort_keys=True)
    return Ran(key, hashlib.sha256(text.encode()).hexdigest(), tuple(sorted(claims)))


class Notes:
    """What each notebook looked at when it last ran, and the keys that follow from it.

    A notebook whose cells are the same looks at the same things again until one of them changes.

    Parameters
    ----------
    folder : Path
        Where the notes are kept.
    root : Path
        The repository.
    """

    def __init__(self, folder: Path, root: Path):
        self.folder, self.began = folder, time.time()
        self.inputs = inputs.Inputs(data=data.folder(), repository=root)
        # Before any notebook runs: what is edited while one does is newer than its output.
        for path in [*inputs.of_package(PACKAGE), *data.folder().rglob("*.*")]:
            self.inputs.value("file", str(path.absolute()))

    def key(self, path: Path) -> str | None:
        """The notebook's key in the cache; None if it must run."""
        notes = self._noted(path)
        return None if notes is None else self.inputs.key(notes, str(path.absolute()))

    def unknown(self, path: Path) -> str:
        """Why nobody can tell whether a notebook would print the same again; else nothing."""
        notes = self._noted(path) or []
        return next((n.partition(" ")[2] for n in notes if n.startswith("unknown ")), "")

    def _noted(self, path: Path) -> list[str] | None:
        """What the notebook looked at; None if it never ran so, or was half written."""
        try:
            return json.loads(self._kept(path).read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def note(self, path: Path, noted: Iterable[str]) -> str:
        """Keep what a run of the notebook has noted, and return its key."""
        code = "\n".join(text for text, _ in cells_of(path))
        notes = sorted({*noted, *inputs.of_clock(code)})
        if not any(note.startswith("file ") for note in notes):
            notes.append("unknown its kernel told nothing")
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self._kept(path).with_suffix(".part")
        fresh.write_text(json.dumps(notes), "utf-8", newline="\n")
        fresh.replace(self._kept(path))
        key = self.inputs.key(notes, str(path.absolute()))
        if key is None or any(self._is_new(note) for note in notes):
            # It may be as before by now: under its key the next build would take this output.
            key = hashlib.sha256(f"{path} {time.time_ns()}".encode()).hexdigest()
        return key

    def _is_new(self, note: str) -> bool:
        kind, _, name = note.partition(" ")
        try:
            told = os.stat(name)
        except (OSError, ValueError):
            return False
        listed = kind in ("folder", "entries")
        seen = kind in ("file", "state", "link") and not stat.S_ISDIR(told.st_mode)
        return (listed or seen) and max(told.st_mtime, told.st_ctime) > self.began

    def _kept(self, path: Path) -> Path:
        source = hashlib.sha256(json.dumps(cells_of(path)).encode()).hexdigest()[:16]
        return self.folder / f"{path.stem}-{LAYOUT}-{source}.json"


def cells_of(path: Path) -> list[tuple[str, list[str]]]:
    """The source of each code cell, with those of its tags that change what it does."""
    cells = json.loads(path.read_text("utf-8")).get("cells", [])
    return [
        ("".join(cell["source"]), sorted(TAGS & set(cell["metadata"].get("tags", []))))
        for cell in cells
        if cell["cell_type"] == "code"
    ]


def stamp(text: str, key: str) -> str:
    """A notebook's source with `key` in its kernel's description, which jupyter-cache hashes."""
    notebook = json.loads(text)
    notebook["metadata"].setdefault("kernelspec", {"name": "python3"})["depends_on"] = key
    return json.dumps(notebook)


def run_notebooks(
    paths: Sequence[Path],
    cache_folder: Path,
    notes: Notes,
    server: kernels.Server | None = None,
) -> dict[Path, Ran]:
    """Run the notebooks that the cache does not hold, over the cores, longest first.

    Parameters
    ----------
    paths : sequence of Path
        Notebooks to have in the cache.
    cache_folder : Path
        Folder of the jupyter-cache.
    notes : Notes
        What the notebooks looked at when they last ran.
    server : kernels.Server, optional
        The process that kernels are to be forks of, if one has been started already.

    Returns
    -------
    dict
        For each notebook what the cache holds.

    Raises
    ------
    SystemExit
        After all have run, naming notebook, cell and error of each that failed.
    """
    cache = get_cache(str(cache_folder))
    known: dict[Path, Ran] = {}
    waiting = []
    for path in paths:
        key = notes.key(path)
        try:
            if key is None:
                raise KeyError(path)
            notebook = nbformat.reads(stamp(path.read_text("utf-8"), key), nbformat.NO_CONVERT)
            bundle = cache.get_cache_bundle(cache.match_cache_notebook(notebook).pk)
            known[path] = ran(key, bundle.nb)
        except (KeyError, ValueError):  # not there, or half written when a build was stopped
            waiting.append(path)
    for path in waiting:
        if why := notes.unknown(path):
            LOGGER.info("%s runs in every build: %s", path.name, why)
    if not waiting:
        return known
    seconds = {
        record.uri: record.data["execution_seconds"] for record in cache.list_cache_records()
    }
    # A notebook that has not run may take long, and that of the multiverse does.
    order = sorted(
        waiting, key=lambda path: -seconds.get(str(path), 60.0 + (path.stem == "multiverse"))
    )
    failures = []
    running: list[NotebookClient] = []
    started = nullcontext(server) if server else kernels.warm(enough=len(order) > 1)
    # A kernel is a process of its own, so threads are enough to keep all cores busy.
    with (
        started as server,
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
        _stopped(pool, running),
    ):
        jobs = {pool.submit(_run, path, running, server): path for path in order}
        LOGGER.info("running %d notebooks on %d cores", len(jobs), os.cpu_count() or 1)
        for done, job in enumerate(as_completed(jobs), start=1):
            path = jobs[job]
            try:
                notebook, taken, opened = job.result()
            except Exception as error:  # a dead kernel is reported like a failed cell
                failures.append(f"{path.name}: {error}")
                LOGGER.info("[%d/%d] %s failed", done, len(jobs), path.name)
                continue
            key = notes.note(path, opened)
            known[path] = ran(key, notebook)
            notebook.metadata["kernelspec"]["depends_on"] = key
            bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": taken})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            left = len(jobs) - done
            LOGGER.info("[%d/%d] %s %.1f s, %d left", done, len(jobs), path.name, taken, left)
    if failures:
        # Ends the build at once with the message last, not buried under a traceback of Sphinx.
        raise SystemExit("notebooks failed:\n" + "\n".join(failures))
    return known


@contextmanager
def _stopped(pool: ThreadPoolExecutor, running: list[NotebookClient]) -> Iterator[None]:
    """On Ctrl-C end the kernels that run and start no other, instead of waiting for all."""
    try:
        yield
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        clients = list(running)
        while running:  # a kernel that was about to start is ended as soon as it has
            for client in clients:
                if process := getattr(getattr(client.km, "provisioner", None), "process", None):
                    process.kill()
            time.sleep(0.1)
        for client in clients:  # nbclient would clean up once more at the end, and complain
            atexit.unregister(client._cleanup_kernel)
        raise SystemExit("stopped; what has run is kept, so the next build goes on") from None


def _run(
    path: Path, running: list[NotebookClient], server: kernels.Server | None
) -> tuple[nbformat.NotebookNode, float, list[str]]:
    """The notebook with its outputs, the seconds that it took, and the files that it read."""
    notebook = nbformat.reads(stamp(path.read_text("utf-8"), ""), nbformat.NO_CONVERT)
    about = notebook.metadata.copy()
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # how a kernel cuts its output into pieces is chance
        # The kernel's own remarks are not the notebook's; what it opens is noted from its start.
        extra_arguments=["--log-level=ERROR", "--IPKernelApp.extra_extensions=taobao_villages"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    kernels.manage(client, server)
    running.append(client)
    began = time.perf_counter()
    # A folder: Windows lets no second process open a temporary file, nor remove one that a process
    # still holds, which the kernel has left behind.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "opened"
        log.touch()
        try:
            client.execute(env=os.environ | kernels.ONE_CORE | {inputs.VARIABLE: str(log)})
        except CellExecutionError as error:
            ran = [i for i, cell in enumerate(notebook.cells) if cell.get("execution_count")]
            message = f"cell {ran[-1] + 1 if ran else 1}: {error.ename}: {error.evalue}"
            raise RuntimeError(f"{message}\n{strip_ansi(error.traceback)}") from None
        finally:
            running.remove(client)
        opened = log.read_text("utf-8").splitlines()
    notebook.metadata = about  # the kernel's own description would change the cache's key
    return notebook, time.perf_counter() - began, opened


def keep(path: Path, compute: Callable[[], str]) -> Any:
    """What `compute` writes as JSON, from `path` if a build with the same key left it there.

    Package, data and lock are in the name of `path` (see `kept_in`); what else `compute` looked at
    is kept with the result and looked at again.
    """
    now = inputs.Inputs(data=data.folder())
    if path.exists():
        kept = json.loads(path.read_text("utf-8"))
        if kept["key"] is not None and kept["key"] == now.key(kept["notes"]):
            return kept["told"]
    LOGGER.info("computing %s", path.stem)
    with inputs.watched() as notes:
        told = json.loads(compute())
    others = inputs.besides(notes, PACKAGE, data.folder())
    text = json.dumps({"key": now.key(others), "notes": others, "told": told}, ensure_ascii=False)
    data.write_whole({path: text})
    return told


def kept_in(cache: Path, name: str, key: str) -> Path:
    """Where a result is kept, beside the cache of the notebooks; `key` is from `digest`."""
    return cache.parent / f"{name}-{LAYOUT}-{key[:16]}.json"


def later(pool: ProcessPoolExecutor, path: Path, compute: Callable[[], str]) -> Callable[[], Any]:
    """`keep`, begun now in another process if anything is to compute; call for the result."""
    if path.exists():
        return lambda: keep(path, compute)
    return pool.submit(keep, path, compute).result

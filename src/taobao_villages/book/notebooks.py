"""Runs the notebooks over the cores into jupyter-cache, and keeps what else a build computes."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.render import strip_ansi
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from sphinx.util import logging

from taobao_villages import LAYOUT, PACKAGE, data
from taobao_villages.book import kernels, reads

LOGGER = logging.getLogger(__name__)
# Folders and files that no notebook imports: they make pages and the course.
NOT_IN_NOTEBOOKS = ("book", "course", "__main__.py", "trail.py")
IN_KERNELS = "book/reads.py"  # but every kernel of a build imports this one
# Folders of style sheets, scripts and templates that the theme copies or uses.
ASSETS = ("static", "templates", "explorer")


def in_notebooks(path: Path) -> bool:
    """Whether a file of the package counts for what a notebook prints."""
    inside = path.relative_to(PACKAGE)
    return inside.as_posix() == IN_KERNELS or inside.parts[0] not in NOT_IN_NOTEBOOKS


def name_of(path: Path, root: Path) -> str:
    """A file's name from the folder that it belongs to, so that no two share one."""
    homes = {PACKAGE: "package", data.folder(): "data", root: "repository"}
    home = next(folder for folder in homes if path.is_relative_to(folder))
    return f"{homes[home]}:{path.relative_to(home).as_posix()}"


def digest(root: Path, *, pages: bool = False, tables: bool = True) -> str:
    """Fingerprint of everything that the pages depend on, besides their own files.

    Parameters
    ----------
    root : Path
        The repository: its ``requirements.lock`` counts, with the package and the data in use.
    pages : bool
        Count also what shapes the pages and no notebook reads: some modules, styles, scripts.
    tables : bool
        Count the data; without them, what every notebook depends on is left.
    """
    total = hashlib.sha256()
    code = [p for p in reads.of_package(PACKAGE) if pages or in_notebooks(p)]
    files = [*code, *(sorted(data.folder().rglob("*.*")) if tables else [])]
    for name in ASSETS if pages else ():
        files += sorted((root / "book" / "_assets" / name).rglob("*.*"))
    for path in [*files, root / "requirements.lock"]:
        if path.is_file():
            total.update(name_of(path, root).encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def stamp(text: str, key: str) -> str:
    """A notebook's source with `key` in its kernel's description, which jupyter-cache hashes."""
    notebook = json.loads(text)
    notebook["metadata"].setdefault("kernelspec", {"name": "python3"})["depends_on"] = key
    return json.dumps(notebook)


def run_notebooks(
    paths: Sequence[Path],
    cache_folder: Path,
    reads: reads.Reads,
    server: kernels.Server | None = None,
) -> dict[Path, str]:
    """Run the notebooks that the cache does not hold, over the cores, longest first.

    Parameters
    ----------
    paths : sequence of Path
        Notebooks to have in the cache.
    cache_folder : Path
        Folder of the jupyter-cache.
    reads : Reads
        What the notebooks read when they last ran.
    server : kernels.Server, optional
        The process that kernels are to be forks of, if one has been started already.

    Returns
    -------
    dict
        The key under which the cache holds each notebook.

    Raises
    ------
    SystemExit
        After all have run, naming notebook, cell and error of each that failed.
    """
    cache = get_cache(str(cache_folder))
    keys: dict[Path, str] = {}
    waiting = []
    for path in paths:
        key = reads.key(path)
        try:
            if key is None:
                raise KeyError(path)
            notebook = nbformat.reads(stamp(path.read_text("utf-8"), key), nbformat.NO_CONVERT)
            cache.get_cache_bundle(cache.match_cache_notebook(notebook).pk)
            keys[path] = key
        except (KeyError, ValueError):  # not there, or half written when a build was stopped
            waiting.append(path)
    if not waiting:
        return keys
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
            keys[path] = reads.note(path, opened)
            notebook.metadata["kernelspec"]["depends_on"] = keys[path]
            bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": taken})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            left = len(jobs) - done
            LOGGER.info("[%d/%d] %s %.1f s, %d left", done, len(jobs), path.name, taken, left)
    if failures:
        # Ends the build at once with the message last, not buried under a traceback of Sphinx.
        raise SystemExit("notebooks failed:\n" + "\n".join(failures))
    return keys


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
            client.execute(env=os.environ | kernels.ONE_CORE | {reads.VARIABLE: str(log)})
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
    """What `compute` writes as JSON, from `path` if a build with the same key left it there."""
    if not path.exists():
        LOGGER.info("computing %s", path.stem)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".part")
        fresh.write_text(compute(), "utf-8", newline="\n")
        fresh.replace(path)
    return json.loads(path.read_text("utf-8"))


def kept_in(cache: Path, name: str, key: str) -> Path:
    """Where a result is kept, beside the cache of the notebooks; `key` is from `digest`."""
    return cache.parent / f"{name}-{LAYOUT}-{key[:16]}.json"


def later(pool: ProcessPoolExecutor, path: Path, compute: Callable[[], str]) -> Callable[[], Any]:
    """`keep`, begun now in another process if anything is to compute; call for the result."""
    if path.exists():
        return lambda: keep(path, compute)
    return pool.submit(keep, path, compute).result

"""The Sphinx extension that runs the notebooks and ties the pages to the ledger and the data.

What it does in a build, whether started by ``make book`` or by plain ``jupyter-book build .``:

1. Runs the notebooks over the cores into jupyter-cache. The cache's key includes the package,
   the lock and the files that the notebook read, so that a changed number shows on the page.
2. Puts the numbers of the ledger and of the forecasts into the prose: ``{{ C19.value }}``,
   ``{{ F_growth.value }}``.
3. Turns what notebooks return (figures, claim panels) into pages with captions, sources and
   downloads, and makes the reference pages from the data package.
4. Fails on a notebook that raises, an image without alt text, a figure typed in the prose.

Sphinx, docutils and myst-nb are imported here only: the analysis needs none of them.
"""

from __future__ import annotations

import atexit
import csv
import errno
import gc
import hashlib
import html
import importlib.metadata
import io
import json
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import latex2mathml.converter
import nbformat
from docutils import nodes
from docutils.statemachine import StringList
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from markdown_it import MarkdownIt
from myst_nb.core.render import strip_ansi
from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput, visit_HideCellInput
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.index_entries import split_index_msg
from sphinx.util.nodes import make_id

from taobao_villages import (
    __version__,
    claims,
    course,
    data,
    launch,
    multiverse,
    processes,
    website,
)
from taobao_villages.reads import VARIABLE, Reads

LOGGER = logging.getLogger(__name__)
PACKAGE = Path(__file__).parent

# A figure in the prose must come from the ledger. What may be typed: years, ids of claims,
# code, formulas, links, headings, options of directives, and examples worked by hand.
ALLOWED = re.compile(
    r"^:[a-z-]+:[^\n]*$|^:{3,}\{[^\n]*$|^A worked example.*?(?=\n\n|\Z)|^---\n.*?^---$"
    r"|^#+ [^\n]*$|^\([^\n]*\)=$|\$\$.*?\$\$|\$[^$\n]+\$|`[^`\n]*`"
    r"|\{\{.*?\}\}|\]\([^)]*\)|<[^>]*>|https?://\S+"
    r"|\bC\d{2}\b|\b(?:19|20)\d{2}(?:s|/\d{1,2})?\b|\bTable \d\b|CC BY 4\.0",
    re.S | re.M,
)


MANY_CONFLICTS = 60  # a table with more stands by itself, folded


# Modules that no notebook imports: they make pages and the course.
NOT_IN_NOTEBOOKS = ("__main__", "book", "course", "launch", "processes", "website")
# What a simulated run says of a method: the least share that earns the words, in percent.
INTERVALS = {0: "holds too seldom", 93: "as promised", 97: "wider than needed"}
TESTS = {0: "cautious", 4: "as promised", 6: "rejects too often"}
BROKEN = ("faults", "mutants", "kills", "surroundings")  # runs that break things on purpose
COLOPHON = ["jupyter-book", "pandas", "statsmodels", "seaborn", "esda", "geopandas", "scipy"]
# A panel with more sources than these keeps them folded: a phone would show a screen of ids.
FEW_SOURCES = 6
EXPLORER = "book/explorer"  # the page of the explorer
# Folders of style sheets, scripts and templates that the theme copies or uses.
ASSETS = ("static", "templates", "explorer")
LEDGER_COLUMNS = ["id", "section", "statement", "value", "unit", "n", "verdict", "data_version"]


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
    code = [p for p in sorted(PACKAGE.rglob("*.py")) if pages or p.stem not in NOT_IN_NOTEBOOKS]
    files = [*code, *(sorted(data.folder().rglob("*.*")) if tables else [])]
    for name in ASSETS if pages else ():
        files += sorted((root / "book" / "_assets" / name).rglob("*.*"))
    for path in [*files, root / "requirements.lock"]:
        if path.is_file():
            total.update(path.name.encode())
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
    reads: Reads,
    server: processes.Server | None = None,
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
    server : processes.Server, optional
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
    started = nullcontext(server) if server else processes.warm(enough=len(order) > 1)
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
    path: Path, running: list[NotebookClient], server: processes.Server | None
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
    processes.manage(client, server)
    running.append(client)
    began = time.perf_counter()
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as log:
        try:
            client.execute(env=os.environ | processes.ONE_CORE | {VARIABLE: log.name})
        except CellExecutionError as error:
            ran = [i for i, cell in enumerate(notebook.cells) if cell.get("execution_count")]
            message = f"cell {ran[-1] + 1 if ran else 1}: {error.ename}: {error.evalue}"
            raise RuntimeError(f"{message}\n{strip_ansi(error.traceback)}") from None
        finally:
            running.remove(client)
        opened = log.read().splitlines()
    notebook.metadata = about  # the kernel's own description would change the cache's key
    return notebook, time.perf_counter() - began, opened


def typed_figures(text: str) -> list[str]:
    """Figures that stand typed in Markdown prose, where a number of the ledger belongs."""
    text = ALLOWED.sub(" ", running_text(text))
    return re.findall(r"(?<![\w-])\d[\d,.]*\d%?|(?<![\w.-])\d%?(?![\w-])", text)


def running_text(text: str) -> str:
    """Markdown less blocks of code, fences of directives and the numbers of ordered lists."""
    lines = text.split("\n")
    for token in reversed(MarkdownIt("commonmark").parse(text)):
        if token.type == "list_item_open" and token.info and token.map:
            lines[token.map[0]] = lines[token.map[0]].replace(token.info, "", 1)
        if token.type == "fence" and token.map:
            prose = token.info.startswith("{") and not token.info.startswith(("{math}", "{code"))
            inner = running_text(token.content).split("\n") if prose else []
            lines[slice(*token.map)] = ["", *inner, ""]
    return "\n".join(lines)


def prose(path: Path) -> str:
    """The Markdown of a page: a notebook's text cells, or the whole of a Markdown file."""
    if path.suffix != ".ipynb":
        return path.read_text("utf-8")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


# ---- what a build computes besides; slow to import, and unchanged books do without ---------------


def ledger_json() -> str:
    """The ledger, under the choices that the chapters take."""
    return claims.as_json(claims.ledger())


def forecasts_json() -> str:
    """The article's forecasts, judged by what came."""
    from taobao_villages import after_2017

    return after_2017.forecasts_json()


def numbers_json(ledger: list[dict[str, Any]], forecasts: list[dict[str, Any]]) -> str:
    """The ledger with what the variants say, and what the prose can name."""
    rows = multiverse.ledger(ledger)
    told = {"ledger": rows, "numbers": numbers([*rows, *forecasts])}
    return json.dumps(told, ensure_ascii=False, allow_nan=False)


def explorer_json() -> Callable[[], str]:
    """What computes the explorer's numbers, given the variants: no worker runs the multiverse."""
    from taobao_villages import explorer

    variants = multiverse.kept()
    return partial(explorer.payload_json, variants[variants["claim_id"].isin(explorer.CLAIMS)])


COMPUTED = {"ledger": ledger_json, "forecasts": forecasts_json}


# ---- events of the build -------------------------------------------------------------------


def prepare(app: Sphinx, env: Any, names: Sequence[str]) -> None:
    """Run notebooks, compute the ledger, and hand its numbers to the Markdown parser.

    Nothing is done if no page is to be read: `outdated` names those that anything has changed.
    """
    env.taobao_unchanged = not names and not env.taobao_removed
    if not names:
        return
    root = Path(app.srcdir)
    key = digest(root)
    pages = [root / env.doc2path(name, base=False) for name in sorted(env.found_docs)]
    cache_folder = cache_of(app)
    app.config.nb_execution_cache_path = str(cache_folder)
    notebooks = [page for page in pages if page.suffix == ".ipynb"]
    env.taobao_key = key
    unknown = not kept_in(cache_folder, "ledger", key).exists()
    with processes.warm(enough=unknown) as server:
        if unknown:  # else these data have been checked; the server gets ready meanwhile
            refuse(data.folder(), data.faults())
        if changed := data.released():
            LOGGER.info("these are your own data. %s", changed)
        # Beside the notebooks, and the explorer's numbers beside the pages. None of these starts
        # processes of its own, which a worker would wait for.
        pool = processes.workers()
        ledger, forecasts = (
            later(pool, kept_in(cache_folder, name, key), COMPUTED[name]) for name in COMPUTED
        )
        env.taobao_keys = run_notebooks(notebooks, cache_folder, reads_of(app), server)
    path = kept_in(cache_folder, "explorer", key)
    if EXPLORER in names and not path.exists():
        begun = pool.submit(keep, path, explorer_json())
        app.taobao_explorer = begun.result  # type: ignore[attr-defined]
    pool.shutdown(wait=False)
    shown = kept_in(cache_folder, "numbers", env.taobao_built_with)
    told = keep(shown, lambda: numbers_json(ledger(), forecasts()))
    env.taobao_ledger, named = told["ledger"], told["numbers"]
    env.taobao_numbers = named
    env.myst_config = replace(env.myst_config, substitutions=named)

    for page in pages:
        for figure in typed_figures(prose(page)):
            LOGGER.warning("%s: the figure %r is typed; take it from the ledger", page.name, figure)


def cache_of(app: Sphinx) -> Path:
    """The folder of the jupyter-cache; beside it stands what else a later build may use again."""
    return Path(app.config.nb_execution_cache_path or Path(app.srcdir) / ".cache" / "jupyter")


def reads_of(app: Sphinx) -> Reads:
    """What each notebook read, in this state of package, lock and data."""
    root = Path(app.srcdir)
    return Reads(cache_of(app).parent / "reads", digest(root, tables=False), root)


def refuse(folder: Path, faults: Sequence[str]) -> None:
    """End the build if the data package has faults, with all of them, one a line.

    Raises
    ------
    SystemExit
        Naming the folder and every fault.
    """
    if faults:
        listed = "\n".join(faults)
        raise SystemExit(
            f"the data package in {folder} is refused, faults: {len(faults)}\n{listed}\n"
            "Remedy: correct them until this finds none: python -m taobao_villages check"
        )


def unfinished(app: Sphinx) -> Path:
    """A file that is there while pages are written: a stopped build leaves it behind."""
    return Path(app.doctreedir) / "unfinished"


def begin_pages(app: Sphinx, env: Any) -> None:
    """Mark the pages as unfinished, and let Sphinx write them over the cores.

    jupyter-book has no option for it. One process more than there are cores, since the first only
    hands out pages. They are read by one process: the numbers that they tell are in its memory.
    """
    unfinished(app).touch()
    app.parallel = 1 + (os.cpu_count() or 1)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Pages are whole: the next build need not write all of them, unless it must warn again."""
    if error is None and not app._warncount:
        unfinished(app).unlink(missing_ok=True)
    elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
        LOGGER.error("the disk is full. Remedy: free some space and build again; nothing is lost")
    gc.freeze()  # nor need Python look through the trees when it ends, for some seconds


def write_ledger(app: Sphinx, error: Exception | None) -> None:
    """Put the ledger beside the pages, for programs: JSON with its schema, and CSV."""
    if error is not None or app.builder.name != "html":
        return
    env: Any = app.env
    rows = env.taobao_ledger
    out = Path(app.outdir)
    (out / "ledger.json").write_text(claims.as_json(rows) + "\n", "utf-8")
    shutil.copyfile(PACKAGE / "ledger.schema.json", out / "ledger.schema.json")
    with (out / "ledger.csv").open("w", encoding="utf-8", newline="") as file:
        columns = [*LEDGER_COLUMNS, "low", "high", "interval_unit", "sources"]
        columns += ["variants", "outcomes", "agree"]
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        for row in rows:
            low, high = row["interval"] or (None, None)
            line = {name: row[name] for name in LEDGER_COLUMNS} | {"low": low, "high": high}
            told = row["variants"]
            line |= {"interval_unit": row["interval_unit"], "sources": ";".join(row["sources"])}
            line |= {"variants": told["n"], "outcomes": told["outcomes"], "agree": told["agree"]}
            table.writerow(line)


def keep(path: Path, compute: Callable[[], str]) -> Any:
    """What `compute` writes as JSON, from `path` if a build with the same key left it there."""
    if not path.exists():
        LOGGER.info("computing %s", path.stem)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".part")
        fresh.write_text(compute(), "utf-8")
        fresh.replace(path)
    return json.loads(path.read_text("utf-8"))


def kept_in(cache: Path, name: str, key: str) -> Path:
    """Where a result is kept, beside the cache of the notebooks; `key` is from `digest`."""
    return cache.parent / f"{name}-{key[:16]}.json"


def later(pool: ProcessPoolExecutor, path: Path, compute: Callable[[], str]) -> Callable[[], Any]:
    """`keep`, begun now in another process if anything is to compute; call for the result."""
    if path.exists():
        return lambda: keep(path, compute)
    return pool.submit(keep, path, compute).result


def numbers(ledger: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the prose can name: ``C19.value``, ``C19.verdict``, ``C19.share_2015`` and so on.

    Parameters
    ----------
    ledger : iterable of dict
        Entries of the ledger, or of the forecasts, whose names begin with ``F_``.
    """
    named: dict[str, Any] = {"version": __version__}
    for row in ledger:
        own = {name: claims.number(value) for name, value in row["details"].items()}
        own |= {"verdict": row["verdict"], "reason": row["reason"], "stated": row["stated_value"]}
        own |= {"value": claims.number(row["value"]), "n": claims.number(row["n"])}
        if "variants" in row:
            told = row["variants"]
            own |= {name: claims.number(told[name]) for name in ("agree", "decisive_share")}
            own |= {"variants": claims.number(told["n"]), "outcomes": str(told["outcomes"])}
            own["verdict_line"] = multiverse.verdict_line(row["verdict"], told)
            own["most_say"] = (
                multiverse.commoner(told) or f"{row['verdict']} ({told['agree']:.0f}%)"
            )
        if row["interval"]:
            own |= dict(zip(("low", "high"), map(claims.number, row["interval"]), strict=True))
        named[row["id"]] = own
    told = Counter(row["verdict"] for row in ledger if row["verdict"] in claims.VERDICTS)
    keys = ("reproduced", "in_part", "not_reproduced", "contradicted", "not_testable")
    counts = {key: told[verdict] for key, verdict in zip(keys, claims.VERDICTS, strict=True)}
    verdicts = list(told.elements())
    named["ledger"] = {"claims": told.total(), "tally": claims.tally(verdicts)} | counts
    summed = {row["id"]: row["variants"] for row in ledger if "variants" in row}
    rare = multiverse.against_default(summed)
    named["ledger"] |= {"against_default": len(rare), "outvoted": multiverse.outvoted(summed)}
    from taobao_villages import conclusion  # slow to import, as are two others below

    why = conclusion.causes([row for row in ledger if "variants" in row])
    named["ledger"] |= {f"part_{cause}": int((why == cause).sum()) for cause in conclusion.CAUSES}
    capped = why.index[why == "cap"]
    named["ledger"] |= {"part_cap_ids": ", ".join(capped)}
    return named


def outdated(app: Sphinx, env: Any, added: set, changed: set, removed: set) -> list[str]:
    """Every page, when data, code, lock or assets differ from the last build's, or it stopped.

    Else the notebooks for which another file differs that they read.
    """
    env.taobao_removed = bool(removed)
    key = digest(Path(app.srcdir), pages=True)
    if getattr(env, "taobao_built_with", None) != key or unfinished(app).exists():
        env.taobao_built_with = key
        return list(env.found_docs)
    reads = reads_of(app)
    return [env.path2doc(str(p)) for p, old in env.taobao_keys.items() if reads.key(p) != old]


def stamp_source(app: Sphinx, name: str, source: list[str]) -> None:
    """Give the parser the same key that the runner gave the cache."""
    env: Any = app.env
    path = Path(env.doc2path(name))
    if path.suffix == ".ipynb":
        source[0] = stamp(source[0], env.taobao_keys[path])


def skip_numbering(app: Sphinx, env: Any) -> list[str]:
    """Where no page was read, figures keep their numbers: Sphinx need not load every page."""
    if env.taobao_unchanged:
        env.taobao_numbered = env.toc_fignumbers
        app.config.numfig = False
    return []


def keep_numbering(app: Sphinx, env: Any) -> list[str]:
    """Put back what `skip_numbering` took away from Sphinx."""
    if env.taobao_unchanged:
        env.toc_fignumbers = env.taobao_numbered
        app.config.numfig = True
    return []


def complete_index(app: Sphinx) -> list:
    """Give the search the terms of pages that this build has not written, and no word of none.

    Sphinx 7.4 reads the words of those pages back from the last build, but not their terms, and
    keeps words that a changed page has no more.
    """
    indexer: Any = getattr(app.builder, "indexer", None)
    if indexer is not None:
        known = indexer._index_entries
        for page, entries in app.env.domaindata["index"]["entries"].items():
            if page not in known:
                terms = {
                    (word, target or "", main)
                    for kind, value, target, main, _ in entries
                    for word in split_index_msg(kind, value)
                }
                known[page] = sorted(terms)
        indexer._index_entries = dict(sorted(known.items()))
        for words in (indexer._mapping, indexer._title_mapping):
            for word in [w for w, pages in words.items() if not pages]:
                del words[word]  # no page has it any more
    return []


def check_images(app: Sphinx, tree: nodes.document) -> None:
    """An image without a real alt text is a warning, and a warning fails the build."""
    for image in tree.findall(nodes.image):
        if len(image.get("alt", "")) < 12 or image.get("alt") == image.get("uri"):
            LOGGER.warning("image %s has no alt text", image.get("uri"), location=image)


# ---- what notebooks return -----------------------------------------------------------------


class Renderer:
    """Draws the outputs of this package; anything else is left to myst-nb."""

    mime_priority_overrides = (
        ("*", "application/vnd.taobao-villages.claim+json", 1),
        ("*", "application/vnd.taobao-villages.forecast+json", 1),
    )

    @staticmethod
    def handle_mime(renderer: Any, output: Any, inline: int) -> list[nodes.Element] | None:
        """Return the nodes of a figure or claim panel, None for other outputs."""
        if output.mime_type == "application/vnd.taobao-villages.claim+json":
            told = {row["id"]: row for row in renderer.renderer.sphinx_env.taobao_ledger}
            row = output.content
            env = renderer.renderer.sphinx_env
            repository = env.config.html_theme_options["repository_url"]
            anchor = ""
            if env.docname == f"book/{row['section']}":
                anchor = f"panel-{row['id'].lower()}"
                env.domains["std"].note_hyperlink_target(anchor, env.docname, anchor, row["id"])
            row = row | {"variants": told[row["id"]]["variants"]}
            return [claim_panel(row, repository, anchor)]
        if output.mime_type == "application/vnd.taobao-villages.forecast+json":
            return [forecast_panel(output.content)]
        about = output.output_metadata.get("taobao_villages")
        if about and output.mime_type.startswith("image/"):
            return figure_nodes(renderer, output, about)
        if about and output.mime_type == "text/html" and "listing" in about:
            return [listing_nodes(**about["listing"])]
        if about and output.mime_type == "text/html" and "csv" in about:
            return slider_nodes(renderer, output, about)
        if about and output.mime_type == "text/html":
            return [*renderer.render_text_html(output), source_line(about["sources"])]
        return None


def figure_nodes(renderer: Any, output: Any, about: dict[str, Any]) -> list[nodes.Element]:
    """Image with its caption, sources, download and table twin."""
    image = renderer.render_image(output)[0]
    image["alt"] = about["alt"]
    name = f"fig-{about['name']}"
    figure = nodes.figure("", image, names=[name], ids=[name])
    figure += nodes.caption("", about["caption"])
    return [figure, *data_nodes(renderer, about)]


def slider_nodes(renderer: Any, output: Any, about: dict[str, Any]) -> list[nodes.Element]:
    """A figure with a slider: its HTML with caption, sources, download and table twin."""
    box = nodes.container("", *renderer.render_text_html(output), ids=[f"fig-{about['name']}"])
    box += nodes.paragraph("", about["caption"], classes=["slider-caption"])
    return [box, *data_nodes(renderer, about)]


def data_nodes(renderer: Any, about: dict[str, Any]) -> list[nodes.Element]:
    """The line of sources with the download, and the drawn numbers as a folded table."""
    path = renderer.write_file([f"{about['name']}.csv"], about["csv"].encode(), overwrite=True)
    download = addnodes.download_reference(
        "",
        "",
        nodes.Text("Download the data (CSV)"),
        reftarget=path,
        refdoc=renderer.renderer.sphinx_env.docname,
    )
    line = source_line(about["sources"])
    line += [nodes.Text(" "), download]
    rows = list(csv.reader(io.StringIO(about["csv"])))
    parts: list[nodes.Element] = [line]
    if len(rows) <= 60:
        parts.append(fold("Read as a table", plain_table(rows[0], rows[1:]), "twin"))
    return parts


def listing_nodes(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], source_column: int
) -> nodes.container:
    """A long table that scrolls, sorts and filters; each source of a row is a link."""
    lines: list[list[str | nodes.Node]] = []
    for row in rows:
        cells: list[str | nodes.Node] = list(row)
        cells[source_column] = source_links(row[source_column].split(";"))
        lines.append(cells)
    table = plain_table(head, lines)
    table["classes"].append("sortable")
    label = html.escape(caption)
    start = f'<p class="long-caption">{label}</p><div class="long-table" tabindex="0" '
    start += f'role="region" aria-label="{label}">'
    return nodes.container(
        "",
        nodes.raw("", start, format="html"),
        table,
        nodes.raw("", "</div>", format="html"),
    )


def claim_panel(row: dict[str, Any], repository: str = "", anchor: str = "") -> nodes.Element:
    """The panel that ends a claim: evidence, rule, verdict, sources, and where to doubt it.

    `anchor` is its address, `repository` the place where doubts are reported.
    """
    slug = row["verdict"].replace(" ", "-")
    panel = nodes.admonition("", classes=["claim-panel", f"verdict-{slug}"])
    heading = nodes.title("", "", reference(f"claim-{row['id']}", f"Claim {row['id']}"))
    heading += nodes.Text(f": {row['verdict']}")
    panel += heading
    if anchor:
        panel["ids"].append(anchor)
    panel += panel_body(claims.panel_lines(row), row["sources"])
    if repository:
        address = website.doubt_address(repository, f"claim {row['id']} ({row['verdict']})")
        text = f"Report an error in claim {row['id']}"
        doubt = nodes.reference("", text, refuri=address, internal=False)
        panel += nodes.paragraph("", "", doubt, classes=["doubt"])
    return panel


def forecast_panel(row: dict[str, Any]) -> nodes.Element:
    """The panel of a forecast: what was foreseen, what is known, rule, verdict, sources."""
    from taobao_villages import after_2017

    panel = nodes.admonition("", classes=["forecast-panel", f"verdict-{row['verdict']}"])
    panel += nodes.title("", f"Forecast: {row['verdict']}")
    panel += panel_body(after_2017.panel_lines(row), row["sources"])
    if row["claim_ids"]:
        line = nodes.paragraph("", "Bears on: ", classes=["source-line"])
        for position, claim in enumerate(row["claim_ids"]):
            line += nodes.Text(", " if position else "")
            line += reference(f"claim-{claim}", f"claim {claim}")
        line += nodes.Text(".")
        panel += line
    return panel


def panel_body(lines: Iterable[tuple[str, str]], sources: Sequence[str]) -> list[nodes.Element]:
    """The lines of a panel, each with its term, and the line of sources."""
    body: list[nodes.Element] = [
        nodes.paragraph("", "", nodes.strong("", f"{term}: "), nodes.Text(text))
        for term, text in lines
    ]
    line: nodes.Element = source_line(sources)
    if len(sources) > FEW_SOURCES:
        line = fold(f"Its {len(sources)} sources", line)
    return [*body, line]


def source_line(ids: Sequence[str]) -> nodes.paragraph:
    """A line of sources, each a link to its entry."""
    line = nodes.paragraph(
        "", "Source: " if len(ids) == 1 else "Sources: ", classes=["source-line"]
    )
    line += [*source_links(ids).children, nodes.Text(".")]
    return line


def source_links(ids: Sequence[str]) -> nodes.paragraph:
    """Sources, each a link to its entry, with commas between."""
    links = nodes.paragraph()
    for position, source in enumerate(ids):
        if position:
            links += nodes.Text(", ")
        links += reference(f"source-{source}", source)
    return links


def reference(label: str, text: str) -> addnodes.pending_xref:
    """A link to a label; Sphinx warns if there is none."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", text),
        refdomain="std",
        reftype="ref",
        reftarget=label.lower(),
        refexplicit=True,
        refwarn=True,
    )


def open_cell_fold(translator: Any, node: HideCodeCellNode) -> None:
    """Open a fold of a notebook's cell; myst-nb's own calls each "Toggle hidden content" aloud."""
    start = len(translator.body)
    visit_HideCellInput(translator, node)
    translator.body[start:] = [
        part.replace(' aria-label="Toggle hidden content"', "") for part in translator.body[start:]
    ]


def fold(summary: str, content: nodes.Element, kind: str = "folded") -> nodes.container:
    """A folded part that works without scripts; `kind` is its class."""
    start = f'<details class="{kind}"><summary>{summary}</summary>'
    return nodes.container(
        "",
        nodes.raw("", start, format="html"),
        content,
        nodes.raw("", "</details>", format="html"),
    )


def plain_table(
    head: Sequence[str | nodes.Node], rows: Iterable[Sequence[str | nodes.Node]]
) -> nodes.table:
    """A table of texts or nodes; the first cell of a row is its header."""
    table = nodes.table("", classes=["reading"])
    group = nodes.tgroup("", cols=len(head))
    table += group
    for _ in head:
        group += nodes.colspec("", colwidth=1)

    def line(cells: Sequence[str | nodes.Node]) -> nodes.row:
        entries = [cell if isinstance(cell, nodes.Node) else nodes.Text(cell) for cell in cells]
        blocks = [
            c if isinstance(c, nodes.paragraph) else nodes.paragraph("", "", c) for c in entries
        ]
        return nodes.row("", *(nodes.entry("", block) for block in blocks))

    group += nodes.thead("", line(head))
    group += nodes.tbody("", *(line(row) for row in rows))
    return table


def broken(
    faults: dict[str, Any],
    mutants: dict[str, dict[str, Any]],
    kills: dict[str, Any],
    surroundings: dict[str, Any],
) -> list[list[str]]:
    """Rows of the table of what was broken on purpose, from the kept results of that name.

    Each has what was done, how often it was tried, caught (or came out the same), lost, and the
    day and commit of the run. A change of the data that alters no value is no fault, and a build
    that ended before its moment came was not killed.
    """

    def row(what: str, tried: int, lost: int, run: dict[str, Any]) -> list[str]:
        return [what, *map(str, (tried, tried - lost, lost)), f"{run['date']}, {run['commit']}"]

    rows = []
    for kind, told in faults["kinds"].items():
        tried = sum(n for outcome, n in told.items() if outcome != "harmless")
        rows.append(row(f"Data: {kind}", tried, told["lost"], faults))
    for module, one in mutants.items():
        rows.append(row(f"Code: {module}.py", one["tried"], one["tried"] - one["caught"], one))
    hit = [kill for kill in kills["kills"] if kill["doing"] != "ended before"]
    lost = sum(kill["result"] != "same" for kill in hit)
    rows.append(row("Build killed and run again", len(hit), lost, kills))
    for way, one in surroundings["ways"].items():
        what = f"Notebooks: {way}"
        if "why" in one:
            rows.append([what, "not tried", "", "", row("", 0, 0, surroundings)[-1]])
        else:
            rows.append(row(what, one["run"], len(one["other"]), surroundings))
    return rows


def timed(results: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Rows of the table of timings, from the kept results of ``make bench``.

    Each has what was timed, how long it took (or weighs), what it is compared with, the ratio of
    the two, and the day and commit of the run. A part that was not run has no rows.
    """
    rows: list[list[str]] = []

    def row(
        part: str, what: str, one: float, other: float, unit: str, against: str, ratio: float = 0.0
    ) -> None:
        about = results[part]["about"]
        told = f"{ratio or one / other:.2f}"  # the middle one of the runs, where that is kept
        values = [f"{one:,.4g} {unit}", f"{against}: {other:,.4g} {unit}", told]
        rows.append([what, *values, f"{about['date']}, {about['commit']}"])

    cold = results.get("cold", {})
    for name in ("lower bound", "notebooks alone", "serial build") if cold else ():
        ratio = cold[f"cold build over {name}"]
        row("cold", "Book built from nothing", cold["cold build"], cold[name], "s", name, ratio)
    changes = {name: one for name, one in results.get("rebuild", {}).items() if name != "about"}
    for name, one in changes.items():
        of, against = cold.get("cold build", one["seconds"]), "from nothing"
        if len(one["notebooks run"]) == 1:
            of, against = next(iter(one["notebooks run"].values())), "its notebook's own run"
        row("rebuild", f"Built again, changed: {name}", one["seconds"], of, "s", against)
    if setup := results.get("environment"):
        full, empty = (setup[f"seconds, caches {state}"] for state in ("full", "empty"))
        row(
            "environment",
            "Environment, packages at hand",
            full,
            empty,
            "s",
            "from the network",
        )
    for name, one in results.get("methods", {}).get("against", {}).items():
        ours, library, ratio = (one[key] for key in ("ours, ms", "library, ms", "ratio"))
        row("methods", name, ours, library, "ms", "the library alone", ratio)
    if speed := results.get("multiverse"):
        by = speed["variants a second, by workers"]
        row("multiverse", "Multiverse, two workers", by["2"], by["1"], "variants a second", "one")
    pages = results.get("pages", {})
    for name in (name for name in pages if name.endswith(".html")):
        for what, unit in (("kB", "kB"), ("first paint, ms", "ms"), ("requests", "requests")):
            told = f"{name.removeprefix('book/')}, {what.partition(',')[0]}"
            bare = pages["theme's bare page"][what]
            row("pages", told, pages[name][what], bare, unit, "the theme's bare page")
    return rows


def growing(results: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Rows of the table of growth: a method, its seconds by size, exponents of time and memory."""
    told = results.get("methods", {})
    return [
        [
            name,
            *(f"{seconds:,.4g}" for seconds in one["seconds"]),
            *(f"{one[f'exponent of {what}']:.2f}" for what in ("seconds", "MB")),
        ]
        for name, one in told.get("growth", {}).items()
    ]


# ---- reference pages, made from the data package -------------------------------------------


class Reference(SphinxDirective):
    """``{reference} claims``, ``sources`` and the like: made from the data at build time."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        makers = {
            "claims": self.claims,
            "sources": self.sources,
            "dictionary": self.dictionary,
            "gaps": self.gaps,
            "conflicts": self.conflicts,
            "corrections": self.corrections,
            "places": self.places,
            "colophon": self.colophon,
            "calibration": self.calibration,
            "faults": self.faults,
            "timings": self.timings,
            "scorecard": self.scorecard,
        }
        if self.arguments[0] not in makers:
            raise self.error(f"{self.arguments[0]!r} is not one of {', '.join(makers)}")
        return makers[self.arguments[0]]()

    def target(self, label: str, title: str, node: nodes.Element) -> nodes.Element:
        """Make `node` reachable as a label from every page."""
        label = label.lower()
        node["ids"].append(make_id(self.env, self.state.document, term=label))
        self.env.domains["std"].note_hyperlink_target(
            label, self.env.docname, node["ids"][-1], title
        )
        return node

    def section(self, label: str, title: str, *content: nodes.Node) -> nodes.section:
        section = nodes.section("", nodes.title("", title), *content)
        self.state.document.note_implicit_target(section)
        return self.target(label, title, section)

    def claims(self) -> list[nodes.Node]:
        env: Any = self.env
        judged = {row["id"]: row for row in env.taobao_ledger}
        table = data.load("claims")
        overview = plain_table(
            ["Claim", "Section", claims.STATEMENT, "Verdict"],
            [
                [
                    reference(f"claim-{claim.claim_id}", claim.claim_id),
                    claim.section.replace("_", "-"),
                    claim.paraphrase,
                    multiverse.verdict_line(row["verdict"], row["variants"])
                    if (row := judged.get(claim.claim_id))
                    else "not yet tested",
                ]
                for claim in table.itertuples()
            ],
        )
        overview["classes"].append("sortable")
        parts: list[nodes.Node] = [overview]
        for claim in table.itertuples():
            row = judged.get(claim.claim_id)
            if row:
                repository = env.config.html_theme_options["repository_url"]
                body = [claim_panel(row, repository)]
                for change in row["rule_changes"]:
                    body.append(nodes.paragraph("", f"Change of the rule: {change}"))
                where = reference(f"panel-{claim.claim_id}", "Where it is worked out")
                body.append(nodes.paragraph("", "", where))
            else:
                body = [
                    nodes.paragraph("", claim.paraphrase),
                    nodes.paragraph("", "Not yet tested in this version of the book."),
                ]
            part = self.section(f"claim-{claim.claim_id}", f"Claim {claim.claim_id}", *body)
            part["ids"].append(claim.claim_id.lower())  # the short address, claims.html#c19
            parts.append(part)
        return parts

    def sources(self) -> list[nodes.Node]:
        used = data.used_by()
        rows = []
        for source in data.sources().sort_index().itertuples():
            title = nodes.paragraph("", f"{source.publisher}. ")
            address = source.address_read or source.address
            if address.startswith("http"):
                title += nodes.reference("", source.title, refuri=address, internal=False)
            else:
                title += nodes.Text(f"{source.title} ({address})" if address else source.title)
            for text in (source.original_title, source.licence_note, source.note):
                if text:
                    title += nodes.Text(f". {text}")
            title += nodes.Text(". Used in " + ", ".join(used.get(source.Index, [])) + ".")
            rows.append([source.Index, title, source.date, source.kind, source.reliability])
        head = ["Source", "Publisher, title, notes, tables", "Date", "Kind", "Grade"]
        table = plain_table(head, rows)
        table["classes"].append("sortable")
        body = next(iter(table.findall(nodes.tbody)))
        for row, cells in zip(body.children, rows, strict=True):
            self.target(f"source-{cells[0]}", cells[0], row)
        return [table]

    def dictionary(self) -> list[nodes.Node]:
        parts: list[nodes.Node] = []
        for name in data.tables():
            about = data.schema(name)
            rows = [
                (
                    nodes.literal("", column["name"]),
                    column["type"],
                    column.get("unit", ""),
                    column.get("description", ""),
                )
                for column in about["schema"]["fields"]
            ]
            size = claims.counted(len(data.load(name)), "row")
            text = nodes.paragraph("", f"{about['description']} {size}.")
            body: list[nodes.Node] = [text]
            if about.get("used_for"):
                line = nodes.paragraph("", "Used for: ")
                for position, claim in enumerate(about["used_for"]):
                    line += nodes.Text(", " if position else "")
                    line += reference(f"claim-{claim}", claim)
                body.append(line)
            if about.get("gaps"):
                body.append(nodes.paragraph("", "Known gaps: " + " ".join(about["gaps"])))
            roles = [
                [reference(f"claim-{role[:3]}", role), meaning]
                for role, meaning in data.roles(name).items()
            ]
            columns = plain_table(["Column", "Type", "Unit", "Meaning"], rows)
            if len(rows) > 8:  # fewer are read at a glance
                columns["classes"].append("sortable")
            body.append(columns)
            if roles:
                body.append(plain_table(["Role in bears_on", "Meaning"], roles))
            parts.append(self.section(f"table-{name}", name, *body))
        return parts

    def gaps(self) -> list[nodes.Node]:
        rows = [
            [reference(f"table-{name}", name), gap]
            for name in data.tables()
            for gap in data.schema(name).get("gaps") or []
        ]
        table = plain_table(["Table", "What is missing"], rows)
        table["classes"].append("sortable")
        return [table]

    def conflicts(self) -> list[nodes.Node]:
        short: list[list[str | nodes.Node]] = []
        parts: list[nodes.Node] = []
        head = ["Table", "What", "Values and who gives them"]
        for name, found in data.conflicts().groupby("table", sort=False):
            rows: list[list[str | nodes.Node]] = [
                [reference(f"table-{name}", name), row.what, row.told] for row in found.itertuples()
            ]
            if len(rows) <= MANY_CONFLICTS:
                short += rows
                continue
            table = plain_table(head, rows)
            table["classes"].append("sortable")
            parts.append(fold(f"{len(rows)} conflicts in {name}", table))
        table = plain_table(head, short)
        table["classes"].append("sortable")
        return [table, *parts]

    def corrections(self) -> list[nodes.Node]:
        rows = []
        for row in data.load("literature/corrections").itertuples():
            ids = row.source_id.split(";")
            told = nodes.paragraph("", row.found)
            if isinstance(row.note, str):
                told += nodes.Text(f" ({row.note})")
            rows.append([row.place, row.article_prints, told, row.certainty, source_links(ids)])
        head = ["Where", "The article prints", "Found", "Certainty", "Source"]
        table = plain_table(head, rows)
        table["classes"].append("sortable")
        return [table]

    def places(self) -> list[nodes.Node]:
        rows = [
            [row.name_en, row.name_zh, nodes.emphasis("", row.pinyin), row.capital, row.capital_zh]
            for row in data.load("provinces/provinces").sort_values("name_en").itertuples()
        ]
        head = ["Province", "Characters", "Pinyin", "Capital", "Its characters"]
        return [plain_table(head, rows)]

    def scorecard(self) -> list[nodes.Node]:
        """One bar of all verdicts, in words too, and a folded table by section."""
        judged = self.env.taobao_ledger  # type: ignore[attr-defined]
        told = Counter(row["verdict"] for row in judged)
        words = ", ".join(f"{told[verdict]} {verdict}" for verdict in claims.VERDICTS)
        parts = "".join(
            f'<span class="score-{verdict.replace(" ", "-")}" style="flex-grow:{told[verdict]}">'
            f"{told[verdict]}</span>"
            for verdict in claims.VERDICTS
            if told[verdict]
        )
        keys = "".join(
            f'<li><span class="score-{verdict.replace(" ", "-")}">{told[verdict]}</span> {verdict}'
            for verdict in claims.VERDICTS
        )
        bar = f'<div class="scorebar" role="img" aria-label="{len(judged)} claims: {words}">{parts}'
        bar += f'</div><ul class="scorekeys">{keys}</ul>'
        rows = []
        for section in claims.sections():
            here = Counter(row["verdict"] for row in judged if row["section"] == section)
            rows.append([section.replace("_", "-"), *(str(here[v]) for v in claims.VERDICTS)])
        table = plain_table(["Section", *claims.VERDICTS], rows)
        outvoted = multiverse.outvoted({row["id"]: row["variants"] for row in judged})
        return [
            nodes.raw("", bar, format="html"),
            nodes.paragraph("", f"The verdict is that of our default choices. {outvoted}"),
            fold("The scorecard by section", table),
        ]

    def colophon(self) -> list[nodes.Node]:
        judged = self.env.taobao_ledger  # type: ignore[attr-defined]
        variants = sum(row["variants"]["n"] for row in judged)
        figures = sum(len(data.load(name)) for name in data.tables())
        rows = [
            ["Book and package", f"version {__version__}"],
            ["Data", f"version {data.state()}, checksum {data.checksum()[:16]}"],
            ["Tables, rows", f"{len(data.tables())}, {figures:,}"],
            ["Sources", f"{len(data.sources()):,}"],
            ["Claims with a verdict, variants run", f"{len(judged)}, {variants:,}"],
            *([name, importlib.metadata.version(name)] for name in COLOPHON),
        ]
        return [plain_table(["What", "State"], rows)]

    def stored(self, name: str) -> dict[str, Any]:
        """A kept result; the page is made anew when it changes."""
        self.env.note_dependency(str(multiverse.stored_in(name)))
        return multiverse.stored(name)

    def calibration(self) -> list[nodes.Node]:
        told = self.stored("calibration")
        parts: list[nodes.Node] = []
        for kind, head, words in (
            ("interval", "Holds the truth, %", INTERVALS),
            ("test", "Rejects without cause, %", TESTS),
        ):
            rows = [
                [
                    row["method"],
                    ", ".join(row["claims"]),
                    str(row["n"]),
                    row["drawn"],
                    f"{row['percent']} ({row['low']} to {row['high']})",
                    [said for least, said in words.items() if row["percent"] >= least][-1],
                ]
                for row in told["rows"]
                if row["kind"] == kind
            ]
            names = ["Method", "Used by", "Units", "What is drawn", head, "In short"]
            parts.append(plain_table(names, rows))
        run = f"{told['draws']:,} draws each; run on {told['date']} at commit {told['commit']}, "
        run += f"data {told['data_version']}. To repeat it: "
        line = nodes.paragraph("", run, classes=["source-line"])
        line += [nodes.literal("", "make audit-deep"), nodes.Text(".")]
        return [*parts, line]

    def faults(self) -> list[nodes.Node]:
        head = ["What was done", "Tried", "Caught or same", "Lost", "Run on, at commit"]
        table = plain_table(head, broken(**{name: self.stored(name) for name in BROKEN}))
        line = nodes.paragraph("", "To repeat it, in some hours: ", classes=["source-line"])
        line += [nodes.literal("", "make audit-deep"), nodes.Text(".")]
        return [table, line]

    def timings(self) -> list[nodes.Node]:
        told = self.stored("results")
        head = ["What", "Taken", "Compared with", "Ratio", "Run on, at commit"]
        times = plain_table(head, timed(told))
        times["classes"].append("sortable")
        parts: list[nodes.Node] = [times]
        if sizes := told.get("methods", {}).get("sizes"):
            head = ["Method", *(f"{n:,} places, s" for n in sizes), "Time grows as", "Memory as"]
            parts.append(plain_table(head, growing(told)))
        line = nodes.paragraph("", "To repeat it, in an hour: ", classes=["source-line"])
        line += [nodes.literal("", "make bench"), nodes.Text(".")]
        return [*parts, line]


class Course(SphinxDirective):
    """``{course} session 3``, ``notes`` and the like: made from the files of the course."""

    required_arguments = 1
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        env: Any = self.env
        for name in ("sessions.yml", "quiz.yml"):
            env.note_dependency(str(course.ROOT / "book" / "course" / name))
        env.note_dependency(course.__file__)
        number = int(self.arguments[1]) if len(self.arguments) > 1 else None
        text = course.page(self.arguments[0], number, env.taobao_numbers)
        box = nodes.Element()
        lines = StringList(text.splitlines(), source=env.docname)
        self.state.nested_parse(lines, 0, box, match_titles=True)
        return box.children


class Explorer(SphinxDirective):
    """``{explorer}``: the explorer's controls and numbers; its scripts on this page alone."""

    def run(self) -> list[nodes.Node]:
        from taobao_villages import explorer

        env: Any = self.env
        path = kept_in(Path(env.config.nb_execution_cache_path), "explorer", env.taobao_key)
        begun = getattr(env.app, "taobao_explorer", None)  # not on a page of another name
        content = begun() if begun else keep(path, explorer.payload_json)
        env.metadata[env.docname]["explorer"] = True
        return [nodes.raw("", explorer.markup(content), format="html")]


def add_explorer(app: Sphinx, page: str, template: str, context: dict, tree: Any) -> None:
    """The explorer's scripts and style sheet, on its page only."""
    if "explorer" in (app.env.metadata.get(page) or {}):
        for name in ("grammar.min.js", "explorer.js"):
            app.add_js_file(name, priority=900, loading_method="defer")
        app.add_css_file("explorer.css", priority=900)


def write_slides(app: Sphinx, error: Exception | None) -> None:
    """The slides of the course beside the pages, if the book has the course."""
    env: Any = app.env
    if error is None and app.builder.name == "html" and "book/course/index" in env.found_docs:
        course.write_slides(env.taobao_numbers, Path(app.outdir))


# ---- where to run a notebook ------------------------------------------------------------------


def find_lite(app: Sphinx, config: Any) -> None:
    """Note whether `make lite` has built its site; pages with other buttons are written anew."""
    config.taobao_lite = (Path(app.outdir) / "lite" / "index.html").is_file()


def add_launch_buttons(app: Sphinx, page: str, template: str, context: dict, tree: Any) -> None:
    """A menu on each notebook's page: in the browser, on Binder, on Colab."""
    if tree is None or not app.env.doc2path(page).endswith(".ipynb"):
        return
    options = app.config.html_theme_options
    found = launch.places(
        page,
        url=options.get("repository_url", ""),
        branch=options.get("repository_branch", ""),
        lite=app.config.taobao_lite,
    )
    links = [
        {"type": "link", "text": name, "tooltip": told, "icon": "fas fa-play", "url": address}
        for name, told, address in found
    ]
    if links:
        menu = {"type": "group", "tooltip": "Run this chapter", "icon": "fas fa-play"}
        context["header_buttons"].append(menu | {"buttons": links, "label": "launch-buttons"})


# ---- formulas as MathML: drawn by the browser, no script ------------------------------------


def visit_inline_math(self: Any, node: nodes.math) -> None:
    """Write an inline formula."""
    self.body.append(latex2mathml.converter.convert(node.astext()))
    raise nodes.SkipNode


def visit_block_math(self: Any, node: nodes.math_block) -> None:
    """Write a displayed formula."""
    formula = latex2mathml.converter.convert(node.astext(), display="block")
    self.body.append(self.starttag(node, "div", CLASS="math") + formula + "</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    # The pages' trees are large and live till the end: to look through them for garbage again and
    # again took a quarter of Sphinx's time.
    gc.set_threshold(100_000, 50, 100)
    app.setup_extension("myst_nb")
    cell_fold = (open_cell_fold, depart_HideCellInput)
    app.add_node(HideCodeCellNode, override=True, html=cell_fold)
    app.add_directive("reference", Reference)
    app.add_directive("course", Course)
    app.add_directive("explorer", Explorer)
    app.add_html_math_renderer("mathml", (visit_inline_math, None), (visit_block_math, None))
    app.add_config_value("taobao_lite", False, "html", bool)
    app.connect("config-inited", find_lite)
    app.connect("html-page-context", add_launch_buttons, priority=900)
    app.connect("env-get-outdated", outdated)
    app.connect("env-before-read-docs", prepare, priority=100)
    app.connect("env-get-updated", skip_numbering, priority=100)
    app.connect("env-get-updated", keep_numbering, priority=900)
    app.connect("source-read", stamp_source, priority=100)
    app.connect("env-updated", begin_pages)
    app.connect("html-collect-pages", complete_index)
    app.connect("doctree-read", check_images)
    app.connect("html-page-context", add_explorer)
    app.connect("build-finished", write_ledger)
    app.connect("build-finished", write_slides)
    app.connect("build-finished", finish, priority=900)
    return {"version": __version__, "parallel_read_safe": False, "parallel_write_safe": True}

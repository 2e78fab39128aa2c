"""The Sphinx extension that runs the notebooks and ties the pages to the ledger and the data.

What it does in a build, whether started by ``make book`` or by plain ``jupyter-book build .``:

1. Runs the notebooks over the cores into jupyter-cache. The cache's key includes all that a
   notebook looked at (see `inputs`), so that a changed number shows on the page.
2. Puts the numbers of the ledger and of the forecasts into the prose: ``{{ C19.value }}``,
   ``{{ F_growth.value }}``.
3. Turns what notebooks return (figures, claim panels) into pages with captions, sources and
   downloads, and makes the reference pages from the data package.
4. Fails on a notebook that raises, an image without alt text, a figure typed in the prose.

Sphinx, docutils and myst-nb are imported here only: the analysis needs none of them.
"""

from __future__ import annotations

import csv
import errno
import gc
import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput
from sphinx.application import Sphinx
from sphinx.util import logging

from taobao_villages import PACKAGE, __version__, data
from taobao_villages.book import alone, changes, directives, fixes, kernels, prose, reference
from taobao_villages.book.notebooks import (
    Notes,
    digest,
    keep,
    kept_in,
    later,
    run_notebooks,
    stamp,
)
from taobao_villages.verdicts import card, kept, ledger, multiverse, scorecard
from taobao_villages.verdicts.claims import VERDICTS
from taobao_villages.verdicts.words import commoner, verdict_line

LOGGER = logging.getLogger(__name__)
EXPLORER = "book/explorer"  # the page of the explorer
LEDGER_COLUMNS = ["id", "section", "statement", "value", "unit", "n", "verdict", "data_version"]


# ---- what a build computes besides; slow to import, and unchanged books do without ---------------


def ledger_json() -> str:
    """The ledger, under the choices that the chapters take."""
    return ledger.as_json(kept.entries())


def forecasts_json() -> str:
    """The article's forecasts, judged by what came."""
    from taobao_villages.chapters import after_2017

    return after_2017.forecasts_json()


def numbers_json(ledger: list[dict[str, Any]], forecasts: list[dict[str, Any]]) -> str:
    """The ledger with what the variants say, and what the prose can name."""
    rows = kept.ledger(ledger)
    told = {"ledger": rows, "numbers": numbers([*rows, *forecasts])}
    return json.dumps(told, ensure_ascii=False, allow_nan=False)


def explorer_json() -> str:
    """What the explorer shows."""
    from taobao_villages.explorer import page

    return page.payload_json()


COMPUTED = {"ledger": ledger_json, "forecasts": forecasts_json}


# ---- events of the build -------------------------------------------------------------------------


def prepare(app: Sphinx, env: Any, names: Sequence[str]) -> None:
    """Have the notebooks' outputs and the numbers for the pages that are to be read.

    Nothing is done if no page is to be read: `outdated` names those that anything has changed.
    """
    if not names:
        return
    if env.taobao_same and not any(env.doc2path(name).endswith(".ipynb") for name in names):
        env.myst_config = replace(env.myst_config, substitutions=env.taobao_numbers)
    elif not hasattr(app, "taobao_told"):  # else `outdated` has asked what they show
        compute(app, env)
    for name in names:
        page = Path(env.doc2path(name))
        for figure in prose.typed_figures(prose.prose(page)):
            LOGGER.warning("%s: the figure %r is typed; take it from the ledger", page.name, figure)
        env.taobao_shown[name] = shown(app, env, name)


def compute(app: Sphinx, env: Any) -> None:
    """Run notebooks, compute the ledger, and hand its numbers to the Markdown parser."""
    root = Path(app.srcdir)
    key = digest(root)
    pages = [Path(env.doc2path(name)) for name in sorted(env.found_docs)]
    cache_folder = cache_of(app)
    app.config.nb_execution_cache_path = str(cache_folder)
    notebooks = [page for page in pages if page.suffix == ".ipynb"]
    env.taobao_key = key
    unknown = not kept_in(cache_folder, "ledger", key).exists()
    with kernels.warm(enough=unknown) as server:
        if unknown:  # else these data have been checked; the server gets ready meanwhile
            refuse(data.folder(), data.faults())
        if changed := data.released():
            LOGGER.info("these are your own data. %s", changed)
        # Beside the notebooks, and the explorer's numbers beside the pages. None of these starts
        # processes of its own, which a worker would wait for.
        pool = kernels.workers()
        ledger, forecasts = (
            later(pool, kept_in(cache_folder, name, key), COMPUTED[name]) for name in COMPUTED
        )
        env.taobao_ran = run_notebooks(notebooks, cache_folder, notes_of(app), server)
    path = kept_in(cache_folder, "explorer", key)
    if EXPLORER in env.found_docs and not path.exists():
        begun = pool.submit(keep, path, explorer_json)
        app.taobao_explorer = begun.result  # type: ignore[attr-defined]
    place = kept_in(cache_folder, "numbers", env.taobao_built_with)
    told = later(pool, place, partial(numbers_json, ledger(), forecasts()))()
    pool.shutdown(wait=False)
    app.taobao_told = told  # type: ignore[attr-defined]
    env.taobao_ledger, env.taobao_numbers = told["ledger"], told["numbers"]
    env.myst_config = replace(env.myst_config, substitutions=env.taobao_numbers)


def shown(app: Sphinx, env: Any, name: str) -> str:
    """Fingerprint of what a page shows of data and analysis, see `changes.shown`."""
    page = Path(env.doc2path(name))
    told = env.taobao_numbers, env.taobao_ledger, env.taobao_key
    return changes.shown(prose.prose(page), env.taobao_ran.get(page), *told)


def cache_of(app: Sphinx) -> Path:
    """The folder of the jupyter-cache; beside it stands what else a later build may use again."""
    return Path(app.config.nb_execution_cache_path or Path(app.srcdir) / ".cache" / "jupyter")


def notes_of(app: Sphinx) -> Notes:
    """What each notebook looked at when it last ran."""
    return Notes(cache_of(app).parent / "notes", Path(app.srcdir))


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
    """Mark the pages as unfinished, and let Sphinx write them over the cores, on Linux.

    jupyter-book has no option for it. Sphinx forks its writers: elsewhere one process does all.
    One process more than there are cores, since the first only hands out pages. They are read by
    one process: the numbers that they tell are in its memory.
    """
    unfinished(app).touch()
    if kernels.POSSIBLE:
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
    (out / "ledger.json").write_text(ledger.as_json(rows) + "\n", "utf-8", newline="\n")
    shutil.copyfile(PACKAGE / "verdicts" / "ledger.schema.json", out / "ledger.schema.json")
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


def numbers(ledger: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the prose can name: ``C19.value``, ``C19.verdict``, ``C19.share_2015`` and so on.

    Parameters
    ----------
    ledger : iterable of dict
        Entries of the ledger, or of the forecasts, whose names begin with ``F_``.
    """
    named: dict[str, Any] = {"version": __version__}
    for row in ledger:
        own = {name: card.number(value) for name, value in row["details"].items()}
        own |= {"verdict": row["verdict"], "reason": row["reason"], "stated": row["stated_value"]}
        own |= {"value": card.number(row["value"]), "n": card.number(row["n"])}
        if "variants" in row:
            told = row["variants"]
            own |= {name: card.number(told[name]) for name in ("agree", "decisive_share")}
            own |= {"variants": card.number(told["n"]), "outcomes": str(told["outcomes"])}
            own["verdict_line"] = verdict_line(row["verdict"], told)
            own["most_say"] = commoner(told) or f"{row['verdict']} ({told['agree']:.0f}%)"
        if row["interval"]:
            own |= dict(zip(("low", "high"), map(card.number, row["interval"]), strict=True))
        named[row["id"]] = own
    told = Counter(row["verdict"] for row in ledger if row["verdict"] in VERDICTS)
    keys = ("reproduced", "in_part", "not_reproduced", "contradicted", "not_testable")
    counts = {key: told[verdict] for key, verdict in zip(keys, VERDICTS, strict=True)}
    verdicts = list(told.elements())
    named["ledger"] = {"claims": told.total(), "tally": scorecard.tally(verdicts)} | counts
    summed = {row["id"]: row["variants"] for row in ledger if "variants" in row}
    rare = multiverse.against_default(summed)
    named["ledger"] |= {"against_default": len(rare), "outvoted": multiverse.outvoted(summed)}
    why = scorecard.causes([row for row in ledger if "variants" in row])
    named["ledger"] |= {f"part_{cause}": int((why == cause).sum()) for cause in scorecard.CAUSES}
    capped = why.index[why == "cap"]
    named["ledger"] |= {"part_cap_ids": ", ".join(capped)}
    return named


def outdated(app: Sphinx, env: Any, added: set, changed: set, removed: set) -> list[str]:
    """The pages that a change reaches which Sphinx does not see: of data, code, lock or assets.

    Every page, where what shapes them all differs from the last build's, or that one stopped.
    """
    env.taobao_renumber = bool(added)
    root = Path(app.srcdir)
    key = digest(root, pages=True)
    # As in the build before, but for the files of the pages themselves.
    same = getattr(env, "taobao_built_with", None) == key and not unfinished(app).exists()
    env.taobao_same = same
    if same:
        notes, ran = notes_of(app), env.taobao_ran
        return [env.path2doc(str(path)) for path in ran if notes.key(path) != ran[path].key]
    env.taobao_built_with = key
    before, env.taobao_shape = getattr(env, "taobao_shape", None), changes.shape(root)
    if before != env.taobao_shape or unfinished(app).exists():
        env.taobao_shown = {}
        return list(env.found_docs)
    compute(app, env)
    return [n for n in env.found_docs if env.taobao_shown.get(n) != shown(app, env, n)]


def stamp_source(app: Sphinx, name: str, source: list[str]) -> None:
    """Give the parser the same key that the runner gave the cache."""
    env: Any = app.env
    path = Path(env.doc2path(name))
    if path.suffix == ".ipynb":
        source[0] = stamp(source[0], env.taobao_ran[path].key)


def check_images(app: Sphinx, tree: nodes.document) -> None:
    """An image without a real alt text is a warning, and a warning fails the build."""
    for image in tree.findall(nodes.image):
        if len(image.get("alt", "")) < 12 or image.get("alt") == image.get("uri"):
            LOGGER.warning("image %s has no alt text", image.get("uri"), location=image)


# ---- formulas as MathML: drawn by the browser, no script -----------------------------------------


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    # The pages' trees are large and live till the end: to look through them for garbage again and
    # again took a quarter of Sphinx's time.
    gc.set_threshold(100_000, 50, 100)
    alone.begin(app)
    app.setup_extension("myst_nb")
    cell_fold = (fixes.open_cell_fold, depart_HideCellInput)
    app.add_node(HideCodeCellNode, override=True, html=cell_fold)
    app.add_directive("reference", reference.Reference)
    app.add_directive("course", directives.Course)
    app.add_directive("explorer", directives.Explorer)
    app.add_html_math_renderer(
        "mathml", (fixes.visit_inline_math, None), (fixes.visit_block_math, None)
    )
    app.add_config_value("taobao_lite", False, "html", bool)
    app.connect("config-inited", directives.find_lite)
    app.connect("config-inited", fixes.forget_place, priority=900)
    app.connect("html-page-context", directives.add_launch_buttons, priority=900)
    app.connect("env-get-outdated", outdated)
    app.connect("env-before-read-docs", prepare, priority=100)
    app.connect("env-purge-doc", fixes.had_numbers, priority=100)
    app.connect("doctree-read", fixes.has_numbers)
    app.connect("env-get-updated", fixes.skip_numbering, priority=100)
    app.connect("env-get-updated", fixes.keep_numbering, priority=900)
    app.connect("source-read", stamp_source, priority=100)
    app.connect("env-updated", begin_pages)
    app.connect("html-collect-pages", fixes.complete_index)
    app.connect("doctree-read", check_images)
    app.connect("html-page-context", directives.add_explorer)
    app.connect("build-finished", fixes.forget_files)
    app.connect("build-finished", write_ledger)
    app.connect("build-finished", directives.write_slides)
    app.connect("build-finished", finish, priority=900)
    app.connect("build-finished", alone.end, priority=950)
    return {"version": __version__, "parallel_read_safe": False, "parallel_write_safe": True}

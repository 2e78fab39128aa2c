"""Repairs of Sphinx: numbering of unchanged books, search terms, formulas as MathML."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import latex2mathml.converter
from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, visit_HideCellInput
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.index_entries import split_index_msg

# ---- events of the build -------------------------------------------------------------------------


def forget_place(app: Sphinx, config: Any) -> None:
    """Name the theme's templates from the book's folder: Sphinx hashes these names (.buildinfo)."""
    with suppress(ValueError):  # on Windows, another drive
        paths = [os.path.join(app.confdir, path) for path in config.templates_path]
        named = [os.path.relpath(path, app.confdir) for path in paths]
        config.templates_path = list(dict.fromkeys(path.replace(os.sep, "/") for path in named))


def had_numbers(app: Sphinx, env: Any, page: str) -> None:
    """Before a page is read again or forgotten: figures are counted anew if it had any."""
    env.taobao_renumber |= any(env.toc_fignumbers.get(page, {}).values())


def has_numbers(app: Sphinx, tree: nodes.document) -> None:
    """After a page is read: figures are counted anew if it has any, or tells what comes when."""
    env: Any = app.env
    kinds = (*env.get_domain("std").enumerable_nodes, addnodes.toctree)
    env.taobao_renumber |= any(isinstance(node, kinds) for node in tree.findall(nodes.Element))


def skip_numbering(app: Sphinx, env: Any) -> list[str]:
    """Where no page with figures was read, they keep their numbers: Sphinx need not load all."""
    if not env.taobao_renumber:
        env.taobao_numbered = env.toc_fignumbers
        app.config.numfig = False
    return []


def keep_numbering(app: Sphinx, env: Any) -> list[str]:
    """Put back what `skip_numbering` took away from Sphinx."""
    if not env.taobao_renumber:
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


def forget_files(app: Sphinx, error: Exception | None) -> None:
    """Remove pictures and tables that no page shows any more; Sphinx leaves them for ever."""
    if error is not None or app.builder.name != "html":
        return
    for folder, known in (("_images", app.env.images), ("_downloads", app.env.dlfiles)):
        shown = {Path(app.outdir) / folder / name for _, name in known.values()}
        # Cards for sharing are another extension's.
        for path in (Path(app.outdir) / folder).glob("*/*" if folder == "_downloads" else "*.*"):
            if path not in shown:
                path.unlink()


# ---- what notebooks return -----------------------------------------------------------------------


def open_cell_fold(translator: Any, node: HideCodeCellNode) -> None:
    """Open a fold of a notebook's cell; myst-nb's own calls each "Toggle hidden content" aloud."""
    start = len(translator.body)
    visit_HideCellInput(translator, node)
    translator.body[start:] = [
        part.replace(' aria-label="Toggle hidden content"', "") for part in translator.body[start:]
    ]


# ---- formulas as MathML: drawn by the browser, no script -----------------------------------------


def visit_inline_math(self: Any, node: nodes.math) -> None:
    """Write an inline formula."""
    self.body.append(latex2mathml.converter.convert(node.astext()))
    raise nodes.SkipNode


def visit_block_math(self: Any, node: nodes.math_block) -> None:
    """Write a displayed formula."""
    formula = latex2mathml.converter.convert(node.astext(), display="block")
    self.body.append(self.starttag(node, "div", CLASS="math") + formula + "</div>\n")
    raise nodes.SkipNode

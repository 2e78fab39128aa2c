"""Directives and events for the course, the explorer, slides and launch buttons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from taobao_villages import PACKAGE
from taobao_villages.book import launch, notebooks
from taobao_villages.course import pages, slides

# ---- reference pages, made from the data package -------------------------------------------------


class Course(SphinxDirective):
    """``{course} session 3``, ``notes`` and the like: made from the files of the course."""

    required_arguments = 1
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        env: Any = self.env
        for name in ("sessions.yml", "quiz.yml"):
            env.note_dependency(str(pages.ROOT / "book" / "course" / name))
        for path in (PACKAGE / "course").rglob("*.*"):
            env.note_dependency(str(path))
        number = int(self.arguments[1]) if len(self.arguments) > 1 else None
        text = pages.page(self.arguments[0], number, env.taobao_numbers)
        box = nodes.Element()
        lines = StringList(text.splitlines(), source=env.docname)
        self.state.nested_parse(lines, 0, box, match_titles=True)
        return box.children


class Explorer(SphinxDirective):
    """``{explorer}``: the explorer's controls and numbers; its scripts on this page alone."""

    def run(self) -> list[nodes.Node]:
        from taobao_villages.explorer import page

        env: Any = self.env
        path = notebooks.kept_in(
            Path(env.config.nb_execution_cache_path), "explorer", env.taobao_key
        )
        begun = getattr(env.app, "taobao_explorer", None)  # not on a page of another name
        content = begun() if begun else notebooks.keep(path, page.payload_json)
        env.metadata[env.docname]["explorer"] = True
        return [nodes.raw("", page.markup(content), format="html")]


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
        slides.write_slides(env.taobao_numbers, Path(app.outdir))


# ---- where to run a notebook ---------------------------------------------------------------------


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

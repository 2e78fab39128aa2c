"""Turns what notebooks return (figures, tables, claims, forecasts) into parts of a page."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Sequence
from typing import Any

from docutils import nodes
from sphinx import addnodes

from taobao_villages.book import citing
from taobao_villages.verdicts import card
from taobao_villages.verdicts.claims import MIME as CLAIM
from taobao_villages.verdicts.forecasts import panel_lines

# A panel with more sources than these keeps them folded: a phone would show a screen of ids.
FEW_SOURCES = 6


class Renderer:
    """Draws the outputs of this package; anything else is left to myst-nb."""

    mime_priority_overrides = (
        ("*", CLAIM, 1),
        ("*", "application/vnd.taobao-villages.forecast+json", 1),
    )

    @staticmethod
    def handle_mime(renderer: Any, output: Any, inline: int) -> list[nodes.Element] | None:
        """Return the nodes of a figure or claim panel, None for other outputs."""
        if output.mime_type == CLAIM:
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
    panel += panel_body(card.panel_lines(row), row["sources"])
    if repository:
        address = citing.doubt_address(repository, f"claim {row['id']} ({row['verdict']})")
        text = f"Report an error in claim {row['id']}"
        doubt = nodes.reference("", text, refuri=address, internal=False)
        panel += nodes.paragraph("", "", doubt, classes=["doubt"])
    return panel


def forecast_panel(row: dict[str, Any]) -> nodes.Element:
    """The panel of a forecast: what was foreseen, what is known, rule, verdict, sources."""

    panel = nodes.admonition("", classes=["forecast-panel", f"verdict-{row['verdict']}"])
    panel += nodes.title("", f"Forecast: {row['verdict']}")
    panel += panel_body(panel_lines(row), row["sources"])
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

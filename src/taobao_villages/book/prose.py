"""Finds figures that are typed in the prose, where a number of the ledger belongs."""

from __future__ import annotations

import json
import re
from pathlib import Path

from markdown_it import MarkdownIt

# A figure in the prose must come from the ledger. What may be typed: years, ids of claims,
# code, formulas, links, headings, options of directives, and examples worked by hand.
ALLOWED = re.compile(
    r"^:[a-z-]+:[^\n]*$|^:{3,}\{[^\n]*$|^A worked example.*?(?=\n\n|\Z)|^---\n.*?^---$"
    r"|^#+ [^\n]*$|^\([^\n]*\)=$|\$\$.*?\$\$|\$[^$\n]+\$|`[^`\n]*`"
    r"|\{\{.*?\}\}|\]\([^)]*\)|<[^>]*>|https?://\S+"
    r"|\bC\d{2}\b|\b(?:19|20)\d{2}(?:s|/\d{1,2})?\b|\bTable \d\b|CC BY 4\.0",
    re.S | re.M,
)


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

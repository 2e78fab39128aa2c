"""Slides of a session, from the book's own figures, as one file."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from taobao_villages import PACKAGE
from taobao_villages.course.pages import PARTS, fill, plain, sessions

TEMPLATES = Environment(
    loader=FileSystemLoader(PACKAGE / "course"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


def built_figure(name: str, built: Path) -> dict[str, str]:
    """A figure of a built chapter.

    Returns
    -------
    dict
        ``image``, an address that holds the image itself; its ``alt`` text; the ``caption`` as
        HTML, empty if there is none; ``address``, page and anchor in the folder ``book``.

    Raises
    ------
    ValueError
        If no page has a figure of that name.
    """
    pattern = rf'<figure[^>]*id="fig-{re.escape(name)}".*?</figure>'
    for path in sorted((built / "book").glob("*.html")):
        found = re.search(pattern, path.read_text("utf-8"), re.S)
        if not found:
            continue
        source = re.search(r'<img[^>]*\bsrc="([^"]+)"', found[0])
        alt = re.search(r'<img[^>]*\balt="([^"]+)"', found[0])
        caption = re.search(r'<span class="caption-text">(.*?)</span>', found[0], re.S)
        if not source or not alt:
            raise ValueError(f"figure {name}: an image with an alt text is needed")
        image = path.parent / source[1]
        kind = {".svg": "svg+xml", ".png": "png"}[image.suffix]
        text = base64.b64encode(image.read_bytes()).decode("ascii")
        return {
            "image": f"data:image/{kind};base64,{text}",
            "alt": html.unescape(alt[1]),
            "caption": caption[1] if caption else "",
            "address": f"{path.name}#fig-{name}",
        }
    raise ValueError(f"no page has the figure {name}")


def slides(number: int, named: Mapping[str, Any], built: Path) -> str:
    """The slides of a session: one HTML file that needs nothing else."""
    told = sessions()[number - 1]
    notes, minutes = told["notes"], told["minutes"]
    steps: list[dict[str, Any]] = []
    for place, step in enumerate(told["walkthrough"], start=1):
        said = f"Step {place} of {len(told['walkthrough'])}; {minutes['demonstration']} minutes "
        said += "for all." + (f" Likely wrong answers: {notes['watch']}" if place == 1 else "")
        steps.append({"title": "Walk-through", "text": step, "notes": said})
        for name in (name for name, after in told["figures"].items() if after == place):
            figure = built_figure(name, built)
            said = "Let them read the axes aloud before you say what it shows. It is this: "
            said += figure["alt"]
            steps.append({"title": "What do you see?", "figure": figure, "notes": said})
    pages = [
        {
            "title": f"{number}. {told['title']}",
            "text": told["question"],
            "notes": told["reading"],
        },
        {
            "title": "You will be able to",
            "list": [objective["text"] for objective in told["objectives"]],
            "notes": "Time plan: "
            + ", ".join(f"{PARTS[k].lower()} {v}" for k, v in minutes.items())
            + ".",
        },
        {
            "title": "Warm-up",
            "text": told["warmup"]["question"],
            "notes": f"{minutes['recall']} minutes. What it probes: "
            f"{told['warmup']['misconception']}",
        },
        *steps,
        {
            "title": "Pair task",
            "list": told["pair"],
            "ordered": True,
            "notes": f"{minutes['pairs']} minutes. Without computers: {notes['paper']}",
        },
        {
            "title": "Discussion",
            "text": notes["discuss"],
            "notes": f"{minutes['discussion']} minutes. Ask first what would have to be seen for "
            "each answer to be wrong.",
        },
        {
            "title": "Exit question",
            "text": told["exit"],
            "notes": f"{minutes['exit']} minutes, in writing. A good answer: {notes['good_exit']}",
        },
        {
            "title": "Key points",
            "list": told["key_points"],
            "notes": f"Homework: {told['homework']}",
        },
    ]
    template = TEMPLATES.get_template("slides.html")
    return template.render(slides=pages, number=number, words=lambda t: plain(fill(t, named)))


def write_slides(named: Mapping[str, Any], built: Path) -> None:
    """The slides of all sessions beside the built pages."""
    (built / "slides").mkdir(exist_ok=True)
    for told in sessions():
        path = built / "slides" / f"session_{told['number']}.html"
        path.write_text(slides(told["number"], named, built), "utf-8", newline="\n")

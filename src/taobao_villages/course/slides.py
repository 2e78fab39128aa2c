"""Slides of a session, from the book's own figures, as one file."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taobao_villages.course.pages import PARTS, fill, plain, sessions

STYLE = """
:root { color-scheme: light dark; font: clamp(1.1rem, 2.4vw, 2.6rem)/1.4 system-ui, sans-serif; }
body { margin: 0; }
section { box-sizing: border-box; display: none; min-height: 100vh; padding: 4vh 5vw; }
section:target, body:not(:has(section:target)) section:first-of-type {
  display: flex; flex-direction: column;
}
h1, h2 { font-size: 1.5em; line-height: 1.2; margin-block: 0 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.8em; margin-top: 20vh; }
p, ul, ol { margin-block: 0 .6em; }
li { margin-bottom: .4em; }
figure { margin: 0; }
figcaption { font-size: .75em; }
img { background: #fff; max-width: 100%; }
aside { border-top: 2px solid; font-size: .65em; margin-top: 1rem; padding-top: .5rem; }
body:not(.notes) aside { display: none; }
nav { display: flex; flex-wrap: wrap; font-size: max(.5em, 1rem); gap: .3rem 1.2em;
  justify-content: flex-end; margin-top: auto; padding-top: 1rem; }
nav button { font: inherit; }
nav a, nav button { padding: .2em; }
@media (min-width: 50rem) {
  figure { align-items: center; display: grid; gap: 2rem; grid-template-columns: auto 1fr; }
  img { height: 66vh; max-width: 62vw; object-fit: contain; }
}
@media print {
  :root { font-size: 16pt; }
  section, section:target, body:not(:has(section:target)) section:first-of-type {
    break-after: page; display: block; min-height: 0; padding: 0;
  }
  section:last-of-type { break-after: auto; }
  h1 { margin-top: 0; }
  figure { display: block; }
  img { height: auto; max-height: 10cm; }
  nav { display: none; }
  aside { display: block !important; font-size: 12pt; }
}
"""
SCRIPT = """
const slides = [...document.querySelectorAll("section")];
const now = () => Math.max(0, slides.findIndex(s => "#" + s.id === location.hash));
function go(to) {
  const slide = slides[Math.min(slides.length - 1, Math.max(0, to))];
  location.hash = slide.id; slide.focus();
}
const notes = () => document.body.classList.toggle("notes");
document.querySelectorAll("button").forEach(button => button.addEventListener("click", notes));
document.addEventListener("keydown", event => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === " " && event.target.closest("a, button")) return;
  const step = {ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1}[event.key];
  if (step) { go(now() + step); event.preventDefault(); }
  if (event.key === "Home") go(0);
  if (event.key === "End") go(slides.length - 1);
  if (event.key === "n") notes();
});
"""


def built_figure(name: str, built: Path) -> tuple[str, str]:
    """A figure of a built chapter as HTML that needs no other file, and its alt text.

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
        told = f"{caption[1]} " if caption else ""
        told += f'<a href="../book/{path.name}#fig-{name}">Its page</a>'
        shown = f'<figure><img alt="{alt[1]}" src="data:image/{kind};base64,{text}">'
        return f"{shown}<figcaption>{told}</figcaption></figure>", html.unescape(alt[1])
    raise ValueError(f"no page has the figure {name}")


def slides(number: int, named: Mapping[str, Any], built: Path) -> str:
    """The slides of a session: one HTML file that needs nothing else."""
    told = sessions()[number - 1]

    def words(text: str) -> str:
        return html.escape(plain(fill(text, named)))

    def items(texts: Sequence[str], tag: str = "ul") -> str:
        return f"<{tag}>" + "".join(f"<li>{words(text)}</li>" for text in texts) + f"</{tag}>"

    notes, minutes = told["notes"], told["minutes"]
    title = f"{number}. {told['title']}"
    steps = []
    for place, step in enumerate(told["walkthrough"], start=1):
        said = f"Step {place} of {len(told['walkthrough'])}; {minutes['demonstration']} minutes "
        said += "for all." + (f" Likely wrong answers: {notes['watch']}" if place == 1 else "")
        steps.append((f"<h2>Walk-through</h2><p>{words(step)}</p>", said))
        for name in (name for name, after in told["figures"].items() if after == place):
            shown, alt = built_figure(name, built)
            said = f"Let them read the axes aloud before you say what it shows. It is this: {alt}"
            steps.append((f"<h2>What do you see?</h2>{shown}", said))
    pages = [
        (f"<h1>{words(title)}</h1><p>{words(told['question'])}</p>", told["reading"]),
        (
            "<h2>You will be able to</h2>" + items([o["text"] for o in told["objectives"]]),
            "Time plan: " + ", ".join(f"{PARTS[k].lower()} {v}" for k, v in minutes.items()) + ".",
        ),
        (
            f"<h2>Warm-up</h2><p>{words(told['warmup']['question'])}</p>",
            f"{minutes['recall']} minutes. What it probes: {told['warmup']['misconception']}",
        ),
        *steps,
        (
            "<h2>Pair task</h2>" + items(told["pair"], "ol"),
            f"{minutes['pairs']} minutes. Without computers: {notes['paper']}",
        ),
        (
            f"<h2>Discussion</h2><p>{words(notes['discuss'])}</p>",
            f"{minutes['discussion']} minutes. Ask first what would have to be seen for each "
            "answer to be wrong.",
        ),
        (
            f"<h2>Exit question</h2><p>{words(told['exit'])}</p>",
            f"{minutes['exit']} minutes, in writing. A good answer: {notes['good_exit']}",
        ),
        ("<h2>Key points</h2>" + items(told["key_points"]), f"Homework: {told['homework']}"),
    ]
    body = "".join(
        f'<section id="s{place}" tabindex="-1" aria-label="Slide {place} of {len(pages)}">{shown}'
        f"<aside><strong>Notes.</strong> {words(said)}</aside>"
        f"{_slide_links(place, len(pages), number)}</section>"
        for place, (shown, said) in enumerate(pages, start=1)
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{words(title)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head>"
        f"<body>{body}<script>{SCRIPT}</script></body></html>\n"
    )


def _slide_links(place: int, last: int, number: int) -> str:
    """What moves from a slide to others; arrow keys and the key n do the same."""
    links = [f'<a href="#s{place - 1}">Back</a>'] if place > 1 else []
    links += [f'<a href="#s{place + 1}">Next</a>'] if place < last else []
    links += ['<button type="button">Notes</button>']
    links += [f'<a href="../book/course/session_{number}.html">Page</a>']
    return f"<nav><span>{place} of {last}</span>{''.join(links)}</nav>"


def write_slides(named: Mapping[str, Any], built: Path) -> None:
    """The slides of all sessions beside the built pages."""
    (built / "slides").mkdir(exist_ok=True)
    for told in sessions():
        path = built / "slides" / f"session_{told['number']}.html"
        path.write_text(slides(told["number"], named, built), "utf-8", newline="\n")

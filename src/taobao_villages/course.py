"""The course: session pages, quiz, slides, labs and their grading, each made from one source.

``book/course/sessions.yml`` and ``quiz.yml`` hold what pages and slides say; a file of
``course/labs/`` holds a lab with its solutions. A lab's answer key is what its solution gives on
the data that a seed draws, so it changes with the data. A submission is run on the
data of the class and on further draws that students do not have: a typed answer is right on the
first only.
"""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from taobao_villages import data, launch

ROOT = Path(__file__).absolute().parents[2]
PARTS = {
    "recall": "Recall and warm-up",
    "demonstration": "Walk-through",
    "pairs": "Pair task",
    "discussion": "Discussion",
    "exit": "Exit question",
}
RUBRIC = ("claim", "evidence", "uncertainty", "limits")  # of written answers, 0 to 3 each
SEED = 2026
MEMORY, FILE = 4 * 2**30, 50 * 2**20  # bytes: what a submission may take, and write to a file
LONGEST = 1000  # letters of an answer that are kept
START, BUSY = 60, 10  # seconds to start a submission; how much slower a busy machine's clock is
DRAWS = 4  # the data of the class, and three draws that students do not have


@cache
def sessions() -> list[dict[str, Any]]:
    """The eight sessions as their file has them."""
    return yaml.safe_load((ROOT / "book/course/sessions.yml").read_text("utf-8"))


@cache
def quiz() -> list[dict[str, Any]]:
    """The quiz bank; each option has its text under ``right`` or ``wrong``, and ``why``."""
    return yaml.safe_load((ROOT / "book/course/quiz.yml").read_text("utf-8"))


# ---- pages -----------------------------------------------------------------------------------


def fill(text: str, named: Mapping[str, Any]) -> str:
    """`text` with the numbers of the ledger in place of ``{{ C19.value }}``.

    Raises
    ------
    KeyError
        If the ledger has no such number.
    """

    def number(found: re.Match) -> str:
        entry, key = found[1].split(".")
        return str(named[entry][key])

    return re.sub(r"\{\{ *([\w.]+) *\}\}", number, text)


def plain(text: str) -> str:
    """Markdown of a page as plain text: the words of links, without marks."""
    text = re.sub(r"\{(?:ref|doc|term)\}`([^`<]*?)\s*(?:<[^>]*>)?`", _link_words, text)
    return text.replace("`", "")


def _link_words(found: re.Match) -> str:
    words = found[1]
    return words.rsplit("/", 1)[-1].replace("_", " ") if words.startswith("/") else words


def page(kind: str, number: int | None, named: Mapping[str, Any]) -> str:
    """Markdown of a part of a page.

    Parameters
    ----------
    kind : {"session", "notes", "timetable", "quiz"}
    number : int or None
        The session, for "session" and "quiz".
    named : mapping
        Numbers of the ledger, as ``book.numbers`` gives them.
    """
    makers = {"session": session_page, "quiz": quiz_page}
    if kind in makers:
        return fill(makers[kind](number or 0), named)
    return fill({"notes": notes_page, "timetable": timetable}[kind](), named)


def _list(items: Iterable[str], mark: str = "-") -> str:
    return "\n".join(f"{mark} {item}" for item in items)


def session_page(number: int) -> str:
    """The page of a session for students."""
    told = sessions()[number - 1]
    minutes = _list(f"{name}: {told['minutes'][key]} minutes" for key, name in PARTS.items())
    links = ", ".join(f"{{ref}}`{claim} <claim-{claim.lower()}>`" for claim in told["claims"])
    parts = [
        f"## The question\n\n**{told['question']}** Claims: {links}. "
        f'<a href="../../slides/session_{number}.html">Slides of this session</a>.',
        "## You will be able to\n\n" + _list(item["text"] for item in told["objectives"]),
        f"## Time plan\n\n{minutes}\n\nThe minutes are estimates; no class has tried them yet.",
        f"## Before the session\n\n{told['reading']}",
        f"## Warm-up\n\n{told['warmup']['question']}\n\n:::{{admonition}} What this is about\n"
        f":class: dropdown\n{told['warmup']['misconception']}\n:::",
        "## Walk-through\n\n" + _list(_steps(told), "1."),
        "## Pair task\n\n" + _list(told["pair"], "1."),
        f"## Exit question\n\n{told['exit']}",
        f"## Homework\n\n{told['homework']}",
        "## Key points\n\n" + _list(told["key_points"]),
        "## Check yourself\n\n" + quiz_page(number),
    ]
    return "\n\n".join(parts)


def _steps(told: Mapping[str, Any]) -> list[str]:
    """The steps of a walk-through, each with links to its figures."""
    steps = []
    for place, step in enumerate(told["walkthrough"], start=1):
        links = [
            f'<a href="../{figure_chapter(name)}.html#fig-{name}">{name.replace("-", " ")}</a>'
            for name, after in told["figures"].items()
            if after == place
        ]
        word = "Figure" if len(links) == 1 else "Figures"
        steps.append(f"{step} {word}: {', '.join(links)}." if links else step)
    return steps


@cache
def figure_chapter(name: str) -> str:
    """The chapter whose notebook draws a figure.

    Raises
    ------
    ValueError
        If none does.
    """
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        if json.dumps(f'name="{name}"')[1:-1] in path.read_text("utf-8"):
            return path.stem
    raise ValueError(f"no chapter draws the figure {name}")


def timetable() -> str:
    """The sessions with their questions as a table."""
    rows = [
        f"| {{doc}}`{one['number']}. {one['title']} </book/course/session_{one['number']}>` "
        f"| {one['question']} |"
        for one in sessions()
    ]
    return "\n".join(["| Session | Question |", "|---|---|", *rows])


def notes_page() -> str:
    """The notes of all sessions for the instructor."""
    parts = []
    for told in sessions():
        notes = told["notes"]
        aims = _list(
            f"{item['id']}: {item['text']} Assessed by: {', '.join(item['assessed'])}."
            for item in told["objectives"]
        )
        parts.append(
            f"### Session {told['number']}: {told['title']}\n\n{aims}\n\n"
            f"**Likely wrong answers.** {notes['watch']}\n\n"
            f"**A good exit answer.** {notes['good_exit']}\n\n"
            f"**Without computers.** {notes['paper']}\n\n**To discuss.** {notes['discuss']}"
        )
    return "\n\n".join(parts)


def quiz_page(number: int) -> str:
    """The questions of a session; an option unfolds to its feedback, without a script."""
    parts = []
    for place, item in enumerate((q for q in quiz() if q["session"] == number), start=1):
        parts.append(f"**{place}.** {item['text']}")
        for option in item["options"]:
            told = "Right." if "right" in option else "Not quite."
            words = html.escape(plain(option.get("right") or option["wrong"]))
            parts.append(
                f'<details class="quiz"><summary>{words}</summary>\n\n'
                f"{told} {option['why']}\n\n</details>"
            )
    return "\n\n".join(parts)


def gift(named: Mapping[str, Any]) -> str:
    """The quiz bank in GIFT, which course platforms import."""

    def safe(text: str) -> str:
        return re.sub(r"([~=#{}:\\])", r"\\\1", plain(fill(text, named)))

    blocks = []
    for item in quiz():
        lines = [f"::{item['id']}::{safe(item['text'])} {{"]
        for option in item["options"]:
            mark, text = ("=", option["right"]) if "right" in option else ("~", option["wrong"])
            lines.append(f"  {mark}{safe(text)} # {safe(option['why'])}")
        title = sessions()[item["session"] - 1]["title"]
        category = f"$CATEGORY: Taobao Villages/{item['session']} {title}"
        blocks.append("\n".join([category, "", *lines, "}"]))
    return "\n\n".join(blocks) + "\n"


# ---- slides ----------------------------------------------------------------------------------

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
        path.write_text(slides(told["number"], named, built), "utf-8")


# ---- labs ------------------------------------------------------------------------------------


@dataclass
class Item:
    """One graded item: its name, points, and the answers that students typically give wrong."""

    name: str
    points: int
    within: float = 0.002  # relative; absolute where a lab says so with "+"
    absolute: float = 1e-6
    wrong: list[tuple[str, str]] = field(default_factory=list)  # expression, hint


@dataclass
class Lab:
    """A lab as its source has it."""

    number: int
    cells: list[
        tuple[str, str, str]
    ]  # kind ("markdown", "code", "question", "written"), name, text
    draw: str
    items: dict[str, Item]

    @property
    def points(self) -> int:
        return sum(item.points for item in self.items.values())

    @property
    def written(self) -> list[str]:
        return [name for kind, name, _ in self.cells if kind == "written"]


def labs() -> list[Lab]:
    """All labs of ``course/labs``."""
    return [read_lab(path) for path in sorted((ROOT / "course/labs").glob("lab_*.py"))]


def read_lab(path: Path) -> Lab:
    """Read the source of a lab.

    It has cells that begin with ``# %%`` and a kind: ``[markdown]``; none, for given code;
    ``draw``, the function that draws the data (teachers only); ``question NAME POINTS``, a
    solution, with an absolute tolerance as fourth word if needed; ``wrong NAME``, one line for
    each typical wrong answer, ``expression  # hint``; ``written NAME``, a question for a text.
    """
    lab = Lab(int(path.stem.rsplit("_", 1)[1]), [], "", {})
    for block in re.split(r"^# %% ?", path.read_text("utf-8"), flags=re.M)[1:]:
        head, _, body = block.partition("\n")
        kind, *words = head.split() or ["code"]
        body = body.strip()
        if kind == "draw":
            lab.draw = body
        elif kind == "wrong":
            for line in body.splitlines():
                expression, comment, hint = line.partition("  # ")
                if not comment:
                    raise ValueError(
                        f"{path.name}, wrong {words[0]}: {line!r} has no hint. Write one line for "
                        "each wrong answer: the expression, two spaces, # and the hint"
                    )
                lab.items[words[0]].wrong.append((expression.strip(), hint.strip()))
        elif kind in ("[markdown]", "written"):
            text = re.sub(r"^# ?", "", body, flags=re.M)
            lab.cells.append((kind.strip("[]"), words[0] if words else "", text))
        elif kind == "question":
            item = lab.items[words[0]] = Item(words[0], int(words[1]))
            if len(words) > 2:
                item.absolute = float(words[2])
            lab.cells.append(("question", item.name, body))
        elif kind == "code":
            lab.cells.append(("code", "", body))
        else:
            raise ValueError(f"{path.name}: {kind!r} is no kind of cell")
    return lab


def answer_mark(name: str) -> str:
    """What a cell with a written answer begins with."""
    return f"**Answer {name}:**"


FORM = """\
# Checks the form of your answers, not whether they are right.
from numbers import Number

for name, kind in {kinds!r}.items():
    answer = globals().get(name, ...)
    fits = isinstance(answer, Number if kind == "a number" else str)
    print(name, "has the right form" if fits else "is not answered: " + kind + " is asked for")"""


def notebook(
    lab: Lab,
    version: str,
    replaced: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A lab as a notebook.

    Parameters
    ----------
    lab : Lab
    version : {"student", "solution"}
    replaced : mapping of str to str, optional
        Code of an item's cell in place of its solution.
    kinds : mapping of str to str, optional
        "a number" or "a text" for each item, for a last cell that checks the form.
    """
    import nbformat

    new, cells = nbformat.v4, []
    for kind, name, text in lab.cells:
        if kind == "code":
            cells.append(new.new_code_cell(text))
        elif kind == "question":
            code = (replaced or {}).get(name, text)
            cells.append(new.new_code_cell(code if version == "solution" else f"{name} = ..."))
        else:
            cells.append(new.new_markdown_cell(text))
            if kind == "written":
                cells.append(new.new_markdown_cell(f"{answer_mark(name)} write here."))
    if kinds:
        cells.append(new.new_code_cell(FORM.format(kinds=kinds)))
    for place, cell in enumerate(cells):
        cell["id"] = f"lab{lab.number}-{place:02d}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def draw(lab: Lab, seed: int, folder: Path) -> list[Path]:
    """Draw a lab's data: a folder for the class, and others for the further runs."""
    made = []
    for number in range(DRAWS):
        space: dict[str, Any] = {}
        exec(compile(lab.draw, f"lab {lab.number}, draw", "exec"), space)
        target = folder / f"draw_{number}"
        target.mkdir(parents=True)
        tables = space["draw"](np.random.default_rng([seed, lab.number, number]))
        for name, frame in tables.items():
            frame.to_csv(target / f"{name}.csv", index=False)
        made.append(target)
    return made


def key(lab: Lab, folder: Path, seed: int) -> dict[str, Any]:
    """Draw the data and write what the grading needs: answers, wrong answers, hints.

    Raises
    ------
    RuntimeError
        If the solution fails.
    """
    draws = draw(lab, seed, folder)
    code = [text for kind, _, text in lab.cells if kind in ("code", "question")]
    names = list(lab.items)
    for item in lab.items.values():
        for place, (expression, _) in enumerate(item.wrong):
            code.append(f"wrong_{item.name}_{place} = {expression}")
            names.append(f"wrong_{item.name}_{place}")
    done = run(code, names, draws, limit=120)
    if done["status"] != "graded" or any(one["faults"] for one in done["draws"]):
        raise RuntimeError(f"lab {lab.number}: the solution fails: {done}")
    values = [one["values"] for one in done["draws"]]
    told: dict[str, Any] = {"lab": lab.number, "seed": seed, "points": lab.points}
    told |= {"written": lab.written, "items": {}}
    for item in lab.items.values():
        wrong = [
            {
                "expression": expression,
                "hint": hint,
                "value": values[0][f"wrong_{item.name}_{place}"],
            }
            for place, (expression, hint) in enumerate(item.wrong)
        ]
        entry: dict[str, Any] = {
            "points": item.points,
            "within": item.within,
            "absolute": item.absolute,
            "right": [one[item.name] for one in values],
            "wrong": wrong,
        }
        # On some data a usual slip happens to give the right answer: then it is no slip there.
        entry["wrong"] = [one for one in wrong if not same(one["value"], entry["right"][0], entry)]
        told["items"][item.name] = entry
    (folder / "key.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), "utf-8")
    return told


# ---- running and grading submissions ---------------------------------------------------------

# What the given cells of the labs import.
IMPORTED = (
    "numpy",
    "pandas",
    "statsmodels.stats.inter_rater",
    "taobao_villages.blooming",
    "taobao_villages.statistics",
)


def run(
    code: Sequence[str], names: Sequence[str], draws: Sequence[Path], *, limit: float
) -> dict[str, Any]:
    """Run cells on each draw of the data in a process of their own.

    Parameters
    ----------
    code : sequence of str
        Cells; one that raises, or takes more than a third of `limit`, is left. A cell that took
        too long on one draw is not run on the next ones.
    names : sequence of str
        Variables whose values are wanted.
    draws : sequence of Path
        Folders; the cells run in a copy of each.
    limit : float
        Seconds of the processor until the process is ended; imports that the labs make do not
        count. So a busy machine takes nobody's points. A submission that waits and computes
        nothing has ten times as long by the clock.

    Returns
    -------
    dict
        ``status`` ("graded", "time limit", "crashed") and for each draw ``values`` and ``faults``.
    """
    with tempfile.TemporaryDirectory() as work:
        folders = []
        for path in draws:
            folders.append(shutil.copytree(path, Path(work) / path.name).as_posix())
        job = {
            "code": code,
            "names": names,
            "folders": folders,
            "limit": limit,
        }
        (Path(work) / "job.json").write_text(json.dumps(job), "utf-8")
        command = "from taobao_villages import course; course.run_job()"
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", command],
            cwd=work,
            env=os.environ | {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            ended = process.wait(START + BUSY * limit)
            status = "time limit" if ended == OUT_OF_TIME else "crashed" if ended else "graded"
        except subprocess.TimeoutExpired:
            status = "time limit"
        _end(process)
        result = Path(work) / "result.json"
        told = json.loads(result.read_text("utf-8")) if result.exists() else []
    told += [{"values": {}, "faults": []} for _ in range(len(draws) - len(told))]
    return {"status": status, "draws": told}


OUT_OF_TIME = -getattr(signal, "SIGXCPU", 0) or None  # how a process ends at its limit


def _end(process: subprocess.Popen) -> None:
    """End a submission's process with all that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def run_job() -> None:
    """In the process of a submission: run the cells of ``job.json``, keep what they answer."""
    result, part = Path("result.json").absolute(), Path("part.json").absolute()
    job = json.loads(Path("job.json").read_text("utf-8"))
    told: list[dict[str, Any]] = []
    endless: set[int] = set()
    for module in IMPORTED:  # before the time counts
        import_module(module)
    _limit_process(job["limit"])
    seconds = job["limit"] / 3
    for folder in job["folders"]:
        os.chdir(folder)
        space: dict[str, Any] = {"__name__": "__main__"}
        entry: dict[str, Any] = {"values": {}, "faults": []}
        told.append(entry)
        for number, text in enumerate(job["code"], start=1):
            if number in endless:
                continue
            try:
                _limit_cell(seconds)
                exec(compile(text, f"cell {number}", "exec"), space)
            except BaseException as error:  # also SystemExit: the next cells still count
                told_error = f"{type(error).__name__}: {error}"[:200]
                entry["faults"].append(f"code cell {number}: {told_error}")
                if isinstance(error, TimeoutError):
                    endless.add(number)
            finally:
                _limit_cell(0)
            entry["values"] = {name: _simple(space.get(name)) for name in job["names"]}
            part.write_text(json.dumps(told), "utf-8")
            part.replace(result)  # whole, whenever the process is ended


def _limit_process(seconds: float) -> None:
    """Limit what is left to do in this process: seconds of the processor, memory, files."""
    try:
        import resource
    except ImportError:  # outside Unix the clock alone ends a submission
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    last = math.ceil(used.ru_utime + used.ru_stime + seconds)
    limits = {"CPU": (last, last + 2), "AS": (MEMORY, MEMORY), "FSIZE": (FILE, FILE)}
    for name, values in limits.items():
        with suppress(ValueError, OSError):  # not every system has each limit
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), values)


def _limit_cell(seconds: float) -> None:
    """Raise TimeoutError in a cell after so much processor time, or ten times by the clock.

    Zero takes the limits away.
    """

    def too_long(number: int, _: Any) -> None:
        kind = "of the processor" if number == signal.SIGPROF else "by the clock"
        shown = seconds if number == signal.SIGPROF else BUSY * seconds
        raise TimeoutError(f"a cell ran longer than {shown:g} s {kind}")

    if hasattr(signal, "setitimer"):
        for name, number, after in (
            (signal.ITIMER_PROF, signal.SIGPROF, seconds),
            (signal.ITIMER_REAL, signal.SIGALRM, BUSY * seconds),
        ):
            signal.signal(number, too_long)
            signal.setitimer(name, after)


def _simple(value: Any) -> Any:
    """A student's answer as JSON: a number, a text, true or false, else nothing."""
    with suppress(Exception):  # an object of the student's own may raise anything
        if hasattr(value, "item") and getattr(value, "size", 1) == 1:
            value = value.item()
    if isinstance(value, str):
        return str(value)[:LONGEST]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value if isinstance(value, bool) else None
    return value if -1e300 < value < 1e300 else None  # neither infinite nor not a number


def same(answer: Any, right: Any, entry: Mapping[str, Any]) -> bool:
    """Whether an answer is right: texts without case and spaces, numbers within a tolerance."""
    if isinstance(right, bool) or isinstance(answer, bool):
        return answer is right
    if isinstance(right, str) and isinstance(answer, str):
        return answer.strip().lower() == right.strip().lower()
    if isinstance(right, str) or isinstance(answer, str) or answer is None or right is None:
        return False
    return abs(answer - right) <= max(entry["within"] * abs(right), entry["absolute"])


def judge(answers: Sequence[Any], entry: Mapping[str, Any]) -> tuple[int, str]:
    """Points and hint for the answers of one item, one answer a draw."""
    if all(same(a, r, entry) for a, r in zip(answers, entry["right"], strict=True)):
        return entry["points"], ""
    if answers[0] is None:
        return 0, "Not answered, or not a number or text."
    for wrong in entry["wrong"]:
        if same(answers[0], wrong["value"], entry):
            return 0, wrong["hint"]
    if same(answers[0], entry["right"][0], entry):
        if None in answers[1:]:
            return (
                0,
                "Right on your data; the runs on other data did not get so far: see the fault.",
            )
        return 0, "Right on your data only: compute it from the table, so that it follows the data."
    return 0, "Not right, and none of the usual slips. Check unit, rows and order of steps."


def read_submission(path: Path) -> tuple[list[str], list[str]]:
    """Code cells (without the notebook's own commands) and Markdown cells of a submission.

    Raises
    ------
    ValueError
        If the file is no notebook.
    """
    if path.stat().st_size > FILE:
        raise ValueError(
            f"the file has {path.stat().st_size / 2**20:.0f} MB, and {FILE / 2**20:.0f} are the "
            "most: clear its outputs and hand it in again"
        )
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        texts = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("the file cannot be read as a notebook") from error
    code = [re.sub(r"^[ \t]*[%!].*$", "pass", t, flags=re.M) for kind, t in texts if kind == "code"]
    return code, [text for kind, text in texts if kind == "markdown"]


def submitted(folder: Path) -> dict[str, list[Path]]:
    """The files of each student: one named after the student, or those of a folder so named.

    Course platforms export a folder for each student. Hidden files are no submissions.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            inside = [p for p in sorted(path.rglob("*")) if p.is_file()]
            seen = [p for p in inside if "/." not in p.relative_to(folder).as_posix()]
            found.setdefault(path.name, []).extend(seen)
        else:
            found.setdefault(path.stem, []).append(path)
    return found


def grade_one(
    student: str, files: Sequence[Path], told: Mapping[str, Any], folder: Path, limit: float
) -> dict[str, Any]:
    """Grade one student: a row of ``grades.csv``, with ``hints`` and ``written`` as mappings."""
    row = _row(student, told)
    notebooks = [path for path in files if path.suffix == ".ipynb"]
    if not files:
        return row | {"status": "no file", "faults": "the student's folder is empty"}
    if len(notebooks) > 1:
        names = ", ".join(path.name for path in notebooks)
        return row | {"status": "not graded", "faults": f"{names}: keep the one that counts"}
    try:
        if not notebooks:
            raise ValueError(f"a file of type {files[0].suffix or 'none'}, not a notebook")
        code, texts = read_submission(notebooks[0])
    except (ValueError, OSError) as error:
        return row | {"status": "not a notebook", "faults": str(error)}
    draws = [folder / f"draw_{number}" for number in range(len(_first(told)["right"]))]
    done = run(code, list(told["items"]), draws, limit=limit)
    row["status"] = done["status"]
    row["faults"] = "; ".join(done["draws"][0]["faults"])
    ends = {
        "time limit": f"ended after {limit:g} s of the processor, or ten times that by the clock",
        "crashed": "the process ended by itself",
    }
    if done["status"] in ends:
        row["faults"] = "; ".join(filter(None, [ends[done["status"]], row["faults"]]))
    for name, entry in told["items"].items():
        answers = [one["values"].get(name) for one in done["draws"]]
        row[name], hint = judge(answers, entry)
        row["points"] += row[name]
        if hint:
            row["hints"][name] = hint
    for name in told["written"]:
        found = [t for t in texts if t.strip().startswith(answer_mark(name))]
        text = found[-1].strip().removeprefix(answer_mark(name)).strip() if found else ""
        row["written"][name] = "" if text == "write here." else text
    return row


def _surely(
    student: str, files: Sequence[Path], told: Mapping[str, Any], folder: Path, limit: float
) -> dict[str, Any]:
    """`grade_one`; whatever a submission breaks, the others are graded and it is named."""
    try:
        return grade_one(student, files, told, folder, limit)
    except Exception as error:
        fault = f"{type(error).__name__}: {error}"[:200]
        return _row(student, told) | {"status": "not graded", "faults": fault}


def _row(student: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a student who has no points."""
    row: dict[str, Any] = {"student": student, "status": "", "points": 0, "of": told["points"]}
    return row | {"faults": "", "hints": {}, "written": {}} | dict.fromkeys(told["items"], 0)


def _first(told: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(told["items"].values()))


def grade(
    submissions: Path,
    folder: Path,
    *,
    roster: Sequence[str] | None = None,
    limit: float = 60,
    jobs: int | None = None,
) -> list[dict[str, Any]]:
    """Grade every file of a folder; nobody of the roster is left out.

    Parameters
    ----------
    submissions : Path
        One notebook a student, named after the student or in a folder that is.
    folder : Path
        A lab's folder in the instructor archive: ``key.json`` and the draws.
    roster : sequence of str, optional
        Students who should have handed in.
    limit : float
        Seconds of the processor for one submission.
    jobs : int, optional
        Submissions at a time; one a core if None.
    """
    told = json.loads((folder / "key.json").read_text("utf-8"))
    files = submitted(submissions)
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        rows = list(
            pool.map(lambda one: _surely(one[0], one[1], told, folder, limit), files.items())
        )
    if roster is not None:
        for row in rows:
            if row["student"] not in roster:
                row["faults"] = "; ".join(filter(None, ["not on the roster", row["faults"]]))
        for name in sorted(set(roster) - {row["student"] for row in rows}):
            rows.append(_row(name, told) | {"status": "no file", "faults": "no file found"})
    return rows


def earlier(
    out: Path, items: Iterable[str], written: Collection[str]
) -> tuple[list[list[str]], list[list[str]]]:
    """``grades.csv`` and ``written.csv`` of earlier runs in a folder, as `read_table` gives them.

    Raises
    ------
    DataError
        If one cannot be read, or is another lab's: ``items`` and ``written`` are those of this
        one.
    """
    refuse_closed(out)
    grades = read_table(out / "grades.csv", ["student"])
    answers = read_table(out / "written.csv", ["student", "item", "answer"])
    remedy = "name another folder with --out, or move the file away"
    if lacking := [name for name in items if grades and name not in grades[0]]:
        fault = f"no column {lacking[0]}: it is of another lab, or a column was taken out"
        raise data.DataError([f"{out / 'grades.csv'} has {fault}. Remedy: {remedy}"])
    place = answers[0].index("item") if answers else 0
    seen = {row[place] for row in answers[1:] if "".join(row[place : place + 1])}
    if written and seen and not seen & set(written):
        fault = f"the item {min(seen)}, of another lab"
        raise data.DataError([f"{out / 'written.csv'} has {fault}. Remedy: {remedy}"])
    return grades, answers


def refuse_closed(out: Path) -> None:
    """Raise DataError if a folder is a file, or neither it nor a new one in its place can be
    written: that is better known before minutes of work."""
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not there.is_dir():
        raise data.DataError([f"{there} is a file. Remedy: name a folder with --out"])
    if not os.access(there, os.W_OK):
        remedy = "see its rights, or name another folder with --out"
        raise data.DataError([f"{there} cannot be written. Remedy: {remedy}"])


def read_table(path: Path, needed: Sequence[str]) -> list[list[str]]:
    """A table in which a teacher may have worked: its rows, the header first; none if no file.

    What spreadsheets make of a file is read: a byte order mark, semicolons or tabs for commas,
    other ends of lines, another order of columns, cells without a head.

    Raises
    ------
    DataError
        If it cannot be read as such a table, lacks a column of `needed`, or is open.
    """
    lock = path.with_name(f".~lock.{path.name}#")
    if lock.exists():
        remedy = f"save and close it there (if it is closed, delete {lock})"
        raise data.DataError([f"{path} is open in a spreadsheet. Remedy: {remedy}"])
    if not path.exists():
        return []
    remedy = 'save it in the spreadsheet as "CSV UTF-8", with its first line as it was'
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise data.DataError([f"{path} is not in UTF-8. Remedy: {remedy}"]) from error
    if not text.strip():
        return []
    csv.field_size_limit(2 * FILE)  # an answer may be as long as a submission
    for separator in ",;\t":
        try:
            lines = io.StringIO(text, newline="")
            table = list(csv.reader(lines, delimiter=separator, strict=True))
        except csv.Error:
            continue
        table[0] = [name.strip() for name in table[0]]
        if set(needed) <= set(table[0]):
            if twice := sorted({n for n in table[0] if n and table[0].count(n) > 1}):
                fault = f"two columns {twice[0]}. Remedy: give one of them another name"
                raise data.DataError([f"{path} has {fault}"])
            return table
    fault = f"no table whose first line has {', '.join(needed)}"
    raise data.DataError([f"{path} is {fault}. Remedy: {remedy}"])


def merge(
    old: Sequence[Sequence[str]],
    columns: Sequence[str],
    fresh: Sequence[Mapping[str, str]],
    by: Sequence[str],
) -> tuple[list[list[str]], list[tuple[dict[str, str], Mapping[str, str]]]]:
    """Put the rows of a run into an earlier table; all else in it stays as and where it was.

    Parameters
    ----------
    old : sequence of rows
        As `read_table` gives them.
    columns : sequence of str
        What the table needs; one that it lacks is added behind the last.
    fresh : sequence of mapping
        Column to cell. It goes into every row with the same cells in the columns of `by`, or
        into a new one.

    Returns
    -------
    table : list of rows
    again : list of pairs
        Each row that was there before, as it was, and what went into it.
    """
    table = [list(row) for row in old] or [[]]
    head = table[0]
    if lacking := [name for name in columns if name not in head]:
        head += [""] * (max(map(len, table)) - len(head))  # beside cells without a head
        head += lacking
    places = {name: place for place, name in enumerate(head) if name}
    known: dict[tuple[str, ...], list[list[str]]] = {}
    for row in table[1:]:
        row += [""] * (len(head) - len(row))
        known.setdefault(tuple(row[places[name]] for name in by), []).append(row)
    again = []
    for cells in fresh:
        same_rows = known.get(tuple(cells[name] for name in by), [])
        again += [(dict(zip(head, row, strict=False)), cells) for row in same_rows]
        if not same_rows:
            same_rows = [[""] * len(head)]
            table += same_rows
        for row in same_rows:
            for name, cell in cells.items():
                row[places[name]] = cell
    return table, again


def _cell(value: Any) -> str:
    """A value as a cell that every reader of CSV reads back."""
    text = str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _csv(table: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([_cell(c) for c in row] for row in table)
    return file.getvalue()


def write_grades(rows: Sequence[Mapping[str, Any]], out: Path) -> list[str]:
    """Put grades into ``grades.csv``, ``written.csv`` and a feedback text for each student.

    What stands there from earlier runs stays: students who are not in this run, marks, comments,
    columns and rows of the teacher's own, their order. A student of an earlier run without a file
    in this one keeps the earlier row. All is written, or nothing.

    Returns
    -------
    list of str
        What the teacher should look at, a line each.

    Raises
    ------
    DataError
        As `earlier` does; nothing is written then.
    """
    if not rows:
        return []
    items = [key for key in rows[0] if key not in ROW]
    grades, answers = earlier(out, items, {name for row in rows for name in row["written"]})
    place = grades[0].index("student") if grades else 0
    before = {row[place] for row in grades[1:] if len(row) > place}
    new = [row for row in rows if row["status"] != "no file" or _cell(row["student"]) not in before]
    said = [
        f"{row['student']}: {row['status']}. {row['faults']}"
        for row in new
        if row["status"] != "graded" or row["faults"]
    ]
    columns = ["student", "status", "points", "of", *items, "faults", "hints"]
    fresh = []
    for row in new:
        hints = " | ".join(f"{name}: {hint}" for name, hint in row["hints"].items())
        fresh.append({name: _cell({**row, "hints": hints}[name]) for name in columns})
    grades, again = merge(grades, columns, fresh, ["student"])
    for was, cells in again:
        if was["status"] != "no file" and was["points"].strip() != cells["points"]:
            told = f"{cells['points']} points now, {was['points'] or 'no'} points before"
            said.append(f"{cells['student']}: {told}")

    fresh = [
        dict(zip(ANSWER, map(_cell, (row["student"], name, text or "(no answer)")), strict=True))
        for row in new
        for name, text in row["written"].items()
    ]
    answers, again = merge(answers, [*ANSWER, *RUBRIC], fresh, ANSWER[:2])
    for was, cells in again:
        marked = any(cell.strip() for name, cell in was.items() if name not in ANSWER)
        if marked and was["answer"].split() != cells["answer"].split():
            told = "has changed since it was marked; the marks are kept, look at it again"
            said.append(f"{cells['student']}: the written answer {cells['item']} {told}")

    files: dict[Path, str | bytes] = {}
    files[out / "grades.csv"], files[out / "written.csv"] = _csv(grades), _csv(answers)
    place = grades[0].index("student")
    names = _feedback_names(row[place] for row in grades[1:])
    for row in new:
        lines = [f"{row['student']}: {row['points']} of {row['of']} points ({row['status']})"]
        lines += [f"{name}: {row[name]}. {row['hints'].get(name, 'Right.')}" for name in items]
        lines += [f"Fault: {row['faults']}"] if row["faults"] else []
        name = names[_cell(row["student"])]
        files[out / "feedback" / name] = "\n".join(map(_cell, lines)) + "\n"
    aside, nobodys = _earlier_feedback(out / "feedback", files, set(names.values()))
    data.write_whole(files | aside)
    for path in nobodys:
        path.unlink()
    if aside:
        told = ", ".join(path.name for path in aside)
        said.append(f"earlier feedback lies in {out / 'feedback' / 'earlier'}: {told}")
    if len(new) < len(rows):
        said.append(f"without a file here, with what they had: {len(rows) - len(new)}")
    said.append(f"students in {out / 'grades.csv'}: {len(names)}, of this run {len(new)}")
    return said


def _feedback_names(students: Iterable[str]) -> dict[str, str]:
    """The file of each student's feedback; no two have the same, not on any system."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for student in dict.fromkeys(filter(None, students)):
        name = plain_name = re.sub(r"[^-\w.,@ ]+", "_", student)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain_name}_{number}"
        taken.add(name.casefold())
        names[student] = f"{name}.txt"
    return names


def _earlier_feedback(
    folder: Path, files: Mapping[Path, str | bytes], names: set[str]
) -> tuple[dict[Path, bytes], list[Path]]:
    """Feedback that would be replaced or is nobody's: where its text goes, and nobody's files.

    Texts that do not begin as feedback does are the teacher's own, and stay.
    """
    aside: dict[Path, bytes] = {}
    nobodys = []
    for path in sorted(folder.glob("*.txt")):
        text = path.read_bytes()
        if path in files:
            if text == str(files[path]).encode("utf-8"):
                continue
        elif path.name in names or not re.match(rb".+: \d+ of \d+ points \(", text):
            continue
        else:
            nobodys.append(path)
        place, number = folder / "earlier" / path.name, 1
        while place.exists() and place.read_bytes() != text:
            number += 1
            place = folder / "earlier" / f"{path.stem}_{number}.txt"
        aside[place] = text
    return aside, nobodys


ANSWER = ("student", "item", "answer")
ROW = ("student", "status", "points", "of", "faults", "hints", "written")


# ---- what `make course` writes ---------------------------------------------------------------

README = """Labs of the course "Taobao Villages: a reproducible reading"

1. Set up, once. You need Python 3.11 or later, and the network for this step only. Open a
   terminal in this folder and type two commands:

       python -m pip install jupyterlab {wheel}
       python -m jupyter lab

   Whoever has the book's folder may type "make lab" there in place of both.
2. Open check_setup.ipynb and run it. It says whether all works.
3. Each folder is one lab: a notebook and its tables. Keep them together. Write your answers
   into the variables that the cells name, run the notebook from top to bottom, and save it.
   The last cell says whether each answer has the right form. Written answers go into the
   cells that begin with "Answer".
4. Hand in the .ipynb file.
"""


def wheel(folder: Path) -> str:
    """Build the package into `folder`, so that students can install it; its file name.

    Raises
    ------
    RuntimeError
        If it cannot be built.
    """
    return launch.build_wheel(ROOT, folder).name


def check_setup() -> dict[str, Any]:
    """A notebook that tells a student whether the labs will run."""
    import nbformat

    new = nbformat.v4
    code = (
        "import sys\n\nfrom taobao_villages import data, provinces\n\n"
        'print("Python", sys.version.split()[0])\nprint("Data", data.version())\n'
        'print("Villages in the list of 2016:", provinces.villages(2016).sum())\n'
        'print("Your set-up works.")'
    )
    cells = [
        new.new_markdown_cell(
            "# Check my set-up\n\nRun the cell below. If it ends with a line that says so, your "
            "set-up works. If it says that there is no module `taobao_villages`, do step 1 of "
            "README.txt again in the same terminal from which you start Jupyter."
        ),
        new.new_code_cell(code),
    ]
    for place, cell in enumerate(cells):
        cell["id"] = f"setup-{place}"
    return new.new_notebook(cells=cells, metadata=notebook(labs()[0], "student")["metadata"])


def capstone_template() -> dict[str, Any]:
    """The capstone's notebook with its parts, to be filled in."""
    import nbformat

    new = nbformat.v4
    texts = [
        "# Capstone: one claim of another article\n\nNames, date, article (author, year, pages).",
        "## The claim\n\nIn your own words: what, where, when, by which measure.",
        "## The rule\n\nWritten before the result: which result bears the claim out, which "
        "contradicts it, which leaves it open?",
        "## The data\n\nTable, rows, source of each; what is missing.",
        "## The test\n\nReplace the value and the sources by what your data give.",
        "## The verdict\n\nVerdict, evidence with table and row, what it depends on.",
        "## Limits\n\nGaps, with the direction in which they could move the result.",
    ]
    code = (
        "from taobao_villages import data\n"
        "from taobao_villages.claims import Claim, Evidence, Rule\n\n\n"
        "def evidence(*, definition='as printed'):\n"
        "    return Evidence(None, '', [], limits='no data yet')\n\n\n"
        "def decide(found):\n"
        "    return 'not testable here', 'The rule is not written yet.'\n\n\n"
        "table = data.load('claims')\n"
        "table.loc[len(table)] = {\n"
        "    'claim_id': 'X01', 'section': 'blooming', 'argument': 'own', 'kind': 'comparison',\n"
        "    'paraphrase': 'The claim in my words.', 'source_id': 'li2017',\n}\n"
        "with data.replaced({'claims': table}):\n"
        "    claim = Claim('X01', evidence, Rule('The rule in words.', decide),\n"
        "        variants={'definition': ('as printed',)})\n"
        "    print(claim.judge().verdict)"
    )
    cells: list[Any] = [new.new_markdown_cell(text) for text in texts]
    cells.insert(5, new.new_code_cell(code))
    for place, cell in enumerate(cells):
        cell["id"] = f"capstone-{place}"
    return new.new_notebook(cells=cells, metadata=notebook(labs()[0], "student")["metadata"])


def otter(lab: Lab, told: Mapping[str, Any]) -> dict[str, Any]:
    """A lab as ``otter assign`` reads it, with hidden tests on the data of the class."""
    import nbformat

    new = nbformat.v4
    raw, code, words = new.new_raw_cell, new.new_code_cell, new.new_markdown_cell
    files = "".join(f"\n    - {name}" for name in told["files"])
    cells = [raw(f"# ASSIGNMENT CONFIG\nexport_cell: false\ncheck_all_cell: false\nfiles:{files}")]
    for kind, name, text in lab.cells:
        if kind == "question":
            entry = told["items"][name]
            right = entry["right"][0]
            test = (
                f"abs({name} - {right!r}) <= {entry['within']} * {abs(right)!r} + 1e-6"
                if (not isinstance(right, str))
                else f"str({name}).strip().lower() == {right.lower()!r}"
            )
            prompt = f'""" # BEGIN PROMPT\n{name} = ...\n"""; # END PROMPT'
            solution = f"{prompt}\n# BEGIN SOLUTION NO PROMPT\n{text}\n# END SOLUTION"
            cells += [
                raw(f'# BEGIN QUESTION\nname: "{name}"\npoints: {entry["points"]}'),
                cells.pop(),  # the question's text stands before its solution
                raw("# BEGIN SOLUTION"),
                code(solution),
                raw("# END SOLUTION"),
                raw("# BEGIN TESTS"),
                code(f"# HIDDEN\nassert {test}"),
                raw("# END TESTS"),
                raw("# END QUESTION"),
            ]
        elif kind == "written":
            cells += [
                raw(f'# BEGIN QUESTION\nname: "{name}"\nmanual: true\npoints: {3 * len(RUBRIC)}'),
                words(text),
                raw("# BEGIN SOLUTION"),
                words("Graded by the rubric."),
                raw("# END SOLUTION"),
                raw("# END QUESTION"),
            ]
        else:
            cells.append(code(text) if kind == "code" else words(text))
    for place, cell in enumerate(cells):
        cell["id"] = f"otter-{place:02d}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def make(out: Path, seed: int, named: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Write the archives of students and instructors, and check the labs.

    A folder that holds the same course already stays as it is, with what the teacher put beside
    the files; what is missing in it is written.

    Parameters
    ----------
    out : Path
        A new or empty folder, or one with this course.
    seed : int
        Draws the data of the class.
    named : mapping
        Numbers of the ledger, for the quiz.

    Returns
    -------
    list of dict
        What `check` found, one row a lab and version.

    Raises
    ------
    DataError
        If the folder holds anything else, or another course: nothing is written then.
    """
    refuse_other(out, seed)
    with tempfile.TemporaryDirectory() as work:
        rows = _lay_out(Path(work), seed, named)
        files: dict[Path, str | bytes] = {
            out / path.relative_to(work): path.read_bytes()
            for path in sorted(Path(work).rglob("*"))
            if path.is_file()
        }
    there = [path for path in files if os.path.lexists(path)]
    for path in there:
        if not path.is_file() or path.read_bytes() != files[path]:
            fault = f"a course with another {path.relative_to(out)}, and a class may work with it"
            raise data.DataError([f"{out} holds {fault}. Remedy: {ELSEWHERE}"])
    data.write_whole({path: files[path] for path in files if path not in there})
    return rows


COURSE = ("student", "instructor", "student.zip", "instructor.zip", "check.csv")
ELSEWHERE = "move it away first, or name another folder with --out"


def refuse_other(out: Path, seed: int) -> None:
    """Raise DataError if a folder holds anything but a course, or one of another seed."""
    refuse_closed(out)
    inside = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    if others := [n for n in inside if n not in COURSE and not n.startswith(".")]:
        fault = f"{others[0]}, which is no part of a course"
        raise data.DataError([f"{out} holds {fault}. Remedy: name a new folder with --out"])
    for path in sorted(out.glob("instructor/lab_*/key.json")):
        with suppress(ValueError, AttributeError):  # a broken key differs from the new one
            old = json.loads(path.read_bytes()).get("seed", seed)
            if old != seed:
                fault = f"the course of the seed {old}, and a class may work with it"
                raise data.DataError([f"{out} holds {fault}. Remedy: {ELSEWHERE}"])


def _lay_out(out: Path, seed: int, named: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`make` in an empty folder."""
    student, teacher = out / "student", out / "instructor"
    (student / "capstone").mkdir(parents=True)
    (student / "README.txt").write_text(README.format(wheel=wheel(student)), "utf-8")
    _write(student / "check_setup.ipynb", check_setup())
    _write(student / "capstone/capstone.ipynb", capstone_template())
    rows = []
    for lab in labs():
        name = f"lab_{lab.number}"
        told = key(lab, teacher / name, seed)
        shutil.copytree(teacher / name / "draw_0", student / name)
        told["files"] = sorted(path.name for path in (student / name).iterdir())
        rights = {item: entry["right"][0] for item, entry in told["items"].items()}
        kinds = {item: "a text" if isinstance(r, str) else "a number" for item, r in rights.items()}
        _write(student / name / f"{name}.ipynb", notebook(lab, "student", kinds=kinds))
        _write(teacher / name / f"{name}_solution.ipynb", notebook(lab, "solution"))
        shutil.copytree(teacher / name / "draw_0", teacher / "otter" / name)
        _write(teacher / "otter" / name / f"{name}.ipynb", otter(lab, told))
        rows += check(lab, teacher / name)
    (teacher / "quiz.gift").write_text(gift(named), "utf-8")
    with (out / "check.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    for folder in (student, teacher):
        _zip(folder)
    return rows


def check(lab: Lab, folder: Path) -> list[dict[str, Any]]:
    """Grade the solution, the untouched notebook and usual slips; one row each."""
    told = json.loads((folder / "key.json").read_text("utf-8"))
    versions: dict[str, Any] = {"solution": notebook(lab, "solution")}
    versions["untouched"] = notebook(lab, "student")
    hints: dict[str, dict[str, str]] = {}
    for place in range(max(len(entry["wrong"]) for entry in told["items"].values())):
        replaced, expected = {}, {}
        for name, entry in told["items"].items():
            if place < len(entry["wrong"]):
                solution = next(text for _, own, text in lab.cells if own == name)
                slip = entry["wrong"][place]
                replaced[name] = f"{solution}\nslip_{name} = {slip['expression']}"
                expected[name] = slip["hint"]
        # Later cells may need what a right answer computes: slips are set at the end.
        wrong = notebook(lab, "solution", replaced)
        last = "\n".join(f"{name} = slip_{name}" for name in replaced)
        wrong["cells"].append(dict(wrong["cells"][-1], cell_type="code", source=last, id="slips"))
        wrong["cells"][-1] |= {"outputs": [], "execution_count": None}
        versions[f"slip {place + 1}"], hints[f"slip {place + 1}"] = wrong, expected
    with tempfile.TemporaryDirectory() as work:
        for name, content in versions.items():
            _write(Path(work) / f"{name}.ipynb", content)
        graded = {row["student"]: row for row in grade(Path(work), folder, limit=240)}
    rows = []
    for name, row in graded.items():
        expected = hints.get(name, {})
        lost = {item for item in told["items"] if row[item] == 0}
        full = {"solution": set(), "untouched": set(told["items"])}.get(name, set(expected))
        fine = lost == full and all(row["hints"].get(i) == hint for i, hint in expected.items())
        row_out = {"lab": lab.number, "version": name, "points": row["points"], "of": row["of"]}
        rows.append(row_out | {"slips": len(expected), "as_expected": fine})
    return rows


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _zip(folder: Path) -> None:
    """A zip beside a folder, the same bytes for the same content."""
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix())
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())

"""Pages of the course: sessions, timetable, quiz, notes for the instructor."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import yaml

from taobao_villages import PACKAGE

ROOT = PACKAGE.parents[1]
PARTS = {
    "recall": "Recall and warm-up",
    "demonstration": "Walk-through",
    "pairs": "Pair task",
    "discussion": "Discussion",
    "exit": "Exit question",
}


@cache
def sessions() -> list[dict[str, Any]]:
    """The eight sessions as their file has them."""
    return yaml.safe_load((ROOT / "book/course/sessions.yml").read_text("utf-8"))


@cache
def quiz() -> list[dict[str, Any]]:
    """The quiz bank; each option has its text under ``right`` or ``wrong``, and ``why``."""
    return yaml.safe_load((ROOT / "book/course/quiz.yml").read_text("utf-8"))


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
        Numbers of the ledger, as ``build.numbers`` gives them.
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

"""The whole book as one PDF, set from the built pages.

    make pdf        writes _build/pdf/taobao-villages.pdf

The pages in ``_build/html`` are put together in the order of the contents and freed of what paper
cannot do (buttons, menus, scripts). WeasyPrint sets them with ``print.css``: title page, contents
with page numbers, running heads, links to the outside as notes, links within as page numbers.

Left out on purpose: the code of figures (folded on the page too), the table twins of figures and
the explorer's controls. Solutions and the feedback of quizzes stand at the end of their chapter.
"""

from __future__ import annotations

import argparse
import base64
import logging
import os
import posixpath
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
import ziamath
from bs4 import BeautifulSoup, Tag

from taobao_villages import __version__, data

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OUT = ROOT / "_build" / "pdf" / "taobao-villages.pdf"
# What a page has for the screen only.
SCREEN = (
    "script, style, form, button, .headerlink, details.cite, details.twin, .doubt, a.download, "
    ".toctree-wrapper, .slider-control, .slider output, .tag_hide-input > details"
)
LINE, LONG_WORD = 130, 24  # characters of a table on a line, and of a word that is kept whole
COMMON = 3  # headings of more chapters than these are left out of the contents
ENTRY = re.compile(r"(source|claim|term|table|panel)-|id\d+$")  # found by their names, not pages
NO_PANGO = (
    "make pdf needs the library Pango, which WeasyPrint sets text with, and did not find it. "
    "On Debian and Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; "
    "on macOS: brew install pango; on Windows: see WeasyPrint's first steps."
)
NO_CHINESE = (
    "make pdf needs a font with Chinese characters and did not find one: they would be boxes. "
    "On Debian and Ubuntu: apt-get install fonts-noto-cjk; on macOS and Windows one is there."
)


@dataclass(frozen=True)
class Part:
    """A part of the contents: its caption, empty for the first pages, and its pages in order."""

    caption: str
    pages: tuple[tuple[str, str, int], ...]  # name in the folder, title, depth below the part


def contents(html: Path, root: str) -> list[Part]:
    """The parts of the book, read from the menu of its root page.

    Parameters
    ----------
    html : Path
        Folder of the built pages.
    root : str
        The root page, such as ``book/index.html``.
    """
    page = BeautifulSoup((html / root).read_text("utf-8"), "html.parser")
    parts = [Part("", ((root, "What this book is", 0),))]
    for group in page.select("nav.bd-links ul.bd-sidenav"):
        caption = group.find_previous_sibling("p", class_="caption")
        pages = [
            (
                _within(root, str(link["href"]))[0],
                link.get_text(" ", strip=True),
                len(link.find_parents("ul")) - 1,
            )
            for link in group.select("li > a.reference.internal")
        ]
        parts.append(Part(caption.get_text(strip=True) if caption else "", tuple(pages)))
    return parts


def _within(page: str, address: str) -> tuple[str, str]:
    """The page and the anchor that an address on `page` leads to."""
    path, _, anchor = unquote(address).partition("#")
    folder = posixpath.dirname(page)
    return posixpath.normpath(posixpath.join(folder, path)) if path else page, anchor


def _anchor(page: str, anchor: str = "") -> str:
    """The anchor in the one document."""
    return re.sub(r"[^\w-]", "-", page.removesuffix(".html")) + (f"--{anchor}" if anchor else "")


def chapter(html: Path, page: str, known: Collection[str]) -> Tag:
    """The body of one page, ready for paper.

    Parameters
    ----------
    html : Path
        Folder of the built pages.
    page : str
        Name of the page in it.
    known : collection of str
        Names of all pages that are printed.

    Returns
    -------
    Tag
        A ``section`` whose anchors are unique in the book.
    """
    soup = BeautifulSoup((html / page).read_text("utf-8"), "html.parser")
    article = soup.select_one("article.bd-article")
    if article is None:
        raise SystemExit(f"{html / page} has no article: build the book anew with make book")
    for tag in article.select(SCREEN):
        tag.decompose()
    _unfold(soup, article)
    for tag in article.select("[style]"):
        if not tag.find_parent("svg") and tag.name != "svg":
            del tag["style"]
    for picture in article.select("img"):
        picture["src"] = (html / _within(page, str(picture["src"]))[0]).resolve().as_uri()
        if isinstance(picture.parent, Tag) and picture.parent.name == "a":
            picture.parent.unwrap()
    for drawing in article.select("svg"):
        shape = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', str(drawing), re.I)
        drawing.attrs |= {"width": shape[1], "height": shape[2]} if shape else {}
        drawing.attrs.setdefault("xmlns", "http://www.w3.org/2000/svg")
        alt = str(drawing.get("aria-label", ""))
        drawing.replace_with(_picture(soup, str(drawing), alt, "drawing"))
    for formula in article.select("math"):
        formula.replace_with(_drawn(soup, formula))
    for table in article.select("table"):
        _columns(soup, table)
    seen = set()
    for tag in article.select("[id]"):
        tag["id"] = _anchor(page, str(tag["id"]))
        if tag["id"] in seen:  # exercises share some; no link leads to these
            del tag["id"]
        else:
            seen.add(tag["id"])
    for link in article.select("a[href]"):
        _lead(soup, link, page, known)
    article.name = "section"
    article.attrs = {"class": "chapter", "id": _anchor(page)}
    return article


def _unfold(soup: BeautifulSoup, article: Tag) -> None:
    """Open folded parts, leave out twins of figures, put solutions at the end of the chapter."""
    end = soup.new_tag("section", attrs={"class": "answers"})
    heading = soup.new_tag("h2")
    heading.string = "Solutions and feedback"
    end.append(heading)
    for box in article.select("div.solution"):
        end.append(box.extract())
    for option in article.select("details.quiz"):
        _answer(soup, option, end)
    for fold in article.select("details"):
        summary = fold.find("summary")
        if isinstance(summary, Tag):
            if summary.select(".collapsed"):
                summary.decompose()
            else:
                summary.name, summary["class"] = "p", "folded"
            fold.unwrap()
    if len(end.contents) > 1:
        (article.section or article).append(end)


def _answer(soup: BeautifulSoup, option: Tag, end: Tag) -> None:
    """An option of a quiz stays in its place, what is said of it goes to the end."""
    summary = option.summary
    assert summary is not None
    told = soup.new_tag("p", attrs={"class": "answer"})
    words = soup.new_tag("em")
    words.string = summary.get_text(" ", strip=True)
    told.append(words)
    told.append(" " + " ".join(p.get_text(" ", strip=True) for p in option.select("p")))
    end.append(told)
    option.name, option["class"] = "p", "option"
    option.string = summary.get_text(" ", strip=True)


def _columns(soup: BeautifulSoup, table: Tag) -> None:
    """Share a wide table's width: a column gets its longest word, then what its texts need."""
    for old in table.select("colgroup"):
        old.decompose()
    rows = [row.find_all(["th", "td"], recursive=False) for row in table.select("tr")]
    if table.select("[colspan], [rowspan]") or len({len(row) for row in rows}) != 1:
        return
    columns = zip(*rows, strict=True)
    texts = [[cell.get_text(" ", strip=True) for cell in column] for column in columns]
    whole = [max(map(len, column)) for column in texts]
    if sum(whole) + 3 * len(whole) < LINE and len(rows) < 100:
        return  # it fits as it is
    words = [max(len(word) for text in column for word in f"{text} -".split()) for column in texts]
    least = [min(word, LONG_WORD) + 3 for word in words]
    means = [sum(map(len, column)) / len(column) for column in texts]
    more = [max(0, mean - word) for mean, word in zip(means, least, strict=True)]
    left = max(0, LINE - sum(least)) / (sum(more) or 1)
    widths = [word + left * part for word, part in zip(least, more, strict=True)]
    group = soup.new_tag("colgroup")
    for width in widths:
        share = f"width:{100 * width / sum(widths):.1f}%"
        group.append(soup.new_tag("col", attrs={"style": share}))
    heading = table.find("caption", recursive=False)
    if isinstance(heading, Tag):
        heading.insert_after(group)
    else:
        table.insert(0, group)
    table["class"] = [*(table.get("class") or []), "wide"]


def _picture(soup: BeautifulSoup, svg: str, alt: str, kind: str) -> Tag:
    """A drawing that stands in the page, as a picture of its own."""
    packed = base64.b64encode(svg.encode()).decode()
    about = {"class": kind, "alt": alt, "src": f"data:image/svg+xml;base64,{packed}"}
    return soup.new_tag("img", attrs=about)


def _drawn(soup: BeautifulSoup, formula: Tag) -> Tag:
    """A formula in MathML as a picture, set on the line of its text."""
    drawn = ziamath.Math(str(formula), size=14)
    picture = _picture(soup, drawn.svg(), formula.get_text(" ", strip=True), "formula")
    picture["style"] = f"vertical-align:{drawn.getyofst():.2f}px"
    return picture


def _lead(soup: BeautifulSoup, link: Tag, page: str, known: Collection[str]) -> None:
    """A link within the book gets its page number, a link to the outside its address as a note."""
    address = str(link["href"])
    link.attrs = {"href": address}
    if urlsplit(address).scheme:
        words = link.get_text(strip=True)
        if address.rstrip("/") not in words and not words.startswith("doi:"):
            listed = link.find_parent("table")
            note = soup.new_tag("span", attrs={"class": "address" if listed else "note"})
            note.string = re.sub(r"^https?://(www\.)?", "", address).rstrip("/")
            link.insert_after(note)
        return
    target, anchor = _within(page, address)
    if target not in known:
        link.unwrap()  # a download: it stands beside the pages
        return
    link["href"] = f"#{_anchor(target, anchor)}"
    numbered = not ENTRY.match(anchor) and (target != page or anchor.startswith("fig-"))
    if numbered and not link.find_parent("table"):
        link["class"] = "to"


def _heads(chapters: Mapping[str, Tag]) -> dict[str, list[tuple[str, str]]]:
    """Anchor and words of the sections that the contents list, by chapter.

    Not of the reference and the course, nor those that every chapter has, such as exercises.
    """
    found = {
        name: [
            (str(head.parent["id"]), head.get_text(" ", strip=True))
            for head in made.select("section[id] > h2")
            if name.count("/") < 2 and head.parent
        ]
        for name, made in chapters.items()
    }
    often = Counter(words for heads in found.values() for _, words in heads)
    return {
        name: [head for head in heads if often[head[1]] <= COMMON] for name, heads in found.items()
    }


def assemble(html: Path, parts: Sequence[Part], *, title: str, author: str) -> str:
    """The book as one HTML document.

    Parameters
    ----------
    html : Path
        Folder of the built pages.
    parts : sequence of Part
        What is printed, from `contents`.
    title, author : str
        For the title page; what follows a colon in `title` is the subtitle.

    Raises
    ------
    SystemExit
        If a page has no article.
    """
    name, _, subtitle = title.partition(":")
    state = f"Data: version {data.state()}, checksum {data.checksum()[:16]}."
    told = {
        "title": name,
        "subtitle": subtitle.strip(),
        "author": author,
        "version": f"Version {__version__}. {state}",
    }
    soup = BeautifulSoup((HERE / "book.html").read_text("utf-8"), "html.parser")
    for place in soup.select("[data-fill]"):
        place.string = told[str(place["data-fill"])]
        del place["data-fill"]
    listed, body = soup.select_one("#contents"), soup.body
    assert listed is not None
    assert body is not None
    known = {page for part in parts for page, _, _ in part.pages}
    chapters = {page: chapter(html, page, known) for page in known}
    heads = _heads(chapters)
    for number, part in enumerate(parts):
        if part.caption:
            opening = soup.new_tag("section", attrs={"class": "part", "id": f"part-{number}"})
            opening.append(soup.new_tag("h1", string=part.caption))
            body.append(opening)
            _list(soup, listed, f"part-{number}", part.caption, "part")
        for page, words, depth in part.pages:
            body.append(chapters[page])
            _list(soup, listed, _anchor(page), words, "sub" if depth else "top")
            for anchor, inner in heads[page]:
                _list(soup, listed, anchor, inner, "inner")
    return str(soup)


def _list(soup: BeautifulSoup, listed: Tag, anchor: str, words: str, kind: str) -> None:
    line = soup.new_tag("p", attrs={"class": kind})
    link = soup.new_tag("a", attrs={"href": f"#{anchor}"})
    link.string = words
    line.append(link)
    listed.append(line)


class Faults(logging.Handler):
    """Keeps what WeasyPrint warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())


def set_pages(text: str, out: Path) -> int:
    """Set the document and write the PDF; gives the number of pages.

    Raises
    ------
    SystemExit
        If Pango or a Chinese font is missing, or for anything that WeasyPrint warns of: a link
        without its target, a picture that cannot be read.
    """
    try:
        import weasyprint
    except OSError as error:
        raise SystemExit(f"{NO_PANGO}\n({str(error).splitlines()[0]})") from None
    if not chinese_font():
        raise SystemExit(NO_CHINESE)
    faults = Faults()
    logger = logging.getLogger("weasyprint")
    logger.addHandler(faults)
    logger.propagate = False
    try:
        made = weasyprint.HTML(string=text, base_url=f"{HERE}/").render()
    finally:
        logger.removeHandler(faults)
    if faults.found:
        raise SystemExit("the PDF has faults:\n" + "\n".join(sorted(set(faults.found))))
    data.write_whole({out: made.write_pdf(pdf_tags=True)})  # tags for those who listen to it
    return len(made.pages)


def chinese_font() -> bool:
    """Whether this machine has a font for Chinese; where nobody can tell, assume so."""
    ask = shutil.which("fc-list")
    if ask is None:
        return True
    return bool(subprocess.run([ask, ":lang=zh-cn"], capture_output=True, text=True).stdout)


def main() -> None:
    """Set the book of this repository."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--html", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--out", type=Path, default=OUT, help="a new file")
    chosen = parser.parse_args()
    if chosen.out != OUT and os.path.lexists(chosen.out):
        raise SystemExit(f"{chosen.out} is there already. Remedy: name a new file")
    root = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))["root"] + ".html"
    about = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    if not (chosen.html / root).exists():
        raise SystemExit(f"{chosen.html / root} is not there: make book first")
    began = time.perf_counter()
    parts = contents(chosen.html, root)
    text = assemble(chosen.html, parts, title=about["title"], author=about["author"])
    pages = set_pages(text, chosen.out)
    size = chosen.out.stat().st_size / 1e6
    sys.stdout.write(
        f"{chosen.out}: {pages} pages, {size:.1f} MB, {time.perf_counter() - began:.0f} s\n"
    )


if __name__ == "__main__":
    main()

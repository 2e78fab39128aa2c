"""The book as a PDF: a small book, and some of the real pages, through the code of `make pdf`."""

from __future__ import annotations

import io
import os
import re
import runpy
import shutil
import subprocess
import sys
from typing import Any

import pytest
from pypdf import PdfReader

MARGIN = 25 / 25.4 * 72  # points
MENU = """<nav class="bd-links"><p class="caption">The parts</p><ul class="bd-sidenav">
<li><a class="reference internal" href="first.html">First chapter</a></li>
<li><a class="reference internal" href="second.html">Second chapter</a></li></ul></nav>"""
FIRST = """<h1>First chapter<a class="headerlink" href="#x">#</a></h1>
<p>A village in 浙江, see <a class="reference internal" href="second.html#fig-one">the figure</a>,
and <a class="reference external" href="https://example.org/a/page">a page</a>.</p>
<button>Copy this</button><form>Choose</form><details class="cite"><p>Cite this</p></details>
<div class="tag_hide-input"><details><summary>Show</summary><pre>plot()</pre></details></div>
<pre>count(1)</pre>
<details class="twin"><summary>Read as a table</summary><p>A twin</p></details>
<details><summary>Its sources</summary><p>One, two</p></details>
<section id="check"><h2>Check</h2>
<details class="quiz"><summary>By two.</summary><p>Not quite.</p></details>
<div class="solution" id="s"><p>It is three.</p></div></section>
<p>And <math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi><mo>=</mo><mn>2</mn></math>.</p>"""
SECOND = """<h1>Second chapter</h1>
<figure id="fig-one"><a href="one.svg"><img alt="A bar" src="one.svg" style="width: 540px"/></a>
<figcaption><p>One bar</p></figcaption></figure>
<table><thead><tr><th>Id</th><th>Text</th></tr></thead><tbody>
<tr><td>an_identifier_that_is_far_too_long_for_any_column_of_a_page</td><td>{words}</td></tr>
</tbody></table>"""
DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 540 300"><rect width="90"
height="300"/><text x="100" y="100" style="font: 12px 'DejaVu Sans'">Bar in a figure</text></svg>"""


@pytest.fixture(scope="module")
def pdf(root) -> dict[str, Any]:
    return runpy.run_path(str(root / "deploy" / "pdf" / "build.py"))


@pytest.fixture
def pages(tmp_path):
    """A book of three pages, as the theme writes them."""
    (tmp_path / "one.svg").write_text(DRAWING)
    bodies = {
        "index": "<h1>Book</h1><p>Welcome.</p>",
        "first": FIRST,
        "second": SECOND.format(words="some words " * 60),
    }
    for name, body in bodies.items():
        text = f'<body>{MENU}<article class="bd-article"><section>{body}</section></article></body>'
        (tmp_path / f"{name}.html").write_text(text, "utf-8")
    return tmp_path


def set_book(pdf, folder, out) -> list[str]:
    """The texts of the pages of the PDF."""
    parts = pdf["contents"](folder, "index.html")
    text = pdf["assemble"](folder, parts, title="Book: a test", author="Nobody")
    assert pdf["set_pages"](text, out) == len(PdfReader(out).pages)
    return [page.extract_text() for page in PdfReader(out).pages]


def fonts(out) -> set[str]:
    return {
        str(font.get_object()["/BaseFont"])
        for page in PdfReader(out).pages
        for font in page["/Resources"].get("/Font", {}).values()
    }


def beyond_the_margins(out) -> list[str]:
    """Words that stand outside the text's width."""
    if shutil.which("pdftotext") is None:
        assert os.environ.get("CI") != "true", "pdftotext is missing: apt-get install poppler-utils"
        pytest.skip("no pdftotext is installed (on Debian: apt-get install poppler-utils)")
    told = subprocess.run(["pdftotext", "-bbox", out, "-"], capture_output=True, check=True)
    words = re.findall(r'xMin="(\S+)" .*xMax="(\S+)" .*>(.*)</word>', told.stdout.decode())
    assert words
    right = 210 / 25.4 * 72 - MARGIN + 1
    return [word for low, high, word in words if float(low) < MARGIN - 1 or float(high) > right]


def test_a_small_book_is_set_whole(pdf, pages, tmp_path):
    out = tmp_path / "out" / "book.pdf"
    sheets = set_book(pdf, pages, out)
    text = "\n".join(sheets)
    assert "浙江" in text
    assert re.search("CJK|Song|SimSun|PingFang|Hei|Ming|YaHei", str(fonts(out)))
    for gone in ("Copy this", "Choose", "Cite this", "plot()", "A twin", "#"):
        assert gone not in text
    for there in ("count(1)", "Its sources", "One, two", "Bar in a figure", "One bar"):
        assert there in text
    first, second = (
        next(number for number, sheet in enumerate(sheets, 1) if words in sheet)
        for words in ("A village in", "One bar")
    )
    listed = next(sheet for sheet in sheets if "Contents" in sheet)
    assert re.search(rf"First chapter[ .]+{first}\b", listed)
    assert re.search(rf"Second chapter[ .]+{second}\b", listed)
    assert f"the figure (p. {second})" in sheets[first - 1]
    assert "example.org/a/page" in sheets[first - 1]
    answers = text.index("Solutions and feedback")
    assert text.index("By two.") < answers < text.index("Not quite.")
    assert answers < text.index("It is three.")
    assert beyond_the_margins(out) == []


def test_a_link_without_its_target_is_a_fault(pdf, pages, tmp_path):
    path = pages / "first.html"
    path.write_text(path.read_text("utf-8").replace("#fig-one", "#fig-two"), "utf-8")
    with pytest.raises(SystemExit, match="fig-two"):
        set_book(pdf, pages, tmp_path / "book.pdf")


def test_without_a_chinese_font_one_is_asked_for(pdf, pages, tmp_path, monkeypatch):
    asked = pdf["set_pages"].__globals__
    monkeypatch.setitem(asked, "chinese_font", lambda: False)
    with pytest.raises(SystemExit, match="fonts-noto-cjk"):
        set_book(pdf, pages, tmp_path / "book.pdf")


def test_without_pango_it_is_asked_for(pdf, pages, tmp_path, monkeypatch):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(SystemExit, match="needs the library Pango"):
        set_book(pdf, pages, tmp_path / "book.pdf")


def test_every_page_of_the_book_is_in_its_contents(pdf, html):
    parts = pdf["contents"](html, "book/index.html")
    listed = [page for part in parts for page, _, _ in part.pages]
    built = {path.relative_to(html).as_posix() for path in (html / "book").rglob("*.html")}
    assert sorted(listed) == sorted(built)


def test_real_pages_stay_within_the_margins(pdf, html, tmp_path):
    names = [("book/market.html", "Market", 0), ("book/reference/glossary.html", "Glossary", 0)]
    parts = [pdf["Part"]("", tuple(names))]
    text = pdf["assemble"](html, parts, title="Some pages", author="Nobody")
    out = tmp_path / "book.pdf"
    pdf["set_pages"](re.sub(r'href="#book-(?!market|reference-glossary)[^"]*"', "", text), out)
    assert beyond_the_margins(out) == []
    assert "淘宝" in "".join(page.extract_text() for page in PdfReader(out).pages)
    pictures = re.findall(r"<figure", text)
    assert len(pictures) > 3


# ---- printed from the browser ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "title", "there"),
    [
        ("blooming", "The blooming of Taobao Villages", "Claim C15"),
        ("reference/claims", "Claims", "Claim C01: reproduced"),
        ("explorer", "Explorer", "Villages, the list of 2015"),
    ],
)
def test_a_page_prints_without_what_paper_cannot_do(site, browser, name, title, there):
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page.goto(f"{site}book/{name}.html", wait_until="networkidle")
    sheets = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf())).pages]
    page.emulate_media(media="print")
    seen = page.evaluate(
        """() => ({
          controls: [...document.querySelectorAll("button, select, input, nav, .twin")]
            .filter((e) => e.checkVisibility() && e.offsetHeight && !e.closest("th")).length,
          cut: [...document.querySelectorAll("pre, .long-table, .table-scroll")]
            .filter((e) => e.checkVisibility() && e.scrollHeight > e.clientHeight + 2).length,
          paper: getComputedStyle(document.body).backgroundColor,
        })"""
    )
    page.close()
    assert title in " ".join(sheets[0].split())
    assert there in " ".join(" ".join(sheets).split())
    assert not re.search("Search this book|Play the years|Copy this|Read as a table", sheets[0])
    assert seen == {"controls": 0, "cut": 0, "paper": "rgb(255, 255, 255)"}
    assert len(sheets[0].split()) > 60  # a table or figure does not leave the first page empty

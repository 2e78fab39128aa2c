"""The book as one PDF: what is put together from the pages, and what stands on the paper."""

import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import browsing
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

PAGE = """<html><body>
<nav class="bd-links"><p class="caption">A part</p><ul class="bd-sidenav">
<li><a class="reference internal" href="{up}book/one.html">One</a></li>
<li><a class="reference internal" href="{up}book/two.html">Two</a></li></ul></nav>
<article class="bd-article"><section id="{name}">
<h1>{title}<a class="headerlink" href="#">#</a></h1>
{text}</section></article></body></html>"""
ONE = """<p>Villages in <span lang="zh">浙江</span> sell goods.
See <a href="two.html#there">there</a> and <a href="https://example.org/x">outside</a>,
and <a href="../data/file.csv">a file</a>.</p>
<p>The share is <math><mi>s</mi><mo>=</mo><mfrac><mn>1</mn><mn>2</mn></mfrac></math>.</p>
<details class="twin"><summary>Read as a table</summary><p>twin of a figure</p></details>
<details><summary>More of it</summary><p>folded words</p></details>
<details class="quiz"><summary>By two.</summary><p>Not quite.</p></details>
<div class="solution"><p>the solution</p></div><button>Press</button>"""
TWO = """<section id="there"><h2>There</h2><p>Words.</p><img alt="A dot" src="dot.svg">
<table><thead><tr><th>Name</th><th>Note</th></tr></thead><tbody><tr>
<td>LONG</td>
<td>some words that go on for more than one line of a table, again and again and again</td>
</tr></tbody></table></section>""".replace("LONG", "a_name_without_an_end_" * 8)
DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>'
MARGIN = 25 / 25.4 * 72  # points, at each side of the text


@pytest.fixture(scope="module")
def pdf(root):
    """The module that sets the book; it is no part of the package."""
    spec = importlib.util.spec_from_file_location("pdf_build", root / "deploy" / "pdf" / "build.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["pdf_build"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pango(pdf):
    """The library that sets text; without it the test is skipped, but not in CI."""
    try:
        import weasyprint  # noqa: F401
    except OSError:
        if os.environ.get("CI") != "true":
            pytest.skip(pdf.NO_PANGO)
        raise


@pytest.fixture
def built(tmp_path):
    """Built pages of a book of two chapters."""
    (tmp_path / "book").mkdir()
    told = {"index": ("A book", "<p>Hello.</p>"), "one": ("One", ONE), "two": ("Two", TWO)}
    for name, (title, text) in told.items():
        page = PAGE.format(up="../", name=name, title=title, text=text)
        (tmp_path / "book" / f"{name}.html").write_text(page, "utf-8")
    (tmp_path / "book" / "dot.svg").write_text(DOT)
    return tmp_path


def put_together(pdf, built) -> BeautifulSoup:
    parts = pdf.contents(built, "book/index.html")
    text = pdf.assemble(built, parts, title="Villages: a reading", author="The team")
    return BeautifulSoup(text, "html.parser")


def test_chapters_stand_in_the_order_of_the_contents(pdf, built):
    book = put_together(pdf, built)
    assert [section["id"] for section in book.select("section.chapter")] == [
        "book-index",
        "book-one",
        "book-two",
    ]
    listed = [link.get_text() for link in book.select("#contents a")]
    assert listed == ["What this book is", "A part", "One", "Two", "There"]
    ids = {tag["id"] for tag in book.select("[id]")}
    assert {link["href"][1:] for link in book.select('a[href^="#"]')} <= ids


def test_paper_has_no_buttons_and_no_twins_but_what_was_folded(pdf, built):
    one = put_together(pdf, built).select_one("#book-one")
    assert not one.select("button, details, summary, .headerlink")
    words = one.get_text(" ", strip=True)
    assert "folded words" in words
    assert "twin of a figure" not in words
    answers = words.index("Solutions and feedback")  # at the end of their chapter
    assert answers < words.index("the solution")
    assert words.index("By two.") < answers < words.index("Not quite.")


def test_links_become_page_numbers_notes_or_plain_words(pdf, built):
    one = put_together(pdf, built).select_one("#book-one")
    assert [link["href"] for link in one.select("a.to")] == ["#book-two--there"]
    assert one.select_one("span.note").get_text() == "example.org/x"
    assert "a file" in one.get_text()
    assert not any("file.csv" in link["href"] for link in one.select("a"))


def test_a_formula_is_drawn_and_can_be_read_aloud(pdf, built):
    formula = put_together(pdf, built).select_one("img.formula")
    assert formula["src"].startswith("data:image/svg+xml;base64,")
    assert formula["alt"].split() == ["s", "=", "1", "2"]


def test_the_paper(pango, pdf, built, tmp_path):
    out = tmp_path / "out" / "book.pdf"
    pages = pdf.set_pages(str(put_together(pdf, built)), out)
    made = PdfReader(out)
    assert len(made.pages) == pages >= 6
    text = "\n".join(page.extract_text() for page in made.pages)
    for words in ("浙江", "folded words", "the solution", "example.org/x", "Contents"):
        assert words in text
    contents = next(p.extract_text() for p in made.pages if "Contents" in p.extract_text())
    number = next(i for i, p in enumerate(made.pages, 1) if "Words." in p.extract_text())
    assert str(number) in contents.split("There")[1]
    fonts = [
        str(font.get_object()["/BaseFont"])
        for page in made.pages
        for font in page.get("/Resources", {}).get("/Font", {}).values()
    ]
    assert fonts
    chinese = subprocess.run(
        ["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True
    ).stdout
    families = {line.split(",")[0].replace(" ", "-") for line in chinese.splitlines()}
    assert any(family in font for font in fonts for family in families), "no Chinese font embedded"
    assert made.metadata.title == "Villages"
    assert beyond_the_margins(out) == []


def test_a_dead_link_or_a_missing_picture_is_a_fault(pango, pdf, built, tmp_path):
    (built / "book" / "dot.svg").unlink()
    with pytest.raises(SystemExit, match="the PDF has faults"):
        pdf.set_pages(str(put_together(pdf, built)), tmp_path / "book.pdf")
    assert not (tmp_path / "book.pdf").exists()


def test_without_a_chinese_font_the_remedy_is_told(pango, pdf, built, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "chinese_font", lambda: False)
    with pytest.raises(SystemExit, match="apt-get install fonts-noto-cjk"):
        pdf.set_pages("<p>村</p>", tmp_path / "book.pdf")


def test_a_page_without_text_is_named(pdf, built):
    Path(built / "book" / "two.html").write_text("<html><h1>Two</h1></html>")
    with pytest.raises(SystemExit, match=r"two\.html has no article"):
        put_together(pdf, built)


def test_every_page_of_the_book_can_be_put_on_paper(pdf, html):
    parts = pdf.contents(html, "book/index.html")
    listed = [page for part in parts for page, _, _ in part.pages]
    assert sorted(listed) == sorted(name for name in browsing.pages(html) if "book/" in name)
    text = pdf.assemble(html, parts, title="T: u", author="The team")
    book = BeautifulSoup(text, "html.parser")
    assert len(book.select("section.chapter")) == len(listed) > 30
    assert not book.select("script, button, form, details")
    ids = [tag["id"] for tag in book.select("[id]")]
    assert len(ids) == len(set(ids))
    dead = {link["href"] for link in book.select('a[href^="#"]') if link["href"][1:] not in ids}
    assert dead == set()
    assert [image for image in book.select("img") if not image.get("alt")] == []


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


def test_real_pages_stay_within_the_margins(pango, pdf, html, tmp_path):
    """A chapter with figures, tables and formulas, and the glossary with its characters."""
    names = [("book/market.html", "Market", 0), ("book/reference/glossary.html", "Glossary", 0)]
    text = pdf.assemble(html, [pdf.Part("", tuple(names))], title="Pages", author="The team")
    assert text.count("<figure") > 3
    out = tmp_path / "book.pdf"
    pdf.set_pages(text, out)
    assert beyond_the_margins(out) == []
    assert "淘宝" in "".join(page.extract_text() for page in PdfReader(out).pages)


def test_without_pango_the_remedy_is_told(pdf, tmp_path, monkeypatch):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(SystemExit, match="apt-get install libpango"):
        pdf.set_pages("<p>A village</p>", tmp_path / "book.pdf")


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
    printed = PdfReader(io.BytesIO(page.pdf(page_ranges="1-6")))
    sheets = [sheet.extract_text() for sheet in printed.pages]
    page.emulate_media(media="print")
    seen = page.evaluate(
        """() => ({
          controls: [...document.querySelectorAll("button, select, input, nav, .twin")]
            .filter((e) => e.checkVisibility() && e.offsetHeight && !e.closest("th")).length,
          cut: [...document.querySelectorAll("pre, .long-table, .table-scroll")]
            .filter((e) => e.checkVisibility() && e.scrollHeight > e.clientHeight + 2).length,
          folded: [...document.querySelectorAll(".solution p")]
            .filter((e) => !e.offsetHeight || getComputedStyle(e).visibility == "hidden").length,
          paper: getComputedStyle(document.body).backgroundColor,
        })"""
    )
    page.close()
    assert title in " ".join(sheets[0].split())
    assert there in " ".join(" ".join(sheets).split())
    assert not re.search("Search this book|Play the years|Copy this|Read as a table", sheets[0])
    assert seen == {"controls": 0, "cut": 0, "folded": 0, "paper": "rgb(255, 255, 255)"}
    assert len(sheets[0].split()) > 60  # a table or figure does not leave the first page empty


def test_a_file_that_somebody_names_is_not_replaced(pdf, tmp_path, monkeypatch):
    (tmp_path / "thesis.pdf").write_text("my only copy", "utf-8")
    monkeypatch.setattr(pdf, "set_pages", lambda *_: pytest.fail("it was set"))
    monkeypatch.setattr(sys, "argv", ["build.py", "--out", str(tmp_path / "thesis.pdf")])
    with pytest.raises(SystemExit, match=r"thesis.pdf is there already. Remedy: "):
        pdf.main()
    assert (tmp_path / "thesis.pdf").read_text("utf-8") == "my only copy"

"""The website: what is done to each page, and the pages as a reader meets them in a browser."""

import base64
import hashlib
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, quote, urlsplit

import browsing
import pytest
import yaml
from bs4 import BeautifulSoup
from sphinx.config import Config

from taobao_villages import data
from taobao_villages.book import citing, finish, styles

MOST = 400_000  # bytes of a page, compressed, with all its pictures
REPOSITORY = "https://github.com/Somebody/a-book"
BOOK = yaml.safe_load((Path(__file__).parents[1] / "_config.yml").read_text("utf-8"))["title"]


# ---- one page, by hand ----------------------------------------------------------------------


def finished(body: str, head: str = "", **about) -> BeautifulSoup:
    text = f'<html><head><meta charset="utf-8"/>{head}</head><body>{body}</body></html>'
    return BeautifulSoup(finish.finish(text, meanings={}, **about), "html.parser")


def test_the_address_of_the_site_follows_from_the_repository():
    assert citing.site_address(REPOSITORY) == "https://somebody.github.io/a-book/"
    assert citing.site_address("https://example.org/x") == "https://example.org/x/"
    assert citing.site_address("") == ""


def test_a_doubt_names_the_claim():
    query = parse_qs(urlsplit(citing.doubt_address(REPOSITORY, "claim C19 (reproduced)")).query)
    assert query["title"] == ["Doubt: claim C19 (reproduced)"]
    assert "C19" in query["body"][0]


def test_a_citation_names_page_book_year_and_address():
    config = Config({}, {"author": "The team"})
    config.add("html_title", "A book", "html", str)
    config.add("html_baseurl", "https://example.org/", "html", str)
    told = citing.citation(config, "book/market", "Market & more", 2026)
    for part in ("The team", "2026", "Market & more", "A book", "example.org/book/market.html"):
        assert part in told["words"]
        assert part in told["bibtex"]
        assert part in told["ris"]
    config.html_baseurl = ""
    assert "http" not in str(citing.citation(config, "book/market", "Market", 2026))
    assert told["bibtex"].startswith("@incollection{taobao_villages_market,")
    assert told["ris"].splitlines()[0] == "TY  - CHAP"
    assert told["ris"].splitlines()[-1] == "ER  - "


def test_what_no_page_uses_is_taken_out():
    head = '<script src="_static/fontawesome.js"></script><script src="searchtools.js"></script>'
    assert not finished("", head)("script")
    assert len(finished("", head, search=True)("script")) == 1


def test_the_styles_of_a_page_are_one_file_that_follows_its_parts(tmp_path):
    static, folder = tmp_path / "_static", tmp_path / "book"
    (static / "styles").mkdir(parents=True)
    (static / "basic.css").write_text("i { color: red }")
    (static / "styles" / "a.css").write_text('@charset "UTF-8";@import "../basic.css";')
    (static / "b.css").write_text("b { background: url(x.png) } u { mask: url('data:,') }")
    (static / "styles" / "c.css").write_text('s { background: url("../x/y.png") }')
    (static / styles.OPTIONS).write_text("const A = {};")
    names = ("styles/a.css", "b.css", "styles/c.css")
    head = "".join(f'<link rel="stylesheet" href="../_static/{name}?v=1"/>' for name in names)
    head += f'<script src="../_static/{styles.OPTIONS}?v=2"></script>'
    page = finished("", head, folders=(folder, static))
    (link,) = page("link")
    sheet = (folder / link["href"]).resolve()
    text = sheet.read_text()
    assert text.index("color: red") < text.index("url(x.png)") < text.index('url("x/y.png")')
    assert "@import" not in text
    assert "url('data:,')" in text
    assert page.script.get_text() == "const A = {};"
    told = base64.b64encode(hashlib.sha256(b"const A = {};").digest()).decode()
    assert told in page.find("meta", attrs={"http-equiv": finish.SIGN})["content"]

    (static / "b.css").write_text("b { color: blue }")
    (static / "sheet-0123456789.css").write_text("/* b.css */")
    styles.renew_sheets(static, {sheet.name})
    assert "blue" in sheet.read_text()
    assert [path.name for path in static.glob("sheet-*")] == [sheet.name]


def test_pages_with_a_policy_of_their_own_are_left_alone(tmp_path):
    text = "<html><head></head><body>村</body></html>"
    for name in ("book/page.html", "lite/lab/index.html", "_static/macros.html"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, "utf-8")
    app = SimpleNamespace(builder=SimpleNamespace(name="html"), outdir=str(tmp_path))
    finish.finish_pages(app, None)
    changed = {p.name for p in tmp_path.rglob("*.html") if p.read_text("utf-8") != text}
    assert changed == {"page.html"}


def test_heads_of_tables_have_their_scope_and_empty_ones_are_cells():
    page = finished(
        "<table><thead><tr><th></th><th>Year</th></tr></thead>"
        "<tbody><tr><th>East</th><td>1</td></tr></tbody></table>"
    )
    assert [head["scope"] for head in page("th")] == ["col", "row"]
    assert page.thead.td.get_text() == ""


def test_chinese_words_are_marked_once_and_only_there():
    page = finished('<p>A village (淘宝村, 村) <b lang="zh">县</b></p><script>"村"</script>')
    assert [span.get_text() for span in page.select("span[lang=zh]")] == ["淘宝村", "村"]
    assert page.p.get_text() == "A village (淘宝村, 村) 县"
    assert not page.script.find("span")


def test_the_policy_allows_the_scripts_of_the_page_and_no_other():
    page = finished("<script>let a = 1;</script>")
    policy = page.find("meta", attrs={"http-equiv": finish.SIGN})["content"]
    assert "'sha256-" in policy
    assert "unsafe-eval" not in policy
    script = policy.split("script-src")[1].split(";")[0]
    assert "unsafe-inline" not in script
    assert "http" not in policy


def test_handlers_in_attributes_are_taken_out():
    page = finished('<button onclick="window.print()">Print</button><a onclick="x()">y</a>')
    assert not page.select("[onclick]")
    assert page.button.has_attr("data-print")


def test_light_or_dark_is_settled_before_the_first_paint():
    page = finished("", f"<script>let theme = {finish.THEME_ASKED};</script>")
    text = page.script.get_text()
    assert "prefers-color-scheme: dark" in text
    told = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert told in page.find("meta", attrs={"http-equiv": finish.SIGN})["content"]


def test_a_finished_page_is_left_alone():
    once = finish.finish("<html><head></head><body>村</body></html>", meanings={})
    assert finish.finish(once, meanings={}) == once


def test_a_term_carries_its_meaning():
    glossary = BeautifulSoup(
        '<dl><dt id="term-hukou">hukou</dt><dd><p>户口. A register.</p></dd></dl>', "html.parser"
    )
    meanings = finish.glosses(glossary)
    assert meanings == {"term-hukou": "户口. A register."}
    text = '<article><a href="glossary.html#term-hukou"><span class="std std-term">h</span></a>'
    page = BeautifulSoup(
        finish.finish(
            f"<html><head></head><body>{text}</article></body></html>", meanings=meanings
        ),
        "html.parser",
    )
    assert page.find(id=page.a["aria-describedby"]).get_text() == "户口. A register."


# ---- what stands beside the pages -----------------------------------------------------------


def test_every_page_can_be_cited(html):
    for name in browsing.pages(html):
        page = BeautifulSoup((html / name).read_text("utf-8"), "html.parser")
        if not name.startswith("book/"):
            continue
        box = page.select_one("details.cite")
        for ending in ("bib", "ris"):
            link = box.select_one(f'a[href$=".{ending}"]')
            file = (html / name).parent.joinpath(link["href"]).resolve()
            assert BOOK in file.read_text("utf-8"), name


def test_every_page_has_a_picture_and_a_description_for_sharing(html):
    for name in browsing.pages(html):
        page = BeautifulSoup((html / name).read_text("utf-8"), "html.parser")
        if not name.startswith("book/"):
            continue
        told = {tag.get("property"): tag["content"] for tag in page.select("meta[property]")}
        assert "Taobao Villages" in told["og:site_name"], name
        assert len(told["og:description"]) > 40, name
        picture = html / "_images" / told["og:image"].split("_images/")[1]
        assert picture.is_file(), name


def test_with_an_address_pages_are_doubted_shared_and_listed(small):
    code, log, page = small(text="# A page\n", TAOBAO_REPOSITORY=REPOSITORY)
    assert code == 0, log
    site = "https://somebody.github.io/a-book/"
    made = BeautifulSoup(page, "html.parser")
    assert "Report an error" in made.select_one("details.cite").get_text()
    assert site in made.select_one("details.cite").get_text()
    told = {tag.get("property"): tag["content"] for tag in made.select("meta[property]")}
    assert told["og:url"] == f"{site}book/page.html"
    assert told["og:image"].startswith(site)
    out = small.folder / "_build" / "html"
    assert f"{site}book/page.html</loc>" in (out / "sitemap.xml").read_text("utf-8")
    claims = BeautifulSoup((out / "book/reference/claims.html").read_text("utf-8"), "html.parser")
    links = [link["href"] for link in claims.select("p.doubt a")]
    assert all(link.startswith(f"{REPOSITORY}/issues/new?") for link in links)
    titles = {parse_qs(urlsplit(link).query)["title"][0] for link in links}
    assert len(titles) == len(links) == len(data.load("claims"))


def test_without_an_address_no_page_invents_one(small):
    code, log, page = small(text="# A page\n", TAOBAO_REPOSITORY="")
    assert code == 0, log
    assert "Report an error" not in page
    assert (
        "https://" not in BeautifulSoup(page, "html.parser").select_one("details.cite").get_text()
    )
    assert not (small.folder / "_build" / "html" / "sitemap.xml").exists()


# ---- in a browser ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def visits(html, site):
    """Each page read in a browser, at both widths."""
    return browsing.visit_all(site, browsing.pages(html))


@pytest.fixture
def page(browser):
    """A window of the browser."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_no_page_asks_anything_of_another_host(visits, site):
    for name, seen in visits.items():
        assert seen.requests, name
        assert [url for url in seen.requests if not url.startswith(site)] == [], name


def test_no_page_has_an_error_or_breaks_its_own_policy(visits):
    assert {name: seen.errors for name, seen in visits.items() if seen.errors} == {}
    assert {name: seen.refused for name, seen in visits.items() if seen.refused} == {}


def test_no_page_weighs_too_much(visits):
    assert {name: seen.weight for name, seen in visits.items() if seen.weight > MOST} == {}
    assert min(seen.weight for seen in visits.values()) > 10_000


def test_no_page_is_wider_than_a_window(visits):
    wide = {name: seen.wider for name, seen in visits.items() if max(seen.wider.values()) > 0}
    assert wide == {}


def test_no_picture_moves_the_text_while_it_loads(visits):
    assert {name: seen.unsized for name, seen in visits.items() if seen.unsized} == {}
    assert {name: seen.shift for name, seen in visits.items() if seen.shift > 0.1} == {}


@pytest.mark.parametrize(("width", "mode"), browsing.CROSSED)
def test_axe_finds_no_violation_of_wcag(visits, width, mode):
    found = {name: seen.broken[width, mode] for name, seen in visits.items()}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_axe_would_find_one(page, site):
    page.goto(site + "book/index.html")
    page.evaluate("document.querySelector('article').innerHTML += '<img src=\"x.png\">'")
    page.evaluate(browsing.AXE.read_text("utf-8"))
    assert any("image-alt" in found for found in page.evaluate(browsing.RUN_AXE, browsing.WCAG))


FOCUS = "document.activeElement"


def test_the_keyboard_reaches_everything_and_the_focus_is_seen(page, site):
    page.goto(site + "book/market.html")
    page.keyboard.press("Tab")
    assert "Skip to main content" in page.evaluate(f"{FOCUS}.textContent")
    seen, hidden = set(), []
    for _ in range(400):
        told = page.evaluate(
            f"""() => {{ const e = {FOCUS}; const s = getComputedStyle(e);
            const id = e.outerHTML.slice(0, 160) + [...document.querySelectorAll(e.tagName)]
              .indexOf(e);
            const plain = s.outlineStyle === 'none' && s.boxShadow === 'none';
            return [e.tagName, id, plain]; }}"""
        )
        if told[0] == "BODY" or told[1] in seen:
            break
        seen.add(told[1])
        if told[2]:
            hidden.append(told[1])
        page.keyboard.press("Tab")
    assert hidden == []
    wanted = page.evaluate(
        """[...document.querySelectorAll('article :is(a[href], button, summary, input)')]
        .filter((e) => e.checkVisibility() && e.tabIndex >= 0).length"""
    )
    assert len(seen) > wanted, "the walk must pass everything in the article, and the menus"


def test_the_menu_of_a_phone_opens_and_closes_by_keyboard(page, site):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(site + "book/market.html")
    page.focus("button.primary-toggle:visible")
    page.keyboard.press("Enter")
    menu = page.locator("#pst-primary-sidebar-modal")
    menu.wait_for(state="visible")
    page.keyboard.press("Tab")
    assert page.evaluate(f"!!{FOCUS}.closest('#pst-primary-sidebar-modal')")
    page.keyboard.press("Escape")
    menu.wait_for(state="hidden")


def test_a_folded_part_opens_by_keyboard(page, site):
    page.goto(site + "book/market.html")
    fold = page.locator("article details:not(.cite) > summary").first
    fold.focus()
    page.keyboard.press("Enter")
    assert fold.evaluate("(e) => e.parentElement.open")
    page.keyboard.press("Enter")
    assert not fold.evaluate("(e) => e.parentElement.open")


def test_the_contents_of_a_page_open_on_a_phone(page, site):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(site + "book/market.html")
    page.click("button.secondary-toggle:visible")
    page.locator("#pst-secondary-sidebar-modal").wait_for(state="visible")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("Zhejiang", "book/expansion.html"),
        ("浙江", "book/reference/glossary.html"),
        ("zhe jiang", "book/expansion.html"),
        ("Gini", "book/blooming.html"),
    ],
)
def test_the_search_finds(page, site, words, wanted):
    page.goto(site + "book/index.html")
    page.keyboard.press("Control+k")
    page.wait_for_function(f"{FOCUS}.type === 'search'")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    page.locator(f'#search-results a[href^="{wanted}"]').first.wait_for()


def test_a_term_tells_its_meaning_on_hover_focus_and_without_scripts(page, site):
    page.goto(site + "book/introduction.html")
    term = page.locator("article a[data-gloss]").first
    gloss = page.locator("#" + term.get_attribute("data-gloss"))
    assert not gloss.is_visible()
    term.hover()
    gloss.wait_for(state="visible")
    assert gloss.locator("[lang=zh]").count()
    page.keyboard.press("Escape")
    gloss.wait_for(state="hidden")
    page.mouse.move(0, 0)
    term.focus()
    gloss.wait_for(state="visible")
    assert "glossary.html#term-" in term.get_attribute("href")


def test_a_word_in_the_address_of_the_search_is_no_script(page, site):
    page.goto(site + "search.html?q=" + quote("<img src=x onerror=alert(1)>"))
    page.wait_for_load_state("networkidle")
    assert page.locator("#search-results img").count() == 0


def test_what_the_browser_tests_install_is_held_to_hashes(root):
    import json

    lock = json.loads((root / "tests" / "package-lock.json").read_text("utf-8"))
    packages = {name: told for name, told in lock["packages"].items() if name}
    assert all("integrity" in told for told in packages.values())
    assert not any("resolved" in told for told in packages.values())
    assert Path(root / "tests" / "package.json").is_file()

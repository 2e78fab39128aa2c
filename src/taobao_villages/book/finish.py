"""The Sphinx extension that makes a good website of the built pages.

What the theme leaves open is closed here, after each page is written:

1. Weight: what no page uses is taken out (icon scripts, search tools outside the search page),
   the style sheets of a page are one file, and no script holds up the first paint.
2. Accessibility: header cells with their scope, Chinese words marked as such, names of buttons.
3. Security: a content security policy in each page, with the hashes of its own short scripts.
4. Citing: the address of the site from one setting, a citation and "report a doubt" on each page.

The address is ``repository: url:`` in ``_config.yml``, or the environment variable
``TAOBAO_REPOSITORY``; ``html: baseurl:`` overrides the site's address that follows from it.
Without an address there is nowhere to report a doubt, and no sitemap.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import partial
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, NavigableString, Tag
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from taobao_villages import __version__
from taobao_villages.book import citing, kernels, styles

CHINESE = re.compile(
    r"[\u3400-\u9fff](?:[\u3000-\u303f\u3400-\u9fff\uff00-\uffef·]*[\u3400-\u9fff])?"
)
# Scripts and styles of the theme that no page of this book uses.
UNUSED = re.compile(r"fontawesome\.js|sphinx-thebe\.(js|css)")
SEARCH = re.compile(r"searchtools\.js|language_data\.js|searchindex\.js")
THEBE = re.compile(r"THEBE_JS_URL|^\s*kernelName = ")
NOT_OURS = ("_static", "lite")  # the theme's templates, and the site with a policy of its own
GLOSSARY = "book/reference/glossary"
FEW = 4  # pages that are finished sooner than other processes have started
# The theme settles light or dark late, and the whole page is styled twice. It is known at once.
THEME_ASKED = 'localStorage.getItem("theme") || "auto"'
THEME_SETTLED = THEME_ASKED.replace(
    '"auto"', '(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")'
)
# Nothing from outside, nothing evaluated from text. Styles stand in attributes of the figures.
POLICY = (
    "default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
SIGN = "Content-Security-Policy"


def lighten(page: BeautifulSoup, *, search: bool) -> None:
    """Take out what the page does not use, and let pictures wait until they are near."""
    for tag in page.find_all(["script", "link"]):
        address = str(tag.get("src") or tag.get("href") or "")
        unused = UNUSED.search(address) or (not search and SEARCH.search(address))
        hint = tag.get("as") == "script"  # to load early what waits
        thebe = tag.get("type") == "text/x-thebe-config" or THEBE.search(tag.get_text())
        if unused or hint or thebe:
            tag.decompose()
        elif tag.get("src"):
            tag["defer"] = ""  # they keep their order
        elif tag.string and THEME_ASKED in tag.string:
            tag.string = tag.string.replace(THEME_ASKED, THEME_SETTLED)
    for tag in page.find_all(id="ethical-ad-placement"):
        tag.decompose()
    for tag in page.find_all("meta", attrs={"name": "viewport"})[1:]:
        tag.decompose()
    for logo in page.find_all("img", class_="logo__image"):
        if "only-dark" in logo["class"]:
            logo.decompose()  # the same file; until the mode is known both would be drawn
        else:
            logo["class"] = "logo__image"
            logo["width"] = logo["height"] = "96"  # as in its file
    for number, image in enumerate(page.article.find_all("img") if page.article else []):
        for side in ("width", "height"):
            told = re.search(rf"\b{side}:\s*(\d+)px", str(image.get("style", "")))
            if told:
                image[side] = told[1]
        if number:
            image["loading"] = "lazy"


def mend(page: BeautifulSoup) -> None:
    """Close the theme's gaps in accessibility."""
    for head in page.find_all("th"):
        if not head.get_text(strip=True) and not head.img:
            head.name = "td"
        elif head.find_parent("thead"):
            head["scope"] = "col"
        else:
            head.attrs.setdefault("scope", "row")
    for tag in page.find_all(["button", "summary"]):
        # A name that hides the words on a button or summary is no help.
        search = "search-button__button" in tag.get_attribute_list("class")
        if (search or tag.name == "summary") and tag.get_text(strip=True):
            del tag["aria-label"]
        # One without words, beside an entry of the table of contents, needs one.
        entry = tag.find_parent("li")
        if tag.name == "summary" and tag.find_parent("nav") and entry and (link := entry.a):
            tag["aria-label"] = f"Pages under {link.get_text(' ', strip=True)}"
    # The theme's script takes the first button, which stands in a bar that is never shown.
    for bar in page.find_all(class_="bd-header"):
        for hidden in bar.find_all(class_="sidebar-toggle"):
            hidden.decompose()
    for part in page.find_all(role=True):
        cited = "citation-list" in part.get_attribute_list("class")
        if cited or part["role"] == "doc-biblioentry":
            del part["role"]  # given up in ARIA 1.3, and a list may hold nothing but its entries
    for button in page.find_all(onclick=True):
        if button["onclick"] == "window.print()":
            button["data-print"] = ""
        del button["onclick"]


def prepare_tables(page: BeautifulSoup) -> None:
    """Give a long table what its script and a phone need, so that nothing jumps when they come.

    A script puts a filter into the place above it. On a phone each row is a card, whose cells show
    the name of their column.
    """
    for table in page.find_all("table", class_="sortable"):
        frame = table.find_parent(class_="long-table")
        frame = frame or table.find_parent(class_="pst-scrollable-table-container") or table
        frame.insert_before(page.new_tag("div", attrs={"class": "table-filter"}))
        heads = [head.get_text(" ", strip=True) for head in table.select("thead th")]
        for row in table.select("tbody tr"):
            for head, cell in zip(heads[1:], row("td")[1:], strict=True):
                cell["data-column"] = head


def mark_chinese(page: BeautifulSoup) -> None:
    """Mark Chinese words, so that they are read and drawn as Chinese."""
    body = page.body or page
    for text in [t for t in body.find_all(string=CHINESE) if type(t) is NavigableString]:
        parent = text.parent
        if parent is None or parent.name in ("script", "style", "option", "textarea"):
            continue
        if parent.find_parent("svg") or str(parent.get("lang", "")).startswith("zh"):
            continue
        parts: list[Any] = []
        end = 0
        for found in CHINESE.finditer(text):
            word = page.new_tag("span", attrs={"lang": "zh"})
            word.string = found[0]
            parts += [NavigableString(text[end : found.start()]), word]
            end = found.end()
        parts.append(NavigableString(text[end:]))
        text.replace_with(*parts)


def glosses(page: BeautifulSoup) -> dict[str, str]:
    """The meanings on the glossary's page, by the term's anchor: the first paragraph as HTML."""
    return {
        str(term["id"]): meaning.p.decode_contents()
        for term in page.select('dt[id^="term-"]')
        if isinstance(meaning := term.find_next_sibling("dd"), Tag) and meaning.p
    }


def explain_terms(page: BeautifulSoup, meanings: dict[str, str]) -> None:
    """Put the meanings of a page's terms at its end; a script shows them at the terms."""
    box = page.new_tag("div", attrs={"id": "glosses", "hidden": ""})
    told = set()
    for link in page.article.find_all("a") if page.article else []:
        if not link.find(class_="std-term", recursive=False):
            continue
        term = str(link["href"]).partition("#")[2]
        if term not in meanings:
            continue
        link["aria-describedby"] = link["data-gloss"] = f"gloss-{term}"
        if term not in told:
            told.add(term)
            gloss = page.new_tag("div", attrs={"id": f"gloss-{term}"})
            gloss.append(BeautifulSoup(meanings[term], "html.parser"))
            for inner in gloss.select("a"):
                inner.unwrap()
            box.append(gloss)
    if told and page.body:
        page.body.append(box)


def protect(page: BeautifulSoup) -> None:
    """Write the content security policy, with a hash for each script that stands in the page."""
    texts = [script.string for script in page("script") if not script.get("src")]
    hashes = {
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts if text
    }
    policy = POLICY.format(hashes="".join(f" 'sha256-{one}'" for one in sorted(hashes)))
    meta = page.new_tag("meta", attrs={"http-equiv": SIGN, "content": policy})
    if page.head:
        charset = page.head.find("meta", charset=True)
        if isinstance(charset, Tag):
            charset.insert_after(meta)
        else:
            page.head.insert(0, meta)


def finish(
    text: str,
    *,
    meanings: dict[str, str],
    search: bool = False,
    folders: tuple[Path, Path] | None = None,
) -> str:
    """A written page, made light, accessible and safe.

    Parameters
    ----------
    text : str
        The page as the theme wrote it.
    meanings : dict
        From `glosses`.
    search : bool
        The page is the one with the results of a search.
    folders : tuple of Path, optional
        The page's folder and that of the theme's files, for `gather`.

    Returns
    -------
    str
        The page as it is published; a page that is finished already, unchanged.
    """
    if SIGN in text:
        return text
    page = BeautifulSoup(text, "html.parser")
    lighten(page, search=search)
    if folders:
        styles.gather(page, *folders)
    mend(page)
    prepare_tables(page)
    mark_chinese(page)
    explain_terms(page, meanings)
    protect(page)
    return str(page)


def finish_file(path: Path, out: Path, meanings: dict[str, str]) -> set[str]:
    """Finish the page in a file of the website in `out`; the style sheets that it uses."""
    text = path.read_text("utf-8")
    done = finish(
        text,
        meanings=meanings,
        search=path.name == "search.html",
        folders=(path.parent, out / "_static"),
    )
    if done != text:
        path.write_text(done, "utf-8", newline="\n")
    return set(re.findall(styles.SHEET.format("[0-9a-f]+"), done))


def finish_pages(app: Sphinx, error: Exception | None) -> None:
    """Finish each page that this build wrote."""
    if error is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    glossary = out / f"{GLOSSARY}.html"
    meanings = {}
    if glossary.exists():
        made = BeautifulSoup(glossary.read_text("utf-8"), "html.parser")
        mark_chinese(made)
        meanings = glosses(made)
    pages = [p for p in out.rglob("*.html") if p.relative_to(out).parts[0] not in NOT_OURS]
    pages.sort(key=lambda path: (-path.stat().st_size, path))  # the longest first
    work = partial(finish_file, out=out, meanings=meanings)
    if sum(SIGN not in path.read_text("utf-8") for path in pages) > FEW:
        with kernels.workers() as pool:
            used = set().union(*pool.map(work, pages))
    else:
        used = set().union(*map(work, pages))
    styles.renew_sheets(out / "_static", used)


def follow_glossary(app: Sphinx, tree: nodes.document) -> None:
    """A page that names a term is made anew when the glossary changes."""
    env: Any = app.env
    named = any(node["reftype"] == "term" for node in tree.findall(addnodes.pending_xref))
    if named and GLOSSARY in env.found_docs:
        env.note_dependency(env.doc2path(GLOSSARY))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("config-inited", citing.settle_address, priority=900)
    app.connect("doctree-read", follow_glossary)
    app.connect(
        "html-page-context", citing.add_citation, priority=100
    )  # the theme drops empty parts
    app.connect("build-finished", finish_pages, priority=900)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}

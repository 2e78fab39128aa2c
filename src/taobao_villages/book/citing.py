"""The site's addresses, how to cite a page, and where to report an error."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.config import Config

from taobao_villages import __version__

# ---- the address ---------------------------------------------------------------------------------


def site_address(repository: str) -> str:
    """The address at which a repository's pages are published, with a slash at its end.

    Parameters
    ----------
    repository : str
        Address of the repository.

    Returns
    -------
    str
        For a repository on GitHub that of its Pages; else the repository's own address.
    """
    parts = urlsplit(repository.rstrip("/"))
    owner, _, name = parts.path.strip("/").partition("/")
    if parts.hostname == "github.com" and name:
        return f"https://{owner.lower()}.github.io/{name}/"
    return f"{repository.rstrip('/')}/" if repository else ""


def doubt_address(repository: str, about: str) -> str:
    """The address of a new issue on `about`, with its title filled in."""
    title = quote(f"Doubt: {about}")
    body = quote(f"About: {about}\nVersion: {__version__}\n\nWhat I doubt, and why:\n\nA source:\n")
    return f"{repository.rstrip('/')}/issues/new?title={title}&body={body}"


def settle_address(app: Sphinx, config: Config) -> None:
    """Give every extension the one address."""
    options = config.html_theme_options
    repository = os.environ.get("TAOBAO_REPOSITORY") or options.get("repository_url", "")
    options["repository_url"] = repository
    config.html_baseurl = config.html_baseurl or site_address(repository)
    config.ogp_site_url = config.html_baseurl


# ---- citing --------------------------------------------------------------------------------------


def release_year(root: Path) -> int:
    """The year in which this version came out, from ``CITATION.cff`` in the repository."""
    about = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    return int(str(about["date-released"])[:4])


def citation(config: Config, page: str, title: str, year: int) -> dict[str, str]:
    """How to cite a page: in words, as BibTeX and as RIS.

    Parameters
    ----------
    config : Config
        Author, title of the book and address; without an address the citation has none.
    page : str
        The page's name in the book, such as ``book/market``.
    title : str
        The page's title, plain text.
    year : int
        Year of the version, from `release_year`.

    Returns
    -------
    dict
        ``words``, ``bibtex``, ``ris``, and ``key``, the entry's key.
    """
    author, book = config.author, config.html_title
    address = urljoin(config.html_baseurl, f"{page}.html") if config.html_baseurl else ""
    key = "taobao_villages_" + re.sub(r"\W+", "_", page.removeprefix("book/"))
    fields = {
        "author": f"{{{author}}}",
        "title": title,
        "booktitle": book,
        "year": str(year),
        "version": __version__,
        "url": address,
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    words = f"{author} ({year}). {title}. In: {book}, version {__version__}. {address}"
    ris = [("TY", "CHAP"), ("AU", author), ("TI", title), ("BT", book), ("PY", str(year))]
    ris += [("ET", __version__), ("UR", address), ("ER", "")]
    return {
        "key": key,
        "words": words.rstrip(),
        "bibtex": f"@incollection{{{key},\n{lines}}}\n",
        "ris": "".join(f"{tag}  - {value}\n" for tag, value in ris if value or tag == "ER"),
    }


def add_citation(app: Sphinx, page: str, template: str, context: dict, tree: Any) -> None:
    """Hand citation and the address for doubts to the page's template, and write the files."""
    if tree is None or app.builder.name != "html":
        return
    title = BeautifulSoup(context["title"], "html.parser").get_text()
    cite = citation(app.config, page, title, release_year(Path(app.srcdir)))
    folder = Path(app.outdir) / "cite"
    folder.mkdir(parents=True, exist_ok=True)
    name = page.removeprefix("book/").replace("/", "-")
    for ending, key in (("bib", "bibtex"), ("ris", "ris")):
        (folder / f"{name}.{ending}").write_text(cite[key], "utf-8", newline="\n")
        cite[ending] = f"{context['pathto']('cite/', 1)}{name}.{ending}"
    repository = app.config.html_theme_options["repository_url"]
    context["cite"] = cite
    context["doubt"] = doubt_address(repository, f"page {title}") if repository else ""

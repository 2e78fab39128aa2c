"""One style sheet a page: gathered from the theme's, less what the book does not use."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from pathlib import Path

from bs4 import BeautifulSoup

OPTIONS = "documentation_options.js"
# One sheet of several: its name, the line in it that lists them, what they ask for by address.
SHEET = "sheet-{}.css"
LISTED = re.compile(r"/\* (?P<names>[^*]+) \*/")
ICON = re.compile(r"(?:\.fa[\w-]*:+before,?)+\{content:[^}]*\}")  # book.css draws its own
IMPORT = re.compile(r"""@import\s*["']([^"']+)["'];?""")
ASKED = re.compile(r"""url\((["']?)(?!data:|#|/|\w+:)([^"')]+)\1\)""")


def gather(page: BeautifulSoup, folder: Path, static: Path) -> None:
    """Make one style sheet of the page's several, and put the small script of settings into it.

    Whatever a browser needs before the first paint costs a turn to the server and back.

    Parameters
    ----------
    page : BeautifulSoup
        A page as the theme wrote it.
    folder : Path
        The folder in which it stands.
    static : Path
        The folder of the theme's files, where the sheet is written; see `write_sheet`.
    """
    links = page.find_all("link", rel="stylesheet", href=True)
    if links:
        files = [folder / str(link["href"]).partition("?")[0] for link in links]
        sheet = write_sheet(static, [os.path.relpath(file, static) for file in files])
        for link in links[1:]:
            link.decompose()
        links[0]["href"] = os.path.relpath(sheet, folder)
    for script in page.find_all("script", src=re.compile(re.escape(OPTIONS))):
        del script["src"], script["defer"]
        script.string = (static / OPTIONS).read_text("utf-8")


def write_sheet(static: Path, names: list[str]) -> Path:
    """Write the sheets of that names, in ``static``, one after the other into one file there.

    The file is named after its list, not its content, and begins with the list: so a page that
    this build did not write anew has the styles of this build too.
    """
    key = hashlib.sha256(" ".join(names).encode()).hexdigest()[:10]
    sheet = static / SHEET.format(key)
    parts = [f"/* {' '.join(names)} */", *(read_sheet(static, name) for name in names)]
    text = "\n".join(parts) + "\n"
    if not sheet.exists() or sheet.read_text("utf-8") != text:
        fresh = sheet.with_suffix(f".{os.getpid()}.css")  # pages are finished side by side
        fresh.write_text(text, "utf-8", newline="\n")
        fresh.replace(sheet)
    return sheet


def read_sheet(static: Path, name: str) -> str:
    """A style sheet with what it imports, without the theme's icons; addresses from ``static``."""
    here = posixpath.dirname(name)

    def seen(address: str) -> str:
        return posixpath.normpath(posixpath.join(here, address))

    text = (static / name).read_text("utf-8").lstrip("\ufeff").replace('@charset "UTF-8";', "")
    text = ICON.sub("", text)
    text = ASKED.sub(lambda found: f"url({found[1]}{seen(found[2])}{found[1]})", text)
    return IMPORT.sub(lambda found: read_sheet(static, seen(found[1])), text)


def renew_sheets(static: Path, used: set[str]) -> None:
    """Write the sheets that pages use from their parts as these are now; remove the others."""
    for sheet in static.glob(SHEET.format("*")):
        listed = LISTED.match(sheet.read_text("utf-8"))
        if sheet.name in used and listed:
            write_sheet(static, listed["names"].split())
        else:
            sheet.unlink()

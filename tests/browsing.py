"""What the tests in a browser and `make audit` share: a server that compresses, and visits."""

from __future__ import annotations

import gzip
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = (1280, 360)
MODES = ("light", "dark")
ALL = tuple((width, mode) for width in WIDTHS for mode in MODES)
# axe takes a second or more each time: the tests try each width and each mode once on every page,
# `make audit`, which CI runs every night, all four.
CROSSED = ((1280, "light"), (360, "dark"))
PACKED = {".html", ".css", ".js", ".svg", ".json", ".csv", ".xml", ".txt"}

# Notes what the page's own policy refuses and how far things jump while it loads.
WATCH = """
window.seen = {refused: [], shift: 0};
document.addEventListener("securitypolicyviolation", (event) =>
  window.seen.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput) window.seen.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""
# To the end of the page in steps, so that pictures that wait are loaded.
SCROLL = """async () => {
  for (let at = 0; at < document.body.scrollHeight; at += 800) {
    scrollTo(0, at);
    await new Promise((done) => setTimeout(done, 10));
  }
  const shown = [...document.images].filter((image) => image.checkVisibility());
  const slow = new Promise((done) => setTimeout(done, 3000));
  await Promise.race([slow, Promise.all(shown.map((image) => image.decode().catch(() => {})))]);
  scrollTo(0, 0);
}"""
RUN_AXE = """async (tags) => (await axe.run(document, {
  runOnly: {type: "tag", values: tags}, resultTypes: ["violations"],
})).violations.map((found) => `${found.id}: ${found.nodes.slice(0, 3).map(
  (node) => node.target.join(" ") + " | " + (node.any[0]?.message ?? "")).join("; ")}`)"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, compressed as a host does."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path = path / "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if path.suffix in PACKED:
            content = gzip.compress(content, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve `folder` on this machine; gives its address."""
    handler = partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def chromium() -> str | None:
    """The path of an installed Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def npm(*arguments: str) -> None:
    """Install what ``tests/package-lock.json`` names, each package held to its hash."""
    command = [shutil.which("npm") or "npm", "ci", "--no-fund", "--no-audit", *arguments]
    subprocess.run(command, cwd=HERE, check=True, capture_output=True)


@dataclass
class Visit:
    """What a page did when it was read."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    weight: int = 0  # bytes, compressed, all that was loaded to the end of the page
    shift: float = 0.0  # cumulative layout shift
    unsized: int = 0  # pictures without width and height
    wider: dict[int, int] = field(default_factory=dict)  # pixels beyond the window, by its width
    broken: dict[tuple[int, str], list[str]] = field(default_factory=dict)  # axe, by width, mode


def missing() -> str:
    """What the tests in a browser need and do not find here; empty if nothing."""
    if not chromium():
        return "no Chromium or Chrome is installed (on Debian: apt-get install chromium)"
    if not AXE.exists() and not shutil.which("npm"):
        return "no npm is installed, which fetches axe-core (on Debian: apt-get install npm)"
    return ""


def pages(html: Path) -> list[str]:
    """The pages of a built book, slides too, without what the theme and redirects add."""
    found = {path.relative_to(html) for path in html.rglob("*.html")}
    return sorted(
        p.as_posix()
        for p in found
        if (p.parts[0] != "_static" and p.name != "index.html") or p.parts[0] == "book"
    )


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser of its own for the calling thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


def visit_all(
    site: str, names: Sequence[str], *, axe: Sequence[tuple[int, str]] = CROSSED
) -> dict[str, Visit]:
    """Read many pages, over the cores: see `visit`."""

    def share(some: Sequence[str]) -> dict[str, Visit]:
        with browsing() as browser:
            return {name: visit(browser, site, name, axe=axe) for name in some}

    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        parts = pool.map(share, [names[start::cores] for start in range(cores)])
        return {name: seen for part in parts for name, seen in part.items()}


def visit(
    browser: Browser, site: str, name: str, *, axe: Sequence[tuple[int, str]] = CROSSED
) -> Visit:
    """Read a page at both widths.

    Parameters
    ----------
    browser : Browser
        From `browsing`.
    site : str
        Address from `serving`.
    name : str
        The page, such as ``book/market.html``.
    axe : sequence of (int, str)
        Widths and modes in which axe-core looks at it; none costs no time.
    """
    told = Visit()
    context = browser.new_context(
        viewport={"width": WIDTHS[0], "height": 900}, reduced_motion="reduce"
    )
    context.add_init_script(WATCH)
    page = context.new_page()

    def weigh(response: Any) -> None:
        if response.status == 200 and not response.url.startswith("data:"):
            told.weight += int(response.headers.get("content-length", 0))

    page.on("request", lambda request: told.requests.append(request.url))
    page.on("response", weigh)
    page.on("pageerror", lambda error: told.errors.append(str(error)))
    page.on("console", lambda m: told.errors.append(m.text) if m.type == "error" else None)
    page.goto(site + name, wait_until="load")
    page.evaluate(SCROLL)
    page.wait_for_load_state("networkidle")
    seen = page.evaluate("window.seen")
    told.refused, told.shift = seen["refused"], seen["shift"]
    told.unsized = page.evaluate(
        "[...document.images].filter((i) => !(i.width && i.getAttribute('width')"
        " && i.getAttribute('height')) && i.checkVisibility()).length"
    )
    if axe:
        page.evaluate(AXE.read_text("utf-8"))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)  # the theme makes what scrolls now reachable by keyboard
        told.wider[width] = page.evaluate("document.documentElement.scrollWidth") - width
        for mode in [mode for at, mode in axe if at == width]:
            page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
            told.broken[width, mode] = page.evaluate(RUN_AXE, WCAG)
    told.requests = [url for url in told.requests if urlsplit(url).scheme != "data"]
    context.close()
    return told

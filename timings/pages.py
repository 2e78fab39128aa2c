"""Weight, requests and first paint of pages beside the theme's bare page.

    python -m timings.pages      after ``make book``; needs Chromium

From a server on this machine that compresses, with an empty cache, at 1280 pixels. Loaded is what
the browser asks for without scrolling. ``make audit`` measures every page in other ways.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from audits import audit
from audits.audit import browsing
from timings.timing import RESULTS, ROOT, ratio, save

RUNS = 5
PAGES = ("book/index.html", "book/market.html", "book/blooming.html", "book/reference/claims.html")
UNITS = {"kB": "kB", "first paint": "ms", "requests": "requests"}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def visit(browser: Browser, address: str) -> dict[str, float]:
    """One visit with an empty cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.goto(address, wait_until="networkidle")
    page.wait_for_function(PAINT)
    found = {
        "first paint": page.evaluate(PAINT),
        "requests": len(sizes),
        "kB": sum(sizes) / 1e3,
    }
    context.close()
    return found


def measured(browser: Browser, html: Path, name: str) -> dict[str, int]:
    """Medians of `RUNS` visits, after one that warms the server up."""
    with browsing.serving(html) as site:
        visits = [visit(browser, site + name) for _ in range(RUNS + 1)][1:]
    return {key: round(statistics.median(v[key] for v in visits)) for key in visits[0]}


def main() -> None:
    """Measure and write."""
    html = ROOT / "_build" / "html"
    if not (html / "book" / "index.html").is_file():
        raise SystemExit("the book is not built. Remedy: make book")
    if not (chromium := browsing.chromium()):
        raise SystemExit("no Chromium is installed. Remedy, on Debian: apt-get install chromium")
    with sync_playwright() as play, tempfile.TemporaryDirectory() as folder:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        bare = measured(browser, audit.bare(Path(folder)), "page.html")
        pages = {name.removeprefix("book/"): measured(browser, html, name) for name in PAGES}
        browser.close()
    rows = [
        ratio(f"{name}, {what}", page[what], "the theme's bare page", bare[what], unit, runs=RUNS)
        for name, page in pages.items()
        for what, unit in UNITS.items()
    ]
    save(RESULTS, "pages", rows)


if __name__ == "__main__":
    main()

"""Measure the built website, with the theme's bare page beside it: ``make audit``.

Every page is read in Chromium from a server that compresses, at 1280 and 360 pixels, in light and
dark: bytes, requests, requests to other hosts, jumps while loading, violations of WCAG 2.2 AA by
axe-core. Five pages are rated by Lighthouse, in its default: a slow phone. Prints a table and
writes ``audits/audit.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import browsing  # noqa: E402

from timings.timing import stamp  # noqa: E402

RATED = (
    "book/index.html",
    "book/blooming.html",
    "book/explorer.html",
    "book/reference/claims.html",
    "book/course/session_1.html",
)
MOST, EXPLORER = 400_000, 350_000  # bytes, compressed: of a page, of the explorer's scripts


def bare(folder: Path) -> Path:
    """A book of one page with the theme's defaults; gives the folder of its pages."""
    (folder / "_config.yml").write_text("title: A book\nexecute: {execute_notebooks: 'off'}\n")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: page\n")
    (folder / "page.md").write_text("# A page\n\nSome words.\n")
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "-q"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "_build" / "html"


def measured(html: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """What each page did in the browser."""
    with browsing.serving(html) as site:
        visits = browsing.visit_all(site, names, axe=browsing.ALL)
        return {
            name: {
                "bytes": seen.weight,
                "requests": len(seen.requests),
                "outside": sum(not url.startswith(site) for url in seen.requests),
                "refused by its policy": len(seen.refused),
                "layout shift": round(seen.shift, 3),
                "wider than a phone, px": max(seen.wider.values()),
                "axe violations": sum(map(len, seen.broken.values())),
            }
            for name, seen in visits.items()
        }


def rated(html: Path, name: str) -> dict[str, int]:
    """Lighthouse's scores of a page, 0 to 100, and its first paint in milliseconds."""
    command = [str(browsing.HERE / "node_modules" / ".bin" / "lighthouse")]
    flags = "--headless=new --no-sandbox --disable-dev-shm-usage"
    options = ["--quiet", "--output=json", f"--chrome-flags={flags}"]
    options.append("--only-categories=performance,accessibility,best-practices")
    with browsing.serving(html) as site:
        done = subprocess.run(
            [*command, site + name, *options],
            env=os.environ | {"CHROME_PATH": browsing.chromium() or ""},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise SystemExit(f"lighthouse failed on {name}:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout)
    scores = {key: round(100 * part["score"]) for key, part in told["categories"].items()}
    return scores | {"first paint": round(told["audits"]["first-contentful-paint"]["numericValue"])}


def explorer_scripts(html: Path) -> int:
    """Bytes of the explorer's own scripts, compressed."""
    import gzip

    page = (html / "book" / "explorer.html").read_text("utf-8")
    found = (ROOT / "book" / "_assets" / "explorer").glob("*.js")
    return sum(len(gzip.compress(p.read_bytes(), 6)) for p in found if p.name in page)


def main() -> None:
    """Measure, print, write; exits with 1 if a goal is missed."""
    html = ROOT / "_build" / "html"
    if lacking := browsing.missing():
        raise SystemExit(f"make audit: {lacking}")
    browsing.npm()
    with tempfile.TemporaryDirectory() as folder:
        theme = bare(Path(folder))
        baseline = measured(theme, ["page.html"])["page.html"] | rated(theme, "page.html")
    pages = measured(html, browsing.pages(html))
    scores = {name: rated(html, name) for name in RATED}
    heaviest = max(pages, key=lambda name: pages[name]["bytes"])
    told = {
        **stamp(),
        "pages": len(pages),
        "theme's bare page": baseline,
        "heaviest page": {heaviest: pages[heaviest]["bytes"]},
        "explorer's scripts, bytes": explorer_scripts(html),
        "sums": {
            key: sum(page[key] for page in pages.values())
            for key in ("outside", "refused by its policy", "axe violations")
        },
        "largest layout shift": max(page["layout shift"] for page in pages.values()),
        "scores": scores,
        "by page": pages,
    }
    path = ROOT / "audits" / "audit.json"
    path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    for name, page in {"theme's bare page": baseline, **pages}.items():
        print(f"{name:<45}", "  ".join(f"{key} {value}" for key, value in page.items()))
    for name, score in scores.items():
        print(f"{name:<45}", "  ".join(f"{key} {value}" for key, value in score.items()))
    missed = [key for key, value in told["sums"].items() if value]
    missed += [
        f"{name} weighs {page['bytes']}" for name, page in pages.items() if page["bytes"] > MOST
    ]
    missed += ["the explorer's scripts"] if told["explorer's scripts, bytes"] > EXPLORER else []
    for name, score in scores.items():
        if score["performance"] < 95 or score["accessibility"] < 100:
            missed.append(f"{name}: {score}")
    print("goals missed:", "; ".join(missed) or "none")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()

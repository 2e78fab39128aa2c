"""Every figure of the built book as its readers see it, side by side: ``make figures``.

At the width of a desk and of a phone, in light and in dark, in grey and as with three kinds of
colour blindness, which Chromium simulates. Writes ``_build/figures/index.html``, to be looked at.
"""

from __future__ import annotations

import html as markup
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import browsing  # noqa: E402

# Name of the view: colours of the page, and the vision that Chromium simulates.
VIEWS = {
    "light": ("light", "none"),
    "dark": ("dark", "none"),
    "grey": ("light", "achromatopsia"),
    "no green": ("light", "deuteranopia"),
    "no red": ("light", "protanopia"),
    "no blue": ("light", "tritanopia"),
}
HEIGHT = 2400  # of the window: a picture taller than it is shown with gaps
FIGURES = "article figure[id]"


def shots(html: Path, out: Path) -> Iterator[tuple[str, str, int, list[Path]]]:
    """Page, figure and width, and its pictures in the order of `VIEWS`."""
    with browsing.serving(html) as site, browsing.browsing() as browser:
        names = [n for n in browsing.pages(html) if "<figure" in (html / n).read_text("utf-8")]
        for name in names:
            context = browser.new_context(reduced_motion="reduce")
            page = context.new_page()
            session = context.new_cdp_session(page)
            for width in browsing.WIDTHS:
                page.set_viewport_size({"width": width, "height": HEIGHT})
                page.goto(site + name)
                page.evaluate(browsing.SCROLL)
                for figure in page.locator(FIGURES).all():
                    if not figure.is_visible():
                        continue
                    mark = f"{Path(name).stem}-{figure.get_attribute('id')}-{width}"
                    made = []
                    for view, (mode, vision) in VIEWS.items():
                        page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
                        session.send("Emulation.setEmulatedVisionDeficiency", {"type": vision})
                        made.append(out / f"{mark}-{view.replace(' ', '-')}.png")
                        figure.screenshot(path=made[-1])
                    yield name, mark, width, made
            context.close()


def main() -> None:
    """Make the sheet."""
    if lacking := browsing.missing():
        raise SystemExit(f"make figures: {lacking}")
    out = ROOT / "_build" / "figures"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    rows = []
    for name, mark, width, made in shots(ROOT / "_build" / "html", out):
        print(mark)
        cells = "".join(f'<td><img src="{one.name}" alt="" loading="lazy"></td>' for one in made)
        told = markup.escape(f"{name}, {width} px")
        rows.append(f'<tr id="{mark}"><th><a href="../html/{name}">{told}</a></th>{cells}</tr>')
    heads = "".join(f"<th>{view}</th>" for view in ("", *VIEWS))
    (out / "index.html").write_text(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Every figure</title>'
        "<style>img{width:15vw} th{font:14px sans-serif;vertical-align:top}</style></head>"
        f"<body><table><tr>{heads}</tr>{''.join(rows)}</table></body></html>\n",
        "utf-8",
    )
    print(f"{len(rows)} rows: {out / 'index.html'}")


if __name__ == "__main__":
    main()

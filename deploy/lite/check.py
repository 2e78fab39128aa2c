"""Open the site in Chromium as a reader does: does it load, does its kernel start, do chapters run?

    python deploy/lite/check.py              no outside address is asked: site, files and kernel
    python deploy/lite/check.py --network    also runs every chapter and compares the ledger
    python deploy/lite/check.py --versions   no browser: the ledger with the versions of Pyodide,
                                             as far as this Python has them, in an own environment

Needs `make lite` first, and Debian's ``chromium``. Exit status 1 names what failed.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import math
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "_build" / "html"
STARTS_IN = 180  # seconds that a kernel may take
# Pyodide has other versions of pandas, scipy and statsmodels and another mathematical library:
# verdicts must be equal, numbers equal to this part of themselves.
TOLERANCE = 1e-6
LEDGER = "from taobao_villages.verdicts import ledger; print(ledger.as_json(ledger.ledger()))"
RUN = """async ([code, fresh]) => {
  const manager = window.jupyterapp.serviceManager.kernels;
  if (fresh || !window.kernel) window.kernel = await manager.startNew({name: 'python'});
  const future = window.kernel.requestExecute({code, stop_on_error: true});
  let text = '', fault = '';
  future.onIOPub = (message) => {
    const content = message.content;
    if (message.header.msg_type === 'stream') text += content.text;
    if (message.header.msg_type === 'execute_result') text += content.data['text/plain'];
    if (message.header.msg_type === 'error') fault = content.ename + ': ' + content.evalue;
  };
  await future.done;
  return [text, fault];
}"""
LIST = """async () => {
  const contents = window.jupyterapp.serviceManager.contents;
  const found = [], waiting = [''];
  while (waiting.length) {
    for (const item of (await contents.get(waiting.pop(), {content: true})).content) {
      if (item.type === 'directory') waiting.push(item.path); else found.push(item.path);
    }
  }
  return found.sort();
}"""
READ = """async (path) =>
  (await window.jupyterapp.serviceManager.contents.get(path, {content: true})).content.cells
    .filter((cell) => cell.cell_type === 'code').map((cell) => [].concat(cell.source).join(''))"""


class Silent(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: Any) -> None:
        """Leave the terminal to the results."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine while the ``with`` block runs."""
    handler = functools.partial(Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def unequal(one: Any, other: Any, place: str = "ledger") -> list[str]:
    """Where two ledgers differ: texts must be equal, numbers up to `TOLERANCE`."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(set(one) | set(other))
        return [line for n in names for line in unequal(one.get(n), other.get(n), f"{place}.{n}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for i, (a, b) in pairs for line in unequal(a, b, f"{place}[{i}]")]
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (one, other))
    if one == other or (numbers and math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)):
        return []
    return [f"{place}: {one!r} here, {other!r} in the browser"]


def check(network: bool) -> list[str]:
    """Faults, one a line; prints what was seen."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        return ["no browser. Remedy: install Chromium (Debian: apt install chromium)"]
    if not (PAGES / "lite" / "index.html").is_file():
        return ["the site is not built. Remedy: make lite"]
    faults: list[str] = []
    asked: list[str] = []
    with served(PAGES) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context()
        if not network:
            outside = functools.partial(_outside, address=address, asked=asked)
            context.route(outside, lambda route: route.abort())
        page = context.new_page()
        page.set_default_timeout(STARTS_IN * 1000)

        page.goto(f"{address}/book/market.html")
        link = page.locator("a", has_text="Run in the browser").first.get_attribute("href")
        if not link:
            return ["book/market.html has no button. Remedy: make lite, which writes it"]
        began = time.perf_counter()
        page.goto(f"{address}/book/{link}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        print(f"the chapter opens after {time.perf_counter() - began:.1f} s")
        there = page.evaluate(LIST)
        wanted = sorted(p.relative_to(ROOT / "book").as_posix() for p in _notebooks())
        if missing := sorted(set(wanted) - set(there)):
            faults.append(f"notebooks that are not there: {', '.join(missing)}")
        print(f"{len(wanted)} notebooks are there")
        began = time.perf_counter()
        text, fault = page.evaluate(RUN, ["import sys; print(sys.platform, 6 * 7)", True])
        if text.strip() != "emscripten 42":
            faults.append(f"the kernel answered {text!r} {fault}")
        print(f"the kernel answers after {time.perf_counter() - began:.1f} s: {text.strip()}")
        listed = json.loads((PAGES / "lite" / "pypi" / "all.json").read_text("utf-8"))
        if "taobao-villages" not in listed:
            faults.append("the package's wheel is not listed in lite/pypi")
        if network:
            faults += _chapters(page, wanted)
        browser.close()
    if asked:
        hosts = sorted({urlsplit(url).netloc for url in asked})
        faults.append(f"outside addresses were asked: {', '.join(hosts)}")
    return faults


def _outside(url: str, address: str, asked: list[str]) -> bool:
    outside = url.startswith("http") and not url.startswith(address)
    if outside:
        asked.append(url)
    return outside


def _notebooks() -> list[Path]:
    from taobao_villages.book import launch

    return launch.notebooks(ROOT)


def _chapters(page: Any, paths: list[str]) -> list[str]:
    """Run each chapter in a kernel of its own; a missing library is no fault, it is told."""
    faults = []
    for path in paths:
        began, told = time.perf_counter(), ""
        for place, code in enumerate(page.evaluate(READ, path), start=1):
            _, fault = page.evaluate(RUN, [code, place == 1])
            if fault.startswith("MissingLibrary"):
                told = f"; {fault}"
            elif fault:
                faults.append(f"{path}: code cell {place}: {fault}")
                break
        print(f"{path}: {time.perf_counter() - began:.0f} s{told}", flush=True)
    text, fault = page.evaluate(RUN, [LEDGER, False])
    if fault:
        return [*faults, f"the ledger: {fault}"]
    here = json.loads((PAGES / "ledger.json").read_text("utf-8"))
    for row in here:
        row.pop("variants")  # the browser judges the default of each claim alone
    return [*faults, *unequal(here, json.loads(text))]


def versions() -> list[str]:
    """Judge all claims here with the versions of the browser, and compare with the lock's."""
    pins = json.loads((ROOT / "deploy" / "lite" / "pyodide.json").read_text("utf-8"))["packages"]
    compiled = ("numpy", "pandas", "statsmodels", "matplotlib", "geopandas")
    wanted = [f"{name}=={pins[name]['version']}" for name in compiled]
    if sys.version_info >= (3, 12):  # scipy has no such version for an older Python
        wanted.append(f"scipy=={pins['scipy']['version']}")
    uv = str(Path(sys.executable).with_name("uv"))
    with tempfile.TemporaryDirectory(prefix="versions-") as place:
        python = str(Path(place) / "bin" / "python")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, place], check=True)
        call = [uv, "pip", "install", "--quiet", "--python", python, str(ROOT), *wanted]
        subprocess.run(call, check=True)
        ledgers = [
            json.loads(subprocess.run([binary, "-c", LEDGER], check=True, stdout=-1).stdout)
            for binary in (sys.executable, python)
        ]
    print(f"{len(ledgers[0])} claims with {', '.join(wanted)}")
    return unequal(*ledgers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", action="store_true", help="also run every chapter")
    parser.add_argument("--versions", action="store_true", help="the ledger, without a browser")
    chosen = parser.parse_args()
    found = versions() if chosen.versions else check(chosen.network)
    print("\n".join(found) or "no fault")
    sys.exit(1 if found else 0)

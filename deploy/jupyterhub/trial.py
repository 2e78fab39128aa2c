"""Start the class's JupyterHub once, let three students log in and run a chapter, measure memory.

    python deploy/jupyterhub/trial.py           tries and prints; exit status 1 names what failed
    python deploy/jupyterhub/trial.py --write   also writes sizing.json and the table in README.md
    python deploy/jupyterhub/trial.py --lock    resolves requirements.txt anew

The settings are those of ``jupyterhub_config.py`` but for three things that a trial cannot have:
accounts of the machine (a password of the trial instead), its ports, and homes in a scratch folder.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WORK = ROOT / ".cache" / "jupyterhub"
STUDENTS = ("ada", "ben", "cai")
CHAPTER = "blooming"
PATIENCE = 300  # seconds for one step
SPARE = 1.3  # memory beyond what was measured
TRIAL = """
exec(compile(open({config!r}).read(), {config!r}, 'exec'))
c.JupyterHub.bind_url = 'http://127.0.0.1:{ports[0]}'
c.JupyterHub.hub_bind_url = 'http://127.0.0.1:{ports[1]}'
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{ports[2]}'
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.authenticator_class = 'dummy'
c.DummyAuthenticator.password = {password!r}
c.JupyterHub.spawner_class = 'simple'
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + '/{{username}}'
c.Spawner.cmd = [{server!r}, '--allow-root']
c.Spawner.env_keep = ['PATH', 'LANG']
"""


def environment() -> Path:
    """The hub's own environment: the book's lock, the hub's packages, and the proxy."""
    folder = WORK / "venv"
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(folder / "bin" / "python")
    if not Path(python).exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python]
    files = ["-r", ROOT / "requirements.lock", "-r", HERE / "requirements.txt"]
    subprocess.run([*install, "--require-hashes", "--no-deps", *files], check=True)
    subprocess.run([*install, "--no-deps", ROOT], check=True)
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed. Remedy: install Node.js (Debian: apt install npm)")
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, WORK / name)
    subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=WORK, check=True)
    return folder / "bin"


def free_ports(number: int) -> list[int]:
    """Ports of this machine that nobody uses."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def hub(binaries: Path, place: Path) -> Iterator[tuple[str, str]]:
    """Run the hub while the ``with`` block runs; its address and the password of the trial."""
    ports, password = free_ports(3), secrets.token_hex(16)
    (place / "roster.txt").write_text("\n".join(STUDENTS), "utf-8")
    (place / "trial_config.py").write_text(
        TRIAL.format(
            config=str(HERE / "jupyterhub_config.py"),
            ports=ports,
            proxy=str(WORK / "node_modules" / ".bin" / "configurable-http-proxy"),
            password=password,
            homes=str(place / "homes"),
            server=str(binaries / "jupyterhub-singleuser"),
        ),
        "utf-8",
    )
    own = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "TAOBAO"))}
    own |= {"PATH": f"{binaries}:{own['PATH']}"}
    with (place / "hub.log").open("w") as log:
        process = subprocess.Popen(
            [binaries / "jupyterhub", "-f", "trial_config.py"],
            cwd=place,
            env=own,
            stdout=log,
            stderr=log,
        )
        try:
            wait(lambda: "JupyterHub is now running" in (place / "hub.log").read_text(), process)
            yield f"http://127.0.0.1:{ports[0]}", password
        finally:
            process.terminate()
            process.wait(60)


def wait(ready: Any, process: subprocess.Popen | None = None) -> None:
    """Wait until `ready` returns something true."""
    until = time.monotonic() + PATIENCE
    while not ready():
        if process is not None and process.poll() is not None:
            raise RuntimeError("the hub has ended; see its log")
        if time.monotonic() > until:
            raise TimeoutError(f"not ready after {PATIENCE} s")
        time.sleep(0.5)


def log_in(page: Any, address: str, name: str, password: str) -> None:
    """Fill in the form of the hub, as a student does."""
    page.goto(f"{address}/hub/login")
    page.fill("#username_input", name)
    page.fill("#password_input", password)
    page.click("#login_submit")


def memory(name: str) -> float:
    """Megabytes of a student's server and kernels; what they share is counted once (PSS)."""
    total = 0
    for process in psutil.process_iter():
        try:
            if process.environ().get("JUPYTERHUB_USER") == name:
                total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 1e6


def chapter(home: Path) -> None:
    """Lay the chapter into a student's home, with a last cell that tells that it has run."""
    home.mkdir(parents=True)
    notebook = nbformat.read(ROOT / "book" / f"{CHAPTER}.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("open('done', 'w').close()"))
    nbformat.write(notebook, home / "chapter.ipynb")


def trial() -> dict[str, float]:
    """Start, log in, run, measure.

    Raises
    ------
    RuntimeError
        Naming what a stranger could do, or what a student could not.
    """
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no browser. Remedy: install Chromium (Debian: apt install chromium)")
    binaries = environment()
    with tempfile.TemporaryDirectory(prefix="hub-") as name, sync_playwright() as playwright:
        place = Path(name)
        for student in STUDENTS:
            chapter(place / "homes" / student)
        with hub(binaries, place) as (address, password):
            began = time.perf_counter()
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for stranger, word in (("eve", password), ("ada", "wrong")):
                page = browser.new_context().new_page()
                log_in(page, address, stranger, word)
                page.wait_for_selector(".login_error, #login-main >> text=Invalid")
                print(f"{stranger} is refused")
            pages = {}
            for student in STUDENTS:
                page = browser.new_context().new_page()
                page.set_default_timeout(PATIENCE * 1000)
                log_in(page, address, student, password)
                page.wait_for_url(f"**/user/{student}/lab**")
                page.goto(f"{address}/user/{student}/lab/tree/chapter.ipynb")
                page.wait_for_selector(".jp-Notebook .jp-Cell")
                print(f"{student} has JupyterLab after {time.perf_counter() - began:.0f} s")
                pages[student] = page
            page = pages["ada"]
            page.goto(f"{address}/user/ben/lab")
            if page.locator(".jp-Notebook").count():
                raise RuntimeError("ada sees ben's server")
            print("ada does not see ben's server")
            page.goto(f"{address}/user/ada/lab/tree/chapter.ipynb")
            page.wait_for_selector(".jp-Notebook .jp-Cell")
            empty = {student: memory(student) for student in STUDENTS}
            for page in pages.values():
                page.click(".lm-MenuBar-itemLabel >> text=/^Run$/")
                page.click(".lm-Menu-itemLabel >> text=/^Run All Cells$/")
            for student in STUDENTS:
                wait((place / "homes" / student / "done").exists)
            print(f"three have run the chapter after {time.perf_counter() - began:.0f} s")
            full = {student: memory(student) for student in STUDENTS}
            own = [p for p in psutil.process_iter() if _of_hub(p, place)]
            rest = sum(p.memory_full_info().pss for p in own) / 1e6
            browser.close()
    return {
        "hub_mb": math.ceil(rest),
        "open_mb": math.ceil(max(empty.values())),
        "student_mb": math.ceil(max(full.values())),
    }


def _of_hub(process: psutil.Process, place: Path) -> bool:
    """Whether a process is the hub or its proxy."""
    try:
        inside = "JUPYTERHUB_USER" not in process.environ()
        return inside and Path(process.cwd()) == place
    except psutil.Error:
        return False


def table(sizes: dict[str, float]) -> str:
    """The sizing table: memory that a number of students needs at once."""
    lines = ["| Students at once | Memory, GB | Machines of 64 GB |", "|---|---|---|"]
    for number in (10, 50, 200, 1000):
        need = math.ceil((sizes["hub_mb"] + number * sizes["student_mb"]) * SPARE / 1000)
        lines.append(f"| {number:,} | {need:,} | {math.ceil(need / 64)} |")
    return "\n".join(lines)


def write(sizes: dict[str, float]) -> None:
    """Put the measurements into ``sizing.json`` and the table into ``README.md``."""
    (HERE / "sizing.json").write_text(json.dumps(sizes, indent=1) + "\n", "utf-8")
    path = HERE / "README.md"
    text = re.sub(r"(?s)\| Students at once.*?\n(?=\n)", table(sizes) + "\n", path.read_text())
    path.write_text(text, "utf-8")


def lock() -> None:
    """Resolve what a hub needs beside the book's lock, which constrains it."""
    call = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--universal"]
    call += ["--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header"]
    call += ["--python-version", "3.11", "-c", str(ROOT / "requirements.lock"), "-"]
    done = subprocess.run(
        call, input="jupyterhub==6.1.1", text=True, check=True, capture_output=True, cwd=ROOT
    )
    held = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
    blocks = re.split(r"^(?=[\w])", done.stdout, flags=re.M)[1:]
    kept = [block for block in blocks if block.split("==")[0] not in held]
    head = "# What a JupyterHub needs beside requirements.lock: trial.py --lock\n"
    (HERE / "requirements.txt").write_text(head + "".join(kept), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write sizing.json and the table")
    parser.add_argument("--lock", action="store_true", help="resolve requirements.txt anew")
    chosen = parser.parse_args()
    if chosen.lock:
        lock()
        sys.exit()
    measured = trial()
    print(json.dumps(measured))
    print(table(measured))
    if chosen.write:
        write(measured)

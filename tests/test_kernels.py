"""Kernels that start as forks of a warm process, and workers: the same, and nothing is left."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from taobao_villages.book import kernels

pytestmark = pytest.mark.skipif(not kernels.POSSIBLE, reason="needs Linux")
WORKERS = """
import os, sys, time
from taobao_villages.book import kernels
with kernels.workers() as pool:
    pids = {pool.submit(os.getpid).result() for _ in range(9)}
    print(*pids, flush=True)
    time.sleep(60)
"""


# As on Windows: processes by spawn, no fork, kernels that start in the usual way. Every Python
# imports a module of this name when it starts, those of the workers and of the kernels too.
SITE = """
import multiprocessing, os, sys
multiprocessing.set_start_method("spawn", force=True)
del os.fork, os.pidfd_open, os.O_ACCMODE
with open(os.environ["STARTED"], "a") as started:
    started.write(" ".join(sys.orig_argv) + "\\n")
"""
CELLS = (
    "from taobao_villages import data, figures\n"
    "figures.use_house_style()\n"
    "shares = data.load('market/platform_share')",
    "figures.table(shares[['year', 'platform']].head(), caption='Shares of platforms',\n"
    "              sources=['li2017'])",
    "figure, axes = figures.canvas('A finding', 'A measure')\n"
    "axes.plot([1, 2], [1, 3])\n"
    "figures.show(figure, name='one', caption='A caption long enough.',\n"
    "             alt='Line chart with one line, for a test of the build.', sources=['li2017'],\n"
    "             frame=shares)",
)


@pytest.fixture(scope="module")
def server():
    with kernels.warm() as started:
        yield started


def run(cells, server, folder, **env):
    """The outputs of cells, one list each."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", record_timing=False)
    kernels.manage(client, server)
    client.execute(cwd=str(folder), env=os.environ | env)
    return [cell.outputs for cell in notebook.cells]


def test_a_fork_gives_what_a_kernel_gives_that_starts_alone(server, tmp_path):
    cells = [
        "import os, sys; print(os.getcwd(), os.environ['PLACE'], '' in sys.path)",
        "import matplotlib.pyplot as plt; plt.plot([1, 3]); plt.show()",
        "import joblib; joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(n) for n in (-1, -2))",
        "get_ipython().history_manager is not None",
        "import subprocess; subprocess.run(['echo', 'a child']).returncode",
        "from taobao_villages import data; data.load('provinces/provinces').shape",
    ]
    forked, alone = (run(cells, how, tmp_path, PLACE="here") for how in (server, None))
    assert json.dumps(forked) == json.dumps(alone)
    assert forked[0][0].text == f"{tmp_path} here True\n"
    assert "image/png" in forked[1][0].data
    assert forked[2][0].data["text/plain"] == "[1, 2]"


def test_a_fork_has_the_libraries_but_neither_package_nor_data(server, tmp_path):
    asked = "import sys; print([name in sys.modules for name in {!r}])"
    names = ["seaborn", "scipy.stats", "taobao_villages.data", "taobao_villages.verdicts.claims"]
    assert run([asked.format(names)], server, tmp_path)[0][0].text == "[True, True, False, False]\n"
    assert "True" not in run([asked.format(names)], None, tmp_path)[0][0].text


def test_a_kernel_that_dies_is_noticed(server, tmp_path):
    with pytest.raises(DeadKernelError):
        run(["import os; os._exit(3)"], server, tmp_path)
    assert run(["1"], server, tmp_path)  # and the next one starts


def test_when_the_server_ends_its_kernels_end_and_no_other_can_start(tmp_path):
    with kernels.warm() as server:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import os")])
        client = NotebookClient(notebook, kernel_name="python3")
        kernels.manage(client, server)
        with client.setup_kernel(cwd=str(tmp_path)):
            process = client.km.provisioner.process
            assert process.poll() is None
            os.kill(server._process.pid, signal.SIGKILL)
            until = time.monotonic() + 20
            while process.poll() is None:
                assert time.monotonic() < until, "the kernel outlives its server"
                time.sleep(0.1)
        with pytest.raises(RuntimeError, match="its server has ended"):
            server.fork([], {}, str(tmp_path))


def test_the_server_ends_although_a_worker_holds_its_input():
    with kernels.warm():
        worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
        worker.start()
    assert worker.is_alive(), "the server waited for the worker"
    worker.kill()
    worker.join()


def test_a_process_that_is_gone_has_ended():
    gone = kernels.Process(2**22 - 1)  # no Linux gives such a number unless asked to
    assert (gone.poll(), gone.wait()) == (0, 0)
    gone.kill()


def test_one_notebook_alone_starts_no_server():
    with kernels.warm(enough=False) as server:
        assert server is None


def test_workers_end_with_a_build_that_is_killed(tmp_path):
    build = subprocess.Popen([sys.executable, "-c", WORKERS], stdout=subprocess.PIPE, text=True)
    working = [kernels.Process(int(pid)) for pid in build.stdout.readline().split()]
    assert {one.poll() for one in working} == {None}
    build.kill()  # it alone, as by hand
    build.wait()
    until = time.monotonic() + 20
    while None in {one.poll() for one in working}:
        assert time.monotonic() < until, "a worker outlives its build"
        time.sleep(0.1)


def test_where_nothing_forks_the_book_is_the_same(small, tmp_path):
    cache, pages = small.folder / ".cache", small.folder / "_build"
    code, log, page = small(*CELLS)
    assert code == 0, log
    assert "<figure" in page
    usual = {path: path.read_bytes() for path in pages.glob("html/**/*.*") if path.is_file()}
    shutil.rmtree(pages)
    # All is computed again but what the variants say, which takes minutes and starts no process.
    for kept in [*cache.glob("ledger-*"), *cache.glob("forecasts-*")]:
        kept.unlink()
    shutil.rmtree(cache / "jupyter")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    started = tmp_path / "started"
    code, log, page = small(*CELLS, PYTHONPATH=str(tmp_path / "site"), STARTED=str(started))
    assert code == 0, log
    lines = started.read_text().splitlines()
    assert any("spawn_main" in line for line in lines)
    assert sum("ipykernel_launcher" in line for line in lines) == 1
    assert not any("book.kernels" in line for line in lines)
    other = {path: path.read_bytes() for path in pages.glob("html/**/*.*") if path.is_file()}
    assert other.keys() == usual.keys()
    assert [path.name for path in usual if usual[path] != other[path]] == []

"""A build in any folder: copied, renamed, half made, closed, behind a mirror, beside another."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import taobao_villages
from taobao_villages import data, elsewhere
from taobao_villages.book import alone, fixes

ROOT = Path(__file__).parents[1]
unix = pytest.mark.skipif(os.name == "nt", reason="make and its environment are of Unix")
LOCK = "asttokens==3\n    # via stack-data\nuv==1 \\\n    --hash=sha256:00\n    # via project\n"


# ---- the environment ----------------------------------------------------------------------------


@pytest.fixture
def maker() -> ModuleType:
    """deploy/environment.py"""
    spec = importlib.util.spec_from_file_location("environment", ROOT / "deploy/environment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Trial:
    """A folder whose environments are made at once: nothing is installed, Pythons are told."""

    def __init__(self, maker: ModuleType, root: Path):
        self.maker, self.root = maker, root
        self.calls: list[list[str]] = []
        self.fails: list[str] = []  # commands with one of these words fail
        self.pythons = {"python3.11": ["3.11.7", "/usr"], "python3.13": ["3.13.0", "/opt"]}
        self.pythons |= {sys.executable: ["3.11.7", "/usr"], "python3.9": ["3.9.1", "/usr"]}
        base = getattr(sys, "_base_executable", sys.executable)
        self.pythons[base] = ["3.11.7", "/usr"]

    def about(self, python: str | Path) -> list[str]:
        if (marked := Path(python).parent.parent / "made").is_file():
            return json.loads(marked.read_text("utf-8"))
        return [*self.pythons[str(python)], ""] if str(python) in self.pythons else []

    def run(self, command, environ=None) -> bool:
        words = [str(word) for word in command]
        self.calls.append(words)
        if "--require-hashes" in words and "requirements.lock" in words[-1]:
            (Path(words[-1]).parent / ".venv" / "half").touch()
        if any(word in " ".join(words) for word in self.fails):
            return False
        if "venv" in words:
            (Path(words[-1]) / "version").write_text(json.dumps(self.pythons[words[0]]), "utf-8")
        if "-e" in words:
            venv, package = Path(words[-1]) / ".venv", Path(words[-1]) / "src/taobao_villages"
            version = json.loads((venv / "version").read_text("utf-8"))
            told = [*version, str(package / "__init__.py")]
            (venv / "made").write_text(json.dumps(told), "utf-8")
        return True

    def __call__(self, asked: str | None = None, root: Path | None = None) -> list[str]:
        """Make the environment; what was called."""
        self.calls.clear()
        self.maker.Environment(root or self.root).make(asked)
        return [" ".join(words) for words in self.calls]

    def told(self, root: Path | None = None) -> dict[str, str]:
        return self.maker.read((root or self.root) / ".venv" / "ready")


@pytest.fixture
def trial(maker, tmp_path, monkeypatch) -> Trial:
    root = tmp_path / "a folder 村"
    (root / "src" / "taobao_villages").mkdir(parents=True)
    (root / "requirements.lock").write_text(LOCK, "utf-8")
    (root / "pyproject.toml").write_text("[project]", "utf-8")
    made = Trial(maker, root)
    for name in ("about", "run"):
        monkeypatch.setattr(maker, name, getattr(made, name))
    monkeypatch.setattr(maker, "printed", lambda command: "")
    return made


@unix
def test_an_environment_is_made_once(trial):
    assert trial()
    assert trial.told()["folder"] == str(trial.root)
    assert trial.told()["python"] == "3.11.7 in /usr"
    only = (trial.root / ".venv" / "uv.txt").read_text("utf-8")
    assert only == "uv==1 \\\n    --hash=sha256:00"
    assert trial() == trial("python3.11") == []


@unix
@pytest.mark.parametrize("how", [shutil.copytree, shutil.move])
def test_in_a_copied_or_renamed_folder_it_is_made_anew(trial, how, tmp_path, capsys):
    trial()
    other = tmp_path / "other"
    how(trial.root, other)
    (other / ".venv" / "of the first").touch()
    assert trial(root=other)
    assert f"does not fit: it was made for {trial.root}" in capsys.readouterr().out
    assert trial.told(other)["folder"] == str(other)
    assert not (other / ".venv" / "of the first").exists()
    assert not (other / ".venv-old").exists()
    assert trial(root=other) == []


@unix
def test_a_link_to_the_environment_of_another_folder_leaves_that_alone(trial, tmp_path):
    trial()
    before = sorted((trial.root / ".venv").iterdir())
    other = tmp_path / "other"
    shutil.copytree(trial.root, other, ignore=shutil.ignore_patterns(".venv"))
    (other / ".venv").symlink_to(trial.root / ".venv")
    assert trial(root=other)
    assert not (other / ".venv").is_symlink()
    assert trial.told(other)["folder"] == str(other)
    assert sorted((trial.root / ".venv").iterdir()) == before
    assert trial() == []


@unix
def test_another_python_counts_where_it_is_asked_for(trial, capsys):
    trial()
    assert trial("python3.13")
    assert "it has Python 3.11.7, and python3.13 (3.13.0) is asked for" in capsys.readouterr().out
    assert trial.told()["python"] == "3.13.0 in /opt"
    assert trial() == []
    for name in ("python3.9", "no python"):
        with pytest.raises(SystemExit, match=f"^{name} is no Python 3.11 or later. Remedy: .*$"):
            trial(name)
    assert trial.told()["python"] == "3.13.0 in /opt"


@unix
@pytest.mark.parametrize("word", ["-m venv", "uv.txt", "requirements.lock", "-e"])
def test_what_is_stopped_half_way_is_made_anew(trial, word, monkeypatch):
    whole = trial.run

    def run(command, environ=None):
        if word in " ".join(map(str, command)):
            raise SystemError("as if killed")  # nothing is cleaned up: see below
        return whole(command, environ)

    monkeypatch.setattr(trial.maker, "remove", lambda path: None)
    monkeypatch.setattr(trial.maker, "run", run)
    with pytest.raises(SystemError):
        trial()
    assert (trial.root / ".venv").exists()
    assert not trial.told()
    monkeypatch.undo()
    for name in ("about", "run"):
        monkeypatch.setattr(trial.maker, name, getattr(trial, name))
    monkeypatch.setattr(trial.maker, "printed", lambda command: "")
    (trial.root / ".venv" / "half").touch()
    assert len(trial()) == 4
    assert trial.told()
    assert trial() == []


@unix
@pytest.mark.parametrize("word", ["-m venv", "uv.txt", "requirements.lock", "-e"])
def test_the_old_environment_comes_back_if_no_new_one_can_be_made(trial, word):
    trial()
    trial.fails = [word]
    with pytest.raises(SystemExit, match=r"^[^\n]*Remedy: [^\n]*$"):
        trial("python3.13")
    assert trial.told()["python"] == "3.11.7 in /usr"
    assert not (trial.root / ".venv-old").exists()
    assert trial() == []


@unix
def test_after_a_killed_change_of_python_the_old_one_still_comes_back(trial):
    trial()
    (trial.root / ".venv").rename(trial.root / ".venv-old")
    (trial.root / ".venv").mkdir()
    (trial.root / ".venv" / "making").touch()
    trial.fails = ["uv.txt"]
    with pytest.raises(SystemExit):
        trial()
    assert trial.told()["python"] == "3.11.7 in /usr"


@unix
def test_an_environment_that_may_be_the_users_own_is_kept(trial, capsys):
    (trial.root / ".venv").mkdir()
    (trial.root / ".venv" / "mine").touch()
    assert trial()
    assert "it is in .venv-old now" in capsys.readouterr().out
    assert (trial.root / ".venv-old" / "mine").exists()
    shutil.rmtree(trial.root / ".venv")
    (trial.root / ".venv").mkdir()
    with pytest.raises(SystemExit, match=r"Both \.venv and \.venv-old are in the way. Remedy"):
        trial()


@unix
def test_another_lock_is_installed_into_the_same_environment(trial):
    trial()
    (trial.root / ".venv" / "mine").touch()
    with (trial.root / "requirements.lock").open("a") as lock:
        lock.write("zipp==4\n")
    calls = trial()
    assert len(calls) == 3
    assert "-m venv" not in calls[0]
    assert (trial.root / ".venv" / "mine").exists()
    assert trial() == []


@unix
def test_a_python_that_went_away_or_another_package_is_seen(trial, monkeypatch):
    trial()
    (trial.root / ".venv" / "made").write_text('["3.11.7", "/usr", "/elsewhere/x.py"]', "utf-8")
    here = trial.maker.Environment(trial.root)
    assert here.misfit(None) == "it takes the package from /elsewhere"
    (trial.root / ".venv" / "made").unlink()
    assert here.misfit(None) == "its Python does not run"
    monkeypatch.setattr(trial.maker, "about", lambda python: ["3.11.7", "/usr", "/elsewhere/x.py"])
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    with pytest.raises(SystemExit, match=r"PYTHONPATH=/elsewhere. Remedy: unset PYTHONPATH"):
        trial()


@unix
def test_pip_takes_over_where_uv_fails(trial, capsys):
    trial.fails = ["bin/uv"]
    calls = trial()
    assert "pip tries" in capsys.readouterr().out
    (by_pip,) = (call for call in calls if "-m pip" in call and "requirements.lock" in call)
    assert "--require-hashes" in by_pip
    assert trial.told()


@unix
def test_a_folder_that_cannot_be_written_is_named(trial, monkeypatch):
    (trial.root / ".cache").write_text("in the way", "utf-8")
    monkeypatch.setattr(trial.maker, "ROOT", trial.root)
    with pytest.raises(SystemExit, match=r"^[^\n]*a folder 村/\.cache: [^\n]*Remedy: [^\n]*$"):
        trial.maker.main([])


@unix
def test_two_at_once_wait_for_each_other(maker, tmp_path, monkeypatch):
    path, order = tmp_path / ".cache" / "environment.lock", []
    held, waits = threading.Event(), threading.Event()
    monkeypatch.setattr(maker, "say", lambda line: waits.set())

    def first():
        with maker.one_at_a_time(path):
            held.set()
            waits.wait(20)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(20)
    with maker.one_at_a_time(path):
        order.append("second")
    thread.join()
    assert waits.is_set()
    assert order == ["first", "second"]


# ---- mirrors and certificates -------------------------------------------------------------------


def test_what_pip_is_told_is_read_as_pip_reads_it(maker, tmp_path, monkeypatch):
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://a.example/simple\ntrusted-host = a.example\n b.example\n"
        "timeout = 90\n[install]\nindex-url = https://b.example/simple\n",
        "utf-8",
    )
    for name in [n for n in os.environ if n.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_CERT", "/its/own certificate.pem")
    call = [sys.executable, "-m", "pip", "config", "list"]
    settings = maker.pip_settings("a remark.=of pip\n" + maker.printed(call))
    assert settings["index-url"] == "https://b.example/simple"
    told = maker.for_uv(settings, {})
    assert told["UV_DEFAULT_INDEX"] == "https://b.example/simple"
    assert told["UV_INSECURE_HOST"] == "a.example b.example"
    assert told["UV_HTTP_TIMEOUT"] == "90"
    assert told["SSL_CERT_FILE"] == told["PIP_CERT"] == "/its/own certificate.pem"


def test_what_is_said_to_uv_stays_and_reaches_pip(maker):
    settings = {"index-url": "https://a.example", "no-index": "0", "default-timeout": "9"}
    own = {"UV_DEFAULT_INDEX": "https://u.example", "UV_HTTP_TIMEOUT": "60", "PIP_USER": "1"}
    told = maker.for_uv(settings, own)
    assert told["UV_DEFAULT_INDEX"] == "https://u.example"
    assert told["UV_HTTP_TIMEOUT"] == "60"
    assert told["PIP_USER"] == "0"
    assert "UV_NO_INDEX" not in told
    assert "PIP_INDEX_URL" not in told
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        told = maker.for_uv({}, {name: "https://u.example"})
        assert told["PIP_INDEX_URL"] == "https://u.example"
    assert "UV_DEFAULT_INDEX" not in maker.for_uv(settings, {"UV_INDEX_URL": "https://u.example"})


def test_places_that_are_not_there_are_passed_over(maker, tmp_path):
    settings = {
        "extra-index-url": f"https://b.example {(tmp_path / 'none').as_uri()} {tmp_path.as_uri()}",
        "find-links": f"{tmp_path} {tmp_path / 'none'}",
    }
    told = maker.for_uv(settings, {})
    assert told["UV_INDEX"] == f"https://b.example {tmp_path.as_uri()}"
    assert told["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert told["UV_FIND_LINKS"] == str(tmp_path)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_certificate_that_one_tool_has_both_have(maker, name):
    told = maker.for_uv({}, {name: "/ca.pem"})
    assert told["SSL_CERT_FILE"] == told["PIP_CERT"] == "/ca.pem"
    assert maker.for_uv({"cert": "/pip.pem"}, {name: "/ca.pem"})["SSL_CERT_FILE"] == "/pip.pem"


@pytest.mark.parametrize("system", [True, False])
def test_certificates_of_the_system_count_where_there_are_any(maker, system, monkeypatch):
    monkeypatch.setattr(maker, "has_certificates", lambda: system)
    assert ("UV_SYSTEM_CERTS" in maker.for_uv({}, {})) == system


# ---- make ---------------------------------------------------------------------------------------


@pytest.fixture
def make(tmp_path):
    """Runs make with a Python that only tells its surroundings; returns what it told."""
    folder = tmp_path / "a folder 村"
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    python = folder / ".venv" / "bin" / "python"
    names = ("TAOBAO_DATA", "UV_CACHE_DIR", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    told = "; ".join(f'echo "{name}=${name}"' for name in names)
    python.write_text(f'#!/bin/sh\necho "called $@"; {told}\n', "utf-8")
    python.chmod(0o755)

    def run(*words: str, **environ: str) -> list[str]:
        outer = (
            *names,
            "PYTHON",
            "MAKEFLAGS",
            "MAKELEVEL",
            "MFLAGS",
        )  # of a make that runs the tests
        own = {k: v for k, v in os.environ.items() if k not in outer} | environ
        call = ["make", *words]
        done = subprocess.run(call, cwd=folder, env=own, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    run.folder = folder
    return run


@unix
@pytest.mark.parametrize("words", [["check", "TAOBAO_DATA=my data"], ["check"]])
def test_make_says_relative_data_from_its_own_folder(make, words):
    environ = {} if len(words) > 1 else {"TAOBAO_DATA": "my data"}
    told = make(*words, **environ)
    assert told[-5] == f"TAOBAO_DATA={make.folder}/my data"
    assert make("check", TAOBAO_DATA="/else where")[-5] == "TAOBAO_DATA=/else where"
    assert make("check", TAOBAO_DATA="~/data")[-5] == "TAOBAO_DATA=~/data"
    assert make("check")[-5] == "TAOBAO_DATA="


@unix
def test_make_keeps_what_tools_keep_in_the_home_elsewhere_if_it_is_closed(make, tmp_path):
    home = f"{make.folder}/.cache/home"
    expected = ["uv", "matplotlib", "jupyter/runtime", "ipython"]
    names = ("UV_CACHE_DIR", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    wanted = [f"{name}={home}/{place}" for name, place in zip(names, expected, strict=True)]
    assert make("check", HOME="/no such home")[-4:] == wanted
    assert make("check", HOME="")[-4:] == wanted
    assert make("check", HOME=str(tmp_path))[-4:] == [f"{name}=" for name in names]
    assert "UV_CACHE_DIR=/mine" in make("check", HOME="/no such home", UV_CACHE_DIR="/mine")


@unix
def test_make_asks_for_a_python_only_where_it_is_said(make):
    calls = [line for line in make("check") if line.startswith("called deploy")]
    assert calls == ["called deploy/environment.py"]
    for told in (make("check", "PYTHON=/my own/python"), make("check", PYTHON="/my own/python")):
        calls = [line for line in told if line.startswith("called deploy")]
        assert calls == ["called deploy/environment.py /my own/python"]


# ---- the package and the folder that is built ---------------------------------------------------


@pytest.fixture
def copied(tmp_path) -> Path:
    """A folder as copied: with a package of its own, which the Python here does not use."""
    folder = tmp_path / "copy 村"
    (folder / "src" / "taobao_villages").mkdir(parents=True)
    (folder / "src" / "taobao_villages" / "__init__.py").touch()
    (folder / "book").mkdir()
    return folder


def test_a_folder_with_another_package_is_told_apart(copied, tmp_path):
    assert elsewhere(ROOT) == elsewhere(ROOT / "book" / "course") == elsewhere(tmp_path) == ""
    for place in (copied, copied / "book"):
        told = elsewhere(place)
        assert told.startswith(f"{copied} has a package of its own, but ")
        assert str(taobao_villages.PACKAGE) in told
        assert "Remedy: run make there" in told
        assert "\n" not in told


@unix
def test_a_link_to_the_repository_is_the_repository(tmp_path):
    (tmp_path / "link").symlink_to(ROOT)
    assert elsewhere(tmp_path / "link") == elsewhere(tmp_path / "link" / "book") == ""


def test_commands_in_a_copied_folder_end_in_one_line(copied):
    for command in ("check", "ledger"):
        call = [sys.executable, "-m", "taobao_villages", command]
        done = subprocess.run(call, cwd=copied, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == elsewhere(copied) + "\n"


def test_a_notebook_in_a_copied_folder_is_told(copied):
    code = "import ipykernel, taobao_villages"
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, cwd=copied / "book", capture_output=True, text=True)
    assert done.stderr == elsewhere(copied) + "\n"


def test_a_build_of_a_copied_folder_ends_in_one_line(small):
    own = small.folder / "src" / "taobao_villages"
    own.mkdir(parents=True)
    (own / "__init__.py").touch()
    code, log, page = small("1")
    assert code == 1
    assert log.rstrip().splitlines()[-1] == elsewhere(small.folder)
    assert page == ""


# ---- the data -----------------------------------------------------------------------------------


def test_relative_data_are_those_of_the_folder_in_which_it_is_said(small):
    cell = "from taobao_villages import data\nprint(data.folder(), len(data.load('claims')) > 9)"
    code, log, page = small(cell, TAOBAO_DATA="data")
    assert code == 0, log[-3000:]
    assert f"{small.folder / 'data'} True" in page


@pytest.mark.parametrize("said", ["~/mine", "~/mine/", "mine", "./mine/"])
def test_a_home_and_a_slash_in_the_name_of_the_data(said, tmp_path, monkeypatch):
    code = "import os; from taobao_villages import data; os.chdir('/'); print(data.folder())"
    own = os.environ | {"TAOBAO_DATA": said, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, cwd=tmp_path, env=own, capture_output=True, text=True)
    assert done.stdout == f"{tmp_path / 'mine'}\n"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("TAOBAO_DATA", said)
    monkeypatch.chdir(tmp_path)
    assert data.folder() == tmp_path / "mine"


@pytest.mark.parametrize("made", ["nothing", "a folder", "a file"])
def test_data_that_are_not_there_are_named_with_their_whole_path(made, tmp_path):
    place = tmp_path / "mine"
    if made == "a folder":
        place.mkdir()
    elif made == "a file":
        place.write_text("{}", "utf-8")
    call = [sys.executable, "-m", "taobao_villages", "check"]
    done = subprocess.run(
        call, cwd=tmp_path, env=os.environ | {"TAOBAO_DATA": "mine"}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"no datapackage.json in {place}. Remedy: let TAOBAO_DATA name" in done.stderr
    assert done.stderr.count("\n") == 1


# ---- one build at a time ------------------------------------------------------------------------

HOLD = """
import sys, time
from types import SimpleNamespace
from taobao_villages.book import alone
app = SimpleNamespace(srcdir=sys.argv[1])
alone.begin(app)
print("building", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that builds in the same folder."""
    call = [sys.executable, "-c", HOLD, str(tmp_path)]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "building\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_build_says_that_it_waits_and_begins_when_the_first_is_killed(
    other, tmp_path, monkeypatch
):
    told = []

    def info(text):
        told.append(text)
        other.kill()

    monkeypatch.setattr(alone.LOGGER, "info", info)
    app = SimpleNamespace(srcdir=tmp_path)
    alone.begin(app)
    assert told == ["another build of this folder is running: waiting for its end"]
    alone.end(app, None)


def test_builds_one_after_the_other_and_within_one_process_do_not_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(alone.LOGGER, "info", lambda text: pytest.fail(text))
    apps = [SimpleNamespace(srcdir=tmp_path) for _ in range(3)]
    for app in apps[:2]:
        alone.begin(app)
    for app in apps[:2]:
        alone.end(app, None)
    code = HOLD.replace("time.sleep(60)", "")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=60)
    alone.begin(apps[2])
    alone.end(apps[2], None)


def test_a_folder_that_cannot_be_built_in_is_named(tmp_path, monkeypatch):
    (tmp_path / ".cache").write_text("in the way", "utf-8")
    with pytest.raises(SystemExit, match=r"^[^\n]*build\.lock cannot be written: .*Remedy: copy"):
        alone.begin(SimpleNamespace(srcdir=tmp_path))
    (tmp_path / ".cache").unlink()

    said = [OSError(n, os.strerror(n)) for n in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)]
    for error in (*said, NotImplementedError("flock")):

        def no_locks(*_, error=error, **__):
            raise error

        monkeypatch.setattr(alone.FileLock, "acquire", no_locks)
        alone.begin(SimpleNamespace(srcdir=tmp_path))  # a build without a lock, rather than none


# ---- the same bytes -----------------------------------------------------------------------------


def test_no_setting_that_sphinx_hashes_names_the_folder(tmp_path):
    found = []
    for name in ("one", "a/longer path/two"):
        folder = tmp_path / name
        theme = str(folder / ".venv" / "lib" / "theme" / "components")
        config = SimpleNamespace(templates_path=["book/_assets/templates", theme, theme])
        fixes.forget_place(SimpleNamespace(confdir=str(folder)), config)
        found.append(config.templates_path)
    assert found[0] == ["book/_assets/templates", ".venv/lib/theme/components"]
    assert found[1] == found[0]

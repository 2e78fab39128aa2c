"""The archive is whole, checkable and the same twice."""

from __future__ import annotations

import hashlib
import json
import os
import re
import runpy
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def release(root) -> dict[str, Any]:
    return runpy.run_path(str(root / "deploy" / "release.py"))


@pytest.fixture
def files(tmp_path) -> dict[str, Path]:
    (tmp_path / "run").write_text("#!/bin/sh\n", "utf-8")
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "ledger.json").write_text("[]", "utf-8")
    return {"run": tmp_path / "run", "html/ledger.json": tmp_path / "ledger.json"}


def test_the_archive_is_the_same_whatever_the_time_and_the_order(release, files, tmp_path):
    one = release["pack"](tmp_path / "a" / "book-1.zip", files)
    os.utime(files["run"], (1, 1))
    turned = dict(reversed(files.items()))
    other = release["pack"](tmp_path / "b" / "book-1.zip", turned)
    assert one.read_bytes() == other.read_bytes()


def test_the_checksums_cover_every_file(release, files, tmp_path):
    archive = zipfile.ZipFile(release["pack"](tmp_path / "book-1.zip", files))
    sums = archive.read("book-1/SHA256SUMS").decode().splitlines()
    found = {name: value for value, name in (line.split("  ") for line in sums)}
    assert set(archive.namelist()) == {f"book-1/{n}" for n in [*files, "SHA256SUMS"]}
    for name, path in files.items():
        assert found[name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_can_be_run_stays_so(release, files, tmp_path):
    archive = zipfile.ZipFile(release["pack"](tmp_path / "book-1.zip", files))
    modes = {i.filename: i.external_attr >> 16 & 0o777 for i in archive.infolist()}
    assert modes["book-1/run"] == 0o755
    assert modes["book-1/html/ledger.json"] == 0o644


def test_every_package_of_the_lock_is_a_part_with_its_hashes(release, root, tmp_path):
    lock = tmp_path / "requirements.lock"
    known = (root / "requirements.lock").read_text("utf-8").partition("\nasttokens==")[0]
    lock.write_text(known + "\n", "utf-8")
    one, other = (release["parts"](lock, tmp_path / name) for name in ("a.json", "b.json"))
    assert one.read_bytes() == other.read_bytes()
    components = json.loads(one.read_text("utf-8"))["components"]
    names = re.findall(r"^([\w.-]+)==", known, re.M)
    assert [component["name"] for component in components] == names
    for component in components:
        assert component["externalReferences"][0]["hashes"], component["name"]


def test_an_interrupted_run_leaves_no_archive(release, files, tmp_path):
    files["gone"] = tmp_path / "gone"
    with pytest.raises(FileNotFoundError):
        release["pack"](tmp_path / "book-1.zip", files)
    assert not (tmp_path / "book-1.zip").exists()


def test_what_is_not_committed_is_refused(release, tmp_path, monkeypatch):
    monkeypatch.setitem(release["tracked"].__globals__, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="no clone"):
        release["tracked"]()
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert release["tracked"]() == []
    (tmp_path / "new.csv").touch()
    with pytest.raises(SystemExit, match=r"(?s)new\.csv.*Remedy: commit"):
        release["tracked"]()

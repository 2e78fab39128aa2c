"""The package with its data as one file: for students, for the browser, for a release."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from taobao_villages import __version__


def build_wheel(root: Path, folder: Path) -> Path:
    """Build the package with its data as a wheel; the same bytes for the same files.

    Raises
    ------
    RuntimeError
        With hatchling's message, if the build fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    call = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.absolute())]
    epoch = {"SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "1764000000")}
    done = subprocess.run(
        call, cwd=root, env=os.environ | epoch, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the wheel cannot be built:\n{done.stdout}{done.stderr}")
    return folder / f"taobao_villages-{__version__}-py3-none-any.whl"

"""Results of long runs (timings, planted faults, calibration), as tables of the colophon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from taobao_villages import PACKAGE


def stored(name: str) -> dict[str, Any]:
    """A kept result of a long run: of ``audits/placebo.py``, for example.

    Parameters
    ----------
    name : {"placebo", "calibration", "clusters", "faults", "mutants"}
        Which run.

    Returns
    -------
    dict
        ``commit``, ``date``, ``data_version`` of the run, and what it found.

    Raises
    ------
    FileNotFoundError
        If neither the repository nor the installed package holds it.
    """
    return json.loads(stored_in(f"audits/{name}.json").read_text("utf-8"))


def table(name: str) -> pd.DataFrame:
    """A kept table of a long run, as it is printed: ``timings/results.csv``, for example.

    Parameters
    ----------
    name : {"timings/results.csv", "timings/growth.csv", "timings/clusters.csv", ...}
        Its file.

    Returns
    -------
    pandas.DataFrame
        Texts: the columns of the file.

    Raises
    ------
    FileNotFoundError
        Outside the repository, which holds the results.
    """
    return pd.read_csv(stored_in(name), dtype=str, keep_default_na=False)


def stored_in(name: str) -> Path:
    """The file of a kept result: the repository's, else the installed package's."""
    repository = PACKAGE.parents[1] / name
    return repository if repository.is_file() else PACKAGE / "_measured" / name

"""Which pages a change of data or of the analysis reaches: a build reads no other page again.

From data and analysis a page has three things: numbers in its prose, outputs of its notebook, and
what our directives write. All else that shapes it (the theme, our extensions) is in `shape`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taobao_villages import PACKAGE, inputs
from taobao_villages.book.notebooks import Ran, assets, fingerprint

# Folders of the analysis: what they change on a page comes by its numbers, outputs, directives.
ANALYSIS = ("chapters", "figures", "methods", "subjects")
DIRECTIVES = ("reference", "course", "explorer")  # what they write can hang on any table
WRITTEN = re.compile(rf"^\s*[`:]{{3,}}\{{(?:{'|'.join(DIRECTIVES)})\}}", re.M)


def shape(root: Path) -> str:
    """Fingerprint of what shapes all pages alike: our extensions, styles, the lock, libraries."""
    files = [
        path
        for path in inputs.of_package(PACKAGE)
        if path.relative_to(PACKAGE).parts[0] not in ANALYSIS
    ]
    return fingerprint([*files, *assets(root)], root)


def shown(
    text: str,
    ran: Ran | None,
    numbers: Mapping[str, Any],
    ledger: Sequence[Mapping[str, Any]],
    whole: str,
) -> str:
    """Fingerprint of what a page shows of data and analysis.

    Parameters
    ----------
    text : str
        Its prose.
    ran : Ran, optional
        What its notebook put out; none for a page of Markdown.
    numbers : mapping
        What prose can name.
    ledger : sequence of mapping
        Its entries: a claim's panel shows what the variants say, which no notebook puts out.
    whole : str
        Fingerprint of all data and code, for pages that our directives write.
    """
    named = set(re.findall(r"\w+", " ".join(re.findall(r"\{\{(.*?)\}\}", text, re.S))))
    told = [
        {name: numbers[name] for name in sorted(named & set(numbers))},
        {row["id"]: row["variants"] for row in ledger if ran and row["id"] in ran.claims},
        ran.outputs if ran else "",
        whole if WRITTEN.search(text) else "",
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

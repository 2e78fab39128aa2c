"""Would the tests notice a slip in the code? Small faults are planted in it, one at a time.

For each module, mutmut writes mutants of its functions (another sign, another number, a removed
argument, changed text), and the module's own test file and the accepted ledger of its section run
on each. A mutant is caught if a test fails. Where there are many, a random sample of them is
tried; the seed is fixed. Tests were written for survivors of that sample, so another ``--seed``
gives the fairer number.

    make audit-deep        (or: python -m audits.mutants claims --sample 300)
    python -m audits.mutants blooming --again       after new tests: the survivors once more

Writes ``audits/mutants.json``: for each module what was tried, caught and survived, with the
commit and the date, and each survivor with the reason why it is let live; and the rows of
``audits/broken.csv``.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from timings.timing import BROKEN, save, stamp, tally

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).with_suffix(".json")
# Left out: tests that start processes, which would run the code as it is, tests that run all claims
# or all variants where one is enough, and what was accepted of other sections.
ACCEPTED = "(not moved_unseen or {})"
MODULES = {
    "claims": "not command and not every_declared and not markdown_is and not no_variant_moved and "
    + ACCEPTED.format("market"),
    "multiverse": "not cluster and not ledgers_verdict and not every_declared and not every_choice "
    "and not number_of_workers and not jiangsu and not no_number_moved and "
    + ACCEPTED.format("blooming"),
    "blooming": ACCEPTED.format("blooming"),
    "sustainability": ACCEPTED.format("sustainability"),
}
FOLDERS = {
    name: f"src/taobao_villages/{'verdicts' if name in ('claims', 'multiverse') else 'chapters'}"
    for name in MODULES
}
STATUS = {0: "survived", 1: "caught", 33: "without a test"}  # any other: caught by the time limit
SETTINGS = """
[tool.mutmut]
source_paths = ["src/"]
only_mutate = ["{folder}/{module}.py"]
pytest_add_cli_args_test_selection = ["tests/test_{module}.py", "tests/test_ledger.py"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-k", {left_out}]
also_copy = ["data", "timings", "audits", "book", "requirements.lock"]
timeout_constant = 5.0
timeout_multiplier = 5.0
"""
WORDS = "only words that a reader sees, or that name an error"
# Why a survivor is let live: it does the same. By module, function and the changed line.
REASONS: dict[tuple[str, str, str], str] = {
    ("blooming", "delta_evidence", ")"):
        "the same: the seed that is left out is the default",
    ("blooming", "spatial_tests", ")"):
        "the same: the alternative that is left out is the default",
    ("blooming", "printed_south", '"low": 100 * count.where(inside, ).groupby("year")'
     ".sum() / total,"):
        "the same: what is no number is left out of a sum",
    ("blooming", "printed_south", '"high": 100 - 100 * count.where(~inside, None).groupby("year")'
     ".sum() / total,"):
        "the same: what is no number is left out of a sum",
    ("blooming", "growth_evidence", 'for row in table.to_dict("RECORDS"):'):
        "the same: pandas reads the word in any case",
    ("blooming", "list_months", 'months[2013] = pd.Period(first, None)'):
        "the same: the text names a month, and pandas sees it",
    ("blooming", "printed_south", 'count = table.groupby(["year", "province_code"])["n_villages"]'
     ".max().astype(None)"):
        "the same: None stands for float",
    ("claims", "declared", "break"):
        "the same while every section has its module: the line is never reached",
    ("multiverse", "combinations", "found = [dict(zip(names, values, strict=False)) for values in "
     "crossed]"): "the same: every product has as many values as there are names",
    ("multiverse", "fingerprint", 'seen |= {"XXintervalXX": evidence.interval, "details": read}'):
        "the same: any name will do for a part of what is hashed",
    ("multiverse", "seed", "return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], )"):
        "the same: big is the order that Python takes without being told",
    ("multiverse", "stored", "return json.loads(path.read_text(None))"):
        "the same wherever the system's encoding is UTF-8",
    ("multiverse", "summary", 'for claim_id, rows in results.groupby("claim_id", sort=None):'):
        "the same: None is false",
    ("sustainability", "decide_after", "if low >= 1:"):
        "the same: an interval that begins at 1 is in part by the lines above",
}  # fmt: skip


def prepare(module: str, folder: Path) -> dict[str, str]:
    """A copy of the repository with the module's mutants; their names, each with its change."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        left_out = json.dumps(MODULES[module])
        file.write(SETTINGS.format(module=module, folder=FOLDERS[module], left_out=left_out))
    mutmut(folder, "run", "--max-children", "1", "none")  # writes the mutants, then stops
    return changes(folder / f"mutants/{FOLDERS[module]}/{module}.py", module)


def mutmut(folder: Path, *arguments: str, limit: float | None = None) -> None:
    """One command of mutmut in the copy; what it prints stands in ``mutmut.log`` there."""
    with (folder / "mutmut.log").open("a", encoding="utf-8") as log:
        command = [sys.executable, "-m", "mutmut", *arguments]
        subprocess.run(command, cwd=folder, stdout=log, stderr=log, timeout=limit, check=False)


def changes(path: Path, module: str) -> dict[str, str]:
    """What each mutant changes: ``- old line`` and ``+ new line``."""
    text = path.read_text("utf-8")
    lines = text.splitlines()
    bodies = {
        node.name: lines[node.lineno : node.end_lineno]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    }
    found = {}
    for name, body in bodies.items():
        base, _, number = name.partition("__mutmut_")
        if number != "orig":
            differ = difflib.ndiff(bodies[f"{base}__mutmut_orig"], body)
            told = [re.sub(r"\s+", " ", line) for line in differ if line[0] in "+-"]
            found[f"{FOLDERS[module].removeprefix('src/').replace('/', '.')}.{module}.{name}"] = (
                "\n".join(told)
            )
    return found


def only_words(change: str) -> bool:
    """Does a mutant change nothing but a text of several words?"""
    sides = {"-": "", "+": ""}
    for line in change.splitlines():
        sides[line[0]] += re.sub(
            r"""(["'])((?:(?!\1).)*)\1""",
            lambda text: "TEXT" if " " in text[2] else text[0],
            line[2:],
        )
    return sides["-"] == sides["+"]


def try_out(module: str, sample: int, seed: int, minutes: float, jobs: int) -> dict[str, Any]:
    """Run the tests on a sample of the module's mutants; what became of them."""
    folder = ROOT / ".cache" / "mutants" / module
    changed = prepare(module, folder)
    names = sorted(changed)
    picked = sorted(random.Random(seed).sample(names, min(sample, len(names))))
    became = run_tests(module, folder, picked, minutes, jobs)
    told = Counter(became.values())
    numbers = [n for n in became if not only_words(changed[n])]
    lived = [n for n, what in became.items() if what != "caught"]
    return {
        "mutants": len(names),
        "tried": len(became),
        "caught": told["caught"],
        "percent": round(100 * told["caught"] / len(became), 1),
        "tried_without_words": len(numbers),
        "percent_without_words": round(
            100 * sum(became[n] == "caught" for n in numbers) / len(numbers), 1
        ),
        "seed": seed,
        "survivors": [survivor(module, name, changed[name]) for name in lived],
    }


def try_again(module: str, known: dict[str, Any], minutes: float, jobs: int) -> dict[str, Any]:
    """A former result, with those of its survivors tried once more that no reason lets live."""
    path = f"{FOLDERS[module]}/{module}.py"
    same = ["git", "diff", "--quiet", known["commit"], "--", path]
    if subprocess.run(same, cwd=ROOT, check=False).returncode:
        sys.exit(f"{path} has changed since {known['commit']}. Remedy: run without --again")
    folder = ROOT / ".cache" / "mutants" / module
    all_of_them = prepare(module, folder)
    former = {(one["function"], one["change"]) for one in known["survivors"]}
    lived = {name: survivor(module, name, change) for name, change in all_of_them.items()}
    lived = {n: one for n, one in lived.items() if (one["function"], one["change"]) in former}
    picked = [name for name, one in lived.items() if not one["reason"]]
    became = run_tests(module, folder, picked, minutes, jobs) if picked else {}
    caught = [name for name, what in became.items() if what == "caught"]
    numbers = known["tried_without_words"]
    before = round(known["percent_without_words"] * numbers / 100)
    fresh = sum(not only_words(all_of_them[name]) for name in caught)
    return known | {
        "caught": known["caught"] + len(caught),
        "percent": round(100 * (known["caught"] + len(caught)) / known["tried"], 1),
        "percent_without_words": round(100 * (before + fresh) / numbers, 1),
        "caught_by_later_tests": known.get("caught_by_later_tests", 0) + len(caught),
        "survivors": [one for name, one in lived.items() if name not in caught],
    }


def run_tests(
    module: str, folder: Path, picked: list[str], minutes: float, jobs: int
) -> dict[str, str]:
    """Run the tests on these mutants; what became of each that was tried in time."""
    try:
        mutmut(folder, "run", "--max-children", str(jobs), *picked, limit=60 * minutes)
    except subprocess.TimeoutExpired:
        print(f"{module}: stopped after {minutes} minutes; what was tried by then counts")
    meta = json.loads((folder / f"mutants/{FOLDERS[module]}/{module}.py.meta").read_text("utf-8"))
    codes = meta["exit_code_by_key"]
    became = {n: STATUS.get(codes[n], "caught") for n in picked if codes.get(n) is not None}
    if not became:
        sys.exit(f"{module}: no mutant was tried; see {folder / 'mutmut.log'}")
    return became


def survivor(module: str, name: str, change: str) -> dict[str, str]:
    """A mutant that no test caught, with the reason why it is let live."""
    function = name.rpartition(".")[2].partition("__mutmut_")[0].removeprefix("x_")
    function = function.removeprefix("xǁ").replace("ǁ", ".")
    line = next((part[2:].strip() for part in change.splitlines() if part[0] == "+"), change)
    reason = WORDS if only_words(change) else REASONS.get((module, function, line), "")
    return {"function": function, "change": change, "reason": reason}


def tallied(module: str, became: dict[str, Any]) -> dict[str, str]:
    """How many mutants of a module were tried and lost, with the day and commit of its own run."""
    run = {key: became[key] for key in ("date", "commit")}
    return tally(f"Code: {module}.py", became["tried"], became["tried"] - became["caught"], run)


def main() -> None:
    """Try the mutants of the modules and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(MODULES))
    parser.add_argument("--sample", type=int, default=120, help="mutants of each module (120)")
    parser.add_argument("--seed", type=int, default=2017)
    parser.add_argument("--minutes", type=float, default=60, help="limit for each module")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--again", action="store_true", help="only what survived the last run")
    asked = parser.parse_args()
    known = json.loads(RESULT.read_text("utf-8")) if RESULT.is_file() else {}
    for module in asked.modules or MODULES:
        run = stamp()  # the state that is tried, which may change until the end
        if asked.again:
            known[module] = try_again(module, known[module], asked.minutes, asked.jobs) | run
        else:
            found = try_out(module, asked.sample, asked.seed, asked.minutes, asked.jobs)
            known[module] = run | found
        RESULT.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
        save(BROKEN, "mutants", [tallied(name, became) for name, became in known.items()])


if __name__ == "__main__":
    main()

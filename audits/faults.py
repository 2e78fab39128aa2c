"""What becomes of faults in the data: random ones of each kind, and those planted one by one.

Runs the fault tests of the data with many new random cases and keeps their tally. A fault is
caught if it is named, or refused by the seal of the version alone. It is harmless if values and
checksums stay as they were. It is lost if the check says nothing.

    make audit-deep        (or: python -m audits.faults)

Writes ``audits/faults.json``: day and commit, the number of random examples, and for each
kind of fault how often it had which outcome; and the rows of ``audits/broken.csv``, in which a
change that alters no value is no fault. Exit status 1 if any was lost.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from timings.timing import BROKEN, ROOT, note, save, tally

RESULT = Path(__file__).with_suffix(".json")
RANDOM = ["tests/test_faults.py", "--hypothesis-profile=deep"]
CHOSEN = ["tests/test_data.py", "-k", "is_found or (are_found and not conflicts)"]
Kinds = dict[str, dict[str, int]]


def tests(arguments: list[str]) -> ET.Element:
    """Run some tests and return their report."""
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        report = Path(place) / "report.xml"
        told = ["-q", "-o", "junit_family=xunit1", f"--junitxml={report}"]
        subprocess.run([sys.executable, "-m", "pytest", *arguments, *told], cwd=ROOT, check=False)
        if not report.is_file():
            sys.exit("pytest wrote no report; see above")
        return ET.parse(report).getroot()


def outcomes(report: ET.Element) -> Kinds:
    """What the random faults' last test recorded: outcomes by kind."""
    told = report.iter("property")
    return {str(one.get("name")): json.loads(str(one.get("value"))) for one in told}


def one_by_one(report: ET.Element) -> dict[str, int]:
    """Each test plants one fault, and passes if its line is found."""
    cases = list(report.iter("testcase"))
    bad = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    return {"named": len(cases) - bad, "lost": bad}


def tallied(kinds: Kinds) -> list[dict[str, str]]:
    """How often faults of each kind were tried and lost, without those that were harmless."""
    return [
        tally(f"Data: {kind}", sum(became.values()) - became.get("harmless", 0), became["lost"])
        for kind, became in kinds.items()
    ]


def main() -> int:
    """Run both kinds of tests, write and print what became of the faults."""
    kinds = outcomes(tests(RANDOM))
    if not kinds:
        sys.exit("the random faults were not counted; see above")
    examples = sum(sum(became.values()) for became in kinds.values())
    kinds["planted one by one"] = one_by_one(tests(CHOSEN))
    note(RESULT, {"examples": examples, "kinds": kinds})
    save(BROKEN, "faults", tallied(kinds))
    return int(any(became["lost"] for became in kinds.values()))


if __name__ == "__main__":
    sys.exit(main())

"""Time the multiverse: ``python -m timings.multiverse``.

Variants a second by number of workers, and how time grows with the number of permutations for
the claim that draws them (C21): the slope of their logarithms.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from taobao_villages.verdicts import ledger, multiverse
from timings.timing import median_seconds, save

RUNS = 5
SAMPLE = ("C02", "C18", "C20", "C35", "C39", "C54")  # of each kind: series, shares, models, cases
PERMUTATIONS = (999, 9_999, 99_999)


def main() -> None:
    """Measure and write."""
    declared = {claim.id: claim for claim in ledger.declared()}
    some = [declared[name] for name in SAMPLE]
    variants = len(multiverse.tasks(some))
    found: dict[str, Any] = {"runs": RUNS, "variants": variants}
    speeds = {
        jobs: variants / median_seconds(lambda jobs=jobs: multiverse.run(some, jobs=jobs), RUNS)
        for jobs in sorted({1, 2, os.cpu_count() or 1})
    }
    found["variants a second, by workers"] = {str(k): round(v, 1) for k, v in speeds.items()}
    found["two workers over one"] = round(speeds[2] / speeds[1], 2)
    task = multiverse.tasks([declared["C21"]])[0]
    times = [
        median_seconds(lambda n=n: multiverse.judge(task._replace(permutations=n)), RUNS)
        for n in PERMUTATIONS
    ]
    found["C21, seconds by permutations"] = {
        str(n): round(seconds, 3) for n, seconds in zip(PERMUTATIONS, times, strict=True)
    }
    slope = np.polyfit(np.log(PERMUTATIONS), np.log(times), 1)[0]
    found["exponent of permutations"] = round(float(slope), 2)
    save("multiverse", found)


if __name__ == "__main__":
    main()

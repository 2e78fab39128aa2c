"""Time the multiverse: ``python benchmarks/multiverse.py`` writes ``benchmarks/multiverse.json``.

Variants a second by number of workers, and how time grows with the number of permutations for
the claim that draws them (C21). Medians of three runs on one machine: quote the ratios.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np

from taobao_villages import claims, multiverse

RUNS = 3
SAMPLE = ("C02", "C18", "C20", "C35", "C39", "C54")  # of each kind: series, shares, models, cases
PERMUTATIONS = (999, 9_999, 99_999)


def seconds(action) -> float:
    """Median wall time."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Measure and write."""
    declared = {claim.id: claim for claim in claims.declared()}
    some = [declared[name] for name in SAMPLE]
    variants = len(multiverse.tasks(some))
    by_workers = {}
    for jobs in sorted({1, 2, os.cpu_count() or 1}):
        multiverse.run(some[:1], jobs=jobs)  # the workers start before the clock does
        by_workers[jobs] = variants / seconds(lambda jobs=jobs: multiverse.run(some, jobs=jobs))
    task = multiverse.tasks([declared["C21"]])[0]
    times = [
        seconds(lambda n=n: multiverse.judge(task._replace(permutations=n))) for n in PERMUTATIONS
    ]
    slope = np.polyfit(np.log(PERMUTATIONS), np.log(times), 1)[0]
    result = {
        "machine": {"cores": os.cpu_count(), "system": platform.system()},
        "variants": variants,
        "variants_a_second_by_workers": {str(k): round(v, 1) for k, v in by_workers.items()},
        "speed_up_with_two_workers": round(by_workers[2] / by_workers[1], 2),
        "c21_seconds_by_permutations": dict(
            zip(map(str, PERMUTATIONS), [round(t, 3) for t in times], strict=True)
        ),
        "exponent_of_time_in_permutations": round(float(slope), 2),
    }
    text = json.dumps(result, indent=1)
    Path(__file__).with_suffix(".json").write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()

"""Time the multiverse, variants a second of two workers: ``python -m timings.multiverse``."""

from __future__ import annotations

from taobao_villages.verdicts import ledger, multiverse
from timings.timing import RESULTS, median_seconds, ratio, save

RUNS = 5
SAMPLE = ("C02", "C18", "C20", "C35", "C39", "C54")  # of each kind: series, shares, models, cases


def main() -> None:
    """Measure and write."""
    declared = {claim.id: claim for claim in ledger.declared()}
    some = [declared[name] for name in SAMPLE]
    variants = len(multiverse.tasks(some))
    one = variants / median_seconds(lambda: multiverse.run(some, jobs=1), RUNS)
    two = variants / median_seconds(lambda: multiverse.run(some, jobs=2), RUNS)
    row = ratio("Multiverse, two workers", two, "one", one, "variants a second", runs=RUNS)
    save(RESULTS, "multiverse", [row])


if __name__ == "__main__":
    main()

"""`python -m tests.bench`: measures the handler beside others, writes docs/performance.md, and holds the targets."""

import argparse
import sys

from tests.bench import cold_start, handler, results, streams


def main(arguments: list[str] | None = None) -> int:
    """Measure everything; 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases and turns, under 60 s; writes nothing")
    quick = parser.parse_args(arguments).quick
    batches, starts, counts = handler.measure(quick=quick), cold_start.measure(quick=quick), streams.measure()
    targets = [*handler.targets(batches), *cold_start.targets(starts), *streams.targets(counts)]
    for target in targets:
        print(f"{'met   ' if target.met else 'MISSED'}  {target.name}: {target.value:.2f}, {target.limit}")
    if not quick:
        results.write(targets, [handler.table(batches), cold_start.table(starts)])
    return 0 if all(target.met for target in targets) else 1


if __name__ == "__main__":
    sys.exit(main())

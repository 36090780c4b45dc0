"""`python -m tests.bench`: measures the handler beside others, writes docs/performance.md, and holds the targets."""

import argparse
import sys
import time
from types import ModuleType

from tests.bench import cold_start, handler, performance, streams

MEASUREMENTS: dict[str, ModuleType] = {"handler": handler, "streams": streams, "cold_start": cold_start}
"""Each measures, makes a table of what it found, and says which targets that must reach."""


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen measurements; 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(MEASUREMENTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer cases and rounds, under 60 s; writes nothing")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(MEASUREMENTS):
        parser.error(f"NAME must be one of {', '.join(MEASUREMENTS)}, got {', '.join(sorted(unknown))}")
    missed = False
    for name in options.names or MEASUREMENTS:
        measurement, started = MEASUREMENTS[name], time.perf_counter()
        measured = measurement.measure(quick=options.quick)
        targets = measurement.targets(measured)
        print(f"{name}: {time.perf_counter() - started:.1f} s", flush=True)
        for target in targets:
            print(f"  {'met   ' if target.met else 'MISSED'}  {target.name}: {target.value:.2f}, {target.limit}")
        if not options.quick:
            performance.write(name, targets, measurement.table(measured))
        missed = missed or not all(target.met for target in targets)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

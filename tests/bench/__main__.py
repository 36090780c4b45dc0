"""`python -m tests.bench`: measures, writes the results and the documents drawn from them, and holds the targets."""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.bench import cold_start, handler, operations, pipeline, program, report, results, scale, streams
from tests.bench.results import Target
from tests.bench.tables import TARGETS

Results = Mapping[str, Any]
MEASUREMENTS: dict[str, Callable[[bool, Results], dict[str, Any]]] = {
    "handler": lambda quick, _: handler.measure(quick=quick),
    "streams": lambda quick, _: streams.measure(quick=quick),
    "cold_start": lambda quick, _: cold_start.measure(quick=quick),
    "pipeline": lambda quick, _: pipeline.measure(quick=quick),
    "program": lambda quick, _: program.measure(quick=quick),
    "operations": lambda quick, _: operations.measure(quick=quick),
    "scale": lambda _, known: scale.measure(known["handler"], known["streams"]["writes_per_event"][str(streams.BATCH)]),
}
"""In order: the last uses what the first two took."""
ON_REQUEST = {"operations"}
"""Measured only when named: it takes longer than all others together."""


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen measurements; 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    which = f"which of {', '.join(MEASUREMENTS)} (default: all but {', '.join(ON_REQUEST)})"
    parser.add_argument("names", nargs="*", metavar="NAME", help=which)
    parser.add_argument("--quick", action="store_true", help="fewer cases and rounds, under 60 s; writes nothing")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(MEASUREMENTS):
        parser.error(f"NAME must be one of {', '.join(MEASUREMENTS)}, got {', '.join(sorted(unknown))}")
    names = options.names or [name for name in MEASUREMENTS if name not in ON_REQUEST]
    known = results.load()
    for name in names:
        started = time.perf_counter()
        known[name] = MEASUREMENTS[name](options.quick, known)
        seconds = time.perf_counter() - started
        print(f"{name}: {seconds:.1f} s", flush=True)
        known[name] |= {"date": results.today(), "machine": results.machine()}
        if not options.quick:
            results.save(known)
    if not options.quick:
        report.write(known)
    measured = [name for name in names if name in TARGETS]
    return _judge([target for name in measured for target in TARGETS[name](known[name])])


def _judge(targets: list[Target]) -> int:
    for target in targets:
        print(f"{'met   ' if target.met else 'MISSED'}  {target.name}: {target.value:.2f}, {target.limit}")
    return 0 if all(target.met for target in targets) else 1


if __name__ == "__main__":
    sys.exit(main())

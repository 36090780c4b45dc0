"""`python -m tests.proofs`: proves what the pipeline promises and records the figures."""

import argparse
import sys
import time
from collections.abc import Callable, Mapping

from tests.proofs import convergence, faults, fuzz, injection, isolation, outage, privilege, repeatability
from tests.proofs.report import PAGE, RESULTS, Result, print_results, write_page, write_results
from tools.terminal import BAD, GOOD, Printer

PARTS: Mapping[str, Callable[[], Result]] = {
    "convergence": convergence.run,
    "faults": faults.run,
    "outage": outage.run,
    "fuzz": fuzz.run,
    "privilege": privilege.run,
    "injection": injection.run,
    "repeatability": repeatability.run,
    "isolation": isolation.run,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the parts that are named, or all; 0 if every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)} (default: all)")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"PART must be one of {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    printer, results = Printer(), dict[str, Result]()
    for name, prove in PARTS.items():
        if not options.parts or name in options.parts:
            printer.line(f"{name} ...")
            started = time.monotonic()
            result = prove()
            results[name] = result
            verdict, style = ("✘", BAD) if result.problems else ("✔", GOOD)
            printer.line(f"{verdict} {name}: {time.monotonic() - started:.0f} s", style=style)
    print_results(results, printer)
    write_results(results, RESULTS)
    write_page(RESULTS, PAGE)
    return 1 if any(result.problems for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

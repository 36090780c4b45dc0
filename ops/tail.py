"""`tail`: follows the function's log."""

import time
from argparse import Namespace

from ops.logs import LEVELS, Follower, Line, since, spell
from ops.printing import BAD, DIM, Printer
from ops.stack import Stack

STYLES = {"DEBUG": DIM, "WARN": "yellow", "ERROR": BAD, "FATAL": BAD}


def run(stack: Stack, options: Namespace, printer: Printer) -> int:
    follower = Follower(stack, start=since(options.since))
    while True:
        for line in follower.new_lines():
            if wanted(line, options):
                if options.as_json:
                    printer.json(line.fields)
                printer.line(spell(line), style=STYLES.get(line.level, ""))
        if options.no_follow:
            return 0
        time.sleep(options.interval)


def wanted(line: Line, options: Namespace) -> bool:
    """Whether a line passes the filters; Lambda's own are left out while all is well."""
    if line.platform and not options.platform:
        return False
    severity = LEVELS.index(line.level) if line.level in LEVELS else len(LEVELS)
    if severity < LEVELS.index(options.level):
        return False
    if options.order is not None and line.fields.get("orderId") != options.order:
        return False
    return options.match is None or options.match.search(line.text) is not None

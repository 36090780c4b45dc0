"""The command line of `python -m ops`: verbs, options, and an example of each."""

import argparse
import os
import re

EXIT_CODES = """\
exit status:
  0  done, and the answer is yes
  1  the answer is no: an order is missing, a check failed, a message was not taken
  2  the arguments or a file must be corrected (or --yes given); nothing was done
  3  the stack could not be reached, or refused: addresses, credentials, permissions
"""
ABOUT = """\
The stack is named by --stack NAME (through `pulumi stack output`) or --outputs FILE (written by
`python -m local up --outputs FILE` or `pulumi stack output --json > FILE`); the environment
variables ORDERS_STACK and ORDERS_OUTPUTS save typing them.
"""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def span(text: str) -> float:
    """Seconds from a text such as 90, 90s, 15m, 2h or 3d."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"must be a time such as 90s, 15m, 2h or 3d, got {text!r}")
    return float(found[1]) * UNITS[found[2] or "s"]


def pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"must be a regular expression, got {text!r} ({error})") from None


class Bounded:
    """Reads a number within bounds."""

    def __init__(self, kind: type[int] | type[float], low: float, high: float = float("inf")) -> None:
        self._kind, self._low, self._high = kind, low, high

    def __call__(self, text: str) -> float:
        try:
            number = self._kind(text)
        except ValueError:
            number = self._kind(self._low) - 1
        if not self._low <= number <= self._high:
            what = "an integer" if self._kind is int else "a number"
            upper = "" if self._high == float("inf") else f" and at most {self._high:g}"
            raise argparse.ArgumentTypeError(f"must be {what} of at least {self._low:g}{upper}, got {text!r}")
        return number


RATE = Bounded(float, 0.01)
COUNT = Bounded(int, 1)


class Commands:
    """Adds verbs that share the options of every command."""

    def __init__(self, subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", prog: str) -> None:
        self._subparsers, self._prog = subparsers, prog
        self.parsers: dict[str, argparse.ArgumentParser] = {}

    def add(self, verb: str, what: str, example: str) -> argparse.ArgumentParser:
        parser = self._subparsers.add_parser(
            verb,
            help=what,
            description=what[0].upper() + what[1:] + ".",
            epilog=f"example:\n  {self._prog} {verb} {example}".rstrip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        # The same options stand before the verb; unless given again here, those hold.
        _add_shared(parser, default=argparse.SUPPRESS)
        parser.set_defaults(verb=f"{self._prog} {verb}".removeprefix("python -m ops "))
        self.parsers[verb] = parser
        return parser


def _add_shared(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument("--stack", metavar="NAME", default=default, help="a stack of Pulumi's")
    parser.add_argument("--outputs", metavar="FILE", default=default, help="a file with the stack's outputs")
    as_json: object = False if default is None else default
    parser.add_argument("--json", dest="as_json", action="store_true", default=as_json, help="print JSON")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; ends the program for `help` and for wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m ops",
        description="Operates a deployed order pipeline.",
        epilog=f"{ABOUT}\n{EXIT_CODES}\nexample:\n  python -m ops status --stack prod",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_shared(parser, default=None)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", dest="verb")
    commands = Commands(subparsers, "python -m ops")
    _add_pipeline(commands)
    dead_letters = subparsers.add_parser("dlq", help="look into the dead-letter queues and empty them")
    _add_dead_letters(Commands(dead_letters.add_subparsers(required=True, metavar="COMMAND"), "python -m ops dlq"))
    _add_cost(commands)
    topic = subparsers.add_parser("help", help="show this, or the help of a command")
    topic.add_argument("command", nargs="*")

    options = parser.parse_args(arguments)
    if options.verb == "help":
        parser.parse_args([*options.command, "--help"])
    if not options.stack and not options.outputs:
        options.stack, options.outputs = os.environ.get("ORDERS_STACK"), os.environ.get("ORDERS_OUTPUTS")
    return options


def _add_pipeline(commands: Commands) -> None:
    publish = commands.add("publish", "check orders against the contract and publish them", "orders.jsonl --rate 50")
    source = publish.add_mutually_exclusive_group(required=True)
    source.add_argument("file", nargs="?", metavar="FILE", help="JSON or JSON lines; - for standard input")
    source.add_argument("--generate", type=COUNT, metavar="N", help="publish N orders made up here")
    publish.add_argument("--save", metavar="FILE", help="keep what is published, for `verify FILE`")
    publish.add_argument("--no-check", action="store_true", help="publish what the function will reject, too")
    publish.add_argument("--rate", type=RATE, metavar="N", help="messages per second (default: as fast as it goes)")

    status = commands.add("status", "show queues, function, table, recent errors and alarms", "--watch")
    status.add_argument("--since", type=span, default=900.0, metavar="TIME", help="log to look at (default: 15m)")
    status.add_argument("--watch", action="store_true", help="show it again and again until Ctrl-C")
    status.add_argument("--interval", type=span, default=2.0, metavar="TIME", help="between two looks (default: 2s)")

    verify = commands.add("verify", "check queues, log and table, and give one verdict", "orders.jsonl --wait 60s")
    verify.add_argument("file", nargs="?", metavar="FILE", help="orders that the table must hold; - for standard input")
    verify.add_argument("--since", type=span, default=300.0, metavar="TIME", help="log to look at (default: 5m)")
    verify.add_argument("--wait", type=span, default=30.0, metavar="TIME", help="time for it to settle (default: 30s)")

    trace = commands.add("trace", "say where an order is: table, dead-letter queues, log", "O1234")
    trace.add_argument("order_id", metavar="ORDER_ID")
    trace.add_argument("--since", type=span, default=86400.0, metavar="TIME", help="log to look at (default: 1d)")
    _add_limit(trace)

    tail = commands.add("tail", "follow the function's log", "--level WARN --since 1h")
    tail.add_argument("--since", type=span, default=300.0, metavar="TIME", help="where to begin (default: 5m ago)")
    tail.add_argument("--level", choices=("DEBUG", "INFO", "WARN", "ERROR"), default="DEBUG", help="least severe line")
    tail.add_argument("--order", metavar="ID", help="only lines that name this order")
    tail.add_argument("--match", type=pattern, metavar="REGEX", help="only lines in which this is found")
    tail.add_argument("--platform", action="store_true", help="Lambda's own lines, too")
    tail.add_argument("--no-follow", action="store_true", help="end after the lines that are there")
    tail.add_argument("--interval", type=span, default=1.0, metavar="TIME", help="between two looks (default: 1s)")


def _add_dead_letters(commands: Commands) -> None:
    listing = commands.add("list", "list dead letters with the reason of each", "--match Laptop")
    _add_selection(listing)

    show = commands.add("show", "show whole messages, by the start of their id or by their order", "4f0c2d1e")
    show.add_argument("id", metavar="MESSAGE_OR_ORDER_ID")
    _add_sources(show)

    redrive = commands.add("redrive", "send dead letters back, and prove that their orders arrive", "--rate 50 --yes")
    _add_selection(redrive)
    redrive.add_argument("--all", action="store_true", help="those that the function would reject again, too")
    redrive.add_argument("--rate", type=RATE, metavar="N", help="messages per second (default: as fast as it goes)")
    redrive.add_argument("--dry-run", action="store_true", help="show the plan only")
    redrive.add_argument("--yes", action="store_true", help="do it")
    redrive.add_argument("--wait", type=span, default=60.0, metavar="TIME", help="time for the proof (default: 60s)")

    export = commands.add("export", "copy dead letters to a file, as JSON lines", "dead-letters.jsonl")
    export.add_argument("file", metavar="FILE", help="- for standard output")
    _add_selection(export)

    restore = commands.add("import", "send exported messages", "dead-letters.jsonl")
    restore.add_argument("file", metavar="FILE", help="- for standard input")
    restore.add_argument("--to", choices=("order", "queue", "topic"), default="order", help=_TO)
    restore.add_argument("--no-check", action="store_true", help="send what the function will reject, too")

    purge = commands.add("purge", "delete dead letters for good", "--match test- --yes")
    _add_selection(purge)
    purge.add_argument("--yes", action="store_true", help="do it")


_TO = "OrderQueue (order, the default), or the dead-letter queue of the queue or of the topic"


def _add_sources(parser: argparse.ArgumentParser) -> None:
    both = ("queue", "topic")
    parser.add_argument(
        "--from",
        dest="sources",
        action="store",
        type=lambda text: both if text == "both" else (text,),
        choices=(("queue",), ("topic",), both),
        default=both,
        metavar="queue|topic|both",
        help="the dead-letter queue of the queue, of the topic's subscription, or both (default)",
    )
    _add_limit(parser)


def _add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit",
        type=COUNT,
        default=10_000,
        metavar="N",
        help="messages read of each dead-letter queue (default: 10000)",
    )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    _add_sources(parser)
    parser.add_argument("--order", metavar="ID", help="only messages of this order")
    parser.add_argument("--match", type=pattern, metavar="REGEX", help="only messages in whose body this is found")


def _add_cost(commands: Commands) -> None:
    cost = commands.add("cost", "estimate the monthly cost by service", "--orders 10000000 --batch 8")
    cost.add_argument("--orders", type=Bounded(float, 1), required=True, metavar="N", help="messages a month")
    cost.add_argument(
        "--batch", type=Bounded(float, 1, 10_000), default=10.0, metavar="N", help="messages per invocation (10)"
    )
    cost.add_argument(
        "--memory", type=Bounded(int, 128, 10_240), default=512, metavar="MB", help="of the function (512)"
    )
    cost.add_argument("--architecture", choices=("arm64", "x86_64"), default="arm64")
    cost.add_argument("--duration", type=Bounded(float, 1), metavar="MS", help="of an invocation, if measured")
    cost.add_argument(
        "--round-trip", type=Bounded(float, 0.1), default=6.0, metavar="MS", help="of a call to DynamoDB (6)"
    )
    cost.add_argument("--bytes", type=Bounded(int, 1, 262_144), default=300, metavar="N", help="of a message (300)")
    cost.add_argument(
        "--publish-batch", type=Bounded(int, 1, 10), default=1, metavar="N", help="messages per publish (1)"
    )
    cost.add_argument(
        "--updates", type=Bounded(float, 0, 1), default=0.0, metavar="SHARE", help="of messages for known orders (0)"
    )
    cost.add_argument("--alarms", type=Bounded(int, 0), default=12, metavar="N", help="of the stack (12)")

"""`python -m ops`: operates a deployed order pipeline."""

import functools
import importlib
import os
import sys
from typing import Any, NamedTuple

import click

from ops.failure import Failure
from terminal import Printer

PROGRAM = "python -m ops"
INTERRUPTED = 130
ABOUT = """Operates a deployed order pipeline.

The stack is named by --stack NAME (through `pulumi stack output`) or --outputs FILE (written by `python -m local up
--outputs FILE` or `pulumi stack output --json > FILE`); the environment variables ORDERS_STACK and ORDERS_OUTPUTS save
typing them. `help COMMAND` shows a command's options."""
EXIT_CODES = {
    "0": "done, and the answer is yes",
    "1": "the answer is no: an order is missing, a check failed, a message was not taken",
    "2": "the arguments or a file must be corrected (or --yes given); nothing was done",
    "3": "the stack could not be reached, or refused: addresses, credentials, permissions",
}


class Verb(NamedTuple):
    """A command: where it lives, what it does, and an example of its arguments."""

    function: str
    what: str
    example: str
    connects: bool = True
    """Whether it asks a stack."""


VERBS = {
    "publish": Verb("publish:run", "check orders against the contract and publish them", "orders.jsonl --rate 50"),
    "status": Verb("status:run", "show queues, function, table, recent errors and alarms", "--watch"),
    "verify": Verb("verify:run", "check queues, log and table, and give one verdict", "orders.jsonl --wait 60s"),
    "trace": Verb("trace:run", "say where an order is: table, dead-letter queues, log", "O1234"),
    "tail": Verb("tail:run", "follow the function's log", "--level WARN --since 1h"),
    "cost": Verb(
        "cost:run",
        "estimate the monthly cost by service",
        "--events 10000000 --batch-size 100 --window 1",
        connects=False,
    ),
    "dlq list": Verb("listing:run", "list dead letters with the reason of each", "--match Laptop"),
    "dlq show": Verb("listing:show", "show whole messages, by the start of their id or by their order", "4f0c2d1e"),
    "dlq redrive": Verb("redrive:run", "send dead letters back, and prove that their orders arrive", "--rate 50 --yes"),
    "dlq export": Verb("export:run", "copy dead letters to a file, as JSON lines", "dead-letters.jsonl"),
    "dlq import": Verb("export:restore", "send exported messages", "dead-letters.jsonl"),
    "dlq purge": Verb("purge:run", "delete dead letters for good", "--exported dead-letters.jsonl --yes"),
}
"""Only the module of the verb that runs is imported, so that starting takes no time."""


def _remember(context: click.Context, option: click.Parameter, value: object) -> None:
    if value:
        context.obj[option.name] = value


SHARED: list[click.Parameter] = [
    click.Option(["--stack"], metavar="NAME", help="a stack of Pulumi's"),
    click.Option(["--outputs"], metavar="FILE", help="a file with the stack's outputs"),
    click.Option(["--json", "as_json"], is_flag=True, help="print JSON"),
]
"""They may stand before the verb or after it, where they hold."""
for _option in SHARED:
    _option.expose_value, _option.callback = False, _remember


class Verbs(click.Group):
    """The commands whose names begin with a prefix."""

    def __init__(self, prefix: str = "", **settings: Any) -> None:
        super().__init__(params=SHARED, **settings)
        self._whats = {name.removeprefix(prefix): verb.what for name, verb in VERBS.items() if name.startswith(prefix)}
        self._prefix = prefix

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = self._prefix + cmd_name in VERBS
        return _command(self._prefix + cmd_name) if known else super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's name
        added = {name: command.get_short_help_str(80) for name, command in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl([*((n, w) for n, w in self._whats.items() if " " not in n), *added.items()])
        with formatter.section("Exit status"):
            formatter.write_dl(list(EXIT_CODES.items()))


@functools.cache
def _command(name: str) -> click.Command:
    verb = VERBS[name]
    module, _, attribute = verb.function.partition(":")
    function = getattr(importlib.import_module(f"ops.{module}"), attribute)

    @functools.wraps(function)
    def run(**options: object) -> int:
        given = click.get_current_context().obj
        printer = Printer(as_json=given.get("as_json", False))
        if not verb.connects:
            return int(function(printer, **options))
        from ops.stack import connect

        if not given.keys() & {"stack", "outputs"}:
            given = {"stack": os.environ.get("ORDERS_STACK"), "outputs": os.environ.get("ORDERS_OUTPUTS")}
        stack = connect(stack=given.get("stack"), outputs=given.get("outputs"))
        from ops.refusals import explained

        with explained(stack.origin):
            return int(function(stack, printer, **options))

    epilog = f"\b\nexample:\n  {PROGRAM} {name} {verb.example}"
    command = click.command(name.split()[-1], help=verb.what[0].upper() + verb.what[1:] + ".", epilog=epilog)(run)
    command.params += SHARED
    return command


dead_letters = Verbs("dlq ", name="dlq", help="look into the dead-letter queues and empty them")
cli = Verbs(help=ABOUT, epilog=f"\b\nexample:\n  {PROGRAM} status --stack prod")
cli.add_command(dead_letters)


def main(command_line: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = list(sys.argv[1:] if command_line is None else command_line)
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    try:
        with cli.make_context(PROGRAM, arguments, obj={}, show_default=True) as context:
            return int(cli.invoke(context))
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as mistake:
        mistake.show()
        return mistake.exit_code
    except Failure as failure:
        Printer().error(str(failure))
        return failure.status
    except KeyboardInterrupt:
        Printer().error("interrupted: what was sent is sent, and the rest is where it was")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has seen enough; what is still buffered must not fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())

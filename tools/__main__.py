"""`./orders`: one command for everything that people do with the pipeline."""

import functools
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import IO, Any, NamedTuple

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # before anything has begun, no traceback
sys.path[0] = str(Path(__file__).resolve().parent.parent)  # started as a folder, from anywhere

import click

from tools.interrupts import Interrupts
from tools.ops.failure import UNREACHABLE, USAGE, Failure
from tools.root import ROOT
from tools.terminal import Printer

PROGRAM = "./orders"
INTERRUPTED = 130
"""The exit status of a command that was interrupted, as a shell gives it."""
ABOUT = """Runs, reviews and operates the order pipeline.

What operates a stack names it by --stack NAME (through `pulumi stack output`) or --outputs FILE (written by
`./orders local --outputs FILE` or `pulumi stack output --json > FILE`); the environment variables ORDERS_STACK and
ORDERS_OUTPUTS save typing them. `help COMMAND` shows a command's options."""
EXIT_CODES = {
    "0": "done, and the answer is yes",
    "1": "the answer is no: an order is missing, a check failed, a message was not taken",
    "2": "nothing was done: correct the arguments or a file, or give --yes",
    "3": "could not reach the stack, or was denied: check addresses, credentials, permissions",
}


class Verb(NamedTuple):
    """A command: where it lives, what it does, and an example of its arguments."""

    function: str
    what: str
    example: str = ""
    group: str = "Operate a stack"
    """Whose command it is, in the help."""

    @property
    def connects(self) -> bool:
        """Whether it asks a stack."""
        return self.group == "Operate a stack"


DEVELOP, REVIEW = "Develop on the local cloud", "Review a change"
VERBS = {
    "demo": Verb(
        "cloud.demo:run", "send real traffic through the pipeline and check where all of it ended", "", DEVELOP
    ),
    "local": Verb("live.session:run", "the local cloud with a live page, deployed again as files change", "", DEVELOP),
    "engine": Verb(
        "cloud.engine:run",
        "run a command, or a shell, in which the Pulumi CLI works on a local cloud of its own",
        "-- make up STACK=local",
        DEVELOP,
    ),
    "docs": Verb("recording.pages:run", "write the generated parts of the documents", "", DEVELOP),
    "policy": Verb(
        "recording.policy:run", "hold a stack against the policy pack, as `pulumi preview` does", "--stack prod", REVIEW
    ),
    "review": Verb(
        "review.command:run", "say what a change does, and whether it loses an order", "--stack prod", REVIEW
    ),
    "rehearse": Verb(
        "review.command:try_it", "try a change on the local cloud while orders pass", "--stack prod", REVIEW
    ),
    "publish": Verb("ops.publish:run", "check orders against the contract and publish them", "orders.jsonl --rate 50"),
    "status": Verb("ops.status:run", "show queues, function, table, recent errors and alarms", "--watch"),
    "verify": Verb("ops.verify:run", "check queues, log and table, and give one verdict", "orders.jsonl --wait 60s"),
    "trace": Verb("ops.trace:run", "say where an order is: table, dead-letter queues, log", "O1234"),
    "tail": Verb("ops.tail:run", "follow the function's log", "--level WARN --since 1h"),
    "env": Verb("ops.environment:run", "print variables by which the AWS CLI and boto3 reach the stack", "--stack dev"),
    "invoke": Verb("ops.invoke:run", "run the handler of the local cloud on one event", "event.json"),
    "dlq list": Verb("ops.listing:run", "list dead letters with the reason of each", "--match Laptop"),
    "dlq show": Verb("ops.listing:show", "show whole messages, by the start of their id or by their order", "4f0c2d1e"),
    "dlq redrive": Verb(
        "ops.redrive:run", "send dead letters back, and prove that their orders arrive", "--rate 50 --yes"
    ),
    "dlq export": Verb("ops.export:run", "copy dead letters to a file, as JSON lines", "dead-letters.jsonl"),
    "dlq import": Verb("ops.export:restore", "send exported messages", "dead-letters.jsonl"),
    "dlq purge": Verb("ops.purge:run", "delete dead letters for good", "--exported dead-letters.jsonl --yes"),
}
"""Only the module of the verb that runs is imported, so that starting takes no time."""


def _remember(context: click.Context, option: click.Parameter, value: object) -> None:
    if value:
        context.obj[option.name] = value


SHARED: list[click.Parameter] = [
    click.Option(["--stack"], metavar="NAME", help="a Pulumi stack"),
    click.Option(["--outputs"], metavar="FILE", help="a file with the stack's outputs"),
    click.Option(["--json", "as_json"], is_flag=True, help="print JSON"),
]
"""They may stand before the verb or after it, where they hold."""
for _option in SHARED:
    _option.expose_value, _option.callback = False, _remember


class Verbs(click.Group):
    """The commands whose names begin with a prefix."""

    def __init__(self, prefix: str = "", **settings: Any) -> None:
        super().__init__(params=[*SHARED], **settings)
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:
        own = [name.removeprefix(self._prefix) for name in VERBS if name.startswith(self._prefix)]
        return [*(name for name in own if " " not in name), *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = self._prefix + cmd_name in VERBS
        found = _command(self._prefix + cmd_name) if known else super().get_command(ctx, cmd_name)
        if not found and not ctx.resilient_parsing:  # as it is while a shell completes a line
            raise click.NoSuchCommand(cmd_name, possibilities=self.list_commands(ctx), ctx=ctx)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            verb = VERBS.get(self._prefix + name)
            row = (name, verb.what if verb else self.commands[name].get_short_help_str(80))
            groups.setdefault(verb.group if verb else "Operate a stack", []).append(row)
        for group, rows in groups.items():
            with formatter.section(group):
                formatter.write_dl(rows)
        with formatter.section("Exit status"):
            formatter.write_dl(list(EXIT_CODES.items()))


@functools.cache
def _command(name: str) -> click.Command:
    verb = VERBS[name]
    module, _, attribute = verb.function.partition(":")
    function = getattr(importlib.import_module(f"tools.{module}"), attribute)

    @functools.wraps(function)
    def run(**options: object) -> int:
        given = click.get_current_context().obj
        printer = Printer(as_json=given.get("as_json", False))
        if not verb.connects:
            return int(function(printer, **options) or 0)
        from tools.ops.stack import connect

        if not given.keys() & {"stack", "outputs"}:
            given = {"stack": os.environ.get("ORDERS_STACK"), "outputs": os.environ.get("ORDERS_OUTPUTS")}
        stack = connect(stack=given.get("stack"), outputs=given.get("outputs"))
        from tools.ops.refusals import explained

        with explained(stack.origin):
            return int(function(stack, printer, **options))

    epilog = f"\b\nexample:\n  {PROGRAM} {name} {verb.example}".rstrip()
    command = click.command(name.split()[-1], help=verb.what[0].upper() + verb.what[1:] + ".", epilog=epilog)(run)
    command.params += SHARED if verb.connects else SHARED[-1:]
    return command


def _print_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's
    if wanted:
        import tomllib

        click.echo(f"orders {tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['version']}")
        context.exit()


VERSION = click.Option(
    ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="show the version"
)
dead_letters = Verbs("dlq ", name="dlq", help="look into the dead-letter queues and empty them")
cli = Verbs(help=ABOUT, epilog=f"\b\nexample:\n  {PROGRAM} status --stack prod")
cli.params.append(VERSION)
cli.add_command(dead_letters)


def main(command_line: list[str] | None = None) -> int:
    """Run one command and return its exit status: what goes wrong is one message in red, never a traceback."""
    if "_ORDERS_COMPLETE" in os.environ:
        cli.main(prog_name="orders")
    arguments = list(sys.argv[1:] if command_line is None else command_line)
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    try:
        with Interrupts(), cli.make_context(PROGRAM, arguments, obj={}, show_default=True) as context:
            return int(cli.invoke(context) or 0)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - each kind has its own sentence
        return _told(error)


def _told(error: BaseException) -> int:
    """Say why a command ended, and return its exit status; what nobody foresaw keeps its traceback."""
    match error:
        case click.ClickException():
            error.show()
            return error.exit_code
        case Failure():
            Printer().error(str(error))
            return error.status
        case KeyboardInterrupt():
            Printer().error("interrupted: what was sent is sent, and the rest is where it was")
            return INTERRUPTED
        case BrokenPipeError():
            _close(sys.stdout)  # whoever read has seen enough
            return 0
        case OSError() if error.errno:
            _close(sys.stdout)
            Printer().error(f"what a command reads and writes must be read and written to its end, but: {error}")
            return UNREACHABLE
    import pulumi  # takes long, and does not matter before

    if not isinstance(error, OSError | RuntimeError | ValueError | pulumi.RunError):
        raise error
    Printer().error(str(error))
    return USAGE if isinstance(error, OSError) else 1


def _close(stream: IO[str]) -> None:
    """Drop what a stream could not write: it must not fail once more at exit."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())

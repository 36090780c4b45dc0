"""`python -m recording`: what the program says of itself, without a cloud and without the Pulumi CLI."""

import argparse
import json
import sys
from pathlib import Path

from recording.command import exit_status


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 if it did what it was asked to, 1 after an error, 2 for wrong arguments."""
    options = _parser().parse_args(arguments)
    return exit_status(lambda: int(options.run(options) or 0))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recording", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    policy = commands.add_parser("policy", help="hold a stack against the policy pack, as `pulumi preview` does")
    policy.add_argument("--stack", default="dev", help="which Pulumi.STACK.yaml (default: %(default)s)")
    policy.add_argument(
        "--mode",
        choices=("preview", "update", "both"),
        default="both",
        help="before a first deployment, when ARNs are unknown, or after it (default: %(default)s)",
    )
    policy.add_argument("--policy-pack-config", type=Path, metavar="FILE", help="the JSON that the Pulumi CLI takes")
    policy.add_argument("--json", action="store_true", help="print the reports as JSON")
    policy.set_defaults(run=_policy)

    docs = commands.add_parser("docs", help="write the generated parts of the documents")
    docs.set_defaults(run=_docs)
    return parser


def _policy(options: argparse.Namespace) -> int:
    from recording.graph import record  # each command imports only what it runs
    from recording.pack import check, print_report
    from terminal import Printer

    config = json.loads(options.policy_pack_config.read_text()) if options.policy_pack_config else None
    modes = (True, False) if options.mode == "both" else (options.mode == "preview",)
    reports = [check(record(stack=options.stack, preview=preview), config=config) for preview in modes]
    print_report(*reports, printer=Printer(as_json=options.json))
    return 1 if any(report.mandatory for report in reports) else 0


def _docs(_options: argparse.Namespace) -> None:
    from recording.pages import write_all

    write_all()


if __name__ == "__main__":
    sys.exit(main())

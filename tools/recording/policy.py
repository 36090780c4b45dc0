"""`./orders policy`: holds a stack against the policy pack, without a cloud and without the Pulumi CLI."""

import json
from pathlib import Path

import click

from tools.recording.graph import record
from tools.recording.pack import check, print_report
from tools.terminal import Printer


@click.option("--stack", default="dev", help="which Pulumi.STACK.yaml")
@click.option(
    "--mode",
    type=click.Choice(("preview", "update", "both")),
    default="both",
    help="before a first deployment, when ARNs are unknown, or after it",
)
@click.option("--policy-pack-config", type=Path, metavar="FILE", help="the JSON that the Pulumi CLI takes")
def run(printer: Printer, *, stack: str, mode: str, policy_pack_config: Path | None) -> int:
    """Print the reports; 1 if a mandatory rule is broken."""
    config = json.loads(policy_pack_config.read_text()) if policy_pack_config else None
    modes = (True, False) if mode == "both" else (mode == "preview",)
    reports = [check(record(stack=stack, preview=preview), config=config) for preview in modes]
    print_report(*reports, printer=printer)
    return 1 if any(report.mandatory for report in reports) else 0

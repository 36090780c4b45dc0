"""`python -m local up`: the stack on the local cloud until it is told to stop."""

import json
import shlex
from pathlib import Path

from local.deploy import Deployment, deployed, enforce_policies, written_addresses
from local.traffic import EXAMPLE
from ops import logs, tail
from ops.stack import local_stack
from recording.interrupts import cleaning_up
from terminal import GOOD, Printer


def up(*, stack: str, port: int | None, outputs: Path | None, printer: Printer) -> None:
    """Deploy a stack, say where it is, and follow its function's log until interrupted."""
    enforce_policies(stack, printer)
    with deployed(stack=stack, port=port) as deployment, written_addresses(deployment, outputs):
        pipeline, start = local_stack("the local cloud", deployment.addresses()), logs.since(0)
        describe(deployment, outputs, printer)
        try:
            for line in logs.follow(pipeline, start=start, interval=0.3):
                if tail.wanted(line):
                    tail.show(line, printer)
        except KeyboardInterrupt:
            cleaning_up()
            printer.line("stopped")


def describe(deployment: Deployment, outputs: Path | None, printer: Printer) -> None:
    printer.line(f"The pipeline runs on {deployment.cloud.endpoint}", style=GOOD)
    printer.line(f"deployed in {deployment.seconds:.1f} s")
    printer.line()
    for name, value in deployment.outputs.items():
        if not isinstance(value, list):  # lists are for `ops` to read
            printer.line(f"  {name:<31}{value}")
    if outputs is not None:
        printer.line()
        printer.line(f"  addresses and credentials are in {outputs}")
    printer.line()
    printer.line("Publish an order from another terminal:")
    printer.line()
    for line in publish_command(deployment).split("\n"):
        printer.line(line)
    printer.line()
    printer.line("Ctrl-C stops it and leaves nothing behind. The function's log:")
    printer.line()


def publish_command(deployment: Deployment) -> str:
    """A command for a POSIX shell that publishes the example order with the AWS CLI, however that is set up."""
    cloud = deployment.cloud
    return " \\\n  ".join(
        [
            "env -u AWS_PROFILE -u AWS_SESSION_TOKEN",
            f"AWS_ACCESS_KEY_ID={cloud.access_key_id} AWS_SECRET_ACCESS_KEY={cloud.secret_access_key}",
            f"AWS_CA_BUNDLE={shlex.quote(str(cloud.ca_bundle))}",
            f"aws sns publish --endpoint-url {cloud.endpoint} --region {cloud.region}",
            f"--topic-arn {deployment.outputs['topicArn']}",
            f"--message {shlex.quote(json.dumps(EXAMPLE))}",
        ]
    )

"""`env`: variables by which the AWS CLI, boto3 and these commands reach a stack."""

import os
import re
from pathlib import Path

from tools.ops.arguments import quoted
from tools.ops.stack import Stack
from tools.terminal import Printer


def run(stack: Stack, printer: Printer) -> int:
    """Print what a shell evaluates; of a local cloud also what it must forget to reach nothing else."""
    values = dict(stack.environment)
    for name, value in stack.outputs.items():
        if isinstance(value, str):
            values[re.sub(r"(?=[A-Z])", "_", name).upper()] = value
    named = Path(stack.origin)
    values |= {"ORDERS_OUTPUTS": str(named.absolute())} if named.is_file() else {}
    local = "AWS_ENDPOINT_URL" in values
    astray = sorted(name for name in os.environ if name.startswith("AWS_") and name not in values) if local else []
    if printer.as_json:
        printer.json(values)
    if astray:
        printer.line("unset", *astray)
    for name, value in values.items():
        printer.line(f"export {name}={quoted(value)}")
    return 0

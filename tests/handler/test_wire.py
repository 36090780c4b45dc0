"""The handler as Lambda runs it: a fresh process, the archive's layout, its environment, and HTTP to DynamoDB."""

import subprocess
import sys
from pathlib import Path

import pytest

from functions.process_order import orders

FUNCTIONS = Path(orders.__file__).parents[1]


def imported(**environment: str) -> tuple[int, str, str]:
    """Import the handler in a fresh process that sees nothing of the user's AWS configuration."""
    given = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-c", "import process_order.lambda_function"],
        cwd=FUNCTIONS,
        env={**given, "AWS_LAMBDA_FUNCTION_NAME": "ProcessOrder", "TABLE_NAME": "Orders", **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_missing_table_name_stops_the_function_while_it_initialises() -> None:
    code, output, errors = imported(TABLE_NAME="")
    assert (code, output) == (1, "")
    assert "TABLE_NAME must name the function's table, got '': set it on the function" in errors
    assert "in <module>\n    _store()" in errors


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_missing_region_or_credential_stops_the_function_while_it_initialises(name: str) -> None:
    code, output, errors = imported(**{name: ""})
    assert (code, output) == (1, "")
    assert f"RuntimeError: {name} must be set, as Lambda sets it from the role and the region" in errors


def test_the_handler_needs_the_standard_library_alone() -> None:
    program = "import sys, process_order.lambda_function; print(*{n.partition('.')[0] for n in sys.modules})"
    command = [sys.executable, "-S", "-c", program]  # -S: without the packages that are installed
    done = subprocess.run(command, cwd=FUNCTIONS, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= sys.stdlib_module_names | {"process_order", "__main__"}

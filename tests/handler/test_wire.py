"""The handler as Lambda starts it: a fresh process, the archive's layout and its environment."""

import subprocess
import sys

import pytest

from components.package import FUNCTIONS


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("TABLE_NAME", "ValueError: TABLE_NAME must name the function's table, got '': set it on the function"),
        ("AWS_REGION", "RuntimeError: AWS_REGION must be set, as Lambda sets it from the role and the region"),
    ],
)
def test_a_missing_setting_stops_the_function_while_it_initialises(name: str, told: str) -> None:
    given = dict.fromkeys(("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "TABLE_NAME"), "test")
    environment = {**given, "AWS_LAMBDA_FUNCTION_NAME": "ProcessOrder", name: ""}
    command = [sys.executable, "-c", "import process_order.lambda_function"]
    done = subprocess.run(command, cwd=FUNCTIONS, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr


def test_the_handler_needs_the_standard_library_alone() -> None:
    program = "import sys, process_order.lambda_function; print(*{n.partition('.')[0] for n in sys.modules})"
    command = [sys.executable, "-S", "-c", program]  # -S: without the packages that are installed
    done = subprocess.run(command, cwd=FUNCTIONS, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= sys.stdlib_module_names | {"process_order", "__main__"}

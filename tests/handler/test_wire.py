"""The handler as Lambda runs it: a fresh process, the archive's layout, its environment, and HTTP to DynamoDB."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.process_order import orders
from tests.fakes.events import body, sqs_event
from tests.fakes.table import Table, store_of
from tests.handler.runtime import serving

FUNCTIONS = Path(orders.__file__).parents[1]
INVOKE = """
import json, sys
from process_order.lambda_function import lambda_handler
class Context:
    aws_request_id = "request-1"
    def get_remaining_time_in_millis(self):
        return 30_000
print(json.dumps(lambda_handler(json.loads(sys.argv[1]), Context())))
"""


def invoke(event: object, endpoint: str, **environment: str) -> tuple[int, str, str]:
    """Run the handler in a fresh process that sees nothing of the user's AWS configuration."""
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-c", INVOKE, json.dumps(event)],
        cwd=FUNCTIONS,
        env={**credentials, "AWS_ENDPOINT_URL": f"http://{endpoint}", "TABLE_NAME": "Orders", **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_statements_reach_dynamodb_as_they_reach_a_table_in_memory() -> None:
    remote, local = Table(), Table()

    def answer(_: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, json.dumps(remote.batch_execute_statement(**json.loads(request))).encode()

    event = sqs_event(body(), "bad", body(orderId="\u00e9\x00\U0001f4e6", note=[1.5, None, {"x": True}]))
    with serving(answer) as endpoint:
        code, output, errors = invoke(event, endpoint, AWS_LAMBDA_LOG_LEVEL="WARN")
    assert (code, errors) == (0, "")
    *lines, result = [json.loads(line) for line in output.splitlines()]
    assert result == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [line["level"] for line in lines] == ["WARN"]
    store_of(local).write([orders.parse(event["Records"][index]["body"]) for index in (0, 2)], 10)
    assert remote.calls == local.calls
    assert remote.items == local.items


def test_a_missing_table_name_stops_the_function_while_it_initialises() -> None:
    code, output, errors = invoke({}, "127.0.0.1:9", TABLE_NAME="", AWS_LAMBDA_FUNCTION_NAME="ProcessOrder")
    assert (code, output) == (1, "")
    assert "TABLE_NAME must name the function's table, got '': set it on the function" in errors
    assert "in <module>\n    _store()" in errors


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_missing_region_or_credential_stops_the_function_while_it_initialises(name: str) -> None:
    given: Any = {name: "", "AWS_LAMBDA_FUNCTION_NAME": "ProcessOrder"}
    code, output, errors = invoke({}, "127.0.0.1:9", **given)
    assert (code, output) == (1, "")
    assert f"RuntimeError: {name} must be set, as Lambda sets it from the role and the region" in errors


def test_the_handler_needs_the_standard_library_alone() -> None:
    program = "import sys, process_order.lambda_function; print(*{n.partition('.')[0] for n in sys.modules})"
    command = [sys.executable, "-S", "-c", program]  # -S: without the packages that are installed
    done = subprocess.run(command, cwd=FUNCTIONS, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= sys.stdlib_module_names | {"process_order", "__main__"}

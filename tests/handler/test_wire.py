"""The handler as Lambda runs it: a fresh process, the archive's layout, its environment, and HTTP to DynamoDB."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from functions.process_order import orders
from tests.fakes.events import body, sqs_event
from tests.fakes.table import Table, store_of

FUNCTIONS = Path(orders.__file__).parents[1]
INVOKE = """
import json, sys
from process_order.lambda_function import lambda_handler
class Context:
    aws_request_id = "request-1"
    def get_remaining_time_in_millis(self):
        return int(sys.argv[2])
print(json.dumps(lambda_handler(json.loads(sys.argv[1]), Context())))
"""


@contextmanager
def dynamodb(table: Any, *, status: int = 200) -> Iterator[str]:
    """Serve a table in memory over HTTP on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["X-Amz-Target"] == "DynamoDB_20120810.BatchExecuteStatement"
            assert "Signature=" in self.headers["Authorization"]
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps(table.batch_execute_statement(**request) if status == 200 else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def invoke(event: object, endpoint: str, *, milliseconds: int = 30_000, **environment: str) -> tuple[int, str, str]:
    """Run the handler in a fresh process that sees nothing of the user's AWS configuration."""
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    variables = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": endpoint, "TABLE_NAME": "Orders"}
    done = subprocess.run(
        [sys.executable, "-c", INVOKE, json.dumps(event), str(milliseconds)],
        cwd=FUNCTIONS,
        env={**nowhere, **credentials, **variables, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_statements_reach_dynamodb_as_they_reach_a_table_in_memory() -> None:
    remote, local = Table(), Table()
    event = sqs_event(body(), "bad", body(orderId="\u00e9\x00\U0001f4e6", note=[1.5, None, {"x": True}]))
    with dynamodb(remote) as endpoint:
        code, output, errors = invoke(event, endpoint)
    assert (code, errors) == (0, "")
    *lines, answer = [json.loads(line) for line in output.splitlines()]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [line["level"] for line in lines] == ["WARN", "INFO"]
    store_of(local).write([orders.parse(event["Records"][index]["body"]) for index in (0, 2)], 10)
    assert remote.calls == local.calls
    assert remote.items == local.items


def test_a_dynamodb_that_only_fails_is_answered_before_the_deadline() -> None:
    with dynamodb(Table(), status=503) as endpoint:
        code, output, errors = invoke(sqs_event(body()), endpoint, milliseconds=900)
    assert (code, errors) == (0, "")
    assert json.loads(output.splitlines()[-1]) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert "DynamoDB answered 503" in output


def test_the_log_level_of_the_function_is_obeyed() -> None:
    with dynamodb(Table()) as endpoint:
        _, output, _ = invoke(sqs_event(body()), endpoint, AWS_LAMBDA_LOG_LEVEL="ERROR")
    assert output.splitlines() == ['{"batchItemFailures": []}']


def test_a_missing_table_name_stops_the_function_while_it_initialises() -> None:
    code, output, errors = invoke({}, "http://127.0.0.1:9", TABLE_NAME="", AWS_LAMBDA_FUNCTION_NAME="ProcessOrder")
    assert (code, output) == (1, "")
    assert "TABLE_NAME must name the function's table, got '': set it on the function" in errors
    assert "in <module>\n    _store()" in errors


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_missing_region_or_credential_stops_the_function_while_it_initialises(name: str) -> None:
    given: Any = {name: "", "AWS_LAMBDA_FUNCTION_NAME": "ProcessOrder"}
    code, output, errors = invoke({}, "http://127.0.0.1:9", **given)
    assert (code, output) == (1, "")
    assert f"RuntimeError: {name} must be set, as Lambda sets it from the function's role and region" in errors


def test_the_handler_needs_the_standard_library_alone() -> None:
    program = "import sys, process_order.lambda_function; print(*{n.partition('.')[0] for n in sys.modules})"
    command = [sys.executable, "-S", "-c", program]  # -S: without the packages that are installed
    done = subprocess.run(command, cwd=FUNCTIONS, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= sys.stdlib_module_names | {"process_order", "__main__"}

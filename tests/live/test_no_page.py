"""`./orders local --no-page --debug`: an editor and plain boto3 reach the cloud, and it leaves nothing behind."""

import itertools
import json
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from tests.ops.cloud import order
from tests.tree import copied, processes_using, start
from tools.cloud.cloud import free_port
from tools.ops.publish import publish
from tools.ops.sending import Pace
from tools.ops.stack import connect
from tools.ops.table import item, wait_until_stored

EXAMPLE = "docs/examples/orders.jsonl"


class Editor:
    """Speaks the Debug Adapter Protocol.

    https://microsoft.github.io/debug-adapter-protocol/overview
    """

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=30)
        self._stream = self._socket.makefile("rwb")
        self._numbers = itertools.count(1)

    def leave(self) -> None:
        self._stream.close()
        self._socket.close()

    def ask(self, command: str, **arguments: Any) -> None:
        body = json.dumps({"seq": next(self._numbers), "type": "request", "command": command, "arguments": arguments})
        self._stream.write(f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        self._stream.flush()

    def wait_for(self, name: str) -> dict[str, Any]:
        """The next event of a name, or answer to a command."""
        while True:
            header = self._stream.readline() + self._stream.readline()
            said = json.loads(self._stream.read(int(header.split()[1])))
            if name in (said.get("event"), said.get("command")):
                return dict(said.get("body", said))


class Local(NamedTuple):
    """A cloud that runs, and the project, which it was started from."""

    project: Path
    outputs: Path
    temporary: Path
    process: subprocess.Popen[str]
    debugger: int


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    project, folder = copied(tmp_path_factory.mktemp("project")), tmp_path_factory.mktemp("local")
    port = free_port(None)
    outputs, temporary = folder / "o.json", folder / "temporary"
    process = start(project, temporary, "local", "--no-page", "--debug", str(port), "--outputs", str(outputs))
    yield Local(project, outputs, temporary, process, port)
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def printed(local: Local) -> list[str]:
    """What it says before the log."""
    assert local.process.stdout
    return list(itertools.takewhile(lambda line: not line.startswith("Ctrl-C stops it"), local.process.stdout))


def told_of_a_stored_order(local: Local) -> bool:
    """Whether the log, as it is printed, goes on to tell of an order that was stored."""
    return any("1 records: 1 stored" in line for line in local.process.stdout or ())


def test_a_breakpoint_stops_the_function_for_longer_than_its_time_limit(local: Local, printed: list[str]) -> None:
    source = local.project / "functions/process_order/lambda_function.py"
    line = 1 + source.read_text()[: source.read_text().index("    return process(event")].count("\n")
    [shown] = re.findall(r"```json\n(.*?)```", (local.project / "docs/live.md").read_text(), re.DOTALL)
    launch, sent = json.loads(shown), order()
    assert launch["connect"] == {"host": "127.0.0.1", "port": 5678}
    editor, stack = Editor("127.0.0.1", local.debugger), connect(stack=None, outputs=str(local.outputs))
    editor.ask("initialize", adapterID=launch["type"])
    editor.ask(launch["request"], **launch)
    editor.wait_for("initialized")
    editor.ask("setBreakpoints", source={"path": str(source)}, breakpoints=[{"line": line}])
    assert editor.wait_for("setBreakpoints")["breakpoints"][0]["verified"]
    editor.ask("configurationDone")
    assert not publish(stack, [json.dumps(sent)], pace=Pace(None))
    thread = editor.wait_for("stopped")["threadId"]
    editor.ask("stackTrace", threadId=thread)
    top = editor.wait_for("stackTrace")["stackFrames"][0]
    assert (top["source"]["path"], top["line"]) == (str(source), line)
    limit = stack.client("lambda").get_function_configuration(FunctionName=stack["functionName"])["Timeout"]
    time.sleep(limit + 0.5)
    assert item(stack, sent["orderId"]) is None
    editor.ask("setBreakpoints", source={"path": str(source)}, breakpoints=[])
    editor.ask("continue", threadId=thread)
    assert not wait_until_stored(stack, {sent["orderId"]: "2"}, seconds=20)
    assert told_of_a_stored_order(local)
    editor.leave()


def test_it_serves_plain_boto3_and_the_command_that_it_prints_and_leaves_nothing_when_told_to_stop(
    local: Local, printed: list[str]
) -> None:
    addresses, process = json.loads(local.outputs.read_text()), local.process
    assert set(addresses) == {
        *("endpoint", "region", "accountId", "caBundle", "accessKeyId", "secretAccessKey", "outputs")
    }
    assert stat.S_IMODE(local.outputs.stat().st_mode) == 0o600
    assert addresses["outputs"]["topicArn"] in "".join(printed)
    command = "".join(printed[next(n for n, line in enumerate(printed) if line.startswith("echo ")) :])
    done = subprocess.run(command, shell=True, cwd=local.project, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("published 1 of 1 orders"), done.stderr
    table = boto3.client(
        "dynamodb",
        endpoint_url=addresses["endpoint"],
        region_name=addresses["region"],
        verify=addresses["caBundle"],
        aws_access_key_id=addresses["accessKeyId"],
        aws_secret_access_key=addresses["secretAccessKey"],
    )
    key = {"orderId": {"S": json.loads((local.project / EXAMPLE).read_text().splitlines()[0])["orderId"]}}
    assert told_of_a_stored_order(local)
    stored = table.get_item(TableName=addresses["outputs"]["tableName"], Key=key)["Item"]
    assert stored["itemName"] == {"S": "Laptop"}
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert not local.outputs.exists()
    assert not list(local.temporary.iterdir())
    assert not processes_using(local.temporary.parent)

"""The stack alone, without a page: what serves plain boto3 and an editor, and leaves nothing when told to stop."""

import itertools
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.cloud.test_commands import processes_using
from tests.live.conftest import wait_until
from tests.ops.cloud import order
from tools.cloud.cloud import free_port
from tools.ops.publish import publish
from tools.ops.sending import Pace
from tools.ops.stack import connect
from tools.ops.table import item, wait_until_stored
from tools.root import ROOT

EXAMPLE = json.loads((ROOT / "docs/examples/orders.jsonl").read_text().splitlines()[0])
SOURCE = ROOT / "functions/process_order/lambda_function.py"
LINE = 1 + SOURCE.read_text()[: SOURCE.read_text().index("    return process(event")].count("\n")


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


@dataclass(frozen=True, kw_only=True)
class Alone:
    """`./orders local --no-page --debug`."""

    process: subprocess.Popen[bytes]
    folder: Path
    """With what it writes, and nothing else."""
    port: int
    """Of the debugger."""

    @property
    def outputs(self) -> Path:
        return self.folder / "outputs.json"

    def text(self) -> str:
        return (self.folder / "printed.txt").read_text()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    folder, port = tmp_path_factory.mktemp("alone"), free_port(None)
    (folder / "temporary").mkdir()
    line = [sys.executable, "-m", "tools", "local", "--no-page", "--debug", str(port)]
    line += ["--outputs", str(folder / "outputs.json")]
    environment = {**os.environ, "TMPDIR": str(folder / "temporary"), "PYTHONUNBUFFERED": "1"}
    with (
        (folder / "printed.txt").open("wb") as out,
        subprocess.Popen(line, cwd=ROOT, env=environment, stdout=out, stderr=out) as process,
    ):
        started = Alone(process=process, folder=folder, port=port)
        try:
            wait_until(lambda: "Ctrl-C stops it" in started.text() or process.poll(), 60, started.text)
            yield started
        finally:
            process.send_signal(signal.SIGTERM)


def test_a_breakpoint_stops_the_function_for_longer_than_its_time_limit(alone: Alone) -> None:
    [shown] = re.findall(r"```json\n(.*?)```", (ROOT / "docs/live.md").read_text(), re.DOTALL)
    launch, sent = json.loads(shown), order()
    assert launch["connect"] == {"host": "127.0.0.1", "port": 5678}
    editor, stack = Editor(launch["connect"]["host"], alone.port), connect(stack=None, outputs=str(alone.outputs))
    editor.ask("initialize", adapterID=launch["type"])
    editor.ask(launch["request"], **launch)
    editor.wait_for("initialized")
    editor.ask("setBreakpoints", source={"path": str(SOURCE)}, breakpoints=[{"line": LINE}])
    assert editor.wait_for("setBreakpoints")["breakpoints"][0]["verified"]
    editor.ask("configurationDone")
    assert not publish(stack, [json.dumps(sent)], pace=Pace(None))
    thread = editor.wait_for("stopped")["threadId"]
    editor.ask("stackTrace", threadId=thread)
    top = editor.wait_for("stackTrace")["stackFrames"][0]
    assert (top["source"]["path"], top["line"]) == (str(SOURCE), LINE)
    limit = stack.client("lambda").get_function_configuration(FunctionName=stack["functionName"])["Timeout"]
    time.sleep(limit + 0.5)
    assert item(stack, sent["orderId"]) is None
    editor.ask("setBreakpoints", source={"path": str(SOURCE)}, breakpoints=[])
    editor.ask("continue", threadId=thread)
    assert not wait_until_stored(stack, {sent["orderId"]: "2"}, seconds=20)
    editor.leave()


def test_it_serves_plain_boto3_and_the_command_that_it_prints_and_leaves_nothing_when_told_to_stop(
    alone: Alone,
) -> None:
    addresses = json.loads(alone.outputs.read_text())
    assert set(addresses) == {
        *("endpoint", "region", "accountId", "caBundle", "accessKeyId", "secretAccessKey", "outputs")
    }
    assert stat.S_IMODE(alone.outputs.stat().st_mode) == 0o600
    assert addresses["outputs"]["topicArn"] in alone.text()
    [command] = re.findall(r"^(echo .*?)\n\n", alone.text(), re.MULTILINE | re.DOTALL)
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("published 1 of 1 orders"), done.stderr
    wait_until(lambda: f"message stored · order {EXAMPLE['orderId']}" in alone.text(), 20, alone.text)
    table = boto3.client(
        "dynamodb",
        endpoint_url=addresses["endpoint"],
        region_name=addresses["region"],
        verify=addresses["caBundle"],
        aws_access_key_id=addresses["accessKeyId"],
        aws_secret_access_key=addresses["secretAccessKey"],
    )
    key = {"orderId": {"S": EXAMPLE["orderId"]}}
    stored = table.get_item(TableName=addresses["outputs"]["tableName"], Key=key)["Item"]
    assert stored["itemName"] == {"S": "Laptop"}
    alone.process.send_signal(signal.SIGTERM)
    assert alone.process.wait(20) == 0
    assert not alone.outputs.exists()
    assert not list((alone.folder / "temporary").iterdir())
    assert not processes_using(alone.folder)

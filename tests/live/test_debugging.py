"""An editor attaches to the function's worker as docs/live.md says, and takes its time."""

import itertools
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import wait_until
from tests.ops.cloud import order
from tools.cloud.cloud import free_port
from tools.ops.publish import publish
from tools.ops.sending import Pace
from tools.ops.stack import connect
from tools.ops.table import item, wait_until_stored
from tools.root import ROOT

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


@pytest.fixture
def debugged(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    outputs, printed, port = tmp_path / "outputs.json", tmp_path / "printed.txt", free_port(None)
    line = [sys.executable, "-m", "tools", "local", "--no-page", "--debug", str(port), "--outputs", str(outputs)]
    with printed.open("wb") as out, subprocess.Popen(line, cwd=ROOT, stdout=out, stderr=out) as process:
        try:
            wait_until(lambda: "An editor attaches" in printed.read_text() or process.poll(), 60, printed.read_text)
            yield outputs, port
        finally:
            process.send_signal(signal.SIGINT)


def test_a_breakpoint_stops_the_function_for_longer_than_its_time_limit(debugged: tuple[Path, int]) -> None:
    outputs, port = debugged
    [shown] = re.findall(r"```json\n(.*?)```", (ROOT / "docs/live.md").read_text(), re.DOTALL)
    launch, sent = json.loads(shown), order()
    assert launch["connect"] == {"host": "127.0.0.1", "port": 5678}
    editor, stack = Editor(launch["connect"]["host"], port), connect(stack=None, outputs=str(outputs))
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

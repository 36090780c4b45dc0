"""Lambda's runtime API on the loopback interface, and AWS's own runtime client that runs the archive on it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

from components.package import FUNCTIONS, PROCESS_ORDER
from tests.handler.peer import KEYS

PATIENCE = 60
TOKEN = "session-token-secret"


@contextmanager
def serving(answer: Callable[[str, bytes], tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """Serve `answer` (path and body to status, headers and body); an idle connection is closed soon, as AWS does."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 0.5

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, text = answer(self.path, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that is killed hangs up
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


@dataclass
class Lambda:
    """A function that runs under AWS's runtime client."""

    log: Path
    events: "Queue[tuple[Any, float]]"
    answers: "Queue[tuple[str, Any]]"

    def invoke(self, event: Any, seconds: float = 30) -> Any:
        """Invoke it with so much time; an error of the function is a failed test."""
        self.events.put((event, time.time() + seconds))
        path, answer = self.answers.get(timeout=PATIENCE)
        assert path.endswith("/response"), (path, answer)
        return answer

    @property
    def output(self) -> str:
        return self.log.read_text()


@contextmanager
def running(folder: Path, table: Callable[[str, bytes], tuple[int, dict[str, str], bytes]]) -> Iterator[Lambda]:
    """Run the archive's files at the level DEBUG, for as long as the block runs."""
    (folder / "process_order").mkdir()
    for file in PROCESS_ORDER:
        shutil.copy(FUNCTIONS / "process_order" / file, folder / "process_order")
    events: Queue[tuple[Any, float]] = Queue()
    answers: Queue[tuple[str, Any]] = Queue()

    def api(path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if not path.endswith("/next"):
            answers.put((path, json.loads(body)))
            return 202, {}, b"{}"
        event, deadline = events.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "request-1",
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
        }
        return 200, {**headers, "Content-Type": "application/json"}, json.dumps(event).encode()

    with serving(api) as address, serving(table) as endpoint, (folder / "log").open("w") as log:
        command = [sys.executable, "-m", "awslambdaric", "process_order.lambda_function.lambda_handler"]
        environment = _environment(address, endpoint)
        with subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                yield Lambda(folder / "log", events, answers)
            finally:
                process.kill()
                process.wait()
                events.put(({}, 0))  # so that the thread that serves /next ends


def _environment(address: str, endpoint: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if "site-packages" in path),
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "ProcessOrder",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
        **KEYS,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_ENDPOINT_URL": f"http://{endpoint}",
        "TABLE_NAME": "Orders",
    }

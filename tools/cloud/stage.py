"""The local cloud of a rehearsal: nobody waits long in it, and it writes down who got what and who was refused."""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import iam_actions
from ministack.core.concurrency import esm_wake
from ministack.services import lambda_svc

from tools.cloud import emulator

RECEIVED, REFUSED, HELD = "received.jsonl", "refused.jsonl", "held"
"""In the cloud's folder: what functions got, who was refused what, and a file that holds back what they would get."""
AGAIN = 0.3
"""Seconds after which a message that was not stored is received again, in place of its visibility timeout."""


def main(port: int, folder: str, certificate: str, key: str) -> None:
    """Serve as the local cloud does."""
    place = Path(folder)
    lambda_svc._poll_sqs = _holding(lambda_svc._poll_sqs, place / HELD)  # noqa: SLF001 - there is no other way in
    lambda_svc._execute_function = _telling(lambda_svc._execute_function, _writer(place / RECEIVED))  # noqa: SLF001
    lambda_svc._run_sqs_batch = _hastened(lambda_svc._run_sqs_batch)  # noqa: SLF001
    iam_actions.access_denied_response = _noted(iam_actions.access_denied_response, _writer(place / REFUSED))
    emulator.main(port, folder, certificate, key)


def _writer(path: Path) -> Callable[[dict[str, Any]], None]:
    lock = threading.Lock()

    def write(line: dict[str, Any]) -> None:
        with lock, path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    return write


def _holding(poll: Callable[[], bool], held: Path) -> Callable[[], bool]:
    return lambda: False if held.exists() else poll()


def _telling(execute: Callable[..., Any], write: Callable[[dict[str, Any]], None]) -> Callable[..., Any]:
    def executing(function: Any, event: Any, *rest: Any, **more: Any) -> Any:
        records = event["Records"]
        write({"running": 1, "queue": records[0]["eventSourceARN"], "bodies": [each["body"] for each in records]})
        started, done = time.monotonic(), {"running": -1, "error": "", "log": ""}
        try:
            result = execute(function, event, *rest, **more)
            done["log"] = str(result.get("log", ""))
            if result.get("error"):
                done["error"] = str(result["body"].get("errorMessage"))
        finally:
            write({**done, "seconds": time.monotonic() - started})
        return result

    return executing


def _hastened(run: Callable[..., None]) -> Callable[..., None]:
    """Messages that a batch leaves in the queue are there again at once; running functions keep their time."""

    def running(esm: Any, function: Any, event: Any, batch: list[dict[str, Any]], *rest: Any) -> None:
        try:
            run(esm, function, event, batch, *rest)
        finally:
            lambda_svc._esm_backoff_until.pop(esm["UUID"], None)  # noqa: SLF001
            for message in batch:
                message["visible_at"] = min(message["visible_at"], time.time() + AGAIN)
            threading.Timer(AGAIN + 0.05, esm_wake.set).start()

    return running


def _noted(respond: Callable[..., Any], write: Callable[[dict[str, Any]], None]) -> Callable[..., Any]:
    def responding(service: str, action: str, principal: str, *rest: Any, **more: Any) -> Any:
        write({"action": action, "principal": principal})
        return respond(service, action, principal, *rest, **more)

    return responding


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:5])

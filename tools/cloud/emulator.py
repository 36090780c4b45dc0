"""The local cloud's own process: MiniStack on one loopback port, gone with everything it made when its parent goes."""

import asyncio
import importlib
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from tools.cloud import debugger
from tools.cloud.published import remembering
from tools.cloud.undelivered import keeping_undelivered

BUNDLED = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""What Lambda's Python has besides the standard library.

https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""
REMEMBER, DEBUG = "ORDERS_REMEMBER", "ORDERS_DEBUG"
"""Variables: the file in which what is published is remembered, and the port where an editor reaches the function."""


def main(port: int, folder: str, certificate: str, key: str) -> None:
    """Serve until standard input ends: when the parent closes it, or dies in whatever way."""
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    from ministack.app import app  # reads the environment and starts threads when imported
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc, sns, sqs

    execute, bundled = _telling_crashes(lambda_svc._execute_function_warm), [*BUNDLED]  # noqa: SLF001
    if debugged := os.environ.get(DEBUG):
        execute, bundled = debugger.unhurried(execute), [*BUNDLED, "debugpy"]  # which Pulumi's SDK brings
        lambda_svc._sqs_esm_concurrency = lambda *_: 1  # noqa: SLF001 - one worker, which is the one that is looked at
    lambda_svc._execute_function_warm = execute  # noqa: SLF001
    first = _hide_packages(bundled, Path(folder) / "bundled") + (debugger.script(int(debugged)) if debugged else "")
    detect = lambda_runtime._detect_runtime_binary  # noqa: SLF001
    lambda_runtime._detect_runtime_binary = _beginning_with(first, detect)  # noqa: SLF001
    sns._deliver_to_sqs = keeping_undelivered(sns._deliver_to_sqs, sns, sqs)  # noqa: SLF001
    if remembered := os.environ.get(REMEMBER):
        sns._fanout = remembering(sns._fanout, Path(remembered))  # noqa: SLF001
    # MiniStack's own main would also serve on port 443 where it may, and leave a file with its process number.
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.certfile, config.keyfile = certificate, key
    config.keep_alive_timeout = 75
    asyncio.run(serve(_for_us_alone(app, os.environ["AWS_SECRET_ACCESS_KEY"].encode()), config))


def _for_us_alone(app: Any, key: bytes) -> Any:
    """Answer at MiniStack's own paths, which ask for no signature, only who knows the account's key."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        own = scope["type"] == "http" and re.match(r"/(_|health)", scope["path"])
        if own and dict(scope["headers"]).get(b"x-orders-key") != key:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body"})
            return
        await app(scope, receive, send)

    return guarded


def _hide_packages(bundled: Iterable[str], folder: Path) -> str:
    """Lines by which a function in Python can import what it could on Lambda, and nothing else of what is here."""
    folder.mkdir(exist_ok=True)
    for name in bundled:
        place = Path(str(importlib.import_module(name).__file__))
        place = place.parent if place.name == "__init__.py" else place
        (folder / place.name).unlink(missing_ok=True)
        (folder / place.name).symlink_to(place)
    hide = f"import sys\nown = [p for p in sys.path if p.startswith({sys.base_prefix!r}) and '-packages' not in p]\n"
    return hide + f"sys.path[:] = [*own, {str(folder)!r}]\n"


def _beginning_with(first: str, detect: Callable[[str], tuple[str, str]]) -> Callable[[str], tuple[str, str]]:
    """Let the workers of functions in Python run some lines first."""

    def detecting(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return binary, first + script if runtime.startswith("python") else script

    return detecting


def _telling_crashes(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Log a crash as Lambda does in JSON: one record with level, type and stack trace.

    MiniStack logs a traceback line by line, without a level, and nothing at all of a function that cannot be loaded.
    https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
    """

    def executing(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result = execute(function, event, request_id)
        message = str(result["body"]["errorMessage"]) if result.get("error") else ""
        if not message or message.endswith(" stderr: "):  # a worker that MiniStack ended because another one failed
            return result
        printed, start, trace = result["log"].partition("Traceback (most recent call last):\n")
        unloadable = message.startswith("Worker init failed: ")
        record = {
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": "ERROR",
            "requestId": request_id,
            "errorType": "Runtime.ImportModuleError" if unloadable else _type(trace) or result["body"]["errorType"],
            "errorMessage": message.removeprefix("Worker init failed: "),
            "stackTrace": _frames(trace),
        }
        result["log"] = f"{printed if start else ''}{json.dumps(record)}"
        return result

    return executing


def _type(trace: str) -> str:
    """The exception that a traceback ends with; empty without one."""
    named = re.findall(r"^([A-Za-z_][\w.]*)(?=:|$)", trace, re.MULTILINE)
    return str(named[-1]) if named else ""


def _frames(trace: str) -> list[str]:
    """The function's own frames, as if it ran where Lambda puts it."""
    frames = re.findall(r"^  File .*\n(?:    .*\n)*", trace, re.MULTILINE)
    return [re.sub(r'"[^"]*/code/', '"/var/task/', frame) for frame in frames if "/_worker.py" not in frame]


def _end_with_parent(folder: str) -> None:
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgid(0), signal.SIGKILL)  # this process and its function workers, which share its group


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:5])

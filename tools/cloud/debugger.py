"""Lets an editor attach to the function's worker, which then has all the time that a person needs."""

from collections.abc import Callable
from typing import Any

from tools.root import ROOT

FUNCTION = "ProcessOrder"
UNHURRIED = 24 * 60 * 60
"""Seconds that an invocation may take, and the handler believes to have."""
SCRIPT = """
import json, os, time
if os.environ["AWS_LAMBDA_FUNCTION_NAME"] == {function!r}:
    paths = [[{sources!r}, os.path.join(os.path.dirname(os.path.abspath(__file__)), "code")]]
    os.environ.update(PATHS_FROM_ECLIPSE_TO_PYTHON=json.dumps(paths), PYDEVD_DISABLE_FILE_VALIDATION="1")
    import debugpy
    for _ in range(50):  # the worker before this one may not have left the port yet
        try:
            debugpy.listen(("127.0.0.1", {port}))
            break
        except RuntimeError:
            time.sleep(0.1)
"""
"""What a worker runs first; its code is shown as the files that it was made from."""


def script(port: int) -> str:
    """The lines by which a worker of the function lets an editor attach to it."""
    return SCRIPT.format(function=FUNCTION, sources=str(ROOT / "functions"), port=port)


def unhurried(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Run a function without its time limit."""

    def executing(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        slow = {**function, "config": {**function["config"], "Timeout": UNHURRIED}}
        return execute(slow, event, request_id)

    return executing

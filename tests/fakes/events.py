"""Orders, SQS events and what Lambda gives beside them, to be sent to the handler."""

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from functions.process_order import orders as contract
from functions.process_order.lambda_function import process
from functions.process_order.orders import Order, Rejected, parse
from functions.process_order.store import Store

SCHEMA: dict[str, Any] = json.loads(Path(contract.__file__).with_name("order.schema.json").read_text())
EXAMPLE: dict[str, Any] = SCHEMA["examples"][0]


@dataclass(frozen=True)
class Context:
    """What the handler reads of Lambda's context."""

    milliseconds: int = 30_000
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Tell the time until the function is stopped."""
        return self.milliseconds


def body(**changes: Any) -> str:
    """Spell the example order with some attributes changed or added."""
    return json.dumps({**EXAMPLE, **changes})


def without(name: str) -> str:
    """Spell the example order without one attribute."""
    return json.dumps({key: value for key, value in EXAMPLE.items() if key != name})


def orders(count: int, start: int = 0, **changes: Any) -> list[Order]:
    """Read as many orders as are asked for, all of them like the example; their ids are O0, O1 and so on."""
    return [parse(body(orderId=f"O{index}", **changes)) for index in range(start, start + count)]


def reason(text: object) -> str:
    """Tell why a body is rejected; a test fails if it is not."""
    with pytest.raises(Rejected) as rejected:
        parse(text)
    return str(rejected.value)


def sqs_event(*bodies: Any) -> dict[str, Any]:
    """Make the event of a batch; its messageIds are m0, m1 and so on."""
    return {"Records": [{"messageId": f"m{index}", "body": text} for index, text in enumerate(bodies)]}


@dataclass(frozen=True)
class Run:
    """What one invocation answered and logged."""

    failed: list[str]
    lines: list[dict[str, Any]]
    output: str

    @property
    def summary(self) -> dict[str, Any]:
        """Find the one line about the whole batch."""
        [line] = [line for line in self.lines if line["message"] == "batch processed"]
        return line


def run(event: Any, store: Store, *, level: str = "INFO", context: Context | None = None) -> Run:
    """Invoke the handler; every line that it writes must be a JSON object."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        answer = process(event, context or Context(), store, level=level)
    assert list(answer) == ["batchItemFailures"]
    assert all(list(failure) == ["itemIdentifier"] for failure in answer["batchItemFailures"])
    text = output.getvalue()
    return Run(
        failed=[failure["itemIdentifier"] for failure in answer["batchItemFailures"]],
        lines=[json.loads(line) for line in text.splitlines()],
        output=text,
    )

"""The pipeline that the page shows: its stack as it is now, and the contract of the code that is deployed."""

import importlib.util
import json
from pathlib import Path
from typing import Any

from functions.process_order import orders
from tools.ops.stack import Stack

SERVICES = ("sns", "sqs", "dynamodb", "logs", "lambda", "cloudwatch", "iam")


class Pipeline:
    """What the feed, the buttons and the outage work on; all of them follow when the stack is another one."""

    def __init__(self, stack: Stack) -> None:
        self._judged_by = ""
        self.use(stack)

    def use(self, stack: Stack) -> None:
        """From now on this one: the program that was applied may export other queues and functions than before."""
        for service in SERVICES:  # threads share the clients, and must not be the first to ask for one
            stack.client(service)
        self.stack = stack
        self.log_groups = {name: self._log_group(name) for name in stack.functions}
        """Where each function writes; the function that stores the orders is first."""
        self.reads = {name: self._queues(name) for name in stack.functions}
        """The names of the queues that each function reads."""

    def refresh_contract(self) -> None:
        """Judge orders as the deployed function does: load the contract again once its code is another.

        A file that does not load keeps what was loaded before, as the function that runs does. Raises what the file
        raises, and it is tried again.
        """
        found = self._function(self.stack["functionName"])
        if found["CodeSha256"] == self._judged_by:
            return
        if self._judged_by:
            spec = importlib.util.spec_from_file_location(orders.__name__, Path(orders.__file__))
            assert spec
            assert spec.loader
            loaded = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(loaded)
            vars(orders).update({name: value for name, value in vars(loaded).items() if not name.startswith("__")})
        self._judged_by = found["CodeSha256"]

    def fields(self) -> list[tuple[str, Any]]:
        """The attributes of an order as the deployed function wants it, each with an example of its value."""
        schema = json.loads(Path(orders.__file__).with_name("order.schema.json").read_text())
        return [(name, schema["examples"][0].get(name, "")) for name in orders.ATTRIBUTES]

    def _log_group(self, function: str) -> str:
        return str(self._function(function)["LoggingConfig"]["LogGroup"])

    def _queues(self, function: str) -> list[str]:
        found = self.stack.client("lambda").list_event_source_mappings(FunctionName=function)
        return [mapping["EventSourceArn"].rpartition(":")[2] for mapping in found["EventSourceMappings"]]

    def _function(self, name: str) -> dict[str, Any]:
        return dict(self.stack.client("lambda").get_function_configuration(FunctionName=name))

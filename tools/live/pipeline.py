"""The pipeline that the page shows: its stack as it is now, and the contract of the code that is deployed."""

import json
import types
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
        stack.log_groups  # noqa: B018 - nor the first to ask where the logs are
        self.readers = {name: stack.function_of(name) for name in stack.dead_letters}
        """The function that reads each consumer's queue, if it is one of the stack's."""
        self.stack = stack

    def refresh_contract(self) -> bool:
        """Judge orders as the deployed function does: load the contract again once its code is another; tell if it is.

        A file that does not load keeps what was loaded before, as the function that runs does. Raises what the file
        raises, and it is tried again.
        """
        stack = self.stack
        found = stack.client("lambda").get_function_configuration(FunctionName=stack["functionName"])
        if found["CodeSha256"] == self._judged_by:
            return False
        if self._judged_by:
            file = Path(str(orders.__file__))
            loaded = types.ModuleType(orders.__name__)
            loaded.__package__ = orders.__package__
            exec(compile(file.read_bytes(), file, "exec"), vars(loaded))  # noqa: S102 - from its source, not from a cache
            vars(orders).update({name: value for name, value in vars(loaded).items() if not name.startswith("__")})
        self._judged_by = found["CodeSha256"]
        return True

    def fields(self) -> list[tuple[str, Any]]:
        """The attributes of an order as the deployed function wants it, each with an example of its value."""
        schema = json.loads(Path(str(orders.__file__)).with_name("order.schema.json").read_text())
        return [(name, schema["examples"][0].get(name, "")) for name in orders.ATTRIBUTES]

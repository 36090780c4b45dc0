"""Breaks DynamoDB for the function for a while, through its role: what a denied write does is real."""

import contextlib
import json
import threading
import time
from types import TracebackType

from botocore.exceptions import BotoCoreError, ClientError

from tools.ops.stack import Stack

POLICY = "live-outage"
DENY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}],
}
LONGEST = 600
"""Seconds that an outage may last."""


class Outage:
    """A switch that takes the function's rights on DynamoDB away; it turns itself back, at the latest at exit."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._until = 0.0
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> "Outage":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # The cloud may be gone already, and the role with it.
        with contextlib.suppress(BotoCoreError, ClientError):
            self.end()

    @property
    def left(self) -> float:
        """Seconds until it ends; 0 without one."""
        return max(0.0, self._until - time.monotonic())

    def start(self, seconds: float) -> None:
        with self._lock:
            self._stack.client("iam").put_role_policy(
                RoleName=self._role(), PolicyName=POLICY, PolicyDocument=json.dumps(DENY)
            )
            if self._timer:
                self._timer.cancel()
            self._until = time.monotonic() + seconds
            self._timer = threading.Timer(seconds, self.end)
            self._timer.daemon = True
            self._timer.start()

    def end(self) -> None:
        """Give the function its rights back; nothing happens where they are not taken."""
        with self._lock:
            if self._timer is None:
                return
            self._stack.client("iam").delete_role_policy(RoleName=self._role(), PolicyName=POLICY)
            self._timer.cancel()
            self._timer, self._until = None, 0.0

    def _role(self) -> str:
        found = self._stack.client("lambda").get_function_configuration(FunctionName=self._stack["functionName"])
        return str(found["Role"]).rpartition("/")[2]

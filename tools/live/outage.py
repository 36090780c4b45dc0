"""Breaks DynamoDB for the function for a while, through its role: what a denied write does is real."""

import contextlib
import json
import threading
import time
from types import TracebackType

from botocore.exceptions import BotoCoreError, ClientError

from tools.live.pipeline import Pipeline

POLICY = "live-outage"
DENY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}],
}
LONGEST = 600
"""Seconds that an outage may last."""


class Outage:
    """A switch that takes the function's rights on DynamoDB away, at the longest until exit."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._role = ""
        """Whose rights are taken away; empty: nobody's."""
        self._until = 0.0
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
        stack = self._pipeline.stack
        with self._lock:
            found = stack.client("lambda").get_function_configuration(FunctionName=stack["functionName"])
            role = str(found["Role"]).rpartition("/")[2]
            stack.client("iam").put_role_policy(RoleName=role, PolicyName=POLICY, PolicyDocument=json.dumps(DENY))
            self._role, self._until = role, time.monotonic() + seconds

    def end(self, *, only_if_due: bool = False) -> None:
        """Give the function its rights back; nothing happens where they are not taken."""
        with self._lock:
            if self._role and not (only_if_due and self.left):
                self._pipeline.stack.client("iam").delete_role_policy(RoleName=self._role, PolicyName=POLICY)
                self._role, self._until = "", 0.0

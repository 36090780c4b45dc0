"""A pipeline's resources on one side of a change, found by what others say of them."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from tools.review.changes import State
from tools.review.values import MISSING

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
FUNCTION = "aws:lambda/function:Function"
KEY = "aws:kms/key:Key"
LOG_FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
TABLE = "aws:dynamodb/table:Table"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
HOLDERS = {ROLE_POLICY: ("role", ROLE), QUEUE_POLICY: ("queueUrl", QUEUE), TOPIC_POLICY: ("arn", TOPIC)}
"""By type of a policy, the input that names what it belongs to, and that one's type."""

Documents = Sequence[Any]
"""Policies as plain values; a mark for one that is not known."""


class Pipeline:
    """The resources on one side of a change."""

    def __init__(self, states: Iterable[State]) -> None:
        self.states = [state for state in states if state.custom]
        self._by_urn = {state.urn: state for state in self.states}

    def all(self, type_: str) -> list[State]:
        return [state for state in self.states if state.type == type_]

    def now(self, state: State) -> State | None:
        """The same resource on this side."""
        return self._by_urn.get(state.urn)

    def of(self, state: State, input_: str, type_: str) -> State | None:
        """The resource that an input refers to: the one whose name it has, or that a value without one comes from."""
        value = state.get(input_)
        value = value[0] if isinstance(value, list) and value else value
        if found := self.named(type_, value):
            return found
        sources = [self._by_urn[urn] for urn in state.sources.get(input_, ()) if urn in self._by_urn]
        known = isinstance(value, str) and "…" not in value
        return next(
            (each for each in sources if each.type == type_ and not (known and isinstance(each.get("name"), str))), None
        )

    def named(self, type_: str, text: Any) -> State | None:
        """The resource with the physical name that an ARN, URL or name ends with, or with this ARN."""
        if not isinstance(text, str):
            return None
        return next((each for each in self.all(type_) if _is(text, each)), None)

    def policies(self, holder: State | None) -> Documents:
        """The policies that belong to a role, queue, topic or key."""
        if holder is None:
            return ()
        own = holder.get("policy") if holder.type in (KEY, QUEUE, TOPIC) else MISSING
        found = [] if own is MISSING else [own]
        for type_, (input_, kind) in HOLDERS.items():
            if kind == holder.type:
                found += [each.get("policy") for each in self.all(type_) if self.of(each, input_, kind) is holder]
        return found

    @cached_property
    def _place(self) -> list[str]:
        """The parts of the stack's ARNs, told from those in its inputs."""
        values = [state.get(key) for state in self.states for key in ("endpoint", "eventSourceArn", "topic", "arn")]
        arns = [value.split(":") for value in values if isinstance(value, str) and value.startswith("arn:")]
        return next((parts for parts in arns if len(parts) > 5), ["arn", "…", "…", "…", "…", "…"])

    @property
    def account(self) -> str:
        return self._place[4]

    @property
    def root(self) -> str:
        """The principal that stands for the account."""
        return f"arn:{self._place[1]}:iam::{self.account}:root"

    def arn(self, service: str, resource: str) -> str:
        return ":".join(["arn", self._place[1], service, *self._place[3:5], resource])


def _is(text: str, state: State) -> bool:
    name, arn = state.get("name"), state.outputs.get("arn")
    return (isinstance(name, str) and name != "" and (text == name or text.endswith((f":{name}", f"/{name}")))) or (
        isinstance(arn, str) and text == arn
    )

"""Every step of the pipeline has its alarms, they reach the operators, and the dashboard shows the same."""

import functools
import json
from typing import Any

from framework.aws import ALARM, FUNCTION, QUEUE, SUBSCRIPTION, TABLE, TOPIC
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockResourceArgs

from tests.defaults import record_defaults, recorded
from tools.recording.graph import Graph, recorded_answer

DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
RUNBOOK, EMAIL = "https://example.com/runbook", "ops@example.com"


def alarms(graph: Graph) -> dict[str, Any]:
    return {name: alarm.properties for name, alarm in graph.all(ALARM).items()}


def watched(graph: Graph) -> set[str]:
    """What the alarms watch, by its physical name."""
    values = {value for alarm in alarms(graph).values() for value in alarm.get("dimensions", {}).values()}
    return values - {"BatchExecuteStatement"}


def dashboard(graph: Graph) -> Any:
    (only,) = graph.all(DASHBOARD).values()
    return json.loads(only.properties["dashboardBody"])


def with_suffix(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
    """Answer as AWS does under auto-naming: no resource has the name that it has in the program."""
    named = MockResourceArgs(typ=args.typ, name=f"{args.name}-1a2b3c4", inputs=args.inputs)
    return recorded_answer("eu-west-1")(named)


@functools.cache
def told() -> Graph:
    """A stack under auto-naming that names its runbook and who is notified."""
    return record_defaults(config={"orders:alarmRunbook": RUNBOOK, "orders:alarmEmail": EMAIL}, answer=with_suffix)


def test_every_topic_queue_function_and_table_of_this_stack_has_an_alarm() -> None:
    graph = told()
    physical = {each.outputs["name"] for type_ in (TOPIC, QUEUE, FUNCTION, TABLE) for each in graph.all(type_).values()}
    assert all(name.endswith("-1a2b3c4") for name in physical)
    assert watched(graph) == physical - {"OrderAlarms-1a2b3c4"}  # the topic that they ring
    counted = {filter_.properties["logGroupName"] for filter_ in graph.all(FILTER).values()}
    assert counted == {"ProcessOrder-logs-1a2b3c4"}


def test_every_alarm_notifies_when_it_rings_and_when_it_is_over_and_is_silent_at_rest() -> None:
    topic = told().one(TOPIC, "OrderAlarms").outputs["arn"]
    for alarm in alarms(told()).values():
        assert alarm["alarmActions"] == alarm["okActions"] == [topic]
        assert "actionsEnabled" not in alarm
        assert "insufficientDataActions" not in alarm
        assert alarm["treatMissingData"] == "notBreaching"


def test_every_alarm_says_what_is_wrong_and_where_the_runbook_is() -> None:
    for name, alarm in alarms(told()).items():
        text = alarm["alarmDescription"]
        assert text.endswith(f". Runbook: {RUNBOOK}#{name.removeprefix('OrderAlarms-')}")
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        assert len(text) <= 1024


def test_an_address_that_was_set_as_a_secret_stays_one() -> None:
    given: set[str] = set()

    def seeing(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == SUBSCRIPTION:
            given.add(args.inputs["endpoint"])
        return recorded_answer("eu-west-1")(args)

    def endpoint(graph: Graph) -> Any:
        (email,) = [s for s in graph.all(SUBSCRIPTION).values() if s.properties["protocol"] == "email"]
        assert email.properties["endpoint"] == EMAIL
        return MessageToDict(email.request.object)["endpoint"]

    assert endpoint(told()) == EMAIL
    secret = record_defaults(config={"orders:alarmEmail": EMAIL}, answer=seeing, secrets=["orders:alarmEmail"])
    assert endpoint(secret) == {rpc._special_sig_key: rpc._special_secret_sig, "value": EMAIL}
    assert EMAIL in given  # what creates resources gets the address itself


def test_no_two_stacks_share_their_counts_or_their_dashboard() -> None:
    for stack, graph in (("dev", recorded()), ("prod", recorded(stack="prod"))):
        spaces = {each.properties["metricTransformation"]["namespace"] for each in graph.all(FILTER).values()}
        assert spaces == {f"orders/{stack}"}
        assert graph.exports["dashboardName"] == f"orders-{stack}"


def test_no_two_widgets_overlap_and_none_leaves_the_grid() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in dashboard(recorded())["widgets"]:
        columns = range(widget["x"], widget["x"] + widget["width"])
        cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
        assert columns.stop <= 24
        assert not cells & taken
        taken |= cells

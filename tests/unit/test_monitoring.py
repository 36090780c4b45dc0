"""Every step of the pipeline has its alarms, they reach the operators, and the dashboard shows the same."""

import json
from typing import Any

import pytest
from framework.stack import ALARM, FUNCTION, QUEUE, SUBSCRIPTION, TABLE, TOPIC
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockResourceArgs

from tests.defaults import record_defaults
from tests.unit.test_pipeline import STACKS, recorded, statements, tls_only
from tools.recording.graph import ACCOUNT, Graph, Resource, record, recorded_answer

DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"

WATCHED = {
    "OrderTopic": {
        ("NumberOfNotificationsFailed", "Sum"),
        ("NumberOfNotificationsFailedToRedriveToDlq", "Sum"),
    },
    "OrderTopic-dlq": {("ApproximateNumberOfMessagesVisible", "Maximum")},
    "OrderQueue": {("ApproximateAgeOfOldestMessage", "Maximum")},
    "OrderQueue-dlq": {("ApproximateNumberOfMessagesVisible", "Maximum")},
    "ProcessOrder": {("Errors", "Sum"), ("Throttles", "Sum"), ("Duration", "p99")},
    "Orders": {("WriteThrottleEvents", "Sum"), ("SystemErrors", "Sum")},
}
"""The alarms of each topic, queue, function and table, by its name."""


def alarms(graph: Graph) -> dict[str, Any]:
    return {name: alarm.properties for name, alarm in graph.all(ALARM).items()}


def statistic(alarm: Any) -> str:
    return str(alarm.get("statistic") or alarm["extendedStatistic"])


def dashboard(graph: Graph) -> Any:
    (only,) = graph.all(DASHBOARD).values()
    return json.loads(only.properties["dashboardBody"])


def with_suffix(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
    """Answer as AWS does under auto-naming: no resource has the name that it has in the program."""
    named = MockResourceArgs(typ=args.typ, name=f"{args.name}-1a2b3c4", inputs=args.inputs)
    return recorded_answer("eu-west-1")(named)


def test_every_topic_queue_function_and_table_has_its_alarms() -> None:
    graph = recorded(stack="dev")
    names = [name for type_ in (TOPIC, QUEUE, FUNCTION, TABLE) for name in graph.all(type_)]
    assert sorted({*names} - {"OrderAlarms"}) == sorted(WATCHED)  # a new one needs its alarms, and its line there
    watching: dict[str, set[tuple[str, str]]] = {name: set() for name in WATCHED}
    for alarm in alarms(graph).values():
        if "dimensions" in alarm:
            (name,) = set(alarm["dimensions"].values()) - {"BatchExecuteStatement"}
            watching[name].add((alarm["metricName"], statistic(alarm)))
    assert watching == WATCHED


def test_alarms_point_at_the_resources_of_this_stack() -> None:
    graph = record_defaults(answer=with_suffix)
    physical = {r.outputs["name"] for type_ in (TOPIC, QUEUE, FUNCTION, TABLE) for r in graph.all(type_).values()}
    assert all(name.endswith("-1a2b3c4") for name in physical)
    values = {value for alarm in alarms(graph).values() for value in alarm.get("dimensions", {}).values()}
    assert values - {"BatchExecuteStatement"} == physical - {"OrderAlarms-1a2b3c4"}
    assert {filter_.properties["logGroupName"] for filter_ in graph.all(FILTER).values()} == {
        "ProcessOrder-logs-1a2b3c4"
    }


def test_rejected_and_failed_orders_have_their_alarms() -> None:
    counted = {a["metricName"] for a in alarms(recorded(stack="dev")).values() if a["namespace"] == "orders/dev"}
    assert counted == {"rejected", "failed"}


@pytest.mark.parametrize("stack", STACKS)
def test_every_alarm_notifies_when_it_rings_and_when_it_is_over(stack: str) -> None:
    graph = recorded(stack=stack)
    topic = graph.one(TOPIC, "OrderAlarms").outputs["arn"]
    for alarm in alarms(graph).values():
        assert alarm["alarmActions"] == alarm["okActions"] == [topic]
        assert "actionsEnabled" not in alarm
        assert "insufficientDataActions" not in alarm


@pytest.mark.parametrize("stack", STACKS)
def test_a_pipeline_at_rest_rings_no_alarm(stack: str) -> None:
    assert {alarm["treatMissingData"] for alarm in alarms(recorded(stack=stack)).values()} == {"notBreaching"}


@pytest.mark.parametrize("stack", STACKS)
def test_a_single_dead_letter_rings(stack: str) -> None:
    depths = [a for a in alarms(recorded(stack=stack)).values() if a["metricName"].endswith("MessagesVisible")]
    assert len(depths) == 2
    for alarm in depths:
        assert (alarm["comparisonOperator"], alarm["threshold"]) == ("GreaterThanThreshold", 0)
        assert (alarm["period"], alarm["evaluationPeriods"], alarm["datapointsToAlarm"]) == (60, 1, 1)


def test_what_must_never_happen_rings_the_first_time() -> None:
    thresholds = {
        name.removeprefix("OrderAlarms-"): alarm["threshold"] for name, alarm in alarms(recorded(stack="dev")).items()
    }
    tolerated = {"orders-wait-too-long": 660, "function-slow": 24_000, "table-throttles-writes": 50}
    assert thresholds == dict.fromkeys(thresholds, 0) | tolerated


def test_what_heals_by_itself_rings_only_when_it_lasts_and_everything_else_at_once() -> None:
    watched = {
        name.removeprefix("OrderAlarms-"): (alarm["datapointsToAlarm"], alarm["evaluationPeriods"])
        for name, alarm in alarms(recorded(stack="dev")).items()
    }
    lasting = {"function-slow", "table-throttles-writes", "table-errors"}
    assert watched == {role: (3, 5) if role in lasting else (1, 1) for role in watched}


def test_the_dashboard_draws_every_graph_over_time() -> None:
    graphs = [w["properties"] for w in dashboard(recorded(stack="dev"))["widgets"] if w["type"] == "metric"]
    drawn = {(graph["view"], graph["period"], graph["yAxis"]["left"]["min"]) for graph in graphs}
    assert drawn == {("timeSeries", 60, 0)}


def test_each_outcome_has_a_colour_of_its_own_and_no_other_series_has_one() -> None:
    widgets = dashboard(recorded(stack="dev"))["widgets"]
    series = [each for widget in widgets for each in widget["properties"].get("metrics", [])]
    colours = {each[1]: each[-1]["color"] for each in series if "color" in each[-1]}
    assert colours.keys() == {"stored", "superseded", "rejected", "failed"}
    assert len(set(colours.values())) == 4


def test_every_alarm_says_what_is_wrong_and_where_the_runbook_is() -> None:
    runbook = "https://example.com/runbook"
    graph = record_defaults(config={"orders:alarmRunbook": runbook})
    for name, alarm in alarms(graph).items():
        text = alarm["alarmDescription"]
        assert text.endswith(f". Runbook: {runbook}#{name.removeprefix('OrderAlarms-')}")
        assert (
            len(text) <= 1024
        )  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html


THRESHOLDS = {
    "alarmOrderDelay": ("orders-wait-too-long", 3 * 180 + 7),
    "alarmDurationShare": ("function-slow", 30_000 * 7 / 100),
    "alarmFunctionErrors": ("function-errors", 7),
    "alarmThrottledWrites": ("table-throttles-writes", 7),
    "alarmRejectedOrders": ("orders-rejected", 7),
    "alarmFailedOrders": ("orders-failed", 7),
}


@pytest.mark.parametrize("key", THRESHOLDS)
def test_a_threshold_is_that_of_the_stack(key: str) -> None:
    def thresholds(graph: Graph) -> dict[str, Any]:
        return {name.removeprefix("OrderAlarms-"): alarm["threshold"] for name, alarm in alarms(graph).items()}

    role, expected = THRESHOLDS[key]
    changed = thresholds(record_defaults(config={f"orders:{key}": "7"}))
    assert changed == {**thresholds(recorded(stack="dev")), role: expected}


def test_the_age_alarm_tolerates_every_retry() -> None:
    config = {"orders:functionTimeout": "1", "orders:batchingWindow": "5", "orders:alarmOrderDelay": "1"}
    assert alarms(record_defaults(config=config))["OrderAlarms-orders-wait-too-long"]["threshold"] == 3 * 11 + 1


@pytest.mark.parametrize("stack", STACKS)
def test_the_alarm_topic_is_encrypted_and_open_to_this_account_s_alarms_only_over_tls(stack: str) -> None:
    graph = recorded(stack=stack)
    topic = graph.one(TOPIC, "OrderAlarms")
    assert topic.properties["kmsMasterKeyId"] == graph.exports["keyArn"]
    policy = graph.one("aws:sns/topicPolicy:TopicPolicy", "OrderAlarms-policy").properties
    assert policy["arn"] == topic.outputs["arn"]
    assert statements(policy["policy"]) == {
        "AlarmsNotify": {
            "Sid": "AlarmsNotify",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic.outputs["arn"],
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        },
        "TlsOnly": tls_only(topic.outputs["arn"], "sns:Publish"),
    }


def test_an_address_is_notified_where_one_is_configured() -> None:
    def emails(graph: Graph) -> list[Resource]:
        return [s for s in graph.all(SUBSCRIPTION).values() if s.properties["protocol"] == "email"]

    assert not emails(recorded(stack="dev"))
    (email,) = emails(record_defaults(config={"orders:alarmEmail": "ops@example.com"}))
    assert email.properties["endpoint"] == "ops@example.com"
    assert email.properties["topic"].endswith(":OrderAlarms")


def test_an_address_that_was_set_as_a_secret_stays_one() -> None:
    given: set[str] = set()

    def seeing(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == SUBSCRIPTION:
            given.add(args.inputs["endpoint"])
        return recorded_answer("eu-west-1")(args)

    def endpoint(**secrets: Any) -> Any:
        graph = record_defaults(config={"orders:alarmEmail": "ops@example.com"}, answer=seeing, **secrets)
        (email,) = [s for s in graph.all(SUBSCRIPTION).values() if s.properties["protocol"] == "email"]
        assert email.properties["endpoint"] == "ops@example.com"
        return MessageToDict(email.request.object)["endpoint"]

    assert endpoint() == "ops@example.com"
    assert endpoint(secrets=["orders:alarmEmail"]) == {
        rpc._special_sig_key: rpc._special_secret_sig,
        "value": "ops@example.com",
    }
    assert "ops@example.com" in given  # what creates resources gets the address itself


def test_no_two_stacks_share_their_counts_or_their_dashboard() -> None:
    namespaces = [
        {f.properties["metricTransformation"]["namespace"] for f in recorded(stack=stack).all(FILTER).values()}
        for stack in STACKS
    ]
    assert namespaces == [{f"orders/{stack}"} for stack in STACKS]
    assert [recorded(stack=stack).exports["dashboardName"] for stack in STACKS] == [f"orders-{s}" for s in STACKS]


def test_the_dashboard_reads_from_top_to_bottom_as_an_order_passes() -> None:
    widgets = dashboard(recorded(stack="dev"))["widgets"]
    assert [w["type"] for w in widgets] == ["alarm"] + ["metric"] * (len(widgets) - 1)
    titles = [w["properties"]["title"] for w in sorted(widgets[1:], key=lambda w: (w["y"], w["x"]))]
    assert list(dict.fromkeys(title.split(":")[0] for title in titles if "·" in title)) == [
        *("1 · Topic", "1 · Subscription's dead-letter queue"),
        *("2 · Queue", "2 · Dead-letter queue"),
        *("3 · Function", "4 · Orders", "5 · Table"),
    ]


def test_no_two_widgets_overlap_and_none_leaves_the_grid() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in dashboard(recorded(stack="dev"))["widgets"]:
        columns = range(widget["x"], widget["x"] + widget["width"])
        cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
        assert columns.stop <= 24
        assert not cells & taken
        taken |= cells


def test_the_dashboard_shows_the_state_of_every_alarm() -> None:
    graph = record(stack="dev")
    (states,) = [w["properties"]["alarms"] for w in dashboard(graph)["widgets"] if w["type"] == "alarm"]
    assert sorted(states) == sorted(alarm.outputs["arn"] for alarm in graph.all(ALARM).values())


def test_a_preview_of_a_new_stack_shows_what_each_alarm_watches_and_notifies() -> None:
    previewed = record_defaults(preview=True)
    urns = {resource.urn: resource.name for resource in previewed.resources}
    for name, alarm in previewed.all(ALARM).items():
        notified = alarm.property_dependencies["alarmActions"]
        assert [urns[urn] for urn in notified] == ["OrderAlarms"]
        if "dimensions" in alarm.properties:
            (watched,) = alarm.property_dependencies["dimensions"]
            same = recorded(stack="dev").one(ALARM, name).properties["dimensions"]
            assert urns[watched] in same.values()

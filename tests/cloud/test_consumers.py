"""Two more consumers, added as docs/changing.md says, work on the local cloud and show up in everything."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tests.ops.cloud import order, wait_for
from tests.recipes import recipe
from tests.tree import copied
from tools.__main__ import main
from tools.cloud.cloud import running_cloud
from tools.cloud.deploy import written_addresses
from tools.cloud.deployment import Deployment
from tools.ops.stack import Stack, connect
from tools.recording.diagram import mermaid
from tools.recording.pack import analyze
from tools.recording.policy import recorded


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with an audit consumer and one that has a function of its own."""
    root = copied(tmp_path_factory.mktemp("project"))
    for edit in reversed(recipe("A consumer")):
        edit.apply(root)
    return root


@pytest.fixture(scope="module")
def stack(project: Path) -> Iterator[Stack]:
    """The copy's stack on a local cloud of its own; its addresses are in `outputs.json`."""
    with running_cloud(region="eu-west-1") as cloud:
        deployment = Deployment(cloud)
        deployment.apply(project)
        with written_addresses(deployment, project / "outputs.json") as outputs:
            yield connect(stack=None, outputs=str(outputs))


@pytest.fixture
def ops(stack: Stack, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs an operator's command and returns its exit status and what it prints as JSON."""

    def run(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        status = main([*arguments, "--json", "--outputs", stack.origin])
        lines = capsys.readouterr().out.splitlines()
        return status, json.loads(lines[0]) if len(lines) == 1 else [json.loads(line) for line in lines] or None

    return run


def take(stack: Stack, url: str) -> list[dict[str, Any]]:
    """Receive and delete what a queue holds, as a consumer does."""
    sqs = stack.client("sqs")
    messages: list[dict[str, Any]] = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
    ).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def test_both_consumers_pass_the_policy_pack_and_their_queues_add_no_decision_that_waits(
    project: Path, analyzer: AnalyzerStub
) -> None:
    first, update = (analyze(analyzer, recorded(project, "prod", preview=preview)) for preview in (True, False))
    assert not first.violations
    assert not update.violations
    functions = {"ProcessOrder", "WriteInvoice"}
    assert {each.resource for each in first.of("waits")} == {
        f"{name}-{of}" for name in functions for of in ("decryption", "mapping")
    }


def test_a_filtering_consumer_gets_its_orders_only_and_the_table_gets_all(
    stack: Stack, ops: Callable[..., Any], tmp_path: Path
) -> None:
    audited, other = tmp_path / "audit", tmp_path / "other"
    for file in (audited, other):
        file.write_text(json.dumps(order()))
        assert ops("publish", str(file), "--attribute", f"kind={file.name}")[0] == 0
    both = tmp_path / "both"
    both.write_text(f"{audited.read_text()}\n{other.read_text()}")
    assert ops("verify", str(both))[0] == 0
    [message] = take(stack, stack.dead_letters["AuditQueue"].queue_url)
    assert message["Body"] == audited.read_text()
    assert not take(stack, stack.dead_letters["AuditQueue"].queue_url)


def test_a_consumer_s_function_reads_its_own_queue(stack: Stack, ops: Callable[..., Any]) -> None:
    assert ops("publish", "--generate", "3")[0] == 0

    def invoices() -> bool:
        events = stack.client("logs").filter_log_events(logGroupName="WriteInvoice-logs")["events"]
        return sum('"message": "invoice"' in event["message"] for event in events) >= 3

    assert wait_for(invoices, "writing three invoices")


def test_operators_see_and_redrive_another_consumer_s_dead_letters(stack: Stack, ops: Callable[..., Any]) -> None:
    consumer = stack.dead_letters["AuditQueue"]
    body = json.dumps(order())
    stack.client("sqs").send_message(QueueUrl=consumer.url, MessageBody=body)
    _, facts = ops("status", "--since", "1s")
    names = ["OrderQueue", "OrderQueue-dlq", "OrderTopic-dlq"]
    others = ["AuditQueue", "AuditQueue-dlq", "InvoiceQueue", "InvoiceQueue-dlq"]
    assert sorted(queue["name"] for queue in facts["queues"]) == sorted(names + others)
    assert [each["name"] for each in facts["functions"]] == ["ProcessOrder", "WriteInvoice"]
    assert any(problem.startswith("AuditQueue-dlq holds 1 message") for problem in facts["problems"])
    _, [letter] = ops("dlq", "list", "--from", "AuditQueue")
    assert (letter["orderId"], letter["state"]) == (json.loads(body)["orderId"], "unknown")
    assert ops("dlq", "list", "--from", "queue")[1] == []
    status, moved = ops("dlq", "redrive", "--yes")
    assert (status, moved["moved"], moved["orders"]) == (0, 1, 0)
    [message] = take(stack, consumer.queue_url)
    assert message["Body"] == body


def test_exported_dead_letters_go_to_the_consumer_that_is_named(
    stack: Stack, ops: Callable[..., Any], tmp_path: Path
) -> None:
    consumer, file = stack.dead_letters["AuditQueue"], str(tmp_path / "letters.jsonl")
    body = json.dumps(order())
    stack.client("sqs").send_message(QueueUrl=consumer.url, MessageBody=body)
    assert ops("dlq", "export", file, "--from", "AuditQueue")[0] == 0
    assert ops("dlq", "import", file, "--to", "AuditQueue")[1]["sent"] == 1
    assert [message["Body"] for message in take(stack, consumer.queue_url)] == [body]
    assert ops("dlq", "purge", "--from", "AuditQueue", "--yes")[1]["deleted"] == 1


def test_what_another_function_crashes_on_shows_everywhere(stack: Stack, ops: Callable[..., Any]) -> None:
    consumer = stack.dead_letters["InvoiceQueue"]
    for url in (consumer.url, consumer.queue_url):  # the recipe's code expects an object
        stack.client("sqs").send_message(QueueUrl=url, MessageBody="[1]")

    def crash() -> bool:
        lines = ops("tail", "--no-follow", "--function", "WriteInvoice", "--level", "ERROR", "--since", "5m")[1]
        return bool(lines)

    assert wait_for(crash, "crashing")
    facts = ops("status")[1]
    assert any("`tail --function WriteInvoice --level WARN --trace`" in problem for problem in facts["problems"])
    assert any("WriteInvoice: " in line["text"] for line in facts["log"]["latest"])
    [letter, *_] = ops("dlq", "list", "--from", "InvoiceQueue")[1]
    [shown] = ops("dlq", "show", letter["messageId"])[1]
    assert any("TypeError" in failure for failure in shown["failures"])
    checks = {check["name"]: check for check in ops("verify", "--wait", "0s")[1]["checks"]}
    assert (checks["queues"]["ok"], "InvoiceQueue-dlq 1" in checks["queues"]["text"]) == (False, True)
    assert ops("dlq", "purge", "--id", letter["messageId"], "--yes")[1]["deleted"] == 1


def test_a_consumer_that_does_not_exist_is_refused(stack: Stack) -> None:
    assert main(["dlq", "list", "--from", "Elsewhere", "--outputs", stack.origin]) == 2


def test_each_consumer_has_its_alarms(stack: Stack) -> None:
    queue = ["orders-wait-too-long", "dead-letter-queue-not-empty"]
    function = ["function-errors", "function-throttled", "function-slow"]
    expected = [f"AuditQueue-{role}" for role in queue] + [f"InvoiceQueue-{role}" for role in queue]
    expected += [f"WriteInvoice-{role}" for role in function]
    names = {name.removeprefix("OrderAlarms-") for name in alarms(stack)}
    assert set(expected) <= names
    assert len(names) == 12 + len(expected)


@pytest.fixture
def pager(stack: Stack) -> str:
    """The URL of a queue that is notified as an operator's address would be."""
    sqs, topic = stack.client("sqs"), stack["alarmTopicArn"]
    url = str(sqs.create_queue(QueueName="pager")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    stack.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def pages(stack: Stack, pager: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The next notification of each of these alarms, by name."""
    received = dict[str, dict[str, Any]]()

    def complete() -> bool:
        for message in take(stack, pager):
            page = json.loads(json.loads(message["Body"])["Message"])
            received[page["AlarmName"]] = page
        return received.keys() >= set(names)

    wait_for(complete, f"notifying of {names}")
    return {name: received[name] for name in names}


def alarms(stack: Stack) -> dict[str, dict[str, Any]]:
    answer = stack.client("cloudwatch").describe_alarms()
    return {alarm["AlarmName"]: alarm for alarm in answer["MetricAlarms"]}


def own_alarms(stack: Stack) -> dict[str, dict[str, Any]]:
    """Those that every stack has; the local cloud takes the series of all queues for one, and of all functions."""
    others = ("AuditQueue", "InvoiceQueue", "WriteInvoice")
    return {name: alarm for name, alarm in alarms(stack).items() if not any(other in name for other in others)}


def measure(stack: Stack, alarm: dict[str, Any], value: float) -> None:
    """Publish a value of the alarm's series, as AWS does every minute; only an emulator lets us do it for AWS."""
    datum = {"MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": value}
    stack.client("cloudwatch").put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum])


def test_every_alarm_rings_above_its_threshold_and_says_so_and_when_it_is_over(stack: Stack, pager: str) -> None:
    """The last test on this cloud: a value that is once measured cannot be taken back."""
    for alarm in own_alarms(stack).values():
        measure(stack, alarm, alarm["Threshold"])
    assert {alarm["StateValue"] for alarm in own_alarms(stack).values()} == {"OK"}
    names = set(own_alarms(stack))
    assert {page["NewStateValue"] for page in pages(stack, pager, names).values()} == {"OK"}

    for alarm in own_alarms(stack).values():
        measure(stack, alarm, alarm["Threshold"] + 1)
    for name, page in pages(stack, pager, names).items():
        assert page["NewStateValue"] == "ALARM"
        assert page["AlarmDescription"].endswith(f"docs/runbook.md#{name.removeprefix('OrderAlarms-')}")

    for name in names:
        stack.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")
    assert {page["NewStateValue"] for page in pages(stack, pager, names).values()} == {"OK"}


def test_each_consumer_is_in_the_picture(project: Path) -> None:
    lines = [line.strip() for line in mermaid(recorded(project, "local", preview=False)).splitlines()]
    for line in (
        "OrderTopic -->|delivers kind audit| AuditQueue",
        "OrderTopic -.->|cannot deliver| AuditQueue_dlq",
        "AuditQueue -.->|after 5 receives| AuditQueue_dlq",
        'AuditQueue --> consumer_of_AuditQueue(["consumer of AuditQueue"])',
        "InvoiceQueue -->|batches of 10, 2 at once| WriteInvoice",
    ):
        assert line in lines

"""`status`: queues, function, table, recent errors and alarms at a glance."""

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from tools.ops import logs
from tools.ops.arguments import spanning
from tools.ops.failure import NO
from tools.ops.stack import Stack
from tools.terminal import BAD, DIM, GOOD, Printer, ago, counted

QUEUES = ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl")
"""The exports of the queues that an order passes; other consumers have queues of their own."""
LONG_WAIT = 900
"""Seconds. Three receives at the default visibility timeout take 9 minutes; longer is a backlog."""
SHOWN = 5
"""Recent errors that are spelled out."""
Facts = dict[str, Any]


@spanning("--since", "15m", "log to look at")
@click.option("--watch", is_flag=True, help="show it again and again until Ctrl-C")
@spanning("--interval", "2s", "between two looks")
def run(stack: Stack, printer: Printer, *, since: float, watch: bool, interval: float) -> int:
    if watch:
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                facts = gather(stack, recent=since)
                with printer.screen():
                    show(facts, printer)
                time.sleep(interval)
        return 0
    facts = gather(stack, recent=since)
    show(facts, printer)
    return NO if facts["problems"] else 0


def gather(stack: Stack, *, recent: float) -> Facts:
    """Everything that `status` shows, asked for at once; `recent` is how many seconds of log are read."""
    # Threads may share a client but not make one: each question is asked as soon as its client is made.
    asked: dict[str, tuple[tuple[str, ...], Callable[[], Any]]] = {
        **{url: (("sqs", "cloudwatch"), functools.partial(queue, stack, url)) for url in stack.queues},
        **{name: (("lambda",), functools.partial(function, stack, name)) for name in stack.functions},
        "alarms": (("cloudwatch",), lambda: alarms(stack)),
        "log": (("logs",), lambda: log(stack, recent)),
        "table": (("dynamodb",), lambda: table(stack)),
    }
    with ThreadPoolExecutor(len(asked)) as pool:
        running = {}
        for name, (services, question) in asked.items():
            for service in services:
                stack.client(service)
            running[name] = pool.submit(question)
        facts: Facts = {name: answer.result() for name, answer in running.items()}
    facts["queues"] = [facts.pop(url) for url in stack.queues]
    facts["functions"] = [facts.pop(name) for name in stack.functions]
    facts["stack"] = stack.origin
    facts["region"] = stack["region"]
    facts["problems"] = list(problems(facts))
    return facts


def queue(stack: Stack, url: str) -> Facts:
    """Depth, in flight and delayed, and the age of the oldest message where CloudWatch knows it."""
    names = ("", "NotVisible", "Delayed")
    attributes = stack.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=[f"ApproximateNumberOfMessages{name}" for name in names]
    )["Attributes"]
    visible, in_flight, delayed = (int(attributes[f"ApproximateNumberOfMessages{name}"]) for name in names)
    name = url.rpartition("/")[2]
    age = oldest_age(stack, name) if visible + in_flight else None
    return {
        "name": name,
        "deadLetters": any(url == each.url for each in stack.dead_letters.values()),
        "visible": visible,
        "inFlight": in_flight,
        "delayed": delayed,
        "oldest": age,
    }


def oldest_age(stack: Stack, queue_name: str) -> float | None:
    """Seconds, as CloudWatch last measured it; None without a measurement in the last ten minutes."""
    now = datetime.now(UTC)
    points = stack.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue_name}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    latest = max(points, key=lambda point: point["Timestamp"], default=None)
    return None if latest is None else float(latest["Maximum"])


def function(stack: Stack, name: str) -> Facts:
    """Whether a function and its event source mapping are ready."""
    client = stack.client("lambda")
    found = client.get_function_configuration(FunctionName=name)
    mappings = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    return {
        "name": name,
        "state": found.get("State", "Active"),
        "lastUpdate": found.get("LastUpdateStatus", "Successful"),
        "memory": found["MemorySize"],
        "timeout": found["Timeout"],
        "mappings": [mapping["State"] for mapping in mappings],
    }


def table(stack: Stack) -> Facts:
    """The table's state, and its number of items as DynamoDB last counted: every six hours or so."""
    found = stack.client("dynamodb").describe_table(TableName=stack["tableName"])["Table"]
    return {"name": stack["tableName"], "state": found["TableStatus"], "items": found.get("ItemCount", 0)}


def log(stack: Stack, seconds: float) -> Facts:
    """What the function's log of the last seconds adds up to, and its latest warnings and errors."""
    lines = [line for _, line in logs.read(stack, start=logs.since(seconds), pattern=logs.LOUD)]
    bad = [line for line in lines if line.level in ("WARN", "ERROR", "FATAL")]
    latest = [{"at": line.millis, "level": line.level, "text": line.text} for line in bad[-SHOWN:]]
    return {"seconds": seconds, **logs.totals(lines), "errors": len(bad), "latest": latest}


def alarms(stack: Stack) -> list[Facts]:
    """The stack's alarms, those in alarm first."""
    pages = stack.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    found = [alarm for page in pages for alarm in page.get("MetricAlarms", []) if concerns(alarm, stack)]
    rows = ({"name": a["AlarmName"], "state": a["StateValue"], "reason": a.get("StateReason", "")} for a in found)
    return sorted(rows, key=lambda row: (row["state"] != "ALARM", row["name"]))


def concerns(alarm: Mapping[str, Any], stack: Stack) -> bool:
    """Whether an alarm notifies the stack's alarm topic, or watches one of its queues, functions, table or topic."""
    if stack.outputs.get("alarmTopicArn") in alarm.get("AlarmActions", []):
        return True
    metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    dimensions = [alarm.get("Dimensions", []), *(metric.get("Dimensions", []) for metric in metrics)]
    ours = {
        *(("QueueName", url.rpartition("/")[2]) for url in stack.queues),
        *(("FunctionName", name) for name in stack.functions),
        ("TableName", stack["tableName"]),
        ("TopicName", stack["topicArn"].rpartition(":")[2]),
    }
    return any((dimension["Name"], dimension["Value"]) in ours for group in dimensions for dimension in group)


def problems(facts: Facts) -> Iterable[str]:
    """What an operator must look at, with the command that helps."""
    for found in facts["queues"]:
        if found["deadLetters"] and (count := found["visible"] + found["inFlight"]):
            held = counted(count, "message")
            yield f"{found['name']} holds {held}: `dlq list` says why, `dlq redrive` sends back"
    yield from orders_at_risk(facts)
    for state in facts["functions"]:
        if state["state"] not in ("Active", "Inactive") or state["lastUpdate"] == "Failed":
            yield f"{state['name']} is {state['state']}, its last update {state['lastUpdate']}"
        if not any(mapping == "Enabled" for mapping in state["mappings"]):
            mappings = ", ".join(state["mappings"]) or "missing"
            yield f"{state['name']} reads no queue: its event source mapping is {mappings}"
    if facts["table"]["state"] not in ("ACTIVE", "UPDATING"):
        yield f"{facts['table']['name']} is {facts['table']['state']}"
    for alarm in facts["alarms"]:
        if alarm["state"] == "ALARM":
            yield f"alarm {alarm['name']}: {alarm['reason']}"


def orders_at_risk(facts: Facts) -> Iterable[str]:
    """What the log and the queue say of orders that are not stored, or not in time."""
    waiting, recent = facts["queues"][0], facts["log"]
    for outcome, help_ in (("failed", "`tail` says why"), ("rejected", "`tail` says which producer to ask")):
        if count := recent[outcome]:
            yield f"{counted(count, 'receive')} {outcome} in the last {ago(recent['seconds'])}: {help_}"
    if recent["errors"] and not recent["failed"] and not recent["rejected"]:  # it crashes before it counts anything
        lines = counted(recent["errors"], "warning or error", "warnings and errors")
        yield f"{lines} in the log of the last {ago(recent['seconds'])}: `tail --level WARN` shows them"
    handled = recent["stored"] + recent["superseded"]
    if waiting["visible"] and not handled:
        held = counted(waiting["visible"], "message")
        yield f"{waiting['name']} holds {held}, and none was handled in the last {ago(recent['seconds'])}"
    elif (waiting["oldest"] or 0) > LONG_WAIT:
        yield f"the oldest message in {waiting['name']} has waited for {ago(waiting['oldest'])}"


def show(facts: Facts, printer: Printer) -> None:
    if printer.as_json:
        printer.json(facts)
        return
    items, recent = facts["table"], facts["log"]
    printer.line(f"{facts['stack']} in {facts['region']}", style="bold")
    rows = []
    for found in facts["queues"]:
        style = BAD if found["deadLetters"] and found["visible"] + found["inFlight"] else ""
        rows.append(
            [(text, style) for text in (found["name"], found["visible"], found["inFlight"], ago(found["oldest"]))]
        )
    printer.table(("queue", "visible", "in flight", "oldest"), rows)
    for state in facts["functions"]:
        mappings = ", ".join(state["mappings"]) or "none"
        size = f"{state['memory']} MB, {state['timeout']} s"
        printer.line(f"function  {state['name']}: {state['state']}, mapping {mappings}, {size}")
    printer.line(f"table     {items['name']}: {items['state']}, about {items['items']} orders")
    counts = ", ".join(f"{recent[name]} {name}" for name in logs.OUTCOMES)
    printer.line(f"last {ago(recent['seconds']):8} {recent['batches']} batches: {counts}")
    for line in recent["latest"]:
        at = datetime.fromtimestamp(line["at"] / 1000, UTC)
        printer.line(f"  {at:%H:%M:%S} {line['level']} {line['text']}", style=DIM)
    states = [alarm["state"] for alarm in facts["alarms"]]
    if states:
        printer.line(f"alarms    {states.count('ALARM')} of {len(states)} in alarm")
    else:
        printer.line("alarms    none found")
    for problem in facts["problems"]:
        printer.line(f"! {problem}", style=BAD)
    if not facts["problems"]:
        printer.line("all is well", style=GOOD)

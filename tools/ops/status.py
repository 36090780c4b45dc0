"""`status`: queues, function, table, recent errors and alarms at a glance."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from tools.ops import logs
from tools.ops.arguments import spanning
from tools.ops.decoding import decode
from tools.ops.failure import NO, UNREACHABLE
from tools.ops.stack import Stack
from tools.terminal import BAD, DIM, GOOD, Printer, ago, counted

AGAIN = 2.0
"""Seconds between two looks."""
SHOWN = 5
"""Recent errors that are spelled out."""
Part = dict[str, Any]
"""What is known of one part of a stack, as JSON-ready values."""


@spanning("--since", "15m", "how far back to read the log")
@click.option("--watch", is_flag=True, help="refresh it until Ctrl-C")
def run(stack: Stack, printer: Printer, *, since: float, watch: bool) -> int:
    if watch:
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                facts = gather(stack, recent=since)
                printer.clear()
                show(facts, printer)
                time.sleep(AGAIN)
        return 0
    facts = gather(stack, recent=since)
    show(facts, printer)
    if any(problems(facts)):
        return NO
    return UNREACHABLE if any(unknown(facts)) else 0


def gather(stack: Stack, *, recent: float) -> Part:
    """Everything that `status` shows, asked for at once; `recent` is how many seconds of log are read."""
    # Threads may share a client but not make one.
    for service in ("sqs", "cloudwatch", "lambda", "logs", "dynamodb"):
        stack.client(service)
    with ThreadPoolExecutor(len(stack.queues) + len(stack.functions) + 3) as pool:
        queues = [pool.submit(queue, stack, url) for url in stack.queues]
        functions = [pool.submit(function, stack, name) for name in stack.functions]
        rest = pool.submit(table, stack), pool.submit(log, stack, recent), pool.submit(alarms, stack)
        return {
            "stack": stack.origin,
            "region": stack["region"],
            "queues": [answer.result() for answer in queues],
            "functions": [answer.result() for answer in functions],
            "table": rest[0].result(),
            "log": rest[1].result(),
            "alarms": rest[2].result(),
        }


def queue(stack: Stack, url: str) -> Part:
    """Its depth, and the age of the oldest message where CloudWatch knows it."""
    found = depth(stack, url)
    waiting = found["visible"] + found["inFlight"]
    return {**found, "oldest": oldest_age(stack, found["name"]) if waiting else None}


def depth(stack: Stack, url: str) -> Part:
    """How many messages are visible, in flight and delayed, and for how long all tries of one may take."""
    counts = [f"ApproximateNumberOfMessages{name}" for name in ("", "NotVisible", "Delayed")]
    attributes = stack.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=[*counts, "VisibilityTimeout", "RedrivePolicy"]
    )["Attributes"]
    visible, in_flight, delayed = (int(attributes[name]) for name in counts)
    tries = int(decode(attributes.get("RedrivePolicy") or "{}").get("maxReceiveCount", 1))
    return {
        "name": url.rpartition("/")[2],
        "deadLetters": any(url == each.url for each in stack.dead_letters.values()),
        "visible": visible,
        "inFlight": in_flight,
        "delayed": delayed,
        "patience": tries * int(attributes.get("VisibilityTimeout", 30)),
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


def function(stack: Stack, name: str) -> Part:
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
        "level": found.get("LoggingConfig", {}).get("ApplicationLogLevel", "INFO"),
    }


def table(stack: Stack) -> Part:
    """The table's state, and its number of items as DynamoDB last counted: every six hours or so."""
    found = stack.client("dynamodb").describe_table(TableName=stack["tableName"])["Table"]
    return {"name": stack["tableName"], "state": found["TableStatus"], "items": found.get("ItemCount", 0)}


def log(stack: Stack, seconds: float) -> Part:
    """What the own function's log of the last seconds adds up to, and all functions' latest warnings and errors."""
    own = stack.functions[0]
    lines = [line for _, line in logs.read(stack, start=logs.since(seconds), pattern=logs.LOUD)]
    bad = [line for line in lines if line.level in ("WARN", "ERROR", "FATAL")]
    latest = [{"at": line.millis, "level": line.level, "text": logs.spell(line)} for line in bad[-SHOWN:]]
    errors = Counter(line.function or own for line in bad)
    totals = logs.totals(line for line in lines if line.function in ("", own))
    return {"seconds": seconds, **totals, "errors": errors.pop(own, 0), "others": dict(errors), "latest": latest}


def alarms(stack: Stack) -> list[Part]:
    """The alarms that notify the stack's alarm topic, those in alarm first."""
    pages = stack.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    topic = stack.outputs.get("alarmTopicArn")
    found = [a for page in pages for a in page.get("MetricAlarms", []) if topic in a.get("AlarmActions", [])]
    rows = ({"name": a["AlarmName"], "state": a["StateValue"], "reason": a.get("StateReason", "")} for a in found)
    return sorted(rows, key=lambda row: (row["state"] != "ALARM", row["name"]))


def problems(facts: Part) -> Iterable[str]:
    """What an operator must look at, with the command that helps."""
    for found in facts["queues"]:
        if found["deadLetters"] and (count := found["visible"] + found["inFlight"]):
            held = counted(count, "message")
            yield f"{found['name']} holds {held}: `dlq list` says why, `dlq redrive` sends back"
        elif not found["deadLetters"] and (found["oldest"] or 0) > found["patience"]:
            yield f"the oldest message in {found['name']} has waited for {ago(found['oldest'])}"
    yield from orders_at_risk(facts["log"])
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


def orders_at_risk(recent: Part) -> Iterable[str]:
    """What the functions' logs say of orders that are not stored."""
    for outcome, help_ in (("failed", "`tail` says why"), ("rejected", "`tail` says which producer to ask")):
        if count := recent[outcome]:
            yield f"{counted(count, 'receive')} {outcome} in the last {ago(recent['seconds'])}: {help_}"
    if recent["errors"] and not recent["failed"] and not recent["rejected"]:  # it crashes before it counts anything
        yield _errors(recent, recent["errors"], "`tail --level WARN`")
    for name, count in recent["others"].items():
        yield f"{name}: {_errors(recent, count, f'`tail --function {name} --level WARN --trace`')}"


def _errors(recent: Part, count: int, command: str) -> str:
    lines = counted(count, "warning or error", "warnings and errors")
    return f"{lines} in the log of the last {ago(recent['seconds'])}: {command} shows them"


def unknown(facts: Part) -> Iterable[str]:
    """What cannot be told: whether messages that wait, while nothing shows that any is handled, wait for long."""
    waiting, recent = facts["queues"][0], facts["log"]
    if waiting["visible"] and waiting["oldest"] is None and not recent["stored"] + recent["superseded"]:
        held = counted(waiting["visible"], "message")
        yield (
            f"{waiting['name']} holds {held}, none was handled in the last {ago(recent['seconds'])}, and how long the "
            "oldest has waited is not known: look again in a minute"
        )


def show(facts: Part, printer: Printer) -> None:
    found_problems, found_unknown = list(problems(facts)), list(unknown(facts))
    if printer.as_json:
        printer.json({**facts, "problems": found_problems, "unknown": found_unknown})
        return
    items, recent = facts["table"], facts["log"]
    printer.line(f"{facts['stack']} in {facts['region']}", style="bold")
    rows = []
    for found in facts["queues"]:
        style = BAD if found["deadLetters"] and found["visible"] + found["inFlight"] else ""
        cells = (found["name"], found["visible"], found["inFlight"], ago(found["oldest"]))
        rows.append([(text, style) for text in cells])
    printer.table(("queue", "visible", "in flight", "oldest"), rows)
    for state in facts["functions"]:
        mappings = ", ".join(state["mappings"]) or "none"
        size = f"{state['memory']} MB, {state['timeout']} s"
        printer.line(f"function  {state['name']}: {state['state']}, mapping {mappings}, {size}")
    printer.line(f"table     {items['name']}: {items['state']}, about {items['items']} orders")
    counts = ", ".join(f"{recent[name]} {name}" for name in logs.OUTCOMES)
    printer.line(f"last {ago(recent['seconds']):8} {recent['batches']} batches: {counts}")
    for line in recent["latest"]:
        printer.line(" ", line["text"].split("\n")[0], style=DIM)
    states = [alarm["state"] for alarm in facts["alarms"]]
    if states:
        printer.line(f"alarms    {states.count('ALARM')} of {len(states)} in alarm")
    else:
        printer.line("alarms    none found")
    for problem in found_problems:
        printer.line(f"! {problem}", style=BAD)
    for gap in found_unknown:
        printer.line(f"? {gap}", style="yellow")
    if not found_problems and not found_unknown:
        printer.line("all is well", style=GOOD)

"""publish, status, verify, trace and tail on a real local cloud that others use at the same time."""

import json
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.process_order.orders import parse, version_at
from tests.ops.cloud import Command, hand_over, item, order, send, wait_for
from tools.cloud.deployment import Deployment
from tools.ops import table
from tools.root import ROOT


def checks(operate: Command, *arguments: str) -> dict[str, dict[str, object]]:
    verdict = operate("verify", *arguments, "--json").json()
    return {check["name"]: check for check in verdict["checks"]}


def test_what_is_published_is_stored_and_verified(operate: Command, tmp_path: Path) -> None:
    saved = str(tmp_path / "orders.jsonl")
    shown = operate("publish", "--generate", "35", "--save", saved)
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.startswith("published 35 of 35 orders in ")
    found = checks(operate, saved)
    assert found["table"]["ok"] is True
    assert "35 of 35 orders stored" in str(found["table"]["text"])
    assert re.match(r"[1-9]\d* batches in the last 5 min: ", str(found["log"]["text"]))


def test_an_order_that_never_came_is_not_verified(operate: Command, tmp_path: Path) -> None:
    lost = order()
    (tmp_path / "lost.json").write_text(json.dumps(lost))
    shown = operate("verify", str(tmp_path / "lost.json"), "--wait", "0s")
    assert shown.status == 1
    assert f"0 of 1 orders stored; `trace {lost['orderId']}` says" in shown.out
    assert shown.out.endswith("not verified\n")


def test_what_is_stored_in_place_of_an_event_is_told(operate: Command, tmp_path: Path) -> None:
    older = order()
    newer = {**older, "status": "paid", "timestamp": "2026-01-01T00:00:00+02:00"}
    (tmp_path / "both.json").write_text(json.dumps([older, newer]))
    assert "!" not in operate("publish", str(tmp_path / "both.json")).out
    assert "newer" not in str(checks(operate, str(tmp_path / "both.json"))["table"]["text"])
    (tmp_path / "older.json").write_text(json.dumps(older))
    found = checks(operate, str(tmp_path / "older.json"))["table"]
    assert (found["ok"], f"a newer version is stored of {older['orderId']}" in str(found["text"])) == (True, True)
    assert "! a newer version is stored of" in operate("publish", str(tmp_path / "older.json")).out


def test_a_lost_tie_is_told() -> None:
    lost, stored = sorted(parse(json.dumps(order(orderId="O", itemName=name))).version for name in "ab")
    remark = "another event of the same instant is stored, which a newer timestamp overcomes, of O"
    assert table.remarks({"O": stored}, {"O": lost}) == [remark]
    assert table.remarks({"O": lost}, {"O": stored}) == []


def test_a_row_that_is_dated_after_now_is_named(operate: Command, deployment: Deployment, tmp_path: Path) -> None:
    assert table.ahead(version_at(time.time() + 40_000)) == "within a day"
    known, far = order(), "dated after now by more than a day"
    file = str(tmp_path / "order.json")
    Path(file).write_text(json.dumps(known))
    send(deployment, "queueUrl", known)
    wait_for(lambda: item(deployment, known["orderId"]), "storing the order")
    dated = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%S.%fZ#000x")
    deployment.client("dynamodb").update_item(
        TableName=deployment.outputs["tableName"],
        Key={"orderId": {"S": known["orderId"]}},
        UpdateExpression="SET version = :dated",
        ExpressionAttributeValues={":dated": {"S": dated}},
    )
    traced = operate("trace", known["orderId"])
    assert (traced.status, far in traced.out) == (1, True)
    found = checks(operate, file)["table"]
    assert (found["ok"], far in str(found["text"])) == (False, True)
    assert far in operate("publish", file).out


def test_nothing_is_published_if_one_order_breaks_the_contract(
    operate: Command, deployment: Deployment, tmp_path: Path
) -> None:
    good, file = order(), tmp_path / "orders.jsonl"
    file.write_text(f"{json.dumps(good)}\n{json.dumps(order(quantity=0))}\nnot json")
    shown = operate("publish", str(file))
    assert (shown.status, shown.out) == (2, "")
    assert "2 of 3 orders must be corrected, and nothing was published" in shown.err
    assert "order 2: quantity must be an integer from 1" in shown.err
    assert "order 3: the body must be JSON" in shown.err
    assert item(deployment, good["orderId"]) is None


def test_what_to_publish_is_given_once(operate: Command) -> None:
    for given in ([], ["orders.jsonl", "--generate", "5"]):
        assert "either FILE or --generate N must be given, and not both" in operate("publish", *given).err


def test_a_rate_is_kept(operate: Command) -> None:
    shown = operate("publish", "--generate", "25", "--rate", "20", "--json")
    assert shown.json()["published"] == 25
    assert shown.json()["seconds"] >= 1.0  # batches of ten at 0, 0.5 and 1 s


def test_a_stored_order_is_traced_to_the_table(operate: Command, deployment: Deployment) -> None:
    sent = order(itemName="Desk lamp", quantity=3)
    send(deployment, "queueUrl", sent)
    wait_for(lambda: item(deployment, sent["orderId"]), "storing the order")
    shown = operate("trace", sent["orderId"])
    assert shown.status == 0
    assert f"{sent['orderId']} is stored: new, 3 x Desk lamp" in shown.out
    assert "version 2025-05-03T12:00:00.000000Z#" in shown.out


def test_an_unknown_order_is_status_1(operate: Command) -> None:
    shown = operate("trace", "nobody\x1b[2J")
    assert shown.status == 1
    assert r"nobody\x1b[2J is not stored" in shown.out
    assert "no dead letter holds it" in shown.out
    assert "no line of the last 24 h names it\n" in shown.out  # at level DEBUG nothing is left out


def test_the_status_shows_every_part_of_the_stack(operate: Command, deployment: Deployment) -> None:
    watched = {"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible", "Statistic": "Maximum"}
    rule = {"Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    deployment.client("cloudwatch").put_metric_alarm(AlarmName="of-another-stack", **watched, **rule)
    facts = operate("status", "--json").json()
    assert [queue["name"] for queue in facts["queues"]] == ["OrderQueue", "OrderQueue-dlq", "OrderTopic-dlq"]
    assert [(each["state"], each["mappings"]) for each in facts["functions"]] == [("Active", ["Enabled"])]
    assert facts["table"]["state"] == "ACTIVE"
    assert facts["log"]["batches"] > 0
    names = {alarm["name"] for alarm in facts["alarms"]}
    assert (len(names) >= 8, "of-another-stack" in names) == (True, False)


def test_the_log_is_read_and_filtered(operate: Command, deployment: Deployment) -> None:
    bad = order(status="")
    hand_over(deployment, bad)
    arguments = ("tail", "--no-follow", "--match", bad["orderId"], "--level", "WARN")
    first = wait_for(lambda: operate(*arguments).out, "logging the message").splitlines()[0]
    assert first.endswith(
        f"message rejected · order {bad['orderId']} · status must be a non-empty string, got an empty string"
    )
    fields = json.loads(operate(*arguments, "--json").out.splitlines()[0])
    assert (fields["level"], fields["orderId"]) == ("WARN", bad["orderId"])


@pytest.mark.parametrize("verb", [["tail"], ["status", "--watch"]])
def test_looking_on_ends_well_with_ctrl_c(operate: Command, outputs: Path, verb: list[str]) -> None:
    assert operate("publish", "--generate", "1").status == 0
    line = [sys.executable, "-m", "tools", *verb, "--since", "1h", "--outputs", str(outputs)]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, "")

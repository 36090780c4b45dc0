"""Edits of the program's own resources: what is dangerous is never called safe, what is harmless is never refused."""

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.defaults import bare
from tools.recording.types import type_of
from tools.review.changes import Preview
from tools.review.recorded import compare, documents
from tools.review.report import Review, headline
from tools.review.safety import judge
from tools.review.trial import NOT_ASKED, Trial
from tools.root import ROOT

Document = dict[str, Any]
NOW, _ = documents(lambda _: bare(), ROOT)
BY_NAME = {each["urn"].rpartition("::")[2]: each for each in NOW if each["custom"]}
HELD = Trial(said="every order arrived")
OTHER = "arn:aws:sqs:eu-west-1:123456789012:other"


def verdict(after: list[Document], trial: Trial = HELD) -> str:
    """The headline for a change of what is registered."""
    preview = Preview(source="", stack="dev", changes=tuple(compare(NOW, after)), whole=True)
    safety = judge(preview, (), date(2026, 6, 1), trial.lost)
    return headline(Review(preview=preview, safety=safety, policies=None, trial=trial, today=date(2026, 6, 1)))


def edited(name: str, /, **inputs: Any) -> list[Document]:
    """What is registered, with other inputs of a resource; a function makes one of the old one."""
    after = [dict(each) for each in NOW]
    [document] = [each for each in after if each["urn"].endswith(f"::{name}") and each["custom"]]
    mine = document["inputs"] = dict(document["inputs"])
    for key, value in inputs.items():
        mine[key] = value(mine.get(key)) if callable(value) else value
    return after


def optioned(name: str, **options: Any) -> list[Document]:
    """What is registered, with other options of a resource."""
    return [{**each, **options} if each["urn"].endswith(f"::{name}") and each["custom"] else each for each in NOW]


def renamed(name: str, new: str) -> list[Document]:
    [urn] = [each["urn"] for each in NOW if each["urn"].endswith(f"::{name}")]
    return optioned(name, urn=urn.removesuffix(name) + new)


def replacing(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


DANGEROUS: dict[str, tuple[list[Document], str]] = {
    "a mapping of another function": (edited("ProcessOrder-mapping", functionName="other"), "no longer sts:AssumeRole"),
    "a mapping of another queue": (edited("ProcessOrder-mapping", eventSourceArn=OTHER), "sqs:ReceiveMessage"),
    "another account's topic": (
        edited("OrderTopic-policy", policy=replacing("123456789012:root", "999999999999:root")),
        "the account may no longer sns:Publish on OrderTopic",
    ),
    "alarms that may not notify": (
        edited("OrderAlarms-policy", policy=replacing('Notify", "Effect": "Allow"', 'Notify", "Effect": "Deny"')),
        "CloudWatch may no longer sns:Publish on OrderAlarms",
    ),
    "a function that may not update": (
        edited("ProcessOrder-permissions", policy=replacing('"dynamodb:PartiQLUpdate"', '"dynamodb:GetItem"')),
        "ProcessOrder may no longer dynamodb:PartiQLUpdate on its table",
    ),
    "a queue that SNS may not fill": (
        edited("OrderQueue-policy", policy=replacing("sns.amazonaws.com", "events.amazonaws.com")),
        "SNS may no longer sqs:SendMessage on OrderQueue",
    ),
    "a key that SNS may not use": (
        edited("OrderKey", policy=replacing("sns.amazonaws.com", "ses.amazonaws.com")),
        "SNS may no longer kms:GenerateDataKey, kms:Decrypt on the key of",
    ),
    "a key that logs may not use": (
        edited("OrderKey", policy=replacing("logs.eu-west-1", "logs.us-east-1")),
        "CloudWatch Logs may no longer",
    ),
    "no right to the key of orders that wait": (
        edited("ProcessOrder-decryption", policy=replacing("key/OrderKey", "key/NewKey")),
        "ProcessOrder may no longer kms:Decrypt on",
    ),
    "a policy under another name": (
        renamed("OrderQueue-policy", "OrderQueue-access"),
        "deletes OrderQueue-policy together with OrderQueue-access",
    ),
    "a table elsewhere": (edited("Orders", region="eu-central-1"), "replaces Orders and deletes every order in it"),
    "a second mapping of the queue": (
        [*NOW, {**BY_NAME["ProcessOrder-mapping"], "urn": "urn:pulumi:dev::orders::x::spy"}],
        "ProcessOrder-mapping is the same thing in the cloud",
    ),
}
"""By what is done, what is registered then, and what the headline says."""


@pytest.mark.parametrize("what", DANGEROUS)
def test_what_takes_orders_their_delivery_or_the_word_about_them_is_unsafe(what: str) -> None:
    after, says = DANGEROUS[what]
    said = verdict(after)
    assert said.startswith("❌ UNSAFE")
    assert says in said


TO_LOOK_AT = {
    "log filters that match nothing": edited("OrderAlarms-stored", pattern=replacing("batch processed", "batch done")),
    "a function that writes no summary": edited(
        "ProcessOrder", loggingConfig=lambda old: {**old, "applicationLogLevel": "ERROR"}
    ),
    "a right that no order needs": edited(
        "ProcessOrder-permissions", policy=replacing('"xray:PutTraceSegments", ', "")
    ),
    "nothing to come before it": optioned("ProcessOrder-mapping", dependencies=()),
    "kept when it is deleted": optioned("Orders", retainOnDelete=True),
    "changes that are ignored": optioned("ProcessOrder", ignoreChanges=["code"]),
    "another key": edited("OrderQueue", kmsMasterKeyId="arn:aws:kms:eu-west-1:123456789012:key/other"),
    "a new type": [*NOW, {**BY_NAME["Orders"], "urn": "urn:pulumi:dev::orders::x::y", "type": "aws:x/y:Y"}],
}


@pytest.mark.parametrize("what", TO_LOOK_AT)
def test_what_nobody_can_try_is_named_and_never_called_safe(what: str) -> None:
    assert verdict(TO_LOOK_AT[what]).startswith(("⚠️ LOOK: changes what nobody can try here", "❌"))


HARMLESS = {
    "a description": edited("OrderKey", description="of orders"),
    "an alarm's description": edited("OrderAlarms-function-errors", alarmDescription="look"),
    "tags": edited("OrderQueue", tags={"cost": "a"}),
    "more memory": edited("ProcessOrder", memorySize=4096),
    "more concurrency": edited("ProcessOrder-mapping", scalingConfig={"maximumConcurrency": 999}),
    "longer logs": edited("ProcessOrder-logs", retentionInDays=3653),
    "the same statements in other words": edited("ProcessOrder-permissions", policy=replacing('{"V', '{"Id": "x", "V')),
    "statements under other names": edited("OrderQueue-policy", policy=replacing("TopicDelivers", "Delivers")),
    "a picture of it": edited("OrderAlarms-dashboard", dashboardBody="{}"),
    "an earlier alarm": edited("OrderAlarms-function-errors", threshold=lambda old: old - 1),
    "other code that was tried": edited("ProcessOrder", code=lambda old: {**old, "hash": "other"}),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_no_order_notices_is_safe_once_it_was_tried(what: str) -> None:
    assert verdict(HARMLESS[what]) == "✅ 1 update, rehearsed: every order arrived"


def test_what_only_a_rehearsal_covers_is_named_without_one() -> None:
    assert "try here: code of ProcessOrder" in verdict(HARMLESS["other code that was tried"], NOT_ASKED)


def test_what_is_new_and_may_not_do_its_work_is_named() -> None:
    queue, subscription = (
        {**BY_NAME[old], "urn": f"urn:pulumi:dev::orders::x::{new}", "inputs": {**BY_NAME[old]["inputs"], key: value}}
        for old, new, key, value in (
            ("OrderQueue", "Extra", "name", "other"),
            ("OrderQueue-subscription", "Extra-subscription", "endpoint", OTHER),
        )
    )
    assert "SNS may not sqs:SendMessage on Extra" in verdict([*NOW, queue, subscription])


def test_an_alarm_of_a_time_may_ring_later_as_far_as_what_it_watches_takes_longer() -> None:
    after = copy.deepcopy(edited("ProcessOrder", timeout=60))
    [alarm] = [each["inputs"] for each in after if each["urn"].endswith("::OrderAlarms-function-slow")]
    alarm["threshold"] *= 2
    assert verdict(after).startswith("✅ 2 updates")
    alarm["threshold"] += 1
    assert "try here: threshold of OrderAlarms-function-slow" in verdict(after)


def other(value: Any) -> Any:
    """A number for a number, and a text for anything else."""
    return value - 1 if isinstance(value, int | float) else "other"


PLACES = [(name, key) for name, each in BY_NAME.items() for key in each["inputs"] if key != "__defaults"]


@settings(max_examples=15)
@given(st.sampled_from(PLACES), st.sampled_from(["vpcConfig", "region", "whatever"]))
def test_a_change_of_an_input_is_safe_only_if_its_row_says_so(place: tuple[str, str], more: str) -> None:
    name, key = place
    row = type_of(BY_NAME[name]["type"])
    listed = {each.split(".")[0] for each in f"{row.harmless} {row.rising} {row.rehearsed} {row.reasoned}".split()}
    after = edited(name, **{key: other})
    said = verdict(after)
    assert said.startswith(("❌", "⚠️")) or key in {*listed, "threshold"}  # which is lower: the alarm rings earlier
    assert not verdict(edited(name, **{more: {"x": 1}})).startswith("✅")

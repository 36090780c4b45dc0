"""Nothing that holds orders goes, and nothing that delivers them stops, without being called unsafe."""

from datetime import date
from typing import Any

import pytest

from tests.defaults import bare
from tests.review.stack import urn
from tools.recording.types import type_of
from tools.review.allowances import Allowance
from tools.review.changes import Change, Preview, State, operation_of
from tools.review.losses import LOSSES
from tools.review.pipeline import ALARM, FUNCTION, KEY, LOG_GROUP, MAPPING, QUEUE, SUBSCRIPTION, TABLE, TOPIC
from tools.review.safety import judge

TODAY = date(2026, 6, 1)
UNDECIDED = type_of("nobody").stops


def state(type_: str, inputs: dict[str, Any] | None = None, *, name: str = "it", protect: bool = False) -> State:
    return State(urn=urn(type_, name), type=type_, inputs=inputs or {}, protect=protect)


def kinds(*changes: Change, allowed: tuple[Allowance, ...] = ()) -> list[str]:
    """What is unsafe about some changes."""
    return [finding.kind for finding in judge(Preview(source="", stack="", changes=changes), allowed, TODAY).unsafe]


def update(type_: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return kinds(Change(operation="update", before=state(type_, before), after=state(type_, after)))


def test_every_type_of_the_program_has_been_decided() -> None:
    rows = [type_of(resource.type) for resource in bare().resources if resource.custom]
    assert [row for row in rows if not row.holds and row.stops == UNDECIDED] == []


def gone(it: State) -> list[str]:
    """What is unsafe about a deletion, and about a replacement."""
    return [
        *kinds(Change(operation="delete", before=it)),
        *kinds(Change(operation="replace", before=it, after=it)),
    ]


@pytest.mark.parametrize("type_", [TABLE, QUEUE, TOPIC, SUBSCRIPTION, KEY, LOG_GROUP, "aws:s3/bucket:Bucket"])
def test_what_holds_orders_or_nobody_has_decided_on_is_neither_deleted_nor_replaced(type_: str) -> None:
    assert gone(state(type_)) == ["delete", "replace"]


@pytest.mark.parametrize("type_", [MAPPING, ALARM, FUNCTION])
def test_what_delivers_orders_or_tells_of_them_is_not_deleted_but_may_be_replaced(type_: str) -> None:
    assert gone(state(type_)) == ["delete"]


def test_components_and_providers_hold_nothing() -> None:
    component = State(urn=urn("orders:index:Queue", "q"), type="orders:index:Queue", custom=False, inputs={})
    assert [*gone(component), *gone(state("pulumi:providers:aws"))] == []


UPDATES: dict[tuple[str, str], list[tuple[Any, Any]]] = {
    (QUEUE, "messageRetentionSeconds"): [(345600, 3600), ("345600", "345599"), (345601, None), (1209600, "unknown")],
    (QUEUE, "redrivePolicy"): [({"deadLetterTargetArn": "a"}, None), ({"deadLetterTargetArn": "a"}, {})],
    (QUEUE, "maxMessageSize"): [(None, 1024), (262144, 1024)],
    (SUBSCRIPTION, "redrivePolicy"): [({"deadLetterTargetArn": "a"}, None)],
    (SUBSCRIPTION, "filterPolicy"): [
        (None, {"kind": ["a"]}),
        ({"kind": ["a", "b"]}, {"kind": ["a"]}),
        ({"kind": ["a"]}, {"kind": ["a"], "of": ["b"]}),
    ],
    (SUBSCRIPTION, "filterPolicyScope"): [(None, "MessageBody"), ("MessageAttributes", "MessageBody")],
    (MAPPING, "enabled"): [(None, False), (True, False)],
    (MAPPING, "filterCriteria"): [(None, {"filters": [{"pattern": "{}"}]})],
    (MAPPING, "functionResponseTypes"): [(["ReportBatchItemFailures"], []), (["ReportBatchItemFailures"], None)],
    (FUNCTION, "reservedConcurrentExecutions"): [(None, 0), (-1, 0)],
    (TABLE, "pointInTimeRecovery"): [
        ({"recoveryPeriodInDays": 9}, {"recoveryPeriodInDays": 8}),
        ({"enabled": True}, {"enabled": False}),
        ([{"enabled": True}], None),
    ],
    (TABLE, "deletionProtectionEnabled"): [(True, False), (True, None)],
    (TABLE, "ttl"): [(None, {"enabled": True, "attributeName": "x"}), ({"attributeName": "x"}, {"attributeName": "y"})],
    (KEY, "isEnabled"): [(None, False)],
    (LOG_GROUP, "retentionInDays"): [(365, 30), (0, 30), (None, 30)],
    (ALARM, "alarmActions"): [(["arn"], None), (["arn"], [])],
    (ALARM, "actionsEnabled"): [(None, False), (True, False)],
}
"""By what loses orders, pairs of values of which the second one does."""


def test_every_loss_has_its_cases() -> None:
    assert UPDATES.keys() == {(loss.on, loss.path.split(".")[0]) for loss in LOSSES}


@pytest.mark.parametrize(("type_", "key"), UPDATES)
def test_an_update_that_loses_orders_or_their_delivery_is_unsafe_and_its_reverse_is_not(type_: str, key: str) -> None:
    for before, after in UPDATES[type_, key]:
        old, new = ({} if value is None else {key: value} for value in (before, after))
        assert set(update(type_, old, new)) == {key}, (before, after)
        assert update(type_, new, new) == []
        if after != "unknown" and key != "filterPolicyScope" and "attributeName" not in str(before):
            assert update(type_, new, old) == [], (after, before)


def test_what_held_orders_is_not_unprotected() -> None:
    before, after = state(TABLE, protect=True), state(TABLE)
    assert kinds(Change(operation="same", before=before, after=after)) == ["unprotect"]
    assert kinds(Change(operation="update", before=after, after=before)) == []


def test_a_replacement_that_holds_nothing_is_held_against_the_losses_too() -> None:
    before, after = state(MAPPING), state(MAPPING, {"enabled": False})
    assert kinds(Change(operation="replace", before=before, after=after)) == ["enabled"]


def allowance(**given: Any) -> Allowance:
    return Allowance(**{"match": "it", "change": "delete", "reason": "drained", "expires": TODAY, **given})


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({}, True),
        ({"match": "urn:pulumi:prod::*::it"}, True),
        ({"match": "urn:pulumi:dev::*::it"}, False),
        ({"match": "i"}, False),
        ({"change": "replace"}, False),
        ({"expires": date(2026, 5, 31)}, False),
    ],
)
def test_an_allowance_holds_for_its_resource_its_change_and_until_its_last_day(
    given: dict[str, Any], holds: bool
) -> None:
    expired = allowance(expires=date(2026, 1, 1))
    unsafe = kinds(Change(operation="delete", before=state(QUEUE)), allowed=(expired, allowance(**given)))
    assert (unsafe == []) is holds


def test_an_allowance_that_nothing_asks_for_is_told_of() -> None:
    idle = allowance(match="other")
    preview = Preview(source="", stack="", changes=(Change(operation="delete", before=state(QUEUE)),))
    assert judge(preview, (allowance(), idle), TODAY).idle == (idle,)


@pytest.mark.parametrize(
    ("steps", "operation"),
    [
        ({"delete-replaced"}, "delete"),
        ({"delete", "create"}, "replace"),
        ({"import-replacement"}, "replace"),
        ({"discard"}, "same"),
    ],
)
def test_the_steps_at_a_resource_come_to_one_operation(steps: set[str], operation: str) -> None:
    assert operation_of(steps) == operation

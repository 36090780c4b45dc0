"""Of every message that a topic took, the account of a rehearsal tells what became of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.process_order.orders import parse
from tools.review.account import Account, silent, slower
from tools.review.samples import PARTS, bad, messages
from tools.review.sight import Sight

Rows = dict[str, dict[str, Any]]


def taken(*parts: str) -> tuple[Account, Rows]:
    """All that is published in some parts, and the rows that the handler's contract makes of it."""
    account, newest = Account(), dict[str, Any]()
    for part in parts:
        for body in messages(part):
            account.took(part, body, "")
            if body not in account.poison:
                order = parse(body)
                if order.order_id not in newest or order.version > newest[order.order_id].version:
                    newest[order.order_id] = order
    return account, {order.order_id: order.item for order in newest.values()}


def sight(rows: Rows, *parts: str) -> Sight:
    """A stack that holds rows, and the dead letters of some parts."""
    dead = [{"MessageId": f"{part}{number}", "Body": body} for part in parts for number, body in enumerate(bad(part))]
    bodies = {body for part in parts for body in messages(part)}
    return Sight(rows=rows, waiting={"OrderQueue": []}, dead={"OrderQueue": dead}, seen={"OrderQueue": bodies})


BEFORE = sight(taken("before")[1], "before")
ACCOUNT, ROWS = taken(*PARTS)
WHOLE = sight(ROWS, *PARTS)


def told(after: Sight) -> list[str]:
    return [*ACCOUNT.losses(after, BEFORE), *ACCOUNT.less(BEFORE, after, {"OrderQueue": ""})]


def test_nothing_is_lost_where_every_order_is_in_its_newest_version_and_the_rest_is_dead() -> None:
    assert told(WHOLE) == []
    assert ACCOUNT.settled(WHOLE)


def other_extra(rows: Rows) -> Rows:
    row = rows["R-after-extra"]
    return {**rows, "R-after-extra": {**row, "extra": {"M": {**row["extra"]["M"], "gift": {"S": "true"}}}}}


def older(rows: Rows) -> Rows:
    first = parse(next(body for body in messages("before") if '"R-after-newer-before"' in body))
    return {**rows, first.order_id: first.item}


def other_tie(rows: Rows) -> Rows:
    bodies = [body for body in messages("before") if '"R-after-tie-before"' in body]
    lost = min(map(parse, bodies), key=lambda order: order.version)
    return {**rows, lost.order_id: lost.item}


def without(rows: Rows) -> Rows:
    return {order: row for order, row in rows.items() if order != "R-after-steps"}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (without, "after the change 37 of 38 orders are stored: 1 nowhere to be found"),
        (other_extra, "after the change 37 of 38 orders are stored: 1 stored with another extra"),
        (older, "orders are stored: 1 stored in an older version"),
        (other_tie, "orders whose rows changed although nothing newer came: 1"),
    ],
)
def test_orders_that_are_not_stored_as_they_should_be_are_counted(rows: Callable[[Rows], Rows], says: str) -> None:
    assert any(says in each for each in told(replace(WHOLE, rows=rows(ROWS))))


GOOD = next(body for body in messages("after") if '"R-after-steps"' in body)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dead": {"OrderQueue": WHOLE.dead["OrderQueue"][1:]}}, "messages that cannot be stored, and are in no dead"),
        (
            {"dead": {"OrderQueue": [*WHOLE.dead["OrderQueue"], {"Body": GOOD}]}},
            "could be stored, and are dead letters",
        ),
        ({"errors": ("No module named 'x'",)}, "the function fails: No module named 'x'"),
        ({"refused": ("ProcessOrder may not sqs:DeleteMessage",)}, "ProcessOrder may not sqs:DeleteMessage"),
        ({"log": ("Zaphod9 lamp",)}, "the function writes what orders hold into its log"),
        ({"seen": {"OrderQueue": WHOLE.seen["OrderQueue"] - {GOOD}}}, "OrderQueue got"),
    ],
)
def test_what_is_wrong_beside_the_rows_is_told(changes: dict[str, Any], says: str) -> None:
    assert any(says in each for each in told(replace(WHOLE, **changes)))


def test_what_is_known_of_it_is_told_with_what_is_lost() -> None:
    waiting = {"OrderQueue": [{"Body": json.dumps(json.loads(GOOD))}]}
    lost = replace(WHOLE, rows=without(ROWS), waiting=waiting, refused=("ProcessOrder may not dynamodb:PartiQLUpdate",))
    [said] = told(lost)
    assert said == (
        "after the change 37 of 38 orders are stored: ProcessOrder may not dynamodb:PartiQLUpdate; "
        "1 waiting in the queue"
    )
    assert not ACCOUNT.settled(lost)


def test_what_the_topic_refuses_is_told_and_not_waited_for() -> None:
    account, rows = taken("before")
    account.refused["after"] = 3
    said = [*account.losses(sight(rows, "before"), BEFORE)]
    assert said == ["the topic that producers know refused 3 messages after the change"]


def test_a_function_that_takes_much_longer_is_told_of() -> None:
    before = replace(BEFORE, seconds=(0.1, 0.1, 9.0))
    assert [*slower(replace(before, seconds=(*before.seconds, 2.0, 2.0)), before)] == [
        "a batch takes the function 2.0 s, and took 0.1 s"
    ]
    assert [*slower(replace(before, seconds=(*before.seconds, 0.4, 0.4)), before)] == []
    busy = replace(BEFORE, seconds=(0.1, 3.0, 3.0))
    assert [*slower(replace(busy, seconds=(*busy.seconds, 1.1, 4.0)), busy)] == [
        "a batch takes the function 1.1 s, and took 0.1 s"
    ]


def test_a_metric_that_nothing_is_counted_for_any_more_is_told_of() -> None:
    [said] = silent({"stored": 7, "failed": 0}, {"stored": 0, "failed": 0})
    assert "counts nothing for stored any more" in said

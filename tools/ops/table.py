"""Reads from the table of orders which version of an order it holds."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from functions.process_order.orders import INSTANT, latest_version, version_at
from tools.ops.stack import Stack

FAR = "by more than a day"
SHOWN = 3
"""Orders that a remark names."""
GET = 100
"""Keys in one BatchGetItem. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""


def versions(stack: Stack, order_ids: Iterable[str]) -> dict[str, str]:
    """The stored version of each order that is in the table."""
    found: dict[str, str] = {}
    ids, table = list(dict.fromkeys(order_ids)), stack["tableName"]
    for start in range(0, len(ids), GET):
        wanted: dict[str, Any] = {
            table: {
                "Keys": [{"orderId": {"S": order_id}} for order_id in ids[start : start + GET]],
                "ProjectionExpression": "orderId, version",
                "ConsistentRead": True,
            }
        }
        while wanted:
            answer = stack.client("dynamodb").batch_get_item(RequestItems=wanted)
            for item in answer["Responses"].get(table, []):
                found[item["orderId"]["S"]] = item.get("version", {}).get("S", "")
            wanted = answer.get("UnprocessedKeys") or {}
    return found


def is_tie(stored: str, version: str) -> bool:
    """Whether a stored version is that of another event of the same instant: which of the two wins, a hash decides."""
    return stored != version and stored[:INSTANT] == version[:INSTANT]


def ahead(version: str) -> str:
    """How far after now an event is dated, by the version of its row; empty for one of the past.

    The greatest version of an order is stored: an event of tomorrow wins over every correction of today.
    """
    if version <= version_at(time.time()):
        return ""
    return FAR if version > latest_version() else "within a day"


def newest(versions: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The greatest version of each order, of pairs of id and version."""
    found: dict[str, str] = {}
    for order_id, version in versions:
        found[order_id] = max(version, found.get(order_id, ""))
    return found


def remarks(stored: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """What is to be said of orders, given by id and version, that a table stores otherwise than in these versions."""
    known = {order_id: (stored[order_id], version) for order_id, version in wanted.items() if order_id in stored}
    found = {
        "a newer version is stored of": [i for i, (has, new) in known.items() if has > new and not is_tie(has, new)],
        "another event of the same instant is stored, which a newer timestamp overcomes, of": [
            i for i, (has, new) in known.items() if has > new and is_tie(has, new)
        ],
    }
    for order_id, (has, _) in known.items():
        if far := ahead(has):
            found.setdefault(f"dated after now {far}, and so ahead of every correction:", []).append(order_id)
    return [f"{what} {_some(ids)}" for what, ids in found.items() if ids]


def _some(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return ", ".join(ids[:SHOWN]) + more


def wait_until_stored(
    stack: Stack,
    newest: Mapping[str, str],
    *,
    seconds: float,
    stored: Callable[[int], None] = lambda _count: None,
    seen: dict[str, str] | None = None,
) -> set[str]:
    """Wait until the table holds every order at its version or a newer one; return those it still lacks at the end.

    `stored` is told each time how many more have arrived, and `seen` gets the versions that they are stored in.
    """
    waiting, found = dict(newest), {} if seen is None else seen
    deadline = time.monotonic() + seconds
    pause = 0.1
    while waiting:
        found |= versions(stack, waiting)
        lacking = {order_id for order_id, version in waiting.items() if found.get(order_id, "") < version}
        stored(len(waiting) - len(lacking))
        waiting = {order_id: waiting[order_id] for order_id in lacking}
        if not waiting or time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
        pause = min(2.0, pause * 1.5)
    return set(waiting)


def item(stack: Stack, order_id: str) -> dict[str, Any] | None:
    """One order as plain values, or None."""
    answer = stack.client("dynamodb").get_item(
        TableName=stack["tableName"], Key={"orderId": {"S": order_id}}, ConsistentRead=True
    )
    return {name: plain(value) for name, value in answer["Item"].items()} if "Item" in answer else None


def plain(attribute: Mapping[str, Any]) -> Any:
    """A value of DynamoDB's JSON as a value of Python's; a number stays as it is spelled."""
    [(kind, value)] = attribute.items()
    match kind:
        case "M":
            return {name: plain(member) for name, member in value.items()}
        case "L":
            return [plain(element) for element in value]
        case "NULL":
            return None
        case _:
            return value

"""The messages of a rehearsal bring a handler's faults to light, whichever part of the contract they break."""

import contextlib
import importlib
import io
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.process_order import lambda_function
from functions.process_order.store import Store
from tests.defaults import bare
from tests.fakes.events import Context, sqs_event
from tests.fakes.table import Clock, Executing, Table, client_error
from tests.review.test_account import BEFORE
from tools.review.account import Account
from tools.review.samples import OUTAGE, PARTS, bad, messages
from tools.review.sight import Sight, counts
from tools.root import ROOT

HANDLER, ORDERS, STORE, VALUES = "lambda_function.py", "orders.py", "store.py", "values.py"
FAULTS = {
    "the last of a batch wins": (HANDLER, "known.version < order.version", "True"),
    "nothing is reported as failed": (HANDLER, "for message_id in failures]", "for message_id in ()]"),
    "another identifier is reported": (HANDLER, "failures[message.id]", "failures[message.order_id]"),
    "what is not written is taken for stored": (HANDLER, 'in ("rejected", "failed")', '== "rejected"'),
    "poison fails its batch": (HANDLER, "except Rejected as", "except MemoryError as"),
    "the log tells what an order holds": (HANDLER, "order.order_id, order)", "str(order.rest), order)"),
    "an update leaves a column as it was": (STORE, "changes = ", "changes = '' and "),
    "what is null is dropped": (ORDERS, "name not in ATTRIBUTES}", "name not in ATTRIBUTES and value is not None}"),
    "names of columns are dropped": (ORDERS, "name not in ATTRIBUTES}", "name not in COLUMNS}"),
    "a number becomes a text": (ORDERS, '{{"N":"{quantity}"}},{{"S"', '{{"S":"{quantity}"}},{{"S"'),
    "a long number is rounded": (ORDERS, "parse_float=Decimal", "parse_float=lambda text: Decimal(float(text))"),
    "zones are ignored": (
        ORDERS,
        "datetime.fromisoformat(timestamp).astimezone(UTC).isoformat()[:19]",
        "timestamp[:19]",
    ),
    "nanoseconds are ignored": (ORDERS, "Z#{fraction[6:]}", "Z#000"),
    "another hash decides a tie": (ORDERS, "hexdigest()", "hexdigest()[::-1]"),
    "no quantity is accepted": (ORDERS, "1 <= value <= MAX_QUANTITY", "0 <= value <= MAX_QUANTITY"),
    "the far future is accepted": (ORDERS, "if order.version > (latest", "if '' > (latest"),
    "long ids are refused": (ORDERS, "MAX_ORDER_ID = 512", "MAX_ORDER_ID = 64"),
    "large orders are refused": (ORDERS, "MAX_ITEM_SIZE = 400", "MAX_ITEM_SIZE = 64"),
    "nested values are refused": (VALUES, "MAX_LEVEL = 32", "MAX_LEVEL = 2"),
    "a truth becomes a text": (VALUES, "'{\"BOOL\":true}'", '\'{"S":"true"}\''),
}
HARMLESS = {
    "another text in the log": (HANDLER, 'f"message {kind}"', 'f"{kind} message"'),
    "another reason": (ORDERS, "must be JSON, got NaN or Infinity", "must hold no NaN"),
}


def deliver(handler: Any, store: Any, bodies: list[str]) -> tuple[list[str], list[str], str]:
    """Hand bodies to a handler as a queue with three receives does: the dead letters, the errors, the log."""
    waiting, dead, errors, log = [(body, 1) for body in bodies], [], [], io.StringIO()
    while waiting:
        batch, waiting = waiting[:10], waiting[10:]
        failed = [f"m{index}" for index in range(len(batch))]
        try:
            with contextlib.redirect_stdout(log):
                answer = handler.process(sqs_event(*(body for body, _ in batch)), Context(), store)
            told = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
            failed = told if {*told} <= {*failed} else failed
        except Exception as error:  # noqa: BLE001 - an edited handler may raise anything
            errors.append(str(error))
        again = [batch[int(each[1:])] for each in failed]
        dead += [body for body, receives in again if receives == 3]
        waiting += [(body, receives + 1) for body, receives in again if receives < 3]
    return dead, errors, log.getvalue()


def lost(folder: Path) -> list[str]:
    """What an account says of a handler that takes over where the one that is now has stored what came before."""
    handler, store = (importlib.import_module(f"{folder.name}.{name}") for name in ("lambda_function", "store"))
    table, account, down = Table(before=lambda *_: refusing(down)), Account(), []
    table.items.update({order: dict(row) for order, row in BEFORE.rows.items()})
    clock = Clock()
    own = store.Store(Executing(table), "Orders", clock=clock, sleep=clock.sleep)
    bodies = {part: messages(part) for part in (*PARTS, OUTAGE)}
    for part in PARTS:
        for body in bodies[part]:
            account.took(part, body, "")
    dead, errors, log = deliver(handler, own, [body for part in PARTS[1:] for body in bodies[part]])
    letters = [*BEFORE.dead["OrderQueue"], *({"MessageId": "", "Body": body} for body in dead)]
    now = Sight(
        rows=table.items,
        waiting={},
        dead={"OrderQueue": letters},
        seen={},
        errors=tuple(errors),
        log=tuple(log.splitlines()),
    )
    down.append(True)
    missing = {body for body in bodies[OUTAGE] if body not in deliver(handler, own, bodies[OUTAGE])[0]}
    return [*account.losses(now, BEFORE), *missing]


def refusing(down: list[bool]) -> dict[int, str]:
    if down:
        raise client_error("AccessDeniedException")
    return {}


@pytest.mark.parametrize("what", ["nothing", *HARMLESS, *FAULTS])
def test_a_fault_in_the_handler_shows_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    folder = tmp_path / "edited"
    shutil.copytree(ROOT / "functions/process_order", folder, ignore=shutil.ignore_patterns("__pycache__"))
    if what != "nothing":
        file, old, new = {**FAULTS, **HARMLESS}[what]
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new))
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert bool(lost(folder)) is (what in FAULTS)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "edited"]:
            del sys.modules[name]


def test_what_the_program_counts_in_the_log_is_what_the_handler_writes_of_each_part() -> None:
    clock = Clock()
    _, _, log = deliver(lambda_function, Store(Executing(Table()), "Orders", sleep=clock.sleep), messages("after"))
    filters = {each.urn: SimpleNamespace(type=each.type, inputs=each.properties) for each in bare().resources}
    running: Any = SimpleNamespace(resources=filters)
    found = counts(running, log.splitlines())
    assert found["stored"]
    assert found["rejected"] == 3 * len(bad("after"))
    assert counts(running, log.replace("batch processed", "batch done").splitlines()) == dict.fromkeys(found, 0)
    assert counts(running, log.replace('"stored"', '"written"').splitlines())["stored"] == 0

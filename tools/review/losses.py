"""Updates that are known to lose orders, their delivery or the word about it although the resource stays."""

from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

from tools.review.changes import State
from tools.review.pipeline import ALARM, FUNCTION, KEY, LOG_GROUP, MAPPING, QUEUE, SUBSCRIPTION, TABLE
from tools.review.values import MISSING, number

DAY = 24 * 3600


class Loss(NamedTuple):
    """One way in which an update loses something."""

    on: str
    path: str
    """The input that changes."""
    when: Callable[[Any, Any], bool]
    """Whether the change from one value to another loses something; a value may be a mark."""
    says: str
    """What happens, as words that follow the resource's name."""
    instead: str = "Keep it as it is."


def _lower(default: float, *, endless: float | None = None) -> Callable[[Any, Any], bool]:
    """Whether a number goes down; `endless` is the number that stands for no limit."""

    def limit(value: Any) -> float | None:
        found = number(value, default)
        return inf if found is not None and found == endless else found

    def lowered(before: Any, after: Any) -> bool:
        was, becomes = limit(before), limit(after)
        if was is None or becomes is None:
            return bool(before != after)  # not known, or not readable: it may be lower
        return becomes < was

    return lowered


def _switched(*, to: bool, default: bool) -> Callable[[Any, Any], bool]:
    def on(value: Any) -> bool:
        return default if value is MISSING else value in (True, "true")

    return lambda before, after: on(before) is not to and on(after) is to


def _gone(before: Any, after: Any) -> bool:
    return bool(before) and before is not MISSING and (after is MISSING or not after)


def _other(before: Any, after: Any) -> bool:
    return bool(before) and MISSING not in (before, after) and before != after


def _narrower(before: Any, after: Any) -> bool:
    """Whether a filter lets less through: fewer values of a key, or a key that it did not look at."""
    if after is MISSING or not after or before == after:
        return False
    if not isinstance(before, dict) or not isinstance(after, dict):
        return True
    return not all(
        isinstance(before.get(key), list) and isinstance(values, list) and all(each in values for each in before[key])
        for key, values in after.items()
    )


def _another_scope(before: Any, after: Any) -> bool:
    attributes = "MessageAttributes"
    return (attributes if before is MISSING else before) != (attributes if after is MISSING else after)


def _without_item_failures(before: Any, after: Any) -> bool:
    reports = "ReportBatchItemFailures"
    return isinstance(before, list) and reports in before and not (isinstance(after, list) and reports in after)


def _stopped(before: Any, after: Any) -> bool:
    return number(after, -1) == 0 and number(before, -1) != 0


WAIT = "Wait until its oldest message is younger (`./orders status`), or redrive what waits."
ANOTHER = "Be sure that another subscription takes the others, and say so in the allowance."
EXPIRING = "Export what must be kept, and say in the allowance who decided that orders may go."
NO_DLQ = "has no dead-letter queue any more; an order that"
SILENT = "tells nobody any more"
OFF, OFF_AGAIN = _switched(to=False, default=True), _switched(to=False, default=False)

LOSSES = (
    Loss(QUEUE, "messageRetentionSeconds", _lower(4 * DAY), "loses the orders in it that have waited longer", WAIT),
    Loss(
        QUEUE, "redrivePolicy.deadLetterTargetArn", _gone, f"{NO_DLQ} keeps failing is tried until it expires, and lost"
    ),
    Loss(QUEUE, "maxMessageSize", _lower(262144), "refuses orders that are larger"),
    Loss(SUBSCRIPTION, "redrivePolicy.deadLetterTargetArn", _gone, f"{NO_DLQ} SNS cannot deliver is lost"),
    Loss(SUBSCRIPTION, "filterPolicy", _narrower, "keeps orders from its queue that its filter admitted", ANOTHER),
    Loss(
        SUBSCRIPTION, "filterPolicyScope", _another_scope, "looks for what its filter wants in another place", ANOTHER
    ),
    Loss(
        MAPPING,
        "enabled",
        OFF,
        "stops reading the queue; orders expire in it at the end of its retention",
        "Lower `maximumConcurrency` instead, or switch it back on before the retention ends.",
    ),
    Loss(
        MAPPING,
        "filterCriteria",
        _narrower,
        "deletes the orders unread that its filter does not admit",
        "Filter at the subscription of another queue.",
    ),
    Loss(
        MAPPING,
        "functionResponseTypes",
        _without_item_failures,
        "takes every message of a batch for stored, also those that the function reports as failed",
    ),
    Loss(
        FUNCTION,
        "reservedConcurrentExecutions",
        _stopped,
        "is not run any more; each try costs orders one of their receives",
        "Bound the load by the mapping's `maximumConcurrency`.",
    ),
    Loss(
        TABLE,
        "pointInTimeRecovery.enabled",
        OFF_AGAIN,
        "can no longer be restored; the recovery points of the last 35 days are deleted",
    ),
    Loss(TABLE, "pointInTimeRecovery.recoveryPeriodInDays", _lower(35), "loses its older recovery points"),
    Loss(
        TABLE,
        "deletionProtectionEnabled",
        OFF_AGAIN,
        "can be deleted by anyone who may delete tables",
        "Take the protection off only in the change that deletes the table on purpose.",
    ),
    Loss(
        TABLE,
        "ttl.enabled",
        _switched(to=True, default=False),
        "deletes orders by itself once they have expired",
        EXPIRING,
    ),
    Loss(TABLE, "ttl.attributeName", _other, "deletes other orders by itself than before", EXPIRING),
    Loss(KEY, "isEnabled", OFF, "is disabled; nothing that it encrypts can be read or written"),
    Loss(
        LOG_GROUP, "retentionInDays", _lower(0, endless=0), "loses the log lines that are older", "Export them first."
    ),
    Loss(ALARM, "alarmActions", _gone, SILENT),
    Loss(ALARM, "actionsEnabled", OFF, SILENT, "Raise its threshold instead."),
)
"""What gets words of its own. Whatever else is neither harmless nor tried is named without them."""


def losses(before: State, after: State) -> list[Loss]:
    """The losses that an update of a resource brings about."""
    both = ((loss, before.get(*loss.path.split(".")), after.get(*loss.path.split("."))) for loss in LOSSES)
    return [loss for loss, was, becomes in both if loss.on == after.type and loss.when(was, becomes)]


def gains(type_: str, path: str, before: Any, after: Any) -> bool:
    """Whether a change at a path is the opposite of a loss."""
    return any(
        loss.when(after, before) and not loss.when(before, after)
        for loss in LOSSES
        if (loss.on, loss.path) == (type_, path)
    )

"""Updates that lose orders or their delivery although the resource stays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.review.changes import State
from tools.review.holdings import ALARM, FUNCTION, KEY, LOG_GROUP, MAPPING, QUEUE, SUBSCRIPTION, TABLE
from tools.review.values import MISSING, number

DAY = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Loss:
    """One way in which an update loses something."""

    on: str
    path: tuple[str, ...]
    """The input that changes."""
    when: Callable[[Any, Any], bool]
    """Whether the change from one value to another loses something; a value may be a mark."""
    says: str
    """What happens, as words that follow the resource's name."""
    instead: str


def _lower(default: float, *, endless: float | None = None) -> Callable[[Any, Any], bool]:
    """Whether a number goes down; `endless` is the number that stands for no limit."""

    def lowered(before: Any, after: Any) -> bool:
        was, becomes = number(before, default), number(after, default)
        if was is None or becomes is None:
            return bool(before != after)  # not known, or not readable: it may be lower
        return becomes != endless and (becomes < was or was == endless) and was != becomes

    return lowered


def _off(default: bool) -> Callable[[Any, Any], bool]:  # noqa: FBT001 - the value of a switch
    """Whether a switch goes off."""
    return lambda before, after: _on(before, default) and not _on(after, default)


def _goes_on(before: Any, after: Any) -> bool:
    return not _on(before, default=False) and _on(after, default=False)


def _on(value: Any, default: bool) -> bool:  # noqa: FBT001 - the value of a switch
    if value is MISSING:
        return default
    return value is True or value == "true"


def _gone(before: Any, after: Any) -> bool:
    """Whether something that was set is set no more."""
    return bool(before) and before is not MISSING and (after is MISSING or not after)


def _narrower(before: Any, after: Any) -> bool:
    """Whether a filter appears or changes; one that is taken away lets everything through."""
    return after is not MISSING and bool(after) and before != after


def _without_item_failures(before: Any, after: Any) -> bool:
    reports = "ReportBatchItemFailures"
    return isinstance(before, list) and reports in before and not (isinstance(after, list) and reports in after)


def _stopped(before: Any, after: Any) -> bool:
    return number(after, -1) == 0 and number(before, -1) != 0


LOSSES = (
    Loss(
        on=QUEUE,
        path=("messageRetentionSeconds",),
        when=_lower(4 * DAY),
        says="loses the orders in it that have waited longer",
        instead="Wait until its oldest message is younger (`./orders status`), or redrive what waits.",
    ),
    Loss(
        on=QUEUE,
        path=("redrivePolicy", "deadLetterTargetArn"),
        when=_gone,
        says="has no dead-letter queue any more; an order that keeps failing is tried until it expires, and lost",
        instead="Keep the redrive policy.",
    ),
    Loss(
        on=QUEUE,
        path=("maxMessageSize",),
        when=_lower(262144),
        says="refuses orders that are larger",
        instead="Keep the size, or have producers send smaller orders first.",
    ),
    Loss(
        on=SUBSCRIPTION,
        path=("redrivePolicy", "deadLetterTargetArn"),
        when=_gone,
        says="has no dead-letter queue any more; an order that SNS cannot deliver is lost",
        instead="Keep the redrive policy.",
    ),
    Loss(
        on=SUBSCRIPTION,
        path=("filterPolicy",),
        when=_narrower,
        says="lets only the orders through that its filter admits; the others never reach the queue",
        instead="Be sure that another subscription takes the others, and say so in the allowance.",
    ),
    Loss(
        on=MAPPING,
        path=("enabled",),
        when=_off(default=True),
        says="stops reading the queue; orders expire in it at the end of its retention",
        instead="Lower `maximumConcurrency` instead, or switch it back on before the retention ends.",
    ),
    Loss(
        on=MAPPING,
        path=("filterCriteria",),
        when=_narrower,
        says="deletes the orders unread that its filter does not admit",
        instead="Filter at the subscription of another queue.",
    ),
    Loss(
        on=MAPPING,
        path=("functionResponseTypes",),
        when=_without_item_failures,
        says="takes every message of a batch for stored, also those that the function reports as failed",
        instead="Keep `ReportBatchItemFailures`.",
    ),
    Loss(
        on=FUNCTION,
        path=("reservedConcurrentExecutions",),
        when=_stopped,
        says="is not run any more; each try costs orders one of their receives",
        instead="Disable nothing here; bound the load by the mapping's `maximumConcurrency`.",
    ),
    Loss(
        on=TABLE,
        path=("pointInTimeRecovery", "enabled"),
        when=_off(default=False),
        says="can no longer be restored; the recovery points of the last 35 days are deleted",
        instead="Keep point-in-time recovery on.",
    ),
    Loss(
        on=TABLE,
        path=("deletionProtectionEnabled",),
        when=_off(default=False),
        says="can be deleted by anyone who may delete tables",
        instead="Keep deletion protection on; take it off only in the change that deletes the table on purpose.",
    ),
    Loss(
        on=TABLE,
        path=("ttl", "enabled"),
        when=_goes_on,
        says="deletes orders by itself once they have expired",
        instead="Export what must be kept, and say in the allowance who decided that orders may go.",
    ),
    Loss(
        on=KEY,
        path=("isEnabled",),
        when=_off(default=True),
        says="is disabled; nothing that it encrypts can be read or written",
        instead="Keep it enabled.",
    ),
    Loss(
        on=LOG_GROUP,
        path=("retentionInDays",),
        when=_lower(0, endless=0),
        says="loses the log lines that are older",
        instead="Export the lines that are needed first.",
    ),
    Loss(
        on=ALARM,
        path=("alarmActions",),
        when=_gone,
        says="tells nobody any more",
        instead="Keep an action, such as the alarms' topic.",
    ),
    Loss(
        on=ALARM,
        path=("actionsEnabled",),
        when=_off(default=True),
        says="tells nobody any more",
        instead="Keep its actions enabled; raise its threshold instead.",
    ),
)
"""Every way in which an update loses orders, their delivery, or the word about it."""


def losses(before: State, after: State) -> list[Loss]:
    """The losses that an update of a resource brings about."""
    return [
        loss for loss in LOSSES if loss.on == after.type and loss.when(before.get(*loss.path), after.get(*loss.path))
    ]


def unprotected(before: State, after: State) -> bool:
    """Whether Pulumi may delete from now on what it refused to delete before."""
    return before.protect and not after.protect

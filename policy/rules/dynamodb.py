"""Rules about tables: recoverable, encrypted, not deleted by accident, and able to follow the load."""

from collections.abc import Iterator

from framework.documents import matches
from framework.rule import Config, Rule, Verdict, switch, texts
from framework.stack import SCALING_TARGET, TABLE, Resource, Stack
from framework.values import MISSING, UNKNOWN
from pulumi_policy import EnforcementLevel, Severity


def table_protected(table: Resource, config: Config) -> Iterator[Verdict]:
    """The table can be restored, is encrypted with its own key, and in production cannot be deleted by mistake."""
    if config["requirePitr"] and table.get("pointInTimeRecovery", "enabled") not in (True, UNKNOWN):
        yield "has no point-in-time recovery"
    if config["requireCmk"]:
        if table.get("serverSideEncryption", "enabled") not in (True, UNKNOWN):
            yield "does not set serverSideEncryption.enabled"
        elif table.get("serverSideEncryption", "kmsKeyArn") is MISSING:
            yield "is encrypted without a customer-managed key (serverSideEncryption.kmsKeyArn)"
    guarded = table.protect or table.get("deletionProtectionEnabled") in (True, UNKNOWN)
    stack = stack_of(table)
    if not guarded and any(matches(pattern, stack) for pattern in config["deletionProtectionStacks"]):
        yield f"can be deleted in stack {stack}: neither deletionProtectionEnabled nor protect is set"


def stack_of(resource: Resource) -> str:
    """Return the stack's name, which is part of every URN: urn:pulumi:<stack>::<project>::<type>::<name>."""
    return resource.urn.split("::", 1)[0].rsplit(":", 1)[-1]


def capacity_follows_load(table: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """A table with provisioned capacity is scaled by something."""
    if table.get("billingMode") == "PROVISIONED" and not stack.pointing(table, SCALING_TARGET, "resourceId"):
        yield "has provisioned capacity that nothing scales"


RULES = (
    Rule(
        name="dynamodb-table-protected",
        requires="A table must have point-in-time recovery, a customer-managed key and, in production, protection from "
        "deletion.",
        why="The table is the only record of an order once its message is gone.",
        remedy="set pointInTimeRecovery.enabled, serverSideEncryption.enabled and kmsKeyArn, and "
        "deletionProtectionEnabled or protect.",
        level=EnforcementLevel.MANDATORY,
        severity=Severity.HIGH,
        pillar="REL09",
        maps_to=("Security Hub DynamoDB.2", "Security Hub DynamoDB.6", "Checkov CKV_AWS_28", "Checkov CKV_AWS_119"),
        link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html",
        on=(TABLE,),
        settings=(
            switch("requirePitr", "Whether point-in-time recovery is needed.", default=True),
            switch("requireCmk", "Whether the key must be customer-managed.", default=True),
            texts(
                "deletionProtectionStacks",
                ("prod", "production"),
                "Names of the stacks whose tables must not be deletable, with * and ? as wildcards.",
            ),
        ),
        check=table_protected,
    ),
    Rule(
        name="dynamodb-capacity-follows-load",
        requires="A table's capacity must follow the load.",
        why="Writes beyond a fixed capacity are throttled, and orders end in the dead-letter queue at the busiest "
        "hour.",
        remedy="set billingMode to PAY_PER_REQUEST, or add an appautoscaling.Target for the table.",
        level=EnforcementLevel.ADVISORY,
        severity=Severity.MEDIUM,
        pillar="REL07",
        maps_to=("Security Hub DynamoDB.1",),
        link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html",
        on=(TABLE,),
        check_in_stack=capacity_follows_load,
    ),
)

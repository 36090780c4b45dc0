"""Rules about tables: recoverable, encrypted, not deleted by accident, and able to follow the load."""

from collections.abc import Iterator

from framework import aws
from framework.documents import matches
from framework.rule import Config, Rule, Undecided, Verdict, advice, switch, texts
from framework.stack import Resource, Stack
from framework.values import MISSING, UNKNOWN, inside


def table_protected(table: Resource, config: Config) -> Iterator[Verdict]:
    """The table can be restored, is encrypted with its own key, and in production cannot be deleted by mistake."""
    if config["requirePitr"]:
        yield from _on(table, "no point-in-time recovery", "pointInTimeRecovery", "enabled")
    if config["requireCmk"]:
        yield from _on(table, "no encryption of its own", "serverSideEncryption", "enabled")
        stated = table.get("serverSideEncryption")
        if inside(stated, "enabled") is True and inside(stated, "kmsKeyArn") is MISSING:
            yield "is encrypted without a customer-managed key (serverSideEncryption.kmsKeyArn)"
    # Every URN has the stack's name in it: urn:pulumi:<stack>::<project>::<type>::<name>.
    stack = table.urn.split("::", 1)[0].rsplit(":", 1)[-1]
    if not table.protect and any(matches(pattern, stack) for pattern in config["deletionProtectionStacks"]):
        yield from _on(table, f"no protection from deletion in stack {stack}", "deletionProtectionEnabled")


def _on(table: Resource, otherwise: str, *path: str) -> Iterator[Verdict]:
    """Whether a switch is on; one that is not known yet has to wait."""
    switched = table.get(*path)
    if switched is not True:
        yield Undecided(path[0]) if switched is UNKNOWN else f"has {otherwise} ({'.'.join(path)})"


def capacity_follows_load(table: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """A table with provisioned capacity is scaled by something."""
    if table.get("billingMode") == "PROVISIONED" and not stack.pointing(table, aws.SCALING_TARGET, "resourceId"):
        yield "has provisioned capacity that nothing scales"


RULES = (
    Rule(
        name="dynamodb-table-protected",
        requires="A table must have point-in-time recovery, its own key and, in production, protection from deletion.",
        remedy="set pointInTimeRecovery.enabled, serverSideEncryption.enabled and kmsKeyArn, and "
        "deletionProtectionEnabled or protect.",
        pillar="REL09",
        maps_to=("Security Hub DynamoDB.2", "Security Hub DynamoDB.6", "Checkov CKV_AWS_28", "Checkov CKV_AWS_119"),
        link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html",
        on=(aws.TABLE,),
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
    advice(
        name="dynamodb-capacity-follows-load",
        requires="A table's capacity must follow the load.",
        remedy="set billingMode to PAY_PER_REQUEST, or add an appautoscaling.Target for the table.",
        pillar="REL07",
        maps_to=("Security Hub DynamoDB.1",),
        link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html",
        on=(aws.TABLE,),
        check_in_stack=capacity_follows_load,
    ),
)

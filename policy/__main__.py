"""Serves the policy pack: PolicyPack never returns, so everything else lives in `rules`."""

from pulumi_policy import EnforcementLevel, PolicyPack
from rules import RULES
from rules.enforcement import policy

PolicyPack(
    name="order-notifications",
    description="Orders are not lost, not readable and not public.",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[policy(rule) for rule in RULES],
)

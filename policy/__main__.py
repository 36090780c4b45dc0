"""Serves the policy pack: PolicyPack never returns, so everything else lives in `rules`."""

import gc

from framework.enforcement import Policies, policy
from pulumi_policy import EnforcementLevel, PolicyPack
from rules import RULES

# Every stack policy gets all resources. None of that is cyclic, so full collections would only walk it again and
# again, and make the time grow faster than the stack; reference counts free it as before.
gc.disable()

PolicyPack(
    name="order-notifications",
    description="Orders are not lost, not readable and not public.",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=Policies(policy(rule) for rule in RULES),
)

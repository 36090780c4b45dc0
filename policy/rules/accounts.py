"""Which other accounts a program lets in, wherever it can say so."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from framework import aws
from framework.documents import Statement, readable
from framework.rule import Config, Rule, Undecided, Verdict, texts
from framework.stack import Resource, Stack, is_arn
from framework.values import UNKNOWN

# Where each type names principals: as one of them, or in a policy document.
_NAMED = {aws.PERMISSION: "principal", aws.KEY_GRANT: "granteePrincipal"}
_DOCUMENTS = {aws.ROLE: "assumeRolePolicy"} | dict.fromkeys(
    (aws.QUEUE, aws.QUEUE_POLICY, aws.TOPIC, aws.TOPIC_POLICY, aws.KEY, aws.KEY_POLICY, aws.TABLE_POLICY), "policy"
)
_CALLERS = ("aws:PrincipalAccount", "aws:PrincipalArn", "kms:CallerAccount")
_ACCOUNT = re.compile(r"(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::.*)?")


def only_known_accounts(resource: Resource, stack: Stack, config: Config) -> Iterator[Verdict]:
    """Whoever is let in belongs to an account of the stack, or to one that is allowed."""
    key = _NAMED.get(resource.type) or _DOCUMENTS[resource.type]
    stated = resource.get(key) if resource.sets(key) else ()
    if stated is UNKNOWN:
        yield Undecided(key)
        return
    own = accounts_of(stack)
    for account in _accounts([stated] if resource.type in _NAMED else readable(stated)):
        if account not in own and account not in config["allowAccounts"]:
            yield f"lets in account {account}" if own else Undecided(f"{key}: the account that this stack is in")


def _accounts(stated: Iterable[Any]) -> list[str]:
    """Return the accounts of a principal, or of those that statements allow something, by name or by condition."""
    named: list[Any] = []
    for each in stated:
        if not isinstance(each, Statement):
            named.append(each)
        elif each.allows:
            named += [name for _, name in each.principals]
            named += [value for pin in each.conditions if each.open and pin.pins(*_CALLERS) for value in pin.values]
    return list(dict.fromkeys(found[1] for each in named if (found := _ACCOUNT.fullmatch(str(each)))))


@lru_cache(maxsize=1)
def accounts_of(stack: Stack) -> set[str]:
    """Return the accounts that a stack is in: those of its ARNs, and of what its queues' policies are for."""
    arns = [each.get("arn") for each in stack.resources]
    for policy in stack.of(aws.QUEUE_POLICY, aws.TOPIC_POLICY):
        arns += [arn for statement in readable(policy.get("policy")) for arn in statement.resources]
    return {account for arn in arns if is_arn(arn) and (account := arn.split(":")[4]).isdigit()}


RULES = (
    Rule(
        name="resource-policy-known-accounts",
        requires="Policies, permissions and grants must let in no other account, unless it is allowed.",
        remedy="name a principal of this account, or allow the other one in allowAccounts.",
        pillar="SEC03",
        link="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html",
        on=(*_NAMED, *_DOCUMENTS),
        settings=(texts("allowAccounts", (), "Ids of other accounts that may be let in."),),
        check_in_stack=only_known_accounts,
    ),
)

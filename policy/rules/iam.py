"""Rules about roles: no more than a function needs, and no less than a queue's consumer needs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from framework import aws
from framework.documents import ANYONE, CALLERS, Statement, judged, matches, readable
from framework.keys import key_documents, keys_of
from framework.rule import Config, Rule, Undecided, Verdict, advice, texts
from framework.stack import Resource, Stack, is_arn, named_in
from framework.values import UNKNOWN, inside, items

_CONSUME = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_SQS_EXECUTION_ROLE = "AWSLambdaSQSQueueExecutionRole"
_WITHOUT_QUEUES = ("AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AWSXRayDaemonWriteAccess")

# What attaches managed policies to a role: where it names the role, and where the policies.
_ATTACHING = (
    (aws.ATTACHMENT, "role", "policyArn"),
    (aws.ATTACHMENTS, "roleName", "policyArns"),
    (aws.POLICY_ATTACHMENT, "roles", "policyArn"),
)


def least_privilege(resource: Resource, config: Config) -> Iterator[Verdict]:
    """It names its actions and resources; nobody but the intended assumes a role."""
    for key in ("managedPolicyArns", "policyArn", "policyArns"):
        for arn in items(resource.get(key)):
            yield from _broad_attachment(key, arn, config)
    for inline in items(resource.get("inlinePolicies")):
        yield from judged(inside(inline, "policy"), "inlinePolicies", lambda found: _grant(found, config))
    yield from judged(resource.get("policy"), "policy", lambda found: _grant(found, config))
    yield from judged(resource.get("assumeRolePolicy"), "assumeRolePolicy", _trust)


def _trust(statement: Statement) -> Iterator[Verdict]:
    if statement.excludes_principals:
        yield "can be assumed by everyone but some (NotPrincipal)"
    elif statement.open and not statement.pinned_to(*CALLERS):
        yield "can be assumed by everyone"


def role_of_function_alone(function: Resource, stack: Stack, config: Config) -> Iterator[Verdict]:
    """Nothing but Lambda assumes the role that a function runs as."""
    trusted = config["allowedTrustServices"]
    for role in stack.pointed(function, aws.ROLE, "role"):
        stated = role.get("assumeRolePolicy")
        if stated is UNKNOWN:
            yield Undecided(f"assumeRolePolicy of {role.name}")
        for kind, name in (who for found in readable(stated) if found.allows for who in found.principals):
            if name is not UNKNOWN and (kind, name) != ANYONE and (kind != "service" or name not in trusted):
                yield f"runs as {role.name}, which can be assumed by {name}, not only by {', '.join(trusted)}"


def _grant(statement: Statement, config: Config) -> Iterator[Verdict]:
    actions = [action for action in statement.actions if action is not UNKNOWN]
    if statement.excludes_actions:
        yield "allows every action but some (NotAction)"
    if statement.excludes_resources:
        yield "allows its actions on every resource but some (NotResource)"
    wild = [action for action in actions if _matches_everything(action.rsplit(":", 1)[-1])]
    if wild:
        yield f"allows all actions of {', '.join(wild)}"
    to_one_service = statement.pinned_to("iam:PassedToService")
    if any(_everything(each) for each in statement.resources) and not _narrowed(statement):
        allowed = [action.lower() for action in config["allowStarResourceFor"]]
        allowed += ["iam:passrole"] if to_one_service else []
        limited = [action for action in actions if not (action in (*allowed, *wild) or _unlimitable(action))]
        if limited:
            yield f"allows {', '.join(limited)} on every resource"
    elif any("*" in str(each) for each in statement.resources):
        if statement.covers("kms:Decrypt"):
            yield "allows kms:Decrypt with a pattern of keys"
        if statement.covers("iam:PassRole") and not wild and not to_one_service:
            yield "allows iam:PassRole for a pattern of roles to any service (iam:PassedToService)"


def _narrowed(statement: Statement) -> bool:
    """Whether its conditions say which resources it means: those with a tag or alias, or a function's mappings."""
    return any(
        condition.demands and not any(_everything(value) for value in condition.values)
        for condition in statement.conditions
        if "tag/" in condition.key or condition.key in ("kms:resourcealiases", "lambda:functionarn")
    )


def _unlimitable(action: str) -> bool:
    """Whether AWS offers no way to limit an action, or all that a pattern of actions means, to a resource."""
    service, _, name = action.partition(":")
    return any(matches(each, name) for each in _unlimitable_actions().get(service, ()))


@lru_cache
def _unlimitable_actions() -> Mapping[str, Sequence[str]]:
    text = (Path(__file__).parent.parent / "framework" / "unlimitable-actions.txt").read_text(encoding="utf-8")
    lines = (line.lower().split() for line in text.splitlines() if not line.startswith("#"))
    return {service: actions for service, *actions in lines}


def _matches_everything(pattern: str) -> bool:
    """Whether a pattern has wildcards only, and so means all that it can mean."""
    return bool(pattern) and set(pattern) <= {"*", "?"}


def _everything(resource: Any) -> bool:
    """Whether a resource is `*`, or an ARN that names no resource: all tables, all queues, or a whole service."""
    if not is_arn(resource):
        return isinstance(resource, str) and _matches_everything(resource)
    return _matches_everything(named_in(resource))


def _broad_attachment(key: str, arn: Any, config: Config) -> Iterator[Verdict]:
    if arn is UNKNOWN:
        yield Undecided(key)
    elif isinstance(arn, str) and arn not in config["allowManagedPolicies"] and _BROAD.search(arn):
        yield f"attaches {arn.rsplit('/', 1)[-1]}"


# Policies of AWS that give a whole service, or a whole job.
_BROAD = re.compile(r":aws:policy/(job-function/|.*(FullAccess|PowerUser|Administrator)|ReadOnlyAccess$)")


def consumer_can_use_queue(mapping: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """The consumer's role may take messages from the queue, and decrypt what it reads and writes."""
    for function in stack.pointed(mapping, aws.FUNCTION, "functionName"):
        for role in stack.pointed(function, aws.ROLE, "role"):
            grants = _grants(role, stack)
            if any(document is UNKNOWN for _, document in grants):
                yield Undecided(f"policy of {role.name}")
            for queue in stack.pointed(mapping, aws.QUEUE, "eventSourceArn"):
                missing = [action for action in _CONSUME if not _may(grants, action, queue, stack)]
                if missing:
                    yield f"feeds {function.name}, whose role may not {', '.join(missing)} on {queue.name}"
                for key in keys_of(queue, stack, "kmsMasterKeyId"):
                    yield from _may_decrypt(role, grants, key, queue, stack)
            for table in _tables(grants, stack):
                for key in keys_of(table, stack, "serverSideEncryption", "kmsKeyArn"):
                    yield from _may_decrypt(role, grants, key, table, stack)


def _may_decrypt(
    role: Resource, grants: list[tuple[Resource, Any]], key: Resource, of: Resource, stack: Stack
) -> Iterator[Verdict]:
    documents = key_documents(key, stack)
    by_key = any(
        statement.allows and statement.covers("kms:Decrypt") and ("aws", role.get("arn")) in statement.principals
        for document in documents
        for statement in readable(document)
    )
    if not by_key and UNKNOWN not in documents and not _may(grants, "kms:Decrypt", key, stack):
        yield f"feeds a function whose role {role.name} may not kms:Decrypt with {key.name}, the key of {of.name}"


def _grants(role: Resource, stack: Stack) -> list[tuple[Resource, Any]]:
    """Return a role's policy documents, each with the resource that states it."""
    found = [(policy, policy.get("policy")) for policy in stack.pointing(role, aws.ROLE_POLICY, "role")]
    found += [(role, inside(inline, "policy")) for inline in items(role.get("inlinePolicies"))]
    attaching = [(role, "managedPolicyArns")]
    for type_, by, key in _ATTACHING:
        attaching += [(each, key) for each in stack.pointing(role, type_, by)]
    for holder, key in attaching:
        found += [(each, each.get("policy")) for each in stack.pointed(holder, aws.MANAGED_POLICY, key)]
        found += [(holder, _of_aws(arn)) for arn in items(holder.get(key)) if ":aws:policy/" in str(arn)]
    return found


def _of_aws(arn: str) -> Mapping[str, Any]:
    """A policy of AWS's own as a document: what we do not know may grant anything."""
    name = arn.rsplit("/", 1)[-1]
    known = {_SQS_EXECUTION_ROLE: _CONSUME, **dict.fromkeys(_WITHOUT_QUEUES, ("logs:PutLogEvents",))}
    return {"Statement": {"Effect": "Allow", "Action": list(known.get(name, ("*",))), "Resource": "*"}}


def _may(grants: list[tuple[Resource, Any]], action: str, target: Resource, stack: Stack) -> bool:
    for holder, document in grants:
        if document is UNKNOWN:
            # Not readable in preview: a policy that names the resource depends on it.
            if target in stack.named(holder, target.type, UNKNOWN, _document_key(holder)):
                return True
        elif any(
            statement.allows and statement.covers(action) and statement.reaches(target)
            for statement in readable(document)
        ):
            return True
    return False


def _tables(grants: list[tuple[Resource, Any]], stack: Stack) -> list[Resource]:
    tables: list[Resource] = []
    for holder, document in grants:
        if document is UNKNOWN:
            tables += stack.named(holder, aws.TABLE, UNKNOWN, _document_key(holder))
        for statement in readable(document):
            for arn in statement.resources:
                tables += stack.find(aws.TABLE, arn) if isinstance(arn, str) else []
    return list(dict.fromkeys(tables))


def _document_key(holder: Resource) -> str:
    return "inlinePolicies" if holder.type == aws.ROLE else "policy"


_ATTACHMENTS = (
    aws.ATTACHMENT,
    aws.ATTACHMENTS,
    aws.POLICY_ATTACHMENT,
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive",
)

RULES = (
    Rule(
        name="iam-least-privilege",
        requires="A policy must name its actions and resources, and a role whom it trusts.",
        remedy="list the actions and the ARNs they are needed on, and the principals of a role.",
        pillar="SEC03",
        maps_to=("Security Hub IAM.1", "Security Hub IAM.21", "Security Hub KMS.1", "Checkov CKV_AWS_355"),
        link="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
        on=(aws.ROLE, aws.ROLE_POLICY, aws.USER_POLICY, aws.GROUP_POLICY, aws.MANAGED_POLICY, *_ATTACHMENTS),
        settings=(
            texts("allowStarResourceFor", (), "Further actions that may be allowed on every resource."),
            texts("allowManagedPolicies", (), "ARNs of broad AWS-managed policies that may be attached."),
        ),
        check=least_privilege,
    ),
    Rule(
        name="lambda-role-is-its-own",
        requires="The role of a function must let nobody in but Lambda.",
        remedy="let the role trust lambda.amazonaws.com alone, and give whoever else needs it a role of their own.",
        pillar="SEC03",
        link="https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
        on=(aws.FUNCTION,),
        settings=(texts("allowedTrustServices", ("lambda.amazonaws.com",), "Services that may assume the role."),),
        check_in_stack=role_of_function_alone,
    ),
    advice(
        name="consumer-role-can-use-queue",
        requires="A queue consumer's role must hold what reading the queue and using its keys takes.",
        remedy="allow sqs:ReceiveMessage, DeleteMessage and GetQueueAttributes on the queue, kms:Decrypt on the keys.",
        pillar="SEC03",
        link="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
        on=(aws.MAPPING,),
        check_in_stack=consumer_can_use_queue,
    ),
)

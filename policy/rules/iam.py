"""Rules about roles: no more than a function needs, and no less than a queue's consumer needs."""

from collections.abc import Iterator
from typing import Any

from framework.documents import Statement, judged, readable
from framework.keys import key_documents, keys_of
from framework.rule import Config, Rule, Undecided, Verdict, texts
from framework.stack import (
    ATTACHMENT,
    FUNCTION,
    MANAGED_POLICY,
    MAPPING,
    QUEUE,
    ROLE,
    ROLE_POLICY,
    TABLE,
    Resource,
    Stack,
)
from framework.values import UNKNOWN, inside, items
from pulumi_policy import EnforcementLevel, Severity

# Actions that AWS cannot limit to a resource.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
_UNLIMITED = (
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogGroup",
    "cloudwatch:PutMetricData",
)

_CONSUME = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_SQS_EXECUTION_ROLE = "AWSLambdaSQSQueueExecutionRole"


def least_privilege(resource: Resource, config: Config) -> Iterator[Verdict]:
    """The role names its actions and resources, and is assumed by the intended service only."""
    if resource.type == ATTACHMENT:
        yield from _broad_attachment(resource.get("policyArn"), config)
        return
    if resource.type == ROLE:
        yield from judged(resource.get("assumeRolePolicy"), "assumeRolePolicy", lambda found: _trust(found, config))
        for arn in items(resource.get("managedPolicyArns")):
            yield from _broad_attachment(arn, config)
        for inline in items(resource.get("inlinePolicies")):
            yield from judged(inside(inline, "policy"), "inlinePolicies", lambda found: _grant(found, config))
        return
    yield from judged(resource.get("policy"), "policy", lambda found: _grant(found, config))


def _trust(statement: Statement, config: Config) -> Iterator[Verdict]:
    trusted = config["allowedTrustServices"]
    if statement.excludes_principals:
        yield "can be assumed by everyone but some (NotPrincipal)"
    for kind, name in statement.principals:
        if name is not UNKNOWN and (kind != "service" or name not in trusted):
            yield f"can be assumed by {name}, not only by {', '.join(trusted)}"


def _grant(statement: Statement, config: Config) -> Iterator[Verdict]:
    actions = [action for action in statement.actions if action is not UNKNOWN]
    if statement.excludes_actions:
        yield "allows every action but some (NotAction)"
    if statement.excludes_resources:
        yield "allows its actions on every resource but some (NotResource)"
    wild = [action for action in actions if set(action.rsplit(":", 1)[-1]) <= {"*"}]
    if wild:
        yield f"allows all actions of {', '.join(wild)}"
    if any(_everything(each) for each in statement.resources):
        allowed = [action.lower() for action in config["allowStarResourceFor"]]
        limited = [action for action in actions if action not in allowed and action not in wild]
        if limited:
            yield f"allows {', '.join(limited)} on every resource"
    elif statement.covers("kms:Decrypt") and _patterned(statement):
        yield "allows kms:Decrypt with a pattern of keys"
    passes_roles = statement.covers("iam:PassRole") and not wild and not statement.pinned_to("iam:PassedToService")
    if passes_roles and _patterned(statement):
        yield "allows iam:PassRole for a pattern of roles to any service (iam:PassedToService)"


def _patterned(statement: Statement) -> bool:
    return any("*" in each for each in statement.resources if isinstance(each, str))


def _everything(resource: Any) -> bool:
    """Whether a resource is `*`, or an ARN that names a service and nothing else."""
    if not isinstance(resource, str):
        return False
    parts = resource.split(":", 5)
    return set(resource) == {"*"} or (len(parts) == 6 and all(set(part) <= {"*"} for part in parts[3:]))


def _broad_attachment(arn: Any, config: Config) -> Iterator[Verdict]:
    if not isinstance(arn, str) or arn in config["allowManagedPolicies"]:
        return
    name = arn.rsplit("/", 1)[-1]
    if ":aws:policy/" in arn and (name.endswith("FullAccess") or name in ("AdministratorAccess", "PowerUserAccess")):
        yield f"attaches {name}"


def consumer_can_use_queue(mapping: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """The consumer's role may take messages from the queue, and decrypt what it reads and writes."""
    for function in stack.pointed(mapping, FUNCTION, "functionName"):
        for role in stack.pointed(function, ROLE, "role"):
            grants = _grants(role, stack)
            if any(document is UNKNOWN for _, document in grants):
                yield Undecided(f"policy of {role.name}")
            for queue in stack.pointed(mapping, QUEUE, "eventSourceArn"):
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
    found = [(policy, policy.get("policy")) for policy in stack.pointing(role, ROLE_POLICY, "role")]
    found += [(role, inside(inline, "policy")) for inline in items(role.get("inlinePolicies"))]
    for attachment in stack.pointing(role, ATTACHMENT, "role"):
        arn = attachment.get("policyArn")
        if isinstance(arn, str) and arn.endswith(f"/{_SQS_EXECUTION_ROLE}"):
            statement = {"Effect": "Allow", "Action": list(_CONSUME), "Resource": "*"}
            found.append((attachment, {"Statement": statement}))
        found += [(each, each.get("policy")) for each in stack.pointed(attachment, MANAGED_POLICY, "policyArn")]
    return found


def _may(grants: list[tuple[Resource, Any]], action: str, target: Resource, stack: Stack) -> bool:
    for holder, document in grants:
        if document is UNKNOWN:
            # Not readable in preview: a policy that names the resource depends on it.
            if target in stack.named(holder, target.type, UNKNOWN, _document_key(holder)):
                return True
        elif any(
            statement.allows and statement.covers(action) and statement.reaches(target.get("arn"))
            for statement in readable(document)
        ):
            return True
    return False


def _tables(grants: list[tuple[Resource, Any]], stack: Stack) -> list[Resource]:
    tables: list[Resource] = []
    for holder, document in grants:
        if document is UNKNOWN:
            tables += stack.named(holder, TABLE, UNKNOWN, _document_key(holder))
        for statement in readable(document):
            for arn in statement.resources:
                tables += stack.find(TABLE, arn) if isinstance(arn, str) else []
    return list(dict.fromkeys(tables))


def _document_key(holder: Resource) -> str:
    return "inlinePolicies" if holder.type == ROLE else "policy"


RULES = (
    Rule(
        name="iam-least-privilege",
        requires="A role must name its actions and resources, and be assumed by the intended service only.",
        why="Code that runs under a broad role turns any bug in it into a breach of the account.",
        remedy="list the actions and the ARNs they are needed on; trust lambda.amazonaws.com alone.",
        level=EnforcementLevel.MANDATORY,
        severity=Severity.HIGH,
        pillar="SEC03",
        maps_to=(
            "Security Hub IAM.1",
            "Security Hub IAM.21",
            "Security Hub KMS.1",
            "Checkov CKV_AWS_355",
            "cdk-nag IAM5",
        ),
        link="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
        on=(ROLE, ROLE_POLICY, MANAGED_POLICY, ATTACHMENT),
        settings=(
            texts("allowStarResourceFor", _UNLIMITED, "Actions that may be allowed on every resource."),
            texts("allowedTrustServices", ("lambda.amazonaws.com",), "Services that may assume a role."),
            texts("allowManagedPolicies", (), "ARNs of broad AWS-managed policies that may be attached."),
        ),
        check=least_privilege,
    ),
    Rule(
        name="consumer-role-can-use-queue",
        requires="A queue consumer's role must hold what reading the queue and using its keys takes.",
        why="A missing permission shows up only once orders wait: the mapping stops, or each write fails to decrypt.",
        remedy="allow sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes on the queue and kms:Decrypt on "
        "the keys.",
        level=EnforcementLevel.ADVISORY,
        severity=Severity.MEDIUM,
        pillar="SEC03",
        link="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
        on=(MAPPING,),
        check_in_stack=consumer_can_use_queue,
    ),
)

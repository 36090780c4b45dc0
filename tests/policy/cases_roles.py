"""Cases of the rules about what roles may do, and who assumes them."""

from typing import Any

from framework import aws

from tests.policy.case import DEAD, Case, document, fails, malformed, orders, passes, role, statement, table, unknown
from tests.policy.cases_functions import ALIASED
from tests.policy.cases_queues import UNKNOWN
from tests.policy.pipeline import Change, Ref, added, given, without
from tools.recording.graph import ACCOUNT

CONSUMES, WRITES, TRACES = (statement("ProcessOrder-permissions", sid) for sid in ("Consume", "Write", "Trace"))
DECRYPTS = statement("ProcessOrder-decryption", "Decrypt")
NO_PERMISSIONS = without("ProcessOrder-permissions", "ProcessOrder-decryption")
TRUSTS = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
TO_LAMBDA = {"Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}}
OF_ORGANISATION = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-12345"}}}
BY_AWS = "arn:aws:iam::aws:policy"
CONSUMER = f"{BY_AWS}/service-role/AWSLambdaSQSQueueExecutionRole"
ROLE_NAME = Ref("ProcessOrder-role", "name")
BROAD = [
    ("AmazonDynamoDBFullAccess_v2", aws.POLICY_ATTACHMENT, "policyArn"),
    ("AmazonEC2ContainerRegistryPowerUser", aws.ATTACHMENTS, "policyArns"),
    ("job-function/SystemAdministrator", "aws:iam/userPolicyAttachment:UserPolicyAttachment", "policyArn"),
    ("ReadOnlyAccess", "aws:iam/groupPolicyAttachment:GroupPolicyAttachment", "policyArn"),
]


def role_policy(*statements: Any) -> Change:
    return given("ProcessOrder-permissions", policy=document(*statements))


def granted(**changes: Any) -> Change:
    """A further policy on the role, whose every part is known, also in preview; None leaves a part out."""
    stated = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/x", **changes}
    policy = document({name: value for name, value in stated.items() if value is not None})
    return added(aws.ROLE_POLICY, "more", role=ROLE_NAME, policy=policy)


def attached(policy_arn: Any) -> Change:
    return added(aws.ATTACHMENT, "attachment", role=ROLE_NAME, policyArn=policy_arn)


def trusted(*principals: Any, **changes: Any) -> Change:
    """The function's role, which lets somebody in besides Lambda."""
    more = [{**TRUSTS, "Principal": who, **changes} for who in principals]
    return role(assumeRolePolicy=document(TRUSTS, *more))


def another_role(*statements: Any) -> Change:
    return added(aws.ROLE, "other", assumeRolePolicy=document(*statements))


def inline(*statements: Any) -> Change:
    return role(inlinePolicies=[{"name": "x", "policy": document(*statements)}])


EVERYTHING = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/x"}
EC2, STATES = ({"Service": f"{name}.amazonaws.com"} for name in ("ec2", "states"))

CASES: dict[str, list[Case]] = {
    "iam-least-privilege": [
        passes("a statement for one resource", granted()),
        passes(
            "an action of one's own on everything",
            granted(Action="s3:ListBucket", Resource="*"),
            allowStarResourceFor=["s3:ListBucket"],
        ),
        passes("a denial of everything", granted(Effect="Deny", Action="*", Resource="*")),
        passes("another service's role", another_role({**TRUSTS, "Principal": EC2})),
        passes("an organisation's", trusted("*", **OF_ORGANISATION)),
        *(
            passes(f"{action}, which AWS cannot limit", granted(Action=action, Resource="*"))
            for action in ("ec2:DescribeInstances", "ec2:Describe*", "EC2:describevpcs", "cloudwatch:PutMetricData")
        ),
        *(
            passes(f"no more than {arn}", granted(Resource=f"arn:aws:{arn}"))
            for arn in ("s3:::bucket/*", f"logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/x:*")
        ),
        passes("another's full name", attached(f"{BY_AWS}/AmazonSQSReadOnlyAccess")),
        passes(
            "a role passed to one service",
            granted(Action="iam:PassRole", Resource=f"arn:aws:iam::{ACCOUNT}:role/*", **TO_LAMBDA),
        ),
        *(fails(f"{actions}", granted(Action=actions)) for actions in ("*", ["SQS:*"], "sqs:?*")),
        fails("every action but one", granted(Action=None, NotAction="s3:GetObject")),
        fails("every resource but one", granted(Resource=None, NotResource="x")),
        fails("every resource", granted(Resource="*")),
        *(
            fails(f"all of {arn}", granted(Action="dynamodb:PutItem", Resource=f"arn:aws:{arn}"))
            for arn in (f"dynamodb:eu-west-1:{ACCOUNT}:table/*", f"sqs:eu-west-1:{ACCOUNT}:*", "s3:::*", "s3:*:*:*")
        ),
        fails("a pattern of keys", granted(Action="kms:Decrypt", Resource=f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/a*")),
        fails("any role to any service", granted(Action="iam:PassRole", Resource=f"arn:aws:iam::{ACCOUNT}:role/a*")),
        *(
            fails(f"by {type_}", added(type_, "rights", policy=document(EVERYTHING)))
            for type_ in (aws.USER_POLICY, aws.GROUP_POLICY, aws.MANAGED_POLICY)
        ),
        fails("inline", inline(EVERYTHING)),
        *(
            fails(f"{policy} by {type_}", added(type_, "rights", **{name: [f"{BY_AWS}/{policy}"]}))
            for policy, type_, name in BROAD
        ),
        fails("an administrator", attached(f"{BY_AWS}/AdministratorAccess")),
        fails("full access", role(managedPolicyArns=[f"{BY_AWS}/AmazonSQSFullAccess"])),
        fails("everyone assumes it", trusted("*")),
        fails(
            "everyone but one assumes it",
            trusted(None, NotPrincipal={"AWS": ACCOUNT}),
            also=("lambda-role-is-its-own",),
        ),
        fails("in a text unknown in preview", granted(Resource=UNKNOWN, Action="dynamodb:*"), waits=True),
        unknown("the text is unknown", waits=True),
        unknown("an attached policy is unknown", attached(UNKNOWN), waits=True),
        malformed("not JSON", role(assumeRolePolicy="lambda")),
        malformed("an action that is a number", granted(Action=7)),
    ],
    "lambda-role-is-its-own": [
        passes(
            "a further service that is allowed",
            trusted(STATES),
            allowedTrustServices=["lambda.amazonaws.com", "states.amazonaws.com"],
        ),
        passes("a role that no function has", another_role(TRUSTS, {**TRUSTS, "Principal": STATES})),
        passes("a denial", trusted(EC2, Effect="Deny")),
        *(fails(f"{who} besides", trusted(who)) for who in (EC2, {"AWS": ACCOUNT})),
        unknown("the text is unknown", role(assumeRolePolicy=document({**TRUSTS, "Resource": UNKNOWN})), waits=True),
        malformed("not JSON", role(assumeRolePolicy="lambda"), breaks=False, also=("iam-least-privilege",)),
    ],
    "consumer-role-can-use-queue": [
        passes("by a managed policy", role_policy(WRITES, TRACES), attached(CONSUMER)),
        passes(
            "by a policy of its own resource",
            role_policy(WRITES),
            added(aws.MANAGED_POLICY, "managed", policy=document(CONSUMES)),
            attached(Ref("managed")),
        ),
        passes("inline", NO_PERMISSIONS, inline(CONSUMES, WRITES, DECRYPTS)),
        passes("by a policy of AWS's that we do not know", role_policy(WRITES), attached(f"{BY_AWS}/SomeJob")),
        passes("on the role itself", role_policy(WRITES), role(managedPolicyArns=[CONSUMER])),
        *(
            passes(f"by {type_}", role_policy(WRITES), added(type_, "more", **{by: [ROLE_NAME], name: [CONSUMER]}))
            for type_, by, name in (
                (aws.ATTACHMENTS, "roleName", "policyArns"),
                (aws.POLICY_ATTACHMENT, "roles", "policyArn"),
            )
        ),
        fails(
            "by a policy of AWS's that is about logs",
            role_policy(WRITES),
            attached(f"{BY_AWS}/service-role/AWSLambdaBasicExecutionRole"),
        ),
        fails("no policy", NO_PERMISSIONS),
        fails("no policy, behind an alias", NO_PERMISSIONS, *ALIASED["an alias"]),
        fails(
            "may not delete",
            role_policy({**CONSUMES, "Action": ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"]}, WRITES),
            waits=True,
        ),
        fails("another queue", role_policy({**CONSUMES, "Resource": DEAD}, WRITES)),
        fails(
            "may not decrypt what it reads",
            without("ProcessOrder-decryption"),
            table(serverSideEncryption={"enabled": True}),
            also=("dynamodb-table-protected",),
        ),
        fails("may not decrypt what it writes", without("ProcessOrder-decryption"), orders(kmsMasterKeyId=None)),
        unknown("the text is unknown but depends on queue and key", waits=True),
        unknown(
            "the text is unknown and does not depend on the key",
            given("ProcessOrder-decryption", policy=document({**DECRYPTS, "Resource": UNKNOWN})),
            breaks=True,
        ),
        malformed("not JSON", given("ProcessOrder-permissions", policy="{"), also=("iam-least-privilege",)),
    ],
}

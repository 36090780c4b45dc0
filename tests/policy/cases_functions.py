"""Cases of the rules about functions, event source mappings, roles, tables, alarms and logs."""

from typing import Any

from framework import aws

from tests.policy.case import (
    DEAD,
    DEAD_LETTER_ALARM,
    TOPIC,
    TOPIC_DLQ_ALARM,
    UNDELIVERED,
    Case,
    alarmed,
    document,
    fails,
    malformed,
    passes,
    statement,
    unknown,
)
from tests.policy.cases_queues import NO_REDRIVE, consumed_by, queue, redrive
from tests.policy.pipeline import Change, Ref, Untold, added, given, without
from tools.recording.graph import ACCOUNT

CONSUMES, WRITES, TRACES = (statement("ProcessOrder-permissions", sid) for sid in ("Consume", "Write", "Trace"))
DECRYPTS = statement("ProcessOrder-decryption", "Decrypt")
FIFO = (given("OrderQueue", fifoQueue=True), given("OrderQueue-dlq", fifoQueue=True))
RECEIVES_5 = given("OrderQueue", redrivePolicy=redrive("OrderQueue-dlq", 5))
NO_PERMISSIONS = without("ProcessOrder-permissions", "ProcessOrder-decryption")
TRUSTS_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
KINESIS = f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/clicks"
SECRET = "hunter2-" * 3


def role_policy(*statements: Any) -> Change:
    return given("ProcessOrder-permissions", policy=document(*statements))


def known(**changes: Any) -> dict[str, Any]:
    """A statement whose every part is known, also in preview."""
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/x", **changes}


def granted(*statements: Any) -> Change:
    """A further policy on the role."""
    return lambda nodes: added(
        "aws:iam/rolePolicy:RolePolicy", "more", role=Ref("ProcessOrder-role", "name"), policy=document(*statements)
    )(nodes)


def attached(policy_arn: Any) -> Change:
    return added(aws.ATTACHMENT, "attachment", role=Ref("ProcessOrder-role", "name"), policyArn=policy_arn)


def concurrency(most: int) -> Change:
    return given("ProcessOrder-mapping", scalingConfig={"maximumConcurrency": most})


def reserved(count: int, *, concurrency: int | None) -> tuple[Change, ...]:
    scaling = {"maximumConcurrency": concurrency} if concurrency else None
    return (
        given("ProcessOrder", reservedConcurrentExecutions=count),
        given("ProcessOrder-mapping", scalingConfig=scaling),
    )


def trusts(*statements: Any) -> Change:
    return given("ProcessOrder-role", assumeRolePolicy=document(*statements))


def stream(**inputs: Any) -> Change:
    return given(
        "ProcessOrder-mapping",
        eventSourceArn=KINESIS,
        startingPosition="LATEST",
        functionResponseTypes=None,
        scalingConfig=None,
        **inputs,
    )


def permission(**inputs: Any) -> Change:
    return added(
        aws.PERMISSION,
        "permission",
        action="lambda:InvokeFunction",
        **{"function": Ref("ProcessOrder", "name"), **inputs},
    )


def dead_alarm(**inputs: Any) -> Change:
    return given(DEAD_LETTER_ALARM, **inputs)


def environment(**variables: Any) -> Change:
    return given("ProcessOrder", environment={"variables": variables})


BY_SNS: dict[str, Any] = {"principal": "sns.amazonaws.com", "sourceArn": TOPIC}
QUERY = {
    "id": "depth",
    "metric": {
        "namespace": "AWS/SQS",
        "metricName": "ApproximateNumberOfMessagesVisible",
        "dimensions": {"QueueName": Ref("OrderQueue-dlq", "name")},
    },
}
BY_QUERY: dict[str, Any] = {"namespace": None, "metricName": None, "dimensions": None, "metricQueries": [QUERY]}

ALIAS = added(aws.FUNCTION_ALIAS, "live", name="live", functionName=Ref("ProcessOrder", "name"), functionVersion="1")
NAMED = given("ProcessOrder", name="ProcessOrder")
FUNCTION_ARN = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:ProcessOrder"
ALIASED = {
    "an alias": (ALIAS, given("ProcessOrder-mapping", functionName=Ref("live"))),
    "a version": (NAMED, given("ProcessOrder-mapping", functionName=f"{FUNCTION_ARN}:7")),
    "a name and an alias": (NAMED, given("ProcessOrder-mapping", functionName="ProcessOrder:live")),
}
FILTER = {"filters": [{"pattern": "{}"}]}
UNTOLD = given("ProcessOrder-mapping", functionName=Untold("ProcessOrder"))
API = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}"
UNKNOWN_ARN = added("aws:apigatewayv2/api:Api", "Unknown")
OF_ORGANISATION = {"StringEquals": {"aws:PrincipalOrgID": "o-12345"}}
BY_AWS = "arn:aws:iam::aws:policy"
CONSUMER = f"{BY_AWS}/service-role/AWSLambdaSQSQueueExecutionRole"
ROLE_NAME = Ref("ProcessOrder-role", "name")
BROAD = [
    ("AmazonDynamoDBFullAccess_v2", aws.POLICY_ATTACHMENT, "policyArn"),
    ("AmazonEC2ContainerRegistryPowerUser", aws.ATTACHMENTS, "policyArns"),
    ("job-function/SystemAdministrator", "aws:iam/userPolicyAttachment:UserPolicyAttachment", "policyArn"),
    ("ReadOnlyAccess", "aws:iam/groupPolicyAttachment:GroupPolicyAttachment", "policyArn"),
]
TWINS = (
    given("OrderQueue-dlq", name="dead", region="eu-west-1"),
    queue("there", name="dead", region="us-east-1", kmsMasterKeyId=None),
    added(aws.EVENT_BUS, "bus", deadLetterConfig={"arn": Ref("there")}),
)

CASES: dict[str, list[Case]] = {
    "esm-source-queue-has-dlq": [
        passes("a queue's mapping without a destination"),
        passes("a stream with a destination", stream(destinationConfig={"onFailure": {"destinationArn": UNDELIVERED}})),
        passes("a queue without is for another rule", NO_REDRIVE, also=("sqs-queue-has-dlq",)),
        fails("a dead-letter queue that is read and has none itself", *consumed_by("other")),
        fails("a stream without a destination", stream()),
        unknown("the source is unknown but depended on", *consumed_by("other"), breaks=True),
        malformed("a source that is a number", given("ProcessOrder-mapping", eventSourceArn=7)),
    ],
    "esm-visibility-timeout": [
        passes("exactly 6 times"),
        passes(
            "6 times and the window",
            given("OrderQueue", visibilityTimeoutSeconds=190),
            given("ProcessOrder-mapping", maximumBatchingWindowInSeconds=10),
        ),
        passes("twice if the team says so", given("OrderQueue", visibilityTimeoutSeconds=60), factor=2),
        passes(
            "the defaults of both", given("OrderQueue", visibilityTimeoutSeconds=None), given("ProcessOrder", timeout=5)
        ),
        fails("a second less", given("OrderQueue", visibilityTimeoutSeconds=179)),
        *(
            fails(f"behind {what}", given("OrderQueue", visibilityTimeoutSeconds=179), *behind)
            for what, behind in ALIASED.items()
        ),
        unknown("the function is unknown and nothing tells where it comes from", UNTOLD, waits=True),
        fails("the window forgotten", given("ProcessOrder-mapping", maximumBatchingWindowInSeconds=10)),
        fails("the default of 30 s", given("OrderQueue", visibilityTimeoutSeconds=None)),
        unknown("the timeout is unknown", given("ProcessOrder", timeout=Ref("Orders")), waits=True),
        unknown(
            "source and function are unknown but depended on",
            given("OrderQueue", visibilityTimeoutSeconds=30),
            breaks=True,
        ),
        malformed("a number in quotes", given("OrderQueue", visibilityTimeoutSeconds="30")),
        malformed("not a number", given("OrderQueue", visibilityTimeoutSeconds="long"), breaks=False),
    ],
    "esm-partial-batch-response": [
        passes("a batch of one", given("ProcessOrder-mapping", functionResponseTypes=None, batchSize=1)),
        passes("a stream", stream(destinationConfig={"onFailure": {"destinationArn": UNDELIVERED}})),
        fails("none", given("ProcessOrder-mapping", functionResponseTypes=None)),
        fails("an empty list", given("ProcessOrder-mapping", functionResponseTypes=[])),
        unknown("the source is unknown", given("ProcessOrder-mapping", functionResponseTypes=None), breaks=True),
        unknown(
            "the types are unknown",
            given("ProcessOrder-mapping", functionResponseTypes=[Ref("Orders")]),
            breaks=True,
            waits=True,
        ),
        malformed("another type", given("ProcessOrder-mapping", functionResponseTypes=["reportbatchitemfailures"])),
    ],
    "esm-queue-not-filtered": [
        passes(
            "a stream", stream(destinationConfig={"onFailure": {"destinationArn": UNDELIVERED}}, filterCriteria=FILTER)
        ),
        fails("a queue", given("ProcessOrder-mapping", filterCriteria=FILTER)),
        unknown("the filter is unknown", given("ProcessOrder-mapping", filterCriteria=Ref("Orders")), breaks=True),
        malformed("a text", given("ProcessOrder-mapping", filterCriteria="orders")),
    ],
    "esm-concurrency-consistent": [
        passes("unreserved", given("ProcessOrder", reservedConcurrentExecutions=-1)),
        passes(
            "a large batch with a window",
            given("ProcessOrder-mapping", batchSize=100, maximumBatchingWindowInSeconds=1),
            given("OrderQueue", visibilityTimeoutSeconds=181),
        ),
        passes("enough reserved", given("ProcessOrder", reservedConcurrentExecutions=10)),
        passes("enough reserved to keep throttles away", *reserved(5, concurrency=5)),
        *(passes(f"a concurrency of {most}", concurrency(most)) for most in (2, 1000)),
        *(fails(f"a concurrency of {most}", concurrency(most)) for most in (1, 1001)),
        fails("a batch of 11 without a window", given("ProcessOrder-mapping", batchSize=11)),
        fails("one reserved", *reserved(1, concurrency=2)),
        fails("one reserved, behind an alias", *reserved(1, concurrency=2), *ALIASED["an alias"]),
        passes("a batch of 10 from a FIFO queue", *FIFO, given("ProcessOrder-mapping", batchSize=10)),
        fails(
            "a batch of 11 from a FIFO queue",
            *FIFO,
            given("ProcessOrder-mapping", batchSize=11, maximumBatchingWindowInSeconds=1),
            given("OrderQueue", visibilityTimeoutSeconds=181),
        ),
        passes("one reserved and receives to spare", RECEIVES_5, *reserved(1, concurrency=None)),
        fails("none reserved, without a limit", RECEIVES_5, *reserved(0, concurrency=None)),
        fails("more than reserved", given("ProcessOrder", reservedConcurrentExecutions=5)),
        fails("nothing may run", given("ProcessOrder", reservedConcurrentExecutions=0)),
        fails(
            "little reserved and few receives",
            given("ProcessOrder", reservedConcurrentExecutions=4),
            concurrency(4),
            waits=True,
        ),
        unknown(
            "the concurrency is unknown",
            given("ProcessOrder-mapping", scalingConfig={"maximumConcurrency": Ref("Orders")}),
        ),
        malformed("a text", given("ProcessOrder-mapping", scalingConfig={"maximumConcurrency": "many"}), breaks=False),
        malformed("a list", given("ProcessOrder-mapping", scalingConfig=[1]), breaks=False),
    ],
    "lambda-failure-destination-if-async": [
        passes("a queue's consumer"),
        passes(
            "a dead-letter queue",
            permission(**BY_SNS),
            given("ProcessOrder", deadLetterConfig={"targetArn": UNDELIVERED}),
        ),
        passes(
            "a destination",
            permission(**BY_SNS),
            added(
                aws.INVOKE_CONFIG,
                "invoke",
                functionName=Ref("ProcessOrder", "name"),
                destinationConfig={"onFailure": {"destination": UNDELIVERED}},
            ),
        ),
        passes("an API", permission(principal="apigateway.amazonaws.com", sourceArn=Ref("Orders"))),
        fails("SNS and nothing", permission(**BY_SNS)),
        unknown("the function is unknown but depended on", permission(**BY_SNS), breaks=True),
        malformed("a permission without a principal", permission(), breaks=False),
    ],
    "lambda-permission-scoped": [
        passes("a source", permission(principal="apigateway.amazonaws.com", sourceArn=KINESIS)),
        passes(
            "a pattern within an account",
            permission(principal="apigateway.amazonaws.com", sourceArn="arn:aws:execute-api:*", sourceAccount=ACCOUNT),
        ),
        passes("any route of one API", permission(principal="apigateway.amazonaws.com", sourceArn=f"{API}:a1b2c3/*/*")),
        passes("an account", permission(principal=ACCOUNT)),
        passes("an organisation", permission(principal="*", principalOrgId="o-12345")),
        passes("a URL that asks for a signature", added(aws.FUNCTION_URL, "url", authorizationType="AWS_IAM")),
        fails("everyone", permission(principal="*")),
        fails("a service for anyone", permission(principal="apigateway.amazonaws.com")),
        fails(
            "a service for a pattern",
            permission(principal="apigateway.amazonaws.com", sourceArn="arn:aws:execute-api:*"),
        ),
        *(
            fails(f"a service for {arn}", permission(principal="apigateway.amazonaws.com", sourceArn=arn))
            for arn in (f"{API}:*/*/*", "arn:aws:execute-api:eu-west-1:*:a1b2c3/*", "arn:aws:s3:::orders-*")
        ),
        fails("an open URL", added(aws.FUNCTION_URL, "url", authorizationType="NONE")),
        fails("a permission for an open URL", permission(principal="*", functionUrlAuthType="NONE")),
        unknown(
            "the source is unknown",
            permission(principal="apigateway.amazonaws.com", sourceArn=Ref("Unknown")),
            UNKNOWN_ARN,
            waits=True,
        ),
        malformed("a principal that is a list", permission(principal=["*"]), breaks=False),
    ],
    "lambda-runtime-and-limits": [
        passes("an image", given("ProcessOrder", runtime=None, packageType="Image")),
        passes("another runtime if the team says so", given("ProcessOrder", runtime="ruby2.7"), runtimes=["ruby2.7"]),
        passes("no tracing if the team says so", given("ProcessOrder", tracingConfig=None), requireTracing=False),
        fails("an old runtime", given("ProcessOrder", runtime="python3.8")),
        fails("no timeout", given("ProcessOrder", timeout=None)),
        fails("no memory size", given("ProcessOrder", memorySize=None)),
        fails("both at the default, as the provider fills them in", given("ProcessOrder", timeout=3, memorySize=128)),
        passes("one of them at the default's value", given("ProcessOrder", memorySize=128)),
        fails("no tracing", given("ProcessOrder", tracingConfig={"mode": "PassThrough"})),
        unknown("the runtime is unknown", given("ProcessOrder", runtime=Ref("Orders")), breaks=True, waits=True),
        malformed("a runtime that is a number", given("ProcessOrder", runtime=3.12)),
    ],
    "lambda-env-protected": [
        passes("where a secret is kept", environment(DB_SECRET="arn:aws:secretsmanager:x", API_TOKEN="/prod/token")),
        passes("another name if the team says so", environment(TOKEN_COUNT="12"), namePattern="^PASSWORD$"),
        fails("a password", environment(DB_PASSWORD=SECRET)),
        fails("an access key", environment(X="AKIA" + "ABCDEFGHIJKLMNOP")),
        fails("a private key", environment(X="-----BEGIN RSA PRIVATE KEY-----")),
        passes("no key where none is asked for", given("ProcessOrder", kmsKeyArn=None)),
        passes("nothing to encrypt", given("ProcessOrder", kmsKeyArn=None, environment=None), requireCmk=True),
        passes("a key where one is asked for", requireCmk=True),
        fails("no key where one is asked for", given("ProcessOrder", kmsKeyArn=None), requireCmk=True),
        unknown("the value is unknown", environment(DB_PASSWORD=Ref("Orders")), waits=True),
        unknown("all of it is unknown", given("ProcessOrder", environment=Ref("Orders")), waits=True),
        malformed("a number", environment(DB_PASSWORD=7), breaks=False),
        malformed("variables that are a list", given("ProcessOrder", environment={"variables": ["x"]}), breaks=False),
    ],
    "sqs-dlq-has-alarm": [
        passes("a metric query", dead_alarm(**BY_QUERY)),
        passes("one good alarm among several", alarmed("OrderQueue-dlq", threshold=100)),
        passes("a higher threshold if the team says so", dead_alarm(threshold=4), maxThreshold=5),
        passes("no action if the team says so", dead_alarm(alarmActions=None), requireActions=False),
        fails("none", without(DEAD_LETTER_ALARM)),
        fails("none on the topic's", without(TOPIC_DLQ_ALARM)),
        fails("the metric that does not count redriven messages", dead_alarm(metricName="NumberOfMessagesSent")),
        fails("another metric", dead_alarm(metricName="ApproximateAgeOfOldestMessage")),
        fails("the wrong way round", dead_alarm(comparisonOperator="LessThanThreshold")),
        passes("at the first", dead_alarm(threshold=1, comparisonOperator="GreaterThanOrEqualToThreshold")),
        fails("above the first", dead_alarm(threshold=1)),
        fails("above half of the second", dead_alarm(threshold=1.5)),
        passes("after an hour", dead_alarm(period=1200, evaluationPeriods=3)),
        passes("after one minute of seven days", dead_alarm(period=60, evaluationPeriods=10_080, datapointsToAlarm=1)),
        fails("after seven days", dead_alarm(period=86_400, evaluationPeriods=7, datapointsToAlarm=None)),
        passes("after a day if the team says so", dead_alarm(period=86_400, evaluationPeriods=1), maxMinutes=1440),
        fails("in another region", dead_alarm(region="us-east-1"), given("OrderQueue-dlq", region="eu-west-1")),
        fails(
            "on a queue of the same name in another region",
            *TWINS,
            dead_alarm(region="us-east-1", dimensions={"QueueName": "dead"}),
        ),
        fails("nobody is told", dead_alarm(alarmActions=[])),
        fails("actions switched off", dead_alarm(actionsEnabled=False)),
        fails("missing data", dead_alarm(treatMissingData="breaching")),
        fails("another queue", dead_alarm(dimensions={"QueueName": Ref("OrderQueue", "name")})),
        unknown(
            "the queue's name is unknown but depended on",
            dead_alarm(dimensions={"QueueName": Ref("OrderQueue", "name")}),
            breaks=True,
        ),
        unknown("the metric is unknown", dead_alarm(metricName=Ref("Orders"))),
        malformed("dimensions that are a text", dead_alarm(dimensions="dead")),
    ],
    "log-group-retention-encryption": [
        passes("a year", given("ProcessOrder-logs", retentionInDays=365)),
        passes("shorter if the team says so", given("ProcessOrder-logs", retentionInDays=7), minDays=7),
        passes("no key if the team says so", given("ProcessOrder-logs", kmsKeyId=None), requireCmk=False),
        fails("forever", given("ProcessOrder-logs", retentionInDays=None)),
        fails("forever, as a number", given("ProcessOrder-logs", retentionInDays=0)),
        fails("29 days", given("ProcessOrder-logs", retentionInDays=29)),
        fails("no key", given("ProcessOrder-logs", kmsKeyId=None)),
        unknown("the retention is unknown", given("ProcessOrder-logs", retentionInDays=Ref("Orders")), waits=True),
        unknown("the key is unknown"),
        malformed("not a number", given("ProcessOrder-logs", retentionInDays="long")),
    ],
    "lambda-log-group-declared": [
        passes(
            "by Lambda's own name",
            given("ProcessOrder", loggingConfig=None, name="ProcessOrder"),
            given("ProcessOrder-logs", name="/aws/lambda/ProcessOrder"),
        ),
        passes(
            "by a name made from the function's",
            given("ProcessOrder", loggingConfig=None),
            given("ProcessOrder-logs", name=Ref("ProcessOrder", "name")),
        ),
        fails("none", given("ProcessOrder", loggingConfig=None)),
        fails("a group elsewhere", given("ProcessOrder", loggingConfig={"logGroup": "/shared"})),
        unknown("the group is unknown but depended on"),
        malformed("a text", given("ProcessOrder", loggingConfig="logs")),
    ],
    "dynamodb-table-protected": [
        passes("protected in production", given("Orders", deletionProtectionEnabled=True), stack="prod"),
        passes("deletable in development", stack="dev"),
        passes("the key of AWS if the team says so", given("Orders", serverSideEncryption=None), requireCmk=False),
        passes("no recovery if the team says so", given("Orders", pointInTimeRecovery=None), requirePitr=False),
        fails("no recovery", given("Orders", pointInTimeRecovery=None)),
        fails("recovery off", given("Orders", pointInTimeRecovery={"enabled": False})),
        fails("no key", given("Orders", serverSideEncryption={"enabled": True})),
        fails("encryption not set", given("Orders", serverSideEncryption=None)),
        fails("deletable in production", stack="prod"),
        unknown("the key is unknown"),
        unknown(
            "the recovery is unknown", given("Orders", pointInTimeRecovery={"enabled": TOPIC}), breaks=True, waits=True
        ),
        malformed("a text", given("Orders", pointInTimeRecovery="yes")),
    ],
    "dynamodb-capacity-follows-load": [
        passes(
            "scaled",
            given("Orders", billingMode="PROVISIONED", name="Orders"),
            added(aws.SCALING_TARGET, "scaling", resourceId="table/Orders"),
        ),
        passes(
            "scaled by a name that is unknown in preview",
            given("Orders", billingMode="PROVISIONED"),
            added(aws.SCALING_TARGET, "scaling", resourceId=Ref("Orders")),
        ),
        fails("fixed", given("Orders", billingMode="PROVISIONED")),
        fails("fixed by default", given("Orders", billingMode=None)),
        unknown("the mode is unknown", given("Orders", billingMode=TOPIC)),
        malformed("a number", given("Orders", billingMode=1), breaks=False),
    ],
    "iam-least-privilege": [
        passes("a statement for one resource", granted(known())),
        passes(
            "an action of one's own on everything",
            granted(known(Action="s3:ListBucket", Resource="*")),
            allowStarResourceFor=["s3:ListBucket"],
        ),
        passes("a denial of everything", granted(known(Effect="Deny", Action="*", Resource="*"))),
        passes("another service's role", trusts({**TRUSTS_LAMBDA, "Principal": {"Service": "ec2.amazonaws.com"}})),
        passes("an organisation's", trusts({**TRUSTS_LAMBDA, "Principal": "*", "Condition": OF_ORGANISATION})),
        *(
            passes(f"{action}, which AWS cannot limit", granted(known(Action=action, Resource="*")))
            for action in ("ec2:DescribeInstances", "ec2:Describe*", "EC2:describevpcs", "cloudwatch:PutMetricData")
        ),
        passes(
            "a further service",
            trusts(TRUSTS_LAMBDA, {**TRUSTS_LAMBDA, "Principal": {"Service": "scheduler.amazonaws.com"}}),
            allowedTrustServices=["lambda.amazonaws.com", "scheduler.amazonaws.com"],
        ),
        passes(
            "a narrow managed policy", attached("arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole")
        ),
        passes(
            "a role passed to one service",
            granted(
                known(
                    Action="iam:PassRole",
                    Resource=f"arn:aws:iam::{ACCOUNT}:role/*",
                    Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
                )
            ),
        ),
        fails("every action", granted(known(Action="*"))),
        fails("every action of a service", granted(known(Action=["SQS:*"]))),
        fails("every action of a service but the empty one", granted(known(Action="sqs:?*"))),
        fails(
            "every action but one",
            granted({**{k: v for k, v in known().items() if k != "Action"}, "NotAction": "s3:GetObject"}),
        ),
        fails("every resource", granted(known(Resource="*"))),
        fails("every resource of a service", granted(known(Resource="arn:aws:s3:*:*:*"))),
        *(
            fails(f"all of {arn}", granted(known(Action="dynamodb:PutItem", Resource=f"arn:aws:{arn}")))
            for arn in (f"dynamodb:eu-west-1:{ACCOUNT}:table/*", f"sqs:eu-west-1:{ACCOUNT}:*", "s3:::*")
        ),
        *(
            passes(f"no more than {arn}", granted(known(Resource=f"arn:aws:{arn}")))
            for arn in ("s3:::bucket/*", f"logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/x:*")
        ),
        *(
            fails(f"by {type_}", added(type_, "rights", policy=document(known(Action="s3:*"))))
            for type_ in (aws.USER_POLICY, aws.GROUP_POLICY)
        ),
        *(
            fails(f"{policy} by {type_}", added(type_, "rights", **{key: [f"arn:aws:iam::aws:policy/{policy}"]}))
            for policy, type_, key in BROAD
        ),
        passes("another's full name", attached("arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess")),
        fails(
            "every resource but one",
            granted({**{k: v for k, v in known().items() if k != "Resource"}, "NotResource": "x"}),
        ),
        fails(
            "a pattern of keys", granted(known(Action="kms:Decrypt", Resource=f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/*"))
        ),
        fails(
            "any role to any service", granted(known(Action="iam:PassRole", Resource=f"arn:aws:iam::{ACCOUNT}:role/*"))
        ),
        *(
            fails(f"{who} besides", trusts(TRUSTS_LAMBDA, {**TRUSTS_LAMBDA, "Principal": who}))
            for who in ({"Service": "ec2.amazonaws.com"}, {"AWS": ACCOUNT})
        ),
        fails("everyone assumes it", trusts({**TRUSTS_LAMBDA, "Principal": "*"})),
        fails(
            "everyone but one assumes it",
            trusts({"Effect": "Allow", "NotPrincipal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}),
        ),
        fails("a policy of its own", added(aws.MANAGED_POLICY, "managed", policy=document(known(Action="s3:*")))),
        fails(
            "inline",
            given("ProcessOrder-role", inlinePolicies=[{"name": "x", "policy": document(known(Action="s3:*"))}]),
        ),
        fails("an administrator", attached("arn:aws:iam::aws:policy/AdministratorAccess")),
        fails(
            "full access", given("ProcessOrder-role", managedPolicyArns=["arn:aws:iam::aws:policy/AmazonSQSFullAccess"])
        ),
        fails(
            "in a text that is unknown in preview",
            granted(known(Resource=Ref("Orders"), Action="dynamodb:*")),
            waits=True,
        ),
        unknown("the text is unknown", waits=True),
        unknown("an attached policy is unknown", attached(Ref("Orders")), waits=True),
        malformed("not JSON", given("ProcessOrder-role", assumeRolePolicy="lambda")),
        malformed("an action that is a number", granted(known(Action=7))),
    ],
    "consumer-role-can-use-queue": [
        passes(
            "by a managed policy",
            role_policy(WRITES, TRACES),
            attached("arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"),
        ),
        passes(
            "by a policy of its own resource",
            role_policy(WRITES),
            added(aws.MANAGED_POLICY, "managed", policy=document(CONSUMES)),
            attached(Ref("managed")),
        ),
        passes(
            "inline",
            NO_PERMISSIONS,
            given("ProcessOrder-role", inlinePolicies=[{"name": "x", "policy": document(CONSUMES, WRITES, DECRYPTS)}]),
        ),
        passes("by a policy of AWS's that we do not know", role_policy(WRITES), attached(f"{BY_AWS}/SomeJob")),
        passes("on the role itself", role_policy(WRITES), given("ProcessOrder-role", managedPolicyArns=[CONSUMER])),
        *(
            passes(f"by {type_}", role_policy(WRITES), added(type_, "more", **{by: [ROLE_NAME], key: [CONSUMER]}))
            for type_, by, key in (
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
            given("Orders", serverSideEncryption={"enabled": True}),
            also=("dynamodb-table-protected",),
        ),
        fails(
            "may not decrypt what it writes",
            without("ProcessOrder-decryption"),
            given("OrderQueue", kmsMasterKeyId=None),
        ),
        unknown("the text is unknown but depends on queue and key", waits=True),
        unknown(
            "the text is unknown and does not depend on the key",
            given("ProcessOrder-decryption", policy=document({**DECRYPTS, "Resource": Ref("Orders")})),
            breaks=True,
        ),
        malformed("not JSON", given("ProcessOrder-permissions", policy="{"), also=("iam-least-privilege",)),
    ],
}

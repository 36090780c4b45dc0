"""Cases of the rules about functions, event source mappings, roles, tables, alarms and logs."""

from typing import Any

from framework.stack import ATTACHMENT, FUNCTION_URL, INVOKE_CONFIG, MANAGED_POLICY, PERMISSION, SCALING_TARGET

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
from tests.policy.cases_queues import NO_REDRIVE, redrive
from tests.policy.pipeline import Change, Ref, added, given, without
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
    return added(ATTACHMENT, "attachment", role=Ref("ProcessOrder-role", "name"), policyArn=policy_arn)


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
        PERMISSION, "permission", action="lambda:InvokeFunction", **{"function": Ref("ProcessOrder", "name"), **inputs}
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

CASES: dict[str, list[Case]] = {
    "esm-source-queue-has-dlq": [
        passes("a queue's mapping without a destination"),
        passes("a stream with a destination", stream(destinationConfig={"onFailure": {"destinationArn": UNDELIVERED}})),
        fails("a queue without", NO_REDRIVE, also=("sqs-queue-has-dlq",)),
        fails("a stream without a destination", stream()),
        unknown("the source is unknown but depended on", NO_REDRIVE, breaks=True, also=("sqs-queue-has-dlq",)),
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
        unknown("the types are unknown", given("ProcessOrder-mapping", functionResponseTypes=[Ref("Orders")])),
        malformed("another type", given("ProcessOrder-mapping", functionResponseTypes=["reportbatchitemfailures"])),
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
                INVOKE_CONFIG,
                "invoke",
                functionName=Ref("ProcessOrder", "name"),
                destinationConfig={"onFailure": {"destination": UNDELIVERED}},
            ),
        ),
        passes("an API", permission(principal="apigateway.amazonaws.com", sourceArn=Ref("Orders"))),
        fails("SNS and nothing", permission(**BY_SNS)),
        fails(
            "S3 and only a destination for success",
            permission(principal="s3.amazonaws.com", sourceAccount=ACCOUNT),
            added(
                INVOKE_CONFIG,
                "invoke",
                functionName=Ref("ProcessOrder", "name"),
                destinationConfig={"onSuccess": {"destination": Ref("OrderAlarms")}},
            ),
        ),
        unknown("the function is unknown but depended on", permission(**BY_SNS), breaks=True),
        malformed("a permission without a principal", permission(), breaks=False),
    ],
    "lambda-permission-scoped": [
        passes("a source", permission(principal="apigateway.amazonaws.com", sourceArn=KINESIS)),
        passes(
            "a pattern within an account",
            permission(principal="apigateway.amazonaws.com", sourceArn="arn:aws:execute-api:*", sourceAccount=ACCOUNT),
        ),
        passes("an account", permission(principal=ACCOUNT)),
        passes("an organisation", permission(principal="*", principalOrgId="o-12345")),
        passes("a URL that asks for a signature", added(FUNCTION_URL, "url", authorizationType="AWS_IAM")),
        fails("everyone", permission(principal="*")),
        fails("a service for anyone", permission(principal="apigateway.amazonaws.com")),
        fails(
            "a service for a pattern",
            permission(principal="apigateway.amazonaws.com", sourceArn="arn:aws:execute-api:*"),
        ),
        fails("an open URL", added(FUNCTION_URL, "url", authorizationType="NONE")),
        fails("a permission for an open URL", permission(principal="*", functionUrlAuthType="NONE")),
        unknown("the source is unknown", permission(principal="apigateway.amazonaws.com", sourceArn=Ref("Orders"))),
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
        unknown("the runtime is unknown", given("ProcessOrder", runtime=Ref("Orders"))),
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
        unknown("the value is unknown", environment(DB_PASSWORD=Ref("Orders"))),
        malformed("a number", environment(DB_PASSWORD=7), breaks=False),
        malformed("variables that are a list", given("ProcessOrder", environment={"variables": ["x"]}), breaks=False),
    ],
    "sqs-dlq-has-alarm": [
        passes("a metric query", dead_alarm(**BY_QUERY)),
        passes("one good alarm among several", alarmed("OrderQueue-dlq", threshold=100)),
        passes("a higher threshold if the team says so", dead_alarm(threshold=5), maxThreshold=5),
        passes("no action if the team says so", dead_alarm(alarmActions=None), requireActions=False),
        fails("none", without(DEAD_LETTER_ALARM)),
        fails("none on the topic's", without(TOPIC_DLQ_ALARM)),
        fails("the metric that does not count redriven messages", dead_alarm(metricName="NumberOfMessagesSent")),
        fails("another metric", dead_alarm(metricName="ApproximateAgeOfOldestMessage")),
        fails("the wrong way round", dead_alarm(comparisonOperator="LessThanThreshold")),
        passes("the second dead letter", dead_alarm(threshold=1)),
        fails("the third dead letter", dead_alarm(threshold=2)),
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
        unknown("the recovery is unknown", given("Orders", pointInTimeRecovery=TOPIC)),
        malformed("a text", given("Orders", pointInTimeRecovery="yes")),
    ],
    "dynamodb-capacity-follows-load": [
        passes(
            "scaled",
            given("Orders", billingMode="PROVISIONED", name="Orders"),
            added(SCALING_TARGET, "scaling", resourceId="table/Orders"),
        ),
        passes(
            "scaled by a name that is unknown in preview",
            given("Orders", billingMode="PROVISIONED"),
            added(SCALING_TARGET, "scaling", resourceId=Ref("Orders")),
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
            granted(known(Action="ec2:DescribeRegions", Resource="*")),
            allowStarResourceFor=["ec2:DescribeRegions", *TRACES["Action"]],
        ),
        passes("a denial of everything", granted(known(Effect="Deny", Action="*", Resource="*"))),
        passes(
            "a further service",
            given(
                "ProcessOrder-role",
                assumeRolePolicy=document(
                    TRUSTS_LAMBDA, {**TRUSTS_LAMBDA, "Principal": {"Service": "scheduler.amazonaws.com"}}
                ),
            ),
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
        fails(
            "every action but one",
            granted({**{k: v for k, v in known().items() if k != "Action"}, "NotAction": "s3:GetObject"}),
        ),
        fails("every resource", granted(known(Resource="*"))),
        fails("every resource of a service", granted(known(Resource="arn:aws:s3:*:*:*"))),
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
        fails(
            "another service",
            given(
                "ProcessOrder-role",
                assumeRolePolicy=document({**TRUSTS_LAMBDA, "Principal": {"Service": "ec2.amazonaws.com"}}),
            ),
        ),
        fails("everyone assumes it", trusts({**TRUSTS_LAMBDA, "Principal": "*"})),
        fails(
            "everyone but one assumes it",
            given(
                "ProcessOrder-role",
                assumeRolePolicy=document(
                    {"Effect": "Allow", "NotPrincipal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
                ),
            ),
        ),
        fails("a policy of its own", added(MANAGED_POLICY, "managed", policy=document(known(Action="s3:*")))),
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
        unknown(
            "the resource in a policy of its own is unknown",
            given(
                "ProcessOrder-role",
                inlinePolicies=[{"name": "x", "policy": document(known(Resource=Ref("Orders"))).value}],
            ),
        ),
        unknown("the text is unknown", waits=True),
        unknown("an attached policy is unknown", attached(Ref("Orders"))),
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
            added(MANAGED_POLICY, "managed", policy=document(CONSUMES)),
            attached(Ref("managed")),
        ),
        passes(
            "inline",
            NO_PERMISSIONS,
            given("ProcessOrder-role", inlinePolicies=[{"name": "x", "policy": document(CONSUMES, WRITES, DECRYPTS)}]),
        ),
        fails("no policy", NO_PERMISSIONS),
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

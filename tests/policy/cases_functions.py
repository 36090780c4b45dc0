"""Cases of the rules about functions and event source mappings."""

from typing import Any

from framework import aws

from tests.policy.case import TOPIC, UNDELIVERED, Case, fails, function, malformed, mapping, orders, passes, unknown
from tests.policy.cases_queues import NO_REDRIVE, UNKNOWN, consumed_by, receives
from tests.policy.pipeline import Change, Ref, Untold, added, given
from tools.recording.graph import ACCOUNT

FIFO = (orders(fifoQueue=True), given("OrderQueue-dlq", fifoQueue=True))
KINESIS = f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/clicks"
TO_UNDELIVERED: dict[str, Any] = {"destinationConfig": {"onFailure": {"destinationArn": UNDELIVERED}}}
FILTER = {"filters": [{"pattern": "{}"}]}
NAME = Ref("ProcessOrder", "name")
API = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}"
ALIAS = added(aws.FUNCTION_ALIAS, "live", name="live", functionName=NAME, functionVersion="1")
NAMED = function(name="ProcessOrder")
FUNCTION_ARN = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:ProcessOrder"
ALIASED = {
    "an alias": (ALIAS, mapping(functionName=Ref("live"))),
    "a version": (NAMED, mapping(functionName=f"{FUNCTION_ARN}:7")),
    "a name and an alias": (NAMED, mapping(functionName="ProcessOrder:live")),
}
SECRET = "hunter2-" * 3


def concurrency(most: Any) -> Change:
    return mapping(scalingConfig={"maximumConcurrency": most})


def reserved(count: Any, *, concurrency: int | None = None) -> tuple[Change, ...]:
    scaling = {"maximumConcurrency": concurrency} if concurrency else None
    return (function(reservedConcurrentExecutions=count), mapping(scalingConfig=scaling))


def stream(**inputs: Any) -> Change:
    none: dict[str, Any] = {"functionResponseTypes": None, "scalingConfig": None}
    return mapping(eventSourceArn=KINESIS, startingPosition="LATEST", **none, **inputs)


def permission(**inputs: Any) -> Change:
    return added(aws.PERMISSION, "permission", action="lambda:InvokeFunction", **{"function": NAME, **inputs})


def of_service(service: str, source: Any, **inputs: Any) -> Change:
    return permission(principal=f"{service}.amazonaws.com", sourceArn=source, **inputs)


def environment(**variables: Any) -> Change:
    return function(environment={"variables": variables})


BY_SNS = of_service("sns", TOPIC)

CASES: dict[str, list[Case]] = {
    "esm-source-queue-has-dlq": [
        passes("a stream with a destination", stream(**TO_UNDELIVERED)),
        passes("a queue without is for another rule", NO_REDRIVE, also=("sqs-queue-has-dlq",)),
        fails("a dead-letter queue that is read and has none itself", *consumed_by("other")),
        fails("a stream without a destination", stream()),
        unknown("the source is unknown but depended on", *consumed_by("other"), breaks=True),
        malformed("a source that is a number", mapping(eventSourceArn=7)),
    ],
    "esm-visibility-timeout": [
        passes(
            "6 times and the window", orders(visibilityTimeoutSeconds=190), mapping(maximumBatchingWindowInSeconds=10)
        ),
        passes("twice if the team says so", orders(visibilityTimeoutSeconds=60), factor=2),
        passes("the defaults of both", orders(visibilityTimeoutSeconds=None), function(timeout=5)),
        fails("a second less", orders(visibilityTimeoutSeconds=179)),
        *(fails(f"behind {what}", orders(visibilityTimeoutSeconds=179), *behind) for what, behind in ALIASED.items()),
        fails("the window forgotten", mapping(maximumBatchingWindowInSeconds=10)),
        fails("the default of 30 s", orders(visibilityTimeoutSeconds=None)),
        unknown(
            "nothing tells where the function comes from", mapping(functionName=Untold("ProcessOrder")), waits=True
        ),
        unknown("the timeout is unknown", function(timeout=UNKNOWN), waits=True),
        unknown("source and function are unknown but depended on", orders(visibilityTimeoutSeconds=30), breaks=True),
        malformed("a number in quotes", orders(visibilityTimeoutSeconds="30")),
    ],
    "esm-partial-batch-response": [
        passes("a batch of one", mapping(functionResponseTypes=None, batchSize=1)),
        passes("a stream", stream(**TO_UNDELIVERED)),
        fails("none", mapping(functionResponseTypes=None)),
        fails("an empty list", mapping(functionResponseTypes=[])),
        unknown("the source is unknown", mapping(functionResponseTypes=None), breaks=True),
        unknown("the types are unknown", mapping(functionResponseTypes=[UNKNOWN]), breaks=True, waits=True),
        malformed("another type", mapping(functionResponseTypes=["reportbatchitemfailures"])),
    ],
    "esm-queue-not-filtered": [
        passes("a stream", stream(**TO_UNDELIVERED, filterCriteria=FILTER)),
        fails("a queue", mapping(filterCriteria=FILTER)),
        unknown("the filter is unknown", mapping(filterCriteria=UNKNOWN), breaks=True),
        malformed("a text", mapping(filterCriteria="orders")),
    ],
    "esm-concurrency-consistent": [
        passes("unreserved", function(reservedConcurrentExecutions=-1)),
        passes(
            "a large batch with a window",
            mapping(batchSize=100, maximumBatchingWindowInSeconds=1),
            orders(visibilityTimeoutSeconds=181),
        ),
        passes("enough reserved to keep throttles away", *reserved(5, concurrency=5)),
        passes("one reserved and receives to spare", receives(5), *reserved(1)),
        passes("a batch of 10 from a FIFO queue", *FIFO, mapping(batchSize=10)),
        *(passes(f"a concurrency of {most}", concurrency(most)) for most in (2, 1000)),
        *(fails(f"a concurrency of {most}", concurrency(most)) for most in (1, 1001)),
        fails("a batch of 11 without a window", mapping(batchSize=11)),
        fails(
            "a batch of 11 from a FIFO queue",
            *FIFO,
            mapping(batchSize=11, maximumBatchingWindowInSeconds=1),
            orders(visibilityTimeoutSeconds=181),
        ),
        fails("one reserved", *reserved(1, concurrency=2)),
        fails("one reserved, behind an alias", *reserved(1, concurrency=2), *ALIASED["an alias"]),
        fails("none reserved, without a limit", receives(5), *reserved(0)),
        fails("more than reserved", function(reservedConcurrentExecutions=5)),
        fails("little reserved and few receives", *reserved(4, concurrency=4), waits=True),
        *(
            unknown(f"{name} is unknown", change, waits=True)
            for name, change in {
                "the concurrency": concurrency(UNKNOWN),
                "the batch size": mapping(batchSize=UNKNOWN),
                "what is reserved": function(reservedConcurrentExecutions=UNKNOWN),
            }.items()
        ),
        malformed("a text", concurrency("many"), breaks=False),
    ],
    "lambda-failure-destination-if-async": [
        passes("a dead-letter queue", BY_SNS, function(deadLetterConfig={"targetArn": UNDELIVERED})),
        passes(
            "a destination",
            BY_SNS,
            added(
                aws.INVOKE_CONFIG,
                "invoke",
                functionName=NAME,
                destinationConfig={"onFailure": {"destination": UNDELIVERED}},
            ),
        ),
        passes("an API", of_service("apigateway", UNKNOWN)),
        fails("SNS and nothing", BY_SNS),
        unknown("the function is unknown but depended on", BY_SNS, breaks=True),
        malformed("a permission without a principal", permission(), breaks=False),
    ],
    "lambda-permission-scoped": [
        passes("a pattern within an account", of_service("apigateway", "arn:aws:execute-api:*", sourceAccount=ACCOUNT)),
        *(
            passes(f"any part of {arn}", of_service("apigateway", arn))
            for arn in (
                f"{API}:a1b2c3/*/*",
                f"{API}:a1b2c3d4e5*/*",
                f"{API}:a1b2c3d4e5/prod*/*",
                f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:orders:*",
                f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/orders:*",
            )
        ),
        passes("an account", permission(principal=ACCOUNT)),
        passes("an organisation", permission(principal="*", principalOrgId="o-12345")),
        passes("a URL that asks for a signature", added(aws.FUNCTION_URL, "url", authorizationType="AWS_IAM")),
        fails("everyone", permission(principal="*")),
        fails("a service for anyone", permission(principal="apigateway.amazonaws.com")),
        *(
            fails(f"a service for {arn}", of_service("apigateway", arn))
            for arn in (
                "arn:aws:execute-api:*",
                f"{API}:*/*/*",
                f"{API}:a1b2*/*",
                "arn:aws:execute-api:eu-west-1:*:a1b2c3d4e5*/*",
                "arn:aws:execute-api:eu-west-1:*:a1b2c3/*",
                f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/*",
                "arn:aws:s3:::orders-*",
            )
        ),
        fails("an open URL", added(aws.FUNCTION_URL, "url", authorizationType="NONE")),
        fails("a permission for an open URL", permission(principal="*", functionUrlAuthType="NONE")),
        unknown(
            "the source is unknown",
            of_service("apigateway", Ref("Unknown")),
            added("aws:apigatewayv2/api:Api", "Unknown"),
            waits=True,
        ),
        malformed("a principal that is a list", permission(principal=["*"]), breaks=False),
    ],
    "lambda-runtime-and-limits": [
        passes("an image", function(runtime=None, packageType="Image")),
        *(passes(f"{name} is supported", function(runtime=name)) for name in ("dotnet10", "java11", "nodejs24.x")),
        passes("another runtime if the team says so", function(runtime="ruby2.7"), runtimes=["ruby2.7"]),
        passes("no tracing if the team says so", function(tracingConfig=None), requireTracing=False),
        passes("one limit at the default's value", function(memorySize=128)),
        fails("an old runtime", function(runtime="python3.8")),
        fails("no timeout", function(timeout=None)),
        fails("both at the default, as the provider fills them in", function(timeout=3, memorySize=128)),
        fails("no tracing", function(tracingConfig={"mode": "PassThrough"})),
        unknown("the runtime is unknown", function(runtime=UNKNOWN), breaks=True, waits=True),
        malformed("a runtime that is a number", function(runtime=3.12)),
    ],
    "lambda-env-protected": [
        passes("where a secret is kept", environment(DB_SECRET="arn:aws:secretsmanager:x", API_TOKEN="/prod/token")),
        passes("another name if the team says so", environment(TOKEN_COUNT="12"), namePattern="^PASSWORD$"),
        passes("no key where none is asked for", function(kmsKeyArn=None)),
        passes("nothing to encrypt", function(kmsKeyArn=None, environment=None), requireCmk=True),
        fails("a password", environment(DB_PASSWORD=SECRET)),
        fails("an access key", environment(X="AKIA" + "ABCDEFGHIJKLMNOP")),
        fails("a private key", environment(X="-----BEGIN RSA PRIVATE KEY-----")),
        fails("no key where one is asked for", function(kmsKeyArn=None), requireCmk=True),
        unknown("the value is unknown", environment(DB_PASSWORD=UNKNOWN), waits=True),
        unknown("all of it is unknown", function(environment=UNKNOWN), waits=True),
        malformed("a number", environment(DB_PASSWORD=7), breaks=False),
    ],
}

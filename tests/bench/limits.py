"""What AWS documents as limits of the services that an event passes through, in the stacks' region."""

from dataclasses import dataclass

REGION = "eu-west-1"
"""Only the quota of SNS differs from one region to another."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One documented limit."""

    name: str
    value: float
    unit: str
    page: str
    remedy: str
    """What to do about it."""


_SCALING = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"

PUBLISHES = Limit(
    name="SNS publish quota",
    value=9_000,
    unit="messages a second in Europe (Ireland)",
    page="https://docs.aws.amazon.com/general/latest/gr/sns.html",
    remedy="raise the quota; it is 30,000 in US East (N. Virginia)",
)
IN_FLIGHT = Limit(
    name="SQS messages in flight",
    value=120_000,
    unit="messages",
    page="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html",
    remedy="lower orders:maximumConcurrency or orders:batchSize",
)
FIRST_INVOKES = Limit(
    name="invocations of a queue that wakes up",
    value=5,
    unit="concurrent invocations",
    page=_SCALING,
    remedy="provisioned mode",
)
MORE_INVOKES = Limit(
    name="scaling of the event source mapping",
    value=300,
    unit="more concurrent invocations a minute",
    page=_SCALING,
    remedy="provisioned mode: 10 concurrent invocations for each poller, from the first message on",
)
MOST_INVOKES = Limit(
    name="concurrency of the event source mapping",
    value=1250,
    unit="concurrent invocations",
    page=_SCALING,
    remedy="provisioned mode",
)
CONCURRENCY = Limit(
    name="Lambda concurrency of the account",
    value=1000,
    unit="concurrent invocations",
    page=_LAMBDA,
    remedy="raise the quota",
)
INVOCATION_RATE = Limit(
    name="Lambda invocation rate",
    value=10,
    unit="invocations a second for each concurrent one",
    page=_LAMBDA,
    remedy="raise orders:batchSize, or the concurrency quota",
)
NEW_TABLE_WRITES = Limit(
    name="DynamoDB warm throughput",
    value=4000,
    unit="writes a second for a new on-demand table",
    page="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html",
    remedy="warm the table up beforehand; else it grows to twice its last peak in half an hour",
)
TABLE_WRITES = Limit(
    name="DynamoDB table quota",
    value=40_000,
    unit="writes a second",
    page="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html",
    remedy="raise the quota",
)
PARTITION_WRITES = Limit(
    name="DynamoDB partition",
    value=1000,
    unit="writes a second to one partition, and so to one order",
    page="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html",
    remedy="none is needed: orderId spreads orders over all partitions",
)
MEMORY_OF_A_CPU = Limit(
    name="memory that comes with one vCPU",
    value=1769,
    unit="MB",
    page="https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html",
    remedy="raise orders:functionMemory",
)
ALL = (
    PUBLISHES,
    IN_FLIGHT,
    FIRST_INVOKES,
    MORE_INVOKES,
    MOST_INVOKES,
    CONCURRENCY,
    INVOCATION_RATE,
    NEW_TABLE_WRITES,
    TABLE_WRITES,
    PARTITION_WRITES,
    MEMORY_OF_A_CPU,
)

"""The Pulumi program of the pipeline's benchmark: ours and the original handler, each with a pipeline of its own."""

from pathlib import Path

import pulumi
from pulumi_aws import iam

from components.account import Account
from components.encryption import Encryption
from components.package import process_order_archive
from components.processor import Processor, ProcessorArgs
from components.queue import Queue, QueueArgs
from components.table import Table, TableArgs
from components.topic import Topic, TopicArgs

ORIGINAL = Path(__file__).resolve().parent / "contenders" / "original.py"
TIMEOUT = 10
BATCH = 10
CONCURRENCY = 2


def program() -> None:
    """Register both pipelines; they differ in the function's code and in what it may do to its table."""
    account = Account.current()
    key = Encryption("BenchKey", account)
    _pipeline("ours", account, key, process_order_archive(), "process_order.lambda_function.lambda_handler")
    original = pulumi.AssetArchive({"original.py": pulumi.FileAsset(str(ORIGINAL))})
    table, processor = _pipeline("original", account, key, original, "original.lambda_handler")
    put = {"Effect": "Allow", "Action": ["dynamodb:PutItem"], "Resource": table.arn}
    iam.RolePolicy(
        "original-put",
        role="original-processor-role",
        policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [put]}),
        opts=pulumi.ResourceOptions(depends_on=[processor]),
    )


def _pipeline(
    name: str, account: Account, key: Encryption, code: pulumi.Archive, handler: str
) -> tuple[Table, Processor]:
    topic = Topic(f"{name}-topic", TopicArgs(account=account, key_arn=key.arn, protected=False))
    queue = Queue(
        f"{name}-queue",
        QueueArgs(
            account=account,
            topic_arn=topic.arn,
            undelivered_arn=topic.dead_letter_queue_arn,
            key_arn=key.arn,
            visibility_timeout=6 * TIMEOUT,
            max_receive_count=3,
        ),
    )
    table = Table(f"{name}-orders", TableArgs(account=account, key_arn=key.arn, protected=False))
    processor = Processor(
        f"{name}-processor",
        ProcessorArgs(
            account=account,
            code=code,
            handler=handler,
            queue_arn=queue.arn,
            table=table,
            key_arn=key.arn,
            timeout=TIMEOUT,
            memory=512,
            batch_size=BATCH,
            batching_window=0,
            maximum_concurrency=CONCURRENCY,
            log_retention=1,
            log_level="INFO",
            runtime="python3.12",
            architecture="arm64",
        ),
    )
    pulumi.export(f"{name}Topic", topic.arn)
    pulumi.export(f"{name}Table", table.name)
    return table, processor

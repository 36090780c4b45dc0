"""The order notification system: OrderTopic -> OrderQueue -> ProcessOrder -> Orders."""

import pulumi

import config
from components.account import Account
from components.encryption import Encryption
from components.monitoring import Monitoring, MonitoringArgs
from components.package import PROCESS_ORDER, archive
from components.pipeline import Pipeline
from components.processor import Processor, ProcessorArgs
from components.queue import Queue, QueueArgs
from components.table import Table, TableArgs
from components.topic import Topic, TopicArgs

stack = config.load()
account = Account.current()

key = Encryption("OrderKey", account, protected=stack.protect_data)
topic = Topic("OrderTopic", TopicArgs(account=account, key_arn=key.arn, protected=stack.protect_data))
queue = Queue(
    "OrderQueue",
    QueueArgs(
        account=account,
        topic_arn=topic.arn,
        undelivered_arn=topic.dead_letter_queue_arn,
        key_arn=key.arn,
        visibility_timeout=stack.visibility_timeout,
        max_receive_count=stack.max_receive_count,
        protected=stack.protect_data,
    ),
)
table = Table("Orders", TableArgs(account=account, key_arn=key.arn, protected=stack.protect_data))
processor = Processor(
    "ProcessOrder",
    ProcessorArgs(
        account=account,
        code=archive("process_order", PROCESS_ORDER),
        handler="process_order.lambda_function.lambda_handler",
        queue_arn=queue.arn,
        table=table,
        key_arn=key.arn,
        settings=stack,
    ),
)

queues, processors = [queue], [processor]

# Another consumer of the topic is one block here: docs/changing.md.

monitoring = Monitoring(
    "OrderAlarms",
    MonitoringArgs(
        account=account,
        key_arn=key.arn,
        pipeline=Pipeline(
            topic=topic,
            queue=queue,
            processor=processor,
            table=table,
            scope=f"{pulumi.get_project()}/{pulumi.get_stack()}",
            other_queues=queues[1:],
            other_processors=processors[1:],
        ),
        settings=stack,
        email=config.alarm_address(stack),
    ),
)

pulumi.export("topicArn", topic.arn)
pulumi.export("queueUrl", queue.url)
pulumi.export("queueArn", queue.arn)
pulumi.export("deadLetterQueueUrl", queue.dead_letter_queue_url)
pulumi.export("subscriptionDeadLetterQueueUrl", topic.dead_letter_queue_url)
pulumi.export("queues", [each.addresses for each in queues])
pulumi.export("tableName", table.name)
pulumi.export("functionName", processor.function_name)
pulumi.export("functionNames", [each.function_name for each in processors])
pulumi.export("logGroupName", processor.log_group_name)
pulumi.export("alarmTopicArn", monitoring.topic_arn)
pulumi.export("dashboardName", monitoring.dashboard_name)
pulumi.export("keyArn", key.arn)
pulumi.export("region", account.region)

"""What people may do with a stack that runs, as policies to attach to them: producers publish, operators operate."""

import pulumi
from pulumi_aws import iam

from foundation.account import Stack
from foundation.grant import Grant, document


def of_producers(stack: Stack) -> list[Grant]:
    """What `./orders publish` needs, and any other producer."""
    return [Grant("Publish", stack.arn("sns", "OrderTopic"), write="sns:Publish"), _key(stack, "sns")]


def of_operators(stack: Stack) -> list[Grant]:
    """What all of the operators' commands need; docs/runbook.md has it by command."""
    account = stack.account
    return [
        Grant("Publish", stack.arn("sns", "OrderTopic"), write="sns:Publish"),
        Grant(
            "Queues",
            stack.arn("sqs", "Order"),
            write="sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage "
            "sqs:SendMessage",
        ),
        Grant(
            "Table",
            stack.arn("dynamodb", "table/Order"),
            write="dynamodb:BatchGetItem dynamodb:DescribeTable dynamodb:GetItem",
        ),
        Grant("Logs", stack.log_groups(), write="logs:FilterLogEvents"),
        Grant("Function", stack.arn("lambda", "function:ProcessOrder"), write="lambda:GetFunctionConfiguration"),
        Grant("Alarms", account.arn("cloudwatch", "alarm:*"), write="cloudwatch:DescribeAlarms"),
        # AWS knows no resource for these.
        Grant("Lists", "*", write="cloudwatch:GetMetricStatistics lambda:ListEventSourceMappings"),
        _key(stack, "sns", "sqs", "dynamodb"),
    ]


def _key(stack: Stack, *services: str) -> Grant:
    """The use of the stack's key through services, and never directly."""
    via = [f"{service}.{stack.account.region}.amazonaws.com" for service in services]
    return Grant(
        "KeyThroughServices",
        stack.account.arn("kms", "key/*"),
        write="kms:Decrypt kms:GenerateDataKey*",
        condition={"StringEquals": {**stack.tags("ResourceTag"), "kms:ViaService": via}},
    )


class Operators(pulumi.ComponentResource):
    """Two policies of a stack, attached to nobody yet."""

    def __init__(self, name: str, stack: Stack, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bootstrap:index:Operators", name, {}, opts)

        def policy(purpose: str, grants: list[Grant], what: str) -> iam.Policy:
            text = pulumi.Output.json_dumps(document(grants, writes=True))
            opts = pulumi.ResourceOptions(parent=self)
            return iam.Policy(f"{name}-{purpose}", description=f"{what} {stack.name}", policy=text, opts=opts)

        producers = policy("producers", of_producers(stack), "Publish orders to")
        operators = policy("operators", of_operators(stack), "Every command of ./orders on")
        self.producers_arn, self.operators_arn = producers.arn, operators.arn
        self.register_outputs({"producersArn": producers.arn, "operatorsArn": operators.arn})

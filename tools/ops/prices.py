"""What AWS charges, as of a date and for one region."""

from dataclasses import dataclass

AS_OF = "2026-06"
"""The month these prices stand for. AWS changes them seldom: look at the pages before a decision rests on them."""
REGION = "us-east-1"
"""US East (N. Virginia). Ireland costs the same for SNS, SQS, Lambda and KMS, a little more for DynamoDB and logs."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """What so many units of something cost, before any free tier or discount of volume."""

    service: str
    unit: str
    dollars: float
    per: float
    """Units that cost so many dollars."""
    page: str

    def of(self, units: float) -> float:
        """Dollars for so many units."""
        return units * self.dollars / self.per


_SNS = "https://aws.amazon.com/sns/pricing/"
_SQS = "https://aws.amazon.com/sqs/pricing/"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_KMS = "https://aws.amazon.com/kms/pricing/"

PUBLISH = Price(service="SNS", unit="publish requests of 64 KB", dollars=0.50, per=1e6, page=_SNS)
QUEUE_REQUEST = Price(service="SQS", unit="requests of 64 KB", dollars=0.40, per=1e6, page=_SQS)
INVOCATION = Price(service="Lambda", unit="invocations", dollars=0.20, per=1e6, page=_LAMBDA)
COMPUTE = {
    "arm64": Price(service="Lambda", unit="GB-seconds", dollars=0.0000133334, per=1, page=_LAMBDA),
    "x86_64": Price(service="Lambda", unit="GB-seconds", dollars=0.0000166667, per=1, page=_LAMBDA),
}
WRITE = Price(service="DynamoDB", unit="write request units", dollars=0.625, per=1e6, page=_DYNAMODB)
LOG_DATA = Price(service="CloudWatch", unit="GB of log", dollars=0.50, per=1, page=_CLOUDWATCH)
ALARM = Price(service="CloudWatch", unit="alarms", dollars=0.10, per=1, page=_CLOUDWATCH)
METRIC = Price(service="CloudWatch", unit="metrics of its own", dollars=0.30, per=1, page=_CLOUDWATCH)
DASHBOARD = Price(service="CloudWatch", unit="dashboards", dollars=3.00, per=1, page=_CLOUDWATCH)
KEY = Price(service="KMS", unit="keys", dollars=1.00, per=1, page=_KMS)

PRICES = (PUBLISH, QUEUE_REQUEST, INVOCATION, *COMPUTE.values(), WRITE, LOG_DATA, ALARM, METRIC, DASHBOARD, KEY)

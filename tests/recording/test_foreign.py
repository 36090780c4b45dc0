"""A program that nobody here wrote runs under the recorder, which says what it could not look up."""

import re
from pathlib import Path

import pytest

from tools.recording.policy import recorded

MAIN = """
import pulumi
import pulumi_aws as aws
import network

class Part(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("my:index:Part", name)
        self.queue = aws.sqs.Queue(f"{name}-queue", opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({"queue": self.queue})

part = Part("part")
api = aws.apigatewayv2.Api("api", protocol_type="HTTP")
shared = aws.sns.get_topic_output(name="shared")
aws.sqs.Queue("tagged", tags={"topic": shared.arn})
stage = aws.apigatewayv2.Stage("live", api_id=api.id, name="live")
for name, of in (("invoke", api), ("invoke-live", stage)):
    aws.lambda_.Permission(name, action="lambda:InvokeFunction", function="f", principal="apigateway.amazonaws.com",
        source_arn=pulumi.Output.concat(of.execution_arn, "/*/*"))
statement = {"actions": ["sqs:SendMessage"], "resources": [part.queue.arn],
    "principals": [{"type": "Service", "identifiers": ["sns.amazonaws.com"]}],
    "conditions": [{"test": "ArnEquals", "variable": "aws:SourceArn", "values": ["arn:aws:sns:us-east-1:1:t"]}]}
aws.sqs.QueuePolicy("policy", queue_url=part.queue.id,
    policy=aws.iam.get_policy_document_output(statements=[statement]).json)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "network.py").write_text("import pulumi_aws as aws\naws.sns.Topic('alarms')\n")
    (tmp_path / "__main__.py").write_text(MAIN)
    return tmp_path


def test_every_run_has_all_resources_and_knows_whatever_needs_no_aws(project: Path) -> None:
    names = {"alarms", "api", "invoke", "invoke-live", "live", "part", "part-queue", "policy", "tagged"}
    for preview in (True, False):
        graph = recorded(project, "dev", preview=preview)
        assert {each.name for each in graph.resources} == names
        assert graph.unanswered == ("aws:sns/getTopic:getTopic",)
    permissions = graph.all("aws:lambda/permission:Permission")
    for name, called in (("invoke", ""), ("invoke-live", "/live")):
        source = permissions[name].properties["sourceArn"]
        assert re.fullmatch(rf"arn:aws:execute-api:us-east-1:123456789012:[a-z0-9]{{10}}{called}/\*/\*", source)
    policy = graph.one("aws:sqs/queuePolicy:QueuePolicy", "policy").properties["policy"]
    assert '"Principal": {"Service": ["sns.amazonaws.com"]}' in policy
    assert '"Condition": {"ArnEquals": {"aws:SourceArn": ["arn:aws:sns:us-east-1:1:t"]}}' in policy


def test_a_program_that_cannot_run_here_says_why(project: Path) -> None:
    (project / "__main__.py").write_text("import no_such_package\n")
    with pytest.raises(RuntimeError, match="needs no_such_package"):
        recorded(project, "dev", preview=True)
    (project / "__main__.py").write_text("import pulumi_aws as aws\naws.sns.get_topic(name='shared').arn\n")
    with pytest.raises(RuntimeError, match="only AWS can answer: aws:sns/getTopic:getTopic"):
        recorded(project, "dev", preview=True)

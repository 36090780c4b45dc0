"""The picture of the architecture is drawn from what the program registers, and from nothing else."""

import dataclasses

import pulumi
import pytest
from pulumi_aws import cloudwatch

from components.account import Account
from components.queue import Queue, QueueArgs
from tools.recording.diagram import mermaid
from tools.recording.graph import record


def test_another_consumer_is_drawn_without_being_described() -> None:
    def program() -> None:
        args = QueueArgs(
            account=Account.current(),
            topic_arn="t",
            undelivered_arn="d",
            key_arn="k",
            visibility_timeout=180,
            max_receive_count=4,
        )
        Queue("Invoices", args)

    lines = mermaid(record(program=program)).splitlines()
    assert '  subgraph component_Invoices["Queue Invoices"]' in lines
    assert "  Invoices -.->|after 4 receives| Invoices_dlq" in lines


def test_the_picture_does_not_depend_on_the_order_of_registration() -> None:
    graph = record(stack="prod")
    text = mermaid(graph)
    assert mermaid(dataclasses.replace(graph, resources=tuple(reversed(graph.resources)))) == text
    arrows = [line for line in text.splitlines() if line.startswith("  O") and "operators" not in line]
    assert arrows == sorted(arrows, key=lambda line: (line.split()[0], line.split()[-1]))


def test_a_new_type_of_resource_must_be_drawn_or_left_out_on_purpose() -> None:
    def program() -> None:
        cloudwatch.EventRule("Nightly", schedule_expression="rate(1 day)", opts=pulumi.ResourceOptions())

    with pytest.raises(ValueError, match="got aws:cloudwatch/eventRule:EventRule: add a row for it"):
        mermaid(record(program=program))

"""No order is lost, and what says so would notice."""

import json
import re

from tests.proofs import convergence, faults, outage
from tests.proofs.account import account, drain, not_newest, publish, survey
from tools.cloud.deployment import Deployment
from tools.root import ROOT

SHORT = 2
"""Seconds of visibility timeout: three receives take a third of the time that the stack would take."""


def test_the_table_converges_on_the_cloud_and_is_like_the_one_in_memory(stressed: Deployment) -> None:
    result = convergence.prove(stressed, cases=40, seed=2)
    assert result.problems == ()
    assert result.figures["failed calls"]


def test_every_message_is_accounted_for_while_calls_fail_and_workers_die(stressed: Deployment) -> None:
    result = faults.prove(
        stressed, faults.traffic_of(200, seed=3), seed=3, restarts=False, visibility=SHORT, between_deaths=1
    )
    assert result.problems == ()
    assert (result.figures["lost"], result.figures["unexplained"]) == (0, 0)
    assert result.figures["workers killed"]


def test_an_outage_longer_than_every_retry_costs_no_order(stressed: Deployment) -> None:
    result = outage.prove(stressed, orders=40, seed=4, visibility=SHORT)
    assert result.problems == ()
    assert result.figures["orders in the dead-letter queue at its end"] == 40


def test_the_runbook_has_the_commands_that_end_an_outage() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    for step in ("status", "dlq list", "dlq redrive", "verify"):
        assert re.search(rf"^\$ ./orders {step}\b", runbook, re.MULTILINE), step


def test_the_account_names_what_is_lost_what_is_older_and_what_nobody_published(stressed: Deployment) -> None:
    before, traffic = survey(stressed), faults.traffic_of(5, seed=5)
    [newest, *others] = traffic.newest.values()
    intruder = {**newest, "orderId": "intruder"}
    publish(stressed, [json.dumps({**newest, "timestamp": "2025-01-01T00:00:00Z"}), json.dumps(intruder)])
    drain(stressed)
    found = account(stressed, traffic, before)
    assert json.dumps(newest) in found.lost
    assert {json.dumps(event) for event in others} <= set(found.lost)
    assert set(traffic.poison) <= set(found.lost)
    assert {"item intruder", f"item {newest['orderId']}"} == set(found.unexplained)
    assert not_newest(stressed, traffic) == list(traffic.newest)

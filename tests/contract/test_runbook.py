"""The runbook and the alarms belong together, and what it tells operators to type exists."""

import re
from dataclasses import fields

import pytest

from config import StackConfig, key_of
from tests.defaults import recorded
from tools.root import ROOT

PAGE = (ROOT / "docs/runbook.md").read_text()
SECTIONS = dict(re.findall(r"^### (.+)\n((?:(?!^##).*\n)*)", PAGE, re.MULTILINE))
"""What stands under each alarm's heading."""


def anchor(heading: str) -> str:
    """The name under which GitHub makes a heading reachable."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_alarm_has_its_section_and_every_section_its_alarm() -> None:
    alarms = recorded().all("aws:cloudwatch/metricAlarm:MetricAlarm").values()
    opened = {alarm.properties["alarmDescription"].rpartition("docs/runbook.md#")[2] for alarm in alarms}
    assert len(opened) == len(alarms)
    assert sorted(map(anchor, SECTIONS)) == sorted(opened)


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_says_what_it_means_how_to_look_to_fix_and_to_prove(heading: str) -> None:
    assert re.findall(r"^\*\*(\w+):\*\*", SECTIONS[heading], re.MULTILINE) == ["Means", "Look", "Fix", "Prove"]


def test_every_key_that_the_page_names_is_a_key_of_the_configuration() -> None:
    named = set(re.findall(r"orders:(\w+)(?!\w|\.\.\.)", PAGE))
    assert named
    assert named <= {key_of(field) for field in fields(StackConfig)}

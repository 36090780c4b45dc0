"""docs/policies.md says what the rules say."""

from document import PAGE, page
from rules import RULES


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run: make docs"


def test_every_rule_has_a_section_with_its_fix_and_settings() -> None:
    for rule in RULES:
        section = page().split(f"### {rule.name}\n", 1)[1].split("\n### ", 1)[0]
        assert rule.link in section
        assert all(f"`{setting.name}`" in section for setting in rule.settings)

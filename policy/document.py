"""Writes the table of rules in docs/policies.md; `make docs` runs it."""

import json
import re
from pathlib import Path

from framework.rule import Rule
from rules import RULES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "policies.md"


def page() -> str:
    """Return the page with the table of today's rules in its place."""
    rows = ["| rule | level | what it requires | settings |", "|---|---|---|---|", *map(_row, RULES)]
    return re.sub(
        r"(?<=<!-- rules -->\n).*?(?=<!-- end of rules -->)",
        lambda _: "\n".join(rows) + "\n",
        PAGE.read_text(),
        count=1,
        flags=re.DOTALL,
    )


def _row(rule: Rule) -> str:
    settings = (f"`{setting.name}` = {json.dumps(setting.default)}" for setting in rule.settings)
    return f"| [{rule.name}]({rule.link}) | {rule.level.value} | {rule.requires} | {'<br>'.join(settings)} |"


if __name__ == "__main__":
    PAGE.write_text(page())

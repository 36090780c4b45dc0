"""Writes docs/policies.md from the rules; `make docs` runs it."""

import json
from pathlib import Path

from framework.rule import Rule
from rules import RULES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "policies.md"

_HEAD = """\
# Policies

{count} rules hold for every stack of the order notification system. They are checked during `pulumi preview`,
even for a brand-new stack: where an ARN is not known yet, a rule looks at what the property depends on. What a preview
cannot show (a policy text built from unknown ARNs) is reported as waiting and checked during the update. A violation
says what must hold, what was found, and how to fix it. This page is generated: `make docs`.

The pack shares no code with the program. It is a second, independent statement of what must hold.

## Enforce

On a laptop, without an account: `make policy STACK=dev` runs the program under a recorder in preview and in update
mode and checks both against the pack; it exits with 1 on a mandatory violation.

With the Pulumi CLI (`make preview` and `make up` build the pack's environment and add these flags):

    pulumi preview --policy-pack policy
    pulumi up --policy-pack policy --policy-pack-config policy-config.json

In a pull request: make the `preview` line a required check. A mandatory violation fails it before anything is created.

Organisation-wide, in Pulumi Cloud, for every stack and whoever deploys it:

    cd policy && pulumi policy publish my-org
    pulumi policy enable my-org/order-notifications latest

For what is already deployed, without touching it:

    pulumi policy analyze --policy-pack policy --stack prod

## Configure

A rule is configured by name in a JSON file, with a level (`advisory`, `mandatory` or `disabled`), its own
settings, or both; `all` sets the level of all other rules. Settings that are left out keep the defaults below.

    {{
      "sqs-redrive-policy-valid": {{"enforcementLevel": "mandatory", "minReceives": 5}},
      "sqs-dlq-has-alarm": {{
        "enforcementLevel": "mandatory",
        "exempt": [{{"match": "scratch-*", "reason": "load test, no orders in it", "expires": "2026-12-31"}}]
      }}
    }}

State the level in every entry: the protocol treats an entry without one as advisory.

**Exemptions.** Every rule takes `exempt`. `match` is a whole resource name or URN, with `*` and `?` as wildcards; a
`reason` is required; after the day `expires` the exemption is itself a violation. Each use is reported. A pattern that
cannot be read, or an entry without a reason, is refused before anything runs.

**Unknown values.** A rule never stays silent because a value is unknown: it decides by dependencies, or says that it
waits. A fault inside a rule is a violation that names the rule and the resource.

## Rules

| rule | level | severity | what must hold |
|---|---|---|---|
{table}
"""


def page() -> str:
    """Return the whole page."""
    rows = (f"| [{r.name}](#{r.name}) | {r.level.value} | {r.severity.value} | {r.requires} |" for r in RULES)
    head = _HEAD.format(count=len(RULES), table="\n".join(rows))
    return "\n".join([head, *(_section(rule) for rule in RULES)])


def _section(rule: Rule) -> str:
    types = ", ".join(f"`{type_}`" for type_ in rule.on)
    decided = "by its neighbours in the stack" if rule.check_in_stack else "by its inputs, before it is created"
    lines = [
        f"### {rule.name}",
        "",
        f"**{rule.requires}** {rule.why}",
        "",
        f"- Fix: {rule.remedy}",
        f"- Level: {rule.level.value}, severity {rule.severity.value}",
        f"- Judges: {types}, {decided}",
        f"- Maps to: {'; '.join((f'AWS Well-Architected {rule.pillar}', *rule.maps_to))}",
        f"- See: <{rule.link}>",
    ]
    lines += [f"- `{setting.name}` = `{json.dumps(setting.default)}`: {setting.meaning}" for setting in rule.settings]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page())

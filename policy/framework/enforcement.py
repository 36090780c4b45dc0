"""Turns rules into Pulumi policies: settings, exemptions, undecided verdicts and faults are handled here, once."""

import json
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from framework.exemptions import SCHEMA as EXEMPTIONS
from framework.exemptions import Exemption, read_exemptions
from framework.rule import Config, Rule, Undecided, Verdict
from framework.stack import Resource, Stack, from_inputs, from_outputs
from pulumi_policy import (
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

Case = tuple[Resource, Callable[[Config], Iterator[Verdict]]]


def policy(rule: Rule) -> Policy:
    """Return the Pulumi policy that enforces a rule."""
    stated: dict[str, Any] = {
        "name": rule.name,
        "description": rule.requires,
        "enforcement_level": rule.level,
        "config_schema": PolicyConfigSchema(properties=config_schema(rule)),
        "severity": rule.severity,
        "framework": PolicyComplianceFramework(name="AWS Well-Architected Framework", reference=rule.pillar),
        "tags": list(rule.maps_to),
        "remediation_steps": rule.remedy,
        "url": rule.link,
    }
    if rule.check_in_stack:
        return StackValidationPolicy(**stated, validate=partial(_validate_stack, rule))
    return ResourceValidationPolicy(**stated, validate=partial(_validate_resource, rule))


def config_schema(rule: Rule) -> dict[str, dict[str, Any]]:
    """Return the JSON schema of each setting; the Pulumi CLI refuses settings that do not fit it."""
    stated = {
        each.name: {**each.schema, "default": each.default, "description": each.meaning} for each in rule.settings
    }
    return {**stated, "exempt": EXEMPTIONS}


def configured(rule: Rule, given: Mapping[str, Any]) -> Config:
    """Merge what was configured over the rule's defaults: the SDK fills none in.

    Raises ValueError naming the settings that do not exist, which some engines let pass; values they check by schema.
    """
    found: dict[str, Any] = {setting.name: setting.default for setting in rule.settings}
    unknown = set(given) - set(found) - {"exempt"}
    if unknown:
        raise ValueError(f"setting must be one of {', '.join([*found, 'exempt'])}, got {', '.join(sorted(unknown))}")
    for name in set(given) - {"exempt"}:
        value = given[name]
        found[name] = int(value) if isinstance(value, float) else value
    return found


def _validate_resource(rule: Rule, args: ResourceValidationArgs, report: ReportViolation) -> None:
    resource = from_inputs(args)  # of whatever type: its inputs matter to the rules about the stack
    if resource.type in rule.on and rule.check is not None:
        _enforce(rule, [(resource, partial(rule.check, resource))], args, report)


def _validate_stack(rule: Rule, args: StackValidationArgs, report: ReportViolation) -> None:
    judging.stack = True
    if rule.check_in_stack is not None:
        stack = from_outputs(args.resources)
        cases = [(each, partial(_told, rule.check_in_stack, each, stack)) for each in stack.of(*rule.on)]
        _enforce(rule, cases, args, report)


def _told(
    check: Callable[[Resource, Stack, Config], Iterator[Verdict]], resource: Resource, stack: Stack, config: Config
) -> Iterator[Verdict]:
    """Let a violation wait where its search met an unknown value, and nothing says where that comes from."""
    stack.untold.clear()
    for verdict in check(resource, stack, config):
        yield Undecided(", ".join(sorted(stack.untold))) if stack.untold else verdict


def _enforce(rule: Rule, cases: Iterable[Case], args: Any, report: ReportViolation) -> None:
    """Report the violations of all cases, and on the record what is exempt or has to wait."""
    given = args.get_config()
    try:
        config, exemptions = configured(rule, given), read_exemptions(given.get("exempt", ()))
    except (KeyError, TypeError, ValueError) as error:
        for resource, _ in cases:
            report(f"{resource.name} could not be judged, because {rule.name} is misconfigured: {error}.", resource.urn)
        return
    notes = []
    for resource, check in cases:
        violations, unknown = _judge(rule, partial(check, config))
        exemption = next((each for each in exemptions if each.covers(resource.name, resource.urn)), None)
        if exemption and exemption.expired():
            violations.append(f"has an exemption that expired on {exemption.expires} ({exemption.reason})")
        elif exemption and violations:
            notes.append(_note("exempt", rule, resource, _visible(rule, resource, exemption)))
            violations = []
        for violation in violations:
            report(f"{resource.name} {violation}. To fix it: {rule.remedy}", resource.urn)
        if unknown and not violations:
            judging.waiting.append(rule.name)
            notes.append(_note("waits", rule, resource, f"{', '.join(unknown)} is not known before the update"))
    if notes:
        args.not_applicable("\n".join(notes))  # raises: it has to be last


def _note(kind: str, rule: Rule, resource: Resource, text: str) -> str:
    """What is no violation, as whoever drives the pack reads it: there is no other channel than "not applicable"."""
    return json.dumps({"kind": kind, "rule": rule.name, "resource": resource.name, "text": text})


def _judge(rule: Rule, check: Callable[[], Iterator[Verdict]]) -> tuple[list[str], list[str]]:
    """Run one check to its end; a fault in it is a violation that names the rule, never a dead preview."""
    violations: list[str] = []
    unknown: list[str] = []
    try:
        for verdict in check():
            if isinstance(verdict, Undecided):
                unknown.append(verdict.properties)
            else:
                violations.append(verdict)
    except Exception as fault:  # noqa: BLE001 - the engine shows nothing but "Exception calling application"
        # Only the type and place of the fault: its text may hold a secret property.
        place = traceback.extract_tb(fault.__traceback__)[-1]
        violations.append(
            f"could not be judged: {rule.name} failed with {type(fault).__name__} at {place.name}, line {place.lineno}"
        )
    return violations, list(dict.fromkeys(unknown))


def _visible(rule: Rule, resource: Resource, exemption: Exemption) -> str:
    """Say on standard error, which the CLI shows, that an exemption was used; standard output is the protocol's."""
    until = f"until {exemption.expires}: " if exemption.expires else ""
    sys.stderr.write(f"exempt: {rule.name} does not apply to {resource.name}, {until}{exemption.reason}\n")
    return f"{until}{exemption.reason}"


class Policies(list[Policy]):
    """The policies of the pack; when all have judged the stack, it says how many decisions have to wait."""

    def __iter__(self) -> Iterator[Policy]:
        # The SDK walks through the list once for each question, and has no other hook behind the last policy.
        judging.waiting = [] if judging.stack else judging.waiting
        judging.stack = False
        yield from super().__iter__()
        if judging.stack and judging.waiting:
            count, rules = len(judging.waiting), ", ".join(sorted(set(judging.waiting)))
            sys.stderr.write(
                f"{count} {'decision waits' if count == 1 else 'decisions wait'} for the update: {rules}\n"
            )


# The rule of each decision of this run that waits for the update, and whether the stack is being judged, which is last.
judging = SimpleNamespace(waiting=[], stack=False)

"""Turns rules into Pulumi policies: settings, exemptions, undecided verdicts and faults are handled here, once."""

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from framework.exemptions import SCHEMA as EXEMPTIONS
from framework.exemptions import Exemption, read_exemptions
from framework.rule import Config, Rule, Undecided, Verdict
from framework.stack import Resource, Stack, from_inputs, from_outputs
from framework.values import UNKNOWN, read
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

# How each line of a policy's "not applicable" begins: the only channel there is for what is no violation.
EXEMPT = "exempt:"
WAITS = "waits for the update:"

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
    if args.resource_type not in rule.on or rule.check is None:
        return
    resource = from_inputs(args)
    notes = _enforce(rule, [(resource, partial(rule.check, resource))], args.get_config(), report)
    if notes:
        args.not_applicable("\n".join(notes))  # raises: it has to be last


def _validate_stack(rule: Rule, args: StackValidationArgs, report: ReportViolation) -> None:
    if rule.check_in_stack is None:
        return
    stack = from_outputs(args.resources)

    check = rule.check_in_stack if stack.tells_dependencies else partial(_on_known_values, rule.check_in_stack)
    cases = [(each, partial(check, each, stack)) for each in stack.of(*rule.on)]
    notes = _enforce(rule, cases, args.get_config(), report)
    if notes:
        args.not_applicable("\n".join(notes))  # raises: it has to be last


def _on_known_values(
    check: Callable[[Resource, Stack, Config], Iterator[Verdict]], resource: Resource, stack: Stack, config: Config
) -> Iterator[Verdict]:
    """Let a violation wait while something is unknown and nothing says what it depends on: it may be a false alarm."""
    unknown = [key for key in resource.properties if read(resource.properties, key) is UNKNOWN]
    for verdict in check(resource, stack, config):
        yield Undecided(", ".join(unknown)) if unknown else verdict


def _enforce(rule: Rule, cases: Iterable[Case], given: Mapping[str, Any], report: ReportViolation) -> list[str]:
    """Report the violations of all cases; return what was exempt or has to wait, for the record."""
    try:
        config, exemptions = configured(rule, given), read_exemptions(given.get("exempt", ()))
    except (KeyError, TypeError, ValueError) as error:
        for resource, _ in cases:
            report(f"{resource.name} could not be judged, because {rule.name} is misconfigured: {error}.", resource.urn)
        return []
    notes = []
    for resource, check in cases:
        violations, waiting = _judge(rule, partial(check, config))
        exemption = next((each for each in exemptions if each.covers(resource.name, resource.urn)), None)
        if exemption and exemption.expired():
            violations.append(f"has an exemption that expired on {exemption.expires} ({exemption.reason})")
        elif exemption and violations:
            notes.append(_visible(rule, resource, exemption))
            violations = []
        for violation in violations:
            report(f"{resource.name} {violation}. To fix it: {rule.remedy}", resource.urn)
        if waiting and not violations:
            notes.append(f"{WAITS} {resource.name} ({', '.join(waiting)} is not known in preview)")
    return notes


def _judge(rule: Rule, check: Callable[[], Iterator[Verdict]]) -> tuple[list[str], list[str]]:
    """Run one check to its end; a fault in it is a violation that names the rule, never a dead preview."""
    violations: list[str] = []
    waiting: list[str] = []
    try:
        for verdict in check():
            if isinstance(verdict, Undecided):
                waiting.append(verdict.properties)
            else:
                violations.append(verdict)
    except Exception as fault:  # noqa: BLE001 - the engine shows nothing but "Exception calling application"
        # Only the type and place of the fault: its text may hold a secret property.
        place = traceback.extract_tb(fault.__traceback__)[-1]
        violations.append(
            f"could not be judged: {rule.name} failed with {type(fault).__name__} at {place.name}, line {place.lineno}"
        )
    return violations, waiting


def _visible(rule: Rule, resource: Resource, exemption: Exemption) -> str:
    """Say on standard error, which the CLI shows, that an exemption was used; standard output is the protocol's."""
    until = f" until {exemption.expires}" if exemption.expires else ""
    sys.stderr.write(f"exempt: {rule.name} does not apply to {resource.name}{until}: {exemption.reason}\n")
    return f"{EXEMPT} {resource.name}{until}: {exemption.reason}"

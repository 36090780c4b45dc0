"""What the policy pack said about a recorded run of the program, and how that is printed."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import TextIO


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One rule broken by one resource."""

    rule: str
    level: str
    """mandatory or advisory"""
    severity: str
    """low, medium, high or critical"""
    type: str
    resource: str
    urn: str
    requirement: str
    """What must hold."""
    message: str
    """What is, and how to fix it."""
    link: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the pack said about one run of the program."""

    stack: str
    mode: str
    """preview or update"""
    pack: str
    rules: int
    """Rules that were enforced."""
    resources: int
    seconds: float
    """Time of the analysis, without the start of the pack."""
    violations: tuple[Violation, ...]
    exempt: tuple[str, ...]
    """Violations that an exemption allows."""
    remediated: tuple[str, ...]
    """Resources that a rule has repaired."""
    waiting: tuple[str, ...]
    """Decisions that need values which only the update knows."""

    @property
    def mandatory(self) -> tuple[Violation, ...]:
        """The violations that stop a deployment."""
        return tuple(violation for violation in self.violations if violation.level == "mandatory")


def print_report(*reports: Report, as_json: bool = False, out: TextIO | None = None) -> None:
    """Print reports as the CLI prints policy violations, or as a JSON list."""
    out = out or sys.stdout
    if as_json:
        out.write(json.dumps([asdict(report) for report in reports], indent=2) + "\n")
        return
    for report in reports:
        out.write(f"Policies: {report.pack}, stack {report.stack}, {report.mode}\n")
        for each in sorted(report.violations, key=lambda violation: violation.level == "advisory"):
            out.write(f"  [{each.level}]  [{each.severity}]  {each.rule}  ({each.type}: {each.resource})\n")
            out.write(f"    {each.requirement}\n    {each.message}\n    {each.link}\n")
        for line in report.exempt:
            out.write(f"  {line}\n")
        for line in report.remediated:
            out.write(f"  {line} was repaired\n")
        for line in report.waiting:
            out.write(f"  {line}\n")
        mandatory, advisory = len(report.mandatory), len(report.violations) - len(report.mandatory)
        waiting = f", {len(report.waiting)} decisions wait for the update" if report.waiting else ""
        out.write(
            f"  {mandatory} mandatory and {advisory} advisory violations: {report.rules} rules, "
            f"{report.resources} resources, {report.seconds:.1f} s{waiting}\n"
        )

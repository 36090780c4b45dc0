"""What the policy pack said about a recorded run of the program, and how that is printed."""

from dataclasses import asdict, dataclass

from tools.terminal import BAD, GOOD, Printer


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
    waiting: tuple[str, ...]
    """Decisions that need values which only the update knows."""

    @property
    def mandatory(self) -> tuple[Violation, ...]:
        """The violations that stop a deployment."""
        return tuple(violation for violation in self.violations if violation.level == "mandatory")


def print_report(*reports: Report, printer: Printer) -> None:
    """Print reports as the CLI prints policy violations, or as a JSON list."""
    if printer.as_json:
        printer.json([asdict(report) for report in reports])
    for report in reports:
        printer.line(f"Policies: {report.pack}, stack {report.stack}, {report.mode}", style="bold")
        for each in sorted(report.violations, key=lambda violation: violation.level == "advisory"):
            heading = f"  [{each.level}]  [{each.severity}]  {each.rule}  ({each.type}: {each.resource})"
            printer.line(heading, style=BAD if each.level == "mandatory" else "yellow")
            for text in (each.requirement, each.message, each.link):
                printer.line(f"    {text}")
        for line in (*report.exempt, *report.waiting):
            printer.line(f"  {line}")
        mandatory, advisory = len(report.mandatory), len(report.violations) - len(report.mandatory)
        waiting = f", {len(report.waiting)} decisions wait for the update" if report.waiting else ""
        printer.line(
            f"  {mandatory} mandatory and {advisory} advisory violations: {report.rules} rules, "
            f"{report.resources} resources, {report.seconds:.1f} s{waiting}",
            style=BAD if mandatory else GOOD,
        )

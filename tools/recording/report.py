"""What the policy pack said about a recorded run of a program, and how that is printed."""

from dataclasses import asdict, dataclass

from tools.terminal import BAD, GOOD, Printer


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a rule says of one resource."""

    kind: str
    """violation, exempt (a violation that an exemption allows) or waits (to be decided by the update)"""
    rule: str
    resource: str
    text: str
    """What is, and how to fix it; of what is exempt its reason, of what waits for what."""
    level: str = ""
    """Of a violation: mandatory or advisory."""
    severity: str = ""
    """Of a violation: low, medium, high or critical."""
    type: str = ""
    urn: str = ""
    requirement: str = ""
    """Of a violation: what must hold."""
    link: str = ""


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
    findings: tuple[Finding, ...]
    unanswered: tuple[str, ...] = ()
    """What the program asked the provider that only a cloud could answer."""

    def of(self, kind: str) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    @property
    def violations(self) -> tuple[Finding, ...]:
        """Rules that are broken."""
        return self.of("violation")

    @property
    def mandatory(self) -> tuple[Finding, ...]:
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
            for text in (each.requirement, each.text, each.link):
                printer.line(f"    {text}")
        for each in (*report.of("exempt"), *report.of("waits")):
            printer.line(f"  {each.kind}: {each.rule}: {each.resource}: {each.text}")
        for function in report.unanswered:
            printer.line(f"  not looked up, because only AWS can answer it: {function}")
        mandatory, advisory = len(report.mandatory), len(report.violations) - len(report.mandatory)
        waits = len(report.of("waits"))
        waiting = f", {waits} {'decision waits' if waits == 1 else 'decisions wait'} for the update" if waits else ""
        printer.line(
            f"  {mandatory} mandatory and {advisory} advisory violations: {report.rules} rules, "
            f"{report.resources} resources, {report.seconds:.1f} s{waiting}",
            style=BAD if mandatory else GOOD,
        )

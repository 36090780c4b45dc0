"""`./orders review`: what a change does, and whether it loses an order; exit status 1 if it may."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from tools.review.allowances import FILE, Allowance, read_allowances
from tools.review.changes import Preview
from tools.review.engine import read_events, read_preview
from tools.review.policies import Verdict, policies, read_reports
from tools.review.report import Review, report
from tools.review.safety import judge
from tools.review.screen import show
from tools.terminal import Printer

Inputs = tuple[Preview, list[Verdict] | None, Iterable[Mapping[str, Any]] | None]


@click.argument("preview", type=Path, required=False)
@click.option("--stack", default="", help="which Pulumi.STACK.yaml; default: that of the preview, or dev")
@click.option(
    "--against",
    metavar="REVISION",
    help="what a recorded run is compared with; default: where the work left origin/main, or HEAD",
)
@click.option(
    "--allowed", type=Path, default=Path(FILE), metavar="FILE", help="unsafe changes that are allowed, if it exists"
)
def run(_printer: Printer, **options: Any) -> int:
    """Print the report; 1 if something speaks against the change.

    PREVIEW is what `pulumi preview --json --show-sames --show-replacement-steps` wrote, or the folder that
    `make review-preview` wrote; without it, two recorded runs of the program are compared.
    """
    review = _review(SimpleNamespace(**options))
    show(report(review), sys.stdout)
    return 0 if review.passes else 1


def _review(options: SimpleNamespace) -> Review:
    today = datetime.now(UTC).date()
    preview, events, reports = _engine(options) if options.preview else _recorded(options)
    allowances: tuple[Allowance, ...] = ()
    try:
        allowances = read_allowances(options.allowed.read_text()) if options.allowed.exists() else ()
    except ValueError as error:
        preview = replace(preview, problems=(*preview.problems, str(error)))
    return Review(
        preview=preview,
        safety=judge(preview, allowances, today),
        policies=policies(events, reports, new=not preview.states("before")),
        today=today,
    )


def _engine(options: SimpleNamespace) -> Inputs:
    """What an engine has written, in a folder with what goes with it; a file that it did not get to write is empty."""
    folder: Path = options.preview
    if folder.is_file():
        return read_preview(folder.read_text(errors="replace"), stack=options.stack), None, None
    events = read_events(_text(folder / "events.jsonl"))
    preview = read_preview(
        _text(folder / "preview.json"),
        stack=options.stack,
        log=_text(folder / "log.txt"),
        failed=(folder / "failed").exists(),
        refused=any(verdict.mandatory for verdict in events),
    )
    try:
        text = _text(folder / "policies.json")
        return preview, events, read_reports(text) if text else None
    except ValueError as error:
        return replace(preview, problems=(*preview.problems, str(error))), events, None


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _recorded(options: SimpleNamespace) -> Inputs:
    from tools.review.recorded import compared  # only this way runs the program

    preview, reports = compared(options.stack or "dev", options.against)
    return preview, None, reports

"""`./orders review`: what a change does, and whether it loses an order; exit status 1 if it may."""

import json
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
from tools.review.revision import edited_judges, revision, same_program
from tools.review.safety import judge
from tools.review.screen import show
from tools.review.trial import FILE as REHEARSAL
from tools.review.trial import NOT_ASKED, NOT_HANDED_OVER, Trial, read_trial
from tools.root import ROOT
from tools.terminal import Printer

Inputs = tuple[Preview, list[Verdict] | None, Iterable[Mapping[str, Any]] | None]
AGAINST = "what the change is compared with; default: where the work left origin/main, or HEAD"


@click.argument("preview", type=Path, required=False)
@click.option("--stack", default="", help="which Pulumi.STACK.yaml; default: that of the preview, or dev")
@click.option("--against", metavar="REVISION", help=AGAINST)
@click.option(
    "--change",
    type=Path,
    metavar="FOLDER",
    help="the change, if it is not here; beside a PREVIEW nothing of it is run, only read",
)
@click.option(
    "--no-rehearsal", is_flag=True, help="do not try the change on the local cloud, which takes half a minute"
)
def run(_printer: Printer, **options: Any) -> int:
    """Print the report; 1 if something speaks against the change.

    PREVIEW is what `pulumi preview --json --show-sames --show-replacement-steps` wrote, or the folder that
    `make review-preview` wrote; without it, two recorded runs of the program are compared.
    """
    review = _review(SimpleNamespace(**options))
    show(report(review), sys.stdout)
    return 0 if review.passes else 1


@click.option("--stack", default="dev", help="which Pulumi.STACK.yaml")
@click.option("--against", metavar="REVISION", help=AGAINST)
@click.option("--change", type=Path, metavar="FOLDER", help="the folder with the change; default: this one")
def try_it(printer: Printer, *, stack: str, against: str | None, change: Path | None) -> int:
    """Try a change under traffic; 1 if orders are lost, 3 if it could not be tried."""
    trial = _rehearsed(stack, against, change)
    if printer.as_json:
        sys.stdout.write(trial.text())
    for line in (trial.said, *trial.lost, f"not rehearsed: {trial.left_out}" if trial.left_out else ""):
        if line:
            printer.line(line)
    return 3 if trial.left_out else 1 if trial.lost else 0


def _review(options: SimpleNamespace) -> Review:
    today = datetime.now(UTC).date()
    preview, events, reports = _engine(options) if options.preview else _recorded(options)
    allowances: tuple[Allowance, ...] = ()
    allowed = (options.change or Path()) / FILE
    try:
        allowances = read_allowances(allowed.read_text()) if allowed.exists() else ()
        trial = _trial(options, preview)
    except ValueError as error:
        preview, trial = replace(preview, problems=(*preview.problems, str(error))), Trial(left_out=str(error))
    return Review(
        preview=preview,
        safety=judge(preview, allowances, today, trial.lost),
        policies=policies(events, reports, new=not preview.states("before")),
        trial=trial,
        today=today,
    )


def _trial(options: SimpleNamespace, preview: Preview) -> Trial:
    """What another job has tried, or what comes of it here; a change of nothing is not tried."""
    handed_over = options.preview / REHEARSAL if options.preview else None
    if handed_over and handed_over.exists():
        return read_trial(handed_over.read_text(errors="replace"))
    if options.no_rehearsal:
        return NOT_ASKED
    if options.preview and (options.change or options.preview.is_file()):
        return NOT_HANDED_OVER
    if all(change.operation == "same" for change in preview.changes):
        return Trial()
    return _rehearsed(preview.stack, options.against or _deployed(options.preview), options.change)


def _deployed(folder: Path | None) -> str | None:
    try:
        history = json.loads(_text(folder / "history.json")) if folder else []
        return next(str(each["environment"]["git.head"]) for each in history if each["kind"] == "update")
    except (LookupError, TypeError, ValueError, StopIteration):
        return None


def _rehearsed(stack: str, against: str | None, change: Path | None) -> Trial:
    try:
        from tools.review.rehearsal import rehearse  # only this way needs the local cloud
    except ImportError as error:
        return Trial(left_out=f"the local cloud is not installed here ({error})")
    if change is not None:
        return rehearse(ROOT, change.resolve(), stack)
    try:
        with revision(against) as (before, commit):
            if same_program(before, ROOT):
                return Trial(left_out=f"the program is that of {commit[:12]}, and which one the stack has is not known")
            return rehearse(before, ROOT, stack)
    except RuntimeError as error:
        return Trial(left_out=str(error))


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
    if options.change:
        preview = replace(preview, besides=tuple(edited_judges(ROOT, options.change)))
    try:
        text = _text(folder / "policies.json")
        return preview, events, read_reports(text) if text else None
    except ValueError as error:
        return replace(preview, problems=(*preview.problems, str(error))), events, None


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _recorded(options: SimpleNamespace) -> Inputs:
    from tools.review.recorded import compared  # only this way runs the program

    stack = options.stack or "dev"
    if options.change:
        preview, reports = compared(stack, ROOT, options.change.resolve(), "the tools' own revision")
        return preview, None, reports
    with revision(options.against) as (folder, commit):
        named = f"`{commit[:12]}`" + (f" (`{options.against}`)" if options.against else "")
        preview, reports = compared(stack, folder, ROOT, named)
    return preview, None, reports

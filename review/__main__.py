"""`python -m review`: what a change does, and whether it loses an order; exit status 1 if it may."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi

from review.allowances import FILE, Allowance, read_allowances
from review.changes import Preview
from review.engine import read_events, read_preview
from review.policies import Verdict, policies, read_reports
from review.report import Review, report
from review.safety import judge
from review.screen import show

Inputs = tuple[Preview, list[Verdict] | None, Iterable[Mapping[str, Any]] | None]


def main(arguments: list[str] | None = None) -> int:
    """Print the report; 0 if nothing speaks against the change, 1 if something does, 2 for wrong arguments."""
    options = _parser().parse_args(arguments)
    try:
        review = _review(options)
    except (OSError, RuntimeError, ValueError, pulumi.RunError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    show(report(review), sys.stdout)
    return 0 if review.passes else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m review", description=__doc__)
    parser.add_argument(
        "preview",
        nargs="?",
        type=Path,
        help="what `pulumi preview --json --show-sames --show-replacement-steps` wrote, or the folder that "
        "`make review-preview` wrote; without it, two recorded runs of the program are compared",
    )
    parser.add_argument("--stack", default="", help="which Pulumi.STACK.yaml (default: that of the preview, or dev)")
    parser.add_argument(
        "--against",
        metavar="REVISION",
        help="what a recorded run is compared with (default: where the work left origin/main, or HEAD)",
    )
    parser.add_argument(
        "--allowed",
        type=Path,
        default=Path(FILE),
        metavar="FILE",
        help="unsafe changes that are allowed (default: %(default)s, if it exists)",
    )
    return parser


def _review(options: argparse.Namespace) -> Review:
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


def _engine(options: argparse.Namespace) -> Inputs:
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


def _recorded(options: argparse.Namespace) -> Inputs:
    from review.recorded import compared  # only this way runs the program

    preview, reports = compared(options.stack or "dev", options.against)
    return preview, None, reports


if __name__ == "__main__":
    sys.exit(main())

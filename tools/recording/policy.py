"""`./orders policy`: holds a stack against the policy pack, without a cloud and without the Pulumi CLI."""

import contextlib
import json
import sys
from pathlib import Path

import click

from tools.recording.graph import Graph, program, record
from tools.recording.pack import check
from tools.recording.report import print_report
from tools.recording.running import own_modules
from tools.root import ROOT
from tools.terminal import Printer


@click.option("--stack", default="dev", help="which Pulumi.STACK.yaml")
@click.option(
    "--mode",
    type=click.Choice(("preview", "update", "both")),
    default="both",
    help="before a first deployment, when ARNs are unknown, or after it",
)
@click.option("--policy-pack-config", type=Path, metavar="FILE", help="the JSON that the Pulumi CLI takes")
@click.option(
    "--program",
    "directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=ROOT,
    show_default=False,
    metavar="DIR",
    help="another project's folder, with a Python program",
)
def run(printer: Printer, *, stack: str, mode: str, policy_pack_config: Path | None, directory: Path) -> int:
    """Print the reports; 1 if a mandatory rule is broken."""
    config = json.loads(policy_pack_config.read_text("utf-8-sig")) if policy_pack_config else None
    modes = (True, False) if mode == "both" else (mode == "preview",)
    reports = check(*(recorded(directory.resolve(), stack, preview=preview) for preview in modes), config=config)
    print_report(*reports, printer=printer)
    return 1 if any(report.mandatory for report in reports) else 0


def recorded(directory: Path, stack: str, *, preview: bool) -> Graph:
    """What a project's program registers. Raises RuntimeError that says why another one does not run here."""
    if directory == ROOT:
        return record(stack=stack, preview=preview)
    try:
        with contextlib.chdir(directory), own_modules(directory):
            return record(
                stack=stack, root=directory, preview=preview, program=lambda: program(directory), foreign=True
            )
    except ModuleNotFoundError as error:
        raise RuntimeError(
            f"the program needs {error.name}, which this environment does not have; to install it: "
            f"{sys.executable} -m pip install {error.name}"
        ) from error
    except Exception as error:
        said = "; ".join([str(error), *getattr(error, "__notes__", ())])
        raise RuntimeError(f"the program must run without a cloud, got {type(error).__name__}: {said}") from error

"""What `make` runs at a stack: never without the pack, and an update never unreviewed without saying so."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import fake
from tests.contract.test_workflows import FOLDER
from tools.root import ROOT


def test_no_preview_or_update_anywhere_goes_without_the_policy_pack() -> None:
    files = [*FOLDER.iterdir(), ROOT / "Makefile", *ROOT.glob("docs/*.md"), ROOT / "README.md"]
    commands = [
        line.strip()
        for path in files
        for line in path.read_text().splitlines()
        if re.search(r"(^|[$@\s])pulumi (preview|up)\s+-", line)
    ]
    assert len(commands) >= 2
    assert not [command for command in commands if "--policy-pack " not in command]


def up(folder: Path, *given: str, verdict: int = 0) -> tuple[int, list[str]]:
    """Run `make up` with stand-ins; its exit status, and what was run of Pulumi and of the review, in order."""
    fake(folder, "pulumi", 'case "$2" in history) ;; *) echo "pulumi $*" >>ran ;; esac')
    fake(folder, "orders", f'case "$1" in review) echo "$*" >>ran; exit {verdict} ;; esac')
    shutil.copy(ROOT / "requirements.txt", folder)
    built = ("--old-file=.venv/ready", "--old-file=policy/venv/ready")
    make = [str(shutil.which("make")), f"--file={ROOT / 'Makefile'}", *built, "up", "STACK=prod", *given]
    done = subprocess.run(
        make, cwd=folder, env={"PATH": f"{folder}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    ran = (folder / "ran").read_text().splitlines()
    return done.returncode, [*ran, *(line for line in done.stderr.splitlines() if "REVIEWED" in line)]


def test_an_update_is_reviewed_first_and_both_are_held_against_the_pack(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.policy.json").write_text("{}")
    status, (preview, review, update) = up(tmp_path, "ARGS=--yes --refresh")
    assert status == 0
    for command in (preview, update):
        assert "--stack prod --policy-pack policy --policy-pack-config Pulumi.prod.policy.json " in command
        assert "--refresh" in command
    assert preview.startswith("pulumi preview")
    assert "--yes" not in preview  # which a preview does not know
    assert review.startswith("review --stack prod build/review/prod")
    assert update.startswith("pulumi up")


def test_an_update_that_the_review_calls_unsafe_is_not_made(tmp_path: Path) -> None:
    status, ran = up(tmp_path, verdict=1)
    assert status != 0
    assert [line.split()[1] for line in ran] == ["preview", "--stack"]


@pytest.mark.parametrize("verdict", [0, 1])
def test_an_update_without_a_review_says_so(verdict: int, tmp_path: Path) -> None:
    status, (update, said) = up(tmp_path, "REVIEWED=0", verdict=verdict)
    assert status == 0
    assert update.startswith("pulumi up")
    assert said == "REVIEWED=0: whether this update of prod loses an order is not looked at"

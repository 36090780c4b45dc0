"""The targets that use the Pulumi CLI never go without the pack, and say what is missing."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import fake
from tests.contract.test_workflows import FOLDER, PULUMI
from tools.root import ROOT

BUILT = ("--old-file=.venv/ready", "--old-file=policy/venv/ready")


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


def test_the_pack_is_passed_whatever_else_is(tmp_path: Path) -> None:
    fake(tmp_path, "pulumi", 'echo "$@"')
    arguments = {"preview": "--refresh", "up": "--yes"}
    for target, flag in arguments.items():
        done = make(target, f"ARGS={flag}", "STACK=prod", path=f"{tmp_path}:/usr/bin:/bin")
        assert done.returncode == 0, done.stderr
        words = done.stdout.split()
        assert words[:3] == [target, "--stack", "prod"]
        assert words[words.index("--policy-pack") + 1] == "policy"
        assert words[-1] == flag


@pytest.mark.parametrize("target", ["preview", "up"])
def test_without_the_pulumi_cli_one_line_says_how_to_get_it(target: str, tmp_path: Path) -> None:
    for tool in ("sh", "sed"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    done = make(target, path=str(tmp_path))
    assert done.returncode != 0
    assert done.stdout == ""
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert PULUMI
    assert said == [
        "pulumi must be on the PATH, and is not; to install it: "
        f"curl -fsSL https://get.pulumi.com | sh -s -- --version {PULUMI[1]}"
    ]


def test_the_policy_configuration_of_a_stack_is_passed_by_every_target_and_that_of_another_by_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "Pulumi.prod.policy.json").write_text("{}")
    for target in ("policy", "preview", "up"):
        for stack, passed in (("prod", True), ("dev", False)):
            said = subprocess.run(
                [
                    str(shutil.which("make")),
                    "--dry-run",
                    *BUILT,
                    f"--file={ROOT / 'Makefile'}",
                    target,
                    f"STACK={stack}",
                ],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            [command] = [line for line in said.splitlines() if f"--stack {stack}" in line]
            assert ("--policy-pack-config Pulumi.prod.policy.json" in command) is passed


def make(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    """Run make with a PATH of its own; the environment counts as built."""
    return subprocess.run(
        [str(shutil.which("make")), "--old-file=.venv/ready", *arguments],
        cwd=ROOT,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("status", [0, 1])
def test_the_review_reads_what_the_preview_has_written_and_whether_it_failed(status: int, tmp_path: Path) -> None:
    for name, script in {
        "pulumi": f'echo "$PULUMI_DEBUG_COMMANDS $*"; echo said >&2; exit {status}',
        ".venv/bin/python": 'echo "$@"',
    }.items():
        fake(tmp_path, name, script)
    given = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [
        str(shutil.which("make")),
        "-f",
        str(ROOT / "Makefile"),
        *BUILT,
        "review",
        "STACK=prod",
        "ARGS=--refresh",
    ]
    done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, check=False)
    assert done.stdout == "-m review --stack prod build/review/prod\n", done.stderr
    folder = tmp_path / "build/review/prod"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        {"preview.json", "log.txt", "policies.json", *(["failed"] if status else [])}
    )
    words = (folder / "preview.json").read_text().split()
    assert words[0] == "true"
    assert words[-1] == "--refresh"
    assert words[words.index("--policy-pack") + 1] == "policy"
    assert {"--json", "--show-sames", "--show-replacement-steps"} <= set(words)
    assert (folder / "log.txt").read_text() == "said\n"


@pytest.mark.parametrize("recorded", ["", "1"])
def test_without_the_cli_or_when_asked_to_the_review_compares_recorded_runs(recorded: str, tmp_path: Path) -> None:
    fake(tmp_path, ".venv/bin/python", 'echo "$@"')
    if recorded:
        fake(tmp_path, "pulumi", "exit 1")
    command = [str(shutil.which("make")), "-f", str(ROOT / "Makefile"), *BUILT, "review", f"RECORDED={recorded}"]
    given = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(
        [*command, "ARGS=--against HEAD"], cwd=tmp_path, env=given, capture_output=True, text=True, check=False
    )
    assert done.stdout == "-m review --stack dev --against HEAD\n", done.stderr

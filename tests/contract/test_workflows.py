"""The workflows hold no more rights than they need, run nothing that can be swapped, and never go without the pack."""

import importlib.metadata
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from recording.graph import ROOT
from tests.contract.test_layout import MAY_IMPORT

FOLDER = ROOT / ".github/workflows"
WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.y*ml"))}
JOBS = {f"{file} {name}": job for file, workflow in WORKFLOWS.items() for name, job in workflow["jobs"].items()}
STEPS = [(name, step) for name, job in JOBS.items() for step in job.get("steps", [])]
PULUMI = re.search(r"^pulumi==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
MAKEFILE = (ROOT / "Makefile").read_text()
BUILT = ("--old-file=.venv/ready", "--old-file=policy/venv/ready")
# Each action's first major version that declares node24, as its action.yml says; GitHub has removed node20.
NODE_24 = {
    "actions/checkout": 5,
    "actions/download-artifact": 7,
    "actions/setup-python": 6,
    "actions/upload-artifact": 6,
    "aws-actions/configure-aws-credentials": 6,
    "pulumi/actions": 7,
}
# What a reviewer reads first: which job may do what. Changing a job's rights is changing this table.
DEPLOYS = {"actions": "write", "contents": "read", "deployments": "read", "id-token": "write"}
RIGHTS = {
    "audit.yml audit": {"contents": "read"},
    "audit.yml tell": {"issues": "write"},
    "check.yml check": {"contents": "read"},
    "check.yml engine": {"contents": "read"},
    "check.yml workflows": {"contents": "read"},
    "pull-request.yml checks": {"contents": "read"},
    "pull-request.yml check": {},
    "pull-request.yml dev": {"contents": "read", "id-token": "write", "pull-requests": "write"},
    "pull-request.yml prod": {"contents": "read", "id-token": "write", "pull-requests": "write"},
    "pull-request.yml recorded": {"contents": "read"},
    "pull-request.yml review": {},
    "review-stack.yml preview": {"contents": "read", "id-token": "write"},
    "review-stack.yml verdict": {"contents": "read"},
    "review-stack.yml comment": {"pull-requests": "write"},
    "deploy.yml check": {"contents": "read"},
    "deploy.yml unconfigured": {},
    "deploy.yml dev": DEPLOYS,
    "deploy.yml staging": DEPLOYS,
    "deploy.yml prod": DEPLOYS,
    "deploy-stack.yml clear": {"actions": "write", "deployments": "read"},
    "deploy-stack.yml up": {"contents": "read", "id-token": "write"},
    "drift.yml drift": {"contents": "read", "id-token": "write"},
    "drift.yml tell": {"issues": "write"},
    "tell.yml issue": {"issues": "write"},
}


def triggers(workflow: dict[Any, Any]) -> set[str]:
    on = workflow[True]  # YAML 1.1 reads the key `on` as a boolean
    return {on} if isinstance(on, str) else set(on)


def test_every_job_has_exactly_its_rights_and_no_workflow_has_any() -> None:
    assert {file: workflow["permissions"] for file, workflow in WORKFLOWS.items()} == {file: {} for file in WORKFLOWS}
    assert {name: job["permissions"] for name, job in JOBS.items()} == RIGHTS


def test_workflows_start_for_pushes_to_main_pull_requests_and_the_clock_only() -> None:
    started = {trigger for workflow in WORKFLOWS.values() for trigger in triggers(workflow)}
    assert started == {"pull_request", "push", "schedule", "workflow_call", "workflow_dispatch"}
    assert WORKFLOWS["deploy.yml"][True] == {"push": {"branches": ["main"]}}


def test_one_action_has_one_commit_whose_version_runs_on_node_24() -> None:
    """Goes by the version in the comment, which nobody checks offline, and by what is known of NODE_24's actions."""
    lines = {line.strip() for path in FOLDER.iterdir() for line in path.read_text().splitlines() if "uses:" in line}
    foreign = {line for line in lines if "uses: ./.github/workflows/" not in line}
    pins = [re.fullmatch(r"- uses: ([\w-]+/[\w-]+)@[0-9a-f]{40} # v(\d+)\.\d+\.\d+", line) for line in foreign]
    assert all(pins), foreign
    versions = [(pin[1], int(pin[2])) for pin in pins if pin]
    assert sorted(action for action, _ in versions) == sorted(NODE_24)
    assert not [f"{action} v{major}" for action, major in versions if major < NODE_24[action]]


def test_there_is_no_stored_credential() -> None:
    assert not [path.name for path in FOLDER.iterdir() if "secrets." in path.read_text()]


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


def test_previews_and_updates_of_workflows_are_those_of_make() -> None:
    scripts = {name: step["run"] for name, step in STEPS if re.search(r"\bmake\b.* (preview|up) ", step.get("run", ""))}
    assert scripts.keys() == {"deploy-stack.yml up", "drift.yml drift"}
    assert "--refresh --expect-no-changes" in scripts["drift.yml drift"]
    assert not [name for name, step in STEPS if re.search(r"\bpulumi (preview|up)\b", step.get("run", ""))]


def test_the_pack_is_passed_whatever_else_is(tmp_path: Path) -> None:
    fake = tmp_path / "pulumi"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
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


def test_workflows_install_the_cli_of_the_pinned_sdk() -> None:
    versions = {step["with"]["pulumi-version"] for _, step in STEPS if step.get("uses", "").startswith("pulumi/")}
    assert PULUMI
    assert versions == {PULUMI[1]}


def test_one_update_runs_at_a_stack_at_a_time_and_none_is_broken_off() -> None:
    update = JOBS["deploy-stack.yml up"]
    assert update["concurrency"] == {
        "group": "stack-${{ inputs.stack }}",
        "cancel-in-progress": False,
        "queue": "max",  # or an older run that comes late would throw out a newer one
    }
    assert update["environment"] == "${{ inputs.stack }}"
    assert update["needs"] == "clear"
    assert all(
        "concurrency" in workflow for file, workflow in WORKFLOWS.items() if "pull_request" in triggers(workflow)
    )
    assert JOBS["drift.yml drift"]["concurrency"]["group"] == "drift-${{ matrix.stack }}"


def test_the_checks_include_the_tests_on_the_engine() -> None:
    assert [step["run"] for name, step in STEPS if name == "check.yml engine" and "run" in step] == ["make engine"]


def test_a_deployment_goes_from_dev_to_staging_to_prod_after_the_checks() -> None:
    jobs = WORKFLOWS["deploy.yml"]["jobs"]
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "check": None,
        "unconfigured": None,
        "dev": "check",
        "staging": "dev",
        "prod": "staging",
    }
    stacks = {name: job["with"]["stack"] for name, job in jobs.items() if "with" in job}
    assert stacks == {"dev": "dev", "staging": "staging", "prod": "prod"}
    assert jobs["dev"]["if"] == "vars.STACKS != ''"
    assert jobs["unconfigured"]["if"] == "vars.STACKS == ''"


def test_an_update_is_followed_by_orders_through_the_stack() -> None:
    names = [step.get("run", "") for name, step in STEPS if name == "deploy-stack.yml up"]
    assert "make up" in names[-2]
    assert "ops publish" in names[-1]
    assert "ops verify" in names[-1]


def test_a_fork_gets_every_check_and_a_recorded_review_but_no_role() -> None:
    own = "github.event.pull_request.head.repo.full_name == github.repository && vars.STACKS != ''"
    other = "github.event.pull_request.head.repo.full_name != github.repository || vars.STACKS == ''"
    assert {JOBS[f"pull-request.yml {stack}"]["if"] for stack in ("dev", "prod")} == {own}
    assert JOBS["pull-request.yml recorded"]["if"] == other
    assert "if" not in JOBS["pull-request.yml checks"]
    assert "if" not in JOBS["check.yml check"]


@pytest.mark.parametrize(
    ("results", "passes"),
    [
        ("success success success skipped", True),
        ("success skipped skipped success", True),
        ("success success failure skipped", False),
        ("success skipped skipped failure", False),
        ("success skipped skipped skipped", False),
        ("success success skipped skipped", False),
        ("failure skipped skipped skipped", False),
        ("cancelled success success skipped", False),
    ],
)
def test_the_review_to_require_fails_unless_one_way_of_reviewing_has_passed_whole(results: str, passes: bool) -> None:
    job = JOBS["pull-request.yml review"]
    assert (job["name"], job["if"], job["needs"]) == ("review", "always()", ["check", "dev", "prod", "recorded"])
    [step] = job["steps"]
    check, dev, prod, recorded = results.split()
    given = {"CHECK": check, "PREVIEWED": f"{dev} {prod}", "RECORDED": recorded, "PATH": "/usr/bin:/bin"}
    assert (subprocess.run(["bash", "-ec", step["run"]], env=given, check=False).returncode == 0) is passes


def test_the_check_to_require_has_its_plain_name_and_fails_unless_all_checks_succeeded() -> None:
    job = JOBS["pull-request.yml check"]
    assert (job["name"], job["needs"], job["if"]) == ("check", "checks", "always()")
    [step] = job["steps"]
    assert step["env"] == {"RESULT": "${{ needs.checks.result }}"}
    for result, passes in (
        ("success", True),
        ("failure", False),
        ("cancelled", False),
        ("skipped", False),
        ("", False),
    ):
        done = subprocess.run(
            ["bash", "-ec", step["run"]], env={"RESULT": result, "PATH": "/usr/bin:/bin"}, check=False
        )
        assert (done.returncode == 0) is passes


def test_the_job_that_may_write_to_a_pull_request_runs_nothing_of_it() -> None:
    steps = JOBS["review-stack.yml comment"]["steps"]
    assert [step.get("uses") for step in steps] == [None]
    assert "make" not in steps[0]["run"]


def test_a_pull_request_is_judged_by_the_code_of_its_base_and_without_a_role() -> None:
    job = JOBS["review-stack.yml verdict"]
    base, change = (step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@"))
    assert base["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "path" not in base
    assert (change["path"], change["sparse-checkout"]) == ("build/change", "allowed-changes.json")
    assert not [step for step in job["steps"] if "configure-aws-credentials" in step.get("uses", "")]


def test_a_preview_that_fails_is_judged_and_one_that_is_superseded_is_not() -> None:
    verdict, comment = (JOBS[f"review-stack.yml {name}"] for name in ("verdict", "comment"))
    assert (verdict["needs"], verdict["if"]) == ("preview", "${{ !cancelled() }}")
    assert comment["if"] == "${{ !cancelled() && needs.verdict.outputs.text != '' }}"
    [download] = [step for step in verdict["steps"] if "download-artifact" in step.get("uses", "")]
    assert download["continue-on-error"] is True


def review(tmp_path: Path, status: int) -> tuple[int, str, str]:
    """Run the verdict's script with a review of some exit status; return its own, its output and the job's summary."""
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "### Review of $5"\necho "$@" >asked\nexit {status}\n')
    python.chmod(0o755)
    [step] = [step for step in JOBS["review-stack.yml verdict"]["steps"] if step.get("id") == "review"]
    out, summary = tmp_path / "output", tmp_path / "summary"
    given = {"STACK": "prod", "GITHUB_OUTPUT": str(out), "GITHUB_STEP_SUMMARY": str(summary), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=tmp_path, env=given, check=False)
    assert (tmp_path / "asked").read_text().split() == [
        *("-m", "review", "build/review/prod", "--stack", "prod"),
        *("--allowed", "build/change/allowed-changes.json"),
    ]
    return done.returncode, out.read_text(), summary.read_text()


@pytest.mark.parametrize("status", [0, 1])
def test_the_verdict_is_the_reviews_and_its_report_is_handed_on(status: int, tmp_path: Path) -> None:
    returned, out, summary = review(tmp_path, status)
    assert returned == status
    assert re.fullmatch(r"text<<(end-[0-9a-f]{32})\n### Review of prod\n\1\n", out)
    assert summary == "### Review of prod\n"


@pytest.mark.parametrize(
    ("existing", "write"),
    [("", "pr comment 7 --body-file comment.md"), ("42\n", "--method PATCH repos/acme/orders/issues/comments/42")],
)
def test_a_report_updates_its_own_comment_or_writes_the_first(existing: str, write: str, tmp_path: Path) -> None:
    fake = tmp_path / "gh"
    fake.write_text('#!/bin/sh\ncase "$*" in *--paginate*) printf %s "$EXISTING" ;; *) echo "$*" >>writes ;; esac\n')
    fake.chmod(0o755)
    [step] = JOBS["review-stack.yml comment"]["steps"]
    text = "### Review of prod: ✅ no changes\n$(touch broken) `touch broken`"
    given = {"GH_REPO": "acme/orders", "NUMBER": "7", "STACK": "prod", "TEXT": text, "EXISTING": existing}
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", **given}
    subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=tmp_path, env=environment, check=True)
    [written] = (tmp_path / "writes").read_text().splitlines()
    assert write in written
    assert (tmp_path / "comment.md").read_text() == f"<!-- review of prod -->\n{text}\n"
    assert not (tmp_path / "broken").exists()


def test_a_deployment_is_reviewed_from_its_own_commit_before_the_update() -> None:
    scripts = [step.get("run", "") for name, step in STEPS if name == "deploy-stack.yml up"]
    [reviewed] = [at for at, script in enumerate(scripts) if "make --no-print-directory review " in script]
    [updated] = [at for at, script in enumerate(scripts) if "make up" in script]
    assert reviewed == updated - 1
    assert "pipefail" in scripts[reviewed]


@pytest.mark.parametrize("status", [0, 1])
def test_the_review_reads_what_the_preview_has_written_and_whether_it_failed(status: int, tmp_path: Path) -> None:
    for name, script in {
        "pulumi": f'echo "$PULUMI_DEBUG_COMMANDS $*"; echo said >&2; exit {status}',
        ".venv/bin/python": 'echo "$@"',
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
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
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    if recorded:
        (tmp_path / "pulumi").write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "pulumi").chmod(0o755)
    command = [str(shutil.which("make")), "-f", str(ROOT / "Makefile"), *BUILT, "review", f"RECORDED={recorded}"]
    given = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(
        [*command, "ARGS=--against HEAD"], cwd=tmp_path, env=given, capture_output=True, text=True, check=False
    )
    assert done.stdout == "-m review --stack dev --against HEAD\n", done.stderr


def test_nothing_is_installed_while_a_job_has_credentials() -> None:
    for name, job in JOBS.items():
        steps = job.get("steps", [])
        for at in [at for at, step in enumerate(steps) if "configure-aws-credentials" in step.get("uses", "")]:
            assert steps[at - 1].get("run", "").startswith("make setup"), name


def test_a_job_with_a_deploy_role_installs_the_programs_and_the_commands_requirements_alone() -> None:
    runs = {step["run"] for name, step in STEPS if name in ("deploy-stack.yml up", "drift.yml drift") and "run" in step}
    assert [run for run in runs if "make setup" in run] == ["make setup REQUIREMENTS=requirements/deploy.txt"]
    locked = set(re.findall(r"^([\w-]+)==", (ROOT / "requirements/deploy.txt").read_text(), re.MULTILINE))
    imported = {
        module
        for part in ("__main__.py", "config.py", "components", "ops", "review", "recording")
        for module in MAY_IMPORT[part]
    }
    homes = importlib.metadata.packages_distributions()
    assert {homes[module][0].lower().replace("_", "-") for module in imported & homes.keys()} <= locked
    assert "pytest" not in locked


def test_an_advisory_blocks_no_deployment() -> None:
    commands = [step["run"] for name, step in STEPS if name == "check.yml check" and "run" in step]
    assert not [line for line in commands if "audit" in line]
    assert "requirements/audit" not in re.search(r"^lint:.*?\n\n", MAKEFILE, re.MULTILINE | re.DOTALL)[0]  # type: ignore[index]
    assert triggers(WORKFLOWS["audit.yml"]) == {"pull_request", "schedule", "workflow_dispatch"}
    assert any(step.get("run") == "make audit" for name, step in STEPS if name == "audit.yml audit")


def test_every_stack_that_is_deployed_is_looked_at_for_drift_and_held_against_the_policies() -> None:
    deployed = {job["with"]["stack"] for job in WORKFLOWS["deploy.yml"]["jobs"].values() if "with" in job}
    assert set(JOBS["drift.yml drift"]["strategy"]["matrix"]["stack"]) == deployed
    bootstrap = yaml.safe_load((ROOT / "bootstrap/Pulumi.main.yaml").read_text())["config"]["bootstrap:stacks"]
    assert set(bootstrap) == deployed
    files = {path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")}
    [loop] = [step["run"] for _, step in STEPS if "make policy" in step.get("run", "")]
    listed = re.search(r"for stack in (.*); do", loop)
    assert listed
    assert set(listed[1].split()) == files


@pytest.mark.parametrize("name", JOBS)
def test_every_job_ends_some_time(name: str) -> None:
    assert "timeout-minutes" in JOBS[name] or "uses" in JOBS[name]

"""The workflows hold no more rights than they need, run nothing that can be swapped, and never go without the pack."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from tools.root import ROOT

FOLDER = ROOT / ".github/workflows"
WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.y*ml"))}
JOBS = {f"{file} {name}": job for file, workflow in WORKFLOWS.items() for name, job in workflow["jobs"].items()}
STEPS = [(name, step) for name, job in JOBS.items() for step in job.get("steps", [])]
PULUMI = re.search(r"^pulumi==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
MAKEFILE = (ROOT / "Makefile").read_text()
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


def test_previews_and_updates_of_workflows_are_those_of_make() -> None:
    scripts = {name: step["run"] for name, step in STEPS if re.search(r"\bmake\b.* (preview|up) ", step.get("run", ""))}
    assert scripts.keys() == {"deploy-stack.yml up", "drift.yml drift"}
    assert "--refresh --expect-no-changes" in scripts["drift.yml drift"]
    assert not [name for name, step in STEPS if re.search(r"\bpulumi (preview|up)\b", step.get("run", ""))]


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


def test_nothing_is_installed_while_a_job_has_credentials() -> None:
    for name, job in JOBS.items():
        steps = job.get("steps", [])
        for at in [at for at, step in enumerate(steps) if "configure-aws-credentials" in step.get("uses", "")]:
            assert steps[at - 1].get("run", "").startswith("make setup"), name


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

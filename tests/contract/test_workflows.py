"""The workflows hold no more rights than they need, and deploy in order: checked, reviewed, tried with orders."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from tools.review.allowances import FILE
from tools.review.revision import JUDGES
from tools.root import ROOT

FOLDER = ROOT / ".github/workflows"
WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.y*ml"))}
JOBS = {f"{file} {name}": job for file, workflow in WORKFLOWS.items() for name, job in workflow["jobs"].items()}
STEPS = [(name, step) for name, job in JOBS.items() for step in job.get("steps", [])]
PULUMI = re.search(r"^pulumi==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
MAKEFILE = (ROOT / "Makefile").read_text()


def triggers(workflow: dict[Any, Any]) -> set[str]:
    on = workflow[True]  # YAML 1.1 reads the key `on` as a boolean
    return {on} if isinstance(on, str) else set(on)


def test_a_job_that_may_write_runs_nothing_of_the_repository() -> None:
    writing = {
        name
        for name, job in JOBS.items()
        if "steps" in job and "write" in {right for what, right in job["permissions"].items() if what != "id-token"}
    }
    assert writing == {"deploy-stack.yml clear", "review-stack.yml comment", "tell.yml issue"}
    assert not [name for name, step in STEPS if name in writing and ("uses" in step or "make " in step["run"])]


def test_there_is_no_stored_credential() -> None:
    assert not [path.name for path in FOLDER.iterdir() if "secrets." in path.read_text()]


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


def test_a_deployment_goes_from_dev_to_staging_to_prod_after_the_checks() -> None:
    jobs = WORKFLOWS["deploy.yml"]["jobs"]
    assert WORKFLOWS["deploy.yml"][True] == {"push": {"branches": ["main"]}}
    stacks = [name for name, job in jobs.items() if "with" in job]
    assert (stacks[0], stacks[-2:]) == ("dev", ["staging", "prod"])
    assert [jobs[stack]["needs"] for stack in stacks] == ["check", *stacks[:-1]]
    assert [jobs[stack]["with"]["stack"] for stack in stacks] == stacks
    assert [jobs[stack]["with"]["reviewers"] for stack in stacks[-2:]] == [True, True]
    assert jobs["dev"]["if"] == "vars.STACKS != ''"
    assert jobs["unconfigured"]["if"] == "vars.STACKS == ''"


def test_a_deployment_is_reviewed_updated_and_tried_in_this_order() -> None:
    scripts = [step.get("run", "") for name, step in STEPS if name == "deploy-stack.yml up"][-3:]
    for script, said in zip(
        scripts, ("make --no-print-directory review ", "make up ", "./orders verify "), strict=True
    ):
        assert said in script
    assert "pipefail" in scripts[0]  # or the summary would swallow the verdict
    # Its own orders alone: a dead letter of before would keep the fix of its cause from being deployed.
    assert " smoke.jsonl --orders-only " in scripts[2]


def test_the_check_to_require_fails_unless_all_checks_succeeded() -> None:
    job = JOBS["pull-request.yml check"]
    assert (job["name"], job["needs"], job["if"]) == ("check", "checks", "always()")
    [step] = job["steps"]
    assert step["env"] == {"RESULT": "${{ needs.checks.result }}"}
    for result in ("success", "failure", "cancelled", "skipped", ""):
        given = {"RESULT": result, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(["bash", "-ec", step["run"]], env=given, check=False)
        assert (done.returncode == 0) is (result == "success")


def test_what_is_required_reports_to_pull_requests_and_merge_queues() -> None:
    rules = yaml.safe_load((ROOT / ".github/ruleset.json").read_text())["rules"]
    [checks] = [rule["parameters"] for rule in rules if rule["type"] == "required_status_checks"]
    required = {check["context"] for check in checks["required_status_checks"]}
    workflow = WORKFLOWS["pull-request.yml"]
    assert triggers(workflow) == {"pull_request", "merge_group"}
    assert required == {job["name"] for job in workflow["jobs"].values() if job.get("if") == "always()"}


def test_nothing_is_installed_while_a_job_has_credentials() -> None:
    for name, job in JOBS.items():
        steps = job.get("steps", [])
        for at in [at for at, step in enumerate(steps) if "configure-aws-credentials" in step.get("uses", "")]:
            assert steps[at - 1].get("run", "").startswith("make setup"), name


def test_an_advisory_blocks_no_deployment() -> None:
    commands = [step["run"] for name, step in STEPS if name.startswith("check.yml") and "run" in step]
    assert not [line for line in commands if "audit" in line]
    assert "requirements/audit" not in MAKEFILE.split("\nlint:")[1].split("\n\n")[0]
    assert "audit.yml" not in "".join(path.read_text() for path in FOLDER.iterdir())


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


def test_every_job_ends_some_time() -> None:
    assert not [name for name, job in JOBS.items() if "timeout-minutes" not in job and "uses" not in job]


@pytest.mark.parametrize("judge", [*JUDGES, "bootstrap", "pyproject.toml", FILE])
def test_what_judges_a_change_has_owners(judge: str) -> None:
    lines = [line.split() for line in (ROOT / ".github/CODEOWNERS").read_text().splitlines()]
    owned = {words[0] for words in lines if len(words) > 1 and words[0] != "#"}
    found = [path for path in ROOT.glob(judge) if path.name != "venv"]
    wanted = {f"/{path.relative_to(ROOT)}{'/' if path.is_dir() else ''}" for path in found} or {f"/{judge}"}
    assert wanted <= owned

"""Reviews in the workflows: code of the base judges, a job without code comments, and a fork gets no role."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.commands import fake
from tests.contract.test_workflows import JOBS, STEPS


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
    fake(tmp_path, ".venv/bin/python", f'echo "### Review of $5"\necho "$@" >asked\nexit {status}')
    [step] = [step for step in JOBS["review-stack.yml verdict"]["steps"] if step.get("id") == "review"]
    out, summary = tmp_path / "output", tmp_path / "summary"
    given = {"STACK": "prod", "GITHUB_OUTPUT": str(out), "GITHUB_STEP_SUMMARY": str(summary), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=tmp_path, env=given, check=False)
    assert (tmp_path / "asked").read_text().split() == [
        *("-m", "tools", "review", "build/review/prod", "--stack", "prod"),
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
    fake(tmp_path, "gh", 'case "$*" in *--paginate*) printf %s "$EXISTING" ;; *) echo "$*" >>writes ;; esac')
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

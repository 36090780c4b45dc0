"""Reviews in the workflows: code of the base judges, a job without code comments, and a fork gets no role."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import fake
from tests.contract.test_workflows import JOBS
from tools.root import ROOT

OWN = {"EVENT": "pull_request", "FROM": "acme/orders", "AUTHOR": "someone", "STACKS": "{}"}


@pytest.mark.parametrize(
    ("given", "way"),
    [
        ({}, "previewed"),
        ({"FROM": "other/orders"}, "recorded"),
        ({"AUTHOR": "dependabot[bot]"}, "recorded"),
        ({"STACKS": ""}, "recorded"),
        ({"EVENT": "merge_group", "FROM": "", "AUTHOR": ""}, "recorded"),
    ],
    ids=["own", "fork", "dependabot", "no stacks", "merge queue"],
)
def test_only_who_gets_a_token_is_previewed(given: dict[str, str], way: str, tmp_path: Path) -> None:
    [step] = JOBS["pull-request.yml route"]["steps"]
    out = tmp_path / "output"
    environment = {**OWN, **given, "GITHUB_REPOSITORY": "acme/orders", "GITHUB_OUTPUT": str(out)}
    subprocess.run(["bash", "-ec", step["run"]], env=environment, check=True)
    assert out.read_text() == f"way={way}\n"
    assert {JOBS[f"pull-request.yml {job}"]["if"] for job in ("dev", "prod")} == {
        "needs.route.outputs.way == 'previewed'"
    }
    assert JOBS["pull-request.yml recorded"]["if"] == "needs.route.outputs.way == 'recorded'"


@pytest.mark.parametrize(
    ("way", "results", "passes"),
    [
        ("previewed", "success success skipped", True),
        ("recorded", "skipped skipped success", True),
        ("previewed", "success failure skipped", False),
        ("previewed", "skipped skipped success", False),
        ("recorded", "skipped skipped skipped", False),
        ("", "skipped skipped skipped", False),
    ],
)
def test_the_review_to_require_fails_unless_the_chosen_way_has_passed_whole(
    way: str, results: str, passes: bool
) -> None:
    job = JOBS["pull-request.yml review"]
    assert (job["name"], job["if"], job["needs"]) == ("review", "always()", ["route", "dev", "prod", "recorded"])
    [step] = job["steps"]
    given = {"WAY": way, "RESULTS": results, "PATH": "/usr/bin:/bin"}
    assert (subprocess.run(["bash", "-ec", step["run"]], env=given, check=False).returncode == 0) is passes


def test_the_review_does_not_wait_for_the_checks() -> None:
    waits = {name: JOBS[f"pull-request.yml {name}"]["needs"] for name in ("dev", "prod", "recorded")}
    assert waits == dict.fromkeys(waits, "route")


@pytest.mark.parametrize(
    "name", ["review-stack.yml rehearsal", "review-stack.yml verdict", "pull-request.yml recorded"]
)
def test_a_pull_request_is_tried_and_judged_by_the_code_of_its_base_without_a_role(name: str) -> None:
    job = JOBS[name]
    base, change = (step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@"))
    queued = " || github.event.merge_group.base_sha" if name.startswith("pull-request") else ""
    assert base["ref"] == f"${{{{ github.event.pull_request.base.sha{queued} }}}}"
    assert "path" not in base
    assert change["path"] == "build/change"
    assert job["permissions"] == {"contents": "read"}
    assert not [step for step in job["steps"] if "configure-aws-credentials" in step.get("uses", "")]
    assert not [step for step in job["steps"] if "build/change/" in step.get("run", "")]


def test_a_preview_that_fails_is_judged_and_one_that_is_superseded_is_not() -> None:
    verdict, comment = (JOBS[f"review-stack.yml {name}"] for name in ("verdict", "comment"))
    assert (verdict["needs"], verdict["if"]) == (["preview", "rehearsal"], "${{ !cancelled() }}")
    assert comment["if"] == "${{ !cancelled() && needs.verdict.outputs.text != '' }}"


@pytest.mark.parametrize("name", ["preview", "rehearsal"])
def test_what_is_judged_is_of_this_attempt(name: str) -> None:
    job, verdict = JOBS[f"review-stack.yml {name}"], JOBS["review-stack.yml verdict"]
    [upload] = [step for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    assert upload["with"]["overwrite"] is True  # a second attempt finds the name taken
    assert job["outputs"] == {"artifact": f"${{{{ steps.{upload['id']}.outputs.artifact-id }}}}"}
    downloads = [step for step in verdict["steps"] if "download-artifact" in step.get("uses", "")]
    [download] = [step for step in downloads if f"needs.{name}." in step["if"]]
    assert download["if"] == f"needs.{name}.outputs.artifact != ''"
    assert download["with"]["artifact-ids"] == f"${{{{ needs.{name}.outputs.artifact }}}}"
    assert "name" not in download["with"]


def review(tmp_path: Path, status: int) -> tuple[int, str, str]:
    """Run the verdict's script with a review of some exit status; return its own, its output and the job's summary."""
    fake(tmp_path, "orders", f'echo "### Review of $4"\necho "$@" >asked\nexit {status}')
    [step] = [step for step in JOBS["review-stack.yml verdict"]["steps"] if step.get("id") == "review"]
    out, summary = tmp_path / "output", tmp_path / "summary"
    given = {"STACK": "prod", "GITHUB_OUTPUT": str(out), "GITHUB_STEP_SUMMARY": str(summary), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=tmp_path, env=given, check=False)
    assert (tmp_path / "asked").read_text() == "review build/review/prod --stack prod --change build/change\n"
    return done.returncode, out.read_text(), summary.read_text()


@pytest.mark.parametrize("status", [0, 1])
def test_the_verdict_is_the_reviews_and_its_report_is_handed_on(status: int, tmp_path: Path) -> None:
    returned, out, summary = review(tmp_path, status)
    assert returned == status
    assert re.fullmatch(r"text<<(end-[0-9a-f]{32})\n### Review of prod\n\1\n", out)
    assert summary == "### Review of prod\n"


@pytest.mark.parametrize("rehearsed", [True, False])
def test_a_rehearsal_is_what_its_own_job_says_and_not_what_the_previews_job_does(
    rehearsed: bool, tmp_path: Path
) -> None:
    forged, own = tmp_path / "build/review/prod/rehearsal.json", tmp_path / "build/rehearsal/rehearsal.json"
    for path, text in ((forged, "forged"), *([(own, "own")] if rehearsed else [])):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    review(tmp_path, 0)
    assert (forged.read_text() if forged.exists() else None) == ("own" if rehearsed else None)


@pytest.mark.parametrize("status", [0, 1, 3])
def test_a_rehearsal_is_handed_on_whatever_came_of_it(status: int, tmp_path: Path) -> None:
    fake(tmp_path, "orders", f'echo "$@"\nexit {status}')
    for name in ("requirements/dev.txt", "requirements/uv.txt", ".venv/ready"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    shutil.copy(ROOT / "Makefile", tmp_path)
    [step] = [step for step in JOBS["review-stack.yml rehearsal"]["steps"] if step.get("name") == "Rehearse"]
    given = {"STACK": "prod", "PATH": "/usr/bin:/bin"}
    subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=tmp_path, env=given, check=True)
    said = (tmp_path / "build/review/prod/rehearsal.json").read_text()
    assert said == "rehearse --stack prod --json --change build/change\n"


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

"""What the workflows' scripts do, run as they stand with stand-ins for GitHub's and Pulumi's commands."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import fake
from tests.contract.test_workflows import JOBS

pytestmark = pytest.mark.skipif(not shutil.which("jq"), reason="the scripts read JSON with jq, which is not here")


def script(job: str, step: str) -> str:
    [found] = [each["run"] for each in JOBS[job]["steps"] if each.get("name", "").startswith(step)]
    return str(found)


def run(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as GitHub does, with the commands of the folder before the machine's."""
    return subprocess.run(
        ["bash", "-e", "-c", text],
        cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin", "GITHUB_OUTPUT": "outputs", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def written(folder: Path) -> list[str]:
    return (folder / "done").read_text().splitlines() if (folder / "done").exists() else []


@pytest.mark.parametrize("job", ["deploy-stack.yml up", "drift.yml drift", "review-stack.yml preview"])
def test_a_stack_is_looked_up_in_the_variable_and_a_missing_one_is_named(job: str, tmp_path: Path) -> None:
    stacks = json.dumps({"dev": {"region": "eu-west-1", "backendUrl": "s3://state?region=eu-west-1"}})
    text = script(job, "Look up the stack")
    assert run(text, tmp_path, STACKS=stacks, STACK="dev").returncode == 0
    outputs = (tmp_path / "outputs").read_text()
    assert outputs == "region=eu-west-1\nbackendUrl=s3://state?region=eu-west-1\n"
    missing = run(text, tmp_path, STACKS=stacks, STACK="prod")
    assert missing.returncode != 0
    assert "the variable STACKS must have prod: docs/deploying.md, section 3" in missing.stderr


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("repository")


@pytest.fixture(scope="module")
def commits(repository: Path) -> list[str]:
    """Of a repository three commits, beside them main's new history after the first, what followed, and none of it."""

    def git(*arguments: str) -> str:
        given = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
        return subprocess.run(given, cwd=repository, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "--quiet")
    made = []
    for number in range(3):
        git("commit", "--quiet", "--allow-empty", "--message", str(number))
        made.append(git("rev-parse", "HEAD"))
    git("checkout", "--quiet", "-b", "side", made[0])
    git("commit", "--quiet", "--allow-empty", "--message", "side")
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    git("commit", "--quiet", "--allow-empty", "--message", "taken back")
    return [*made, git("rev-parse", "HEAD^"), git("rev-parse", "HEAD"), "0" * 39 + "1"]


@pytest.mark.parametrize(
    ("has", "comes", "lands"),
    [
        pytest.param(None, 0, True, id="nothing yet"),
        pytest.param(0, 1, True, id="newer"),
        pytest.param(1, 1, True, id="again"),
        pytest.param(2, 0, False, id="older"),
        pytest.param(2, 3, True, id="what main has after a force-push"),
        pytest.param(3, 2, False, id="what main had before"),
        pytest.param(4, 3, False, id="what main was forced back to"),
        pytest.param(5, 3, True, id="what main has, over one that it never had"),
        pytest.param(5, 2, False, id="what main had, over one that it never had"),
    ],
)
def test_a_commit_that_does_not_follow_the_stacks_is_refused_unless_main_was_forced(
    has: int | None, comes: int, lands: bool, commits: list[str], repository: Path
) -> None:
    refreshed = {"kind": "refresh", "environment": {"git.head": commits[2]}}
    history = [] if has is None else [refreshed, {"kind": "update", "environment": {"git.head": commits[has]}}]
    fake(repository, "pulumi", f"printf '%s' '{json.dumps(history)}'")
    done = run(script("deploy-stack.yml up", "Refuse a commit"), repository, STACK="prod", GITHUB_SHA=commits[comes])
    assert (done.returncode == 0) is lands, done.stderr
    if has is not None and not lands:
        assert f"::error::prod has the commit {commits[has]}" in done.stdout


def test_a_commit_is_refused_where_the_stacks_history_cannot_be_read(commits: list[str], repository: Path) -> None:
    fake(repository, "pulumi", "exit 1")
    done = run(script("deploy-stack.yml up", "Refuse a commit"), repository, STACK="prod", GITHUB_SHA=commits[0])
    assert done.returncode != 0


CUSTOM = {"protected_branches": False, "custom_branch_policies": True}
PROTECTED = {"protected_branches": True, "custom_branch_policies": False}
"""Which lets every branch in while none is protected."""
ALONE = "be deployed from the branch main alone"


@pytest.mark.parametrize(
    ("policy", "branches", "people", "demanded", "problem"),
    [
        pytest.param(CUSTOM, ["main"], ["Team"], "true", None, id="safe"),
        pytest.param(CUSTOM, ["main"], None, "false", None, id="dev"),
        pytest.param(CUSTOM, ["main"], None, "true", "require reviewers", id="nobody"),
        pytest.param(CUSTOM, ["main"], [], "true", "require reviewers", id="no one named"),
        pytest.param(None, [], ["Team"], "true", ALONE, id="any branch"),
        pytest.param(CUSTOM, ["main", "release/*"], ["Team"], "true", ALONE, id="other branches"),
        pytest.param(PROTECTED, ["main"], None, "false", ALONE, id="protected branches"),
        pytest.param("missing", ["main"], None, "false", "exist, and its rules be readable", id="no environment"),
    ],
)
def test_an_environment_that_does_not_protect_its_stack_is_refused(
    policy: object, branches: list[str], people: list[str] | None, demanded: str, problem: str | None, tmp_path: Path
) -> None:
    reviewers = {"type": "required_reviewers", "reviewers": [{"type": each} for each in people or ()]}
    rules = {} if people is None else {"protection_rules": [{"type": "branch_policy"}, reviewers]}
    environment = None if policy == "missing" else {"deployment_branch_policy": policy, **rules}
    named = [{"name": name, "type": "branch"} for name in branches]
    (tmp_path / "branches").write_text(json.dumps({"branch_policies": named}))
    (tmp_path / "environment").write_text(json.dumps(environment))
    fake(
        tmp_path,
        "gh",
        """for last; do :; done
        case "$*" in
          *deployment-branch-policies*) jq --raw-output "$last" branches ;;
          "api repos/acme/orders/environments/prod") [ "$(cat environment)" != null ] && cat environment ;;
          *) exit 9 ;;
        esac""",
    )
    given = {"GH_REPO": "acme/orders", "STACK": "prod", "REVIEWERS": demanded}
    done = run(script("deploy-stack.yml clear", "Refuse an environment"), tmp_path, **given)
    assert (done.returncode == 0) is (problem is None), done.stdout + done.stderr
    if problem:
        assert f"::error::the environment prod must {problem}" in done.stdout
        assert "docs/deploying.md, section 3" in done.stdout


def test_older_runs_that_wait_for_this_stack_are_cancelled_and_no_others(tmp_path: Path) -> None:
    runs = [{"databaseId": 10 + number, "number": number} for number in (5, 6, 7, 8)]
    waits_for = '[{"environment": {"name": "\'$([ $run = 15 ] && echo staging || echo prod)\'"}}]'
    fake(
        tmp_path,
        "gh",
        f"""for last; do :; done
        case "$1 $2" in
          "run list") printf '%s' '{json.dumps(runs)}' | jq --raw-output "$last" ;;
          "run cancel") echo "$3" >>done ;;
          api*) run=$(basename "$(dirname "$2")"); printf '%s' '{waits_for}' | jq --raw-output "$last" ;;
        esac""",
    )
    done = run(
        script("deploy-stack.yml clear", "Cancel"), tmp_path, STACK="prod", GITHUB_RUN_NUMBER="7", GH_REPO="acme/orders"
    )
    assert done.returncode == 0, done.stderr
    assert written(tmp_path) == ["16"]


@pytest.mark.parametrize(
    ("result", "title", "does"),
    [
        ("failure", "Drift", "issue comment 4"),
        ("failure", "Another", "issue create"),
        ("success", "Drift", "issue close 4"),
        ("success", "", None),
    ],
)
def test_a_failure_opens_an_issue_or_adds_to_it_and_a_success_closes_it(
    result: str, title: str, does: str | None, tmp_path: Path
) -> None:
    issues = [{"number": 4, "title": title}] if title else []
    fake(
        tmp_path,
        "gh",
        f"""for last; do :; done
        case "$1 $2" in
          "issue list") printf '%s' '{json.dumps(issues)}' | jq --raw-output "$last" ;;
          *) echo "$*" >>done ;;
        esac""",
    )
    given = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/orders", "GITHUB_RUN_ID": "9"}
    done = run(script("tell.yml issue", "Open"), tmp_path, TITLE="Drift", RESULT=result, **given)
    assert done.returncode == 0, done.stderr
    assert len(written(tmp_path)) == (does is not None)
    if does:
        assert written(tmp_path)[0].startswith(does)
        assert "https://github.com/acme/orders/actions/runs/9" in written(tmp_path)[0]

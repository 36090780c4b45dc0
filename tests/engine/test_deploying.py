"""docs/deploying.md does what it says, line by line, with the Pulumi CLI, a bucket for state and a key for secrets."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import tools.cloud.resources
import tools.recording.types
from tests.contract.deploying import PAGE, sessions
from tests.contract.test_workflows import JOBS
from tests.engine import foundation
from tests.tree import copied
from tests.unit.bootstrap import statements
from tests.unit.iam import allows
from tools.cloud.engine import practising
from tools.root import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("jq"), reason="the page needs jq on the PATH")
GIVEN = {
    "OWNER/NAME": "acme/orders",
    "file://~": '"file://$HOME"',  # the CLI asks the system, not the environment, where the home is
    "GOOD_COMMIT": "HEAD",
    "VERSION_ID": '$(aws s3api list-object-versions --bucket "$BUCKET" --prefix "$OBJECT" --output text '
    "--query \"Versions[?ends_with(Key, 'json')].[VersionId] | [1:2]\")",
    "rm all.json": 'cp all.json "$HOME" && rm all.json',
}
"""What a user puts in for the words in capitals, and what the tests keep."""
AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.com")
STOP = "set -Eeuo pipefail; trap 'echo \"failed: docs/deploying.md:$LINENO\" >&2' ERR"
"""Put on a session's first line, which is never one of the page's commands."""


def terminals(page: str) -> list[str]:
    """The page's sections as scripts that stop at the first command that fails, and say which line that was."""
    for word, given in GIVEN.items():
        page = page.replace(word, given)
    scripts = [STOP + session for session in sessions(page)]
    at = next(number for number, each in enumerate(scripts) if "pulumi cancel" in each)
    return [*scripts[: at + 1], f"{STOP}\n{older_commits_are_refused()}", *scripts[at + 1 :]]


def older_commits_are_refused() -> str:
    """Run the step of deploy-stack.yml on what the CLI has recorded of prod: it lets this commit pass, and no older."""
    [guard] = [
        step["run"] for step in JOBS["deploy-stack.yml up"]["steps"] if step.get("name", "").startswith("Refuse a com")
    ]
    runs = [f"(set -e; STACK=prod; GITHUB_SHA=$(git rev-parse {commit}); {guard})" for commit in ("HEAD", "HEAD~1")]
    return f"{runs[0]}\n! {runs[1]}"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of what is here, committed or not, with the environments that `make setup` builds."""
    folder = copied(tmp_path / "checkout")
    for lock in (*folder.glob("requirements/*.txt"), folder / "policy/requirements.txt"):
        os.utime(lock, (0, 0))  # older than the environments
    (folder / "policy/venv").symlink_to(ROOT / "policy/venv")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    (folder / ".git/info/exclude").write_text(".venv\npolicy/venv\n")  # links, which .gitignore takes for folders only
    for words in (
        ["add", "--all"],
        [*AUTHOR, "commit", "--quiet", "-m", "all"],
        [*AUTHOR, "commit", "--quiet", "--allow-empty", "-m", "more"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    return folder


def run(page: str, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> subprocess.CompletedProcess[str]:
    home = checkout.parent / "home"
    home.mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file://nowhere")  # the page logs in by itself
    for token, keeper in foundation.KEEPERS.items():
        monkeypatch.setitem(tools.cloud.resources.KEEPERS, token, keeper)
    for token, type_ in foundation.TYPES.items():
        monkeypatch.setitem(tools.recording.types.TYPES, token, type_)
    with practising(region="eu-west-1", root=checkout) as (_, environment):
        own = {
            **environment,
            "HOME": str(home),
            "PULUMI_HOME": str(home / ".pulumi"),
            "PULUMI_SKIP_CONFIRMATIONS": "true",
            "AWS_DEFAULT_REGION": environment["AWS_REGION"],
            "PATH": f"{ROOT / 'tests/engine'}:{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        }
        del own["PULUMI_BACKEND_URL"]
        for script in terminals(page):
            done = subprocess.run(
                ["bash", "-c", script], cwd=checkout, env=own, capture_output=True, text=True, check=False
            )
            if done.returncode:
                break
        return done


def test_every_command_of_the_page_works_in_its_order(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(PAGE.read_text(), checkout, monkeypatch)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    listed = json.loads((checkout.parent / "home/all.json").read_text())["Objects"]
    written = {each["Key"] for each in listed}  # whatever was ever in the state's bucket
    for stack in ("dev", "staging", "prod"):
        own = {path for path in written if f"/orders/{stack}" in path}
        kinds = {path.split("/")[1] for path in own}
        assert kinds == ({"locks", "stacks"} if stack == "staging" else {"backups", "history", "locks", "stacks"})
        for path in own:  # what the CLI wrote is what the stack's role may write
            assert allows(statements(f"{stack}-deploy"), "s3:PutObject", f"arn:aws:s3:::orders-state/{path}", {}), path

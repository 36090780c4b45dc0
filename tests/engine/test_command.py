"""`./orders engine`: the CLI on a local cloud for one command, and nothing left of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.engine.engine import Engine, project
from tools.root import ROOT


def run(folder: Path, temporary: Path, *command: str) -> subprocess.CompletedProcess[str]:
    temporary.mkdir()
    nowhere = "http://192.0.2.1:3128"  # a proxy that no machine is (RFC 5737)
    own = {"AWS_PROFILE": "mine", "AWS_ACCESS_KEY_ID": "mine", "TMPDIR": str(temporary), "HTTPS_PROXY": nowhere}
    return subprocess.run(
        [sys.executable, "-m", "tools", "engine", "--", *command],
        cwd=folder,
        env={**os.environ, **own},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("command"))


def test_the_commands_status_is_passed_on_and_nothing_is_left(copy: Path, tmp_path: Path) -> None:
    files = {path: path.read_text() for path in copy.glob("Pulumi.*.yaml")}
    done = run(copy, tmp_path / "t", "sh", "-c", "pulumi stack ls; env | grep ^AWS_; exit 7")
    assert done.returncode == 7
    for name in ("dev", "staging", "prod", "local", "AWS_ENDPOINT_URL=https://127.0.0.1:"):
        assert name in done.stdout
    assert "mine" not in done.stdout
    assert {path: path.read_text() for path in files} == files
    assert list((tmp_path / "t").iterdir()) == []
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]


def test_neither_the_engine_nor_the_operators_commands_go_through_the_users_proxy(copy: Path, tmp_path: Path) -> None:
    words = "pulumi preview --stack dev --non-interactive && ./orders policy --stack dev --mode preview >&2"
    sts = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    done = run(copy, tmp_path / "t", "sh", "-c", f'{words} && .venv/bin/python -c "{sts}"')
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("000000000000\n")


SETTING = "pulumi config set --stack local orders:batchSize 7 && pulumi stack rm --yes --stack prod"


@pytest.mark.parametrize("ending", ["", "; kill -HUP $PPID; sleep 1", "; kill -KILL $PPID"])
def test_the_users_stack_files_stay_as_they_are_whatever_ends_it(copy: Path, tmp_path: Path, ending: str) -> None:
    files = {path: path.read_bytes() for path in copy.glob("Pulumi*")}
    done = run(copy, tmp_path / "t", "sh", "-c", f"({SETTING} && grep batchSize Pulumi.local.yaml) >ran{ending}")
    assert bool(done.returncode) == bool(ending), done.stdout + done.stderr
    assert {path: path.read_bytes() for path in copy.glob("Pulumi*")} == files


def test_the_readmes_lines_store_orders(engine: Engine) -> None:
    """As a reader pastes them into the shell of `./orders engine`, but for the question that `make up` asks."""
    [lines] = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    engine.run("sh", "-ec", lines, ARGS="--yes")
    assert "verified" in engine.run("./orders", "--stack", "dev", "verify", "docs/examples/orders.jsonl")

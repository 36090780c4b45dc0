"""The Pulumi CLI on a local cloud, over a copy of the program that a test may change."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.cloud.cloud import Cloud
from tools.cloud.engine import practising
from tools.recording.graph import stack_config
from tools.root import ROOT

STACKS: Mapping[str, Mapping[str, str]] = {
    "dev": {},
    "staging": {"batchSize": "100", "batchingWindow": "1"},
    "prod": {"protectData": "true", "logRetention": "365", "batchSize": "100", "batchingWindow": "1"},
    "local": {"functionTimeout": "1", "maximumConcurrency": "2", "logLevel": "DEBUG"},
}
"""The tests' own configuration, without the project's prefix: a user's stack files decide no test."""
LEFT_OUT = (".git", ".venv", "venv", "__pycache__", "tests", "*.md", "Pulumi.*.yaml", "Pulumi.*.json")


def project(folder: Path) -> Path:
    """A copy of the project with the tests' stacks."""
    copy = folder / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (copy / ".venv").symlink_to(ROOT / ".venv")
    (copy / "policy/venv").symlink_to(ROOT / "policy/venv")
    for stack, settings in STACKS.items():
        tags = f"{{ project: orders, stack: {stack}, owner: orders-team }}"
        lines = [f"  orders:{key}: {value}\n" for key, value in settings.items()]
        (copy / f"Pulumi.{stack}.yaml").write_text(
            "".join(["config:\n", f"  aws:defaultTags:\n    tags: {tags}\n", *lines])
        )
    return copy


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A copy of the project, and the environment in which the CLI works on a local cloud."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *words: str, fails: bool = False, **environment: str) -> str:
        """Run a command in the copy, which must succeed unless it `fails`; everything that it printed."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, f"{' '.join(words)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def pulumi(self, command: str, stack: str, *words: str, fails: bool = False, **environment: str) -> str:
        """One command of the CLI on a stack; without questions and colours."""
        options = ("--stack", stack, "--color", "never", "--non-interactive")
        return self.run("pulumi", *command.split(), *options, *words, fails=fails, **environment)

    def up(self, stack: str, *words: str, fails: bool = False) -> str:
        """Update a stack as `make up` does, without asking."""
        return self.pulumi("up --yes --skip-preview --policy-pack policy", stack, *words, fails=fails)

    def nothing_is_left(self, stack: str) -> None:
        """Neither the state nor the cloud differs from what the program says."""
        self.pulumi("refresh --yes --expect-no-changes", stack)
        self.pulumi("preview --expect-no-changes", stack)

    @contextmanager
    def edited(self, file: str, old: str, new: str) -> Iterator[None]:
        """A file of the copy with another text in it for as long as the block runs."""
        path = self.folder / file
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new))
        try:
            yield
        finally:
            path.write_text(before)

    def steps(self, stack: str, *words: str) -> list[dict[str, Any]]:
        """What a preview tells of each resource."""
        told = self.run("pulumi", "preview", "--json", "--stack", stack, "--non-interactive", *words)
        return list(json.loads(told[told.index("{") :])["steps"])

    def ops(self, stack: str, *words: str) -> str:
        """One of the operator's commands."""
        return self.run(sys.executable, "-m", "tools", "--stack", stack, *words)

    @cached_property
    def cloud(self) -> Cloud:
        """The local cloud, as its environment tells of it."""
        told = self.environment
        return Cloud(
            endpoint=told["AWS_ENDPOINT_URL"],
            region=told["AWS_REGION"],
            folder=self.folder,
            ca_bundle=Path(told["AWS_CA_BUNDLE"]),
            access_key_id=told["AWS_ACCESS_KEY_ID"],
            secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
        )

    def aws(self, service: str) -> Any:
        """A boto3 client of the local cloud, for changes by hand."""
        return self.cloud.client(service)

    def output(self, stack: str, name: str) -> str:
        """One of a stack's exports."""
        return self.pulumi("stack output", stack, name).strip()


@contextmanager
def started(folder: Path) -> Iterator[Engine]:
    """The engine over a copy of the project, in a folder of its own, for as long as the block runs."""
    copy = project(folder)
    with practising(region=stack_config("dev", copy)[1]["aws:region"], root=copy) as (work, environment):
        yield Engine(folder=work, environment=environment)

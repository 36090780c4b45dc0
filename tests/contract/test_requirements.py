"""What is imported is declared, where it is installed; and functions run on the Pythons that the tests run on."""

import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import fields

import pytest

from config import StackConfig
from tests.contract.test_layout import imports, tracked
from tests.contract.test_workflows import JOBS
from tools.root import ROOT

PROJECTS = (ROOT, ROOT / "bootstrap", ROOT / "policy")
OWN = {
    path.relative_to(project).parts[0].removesuffix(".py")
    for project in PROJECTS
    for path in tracked()
    if path.is_relative_to(project)
}
DEPLOYED = (
    "__main__.py",
    "config.py",
    "components",
    "bootstrap",
    "tools/__main__",
    "tools/ops",
    "tools/recording",
    "tools/review",
    "tools/terminal",
)
LOCAL = "tools/review/rehearsal.py"
"""What needs the local cloud: where that is not installed, the review says that nothing was rehearsed."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
HOMES = importlib.metadata.packages_distributions()


def plain(requirement: str) -> str:
    """The name of a package as the locks spell it."""
    return re.split(r"[^\w-]", requirement)[0].lower().replace("_", "-")


def declared(requirements: Iterable[object]) -> set[str]:
    return {plain(each) for each in requirements if isinstance(each, str)}


def undeclared(packages: set[str], *folders: str) -> set[str]:
    """Each import of the files there that none of the packages gives."""
    found = {
        module.split(".")[0]
        for path in tracked()
        if (name := str(path.relative_to(ROOT))).startswith(folders) and (name != LOCAL or folders == ("",))
        for module in imports(path)
    }
    foreign = found - OWN - sys.stdlib_module_names
    return {name for name in foreign if packages.isdisjoint(map(plain, HOMES.get(name, [])))}


PROGRAM = declared(PROJECT["project"]["dependencies"])
POLICY = declared(GROUPS["policy"])


@pytest.mark.parametrize(
    ("folders", "packages"),
    [(("",), PROGRAM | POLICY | declared(GROUPS["dev"])), (DEPLOYED, PROGRAM), (("policy",), POLICY)],
    ids=["everything", "what a deployment runs", "the policy pack"],
)
def test_every_import_is_declared(folders: tuple[str, ...], packages: set[str]) -> None:
    assert not undeclared(packages, *folders)


def test_the_types_of_every_service_that_is_used_are_checked() -> None:
    [read] = [each["module"] for each in PROJECT["tool"]["mypy"]["overrides"] if each.get("follow_imports") == "normal"]
    used = {module.split(".")[1] for path in tracked() for module in imports(path) if module.startswith("pulumi_aws.")}
    assert {f"pulumi_aws.{service}.*" for service in used} <= {*read}


@pytest.mark.parametrize(
    ("lock", "packages"), [("requirements.txt", PROGRAM), ("policy/requirements.txt", POLICY)], ids=["root", "policy"]
)
def test_a_lock_has_what_is_declared_with_hashes_and_no_address(lock: str, packages: set[str]) -> None:
    text = (ROOT / lock).read_text()
    assert packages <= set(re.findall(r"^([\w-]+)==", text, re.MULTILINE))
    assert "--hash=sha256:" in text
    assert "http" not in text


def test_jobs_with_a_role_that_runs_main_install_no_more_than_that() -> None:
    installs = {
        name: [step["run"] for step in JOBS[name]["steps"] if "make setup" in step.get("run", "")]
        for name in JOBS
        if "steps" in JOBS[name]
    }
    for job in ("deploy-stack.yml up", "drift.yml drift"):
        assert installs[job] == ["make setup REQUIREMENTS=requirements.txt"]


def test_the_runtimes_of_the_function_are_the_pythons_that_the_checks_run_on() -> None:
    [runtime] = [field for field in fields(StackConfig) if field.name == "runtime"]
    pythons = JOBS["check.yml check"]["strategy"]["matrix"]["python"]
    assert runtime.metadata["setting"].choices == tuple(f"python{version}" for version in pythons)

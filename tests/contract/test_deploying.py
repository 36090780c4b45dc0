"""The page on deploying can be pasted: blocks of commands alone, which know all they need at each section's start."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.commands import fake
from tests.contract.deploying import PAGE, blocks, sessions
from tests.contract.test_workflow_scripts import run, script

TEXT = PAGE.read_text()
ASKS = re.compile(r"pulumi (up|destroy|refresh|cancel|state unprotect|stack rm)\b|make up\b")


def test_every_command_of_the_page_is_in_a_block_that_is_run_or_marked_as_needing_github() -> None:
    assert set(re.findall(r"^```(\w+)$", TEXT, re.MULTILINE)) == {"sh"}
    assert len(blocks(TEXT, marked=True)) == 1
    of_github = set(re.findall(r"\bgh \w+(?: \w+)?", "".join(blocks(TEXT))))
    assert of_github == {"gh variable set", "gh variable get"}  # which have a stand-in


def test_a_block_can_be_pasted_because_nothing_in_it_asks_before_its_end() -> None:
    for block in blocks(TEXT):
        *before, last = block.splitlines()
        assert last
        assert not [line for line in before if ASKS.search(line) and "--yes" not in line]
        assert not [line for line in block.splitlines() if re.match(r"[$>] ", line)]


def test_a_section_uses_no_variable_of_another_terminal() -> None:
    assert len(sessions(TEXT)) == 4
    for session in sessions(TEXT):
        given = {"HOME", *re.findall(r"\b([A-Z]+)=", session), *re.findall(r"for ([A-Z]+) in", session)}
        assert set(re.findall(r"\$\{?([A-Z]+)", session)) <= given


def test_the_page_deletes_no_stack_file() -> None:
    removals = [line for line in TEXT.splitlines() if line.startswith("pulumi stack rm")]
    assert removals
    assert all("--preserve-config" in line for line in removals)


@pytest.mark.skipif(not shutil.which("jq"), reason="the page needs jq on the PATH")
def test_what_the_page_sets_up_at_github_is_what_a_deployment_demands(tmp_path: Path) -> None:
    rules = '{deployment_branch_policy, protection_rules: [{type: "required_reviewers", reviewers}]}'
    fake(
        tmp_path,
        "gh",
        f"""for last; do :; done
        case "$*" in
          "api orgs/"*) echo 7 ;;
          "api --method PUT "*) jq '{rules}' >"$(basename "$4")" ;;
          *policies\\ --field\\ name=*) echo '{{"branch_policies": [{{"name": "'"${{last#name=}}"'"}}]}}' >branches ;;
          *policies\\ --jq*) jq --raw-output "$last" branches ;;
          "api repos/acme/orders/environments/"*) cat "$(basename "$2")" ;;
          *) echo "$*" >>others ;;
        esac""",
    )
    [setup] = blocks(TEXT, marked=True)
    assert run(setup, tmp_path).returncode == 0
    for stack, reviewers in (("dev", "false"), ("staging", "true"), ("prod", "true")):
        given = {"GH_REPO": "acme/orders", "STACK": stack, "REVIEWERS": reviewers}
        done = run(script("deploy-stack.yml clear", "Refuse an environment"), tmp_path, **given)
        assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "prod").read_text())["protection_rules"][0]["reviewers"] == [
        {"type": "Team", "id": 7}
    ]
    assert "rulesets --input .github/ruleset.json" in (tmp_path / "others").read_text()

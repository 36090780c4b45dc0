"""`./orders review` prints the report and says with its exit status whether the change may go ahead."""

import json
from pathlib import Path

import pytest

from tests.review.cases import CASES, EVENTS, REPORTS
from tests.review.test_recorded import project
from tools.__main__ import main
from tools.review import command


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    status = main(["review", *(str(argument) for argument in arguments)])
    return status, capsys.readouterr().out


def test_a_safe_change_that_was_not_tried_passes_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preview = tmp_path / "safe.json"
    preview.write_text(CASES["one-key-changed"].made())
    status, text = run(capsys, preview, "--change", tmp_path)
    assert status == 0
    assert text.startswith("### Review of dev: ⚠️ LOOK: not rehearsed; 5 updates")


def test_an_unsafe_change_fails_until_it_is_allowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = told(tmp_path, preview_json=CASES["queue-renamed"].made())
    assert run(capsys, folder, "--change", folder)[0] == 1
    allowed = [{"match": "OrderQueue*", "change": "delete", "reason": "drained", "expires": "2999-12-31"}]
    (folder / "allowed-changes.json").write_text(json.dumps(allowed))
    status, text = run(capsys, folder, "--change", folder)
    assert status == 0
    assert "⚠️ LOOK (8 points): allowed: deletes OrderQueue and the orders waiting in it; 1 replacement, " in text


def told(folder: Path, **files: str) -> Path:
    """A folder as `make review-preview` writes it."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def test_a_failed_preview_fails_with_what_the_cli_said_and_is_judged_whole_if_only_a_policy_stopped_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preview = CASES["one-key-changed"].made()
    folder = told(tmp_path, preview_json=preview, log_txt="error: no credentials", failed="")
    status, text = run(capsys, folder, "--stack", "dev", "--no-rehearsal")
    assert status == 1
    assert "Review of dev: ❌ FAILED" in text
    assert "no credentials" in text
    told(folder, events_jsonl=EVENTS, policies_json=REPORTS)
    status, text = run(capsys, folder, "--no-rehearsal")
    assert status == 1
    assert "❌ REFUSED: 1 mandatory policy is violated; 5 updates" in text
    assert "sqs-queue-encrypted: exempt" in text


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("allowed-changes.json", "[{}]", "entry 1 match must be a name"),
        ("policies.json", "[7]", "the policies must be what"),
        ("rehearsal.json", "{}", "rehearsal.json must be what"),
    ],
)
def test_what_cannot_be_read_fails_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, says: str
) -> None:
    folder = told(tmp_path, preview_json=CASES["one-key-changed"].made())
    (folder / name).write_text(text)
    status, report = run(capsys, folder, "--change", folder)
    assert status == 1
    assert says in report


def test_a_change_elsewhere_is_judged_by_these_tools_which_name_what_no_recorded_run_feels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = project(tmp_path / "old", orders__alarmEmail="{secure: AAA}")
    new = project(tmp_path / "new", orders__alarmEmail="{secure: BBB}", aws__profile="other")
    with (new / "Pulumi.yaml").open("a") as file:
        file.write("stackConfigDir: elsewhere\n")
    (new / "config.py").write_text((old / "config.py").read_text().replace("'Q'", "'Other'"))
    (new / "tools/review").mkdir(parents=True)
    (new / "tools/review/report.py").write_text("raise SystemExit(0)")
    monkeypatch.setattr(command, "ROOT", old)
    _, text = run(capsys, "--stack", "dev", "--no-rehearsal", "--change", new)
    for point in (
        "edits its own judge: `tools/review/report.py`",
        "the setting `aws:profile` changes, which shows only on AWS",
        "Pulumi.yaml changes stackConfigDir, which shows only on AWS",
        "a secret setting changes, which cannot be read here",
    ):
        assert f"- {point}\n" in text
    assert "| creates | Other<br>" in text


def test_a_laptop_without_the_cli_compares_the_working_tree_with_a_revision(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = run(capsys, "--stack", "prod", "--against", "HEAD", "--no-rehearsal")
    assert "### Review of prod: " in text
    assert "From two recorded runs of the program" in text
    assert "No policy check has to wait for the update." in text


def test_a_revision_that_does_not_exist_is_said_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", "--stack", "prod", "--against", "nowhere"]) == 1
    told = capsys.readouterr()
    assert (told.out, "nowhere" in told.err) == ("", True)

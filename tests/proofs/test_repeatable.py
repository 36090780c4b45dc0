"""The same sources give the same deployment, and the written figures are those of the last run."""

from pathlib import Path

import pytest

from tests.proofs import repeatability
from tests.proofs.__main__ import PARTS
from tests.proofs.report import RESULTS, Result, read_results, write_results
from tools.recording.graph import record
from tools.root import ROOT


def test_two_checkouts_in_different_folders_build_the_same_archive(tmp_path: Path) -> None:
    digests = {repeatability.archive_digest(folder) for folder in repeatability.checkouts(tmp_path)}
    assert len(digests) == 1


def test_another_line_of_the_function_is_another_archive(tmp_path: Path) -> None:
    one, two = repeatability.checkouts(tmp_path)
    source = two / "functions/process_order/store.py"
    source.write_text(source.read_text() + "\n")
    assert repeatability.archive_digest(one) != repeatability.archive_digest(two)


def test_two_runs_of_the_program_register_the_same_graph() -> None:
    assert repeatability.digest(record(stack="prod")) == repeatability.digest(record(stack="prod"))
    assert repeatability.digest(record(stack="prod")) != repeatability.digest(record(stack="dev"))


@pytest.mark.parametrize("lock", repeatability.LOCKS)
def test_every_requirement_has_a_version_and_a_hash(lock: str) -> None:
    assert repeatability.unhashed(ROOT / lock) == []


def test_a_requirement_without_a_hash_is_found(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("# a comment\nboto3==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\nrich==14.0\nruff>=1\n")
    assert repeatability.unhashed(lock) == ["rich==14.0", "ruff>=1"]


def test_every_proof_held_and_lost_nothing_when_it_was_last_run() -> None:
    parts = read_results(RESULTS)["parts"]
    assert parts.keys() == PARTS.keys()
    assert [name for name, part in parts.items() if part["problems"] or not part["held"]] == []
    assert parts["faults"]["figures"]["lost"] == parts["faults"]["figures"]["unexplained"] == 0


def test_a_part_that_is_run_alone_leaves_the_results_of_the_others(tmp_path: Path) -> None:
    held = Result(promise="it holds", test="by looking", figures={"looks": 1})
    write_results({"one": held, "two": held}, tmp_path / "results.json")
    write_results({"two": Result(promise="", test="", figures={}, problems=("no",))}, tmp_path / "results.json")
    parts = read_results(tmp_path / "results.json")["parts"]
    assert (parts["one"]["held"], parts["two"]["held"]) == (True, False)

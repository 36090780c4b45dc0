"""`./orders` as a newcomer uses it: it says what it does, does it, and leaves nothing behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.tree import copied, processes_using, start
from tools.__main__ import main
from tools.cloud.cloud import CloudError, running_cloud
from tools.cloud.deploy import check_place, write_addresses, written_addresses
from tools.cloud.deployment import Deployment
from tools.cloud.traffic import make_traffic
from tools.root import ROOT

EXAMPLE = json.loads((ROOT / "docs/examples/orders.jsonl").read_text().splitlines()[0])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("project"))


def test_the_demo_ends_with_130_and_leaves_nothing_when_it_is_interrupted(project: Path, tmp_path: Path) -> None:
    process = start(project, tmp_path / "temporary", "demo", "--orders", "300")
    assert process.stdout
    assert next(line for line in process.stdout if line.startswith("Policies"))  # and now it creates resources
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=20)
    # To a shell, 130 and an end by SIGINT are the same; Python chooses that where the interrupt comes in an `exec`.
    assert process.returncode in (130, -signal.SIGINT)
    assert text.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in text
    deadline = time.monotonic() + 10  # a cloud that was just being started notices, and cleans up by itself
    while processes_using(tmp_path) or any((tmp_path / "temporary").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_addresses_overwrite_nothing_and_go_into_a_folder_that_exists(tmp_path: Path) -> None:
    place = tmp_path / "o.json"
    place.write_text("a note")
    with pytest.raises(CloudError, match=r"--outputs must be a new file, got .*o\.json: name another, or remove it"):
        check_place(place)
    with pytest.raises(CloudError, match=r"the folder of --outputs must exist, got .*: create .*/missing"):
        check_place(tmp_path / "missing" / "o.json")


def test_only_ones_own_addresses_are_removed_and_no_draft_of_them_stays(deployment: Deployment, tmp_path: Path) -> None:
    place, taken = tmp_path / "o.json", tmp_path / "taken"
    with written_addresses(deployment, place):
        assert json.loads(place.read_text()) == deployment.addresses()
        place.write_text("another's")
    taken.mkdir()
    with pytest.raises(OSError, match="taken"):
        write_addresses(deployment, taken)
    assert place.read_text() == "another's"
    assert sorted(tmp_path.iterdir()) == [place, taken]


def test_cloud_and_policy_pack_die_with_their_parent_even_if_that_is_killed(tmp_path: Path) -> None:
    code = "from tools.cloud.cloud import running_cloud\nfrom tools.recording.pack import serve\n"
    code += "with running_cloud(region='eu-west-1'), serve():\n    print(); input()"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, **pipes) as process:
        assert process.stdout
        assert process.stdout.readline() == b"\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 2
        process.kill()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    assert not list(tmp_path.iterdir())


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit status of a command, and the one line that it says."""
    status, said = main([*arguments]), capsys.readouterr()
    assert not said.out
    [line] = said.err.splitlines()
    return status, line


def test_a_port_in_use_is_one_clear_message(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, line = refused(capsys, "local", "--no-page", "--port", str(port))
    assert status == 1
    assert line.startswith(f"port must be free and from 1 to 65535, got {port}")


def test_an_unknown_stack_is_one_clear_message(capsys: pytest.CaptureFixture[str]) -> None:
    status, line = refused(capsys, "local", "--no-page", "--stack", "live")
    assert status == 2
    assert re.match("stack must be one of .*, got live", line)


def test_the_engine_needs_the_cli_and_says_where_it_comes_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    status, line = refused(capsys, "engine", "--", "true")
    assert status == 1
    assert line.startswith("pulumi must be on the PATH, and is not; to install it: https://www.pulumi.com")


def test_a_cloud_that_does_not_start_shows_the_end_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with (
        pytest.raises(CloudError, match=r"must answer on https://127.0.0.1:\d+, but ended with status"),
        running_cloud(region="eu-west-1", command=(sys.executable, "-c", "raise SystemExit('out of coffee')")),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_the_demo_holds_every_promise(project: Path, tmp_path: Path) -> None:
    process = start(project, tmp_path / "temporary", "demo", "--orders", "60", "--seed", "7")
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    promises = r"^✔ ([^:]+):"
    assert re.findall(promises, text, re.MULTILINE) == re.findall(
        promises, (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert "✘" not in text
    assert not list((tmp_path / "temporary").iterdir())


def test_the_same_seed_gives_the_same_traffic_and_another_seed_another() -> None:
    assert make_traffic(50, seed=3) == make_traffic(50, seed=3)
    assert make_traffic(50, seed=3) != make_traffic(50, seed=4)


def test_the_traffic_holds_duplicates_updates_out_of_order_and_poison() -> None:
    traffic = make_traffic(200, seed=1)
    assert json.loads(traffic.bodies[0]) == EXAMPLE
    valid = [json.loads(body) for body in traffic.bodies if body not in traffic.poison]
    assert len(valid) > len({json.dumps(event) for event in valid})
    done: set[str] = set()
    late: set[str] = set()
    for event in valid:
        if event == {**traffic.newest[event["orderId"]]}:
            done.add(event["orderId"])
        elif event["orderId"] in done:
            late.add(event["orderId"])
    assert len(late) > 10
    assert traffic.poison.total() >= 10
    assert {event["orderId"] for event in valid} == set(traffic.newest)

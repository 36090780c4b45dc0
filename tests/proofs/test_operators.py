"""Two operators at once, at random and interrupted, while workers and at last the cloud die: nothing is lost."""

import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.defaults import LOCAL
from tests.ops.cloud import QUEUE, bodies, send, wait_for
from tests.proofs import figures
from tests.proofs.ledger import drain, missing
from tests.proofs.test_faults import traffic_of, workers
from tools.cloud.deploy import deployed, written_addresses
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import stored_events
from tools.cloud.traffic import Traffic
from tools.root import ROOT

COMMANDS = ["redrive --yes --wait 1s", "redrive --all --yes --rate 40", "list", "export", "purge", "import"]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
ENDINGS = {0, 1, 2, 3, 130, *(-number for number in SIGNALS)}
"""A signal that comes before Python has read the command ends it at once, Ctrl-C with a traceback of Python's own."""
INTERRUPTED, WORKER_DIES = 0.4, 0.1
"""Shares of the commands that get a signal, and of the moments at which a worker is killed."""


@dataclass(kw_only=True)
class Operator:
    """Somebody at a terminal, who purges only what an export of theirs holds."""

    addresses: Path
    folder: Path
    chance: random.Random
    exports: list[Path] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def work(self, deployment: Deployment, commands: int) -> None:
        for number in range(commands):
            self.run(*self._choose(number))
            if self.chance.random() < WORKER_DIES and (alive := workers(deployment)):
                with contextlib.suppress(psutil.Error):
                    self.chance.choice(alive).kill()

    def run(self, *words: str, signals: bool = True) -> int:
        line = [sys.executable, "-m", "tools", "--outputs", str(self.addresses), *words]
        process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if signals and self.chance.random() < INTERRUPTED:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.chance.uniform(0.2, 1))
            process.send_signal(self.chance.choice(SIGNALS))
        told, _ = process.communicate(timeout=300)
        self.endings[f"{words[1]} {process.returncode}"] += 1
        if process.returncode not in ENDINGS or ("Traceback" in told and f"{ROOT}/tools/" in told):
            self.complaints.append(f"{' '.join(words)} ended with {process.returncode}: {told[-2000:]}")
        return process.returncode

    def _choose(self, number: int) -> list[str]:
        verb, *options = self.chance.choice(COMMANDS).split()
        whole = [path for path in self.exports if path.exists()]
        if verb == "export" or (verb in ("purge", "import") and not whole):
            self.exports.append(self.folder / f"{number}.jsonl")
            return ["dlq", "export", str(self.exports[-1])]
        if verb == "purge":
            return ["dlq", "purge", "--exported", str(self.chance.choice(whole)), "--yes"]
        if verb == "import":
            return ["dlq", "import", str(self.chance.choice(whole)), "--no-check", "--to", "queue"]
        return ["dlq", verb, *options]


@pytest.mark.proof
def test_two_operators_lose_nothing_and_invent_nothing(tmp_path: Path) -> None:
    traffic = traffic_of(400, seed=7)
    with deployed(config={**LOCAL, "orders:logLevel": "INFO"}) as deployment:
        figures.write("operators", prove(deployment, traffic, tmp_path, commands=30))


def prove(deployment: Deployment, traffic: Traffic, folder: Path, *, commands: int) -> figures.Figures:
    """Let two operators work on dead letters, put back all that they exported, and look for every message."""
    send(deployment, QUEUE, *traffic.bodies)
    with at_work(deployment, folder) as operators:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda operator: operator.work(deployment, commands), operators))
        for operator in operators:
            for path in filter(Path.exists, operator.exports):
                assert operator.run("dlq", "import", str(path), "--no-check", "--to", "queue", signals=False) == 0
        # What a killed command held shows again when its time is up. Twice: a function that ran out of time on a busy
        # machine has made dead letters of good orders meanwhile.
        for _ in range(2):
            wait_for(lambda: operators[0].run("dlq", "redrive", "--yes", signals=False) == 0, "redriving all", 300)
            drain(deployment)
        assert not missing(deployment, traffic)
        assert stored_events(deployment).keys() == traffic.newest.keys()
        assert set(bodies(deployment, QUEUE)) == traffic.poison.keys()
        kill_the_cloud(deployment, operators)
    endings = sum((operator.endings for operator in operators), Counter())
    complaints = [complaint for operator in operators for complaint in operator.complaints]
    assert not complaints
    assert endings.total() > sum(count for name, count in endings.items() if name.endswith(" 0")), "none was disturbed"
    return {
        "messages that began as dead letters": len(traffic.bodies),
        "commands of two operators": endings.total(),
        "of them interrupted": sum(count for name, count in endings.items() if name.endswith(" 130") or " -" in name),
        "exports that were written whole": sum(path.exists() for each in operators for path in each.exports),
        "lost, invented, or not in the newest version": 0,
    }


@contextlib.contextmanager
def at_work(deployment: Deployment, folder: Path) -> Iterator[list[Operator]]:
    """Two operators with folders of their own; in the end each file with a name is a whole export."""
    addresses = folder / "addresses.json"
    with written_addresses(deployment, addresses):
        operators = [Operator(addresses=addresses, folder=folder / str(n), chance=random.Random(n)) for n in (1, 2)]
        for operator in operators:
            operator.folder.mkdir()
        yield operators
    for operator in operators:
        for path in operator.folder.glob("[!.]*"):
            assert all("messageId" in json.loads(line) for line in path.read_text().splitlines())
            assert path.stat().st_mode & 0o777 == 0o600


def kill_the_cloud(deployment: Deployment, operators: list[Operator]) -> None:
    """While both read, the cloud dies: what they say is that it could not be reached."""
    [cloud] = [p for p in psutil.Process().children() if str(deployment.cloud.folder) in str(p.environ())]
    with ThreadPoolExecutor(2) as pool:
        path = operators[0].folder / "last.jsonl"
        reading = [
            pool.submit(operators[0].run, "dlq", "export", str(path), signals=False),
            pool.submit(operators[1].run, "dlq", "redrive", "--all", "--yes", "--rate", "2", signals=False),
        ]
        time.sleep(3)
        cloud.kill()
        assert {each.result() for each in reading} <= {0, 1, 3}
    assert operators[1].run("dlq", "list", signals=False) == 3

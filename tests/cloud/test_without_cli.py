"""Without a Pulumi CLI `./orders engine` says what is missing, and starts nothing."""

import subprocess
import sys

from tools.root import ROOT


def test_the_engine_needs_the_cli_and_says_where_it_comes_from() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools", "engine", "--", "true"],
        cwd=ROOT,
        env={"PATH": "/nonexistent", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("pulumi must be on the PATH, and is not; to install it: https://www.pulumi.com")
    assert "Traceback" not in done.stderr

"""A handler that is broken is seen: its crash is told with its place, and the demo stops."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tree import copied

STARTED = "    started = time.monotonic()\n"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("    started = (\n", ["Runtime.ImportModuleError", "lambda_function.py, line "]),
        (
            "    raise ZeroDivisionError('no orders')\n",
            ['  File "/var/task/process_order/lambda_function.py", line ', "ZeroDivisionError: no orders (lambda_f"],
        ),
    ],
    ids=["does not parse", "raises"],
)
def test_the_demo_stops_with_the_crash_of_a_broken_handler(tmp_path: Path, broken: str, told: list[str]) -> None:
    handler = copied(tmp_path) / "functions/process_order/lambda_function.py"
    sound = handler.read_text()
    assert STARTED in sound
    handler.write_text(sound.replace(STARTED, broken, 1))
    demo = [sys.executable, "-m", "tools", "demo", "--orders", "20"]
    done = subprocess.run(demo, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("the function must not crash, but did:\n")
    assert all(text in done.stderr for text in told)
    assert "_worker.py" not in done.stderr

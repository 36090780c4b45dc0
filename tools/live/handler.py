"""Tells before a deployment whether Lambda could import a handler."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

IMPORT_LIMIT = 20.0
"""Seconds that importing a handler may take."""


def import_problem(inputs: Mapping[str, Any]) -> str:
    """Why Lambda could not import a function's handler from its archive, in one line; empty if it could."""
    handler: str = inputs["handler"]
    module, _, name = handler.rpartition(".")
    with tempfile.TemporaryDirectory(prefix="orders-import-") as folder:
        for path, asset in inputs["code"]["assets"].items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(Path(asset["path"]).read_bytes())
        code = f"import sys; sys.path.insert(0, {folder!r}); from {module} import {name}"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        try:
            done = subprocess.run(
                [sys.executable, "-B", "-c", code],
                cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=IMPORT_LIMIT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"importing {handler} must end within {IMPORT_LIMIT:.0f} s"
        if done.returncode == 0:
            return ""
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        places = re.findall(r'File "([^"]+)", line (\d+)', done.stderr)
        inside = [(file, line) for file, line in places if file.startswith(folder)]
        place = f"{inside[-1][0].removeprefix(folder + '/')}:{inside[-1][1]}: " if inside else ""
        return place + lines[-1].replace(folder + "/", "")

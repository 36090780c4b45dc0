"""Keeps what was measured: the results file, the machine it came from, and the targets."""

import importlib.metadata
import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "results.json"
NAMES = {
    "ours": "ours",
    "original": "original",
    "powertools": "Powertools",
    "floor": "floor",
    "insert_first": "ours, INSERT first",
    "bare": "bare client",
}
"""What each contender is called."""
PACKAGES = ("boto3", "aws-lambda-powertools", "ministack", "pulumi", "pulumi-aws", "pulumi-policy")


@dataclass(frozen=True)
class Target:
    """A figure that must be reached."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        """Whether the value lies within the limit."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    @property
    def limit(self) -> str:
        """The limit in words."""
        return f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"


def spread(values: Sequence[float]) -> dict[str, float]:
    """Describe repeated measurements: the median and the quartiles around it."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": round(middle, 3), "low": round(low, 3), "high": round(high, 3)}


def machine() -> dict[str, Any]:
    """Say where the figures come from."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def load() -> dict[str, Any]:
    """Read the results; empty before the first run."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def save(results: dict[str, Any]) -> None:
    FILE.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")

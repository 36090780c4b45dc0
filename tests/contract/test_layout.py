"""Which part may import which: the table of the architecture, held true."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recording.graph import ROOT

MAY_IMPORT = {
    "__main__.py": {"pulumi", "config", "components"},
    "config.py": {"pulumi"},
    "components": {"pulumi", "pulumi_aws", "components"},
    "functions": {"boto3", "botocore", "functions"},
    "policy": {"pulumi", "pulumi_policy", "rules", "framework", "policy"},
    "bootstrap": {"pulumi", "pulumi_aws", "foundation"},
    "recording": {"pulumi", "google", "grpc", "jsonschema", "rich", "yaml", "config", "recording"},
    "local": {
        *("pulumi", "boto3", "botocore", "ministack", "hypercorn", "cryptography", "yaml", "rich"),
        *("recording", "local"),
    },
    "ops": {"boto3", "botocore", "rich", "ops", "functions.process_order.orders"},
    "live": {
        *("pulumi", "botocore", "hypercorn", "jsonschema", "rich", "starlette", "watchfiles"),
        *("functions.process_order.orders", "recording", "local", "ops", "live"),
    },
    "fakes": {"boto3", "botocore", "functions", "fakes"},
    "bench": {
        *("pulumi", "pulumi_aws", "boto3", "botocore", "google", "psutil", "aws_lambda_powertools"),
        *("components", "functions", "fakes", "recording", "local", "ops", "bench"),
    },
    "reliability": {
        *("pulumi", "boto3", "botocore", "jsonschema", "ministack", "psutil", "rich"),
        *("components", "functions", "fakes", "recording", "local", "ops", "reliability"),
    },
}
"""By folder; the tests may import everything, and nothing may import them."""


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, by its full name; a relative import is the file's own folder."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module if node.level == 0 and node.module else path.relative_to(ROOT).parts[0]


def sources(part: str) -> list[Path]:
    target = ROOT / part
    files = [target] if target.is_file() else sorted(target.rglob("*.py"))
    return [path for path in files if "venv" not in path.parts]


def foreign(module: str, allowed: set[str]) -> bool:
    """Whether a module is neither of the standard library nor allowed, as itself or as a part of what is."""
    if module.split(".")[0] in sys.stdlib_module_names:
        return False
    return not any(module == name or module.startswith(f"{name}.") for name in allowed)


@pytest.mark.parametrize("part", [part for part in MAY_IMPORT if (ROOT / part).exists()])
def test_each_part_imports_only_what_it_may(part: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(part)
        for module in imports(path)
        if foreign(module, MAY_IMPORT[part])
    }
    assert not wrong


def test_components_import_each_other_without_a_cycle() -> None:
    edges = {
        f"components.{path.stem}": {module for module in imports(path) if module.startswith("components.")}
        for path in sources("components")
    }
    while edges:
        leaves = {module for module, needed in edges.items() if not needed & edges.keys()}
        assert leaves, f"a cycle among {sorted(edges)}"
        edges = {module: needed for module, needed in edges.items() if module not in leaves}


def test_the_folders_import_each_other_without_a_cycle() -> None:
    above = {
        part: {name.split(".")[0] for name in allowed} & (MAY_IMPORT.keys() - {part})
        for part, allowed in MAY_IMPORT.items()
    }
    while above:
        leaves = {part for part, needed in above.items() if not needed & above.keys()}
        assert leaves, f"a cycle among {sorted(above)}"
        above = {part: needed for part, needed in above.items() if part not in leaves}


def test_every_tracked_python_folder_is_in_the_table() -> None:
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    tops = {line.split("/")[0] for line in tracked.stdout.splitlines()}
    assert tops - MAY_IMPORT.keys() == {"tests"}

"""Which part may import which: the table of the architecture, held true."""

import ast
import functools
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.root import ROOT

MAY_IMPORT = {
    "__main__.py": {"pulumi", "config", "components"},
    "config.py": {"pulumi"},
    "components": {"pulumi", "pulumi_aws", "components", "config"},
    "functions": {"functions"},
    "policy": {"pulumi_policy", "framework", "rules"},
    "policy/framework": {"pulumi_policy", "framework"},
    "policy/rules": {"pulumi_policy", "framework"},
    "policy/rules/__init__.py": {"framework", "rules"},
    "bootstrap": {"pulumi", "pulumi_aws", "foundation"},
    "tools/__main__.py": {"click", "pulumi", "tools"},
    "tools/root.py": set(),
    "tools/interrupts.py": set(),
    "tools/terminal.py": {"rich"},
    "tools/recording": {
        *("click", "pulumi", "google", "grpc", "jsonschema", "yaml"),
        *("config", "tools.interrupts", "tools.terminal", "tools.root", "tools.recording"),
    },
    "tools/ops": {
        *("boto3", "botocore", "click"),
        *("functions.process_order.orders", "tools.interrupts", "tools.terminal", "tools.root", "tools.ops"),
    },
    "tools/cloud": {
        *("pulumi", "boto3", "botocore", "click", "google", "grpc", "ministack", "hypercorn", "cryptography", "yaml"),
        *("tools.interrupts", "tools.terminal", "tools.root", "tools.recording", "tools.ops", "tools.cloud"),
    },
    "tools/live": {
        *("pulumi", "botocore", "click", "hypercorn", "starlette", "watchfiles"),
        *("functions.process_order.orders", "tools.interrupts", "tools.terminal", "tools.root"),
        *("tools.recording", "tools.cloud", "tools.ops", "tools.live"),
    },
    "tools/review": {
        *("pulumi", "botocore", "click", "google", "jsonschema", "rich"),
        *("tools.interrupts", "tools.terminal", "tools.root"),
        *("tools.recording", "tools.cloud", "tools.ops", "tools.review"),
    },
}
"""By file or folder, the nearest entry counts; the tests may import everything, and nothing may import them."""


@functools.cache
def imports(path: Path) -> list[str]:
    """Every name that a file imports, with its module in front; a relative import is told in full."""
    found: list[str] = []
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        # No expression holds an import, and most of a file is expressions.
        waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)]
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            folder = path.relative_to(ROOT).parents[node.level - 1].parts if node.level else ()
            module = ".".join([*folder, *([node.module] if node.module else [])])
            found += [f"{module}.{alias.name}" for alias in node.names]
    return found


@functools.cache
def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).exists()]


def entry_of(path: Path) -> str | None:
    """The entry of the table that a file falls under."""
    names = [str(path.relative_to(ROOT)), *map(str, path.relative_to(ROOT).parents)]
    return next((name for name in names if name in MAY_IMPORT), None)


def foreign(module: str, allowed: set[str]) -> bool:
    """Whether a module is neither of the standard library nor allowed, as itself or as a part of what is."""
    if module.split(".")[0] in sys.stdlib_module_names:
        return False
    return not any(module == name or module.startswith(f"{name}.") for name in allowed)


@pytest.mark.parametrize("entry", MAY_IMPORT)
def test_each_part_imports_only_what_it_may(entry: str) -> None:
    files = [path for path in tracked() if entry_of(path) == entry]
    assert files, f"the table has {entry}, which is not there"
    wrong = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files
        for module in imports(path)
        if foreign(module, MAY_IMPORT[entry])
    }
    assert not wrong


def test_every_file_but_the_tests_is_under_the_table() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked() if entry_of(path) is None} == {"tests"}


def without_leaves(edges: Mapping[str, set[str]]) -> Mapping[str, set[str]]:
    """What is left of a graph when whatever leads nowhere is taken away again and again: its cycles."""
    while leaves := {name for name, needed in edges.items() if not needed & edges.keys()}:
        edges = {name: needed for name, needed in edges.items() if name not in leaves}
    return edges


def test_no_file_imports_itself_by_way_of_others() -> None:
    edges = {}
    for path in tracked():
        # policy/ and bootstrap/ are projects of their own, whose modules are named from there.
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        needed = {part for module in imports(path) for part in (module, module.rpartition(".")[0])}
        edges[name.removeprefix("policy.").removeprefix("bootstrap.")] = needed
    assert len(edges) > 200
    assert set(without_leaves(edges)) == set()


def test_the_folders_import_each_other_without_a_cycle() -> None:
    edges: dict[str, set[str]] = {}
    for entry, allowed in MAY_IMPORT.items():
        room = ".".join(entry.removesuffix(".py").split("/")[: 2 if entry.startswith("tools/") else 1])
        edges[room] = edges.get(room, set()) | {name for name in allowed if not name.startswith(room)}
    assert set(without_leaves(edges)) == set()

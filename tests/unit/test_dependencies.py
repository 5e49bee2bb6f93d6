"""What is declared is what the code needs, and what is locked says no address."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ROOMS = {"course": "", "extensions": "learner", "graders": "grader", "hub_config": "hub"}
OPTIONAL = {ROOT / "graders/engine/cluster.py": "cluster"}
"""Files that are imported only where their extra is installed."""

pytestmark = pytest.mark.quick


def declared(extra: str) -> Iterator[str]:
    """Give the distributions that are asked for by name in `jupyter-spoc[extra]`, or without an extra."""
    lines = [*PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] if extra else ())]
    for requirement in map(Requirement, lines):
        if requirement.name == PROJECT["name"]:
            for other in requirement.extras:
                yield from declared(other)
        else:
            yield canonicalize_name(requirement.name)


def imported(files: Iterator[Path]) -> Iterator[tuple[str, Path]]:
    """Give every foreign top-level module and the file that imports it."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for module in {name.partition(".")[0] for name in names}:
                if module not in sys.stdlib_module_names and module not in ROOMS:
                    yield module, file


def undeclared(files: Iterator[Path], extra: str) -> list[str]:
    available, distributions = set(declared(extra)), packages_distributions()
    return sorted(
        f"{file.relative_to(ROOT)} imports {module}"
        for module, file in imported(files)
        if available.isdisjoint(map(canonicalize_name, distributions.get(module, ())))
    )


@pytest.mark.parametrize(("room", "extra"), ROOMS.items())
def test_each_room_declares_what_it_imports(room: str, extra: str) -> None:
    files = [file for file in (ROOT / room).rglob("*.py") if file not in OPTIONAL]
    assert undeclared(iter(files), extra) == []


@pytest.mark.parametrize(("file", "extra"), OPTIONAL.items(), ids=OPTIONAL.values())
def test_an_extra_has_what_its_file_imports(file: Path, extra: str) -> None:
    assert undeclared(iter([file]), extra) == []


@pytest.mark.parametrize("extra", ["learner", "grader"])
def test_the_sample_modules_run_with_what_a_kernel_has(extra: str) -> None:
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "course/modules").rglob("*.md")]
    modules = {name for page in pages for name in re.findall(r"^(?:import|from) (\w+)", page, re.MULTILINE)}
    distributions = packages_distributions()
    needed = {canonicalize_name(distributions[module][0]) for module in modules & distributions.keys()}
    assert "pandas" in needed
    assert needed <= set(declared(extra))


def test_the_lock_of_the_node_packages_holds_their_hashes_and_no_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert packages.pop("")["dependencies"] == json.loads((ROOT / "package.json").read_text())["dependencies"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package["integrity"].startswith("sha512-"), name

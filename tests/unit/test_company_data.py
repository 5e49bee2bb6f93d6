"""The data of the sample course: made by a seeded script, committed, small, and described."""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.quick

MODULES_DIR = Path(__file__).parents[2] / "course" / "modules"
MAX_BYTES = 150_000


@pytest.fixture(scope="module")
def company() -> Iterator[ModuleType]:
    """Return `course/modules/company.py`, a script that is content and in no package."""
    spec = importlib.util.spec_from_file_location("company_data", MODULES_DIR / "company.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their own module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def committed_tables() -> dict[str, Path]:
    return {path.relative_to(MODULES_DIR).as_posix(): path for path in MODULES_DIR.glob("*/data/*.csv")}


def test_running_the_script_again_gives_the_committed_bytes(company: ModuleType, tmp_path: Path) -> None:
    written = company.write_tables(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in written} == set(committed_tables())
    differing = [
        path.name
        for path in written
        if path.read_bytes() != (MODULES_DIR / path.relative_to(tmp_path)).read_bytes()
    ]
    assert differing == []


def test_the_data_of_all_modules_stays_small() -> None:
    assert sum(path.stat().st_size for path in committed_tables().values()) < MAX_BYTES


def test_every_file_and_column_is_described(company: ModuleType) -> None:
    dictionary = company.__doc__ or ""
    for name, (_, delimiter) in company.TABLES.items():
        path = MODULES_DIR / name
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file, delimiter=delimiter))
        assert path.name in dictionary
        assert [column for column in header if column.strip() not in dictionary] == []


def test_the_faults_that_lessons_rely_on_are_there(company: ModuleType) -> None:
    """A lesson that teaches a trap is worth nothing when the data no longer holds it."""
    orders = list(company.orders())[1:]
    customers = {row[0] for row in company.customers()}
    managers = [row[0] for row in company.account_managers()]
    october = [tuple(row) for row in company.october_export()]
    assert any(order[2] not in customers for order in orders)
    assert customers - {order[2] for order in orders} - {"customer_id"}
    assert managers.count("France") == 2
    assert len(october) - len(set(october)) == 2
    assert any(row[6] == -4 for row in october)

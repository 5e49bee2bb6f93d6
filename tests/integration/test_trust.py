"""Where tests are judged is kept for as long as it holds; what only a busy machine says is not kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from traitlets.config import Config

from graders.engine.batch import notes_on
from graders.engine.placement import WORK_FOLDER
from graders.engine.plan import AssignmentPlan, PlannedNotebook
from graders.engine.steps import read_steps
from graders.engine.submission import run_notebook
from graders.engine.trust import TrustFolder, trusted
from graders.execution.results import RunLimits, TestCell
from graders.forkserver.client import attach
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from graders.referee.calibration import Trust
from graders.repair.source import SourceNotebook
from tests.equality.cells import code, locked_tests, notebook

ENVIRONMENT = WarmEnvironment(imports=())
TRAINERS = 200000


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmParent]:
    with WarmParent(ENVIRONMENT) as parent:
        yield parent


def plan_of(*tests: TestCell, given: str = "x = [1]", cell_seconds: float = 30) -> AssignmentPlan:
    solved = notebook(code(given), *(locked_tests(test.grade_id, test.visible, 2) for test in tests))
    work = PlannedNotebook(
        name="work",
        source=SourceNotebook(()),
        tests={test.grade_id: test for test in tests},
        solved=nbformat.writes(solved),
    )
    return AssignmentPlan(
        course_id="course",
        assignment="week",
        db_url="",
        notebooks={"work": work},
        files={},
        left_alone=frozenset(),
        ignore=(),
        limits=RunLimits(cell_seconds=cell_seconds),
        permissions=0o444,
        group_writes=False,
        steps=read_steps(Config()),
        config=Config(),
    )


def kept(folder: Path) -> list[Path]:
    return list((folder / WORK_FOLDER / "trust").glob("*"))


def test_a_decision_is_kept_and_needs_no_process_again(warm: WarmParent, tmp_path: Path) -> None:
    plan = plan_of(TestCell("one", "x.append(2)", ""), TestCell("two", "assert x == [1, 2]", ""))
    decided = trusted(plan, "auto", ENVIRONMENT, warm, tmp_path)
    assert decided.notebooks["work"].tests["two"].in_sequence
    assert len(kept(tmp_path)) == 1
    assert trusted(plan, "auto", ENVIRONMENT, attach(tmp_path / "nobody.sock"), tmp_path) == decided


def test_what_a_stopped_run_decided_is_not_kept(warm: WarmParent, tmp_path: Path) -> None:
    plan = plan_of(TestCell("one", "import time\ntime.sleep(60)", ""), cell_seconds=0.3)
    trusted(plan, "auto", ENVIRONMENT, warm, tmp_path)
    assert kept(tmp_path) == []


def test_commands_that_decide_at_once_keep_one_decision(tmp_path: Path) -> None:
    folder, trusts = TrustFolder(tmp_path), {"one": Trust("referee", calls=frozenset({"d"}), at_end=True)}
    with ThreadPoolExecutor(8) as at_once:
        for done in [at_once.submit(folder.keep, "key", trusts) for _ in range(200)]:
            done.result()
    assert [path.name for path in kept(tmp_path)] == ["key.json"]
    assert folder.find("key") == trusts


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_a_decision_is_kept_where_only_root_may_go_all_the_way(tmp_path: Path) -> None:
    course = tmp_path / "closed" / "course"
    course.mkdir(parents=True)
    course.parent.chmod(0o700)
    os.chown(course, TRAINERS, TRAINERS)
    folder, trusts = TrustFolder(course), {"one": Trust("referee")}
    folder.keep("key", trusts)
    assert folder.find("key") == trusts
    assert [path.stat().st_uid for path in kept(course)] == [TRAINERS]


@pytest.mark.parametrize("text", ["", "[]", "{}x", '{"one": ["referee"]}', '{"one": {"trust": "referee"}}'])
def test_a_kept_decision_that_cannot_be_read_is_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / WORK_FOLDER / "trust" / "key.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert TrustFolder(tmp_path).find("key") is None


def test_a_report_says_which_tests_the_solution_fails(warm: WarmParent, tmp_path: Path) -> None:
    plan = plan_of(TestCell("one", "assert x == 3", ""), TestCell("two", "assert x", ""))
    decided = trusted(plan, "auto", ENVIRONMENT, warm, tmp_path)
    assert list(notes_on(decided)) == ["work/one: the author's own solution fails this test."]


def test_all_tests_in_the_kernel_go_on_from_hidden_parts(warm: WarmParent, tmp_path: Path) -> None:
    plan = plan_of(TestCell("one", "x.append(2)", ""), TestCell("two", "assert x == [1, 2]", ""))
    work = trusted(plan, "kernel", ENVIRONMENT, warm, tmp_path).notebooks["work"]
    run = run_notebook(plan, work, nbformat.reads(work.solved, as_version=4), b"", warm)
    assert {result.status for result in run.tests.values()} == {"ok"}
    assert {result.trust for result in run.tests.values()} == {"kernel"}

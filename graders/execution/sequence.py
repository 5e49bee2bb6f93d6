"""Runs a notebook with its tests in full, as one kernel would: for tests that go on from what others did.

Learner code meets the hidden tests here. So nothing of this process is shown to a learner, and the results
can have been forged.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from nbformat import NotebookNode
from nbformat.notebooknode import from_dict

from graders.execution.learner import LearnerProcess, fork_learner
from graders.execution.results import Judgement, RunLimits, TestCell
from graders.execution.shared_state import test_of
from graders.execution.verdict import verdict
from graders.forkserver.client import ForkClient


def judge_in_sequence(
    notebook: NotebookNode, tests: Mapping[str, TestCell], files: bytes, warm: ForkClient, limits: RunLimits
) -> dict[int, Judgement]:
    """Return what the tests give, by place in the notebook, when all cells run in one process.

    Args:
        notebook: Repaired; it stays as it is.
        tests: By grade id.
        files: A tar of what lies beside the notebook, empty for nothing.
        warm: Where the process comes from.
        limits: Of the run.

    Raises:
        InfrastructureFault: The platform failed.
    """
    judgements = {}
    with ExitStack() as stack:
        forked = stack.enter_context(fork_learner(warm, limits, len(files)))
        learner = LearnerProcess(forked, limits)
        learner.unpack(files)
        for place, cell in enumerate(from_dict(notebook).cells):
            if cell.cell_type != "code":
                continue
            test = test_of(cell, tests)
            status = learner.run(cell, cell.source if test is None else test.full)
            if test is not None:
                if learner.is_over and not cell.outputs:
                    cell.outputs = [learner.not_run]
                judgements[place] = verdict(replace(test, trust="kernel"), cell, cell.outputs, status)
        learner.check()
    return judgements

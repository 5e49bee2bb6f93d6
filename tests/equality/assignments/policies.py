"""A course with its own configuration: late policy, preprocessors, time limit, learners' own files."""

from __future__ import annotations

from tests.equality.cells import answer, code, essay, locked_tests, notebook
from tests.equality.course import Course, Submission, assignment

_LATE_POLICY = '''
from nbgrader.plugins import BasePlugin


class PointPerDay(BasePlugin):
    """Takes a point for each day begun, and everything after a week."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        days = -(-total_seconds_late // 86400)
        if student_id == "fay":
            return None
        return score if days > 7 else days
'''

_PREPROCESSORS = '''
from nbgrader.preprocessors import NbGraderPreprocessor


class Rename(NbGraderPreprocessor):
    """Replaces what the course no longer accepts before anything runs."""

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("locked"):
            cell.source = cell.source.replace("old_name", "new_name")
        return cell, resources


class Remark(NbGraderPreprocessor):
    """Gives the notebook a mark of its own after it was run."""

    def preprocess(self, nb, resources):
        outputs = sum(len(cell.get("outputs", [])) for cell in nb.cells)
        nb.metadata["remark"] = f"{resources['nbgrader']['student']} has {outputs} outputs"
        return nb, resources
'''

_CONFIG = """
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath("late_policy.py")))
c.AssignLatePenalties.plugin_class = "late_policy.PointPerDay"
c.Execute.timeout = 3
c.Autograde.exclude_overwriting = {"own-module": ["mine.py"]}

from nbgrader.preprocessors import (
    AssignLatePenalties, CheckCellMetadata, ClearOutput, DeduplicateIds, Execute, LimitOutput,
    OverwriteCells, OverwriteKernelspec, SaveAutoGrades,
)
from course_steps import Rename, Remark

c.Autograde.sanitize_preprocessors = [
    ClearOutput, DeduplicateIds, OverwriteKernelspec, OverwriteCells, Rename, CheckCellMetadata
]
c.Autograde.autograde_preprocessors = [
    Execute, Remark, LimitOutput, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata
]
c.LimitOutput.max_lines = 5
"""

LATE = assignment(
    "late",
    notebook(
        answer(
            "a",
            """
            ### BEGIN SOLUTION
            a = 1
            ### END SOLUTION
            """,
        ),
        locked_tests("a-tests", "assert a == 1", points=5),
        answer(
            "b",
            """
            ### BEGIN SOLUTION
            b = 2
            ### END SOLUTION
            """,
        ),
        locked_tests("b-tests", "assert b == 2", points=4),
        essay("why", "Because.", points=2),
    ),
    Submission("ann", submitted_at="2026-03-01 11:59:59 UTC"),
    Submission("bob", submitted_at="2026-03-01 12:00:01 UTC"),
    Submission("cyd", {"b": "b = 3"}, submitted_at="2026-03-04 09:00:00.250000 Europe/Paris"),
    Submission("dee", submitted_at="2026-04-01 12:00:00 UTC"),
    Submission("eli", {"a": "a = 0"}, submitted_at="2026-03-07 12:00:00 UTC"),
    Submission("fay", submitted_at="2026-03-02 12:00:00 UTC"),
    Submission("gus"),
    due="2026-03-01 12:00:00 UTC",
)

OWN_STEPS = assignment(
    "own-steps",
    notebook(
        answer(
            "name",
            """
            ### BEGIN SOLUTION
            new_name = 'n'
            ### END SOLUTION
            """,
        ),
        locked_tests("name-tests", "assert new_name == 'n'", points=1),
        code("for line in range(20):\n    print(line)"),
        locked_tests("after-output", "assert line == 19", points=1),
    ),
    Submission("ann"),
    Submission("bob", {"name": "old_name = 'n'"}),
    Submission("cyd", {"name": "old_name = 'm'\nprint(old_name)"}),
)

OWN_MODULE = assignment(
    "own-module",
    notebook(
        code("import mine, given"),
        locked_tests("mine-tests", "assert mine.value() == 42", points=3),
        locked_tests("given-tests", "assert given.NAME == 'given'", points=1),
    ),
    Submission(
        "ann",
        files={
            "mine.py": """
                def value():
                    return 42

                """
        },
    ),
    Submission(
        "bob",
        files={
            "mine.py": """
                def value():
                    return 41

                """,
            "given.py": "NAME = 'other'\n",
        },
    ),
    Submission("cyd"),
    files={
        "mine.py": """
            def value():
                raise NotImplementedError

            """,
        "given.py": "NAME = 'given'\n",
    },
)

TIME_LIMIT = assignment(
    "time-limit",
    notebook(
        answer(
            "quick",
            """
            ### BEGIN SOLUTION
            found = 3
            ### END SOLUTION
            """,
        ),
        locked_tests("quick-tests", "assert found == 3", points=1),
        answer(
            "slow",
            """
            ### BEGIN SOLUTION
            slow = 1
            ### END SOLUTION
            """,
        ),
        locked_tests("slow-tests", "assert slow == 1", points=1),
        locked_tests("still-counted", "assert found == 3", points=1),
    ),
    Submission("ann", {"slow": "while True:\n    pass"}),
    Submission("bob"),
)

POLICIES = Course(
    "policies",
    (LATE, OWN_STEPS, OWN_MODULE, TIME_LIMIT),
    config=_CONFIG,
    files={"late_policy.py": _LATE_POLICY, "course_steps.py": _PREPROCESSORS},
)

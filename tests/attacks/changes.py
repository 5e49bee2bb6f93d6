"""Code that writes where it must not, and notebooks whose cells are not as their author wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tests.attacks.attack import FULL, NOTHING, WRONG, Attack, Edit

WRITE = """
import os, pathlib
def put(path, text):
    for start in ("", "/proc/1/root", "/proc/self/root", f"/proc/{os.getppid()}/root"):
        try:
            pathlib.Path(start + path).parent.mkdir(parents=True, exist_ok=True)
            with open(start + path, "a") as file:
                file.write(text)
        except OSError as error:
            print(start + path, type(error).__name__)
"""
WRITE_GRADEBOOK = """
import sqlite3
put("{course}/gradebook.db", "rubbish")
for statement in ("update grade set manual_score = 100", "delete from submitted_notebook"):
    try:
        with sqlite3.connect("{course}/gradebook.db") as gradebook:
            gradebook.execute(statement)
    except sqlite3.Error as error:
        print(error)
"""
WRITE_COURSE = """
put("{course}/nbgrader_config.py", "raise SystemExit")
put("{course}/source/ps1/work.ipynb", "rubbish")
put("{course}/release/ps1/work.ipynb", "rubbish")
for student in ("alice", "zoe"):
    put(f"{course}/submitted/{student}/ps1/work.ipynb", "rubbish")
    put(f"{course}/autograded/{student}/ps1/work.ipynb", "rubbish")
put("{course}/submitted/ghost/ps1/work.ipynb", "rubbish")
import shutil
shutil.rmtree("{course}", ignore_errors=True)
"""
WRITE_HOME = """
import site, sys
for home in {"{home}", os.path.expanduser("~root"), "/root"}:
    startup = ".ipython/profile_default/startup/00.py"
    for name in (".bashrc", startup, ".jupyter/jupyter_config.py", ".ssh/authorized_keys"):
        put(os.path.join(home, name), "raise SystemExit")
for folder in [*site.getsitepackages(), *sys.path, sys.prefix, "/etc", "/usr/lib/python3", "/usr/local/bin"]:
    for name in ("sitecustomize.py", "usercustomize.py", "spoc-attack.pth", "jupyter_config.py"):
        if folder and not folder.startswith(("/home/learner", "/tmp")):
            put(os.path.join(folder, name), "raise SystemExit")
"""
# Beside the notebook, so that they would be found before the real ones by whoever looks there first.
SHADOW = "open('{course}/shadow-was-run', 'w').close()\nraise SystemExit('shadow')\n"
SHADOWS = (
    *(
        "nbgrader/__init__.py",
        "numpy/__init__.py",
        "IPython/__init__.py",
        "graders/__init__.py",
        "course/__init__.py",
    ),
    *("json.py", "ast.py", "sitecustomize.py", "usercustomize.py", "conftest.py"),
    *(
        "nbgrader_config.py",
        "jupyter_config.py",
        "jupyter_nbconvert_config.py",
        ".ipython/profile_default/startup/0.py",
    ),
)


def _cell(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    return next(
        cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )


def _tests(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (_cell(notebook, grade_id) for grade_id in FULL)


def tags(*names: str) -> Edit:
    def edit(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            cell.metadata["tags"] = list(names)

    return edit


def said(**values: Any) -> Edit:
    """Change what the tests' metadata says to nbgrader."""

    def edit(notebook: NotebookNode) -> None:
        for cell in _tests(notebook):
            cell.metadata.nbgrader.update(values)

    return edit


def without_metadata(notebook: NotebookNode) -> None:
    for cell in _tests(notebook):
        del cell.metadata["nbgrader"]


def emptied(notebook: NotebookNode) -> None:
    """Take the locks off the tests, and their content."""
    for cell in _tests(notebook):
        cell.metadata.update(editable=True, deletable=True)
        cell.metadata.nbgrader.locked = False
        cell.source = "pass"


def with_outputs(notebook: NotebookNode) -> None:
    """Say in the outputs that all was right, and take the tests away from who would run them."""
    for cell in _tests(notebook):
        cell.outputs = [new_output("execute_result", {"text/plain": "100"}, execution_count=1)]
        cell.execution_count = 1


def retyped(kind: str) -> Edit:
    def edit(notebook: NotebookNode) -> None:
        for cell in _tests(notebook):
            cell.cell_type = kind
            for name in ("outputs", "execution_count"):
                cell.pop(name, None)

    return edit


def deleted(notebook: NotebookNode) -> None:
    tests = list(_tests(notebook))
    notebook.cells = [cell for cell in notebook.cells if not any(cell is test for test in tests)]


def swapped(notebook: NotebookNode) -> None:
    """Let an easy test stand where a hard one is expected: under its name."""
    double, shout = _cell(notebook, "double-tests"), _cell(notebook, "shout-tests")
    double.metadata.nbgrader.grade_id, shout.metadata.nbgrader.grade_id = "shout-tests", "double-tests"
    double.source, shout.source = "pass", "pass"


def reversed_order(notebook: NotebookNode) -> None:
    notebook.cells.reverse()


def duplicated(*, first: bool) -> Edit:
    """Put an empty copy of each test before or behind it."""

    def edit(notebook: NotebookNode) -> None:
        for cell in list(_tests(notebook)):
            copy = deepcopy(cell)
            copy.source, copy.id = "pass", f"copy-{cell.id}"
            notebook.cells.insert(notebook.cells.index(cell) + (0 if first else 1), copy)

    return edit


def split(notebook: NotebookNode) -> None:
    for cell in list(_tests(notebook)):
        rest = new_code_cell(cell.source)
        cell.source = ""
        notebook.cells.insert(notebook.cells.index(cell) + 1, rest)


def merged(notebook: NotebookNode) -> None:
    """Put each test into the answer before it."""
    for name in ("double", "shout"):
        answer, test = _cell(notebook, name), _cell(notebook, f"{name}-tests")
        answer.source += "\n" + test.source
        notebook.cells.remove(test)


def as_answers(notebook: NotebookNode) -> None:
    """Say that the tests are answers, which are taken as they come."""
    for cell in _tests(notebook):
        cell.metadata.nbgrader.solution = True
        cell.source = "pass"


def stolen_name(notebook: NotebookNode) -> None:
    """Give an own cell, which runs before all others, the names of the tests."""
    for place, cell in enumerate(list(_tests(notebook))):
        own = new_code_cell("pass", metadata={"nbgrader": deepcopy(cell.metadata.nbgrader)})
        own.metadata.nbgrader.update(locked=False, checksum="0" * 32)
        notebook.cells.insert(place, own)


def of_kernel(name: str) -> Edit:
    def edit(notebook: NotebookNode) -> None:
        notebook.metadata["kernelspec"] = {"name": name, "display_name": name, "language": "bash"}
        notebook.metadata["language_info"] = {"name": "bash"}

    return edit


def both(name: str, edit: Edit) -> tuple[Attack, Attack]:
    """Return the same change to a notebook with wrong and with right solutions."""
    return (
        Attack(name=f"{name}-wrong", answers=WRONG, edit=edit, scores=NOTHING),
        Attack(name=f"{name}-right", edit=edit),
    )


WRITES = (
    Attack(name="gradebook", last=WRITE + WRITE_GRADEBOOK),
    Attack(name="course", last=WRITE + WRITE_COURSE),
    Attack(name="home", last=WRITE + WRITE_HOME),
    Attack(name="shadows", files=dict.fromkeys(SHADOWS, SHADOW)),
)
CHANGES: Sequence[Attack] = (
    *both("skip", tags("skip-execution")),
    *both("raises", tags("raises-exception")),
    *both("hide", tags("remove_cell", "hide-input", "injected-parameters")),
    *both("points", said(points=1000.0)),
    *both("points-nan", said(points=float("nan"))),
    *both("points-inf", said(points=float("inf"))),
    *both("points-below", said(points=-1.0)),
    *both("points-text", said(points="all")),
    *both("ungraded", said(grade=False, locked=False)),
    *both("as-task", said(task=True, points=100.0)),
    *both("unnamed", said(grade_id="")),
    *both("misnamed", said(grade_id="'; drop table grade; --")),
    *both("named-object", said(grade_id={"a": 1})),
    *both("schema", said(schema_version=99)),
    *both("types", said(cell_type="markdown")),
    *both("checksum", said(checksum="0" * 32)),
    *both("metadata", without_metadata),
    *both("emptied", emptied),
    *both("outputs", with_outputs),
    *both("markdown", retyped("markdown")),
    *both("raw", retyped("raw")),
    *both("deleted", deleted),
    *both("swapped", swapped),
    *both("copied-first", duplicated(first=True)),
    *both("copied-behind", duplicated(first=False)),
    *both("split", split),
    *both("merged", merged),
    *both("as-answers", as_answers),
    *both("stolen-name", stolen_name),
    *both("reversed", reversed_order),
    *both("kernel", of_kernel("bash")),
)

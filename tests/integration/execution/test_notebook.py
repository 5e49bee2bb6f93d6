"""A notebook runs with its files and in its course, and stays what it is."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from graders.execution.results import RunLimits, TestCell
from graders.execution.run import execute_notebook
from graders.execution.status import InfrastructureFault
from graders.forkserver.environment import WarmEnvironment
from graders.forkserver.parent import WarmParent
from tests.integration.execution.notebooks import Execute, marked_cell, text


def test_files_beside_the_notebook_are_there(execute: Execute) -> None:
    executed = execute("open('data/a.csv').read()", files=tar({"data/a.csv": b"1,2"}))
    assert executed.seen.cells[-1].outputs[0].data["text/plain"] == "'1,2'"


def test_files_that_cannot_be_unpacked_are_no_fault_of_the_learner(execute: Execute) -> None:
    with pytest.raises(InfrastructureFault):
        execute("1", files=b"no tar")


def test_the_course_is_offered_where_its_extension_is_loaded() -> None:
    environment = WarmEnvironment(extensions=("extensions.kernel.extension",))
    notebook = new_notebook(
        cells=[new_code_cell("spoc"), new_code_cell("spoc.quiz('q')"), new_code_cell("%who")]
    )
    with WarmParent(environment, roles={"cells": "graders.execution.cells"}) as parent:
        executed = execute_notebook(notebook, {}, b"", parent, RunLimits(), None)
    offer, quiz, names = executed.seen.cells
    assert "spoc.submit()" in offer.outputs[0].data["text/plain"]
    assert "Quiz" in quiz.outputs[0].data["text/plain"]
    assert text(names) == "Interactive namespace is empty.\n"


def test_text_that_no_file_can_hold_is_replaced(execute: Execute) -> None:
    executed = execute("print('\\ud800')")
    str(executed.seen).encode()
    assert "\ufffd" in text(executed.seen.cells[1])


def test_leaving_a_kernel_in_the_middle_does_not_end_the_notebook(execute: Execute) -> None:
    executed = execute("exit()", "quit", "2")
    assert executed.seen.cells[3].outputs[0].data["text/plain"] == "2"


def test_the_notebook_that_was_given_stays_as_it_is(warm: WarmParent) -> None:
    notebook = new_notebook(cells=[new_code_cell("print(1)"), marked_cell("t")])
    before = str(notebook)
    execute_notebook(notebook, {"t": TestCell("t", "2", "")}, b"", warm, RunLimits(), None)
    assert str(notebook) == before


def test_graded_and_seen_share_nothing_that_can_be_changed(execute: Execute) -> None:
    executed = execute("print(1)")
    executed.graded.cells[1].outputs[0].text = "changed"
    assert text(executed.seen.cells[1]) == "1\n"


def tar(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return content.getvalue()

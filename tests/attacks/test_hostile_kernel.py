"""A kernel of its own, taken over by the code in it: who grades is not kept from going on."""

from __future__ import annotations

from time import monotonic

from nbformat.v4 import new_code_cell, new_notebook

from graders.execution.kernel import execute_in_kernel
from graders.execution.results import RunLimits, TestCell
from graders.forkserver.limits import ProcessLimits

LIMITS = RunLimits(cell_seconds=3, notebook_seconds=20, process=ProcessLimits(cpu_seconds=120))
RUN_SECONDS = 60
"""For a run that keeps to its time, on a busy machine; shorter than what a kernel may use."""
FLOOD_OF_REPLIES = """
kernel = get_ipython().kernel
session, send = kernel.session, kernel.session.send
request = kernel.get_parent("shell")
other = {"header": {**request["header"], "msg_id": "another"}}

def flood(stream, kind, *words, **named):
    if kind != "execute_reply":
        return send(stream, kind, *words, **named)
    idle = {"execution_state": "idle"}
    send(kernel.iopub_socket, "status", idle, parent=request, ident=kernel._topic("status"))
    while True:
        send(stream, "execute_reply", {"status": "ok"}, parent=other, ident=named["ident"])

session.send = flood
"""


def test_replies_to_nothing_that_was_asked_do_not_keep_a_run_from_its_end() -> None:
    marks = {"grade_id": "test", "points": 1, "grade": True, "locked": True, "solution": False, "task": False}
    test = new_code_cell("assert 1", metadata={"nbgrader": marks})
    notebook = new_notebook(cells=[new_code_cell(FLOOD_OF_REPLIES), test])
    begun = monotonic()
    executed = execute_in_kernel(
        notebook, {"test": TestCell("test", "assert 1", "assert 1")}, b"", "python3", LIMITS
    )
    assert executed.tests["test"].status != "ok"
    assert monotonic() - begun < RUN_SECONDS

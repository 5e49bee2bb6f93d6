"""Runs a test beside the learner's code, in a copy of the learner's process as it was at the test."""

from __future__ import annotations

import socket

from nbformat import NotebookNode

from graders.execution.conversation import Conversation, Stopped
from graders.execution.outputs import NotebookOutputs
from graders.execution.results import Judgement, RunLimits, TestCell
from graders.execution.status import KERNEL_DIED, OUT_OF_TIME, RunStatus, fault
from graders.execution.verdict import verdict
from graders.forkserver.channel import Channel


def judge_in_snapshot(
    test: TestCell, cell: NotebookNode, connection: socket.socket, limits: RunLimits
) -> Judgement:
    """Return what the full test gives in a snapshot. Learner code can have forged it.

    Args:
        test: The test.
        cell: Its cell, with nbgrader's metadata.
        connection: To the snapshot; the caller closes it.
        limits: Of a cell. The snapshot interrupts itself in time; whether it does is the learner's to say.
    """
    outputs: list[NotebookNode] = []
    collected = NotebookOutputs()
    collected.begin(outputs)
    status: RunStatus
    with Channel(connection.dup()) as channel:
        talk = Conversation(channel, limits, ended=lambda _seconds: None, interrupt=lambda: None)
        try:
            status = talk.run(test.full, "test", limits.cell_seconds, collected).status
        except Stopped as stopped:
            status = stopped.status
            name = OUT_OF_TIME if status == "time" else KERNEL_DIED
            outputs.insert(0, fault(name, stopped.reason))
    return verdict(test, cell, outputs, status)

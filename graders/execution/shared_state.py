"""The state in which a notebook ends, for all tests to which it is the state at their place."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain

from nbformat import NotebookNode

from graders.execution.folder_state import FILES
from graders.execution.learner import LearnerProcess, StateLost
from graders.execution.needs import names_left, names_needed
from graders.execution.results import TestCell
from graders.execution.tameness import is_tame
from graders.forkserver.channel import BadMessage, Channel, ChannelClosed

LOOK_SECONDS = 2
"""For a state to say that it is as it was, when a test has looked at it."""
_KEPT = 4096

_needed = lru_cache(_KEPT)(names_needed)
_left = lru_cache(_KEPT)(names_left)
_is_tame = lru_cache(_KEPT)(lambda source: is_tame((source,)))


def test_of(cell: NotebookNode, tests: Mapping[str, TestCell]) -> TestCell | None:
    """Return the test that stands in a cell, None for a cell of the learner's."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    return tests.get(grade_id) if isinstance(grade_id, str) else None


def needs_of_late_tests(
    cells: Iterable[NotebookNode], tests: Mapping[str, TestCell]
) -> dict[str, frozenset[str]]:
    """Return the tests that can wait for the notebook's end, with the names that they may look up by then.

    Args:
        cells: Of a submission.
        tests: By grade id.
    """
    code = [(cell, test_of(cell, tests)) for cell in cells if cell.cell_type == "code"]
    late = [test for _, test in code if test is not None and test.at_end]
    if not late or not all(_is_tame(cell.source if test is None else test.visible) for cell, test in code):
        return {}
    needs: dict[str, frozenset[str]] = {}
    before: list[tuple[frozenset[str], frozenset[str]]] = []
    for test in (test for _, test in code if test is not None):
        needed = _needed(test.full)
        if needed is None:
            # Whatever it defines, later tests may call.
            break
        if test.at_end and test.trust == "referee":
            needs[test.grade_id] = _with_those_of_earlier_tests(needed, before)
        before.append((needed, _left(test.full)))
    return needs


def _with_those_of_earlier_tests(
    needed: frozenset[str], before: Iterable[tuple[frozenset[str], frozenset[str]]]
) -> frozenset[str]:
    """Return also the names of tests from which something is used: their functions look them up when called.

    Args:
        needed: By the test.
        before: By each earlier test, and what it leaves.
    """
    others = set(before)
    all_left = frozenset[str]().union(*(left for _, left in others))
    used = needed & all_left
    # Who changes an object that another test has left leaves something there as well.
    while more := {each for each in others if used & (each[0] | each[1])}:
        others -= more
        needed = needed.union(*(names for names, _ in more))
        used |= all_left.intersection(chain.from_iterable(names | left for names, left in more))
    return needed


def unsteady(
    marks: Iterable[tuple[str, frozenset[str]]], changed: Sequence[frozenset[str]]
) -> frozenset[str]:
    """Return the tests whose state at their place is not that of the notebook's end.

    Args:
        marks: Grade id and needed names at each mark, in order.
        changed: What the process says of each mark.

    Raises:
        StateLost: It speaks of other marks.
    """
    try:
        return frozenset(
            grade_id
            for (grade_id, needed), names in zip(marks, changed, strict=True)
            if needed & names or FILES in names
        )
    except ValueError:
        raise StateLost from None


class SharedState:
    """Lends the state in which a notebook has ended to one test after another.

    A copy of it serves them for as long as it says that nothing has changed in it. Whatever a test does to
    it, or it to itself, the next test gets a new copy, as it would have had a copy of its own.

    Args:
        learner: Whose state it is. It has run all of its cells.
    """

    def __init__(self, learner: LearnerProcess) -> None:
        self._learner = learner
        self._copy: Channel | None = None

    @contextmanager
    def lent(self) -> Iterator[socket.socket]:
        """Give a connection to the state, for one test.

        Raises:
            StateLost: It is gone.
        """
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._send(theirs.fileno())
            yield ours
        self._keep_if_same()

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    def _send(self, descriptor: int) -> None:
        for _ in range(2):
            if self._copy is None:
                self._copy = Channel(self._learner.share())
            try:
                self._copy.send({"op": "inspect"}, fds=(descriptor,), timeout=LOOK_SECONDS)
                return
            except (ChannelClosed, TimeoutError):
                self.close()
        raise StateLost

    def _keep_if_same(self) -> None:
        assert self._copy is not None
        try:
            answer = self._copy.receive(LOOK_SECONDS).header
        except (ChannelClosed, BadMessage, TimeoutError):
            answer = {}
        if answer != {"op": "looked", "same": True}:
            self.close()

"""Grading processes are killed, again and again, while a cohort is graded: what do scores say afterwards?"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from pathlib import Path
from random import Random

from benchmarks.cohort import ASSIGNMENT, kind_of, students_of
from benchmarks.resident import ResidentEngine, resident_engine
from graders.engine.course import Choices
from tests.equality.rows import Grade, autograded_files, gradebook_rows

PAUSE_SECONDS = 0.1
SEED = 7


def right_scores_after_kills(course: Path, kills: int) -> int:
    """Return how many submissions have every score right, once each, after so many grading processes died.

    Right is what the same work gets undisturbed; that is graded first, a few of each kind.

    Raises:
        RuntimeError: All was graded before enough processes were killed.
    """
    students = students_of(course)
    with resident_engine(course, ASSIGNMENT, Choices()) as engine:
        expected = _expected(course, engine, students)
        done = threading.Event()
        killed: list[int] = []
        killer = threading.Thread(target=_kill, args=(engine, kills, killed, done))
        killer.start()
        try:
            engine.grade(students)
        finally:
            done.set()
            killer.join()
    if len(killed) < kills:
        raise RuntimeError(
            f"only {len(killed)} of {kills} processes could be killed while {course} was graded"
        )
    scores, files = _scores(course), Counter(Path(name).parts[0] for name in autograded_files(course))
    return sum(scores[student] == expected[kind_of(student)] and files[student] == 1 for student in students)


def _expected(
    course: Path, engine: ResidentEngine, students: list[str]
) -> dict[int, list[tuple[str, float | None]]]:
    one_of_each = {kind_of(student): student for student in students}
    engine.grade(sorted(one_of_each.values()))
    scores = _scores(course)
    return {kind: scores[student] for kind, student in one_of_each.items()}


def _scores(course: Path) -> dict[str, list[tuple[str, float | None]]]:
    found: dict[str, list[tuple[str, float | None]]] = {}
    for (_, (_, student, _, cell)), row in sorted(gradebook_rows(course).items()):
        if isinstance(row, Grade):
            found.setdefault(student, []).append((cell, row.auto_score))
    return found


def _kill(engine: ResidentEngine, kills: int, killed: list[int], done: threading.Event) -> None:
    choose = Random(SEED)  # noqa: S311 -- it only has to differ
    while len(killed) < kills and not done.wait(PAUSE_SECONDS):
        alive = [pid for pid in engine.pool.pids if pid not in killed]
        if alive:
            victim = choose.choice(alive)
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

"""Honest learners and attackers in one small course, and one run of `spoc grade run` over all of them."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook

from graders.forkserver.system_calls import PR_SET_CHILD_SUBREAPER
from tests.attacks.attack import (
    ANSWER_WORD,
    ASSIGNMENT,
    FULL,
    GRADEBOOK_WORD,
    HOME_WORD,
    NOTEBOOK,
    TOKEN_WORD,
    WORK,
    Attack,
)
from tests.attacks.processes import descendants
from tests.equality.cells import essay, notebook, text
from tests.equality.course import COURSE_ID, Assignment, Course, Submission, assignment, write_course
from tests.equality.rows import gradebook_rows
from tests.waiting import wait_until

NEIGHBOURS = ("alice", "zoe")
"""Honest learners, whose names come before and after those of all attackers."""
RUN_SECONDS = 150
GONE_SECONDS = 10
"""For the last processes of a run to be gone from the machine's list."""


@dataclass(frozen=True)
class Place:
    """Where a course is, and what an attacker may know of it; `home` is the trainer's."""

    folder: Path
    home: Path

    @property
    def submitted(self) -> Path:
        return self.folder / "submitted"


@dataclass(frozen=True)
class Graded:
    """What a run left."""

    place: Place
    exit_code: int
    log: str
    report: Mapping[str, Any]
    scores: Mapping[str, Mapping[str, float | None]]
    """By student and cell."""
    changed: Sequence[str]
    """Files that are not as they were, beside those that grading writes."""
    left_running: frozenset[int]

    def folder_of(self, student: str) -> Path:
        return self.place.folder / "autograded" / student / ASSIGNMENT

    def outputs_of(self, student: str) -> str:
        """Return as text what a student's cells have shown in the graded notebook."""
        graded = nbformat.read(self.folder_of(student) / f"{NOTEBOOK}.ipynb", as_version=4)
        return json.dumps([cell.outputs for cell in graded.cells if cell.cell_type == "code"], indent=1)

    def scores_of(self, attack: Attack) -> Mapping[str, float | None]:
        """Return what an attacker's tests have given."""
        return {cell: score for cell, score in self.scores.get(attack.student, {}).items() if cell in FULL}

    def line_of(self, student: str) -> Mapping[str, Any]:
        """Return what the report says about a student."""
        (line,) = [line for line in self.report["submissions"] if line["student"] == student]
        return line


def grade(attacks: Sequence[Attack], folder: Path, config: str = "") -> Graded:
    """Grade a batch: all attackers, between two honest neighbours.

    Args:
        attacks: Their submissions.
        folder: An empty folder to make the course in.
        config: What the course's configuration says beside its name.
    """
    place = Place(folder / "course", folder / "home")
    _write_home(place.home)
    neighbours = [Submission(name, {"explain": f"Because. {ANSWER_WORD}"}) for name in NEIGHBOURS]
    in_place = [attack.told({"course": str(place.folder), "home": str(place.home)}) for attack in attacks]
    made = assignment(ASSIGNMENT, {NOTEBOOK: WORK}, *neighbours, *(each.submission for each in in_place))
    write_course(Course("attacked", [made, _former_assignment()], config), place.folder)
    for attack in in_place:
        if attack.tamper is not None:
            attack.tamper(place.submitted / attack.student / ASSIGNMENT)
    _grade_by_hand(place.folder)
    before = state_of(folder)
    with _orphans_stay_ours():
        processes = descendants()
        ended = _spoc("grade", "run", ASSIGNMENT, place=place)
        left = _still_there(processes)
    after = state_of(folder)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return Graded(
        place,
        ended.returncode,
        ended.stderr,
        json.loads(ended.stdout or '{"submissions": []}'),
        _scores(place.folder),
        [name for name in changed if not _is_written_by_grading(name)],
        left,
    )


def state_of(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return by path the mode, the owner and the content of everything below a folder; follows no link."""
    return {str(path.relative_to(folder)): _state(path) for path in sorted(folder.rglob("*"))}


def former_rows(folder: Path) -> dict[Any, Any]:
    """Return the rows of the assignment that was graded before, and of its learner."""
    return {place: row for place, row in gradebook_rows(folder).items() if place[1][0] == "ps0"}


def _former_assignment() -> Assignment:
    """An assignment that is graded already, by hand too: what a forger of the gradebook would go for."""
    former = notebook(text("# Before"), essay("why", "Because.", points=2))
    return assignment("ps0", {"before": former}, Submission("alice", {"why": "I do not know."}))


def _grade_by_hand(folder: Path) -> None:
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", COURSE_ID) as gradebook:
        gradebook.add_student("alice")
        gradebook.add_submission("ps0", "alice")
        grade = gradebook.find_grade("why", "before", "ps0", "alice")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.find_comment("why", "before", "ps0", "alice").manual_comment = GRADEBOOK_WORD
        gradebook.db.commit()


def _write_home(home: Path) -> None:
    for name in (".ssh/id_ed25519", ".jupyter/jupyter_server_config.json", ".netrc", ".bashrc"):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}" if path.suffix == ".json" else f"# {HOME_WORD}\n")


def _spoc(*words: str, place: Place) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hub_config.cli", *words]
    return subprocess.run(
        [*command, "--course-dir", str(place.folder), "--trust", "auto", "--jobs", "2", "--json"],
        cwd=place.folder,
        env={**os.environ, "HOME": str(place.home), "JUPYTERHUB_API_TOKEN": TOKEN_WORD},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def _scores(folder: Path) -> dict[str, dict[str, float | None]]:
    scores: dict[str, dict[str, float | None]] = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", COURSE_ID) as gradebook:
        for submission in gradebook.assignment_submissions(ASSIGNMENT):
            grades = [grade for each in submission.notebooks for grade in each.grades]
            scores[submission.student.id] = {grade.name: grade.auto_score for grade in grades}
    return scores


def _state(path: Path) -> tuple[int, int, str]:
    status = path.lstat()
    content = ""
    if stat.S_ISREG(status.st_mode) and status.st_size < 1 << 24:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    elif stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)
    return status.st_mode, status.st_uid, content


def _is_written_by_grading(name: str) -> bool:
    parts = Path(name).parts
    if parts[0] == "home":
        # The directories of caches that any Python program of a trainer's makes.
        return parts[1:2] in ((".cache",), (".local",), (".ipython",), (".config",))
    return (
        len(parts) == 1
        or parts[1] in ("autograded", ".grading", ".spoc")
        or parts[1].startswith("gradebook.db")
    )


@contextmanager
def _orphans_stay_ours() -> Iterator[None]:
    """Be the parent of whatever loses its own below this process, so that it can be seen."""
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _still_there(before: frozenset[int]) -> frozenset[int]:
    try:
        wait_until(lambda: descendants() <= before, GONE_SECONDS)
    except TimeoutError:
        return descendants() - before
    return frozenset()

"""From a submission to feedback: real store, real worker, real gradebook, real processes in the sandbox."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from course.database import Database
from course.events import Event, EventStore
from course.grading import GradingQueue
from course.quiz import QuizBank
from course.quiz.model import Question
from course.submissions import Submission
from graders.execution.results import RunLimits
from graders.worker import Grader, Limits
from hub_config.settings import SAMPLE_MODULES_DIR
from tests.handing_in import EXERCISE, MODULE, Deployment, cell_of, deploy, edited, with_code
from tests.processes import descendants
from tests.waiting import wait_until

# nbgrader adds a submission to its gradebook while a query is on the way.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

LEARNERS = ("ada", "ben", "cleo", "dan", "eve")
LIMITS = Limits(submission_seconds=90, run=RunLimits(cell_seconds=3, notebook_seconds=40))
STUBBORN_LOOP = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    pass
"""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    members = [f"{name},{name.title()} Example,,learner" for name in LEARNERS]
    return deploy(tmp_path_factory.mktemp("grading"), *members, "tia,Tia Trainer,,trainer")


@pytest.fixture(scope="module")
def grader(deployment: Deployment) -> Iterator[Grader]:
    grader = Grader(deployment.state, SAMPLE_MODULES_DIR, "en", LIMITS)
    with grader.alone():
        yield grader
    grader.close()


def graded(deployment: Deployment, grader: Grader, learner: str, folder: Path) -> Submission:
    """Submit `folder` and return the submission after the worker had it."""
    submission = deployment.hand_in(learner, folder)
    while grader.work():
        pass
    return deployment.now(submission)


def points_of(deployment: Deployment, submission: Submission) -> dict[str, float | None]:
    return {cell.cell: cell.points for cell in deployment.feedback(submission).cells}


def hidden_lines(deployment: Deployment) -> set[str]:
    """Return the lines that only the hidden tests have."""
    notebook = nbformat.read(deployment.source_dir / "exercises.ipynb", as_version=4)
    release = "\n".join(
        cell.source for cell in nbformat.read(deployment.release_dir / "exercises.ipynb", as_version=4).cells
    )
    regions = re.findall(
        r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS",
        "\n".join(cell.source for cell in notebook.cells),
        re.DOTALL,
    )
    lines = {line.strip() for region in regions for line in region.splitlines()}
    return {line for line in lines if len(line) > 20 and line not in release}


def test_a_correct_solution_gets_every_automatic_point(deployment: Deployment, grader: Grader) -> None:
    submission = graded(deployment, grader, "ada", deployment.source_dir)
    assert (submission.state, submission.problem) == ("graded", "")
    document = deployment.feedback(submission)
    tests = [cell for cell in document.cells if cell.kind == "tests"]
    assert len(tests) >= 4
    assert [cell for cell in tests if cell.points != cell.max_points or cell.message] == []
    assert [cell.points for cell in document.cells if cell.kind == "written"] == [None]
    assert not document.complete
    assert document.points == sum(cell.max_points for cell in tests)
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        found = gradebook.find_submission(MODULE, "ada")
        assert (found.score, found.needs_manual_grade) == (document.points, True)
        assert found.student.first_name == "Ada"


LOCKING = """
import signal
import sys
from pathlib import Path
from graders.engine.locks import SubmissionLocks
with SubmissionLocks(Path(sys.argv[1])) as locks:
    print(locks.take(*sys.argv[2:]), flush=True)
    signal.pause()
"""


def test_what_another_process_works_on_keeps_nobody_else_waiting(
    deployment: Deployment, grader: Grader
) -> None:
    command = [sys.executable, "-c", LOCKING, str(deployment.state.course_dir), MODULE, "ada"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        locked = deployment.hand_in("ada", deployment.source_dir)
        assert graded(deployment, grader, "ben", deployment.release_dir).state == "graded"
        now = deployment.now(locked)
        assert (now.state, now.claims) == ("received", 0)
        other.kill()
    grader.work_off()
    assert deployment.now(locked).state == "graded"


def test_what_is_to_be_graded_again_while_its_feedback_is_written_gets_both(
    deployment: Deployment, grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = graded(deployment, grader, "cleo", deployment.source_dir)
    feedback_due = GradingQueue.feedback_due

    def due_and_asked_for(queue: GradingQueue, now: datetime) -> tuple[Submission, ...]:
        found = feedback_due(queue, now)
        for each in found:
            queue.grade_again(each.id)
        return found

    monkeypatch.setattr(GradingQueue, "feedback_due", due_and_asked_for)
    with closing(Database(deployment.state.database_url)) as database:
        GradingQueue(database).release_marks(MODULE, "cleo")
        grader.work_off()
        assert not GradingQueue(database).feedback_due(datetime.now(UTC))
    after = deployment.now(submission)
    assert (after.state, after.claims, after.points) == ("graded", 1, submission.points)
    assert after.feedback_at == deployment.feedback(submission).graded_at


def test_an_untouched_assignment_gets_nothing_and_says_why(deployment: Deployment, grader: Grader) -> None:
    submission = graded(deployment, grader, "ben", deployment.release_dir)
    document = deployment.feedback(submission)
    assert (submission.points, document.points, document.complete) == (0, 0, True)
    assert all(cell.message for cell in document.cells if cell.kind != "quiz")


def test_the_reason_of_a_failed_test_is_told(deployment: Deployment, grader: Grader, tmp_path: Path) -> None:
    def break_it(notebook: NotebookNode) -> None:
        cell = cell_of(notebook, EXERCISE)
        cell.source += "\ndef tidy_columns(*args):\n    raise ValueError('wrong turn <script>')\n"

    submission = graded(deployment, grader, "cleo", edited(deployment.source_dir, tmp_path / "a", break_it))
    cells = {cell.cell: cell for cell in deployment.feedback(submission).cells}
    failed = cells[f"{EXERCISE}-tests"]
    assert failed.points == 0
    assert failed.message
    assert cells["parse-amounts-tests"].points == cells["parse-amounts-tests"].max_points
    assert "<script" not in deployment.page(submission)


def test_nothing_that_code_prints_or_raises_shows_hidden_tests(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    spy = """
import base64, builtins, inspect
class Spy(Exception): pass
def leak(*args, **kwargs):
    frames = [frame.frame.f_globals.get("In", []) for frame in inspect.stack()]
    text = "".join(str(cells) for cells in frames if cells)
    print(text); print(base64.b64encode(text.encode()).decode())
    raise Spy(text)
tidy_columns = leak
"""

    def spy_on_tests(notebook: NotebookNode) -> None:
        cell_of(notebook, EXERCISE).source = spy
        notebook.cells.append(nbformat.v4.new_code_cell("for source in In: print(source)"))

    submission = graded(
        deployment, grader, "cleo", edited(deployment.release_dir, tmp_path / "a", spy_on_tests)
    )
    assert submission.state == "graded"
    hidden = hidden_lines(deployment)
    assert len(hidden) > 5
    folder = deployment.state.feedback_dir / str(submission.id)
    told = "\n".join(path.read_text() for path in folder.iterdir())
    assert [line for line in hidden if line in told] == []
    assert "HIDDEN" not in told


def test_a_kernel_that_ends_in_the_run_without_hidden_tests_shows_none_of_the_first_run(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    spy = """
import os
from IPython import get_ipython
begins = "BEGIN " + "HIDDEN"
def spy(info):
    if begins in info.raw_cell:
        print(info.raw_cell)
    elif "tidy_columns(" in info.raw_cell and "assert" in info.raw_cell:
        os._exit(0)
get_ipython().events.register("pre_run_cell", spy)
"""

    def spy_on_tests(notebook: NotebookNode) -> None:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(spy))

    folder = edited(deployment.source_dir, tmp_path / "a", spy_on_tests)
    submission = graded(deployment, grader, "cleo", folder)
    assert submission.state == "graded"
    feedback = deployment.state.feedback_dir / str(submission.id)
    told = "\n".join(path.read_text() for path in feedback.iterdir())
    assert "Not run." in told, "the second run ended where the attack wants it to"
    assert [line for line in hidden_lines(deployment) if line in told] == []
    seen = nbformat.read(feedback / "exercises.ipynb", as_version=4)
    unrun = [
        cell for cell in seen.cells if any(out.get("ename") == "NotRun" for out in cell.get("outputs", ()))
    ]
    assert unrun
    assert all(len(cell.outputs) == 1 for cell in unrun)


def test_code_that_is_graded_reaches_nothing_but_its_own_files(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    places = [
        deployment.state.root,
        deployment.state.gradebook_url.removeprefix("sqlite:///"),
        deployment.state.database_url.removeprefix("sqlite:///"),
        deployment.state.course_dir / "source" / MODULE / "exercises.ipynb",
        deployment.state.submissions_dir,
        deployment.state.course_dir / "submitted" / "ada",
        SAMPLE_MODULES_DIR / MODULE / "quiz.yaml",
        "/etc/shadow",
    ]
    # The words are put together so that they stand in the output only, not in the source.
    probe = f"""
import os, pathlib, socket, sys
reached, closed = "REA" + "CHED", "clo" + "sed"
for place in {[str(place) for place in places]!r}:
    path = pathlib.Path(place)
    try:
        print(reached, place, os.listdir(path) if path.is_dir() else path.read_bytes()[:1])
    except OSError:
        print(closed)
try:
    socket.create_connection(("1.1.1.1", 53), timeout=1)
    print(reached, "the network")
except OSError:
    print(closed)
notebooks = [*pathlib.Path("/srv").rglob("*.ipynb"), *pathlib.Path("/home").rglob("*.ipynb")]
# Packages bring samples of their own where the environment lies in a home.
print("notebooks", [path for path in notebooks if not path.is_relative_to(sys.prefix)])
print("secrets", [name for name in os.environ if "TOKEN" in name or "SPOC" in name or "HUB" in name])
"""
    folder = edited(deployment.source_dir, tmp_path / "a", with_code(probe))
    submission = graded(deployment, grader, "dan", folder)
    page = deployment.page(submission)
    assert "REACHED" not in page
    assert page.count("closed\n") == len(places) + 1
    assert "notebooks []" in page
    assert "secrets []" in page
    assert points_of(deployment, submission)[f"{EXERCISE}-tests"] == 2


def test_code_that_is_graded_locks_no_file_and_works_all_the_same(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    probe = """
import fcntl, io, struct, sys
import matplotlib.pyplot as plt
import pandas as pd
shared = open(sys.executable, "rb")
record = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 1, 0)
attempts = {
    "lockf": lambda: fcntl.lockf(shared, fcntl.LOCK_SH | fcntl.LOCK_NB),
    "flock": lambda: fcntl.flock(shared, fcntl.LOCK_SH | fcntl.LOCK_NB),
    "waiting lock": lambda: fcntl.fcntl(shared, fcntl.F_SETLKW, record),
    "open file lock": lambda: fcntl.fcntl(shared, 37, record),
    "waiting open file lock": lambda: fcntl.fcntl(shared, 38, record),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except PermissionError:
        print(name, "is", "re" + "fused")
pd.DataFrame({"a": [1, 2]}).plot()
plt.title("drawn")
plt.savefig(io.BytesIO())
print("wor" + "king", pd.read_csv(io.StringIO("a,b")).columns.tolist())
"""
    folder = edited(deployment.source_dir, tmp_path / "a", with_code(probe))
    submission = graded(deployment, grader, "dan", folder)
    page = deployment.page(submission)
    assert page.count("is refused") == 5
    assert "working [&#39;a&#39;, &#39;b&#39;]" in page
    assert points_of(deployment, submission)[f"{EXERCISE}-tests"] == 2


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os; os._exit(1)", "kernel stopped"),
        ("while True: pass", "too long"),
        (STUBBORN_LOOP, "too long"),
    ],
    ids=["kills its kernel", "loops", "loops and ignores the interrupt"],
)
def test_a_notebook_that_stops_its_kernel_is_graded_and_passes_nothing_more(
    deployment: Deployment, grader: Grader, tmp_path: Path, code: str, message: str
) -> None:
    good = deployment.hand_in("ada", deployment.source_dir)
    folder = edited(deployment.source_dir, tmp_path / "a", with_code(code, "large-open-lines"))
    bad = deployment.hand_in("eve", folder)
    while grader.work():
        pass
    bad, good = deployment.now(bad), deployment.now(good)
    assert (bad.state, good.state) == ("graded", "graded")
    points = points_of(deployment, bad)
    assert points[f"{EXERCISE}-tests"] == 2, "what came before still counts"
    assert points["large-open-lines-tests"] == 0
    assert message in deployment.page(bad)
    assert points_of(deployment, good)["large-open-lines-tests"] == 2


def identities(notebook: NotebookNode) -> list[tuple[str, str, str]]:
    """Return by what nbgrader knows each cell: its id, name and checksum."""
    known = [(cell.id, cell.metadata.get("nbgrader", {})) for cell in notebook.cells]
    return [(cell, given.get("grade_id", ""), given.get("checksum", "")) for cell, given in known]


def test_what_a_trainer_opens_holds_no_script_of_the_learner_and_the_marks_are_the_same(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    attack = """
from IPython.display import HTML, SVG, Javascript, Markdown, display
for kind in (HTML, Markdown):
    display(kind("<scr" + "ipt>attack()</scr" + "ipt><img src=x on" + "error=attack()>"))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' on" + "load='attack()'/>"))
display(Javascript("attack()"))
"""

    def arm(notebook: NotebookNode) -> None:
        with_code(attack)(notebook)
        cell_of(notebook, "explain-missing").source = "<img src=x onerror=attack()> [x](javascript:attack())"

    autograded = deployment.state.course_dir / "autograded" / "dan" / MODULE / "exercises.ipynb"
    plain = points_of(deployment, graded(deployment, grader, "dan", deployment.source_dir))
    known = identities(nbformat.read(autograded, as_version=4))
    submission = graded(deployment, grader, "dan", edited(deployment.source_dir, tmp_path / "a", arm))
    assert points_of(deployment, submission) == plain
    text = autograded.read_text()
    for trace in (
        "<script",
        "onerror=",
        "onload",
        "javascript:",
        "application/javascript",
        'image/svg+xml":',
    ):
        assert trace not in text.lower(), trace
    assert identities(nbformat.read(autograded, as_version=4)) == known


def test_output_without_end_is_cut(deployment: Deployment, grader: Grader, tmp_path: Path) -> None:
    folder = edited(deployment.source_dir, tmp_path / "a", with_code("print('x' * 50_000_000)"))
    submission = graded(deployment, grader, "eve", folder)
    assert submission.state == "graded"
    assert len(deployment.page(submission)) < 2_000_000
    assert points_of(deployment, submission)[f"{EXERCISE}-tests"] == 2


def test_run_tags_do_not_pass_tests(deployment: Deployment, grader: Grader, tmp_path: Path) -> None:
    def tag(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            cell.metadata["tags"] = ["skip-execution", "raises-exception"]

    submission = graded(deployment, grader, "eve", edited(deployment.release_dir, tmp_path / "a", tag))
    assert submission.points == 0


def test_a_notebook_chooses_no_kernel(deployment: Deployment, grader: Grader, tmp_path: Path) -> None:
    def choose(notebook: NotebookNode) -> None:
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Mine", "language": "python"}
        cell_of(notebook, EXERCISE).source += "\nimport os; print('home is', os.environ['HOME'])"

    submission = graded(deployment, grader, "eve", edited(deployment.source_dir, tmp_path / "a", choose))
    assert "home is /home/learner" in deployment.page(submission)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not a notebook"),
        ('{"cells": 1}', "is not a notebook"),
        ("[" * 100_000, "nests too deep to be a notebook"),
    ],
)
def test_a_broken_notebook_fails_with_a_reason(
    deployment: Deployment, grader: Grader, tmp_path: Path, content: str, reason: str
) -> None:
    folder = edited(deployment.release_dir, tmp_path / "a", lambda _notebook: None)
    (folder / "exercises.ipynb").write_text(content)
    submission = graded(deployment, grader, "eve", folder)
    assert submission.state == "failed"
    assert f"exercises.ipynb {reason}" in submission.problem
    assert submission.claims == 1


@pytest.mark.parametrize(
    "metadata",
    [[1], {"grade_id": {"a": 1}}, {"schema_version": 99}, {"grade": True, "points": "x"}, {"grade": True}],
    ids=["a list", "a name that is none", "a later format", "points that are none", "no name"],
)
def test_grading_data_that_was_changed_costs_nothing(
    deployment: Deployment, grader: Grader, tmp_path: Path, metadata: object
) -> None:
    def spoil(notebook: NotebookNode) -> None:
        given = cell_of(notebook, f"{EXERCISE}-tests").metadata
        given["nbgrader"] = {**given["nbgrader"], **metadata} if isinstance(metadata, dict) else metadata
        if metadata == {"grade": True}:
            del given["nbgrader"]["grade_id"]

    submission = graded(deployment, grader, "eve", edited(deployment.source_dir, tmp_path / "a", spoil))
    assert (submission.state, submission.problem) == ("graded", "")
    assert submission.points == 17


def test_a_copied_test_cell_costs_nothing(deployment: Deployment, grader: Grader, tmp_path: Path) -> None:
    def copy(notebook: NotebookNode) -> None:
        notebook.cells.append(NotebookNode(cell_of(notebook, f"{EXERCISE}-tests"), id="copied"))

    submission = graded(deployment, grader, "eve", edited(deployment.source_dir, tmp_path / "a", copy))
    assert submission.state == "graded", submission.problem
    assert points_of(deployment, submission)[f"{EXERCISE}-tests"] == 2


def test_a_result_that_is_no_points_fails_its_cell_alone(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    forge = "from IPython import get_ipython\n"
    forge += "get_ipython().events.register('post_run_cell', lambda result: get_ipython().displayhook(99))"
    submission = graded(
        deployment, grader, "eve", edited(deployment.source_dir, tmp_path / "a", with_code(forge))
    )
    assert submission.state == "graded", submission.problem


def test_a_fault_of_the_platform_is_not_blamed_on_the_learner_and_is_tried_again(
    deployment: Deployment, grader: Grader
) -> None:
    # What is on its way into the course directory has no place to be.
    place = deployment.state.course_dir / ".grading"
    aside = place.rename(place.with_name("aside"))
    place.touch()
    submission = deployment.hand_in("eve", deployment.source_dir)
    assert grader.work()
    waiting = deployment.now(submission)
    assert (waiting.state, waiting.claims, waiting.problem) == ("received", 1, "")
    other = deployment.hand_in("ben", deployment.release_dir)
    assert grader.work(), "others go on meanwhile"
    assert deployment.now(other).claims >= 1
    place.unlink()
    aside.rename(place)
    grader.work_off()
    assert deployment.now(other).state == "graded"
    graded_after_all = deployment.now(submission)
    assert (graded_after_all.state, graded_after_all.points) == ("graded", 17)


def test_a_submission_without_a_notebook_fails_with_a_reason(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    submission = graded(deployment, grader, "eve", tmp_path)
    assert submission.state == "failed"
    assert "exercises" in submission.problem


def test_a_missing_notebook_gets_nothing_and_the_other_is_graded(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    folder = edited(deployment.source_dir, tmp_path / "a", lambda _notebook: None)
    (folder / "lesson.ipynb").unlink()
    submission = graded(deployment, grader, "eve", folder)
    cells = {cell.cell: cell for cell in deployment.feedback(submission).cells}
    assert cells[f"quiz-{MODULE}"].message == "This part was not in your submission."
    assert cells[f"{EXERCISE}-tests"].points == 2


def test_marks_given_by_hand_are_seen_once_they_are_released(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    def answer(notebook: NotebookNode) -> None:
        cell_of(notebook, "explain-missing").source = "Because the export lost them."

    submission = graded(deployment, grader, "dan", edited(deployment.source_dir, tmp_path / "a", answer))
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        grade = gradebook.find_grade("explain-missing", "exercises", MODULE, "dan")
        grade.manual_score, grade.needs_manual_grade = 3, False
        comment = gradebook.find_comment("explain-missing", "exercises", MODULE, "dan")
        comment.manual_comment = "Well <b>seen</b>"
        gradebook.db.commit()
    before = deployment.feedback(submission)
    database = Database(deployment.state.database_url)
    assert [found.id for found in GradingQueue(database).release_marks(MODULE, "dan")] == [submission.id]
    while grader.work():
        pass
    database.close()
    after = deployment.feedback(submission)
    cell = next(cell for cell in after.cells if cell.cell == "explain-missing")
    assert (cell.points, cell.comment) == (3, "Well <b>seen</b>")
    assert after.points == before.points + 3
    assert after.complete
    assert "Well &lt;b&gt;seen&lt;/b&gt;" in deployment.page(submission)
    assert deployment.now(submission).points == after.points


def test_a_mark_stays_settled_when_the_same_answer_is_graded_again(
    deployment: Deployment, grader: Grader, tmp_path: Path
) -> None:
    def answer(text: str) -> Path:
        def write(notebook: NotebookNode) -> None:
            cell_of(notebook, "explain-missing").source = text

        return edited(deployment.source_dir, tmp_path / text[:3], write)

    def grade_again(submission: Submission) -> tuple[float | None, bool]:
        database = Database(deployment.state.database_url)
        GradingQueue(database).grade_again(submission.id)
        database.close()
        while grader.work():
            pass
        return mark()

    def mark() -> tuple[float | None, bool]:
        with Gradebook(deployment.state.gradebook_url) as gradebook:
            grade = gradebook.find_grade("explain-missing", "exercises", MODULE, "cleo")
            return grade.manual_score, grade.needs_manual_grade

    submission = graded(deployment, grader, "cleo", answer("Because <script>x</script> of the export."))
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        grade = gradebook.find_grade("explain-missing", "exercises", MODULE, "cleo")
        grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.db.commit()
    database = Database(deployment.state.database_url)
    GradingQueue(database).release_marks(MODULE, "cleo")
    database.close()
    assert grade_again(submission) == (3, False)
    assert points_of(deployment, submission)["explain-missing"] == 3
    other = graded(deployment, grader, "cleo", answer("Another answer."))
    assert mark() == (3, True)
    assert grade_again(other) == (3, True), "nobody has read it yet"


def test_quiz_points_are_those_of_the_answers_given_before_submitting(
    deployment: Deployment, grader: Grader
) -> None:
    quiz = QuizBank(SAMPLE_MODULES_DIR).get(MODULE)
    first, second = quiz.questions[:2]
    database = Database(deployment.state.database_url)
    record_right_answer(database, first)
    submission = deployment.hand_in("ada", deployment.source_dir)
    record_right_answer(database, second)
    while grader.work():
        pass
    database.close()
    assert points_of(deployment, submission)[f"quiz-{MODULE}"] == first.points
    with Gradebook(deployment.state.gradebook_url) as gradebook:
        grade = gradebook.find_grade(f"quiz-{MODULE}", "lesson", MODULE, "ada")
        assert (grade.auto_score, grade.needs_manual_grade) == (first.points, False)


def record_right_answer(database: Database, question: Question) -> None:
    """Record that Ada has just answered a question of the module's quiz."""
    data = {"answer": "", "points": question.points, "max_points": question.points, "right": True}
    subject = f"{MODULE}/{question.id}"
    event = Event(uuid4(), "ada", "quiz.answered", datetime.now(UTC), subject, {**data, "attempt": 1})
    assert EventStore(database).record(event)


def test_every_result_is_an_event(deployment: Deployment, grader: Grader) -> None:
    submission = graded(deployment, grader, "ben", deployment.release_dir)
    database = Database(deployment.state.database_url)
    events = EventStore(database).events(learner="ben", kind="assignment.graded")
    database.close()
    assert events[-1].data == {"submission": str(submission.id), "points": 0.0, "max_points": 31.0}


def test_nothing_is_left_of_a_graded_submission(deployment: Deployment, grader: Grader) -> None:
    assert graded(deployment, grader, "ben", deployment.release_dir).state == "graded"
    before = descendants(os.getpid())
    assert graded(deployment, grader, "ben", deployment.source_dir).state == "graded"
    wait_until(lambda: descendants(os.getpid()) <= before)
    assert sorted(path.name for path in (deployment.state.course_dir / ".grading").iterdir()) == [
        "locks",
        "trust",
    ]
    with sqlite3.connect(deployment.state.gradebook_url.removeprefix("sqlite:///")) as gradebook:
        assert gradebook.execute("PRAGMA integrity_check").fetchone() == ("ok",)

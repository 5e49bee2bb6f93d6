"""nbgrader's own exchange commands over the course service: what its tests in `tests/apps` ask of them.

Deliberately otherwise: nobody submits in another's name; releases and submissions are not removed; the newest
submission counts, so `collect --before-duedate` is refused; fetching again fills in what is missing, unless
the configuration says otherwise; what is released again needs no --force.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from jupyter_core.application import NoStart
from nbgrader.apps import NbGraderApp

from course.api import FeedbackDocument
from course.database import Database
from course.feedback import FeedbackStore
from course.grading import GradingQueue
from course.manifest import read_course
from course.releases import ReleaseStore
from course.submissions import Submission, SubmissionStore
from hub_config.settings import SAMPLE_MODULES_DIR, Settings, write_settings
from tests.handing_in import MODULE, Deploy, Deployment
from tests.member_home import become
from tests.minimal_hub import MinimalHub, running_hub

pytestmark = pytest.mark.hub

COURSE = read_course(SAMPLE_MODULES_DIR).id
OTHER = "week-two"
LEARNERS = ("ada", "ben", "cleo", "dan", "eve", "fay", "gil")

Become = Callable[[str], Path]


@pytest.fixture(scope="module")
def deployment(deploy: Deploy) -> Deployment:
    """Two released assignments: `MODULE`, and `OTHER` with the same files."""
    deployment = deploy(*(f"{name},{name.title()},,learner" for name in LEARNERS), "tia,Tia,,trainer")
    write_settings(deployment.state, Settings(modules_dir=SAMPLE_MODULES_DIR))
    shutil.copytree(deployment.release_dir, deployment.state.released_dir / OTHER)
    with closing(Database(deployment.state.database_url)) as database:
        releases = ReleaseStore(database)
        notebooks = releases.get(MODULE).notebooks
        releases.release(OTHER, title="Two", notebooks=notebooks, due_at=None, now=datetime.now(UTC))
    return deployment


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, deployment: Deployment) -> Iterator[MinimalHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), deployment.state.root) as hub:
        yield hub


@pytest.fixture
def at_home_of(
    tmp_path: Path, hub: MinimalHub, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> Become:
    """Return the function that puts the test into the home of a member, empty the first time."""

    def enter(name: str) -> Path:
        return become(name, tmp_path, hub, deployment, monkeypatch)

    return enter


def nbgrader(*arguments: str, code: int = 0) -> list[str]:
    """Run a command of nbgrader, which must end with `code`; return what it says, without the level."""
    app, log = NbGraderApp.instance(), StringIO()
    ended: str | int | None = 0
    try:
        app.initialize(list(arguments))
        app.init_logging(logging.StreamHandler, [log], color=False, subapps=True)
        with suppress(NoStart):
            app.start()
    except SystemExit as exit_:
        ended = exit_.code
    finally:
        said = log.getvalue()
        app.reset()
    assert ended == code, said
    return [line.partition("] ")[2] for line in said.splitlines()]


def of(deployment: Deployment, learner: str, assignment: str = MODULE) -> tuple[Submission, ...]:
    with closing(Database(deployment.state.database_url)) as database:
        return SubmissionStore(database, deployment.state.submissions_dir).of(learner, assignment)


def files_of(deployment: Deployment, submission: Submission) -> set[str]:
    folder = deployment.state.submissions_dir / str(submission.id) / "files"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def stamp(submission: Submission) -> str:
    return submission.received_at.strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def in_utc(*arguments: str) -> tuple[str, ...]:
    return (*arguments, "--Exchange.timezone=UTC")


def grade(deployment: Deployment, submission: Submission) -> None:
    """Leave what the worker leaves of a graded submission."""
    at = datetime.now(UTC)
    with closing(Database(deployment.state.database_url)) as database:
        queue = GradingQueue(database)
        while (claimed := queue.claim(at)) is not None and claimed.id != submission.id:
            queue.mark_failed(claimed.id, "It is not this one's turn.")
        document = FeedbackDocument(
            submission=submission.id,
            assignment=submission.assignment,
            graded_at=at,
            points=1,
            max_points=2,
            complete=True,
            cells=(),
            notebooks=("exercises",),
        )
        FeedbackStore(deployment.state.feedback_dir).write(document, {"exercises": "<p>Good</p>"})
        queue.mark_graded(submission.id, points=1, max_points=2, feedback_at=at)


# nbgrader list


def test_what_is_released_is_listed_and_what_was_fetched_is_marked(at_home_of: Become) -> None:
    at_home_of("ada")
    both = ["Released assignments:", f"{COURSE} {MODULE}", f"{COURSE} {OTHER}"]
    assert nbgrader("list") == both
    assert nbgrader("list", "--course", COURSE) == both
    assert nbgrader("list", OTHER) == [both[0], both[2]]
    assert nbgrader("list", "--course", "xyz200") == ["Released assignments:"]
    nbgrader("fetch_assignment", MODULE)
    assert nbgrader("list") == [both[0], f"{both[1]} (already downloaded)", both[2]]


def test_every_own_submission_is_listed_with_what_is_known_of_its_feedback(
    at_home_of: Become, deployment: Deployment
) -> None:
    at_home_of("ben")
    cached = in_utc("list", MODULE, "--cached")
    assert nbgrader(*cached) == ["Submitted assignments:"]
    nbgrader("fetch_assignment", MODULE)
    nbgrader("submit", MODULE)
    nbgrader("submit", MODULE)
    newest, oldest = of(deployment, "ben")
    lines = [f"{COURSE} ben {MODULE} {stamp(each)}" for each in (oldest, newest)]
    none = "(no feedback available)"
    assert nbgrader(*cached) == ["Submitted assignments:", f"{lines[0]} {none}", f"{lines[1]} {none}"]
    grade(deployment, newest)
    assert nbgrader(*cached)[2] == f"{lines[1]} (feedback ready to be fetched)"
    nbgrader(*in_utc("fetch_feedback", MODULE))
    assert nbgrader(*cached)[2] == f"{lines[1]} (feedback already fetched)"
    fetched = Path(MODULE, "feedback", stamp(newest), "exercises.html")
    assert fetched.read_text() == "<p>Good</p>"
    at_home_of("tia")
    inbound = nbgrader(*in_utc("list", MODULE, "--inbound", "--student=ben"))
    assert inbound == [
        "Submitted assignments:",
        f"{lines[0]} {none}",
        f"{lines[1]} (feedback ready to be fetched)",
    ]
    assert set(inbound) <= set(nbgrader(*in_utc("list", MODULE, "--inbound")))


def test_nothing_is_removed_and_contradicting_options_are_refused(at_home_of: Become) -> None:
    at_home_of("ada")
    nbgrader("list", "--inbound", "--cached", code=1)
    for options in ((), ("--cached",), ("--inbound",)):
        assert "are kept" in nbgrader("list", MODULE, "--remove", *options, code=1)[0]
    assert len(nbgrader("list")) == 3
    assert "Only trainers" in nbgrader("list", "--inbound", code=1)[0]


# nbgrader fetch_assignment


def test_an_assignment_is_fetched_and_own_work_is_never_overwritten(at_home_of: Become) -> None:
    at_home_of("ada")
    as_stock = "--ExchangeFetchAssignment.replace_missing_files=False"
    nbgrader("fetch_assignment", MODULE)
    notebook = Path(MODULE, "exercises.ipynb")
    assert notebook.is_file()
    nbgrader("fetch_assignment", MODULE, as_stock, code=1)
    notebook.unlink()
    nbgrader("fetch_assignment", MODULE, as_stock, code=1)
    nbgrader("fetch_assignment", MODULE, "--replace")
    assert notebook.is_file()
    notebook.write_text("mine")
    nbgrader("fetch_assignment", MODULE, "--replace")
    assert notebook.read_text() == "mine"


def test_several_assignments_are_fetched_at_once_by_name_or_option(at_home_of: Become) -> None:
    at_home_of("ada")
    nbgrader("fetch_assignment", MODULE, OTHER)
    assert Path(MODULE, "exercises.ipynb").is_file()
    assert Path(OTHER, "exercises.ipynb").is_file()
    shutil.rmtree(MODULE)
    nbgrader("fetch_assignment", f"--assignment={MODULE}")
    assert Path(MODULE, "exercises.ipynb").is_file()
    nbgrader("fetch_assignment", code=1)
    nbgrader("fetch_assignment", "nothing", code=1)
    nbgrader("fetch_assignment", MODULE, "--course", "xyz200", code=1)


# nbgrader submit


def test_each_submission_is_one_of_its_own_with_its_files_and_the_time_of_the_service(
    at_home_of: Become, deployment: Deployment
) -> None:
    at_home_of("cleo")
    nbgrader("fetch_assignment", MODULE)
    Path(MODULE, "exercises.ipynb").chmod(0o400)
    Path(MODULE, "notes").mkdir()
    Path(MODULE, "notes", "empty.txt").touch()
    before = datetime.now(UTC)
    assert nbgrader("submit", MODULE)[-1].startswith(f"Submitted as: {MODULE} ")
    nbgrader("submit", f"--assignment={MODULE}")
    newest, oldest = of(deployment, "cleo")
    assert before < oldest.received_at < newest.received_at < datetime.now(UTC)
    assert files_of(deployment, newest) == files_of(deployment, oldest)
    assert {"exercises.ipynb", "lesson.ipynb", "notes/empty.txt"} <= files_of(deployment, newest)


def test_surplus_notebooks_are_told_and_missing_ones_refused_only_when_strict(
    at_home_of: Become, deployment: Deployment
) -> None:
    at_home_of("dan")
    nbgrader("fetch_assignment", MODULE)
    shutil.copy(Path(MODULE, "exercises.ipynb"), Path(MODULE, "more.ipynb"))
    for options in ((), ("--strict",)):
        assert "not graded: more.ipynb" in nbgrader("submit", MODULE, *options)[0]
    Path(MODULE, "exercises.ipynb").rename(Path(MODULE, "renamed.ipynb"))
    assert "missing" in nbgrader("submit", MODULE)[0]
    assert len(of(deployment, "dan")) == 3
    assert "Nothing was submitted" in nbgrader("submit", MODULE, "--strict", code=1)[0]
    assert len(of(deployment, "dan")) == 3


def test_nobody_submits_in_anothers_name_or_to_another_course_or_without_a_folder(
    at_home_of: Become, deployment: Deployment
) -> None:
    at_home_of("eve")
    nbgrader("submit", MODULE, code=1)
    nbgrader("fetch_assignment", MODULE)
    for student in ("ada", "foo+bar", "foo*bar"):
        said = nbgrader("submit", MODULE, f"--student={student}", code=1)
        assert said[0] == "Everybody submits as who they are here: eve."
    nbgrader("submit", MODULE, "--course", "xyz200", code=1)
    nbgrader("submit", code=1)
    assert (of(deployment, "eve"), of(deployment, "foo+bar")) == ((), ())
    nbgrader("submit", MODULE, "--student=eve")
    assert len(of(deployment, "eve")) == 1


# nbgrader collect, release_assignment, release_feedback


def test_a_trainer_collects_what_the_worker_has_already(at_home_of: Become, deployment: Deployment) -> None:
    at_home_of("tia")
    assert nbgrader("collect", OTHER) == [f"No submissions of '{OTHER}' to collect"]
    submitted_by(at_home_of, deployment, "fay")
    at_home_of("tia")
    assert [line.partition(":")[0] for line in nbgrader("collect", f"--assignment={OTHER}")] == ["fay"]
    assert [line.partition(":")[0] for line in nbgrader("collect", OTHER, "--update")] == ["fay"]
    assert "to collect" in nbgrader("collect", OTHER, "--student=ada")[0]
    assert "the newest submission counts" in nbgrader("collect", OTHER, "--before-duedate", code=1)[0]
    nbgrader("collect", "nothing", code=1)
    nbgrader("collect", OTHER, "--course", "xyz200", code=1)


def test_only_trainers_release_and_collect(at_home_of: Become) -> None:
    at_home_of("ada")
    for command in ("collect", "release_assignment", "release_feedback"):
        assert "Only trainers" in nbgrader(command, MODULE, code=1)[0]


def test_an_assignment_is_released_once_and_again(at_home_of: Become) -> None:
    at_home_of("tia")
    for options in ((), ("--force",), ("-f",)):
        assert nbgrader("release_assignment", MODULE, *options)[0].startswith(f"Released: {MODULE} (")
    nbgrader("release_assignment", f"--assignment={MODULE}")
    nbgrader("release_assignment", "nothing", code=1)
    nbgrader("release_assignment", code=1)


def test_feedback_is_released_to_those_who_are_asked_for_and_not_excluded(
    at_home_of: Become, deployment: Deployment
) -> None:
    for name in ("fay", "gil"):
        grade(deployment, submitted_by(at_home_of, deployment, name))
    at_home_of("tia")
    assert nbgrader("release_feedback", OTHER, "--student=gil") == ["Feedback released: gil"]
    exclude = "--CourseDirectory.student_id_exclude=gil"
    assert nbgrader("release_feedback", OTHER, exclude) == ["Feedback released: fay"]
    assert nbgrader("release_feedback", OTHER) == ["Feedback released: fay", "Feedback released: gil"]
    assert nbgrader("release_feedback", OTHER, "--student=ada") == ["Nothing is graded yet."]
    nbgrader("release_feedback", code=1)


def submitted_by(at_home_of: Become, deployment: Deployment, learner: str) -> Submission:
    at_home_of(learner)
    nbgrader("fetch_assignment", OTHER)
    nbgrader("submit", OTHER)
    return of(deployment, learner, OTHER)[0]

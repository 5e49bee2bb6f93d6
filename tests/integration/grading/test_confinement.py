"""Code that is graded reaches only its own files and leaves nothing behind."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from graders.worker import Grader
from hub_config.settings import SAMPLE_MODULES_DIR
from tests.handing_in import EXERCISE, MODULE, Deployment, cell_of, edited, with_code
from tests.integration.grading.worker import graded, points_of
from tests.processes import descendants
from tests.waiting import wait_until


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
import fcntl, io, os, struct, sys
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
    attempt()
    held = any(f":{os.fstat(shared.fileno()).st_ino} " in lock for lock in open("/proc/locks"))
    print(name, "is he" + "ld" if held else "leaves no" + "thing")
pd.DataFrame({"a": [1, 2]}).plot()
plt.title("drawn")
plt.savefig(io.BytesIO())
print("wor" + "king", pd.read_csv(io.StringIO("a,b")).columns.tolist())
"""
    folder = edited(deployment.source_dir, tmp_path / "a", with_code(probe))
    submission = graded(deployment, grader, "dan", folder)
    page = deployment.page(submission)
    assert page.count("leaves nothing") == 5
    assert "working [&#39;a&#39;, &#39;b&#39;]" in page
    assert points_of(deployment, submission)[f"{EXERCISE}-tests"] == 2


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

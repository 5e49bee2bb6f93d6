"""Late penalties, by the plug-in that the course's configuration names."""

from __future__ import annotations

from nbgrader.api import SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.orm import Session
from traitlets.config import Config


def set_late_penalty(
    step: type[AssignLatePenalties], config: Config, session: Session, notebook: SubmittedNotebook
) -> None:
    """Set the penalty of a notebook whose grades are in the session, as nbgrader's own step does.

    Args:
        step: nbgrader's `AssignLatePenalties` or a class derived from it.
        config: Says which plug-in.
        session: Where the notebook is.
        notebook: Of a submission with its time.

    Raises:
        Exception: Whatever the course's plug-in raises.
    """
    notebook.late_submission_penalty = None
    submission = notebook.assignment
    seconds = submission.total_seconds_late
    if seconds <= 0:
        return
    assign = step(config=config)
    assign.init_plugin()
    # The score as the gradebook adds it up, with marks and extra credit that a person gave.
    session.flush()
    session.refresh(notebook, ["score"])
    penalty = assign.plugin_inst.late_submission_penalty(submission.student_id, notebook.score, seconds)
    if penalty is not None:
        notebook.late_submission_penalty = min(max(0, penalty), notebook.score)

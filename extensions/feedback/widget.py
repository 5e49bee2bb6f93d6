"""Follows a submission until it is graded, and shows the feedback where the learner works."""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic

import anywidget
from traitlets import Bool, Dict, Unicode

from course.api import FeedbackDocument, Receipt, SubmissionStatus
from course.errors import CourseError
from extensions.client import CourseClient, ServiceUnreachable
from extensions.feedback.view import Wording

FOLLOW_SECONDS = 900
FIRST_POLL_SECONDS = 0.5
LONGEST_POLL_SECONDS = 5.0


class FeedbackWidget(anywidget.AnyWidget):
    """One submission: its receipt, where it stands, and the feedback once there is some."""

    _esm = Path(__file__).with_name("feedback.js")
    _css = Path(__file__).with_name("feedback.css")

    receipt = Unicode(help="What was received; empty where feedback alone is shown.").tag(sync=True)
    status = Unicode(help="Where it stands; read out when it changes.").tag(sync=True)
    language = Unicode(help="Of all texts.").tag(sync=True)
    busy = Bool(help="Whether something is still to come.").tag(sync=True)
    table = Dict(None, allow_none=True, help="The feedback, as `Wording.table` gives it.").tag(sync=True)

    def __init__(self, client: CourseClient, status: SubmissionStatus, wording: Wording) -> None:
        # Given, because the default of a `Dict` is an empty one, whatever it was told.
        super().__init__(status=wording.waiting(status), language=wording.language, busy=True, table=None)
        self._client = client
        self._wording = wording
        self._submission = status.submission
        if not self._show(status):
            threading.Thread(target=self._follow, name="feedback", daemon=True).start()

    @classmethod
    def of_receipt(cls, client: CourseClient, receipt: Receipt, wording: Wording) -> FeedbackWidget:
        """Return the widget of what was submitted just now."""
        widget = cls(
            client,
            SubmissionStatus(
                submission=receipt.submission,
                assignment=receipt.assignment,
                learner="",
                received_at=receipt.received_at,
                state="received",
            ),
            wording,
        )
        widget.receipt = wording.received(receipt)
        return widget

    def __repr__(self) -> str:
        return "\n".join(filter(None, (self.receipt, self.status)))

    def _follow(self) -> None:
        deadline, pause = monotonic() + FOLLOW_SECONDS, FIRST_POLL_SECONDS
        ended = threading.Event()
        while monotonic() < deadline:
            ended.wait(pause)
            pause = min(pause * 1.3, LONGEST_POLL_SECONDS)
            try:
                status = self._client.get(f"api/submissions/{self._submission}", SubmissionStatus)
                if self._show(status):
                    return
            except ServiceUnreachable:
                self.status = self._wording.silent()
            except CourseError as error:
                self._end(str(error))
                return
        self._end(self._wording.late())

    def _show(self, status: SubmissionStatus) -> bool:
        """Show where the submission stands; return whether that is final."""
        if status.state == "failed":
            self._end(self._wording.failed(status))
        elif status.feedback_at is not None and status.state == "graded":
            document = self._client.get(f"api/submissions/{self._submission}/feedback", FeedbackDocument)
            self.table = self._wording.table(document)
            self._end(self._wording.result(document))
        else:
            self.status = self._wording.waiting(status)
        return not self.busy

    def _end(self, text: str) -> None:
        self.status = text
        self.busy = False

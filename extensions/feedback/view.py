"""What the feedback widget shows, as text: the page only lays it out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from course.api import CellFeedback, FeedbackDocument, Receipt, ReleasedAssignment, SubmissionStatus
from course.language import translator
from course.score_text import number_text, points_text, score_text

PAGES = "/services/course/api/submissions"
HISTORY = "/services/course/submissions"

View = dict[str, Any]


def page_of(document: FeedbackDocument, notebook: str) -> str:
    """Return where a browser finds a notebook with feedback."""
    return f"{PAGES}/{document.submission}/feedback/{quote(notebook, safe='')}.html"


class Wording:
    """The texts of one learner: their language, and the course's time zone."""

    def __init__(self, language: str, time_zone: str) -> None:
        self._ = translator("exchange", language)
        self._zone = ZoneInfo(time_zone)
        self.language = language

    def received(self, receipt: Receipt) -> str:
        """Return the proof of a submission as one sentence."""
        text = self._("Received at {time}: {files}. Receipt {receipt}.")
        return text.format(
            time=self.time(receipt.received_at),
            files=", ".join(file.path for file in receipt.files),
            receipt=receipt.sha256[:12],
        )

    def due(self, released: ReleasedAssignment, received_at: datetime) -> str:
        """Return when it is due and whether what was received is late; empty for one without a date."""
        if released.due_at is None:
            return ""
        if received_at > released.due_at:
            text = self._("It was due on {day}: late, and graded all the same.")
        elif released.extended:
            text = self._("Due on {day}: your trainer gave you more time.")
        else:
            text = self._("Due on {day}.")
        return text.format(day=released.due_at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M"))

    def waiting(self, status: SubmissionStatus | None) -> str:
        """Return what is going on while there is no result."""
        if status is not None and status.state == "grading":
            return self._("Your submission is being graded …")
        if status is not None and status.ahead:
            return self._("Your submission waits to be graded. Before it: {number} …").format(
                number=status.ahead
            )
        return self._("Your submission waits to be graded …")

    def silent(self) -> str:
        return self._("The course service does not answer; trying again …")

    def late(self) -> str:
        return self._("Grading takes longer than usual. Look again later with spoc.feedback().")

    def failed(self, status: SubmissionStatus) -> str:
        return self._("Not graded: {problem}").format(problem=self._(status.problem))

    def result(self, document: FeedbackDocument) -> str:
        """Return the score, and whether it is all."""
        parts = [score_text(document.points, document.max_points, self.language) + "."]
        if document.late_penalty:
            penalty = points_text(document.late_penalty, self.language)
            parts.append(self._("Taken off for lateness: {points}.").format(points=penalty))
        if not document.complete:
            parts.append(self._("Your trainer has still to mark a part of it."))
        return " ".join(parts)

    def table(self, document: FeedbackDocument) -> View:
        """Return a row for every graded cell."""
        return {
            "caption": self._("Feedback on {assignment}, submitted work graded at {time}").format(
                assignment=document.assignment, time=self.time(document.graded_at)
            ),
            "headers": [self._("Exercise"), self._("Points"), self._("What we saw")],
            "rows": [self._row(cell) for cell in document.cells],
            "more": self._("Your notebook with feedback:"),
            "pages": [
                *({"name": name, "href": page_of(document, name)} for name in document.notebooks),
                {
                    "name": self._("what you submitted (zip)"),
                    "href": f"{PAGES}/{document.submission}/files.zip",
                },
                {"name": self._("all your submissions"), "href": HISTORY},
            ],
        }

    def _row(self, cell: CellFeedback) -> View:
        if cell.points is None:
            state, points = "open", self._("of {max_points}").format(max_points=self.number(cell.max_points))
            text = self._("Waits for your trainer.")
        else:
            state = "full" if cell.points >= cell.max_points else "part" if cell.points else "none"
            points = self._("{points} of {max_points}").format(
                points=self.number(cell.points), max_points=self.number(cell.max_points)
            )
            text = self._("All checks pass.") if state == "full" and cell.kind == "tests" else ""
        comment = self._("Your trainer says:") + " " + cell.comment if cell.comment else ""
        return {
            "exercise": self._exercise(cell),
            "points": points,
            "state": state,
            "texts": [each for each in (cell.message or text, comment) if each],
        }

    def _exercise(self, cell: CellFeedback) -> str:
        if cell.kind == "quiz":
            return self._("Quiz")
        name = cell.cell.removesuffix("-tests").replace("-", " ")
        return name[:1].upper() + name[1:]

    def time(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def number(self, value: float) -> str:
        return number_text(value, self.language)

    def message(self, text: str) -> str:
        """Return any other text of this surface."""
        return self._(text)

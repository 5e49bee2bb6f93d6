"""Where one deployment keeps what: the state folder, named in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The paths below one state folder; creates nothing."""

    root: Path

    @property
    def database_url(self) -> str:
        """The embedded database: roster, events, submissions."""
        return f"sqlite:///{self.root / 'spoc.sqlite'}"

    @property
    def course_dir(self) -> Path:
        """The nbgrader course directory: source, release, submitted, autograded, feedback, gradebook.db."""
        return self.root / "course"

    @property
    def gradebook_url(self) -> str:
        """nbgrader's own gradebook."""
        return f"sqlite:///{self.course_dir / 'gradebook.db'}"

    @property
    def released_dir(self) -> Path:
        """What learners' servers see: the first page and one folder per released module."""
        return self.root / "released"

    @property
    def homes_dir(self) -> Path:
        """One home folder per member, by user name."""
        return self.root / "homes"

    @property
    def submissions_dir(self) -> Path:
        """What was submitted, one immutable folder per submission id."""
        return self.root / "submissions"

    @property
    def feedback_dir(self) -> Path:
        """Feedback that learners may read, one folder per submission id."""
        return self.root / "feedback"

    @property
    def reports_dir(self) -> Path:
        """Reports as HTML."""
        return self.root / "reports"

    @property
    def secrets_dir(self) -> Path:
        """Cookie secret and tokens; mode 0700."""
        return self.root / "secrets"

    @property
    def hub_dir(self) -> Path:
        """JupyterHub's own database and logs."""
        return self.root / "hub"

"""The name `spoc` for a shell other than the course kernel's, such as one that runs cells to grade them."""

from __future__ import annotations

import os
from typing import Any

from course.errors import CourseError
from extensions.client import CourseClient
from extensions.kernel.app import show_text
from extensions.kernel.offer import Spoc


def load_ipython_extension(shell: Any) -> None:
    """Offer `spoc` among the names of `shell`, and show a `CourseError` as its text."""
    shell.spoc = Spoc(CourseClient.from_environment(), os.environ.get("SPOC_LANGUAGE", "en"))
    shell.push({"spoc": shell.spoc}, interactive=False)
    shell.set_custom_exc((CourseError,), show_text)

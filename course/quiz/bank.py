"""The quizzes of a course, by the slug of their module."""

from __future__ import annotations

from pathlib import Path

from course.errors import NotFound
from course.quiz.model import QUIZ_FILE, Quiz, read_quiz


class QuizBank:
    """Reads `<slug>/quiz.yaml` below one folder; a changed file is read again. Safe for many threads."""

    def __init__(self, modules_dir: Path) -> None:
        self._modules_dir = modules_dir
        self._read: dict[str, tuple[tuple[int, int], Quiz]] = {}

    def slugs(self) -> tuple[str, ...]:
        """Return the slug of every module that has a quiz, sorted."""
        return tuple(sorted(path.parent.name for path in self._modules_dir.glob(f"*/{QUIZ_FILE}")))

    def get(self, slug: str) -> Quiz:
        """Return the quiz of the module `slug`.

        Raises:
            NotFound: No module of that name has a quiz.
            FileProblems: The file cannot be used.
        """
        # Membership, not a path built from what somebody sent.
        if slug not in self.slugs():
            raise NotFound("There is no such quiz.")
        path = self._modules_dir / slug / QUIZ_FILE
        stat = path.stat()
        version = (stat.st_mtime_ns, stat.st_size)
        known = self._read.get(slug)
        if known is None or known[0] != version:
            known = self._read[slug] = (version, read_quiz(path))
        return known[1]

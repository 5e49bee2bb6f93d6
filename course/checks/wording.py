"""The sentences of checks, in the language of the course."""

from __future__ import annotations

import os

MAX_MESSAGE_LENGTH = 1500


def say(sentence: str, **parts: object) -> str:
    """Return a sentence of the catalogue `checks` in the language that `SPOC_LANGUAGE` names, else English.

    Args:
        sentence: In English, with the names of `parts` in braces.
        parts: Numbers, and texts of `course.checks.description`: nothing that a learner's object formats.
    """
    language = os.environ.get("SPOC_LANGUAGE", "en")
    if language != "en":
        # Catalogues take a tenth of a second to import; a check that passes says nothing.
        from course.language import LANGUAGES, translator

        if language in LANGUAGES:
            sentence = translator("checks", language)(sentence)
    return sentence.format(**parts)


def shortened(text: str, limit: int = MAX_MESSAGE_LENGTH) -> str:
    """Return `text` without control characters and with at most `limit` characters."""
    kept = "".join(character for character in text if character.isprintable() or character == "\n")
    return kept if len(kept) <= limit else f"{kept[: limit - 1]}…"

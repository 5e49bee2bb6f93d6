"""What the quiz widget says; `quiz.js` asks for these by name."""

from __future__ import annotations

from course.language import translator

MESSAGES = {
    "question": "Question {number} of {count}",
    "worth.one": "{points} point",
    "worth.other": "{points} points",
    "score.one": "{points} of {max} point",
    "score.other": "{points} of {max} points",
    "left.one": "{count} attempt left",
    "left.other": "{count} attempts left",
    "left.none": "No attempt left. Ask your trainer if it stays unclear.",
    "choose-one": "Choose one.",
    "choose-several": "Choose all that apply.",
    "your-answer": "Your answer",
    "your-number": "Your answer, as a number",
    "your-number-in": "Your answer, as a number in {unit}",
    "check": "Check answer",
    "checking": "Checking …",
    "right": "Right.",
    "partly": "Partly right.",
    "not-yet": "Not right yet.",
    "wrong": "Not right.",
    "choose-first": "Choose an answer first.",
    "write-first": "Write your answer first.",
    "write-number": "Write a number, such as {example}.",
    "unreachable": "The course service cannot be reached. Your answer is kept and is sent again by itself.",
    "silent": "The kernel does not answer: it is busy or was stopped. Your answer is kept and is sent again "
    "by itself. If the kernel was restarted, run this cell again.",
    "not-loaded": "The course service cannot be reached, so the quiz cannot be shown yet. It is asked again "
    "by itself.",
    "try-again": "Try again",
}


def messages_in(language: str) -> dict[str, str]:
    """Return every message by its name, in `language`."""
    _ = translator("quiz", language)
    return {name: _(text) for name, text in MESSAGES.items()}

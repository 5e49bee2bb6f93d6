"""Points as people read them: with the decimal mark and the plural of their language."""

from __future__ import annotations

from course.language import translator


def number_text(value: float, language: str) -> str:
    """Return a number in few digits, with a decimal comma where the language has one."""
    text = f"{value:g}"
    return text.replace(".", ",") if language == "fr" else text


def points_text(points: float, language: str) -> str:
    """Return points with their unit, such as `1.5 points`."""
    _ = translator("exchange", language)
    text = _("{points} point") if _is_singular(points, language) else _("{points} points")
    return text.format(points=number_text(points, language))


def score_text(points: float, max_points: float, language: str) -> str:
    """Return a score with its unit, such as `1 of 2 points`."""
    _ = translator("exchange", language)
    if _is_singular(max_points, language):
        text = _("{points} of {max_points} point")
    else:
        text = _("{points} of {max_points} points")
    return text.format(points=number_text(points, language), max_points=number_text(max_points, language))


def _is_singular(amount: float, language: str) -> bool:
    return amount < 2 if language == "fr" else amount == 1

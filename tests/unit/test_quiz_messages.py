"""Everything the quiz says is said in French too, with the same values in it."""

from __future__ import annotations

import re

import pytest

from course.language import catalogue
from extensions.quiz.messages import MESSAGES, messages_in

pytestmark = pytest.mark.quick


def test_every_message_of_the_widget_is_translated() -> None:
    french = catalogue("quiz", "fr")
    assert [text for text in MESSAGES.values() if text not in french] == []
    assert messages_in("fr")["try-again"] == "Réessayer"


def test_a_translation_holds_the_same_values() -> None:
    for message, translation in catalogue("quiz", "fr").items():
        assert set(re.findall(r"{\w+}", message)) == set(re.findall(r"{\w+}", translation)), message


@pytest.mark.parametrize(
    ("language", "trainer"), [("en", "Ask your trainer"), ("fr", "demandez à votre formateur")]
)
def test_who_used_up_the_attempts_is_told_whom_to_ask(language: str, trainer: str) -> None:
    assert trainer in messages_in(language)["left.none"]

"""Quizzes: what an author writes, how an answer is scored, what a learner gets to see.

`model` is the file, `scoring` judges one answer, `bank` finds quizzes, `record` keeps answers and serves
questions. Everything here but what `record` returns holds the key, and stays on the hub's machine.
"""

from course.quiz.bank import QuizBank
from course.quiz.model import (
    MultipleChoice,
    Numeric,
    Question,
    Quiz,
    ShortText,
    SingleChoice,
    read_quiz,
)
from course.quiz.record import ANSWERED, QuizRecord

__all__ = [
    "ANSWERED",
    "MultipleChoice",
    "Numeric",
    "Question",
    "Quiz",
    "QuizBank",
    "QuizRecord",
    "ShortText",
    "SingleChoice",
    "read_quiz",
]

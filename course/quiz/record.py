"""Answers: scored on the hub's machine, recorded once, served back without any key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from course.api import Answer, AnswerRequest, ServedChoice, ServedQuestion, ServedQuiz, Verdict
from course.errors import Conflict, NotFound
from course.events import Event, EventStore
from course.quiz.bank import QuizBank
from course.quiz.letters import in_ids, in_letters, letters
from course.quiz.model import MultipleChoice, Numeric, Question, Quiz, SingleChoice
from course.quiz.scoring import comment_on, score

ANSWERED = "quiz.answered"


class QuizRecord:
    """What learners answered, over the event record.

    A question is closed for a learner once it was answered rightly or its attempts are used up. Nothing that
    is returned holds a right answer that the learner has not given, nor a word on what was not chosen.
    """

    def __init__(self, bank: QuizBank, events: EventStore) -> None:
        self._bank = bank
        self._events = events

    def answer(self, learner: str, slug: str, request: AnswerRequest, now: datetime) -> Verdict:
        """Score one answer and record it durably; the same event id again gives the same verdict.

        Attempts are counted and used under one write lock, so that answers sent at once cannot exceed them.

        Args:
            learner: User name, as the hub authenticated it.
            slug: The module's slug.
            request: The answer, with an id made where it was given.
            now: The server's time.

        Raises:
            NotFound: There is no such quiz or question.
            CourseError: The answer is not one to this kind of question; no attempt is used.
            Conflict: The question is closed, or the event id belongs to another answer.
        """
        quiz = self._bank.get(slug)
        question = quiz.find_question(request.question)
        if question is None:
            raise NotFound("There is no such question in this quiz.")
        subject = f"{slug}/{question.id}"
        with self._events.transaction() as log:
            stored = log.find(request.event_id)
            if stored is not None:
                if (stored.learner, stored.kind, stored.subject) != (learner, ANSWERED, subject):
                    raise Conflict("This event id belongs to another answer.")
                return _verdict(quiz, question, stored)
            earlier = log.events(learner=learner, kind=ANSWERED, subject=subject)
            if any(event.data["right"] for event in earlier):
                raise Conflict("You have answered this question already, and rightly.")
            if len(earlier) >= quiz.attempts_at(question):
                raise Conflict("You have no attempt left at this question.")
            given = in_ids(question, request.answer)
            result = score(question, given)
            data = {
                "answer": given,
                "points": result.points,
                "max_points": question.points,
                "right": result.right,
                "attempt": len(earlier) + 1,
            }
            event = Event(request.event_id, learner, ANSWERED, now, subject, data)
            log.append(event)
        return _verdict(quiz, question, event)

    def served(self, learner: str, slug: str) -> ServedQuiz:
        """Return the quiz as `learner` meets it now.

        Raises:
            NotFound: There is no such quiz.
        """
        quiz = self._bank.get(slug)
        answers = self._answers(learner, slug, None)
        return ServedQuiz(
            quiz=slug,
            title=quiz.title,
            questions=tuple(
                _served(quiz, question, answers.get(question.id, ())) for question in quiz.questions
            ),
            points=_best_points(quiz, answers),
            max_points=quiz.points,
        )

    def points(self, learner: str, slug: str, until: datetime | None = None) -> float:
        """Return the best points of each question together, of answers given up to and at `until`.

        Raises:
            NotFound: There is no such quiz.
        """
        return _best_points(self._bank.get(slug), self._answers(learner, slug, until))

    def _answers(self, learner: str, slug: str, until: datetime | None) -> dict[str, list[Event]]:
        """By question id, oldest first."""
        answers: dict[str, list[Event]] = {}
        for event in self._events.events(learner=learner, kind=ANSWERED, until=until):
            quiz, _, question = event.subject.partition("/")
            if quiz == slug:
                answers.setdefault(question, []).append(event)
        return answers


def _best_points(quiz: Quiz, answers: dict[str, list[Event]]) -> float:
    # Shares, because an author may have changed a question's points since.
    best = (
        max(
            (event.data["points"] / event.data["max_points"] for event in answers.get(question.id, ())),
            default=0,
        )
        * question.points
        for question in quiz.questions
    )
    return round(sum(best), 2)


def _verdict(quiz: Quiz, question: Question, event: Event) -> Verdict:
    data = event.data
    comment = comment_on(question, data["answer"], right=data["right"])
    attempts_left = 0 if data["right"] else max(0, quiz.attempts_at(question) - data["attempt"])
    asks_for_the_key = attempts_left > 0 and _took_too_many(question, data["answer"])
    return Verdict(
        question=question.id,
        answer=in_letters(question, data["answer"]),
        points=data["points"],
        max_points=data["max_points"],
        right=data["right"],
        feedback=comment.overall,
        choice_feedback={}
        if asks_for_the_key
        else {letters(question)[choice]: text for choice, text in comment.choices.items()},
        attempts_left=attempts_left,
    )


def _took_too_many(question: Question, answer: Answer) -> bool:
    """Return whether an answer takes so many choices that the words on each would be the key."""
    if not isinstance(question, MultipleChoice) or not isinstance(answer, list):
        return False
    return len(answer) > 1 + sum(choice.correct for choice in question.choices)


def _served(quiz: Quiz, question: Question, answers: Sequence[Event]) -> ServedQuestion:
    last = _verdict(quiz, question, answers[-1]) if answers else None
    choices = question.choices if isinstance(question, SingleChoice | MultipleChoice) else ()
    letter = letters(question)
    return ServedQuestion(
        id=question.id,
        type=question.type,
        prompt=question.prompt,
        points=question.points,
        choices=tuple(ServedChoice(id=letter[choice.id], text=choice.text) for choice in choices),
        unit=question.unit if isinstance(question, Numeric) else "",
        attempts=quiz.attempts_at(question),
        attempts_left=quiz.attempts_at(question) if last is None else last.attempts_left,
        last=last,
    )

"""How exercises, quiz questions and skills went for the whole group."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from course.events import Event
from course.scores import AssignmentScore, Exercise

Z_95 = 1.959964
LONGEST_ANSWER = 120


@dataclass(frozen=True, slots=True)
class Question:
    """One quiz question as analysis needs it.

    `prompt` is Markdown; `choices` has the text by choice id, empty for a free answer, `right` the ids of
    those to choose.
    """

    quiz: str
    id: str
    prompt: str
    points: float
    skills: tuple[str, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    right: frozenset[str] = frozenset()

    @property
    def subject(self) -> str:
        """The subject of events about this question."""
        return f"{self.quiz}/{self.id}"


@dataclass(frozen=True, slots=True)
class ExerciseResult:
    """How one graded cell went, over the `marked` learners whose answer has its points."""

    exercise: Exercise
    marked: int
    waiting: int
    full: int
    mean_share: float | None


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """How one question went at the first attempt of each of `answered` learners.

    `interval` holds the share right in the long run with 95 % confidence; `wrong_answer` is what was wrong
    in most first answers, as text, and `wrong_count` in how many. With `only_missing` nothing wrong was
    chosen, and it is what was left out.
    """

    question: Question
    answered: int
    right_first: int
    never_right: int
    interval: tuple[float, float]
    wrong_answer: str
    wrong_count: int
    only_missing: bool = False

    @property
    def share_right(self) -> float:
        """Share of learners who were right at once."""
        return self.right_first / self.answered


@dataclass(frozen=True, slots=True)
class SkillResult:
    """How one skill stands: for each learner the share of its points, from exercises and questions alike."""

    skill: str
    shares: Mapping[str, float]

    @property
    def mean_share(self) -> float | None:
        """Mean over the learners; None while there are none."""
        return sum(self.shares.values()) / len(self.shares) if self.shares else None


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a proportion that holds with few trials too.

    Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    """
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + Z_95**2 / (2 * trials)
    spread = Z_95 * sqrt(share * (1 - share) / trials + Z_95**2 / (4 * trials**2))
    scale = 1 + Z_95**2 / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def exercise_results(
    exercises: Sequence[Exercise], scores: Iterable[AssignmentScore]
) -> tuple[ExerciseResult, ...]:
    """Return how each exercise went, in the order given."""
    shares = defaultdict(list)
    waiting: Counter[tuple[str, str]] = Counter()
    for score in scores:
        for cell in score.cells:
            key = score.assignment, cell.cell
            if cell.points is None:
                waiting[key] += 1
            elif cell.max_points:
                shares[key].append(cell.points / cell.max_points)
    results = []
    for exercise in exercises:
        key = exercise.assignment, exercise.cell
        own = shares[key]
        results.append(
            ExerciseResult(
                exercise,
                marked=len(own),
                waiting=waiting[key],
                full=sum(share >= 1 for share in own),
                mean_share=sum(own) / len(own) if own else None,
            )
        )
    return tuple(results)


def question_results(questions: Iterable[Question], events: Iterable[Event]) -> tuple[QuestionResult, ...]:
    """Return how each answered question went, the hardest first.

    One wrong answer of one learner is no proof that a question is hard: the order is by the upper end of the
    interval, so that a question ranks high only when many found it hard.
    """
    answers = _answers(events)
    results = []
    for question in questions:
        by_learner = answers.get(question.subject)
        if not by_learner:
            continue
        first = [tries[0] for tries in by_learner.values()]
        right = sum(bool(answer.data["right"]) for answer in first)
        wrong = Counter(
            _mistake(question, answer.data["answer"]) for answer in first if not answer.data["right"]
        )
        (wrong_answer, only_missing), wrong_count = wrong.most_common(1)[0] if wrong else (("", False), 0)
        results.append(
            QuestionResult(
                question,
                answered=len(first),
                right_first=right,
                never_right=sum(
                    not any(answer.data["right"] for answer in tries) for tries in by_learner.values()
                ),
                interval=wilson_interval(right, len(first)),
                wrong_answer=wrong_answer,
                wrong_count=wrong_count,
                only_missing=only_missing,
            )
        )
    return tuple(sorted(results, key=lambda result: (result.interval[1], result.question.subject)))


def skill_results(
    skills: Iterable[str],
    exercises: Iterable[Exercise],
    questions: Iterable[Question],
    scores: Iterable[AssignmentScore],
    events: Iterable[Event],
) -> tuple[SkillResult, ...]:
    """Return how each skill stands, in the order given.

    An exercise or question counts with its points for each skill that it names. Of a question the best
    attempt counts; what nobody has marked yet does not count.
    """
    points: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    of_cell = {(exercise.assignment, exercise.cell): exercise.skills for exercise in exercises}
    for score in scores:
        for cell in score.cells:
            for skill in of_cell.get((score.assignment, cell.cell), ()):
                if cell.points is not None:
                    points[skill][score.learner].append((cell.points, cell.max_points))
    answers = _answers(events)
    for question in questions:
        for learner, tries in answers.get(question.subject, {}).items():
            best = max(float(answer.data["points"]) for answer in tries)
            for skill in question.skills:
                points[skill][learner].append((best, question.points))
    return tuple(SkillResult(skill, _shares(points[skill])) for skill in skills)


def answer_text(question: Question, answer: Any) -> str:
    """Return an answer as a trainer reads it: the texts of the choices, the number, or the text."""
    parts = answer if isinstance(answer, list) else [answer]
    texts = [question.choices.get(str(part), _plain(part)) for part in parts]
    text = " + ".join(sorted(texts)) if texts else "—"
    return text if len(text) <= LONGEST_ANSWER else f"{text[: LONGEST_ANSWER - 1]}…"


def _mistake(question: Question, answer: Any) -> tuple[str, bool]:
    """Return what is wrong with an answer, as text, and whether that is only what it leaves out."""
    if not isinstance(answer, list):
        return answer_text(question, answer), False
    chosen = {str(choice) for choice in answer}
    wrong, missing = chosen - question.right, question.right - chosen
    if missing and not wrong:
        return answer_text(question, list(missing)), True
    # Neither: the key was changed since.
    return answer_text(question, list(wrong) or answer), False


def _plain(answer: Any) -> str:
    return f"{answer:g}" if isinstance(answer, int | float) else " ".join(str(answer).split())


def _answers(events: Iterable[Event]) -> dict[str, dict[str, list[Event]]]:
    """Return the answers by subject and learner, oldest first."""
    answers: dict[str, dict[str, list[Event]]] = defaultdict(lambda: defaultdict(list))
    for event in sorted(events, key=lambda event: event.occurred_at):
        if event.kind == "quiz.answered":
            answers[event.subject][event.learner].append(event)
    return answers


def _shares(points: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, float]:
    totals = {
        learner: (sum(own for own, _ in pairs), sum(top for _, top in pairs))
        for learner, pairs in points.items()
    }
    return {learner: own / top for learner, (own, top) in totals.items() if top}

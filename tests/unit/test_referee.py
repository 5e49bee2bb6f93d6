"""A test means the same apart from the learner's code as it does beside it."""

from __future__ import annotations

import pytest

from tests.refereeing import Case, judged
from tests.unit.referee.exercise import CORRECT, LEARNER

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("test", CORRECT.strip().split("\n\n"))
def test_a_correct_answer_passes(test: str) -> None:
    outcome = judged(LEARNER, test, recording=True)
    assert (outcome.status, outcome.shown.replace("adding\n", "")) == ("ok", "")


@pytest.mark.parametrize(
    ("test", "shown"),
    [
        ("assert add(1, 2) == 4, 'three'", "AssertionError: three"),
        ("items = [3, 1]\nassert sort_in_place(items) is not items", "AssertionError"),
        ("items = [1]\nkept = keeper(items)\nitems.append(2)\nassert kept.items == [1]", "AssertionError"),
        ("refuse(3)", "ValueError: not 3"),
        ("fail(7)", "TooFar: code 7"),
        ("nothing_like_it", "NameError: name 'nothing_like_it' is not defined"),
        ("assert add(1) == 1", "TypeError: add() missing 1 required positional argument: 'b'"),
        ("assert Account(1).balance == 2", "AssertionError"),
        ("assert isinstance(Account(1), Savings)", "AssertionError"),
    ],
)
def test_a_wrong_answer_fails_with_the_reason(test: str, shown: str) -> None:
    outcome = judged(LEARNER, test, recording=True)
    assert outcome.status in ("failed", "runtime-error")
    assert shown in outcome.shown.replace("adding\n", "")


@pytest.mark.parametrize(
    ("last", "shown"),
    [
        ("0.5", "0.5"),
        ("1 + 1", "2"),
        ("'text'", "'text'"),
        ("None", ""),
        ("3;", ""),
        ("rate", "3"),
        ("Account(3)", ""),
    ],
)
def test_the_value_of_the_last_line_is_the_result_unless_a_learners_object_says_it(
    last: str, shown: str
) -> None:
    outcome = judged(LEARNER, last, recording=True)
    assert (outcome.status, outcome.shown) == ("ok", shown)


def test_tests_of_a_notebook_share_their_names() -> None:
    case = Case(LEARNER)
    assert case.judge("def check(x):\n    return add(x, 1)\nlimit = 3").status == "ok"
    assert case.judge("assert check(2) == limit").status == "ok"


def test_a_learners_object_of_an_earlier_test_is_found_anew() -> None:
    case = Case(LEARNER + "\naccount = Account(8)")
    assert case.judge("account = Account(5)\naccounts = [account]").status == "ok"
    assert case.judge("assert account.balance == 8").status == "ok"
    assert "NameError" in case.judge("accounts").shown


@pytest.mark.parametrize(
    ("learner", "test", "status"),
    [
        ("", "np.sqrt(4)", "runtime-error"),
        ("np = 3", "assert np.sqrt(4) == 2", "ok"),
        ("np = 3", "import numpy as np\nassert np.sqrt(4) == 2", "ok"),
        ("len = lambda value: 5", "assert len([1]) == 1", "ok"),
        ("isinstance = lambda *all: True", "assert not isinstance(3, str)", "ok"),
    ],
)
def test_names_of_python_or_of_an_import_are_never_the_learners(learner: str, test: str, status: str) -> None:
    assert judged(learner, test).status == status


@pytest.mark.parametrize(
    ("learner", "test"),
    [
        ("list = [1, 2]\nwords = ['a']", "assert list(words) == ['a']"),
        ("sum = 0\ndef total(xs):\n    return 3", "assert total([1, 2]) == sum([1, 2])"),
        ("str = 'a'\nvalue = 'a'", "assert isinstance(value, str)"),
        ("print = 'printed'", "print('done')"),
        ("tuple = ()\nvalue = 1", "assert not isinstance(value, tuple)"),
    ],
)
def test_what_a_learner_hides_of_python_by_data_is_lost_to_tests(learner: str, test: str) -> None:
    assert "object is not callable" in judged(learner, test).shown


def test_a_function_of_pythons_that_the_exercise_asks_for_is_the_learners() -> None:
    solution = "def sum(values):\n    return 0"
    learner = "def sum(values):\n    return 'mine'"
    assert judged(learner, "assert sum([1]) == 'mine'", instructor=solution).status == "ok"


def test_what_goes_to_stderr_is_an_output_of_the_test() -> None:
    outcome = judged("import sys\ndef warn():\n    print('careful', file=sys.stderr)", "warn()")
    assert [(output["name"], output["text"]) for output in outcome.outputs] == [("stderr", "careful\n")]


def test_what_a_test_asks_objects_of_the_solution_is_noted() -> None:
    outcome = judged(LEARNER, "a = Account(1)\na.deposit(3)\n(a + 4).balance\nadd(1, 2)", recording=True)
    assert outcome.asked == {"deposit", "__add__"}


@pytest.mark.parametrize("calls", [None, frozenset[str]()])
def test_a_learners_function_is_always_called(calls: frozenset[str] | None) -> None:
    assert (
        judged(
            LEARNER, "assert add(1, 2) == 3 and Account(3).balance == 3 and add(a=1, b=2) == 3", calls=calls
        ).status
        == "ok"
    )


def test_a_learners_object_is_asked_what_the_solutions_were_asked() -> None:
    test = "a = Account(1)\na.deposit(3)\nassert a.balance == 4"
    assert judged(LEARNER, test, calls=frozenset({"deposit"})).status == "ok"
    assert judged(LEARNER, test, calls=frozenset()).status == "runtime-error"


def test_threads_of_learner_code_call_a_test_back() -> None:
    learner = "from concurrent.futures import ThreadPoolExecutor\n" + (
        "def parallel(function, values):\n"
        "    with ThreadPoolExecutor(4) as pool:\n"
        "        return list(pool.map(function, values))\n"
    )
    test = "def double(n):\n    return 2 * n\nassert parallel(double, range(40)) == list(range(0, 80, 2))"
    assert judged(learner, test).status == "ok"


def test_functions_of_numpy_take_an_array_of_a_subclass_for_its_data() -> None:
    # As `np.matrix` is, which warns that it is old.
    learner = "import numpy as np\nclass Own(np.ndarray): pass\nA = np.array([[4, 3], [6, 3]]).view(Own)"
    test = "assert np.allclose(A, [[4, 3], [6, 3]])\nassert round(np.linalg.det(A)) == -6"
    assert judged(learner, test, calls=frozenset()).status == "ok"

"""An object that claims to equal everything fails every check, and is asked nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.api.extensions import ExtensionArray, ExtensionDtype

from course.checks import approx, call, check, figure, matches, raises, score, style, table
from course.checks.checking import FAILED
from course.checks.wording import MAX_MESSAGE_LENGTH
from tests.unit.test_checks import said

pytestmark = pytest.mark.quick


class Touched(BaseException):
    """A check called a method of a learner's object; no check may swallow this."""


def touch(*_arguments: Any, **_named: Any) -> Any:
    raise Touched


TOUCHY = (
    "eq ne lt le gt ge repr str format len iter bool float int index contains getitem getattribute getattr"
    " array call abs sub rsub instancecheck subclasscheck reduce dir complex round fspath"
)
METHODS = {f"__{name}__": touch for name in TOUCHY.split(" ")} | {"__hash__": lambda self: 1}


class Posing(type):
    """A class that equals and hashes as any other does."""

    def __eq__(cls, other: object) -> bool:
        return True

    def __hash__(cls) -> int:
        return hash(list)

    def __instancecheck__(cls, instance: object) -> bool:
        return True


def poser(*bases: type, **members: Any) -> type:
    return Posing("list", bases, {**METHODS, **members})


class EqualsAll:
    """What pandas and NumPy can put into a table or array without touching a method that raises."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


MAKERS: dict[str, Callable[[], Any]] = {
    "touchy": lambda: poser()(),
    "lying": lambda: poser(__class__=property(lambda self: list))(),
    "equal": EqualsAll,
    "list": lambda: poser(list)([1, 2]),
    "number": lambda: poser(float)(3.0),
    "text": lambda: poser(str)("north"),
    "mapping": lambda: poser(dict)({"a": 1}),
    "frame": lambda: type("DataFrame", (pd.DataFrame,), {"equals": lambda *_: True})({"a": [1]}),
    "array": lambda: np.array([1, 2]).view(type("ndarray", (np.ndarray,), {"__eq__": lambda *_: True})),
    "class": lambda: poser(),
    "function": lambda: lambda: 3,
}
EXPECTED: list[Any] = [
    3,
    3.0,
    True,
    None,
    "north",
    [1, 2],
    {"a": 1},
    {1, 2},
    (1, 2),
    datetime(2026, 3, 2),
    np.array([1, 2]),
    pd.DataFrame({"a": [1]}),
    pd.Series([1, 2]),
    approx(3, abs=100),
    matches(""),
    table(pd.DataFrame({"a": [1]}), types=False, labels=False),
    figure(),
    style(),
]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: type(expected).__name__)
@pytest.mark.parametrize("maker", MAKERS)
def test_an_object_that_equals_everything_fails_untouched(maker: str, expected: Any) -> None:
    value = MAKERS[maker]()
    assert said(value, expected)
    assert score(check(value, expected, points=1), check(1, 1, points=2)) == 2


@pytest.mark.parametrize("maker", MAKERS)
def test_so_does_one_inside_of_data(maker: str) -> None:
    value = MAKERS[maker]()
    assert said([value], [3])
    assert said((1, value), (1, [1, 2]))
    assert said({"a": value}, {"a": "north"})
    assert said(slice(value, None), slice(3, None))


def test_so_does_one_in_an_array_or_as_a_key_or_item_of_a_set() -> None:
    objects = np.empty(1, dtype=object)
    objects[0] = EqualsAll()
    assert said(objects, np.array([3]))
    assert said({EqualsAll(): 1}, {"a": 1})
    assert said({"a": 1, EqualsAll(): 1}, {"a": 1})
    assert said({EqualsAll()}, {3})
    assert said(
        pd.DataFrame({"a": [1]}, index=pd.Index([EqualsAll()], dtype=object)), pd.DataFrame({"a": [1]})
    )


def test_data_of_a_known_type_that_carries_an_object_is_not_trusted() -> None:
    hollow = Fraction(1, 2)
    hollow._numerator = hollow._denominator = EqualsAll()  # type: ignore[attr-defined]
    assert said(hollow, Fraction(1, 3))

    zone = type("Zone", (tzinfo,), {"utcoffset": touch, "dst": touch, "tzname": touch})()
    assert said(datetime(2026, 3, 2, tzinfo=zone), datetime(2026, 3, 2))


def test_a_dtype_from_elsewhere_is_never_read() -> None:
    class Foreign(ExtensionDtype):
        name = "foreign"
        type = object

    class Values(ExtensionArray):
        dtype = Foreign()
        ndim = 1
        nbytes = 0
        __getitem__ = __iter__ = to_numpy = tolist = __eq__ = touch

        def __len__(self) -> int:
            return 2

        def copy(self) -> Values:
            return self

    foreign = pd.Series(Values())
    assert said(foreign, table(pd.Series([1, 2]), types=False)) == ["The values are of an unknown type"]
    assert said(pd.DataFrame({"a": foreign}), pd.DataFrame({"a": [1, 2]}))


def test_an_exception_is_asked_nothing() -> None:
    class Lying(Posing):
        def __subclasscheck__(cls, subclass: type) -> bool:
            return True

        __mro__ = (ValueError,)

    error = Lying("ValueError", (Exception,), {"__str__": touch, "__repr__": touch, "args": (EqualsAll(),)})

    def fail() -> None:
        raise error(EqualsAll(), "told")

    assert said(call(fail), raises(ValueError, text="told")) != []
    assert said(call(fail), raises(Exception, text="told")) == []
    assert said(call(fail), 3) == ["It stops with ValueError: told."]


def test_what_calls_itself_endless_or_deep_ends() -> None:
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    deep: Any = 3
    for _ in range(100_000):
        deep = [deep]
    assert said(cyclic, [[[[3]]]])
    assert said(deep, [[[3]]])
    assert said({"a": deep}, 3)


def test_a_message_is_short_and_printable_whatever_a_value_holds(capsys: pytest.CaptureFixture[str]) -> None:
    nasty = "\x1b[31m\u202e\x00\r\n\u2028" + "x" * 1_000_000
    named = type(nasty.replace("\x00", ""), (), {})()
    error = call(lambda: (_ for _ in ()).throw(ValueError(nasty)))
    for value in (nasty, [nasty] * 1000, {nasty: nasty}, {nasty}, nasty.encode(), named, error, 10**100_000):
        for expected in ("a", {"b": "c"}, {"a"}, ["a"] * 1000):
            check(value, expected, points=1, message=nasty)
            out = capsys.readouterr().out
            assert out.startswith(FAILED)
            assert len(out) < MAX_MESSAGE_LENGTH + 200
            assert all(character.isprintable() or character == "\n" for character in out)


def test_a_text_of_many_lines_cannot_pose_as_another_check(capsys: pytest.CaptureFixture[str]) -> None:
    check(f"a\n{FAILED} All tests passed", "b", points=1)
    assert sum(line.startswith(FAILED) for line in capsys.readouterr().out.splitlines()) == 1

"""The names that a test finds, and where each comes from."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from graders.referee.handles import is_remote

_NEVER_DATA = frozenset({"open", "exit", "quit"})
"""Names of Python's own that every notebook binds."""


class TestNamespace(dict[str, Any]):
    """A dict as which a test's cells run, one after another, as those of a notebook do.

    A name is looked for among

    1. what tests of this notebook have assigned before,
    2. what the instructor's notebook imports, if the learner has that name too,
    3. the author's own functions, if the learner has that name too,
    4. the learner's names; those that Python itself has only if the instructor's notebook defines them,
    5. Python's own: a learner who has given such a name to data (`list = [1, 2]`) has lost it, as in a
       notebook; a learner's function of that name would judge in the place of Python's, and counts nothing.

    Args:
        imports: Statements of the instructor's notebook, by the names that they bind.
        defined: Names that its other statements bind.
        helpers: Functions among those that no learner is to change, by name.
    """

    __test__ = False  # for pytest

    def __init__(self, imports: dict[str, str], defined: Iterable[str], helpers: Mapping[str, str]) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins)
        self._imports = imports
        self._imported: dict[str, Any] = {}
        self._helpers = helpers
        self._authors = _Authors(imports, helpers)
        self._shadowing = frozenset(defined)
        self._learners: frozenset[str] = frozenset()
        self._ask: Callable[[str], Any] | None = None

    def connect(self, names: Iterable[str], ask: Callable[[str], Any]) -> None:
        """Find the learner's names by `ask` from here on."""
        self._learners = frozenset(names)
        self._ask = ask

    def disconnect(self, is_stale: Callable[[Any], bool]) -> None:
        """Forget the learner's state, and what was kept of it: the next test finds such names anew."""
        self._ask = None
        for name in [name for name, value in self.items() if is_stale(value)]:
            del self[name]

    def __missing__(self, name: str) -> Any:
        if name not in self._learners or self._ask is None:
            raise KeyError(name)
        if name in self._imports:
            if name not in self._imported:
                exec(self._imports[name], self._imported)  # noqa: S102 -- the instructor's own import
            return self._imported[name]
        if name in self._helpers:
            return self._authors[name]
        if hasattr(builtins, name) and name not in self._shadowing:
            self._refuse_lost(name, self._ask)
            raise KeyError(name)
        return self._ask(name)

    def _refuse_lost(self, name: str, ask: Callable[[str], Any]) -> None:
        """Raise what a call of the data raises under which a learner has hidden something of Python's own.

        The data itself is kept from the test: what it would do with it may be a success.
        """
        own = getattr(builtins, name)
        if name.startswith("__") or name in _NEVER_DATA or not callable(own) or _is_error(own):
            return
        value = ask(name)
        if not (is_remote(value) or callable(value) or isinstance(value, ModuleType)):
            raise TypeError(f"{type(value).__name__!r} object is not callable")


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


class _Authors(dict[str, Any]):
    """Where functions of the author's live: they find no name of a test or a learner.

    Args:
        imports: Statements, by the names that they bind.
        helpers: Functions, by name.
    """

    def __init__(self, imports: Mapping[str, str], helpers: Mapping[str, str]) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins)
        self._statements = {**imports, **helpers}

    def __missing__(self, name: str) -> Any:
        exec(self._statements[name], self)  # noqa: S102 -- the instructor's own
        return self[name]

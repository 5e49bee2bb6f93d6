"""Reads of a library's file no more than the function that a traceback goes through.

What finds the failing expression parses the whole file otherwise, which takes longer than all the rest of a
submission. Line numbers and columns stay as they are.
"""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Iterator, Sequence
from types import CodeType, FrameType
from typing import Any

from stack_data.core import Source

FEW_LINES = 200
"""Of a file: parsing it is quick, and what is parsed is kept for the next error."""


def read_functions_only() -> None:
    """Have `stack_data` parse single functions of long files, for the same text of a traceback."""
    whole = Source.for_frame.__func__  # type: ignore[attr-defined]

    def for_frame(cls: type[Source], frame: FrameType, use_cache: bool = True) -> Any:
        code = frame.f_code
        part = function_in(code, linecache.getlines(code.co_filename, frame.f_globals or {}))
        if part is not None:
            source = cls._for_filename_and_lines(code.co_filename, part)
            if source.tree is not None:
                source._qualnames[code.co_name, code.co_firstlineno] = code.co_qualname  # noqa: SLF001
                return source
        return whole(cls, frame, use_cache)

    Source.for_frame = classmethod(for_frame)  # type: ignore[assignment]


def function_in(code: CodeType, lines: Sequence[str]) -> tuple[str, ...] | None:
    """Return a file's lines with all but one function blank; None where it is not a long file's function.

    Args:
        code: Of the function.
        lines: Of the file, with their ends.
    """
    first = code.co_firstlineno - 1
    is_function = code.co_flags & inspect.CO_OPTIMIZED and not code.co_name.startswith("<")
    if not is_function or len(lines) < FEW_LINES or not 0 <= first < len(lines):
        return None
    indent = _indent(lines[first])
    end = max(_last_line(code), first + 1)
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    before = ["\n"] * first
    if indent:
        if not first:
            return None
        before[-1] = "if 1:\n"
    return (*before, *lines[first:end], *["\n"] * (len(lines) - end))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _last_line(code: CodeType) -> int:
    return max(_ends(code), default=0)


def _ends(code: CodeType) -> Iterator[int]:
    for _, end, _, _ in code.co_positions():
        if end is not None:
            yield end
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield _last_line(constant)

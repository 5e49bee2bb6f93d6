"""Makes a cell's errors quicker to show: the same text, without what is found, made or of use for nobody."""

from __future__ import annotations

import inspect
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import stack_data
from ipykernel.compiler import XCachingCompiler
from pygments.formatters.terminal256 import Terminal256Formatter
from pygments.lexer import RegexLexerMeta
from stack_data.core import style_with_executing_node

from graders.execution.library_source import read_functions_only

_NO_MODULE = "<no module>"
_OWN = str(Path(__file__).parent)


class CellCompiler(XCachingCompiler):
    """Names cells as ipykernel does, and lets `inspect` know that no module comes from one.

    Otherwise each frame of a cell in a traceback has it look through all modules, several times.
    """

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        name: str = super().get_code_name(raw_code, code, number)
        files = getattr(inspect, "modulesbyfile", None)
        if isinstance(files, dict):
            files[name] = _NO_MODULE
        return name


def quicken_errors(shell: Any) -> None:
    """Have a shell show the errors of its cells sooner.

    Args:
        shell: An ipykernel's `ZMQInteractiveShell`.
    """

    def as_shown(error: BaseException, *_: Any, **_how: Any) -> dict[str, Any]:
        shown = shell._last_traceback  # noqa: SLF001 -- ipykernel's own, which it reads after each cell
        return {"ename": type(error).__name__, "evalue": str(error), "traceback": shown}

    shell.compile = CellCompiler()
    # IPython formats each error once more for who exports the session.
    shell._format_exception_for_storage = as_shown  # noqa: SLF001
    read_functions_only()
    _keep_styles()
    _keep_patterns()


def _keep_styles() -> None:
    """Have colours be looked up once for a style, and not for each error."""
    stack_data.style_with_executing_node = cache(style_with_executing_node)  # type: ignore[attr-defined]
    look_up = Terminal256Formatter._setup_styles  # noqa: SLF001
    known: dict[Any, dict[str, tuple[str, str]]] = {}

    def set_up(formatter: Any) -> None:
        settings = formatter.style, formatter.usebold, formatter.useunderline, formatter.useitalic
        if type(formatter) is not Terminal256Formatter:
            look_up(formatter)
        elif settings in known:
            formatter.style_string = dict(known[settings])
        else:
            look_up(formatter)
            known[settings] = dict(formatter.style_string)

    Terminal256Formatter._setup_styles = set_up  # noqa: SLF001


def _keep_patterns() -> None:
    """Have a lexer use the patterns of the class that it adds none to: each frame gets one of a new class."""
    meta: Any = RegexLexerMeta
    process = meta.process_tokendef

    def patterns(lexer: Any, name: str, definitions: Any = None) -> Any:
        for kind in lexer.__mro__ if name == "" else ():
            if "_tokens" in vars(kind):
                return vars(kind)["_tokens"]
            if {"tokens", "flags"} & vars(kind).keys():
                break
        return process(lexer, name, definitions)

    meta.process_tokendef = patterns


def hide_own_frames(shell: Any) -> None:
    """Have a shell end a traceback where a cell's own code ends: an interrupt may come while it is shown.

    Args:
        shell: An ipykernel's `ZMQInteractiveShell`.
    """
    found = shell.InteractiveTB.get_records

    def others(*where: Any, **how: Any) -> list[Any]:
        records = found(*where, **how)
        return list(takewhile(lambda record: not str(record.filename).startswith(_OWN), records)) or records

    shell.InteractiveTB.get_records = others

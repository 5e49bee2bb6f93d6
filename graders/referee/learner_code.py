"""What in a test would run what a learner wrote, in the process of the test itself: it is no referee then."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

_RUNS_A_PICKLE = frozenset(
    {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "jsonpickle"}
)
_RUNS_PROGRAMS = frozenset({"subprocess", "multiprocessing", "pty"})
_RUNS_FILES = frozenset(
    {"spec_from_file_location", "SourceFileLoader", "exec_module", "run_path", "run_module"}
)
_OF_OS = ("system", "popen", "exec", "spawn", "posix_spawn", "fork")
_RUN_TEXT = frozenset({"eval", "exec", "compile", "__import__"})
_PANDAS_READERS = frozenset({"read_pickle", "read_hdf"})
_USUAL = {"np": "numpy", "pd": "pandas"}


def runs_learner_code(tree: ast.Module, imports: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield where a test would run what it reads of a learner's files or texts, and why.

    Args:
        tree: The test.
        imports: Import statements of the instructor's notebook, by the names that they bind.
    """
    names = dict(_USUAL)
    for statement in imports.values():
        names |= _origins(ast.parse(statement))
    names |= _origins(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _calls(node, _dotted(node.func, names))
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            yield from _uses(node, _dotted(node, names))


def _uses(node: ast.Attribute | ast.Name, name: str) -> Iterator[tuple[int, str]]:
    # A module is used where something of it is taken, or was imported from it.
    module, _, member = name.rpartition(".")
    top = module.partition(".")[0]
    if top in _RUNS_A_PICKLE:
        yield node.lineno, f"it may run code that stands in a file or text, with {name}"
    elif top in _RUNS_PROGRAMS or (module == "os" and member.startswith(_OF_OS)):
        yield node.lineno, f"it starts a program, with {name}"
    elif member == "ProcessPoolExecutor":
        yield node.lineno, f"it starts processes, with {name}"
    elif member in _PANDAS_READERS:
        yield node.lineno, f"it may run code that stands in a file, with {member}"
    elif member in _RUNS_FILES:
        yield node.lineno, f"it runs a file as Python, with {member}"


def _calls(node: ast.Call, name: str) -> Iterator[tuple[int, str]]:
    module, _, member = name.rpartition(".")
    is_plain = bool(node.args) and isinstance(node.args[0], ast.Constant)
    if module in ("", "builtins") and member in _RUN_TEXT and not is_plain:
        yield node.lineno, f"it runs a text as Python, with {member}()"
    elif name == "importlib.import_module" and not is_plain:
        yield node.lineno, f"it imports what a text says, with {member}()"
    elif member in ("load", "fromfile") and module == "numpy":
        if any(each.arg in ("allow_pickle", None) and not _is_false(each.value) for each in node.keywords):
            yield node.lineno, "it may run code that stands in a file, with allow_pickle"
    elif module.rpartition(".")[2] == "patch" and member in ("object", "dict", "multiple"):
        yield node.lineno, f"it replaces something in the learner's process with patch.{member}()"


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def _origins(tree: ast.Module) -> dict[str, str]:
    """Return what imported names stand for, with dots."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _dotted(node: ast.expr, origins: Mapping[str, str]) -> str:
    """Return what a chain of attributes names; its last part alone where it starts from a value."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(origins.get(node.id, node.id) if isinstance(node, ast.Name) else "?")
    return ".".join(reversed(parts))

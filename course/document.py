"""YAML files that people write: read into frozen models, every problem at once, each with its line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from course.errors import FileProblems

Location = tuple[str | int, ...]
"""Keys and indexes that lead to a value, from the top of the file."""

Model = TypeVar("Model", bound=BaseModel)


class Document(BaseModel):
    """A file, or a part of one: immutable, and nothing in it goes unread."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def rules(self) -> Iterator[tuple[Location, str]]:
        """Yield what breaks a rule between several values, and where; called once each value is right."""
        yield from ()


@dataclass(frozen=True, slots=True)
class DocumentProblem:
    """One thing to mend in a file; `line` counts from 1."""

    line: int
    where: str
    message: str

    @property
    def text(self) -> str:
        """What and where in the file's structure, without the line."""
        return f"{self.where}: {self.message}" if self.where else self.message

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.where or self.line > 1 else self.text


def read_document(
    path: Path, model: type[Model], *, context: Mapping[str, Any] | None = None, next_step: str = ""
) -> Model:
    """Read the YAML file at `path` as a `model`; `context` reaches its validators.

    Raises:
        FileProblems: The file is missing, is not YAML, or breaks a rule; every problem is named.
    """
    document, problems = check_document(path, model, context=context)
    if document is None:
        raise FileProblems(path, [str(problem) for problem in problems], next_step)
    return document


def check_document(
    path: Path, model: type[Model], *, context: Mapping[str, Any] | None = None
) -> tuple[Model | None, tuple[DocumentProblem, ...]]:
    """Return the document and no problem, or None and every problem."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except FileNotFoundError:
        return None, (DocumentProblem(1, "", "the file does not exist"),)
    except UnicodeDecodeError as error:
        return None, (DocumentProblem(1, "", f"not UTF-8 text: {error}"),)
    except (yaml.YAMLError, ValueError) as error:
        # ValueError: what looks like a date and is none.
        return None, (_yaml_problem(error),)
    problems = list(_repeated_keys(tree, ()))
    if tree is None or not isinstance(tree, yaml.MappingNode):
        return None, (DocumentProblem(1, "", "must be `key: value` lines"),)
    try:
        document = model.model_validate(data, context=dict(context or {}))
    except ValidationError as error:
        problems += [_problem(tree, issue["loc"], _wording(issue, model)) for issue in _true_issues(error)]
    else:
        if isinstance(document, Document):
            problems += [_problem(tree, location, message) for location, message in document.rules()]
        if not problems:
            return document, ()
    return None, tuple(sorted(problems, key=lambda problem: problem.line))


def line_of(path: Path, location: Location) -> int:
    """Return the line, from 1, of what `location` leads to in a YAML file that was read without a problem."""
    tree = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    return _find(tree, location)[0].start_mark.line + 1 if tree else 1


def _yaml_problem(error: Exception) -> DocumentProblem:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error)
    line = mark.line + 1 if mark else 1
    return DocumentProblem(line, "", f"not valid YAML: {reason}")


def _problem(tree: yaml.Node, location: Location, message: str) -> DocumentProblem:
    node, names = _find(tree, location)
    return DocumentProblem(node.start_mark.line + 1, ".".join(map(str, names)), message)


def _find(tree: yaml.Node, location: Location) -> tuple[yaml.Node, list[str | int]]:
    """Return the deepest node that `location` leads to (a mapping's key stands for its value), and its names.

    Pydantic puts names of union members between keys; what leads nowhere is passed over, but for the last: a
    missing key is named though it has no node.
    """
    node, value, names = tree, tree, list[str | int]()
    for step, name in enumerate(location):
        found = None
        if isinstance(value, yaml.MappingNode):
            found = next(((key, inner) for key, inner in value.value if key.value == str(name)), None)
        elif isinstance(value, yaml.SequenceNode) and isinstance(name, int) and name < len(value.value):
            found = (value.value[name], value.value[name])
        if found:
            node, value = found
        if found or step == len(location) - 1:
            names.append(_label(value) or name if isinstance(name, int) else name)
    return node, names


def _label(node: yaml.Node) -> str:
    """An item of a list is easier to find by its id than by its number."""
    if isinstance(node, yaml.MappingNode):
        return next((str(value.value) for key, value in node.value if key.value == "id"), "")
    return ""


def _true_issues(error: ValidationError) -> list[Any]:
    """Leave out that a list is too short where pydantic only says so since it did not count wrong items."""
    issues = list(error.errors())
    inner = {issue["loc"][:depth] for issue in issues for depth in range(len(issue["loc"]))}
    return [issue for issue in issues if issue["type"] != "too_short" or issue["loc"] not in inner]


def _wording(issue: Any, model: type[BaseModel]) -> str:
    if issue["type"] == "missing":
        return "is missing"
    if issue["type"] == "extra_forbidden":
        name = str(issue["loc"][-1])
        known = list(model.model_fields) if len(issue["loc"]) == 1 else []
        near = difflib.get_close_matches(name, known, n=1)
        return f"is not a known key; did you mean {near[0]}?" if near else "is not a known key"
    if issue["type"] == "too_short":
        return f"needs at least {issue['ctx']['min_length']}"
    if issue["type"] == "string_too_short":
        return "is empty"
    if issue["type"] == "union_tag_invalid":
        return f"{issue['ctx']['discriminator']} must be one of {issue['ctx']['expected_tags']}".replace(
            "'", ""
        )
    if issue["type"] == "union_tag_not_found":
        return f"{issue['ctx']['discriminator']} is missing".replace("'", "")
    message = str(issue["msg"]).removeprefix("Value error, ")
    return message[0].lower() + message[1:]


def _repeated_keys(node: yaml.Node | None, path: Location) -> Iterator[DocumentProblem]:
    """YAML readers keep the last of two equal keys and drop the first without a word."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated_keys(item, (*path, index))
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                where = ".".join(map(str, (*path, name)))
                yield DocumentProblem(key.start_mark.line + 1, where, "stands here twice")
            seen.add(name)
            yield from _repeated_keys(value, (*path, name))

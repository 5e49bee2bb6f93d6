"""The roster as a trainer writes it: a CSV file from a spreadsheet, checked line by line.

Columns `username`, `name`, `email`, `role`, `until`, in any order and any case; `,` or `;` between them;
UTF-8, with or without a byte order mark. `email` and `role` may be left out or empty: no address, and
`learner`. `until` is a guest's last day, as 2026-12-31; empty for who stays. Without that column the last
days stay as they were: a file that was written before anybody was a guest must not make a guest stay.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, cast, get_args

from course.errors import FileProblems

Role = Literal["learner", "trainer", "sponsor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

NAME_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,30}")
MAX_DISPLAY_NAME = 80
MAX_EMAIL = 254
MAX_BYTES = 1 << 20
MAX_YEAR = 9000

COLUMNS = ("username", "name", "email", "role", "until")
REQUIRED = ("username", "name")
NEXT_STEP = "Nothing was imported. Mend the lines above, then import the file again."

_Row = tuple[int, list[str] | str]
"""The number of a line with its cells, or with what keeps it from being read."""

_CSV_PROBLEMS = {
    "unexpected end of data": "a quotation mark opened on this line is not closed on it",
    """',' expected after '"'""": "text follows a closing quotation mark; inside a cell it is written twice",
}

# Two joiners that names in Persian or Hindi need; every other invisible character can only mislead.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One checked line; `until` says nothing where the file has no such column (`keeps_until`)."""

    line: int
    name: str
    display_name: str
    email: str
    role: Role
    until: date | None = None
    keeps_until: bool = True


def read_roster(path: Path) -> tuple[RosterLine, ...]:
    """Read and check a roster file.

    Raises:
        FileProblems: The file cannot be used; every problem is named with its line.
    """
    rows = _rows(path)
    if not rows:
        raise FileProblems(path, ["line 1: the file is empty"], f"Its first line is: {','.join(COLUMNS)}")
    (header_line, header), *body = rows
    if isinstance(header, str):
        raise FileProblems(path, [f"line {header_line}: {header}"], f"The first line is: {','.join(COLUMNS)}")
    columns = [cell.strip().lower() for cell in header]
    problems = [f"line {header_line}: {problem}" for problem in _column_problems(columns)]
    if problems:
        raise FileProblems(path, problems, f"The first line is: {','.join(COLUMNS)}")
    lines, problems = _check(columns, body)
    if not lines and not problems:
        problems = [f"line {header_line}: nobody stands below the header"]
    if problems:
        raise FileProblems(path, problems, NEXT_STEP)
    return tuple(lines)


def _check(columns: list[str], body: list[_Row]) -> tuple[list[RosterLine], list[str]]:
    lines: list[RosterLine] = []
    problems: list[str] = []
    first_seen: dict[str, int] = {}
    for number, cells in body:
        if isinstance(cells, str):
            problems.append(f"line {number}: {cells}")
            continue
        if len(cells) > len(columns):
            problems.append(f"line {number}: {len(cells)} cells where the header has {len(columns)}")
            continue
        values = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
        name = values.get("username", "")
        display_name = unicodedata.normalize("NFC", values.get("name", ""))
        email = values.get("email", "")
        role = values.get("role", "").lower() or "learner"
        until = values.get("until", "")
        found = [
            *_name_problems(name),
            *_display_name_problems(display_name),
            *_email_problems(email),
            *_role_problems(role),
            *_until_problems(until),
        ]
        if name in first_seen:
            found.append(f"user name {name!r} stands on line {first_seen[name]} already")
        elif name:
            first_seen[name] = number
        problems += [f"line {number}: {problem}" for problem in found]
        if not found:
            last_day = date.fromisoformat(until) if until else None
            lines.append(
                RosterLine(
                    number, name, display_name, email, cast("Role", role), last_day, "until" not in columns
                )
            )
    return lines, problems


def _rows(path: Path) -> list[_Row]:
    """Return the lines that hold something."""
    content = _content(path)
    if "\0" in content:
        raise FileProblems(path, ["it holds NUL characters: not a CSV file"], "Save the sheet as CSV UTF-8.")
    header = content.split("\n", 1)[0]
    delimiter = max(",;", key=header.count)
    # Each line alone: a cell of a roster has one line, and an open quotation mark must not swallow the rest.
    rows = ((number, _cells(line, delimiter)) for number, line in enumerate(content.splitlines(), 1))
    return [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]


def _cells(line: str, delimiter: str) -> list[str] | str:
    """Return the cells of a line, or what keeps it from being read."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        return _CSV_PROBLEMS.get(str(error).replace(delimiter, ","), str(error))


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileProblems(path, [f"it cannot be read: {error.strerror}"]) from error
    if len(content) > MAX_BYTES:
        raise FileProblems(path, [f"it is larger than {MAX_BYTES} bytes: not the roster of a cohort"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileProblems(
            path, [f"line {line}: not UTF-8 text"], "In a spreadsheet, save it as “CSV UTF-8”."
        ) from error


def _column_problems(columns: list[str]) -> list[str]:
    missing = [f"the column {column!r} is missing" for column in REQUIRED if column not in columns]
    unknown = [f"there is no column {column!r}" for column in columns if column not in COLUMNS]
    twice = [f"the column {column!r} stands twice" for column in COLUMNS if columns.count(column) > 1]
    return [*missing, *unknown, *twice]


def _name_problems(name: str) -> list[str]:
    if not name:
        return ["the user name is empty"]
    if not NAME_PATTERN.fullmatch(name):
        return [
            f"user name {name!r} must start with a lower-case letter and go on with up to 30 "
            "lower-case letters, digits or hyphens"
        ]
    return []


def _display_name_problems(name: str) -> list[str]:
    problems = []
    if not any(character.isalnum() for character in name):
        problems.append("the name is empty")
    if len(name) > MAX_DISPLAY_NAME:
        problems.append(f"the name is longer than {MAX_DISPLAY_NAME} characters")
    if hidden := sorted({f"U+{ord(character):04X}" for character in name if _is_hidden(character)}):
        problems.append(f"the name holds characters that cannot be seen: {', '.join(hidden)}")
    return problems


def _is_hidden(character: str) -> bool:
    category = unicodedata.category(character)
    return (category[0] == "C" or category in {"Zl", "Zp"}) and character not in _JOINERS


def _email_problems(email: str) -> list[str]:
    if not email:
        return []
    local, _, domain = email.rpartition("@")
    sound = local and domain and "@" not in local and email.isprintable() and " " not in email
    return [] if sound and len(email) <= MAX_EMAIL else [f"{email[:60]!r} is not an e-mail address"]


def _role_problems(role: str) -> list[str]:
    return [] if role in ROLES else [f"there is no role {role[:30]!r}; roles are {', '.join(ROLES)}"]


def _until_problems(until: str) -> list[str]:
    if not until:
        return []
    try:
        day = date.fromisoformat(until)
    except ValueError:
        return [f"{until[:30]!r} is not a day; write a guest's last one as 2026-12-31"]
    # A day more is added in the cohort's time zone, and Python's calendar ends with the year 9999.
    return [] if day.year < MAX_YEAR else [f"the last day {until} is further than any course"]

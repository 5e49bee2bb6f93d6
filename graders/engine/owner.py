"""What is done in a course directory is done with no more power than its owner has.

Trainers write there, from servers that run what learners wrote: a link in it must lead a worker of root's
nowhere that its owner could not go.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from course.errors import CourseError

Act = Callable[[Path], bytes]
"""Gets the folder, perhaps as a relative path; returns what came of it."""


def as_owner(folder: Path, act: Act) -> bytes:
    """Return what `act` returns, done as the owner of `folder`; in a process of its own if that is another.

    Raises:
        CourseError: It failed there; the text says why.
        Exception: It failed here.
    """
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return act(folder)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _act_and_exit(folder, owner, act, writer)
    os.close(writer)
    with open(reader, "rb") as answer:
        given = answer.read()
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise CourseError(f"{folder}: {given.decode(errors='replace') or 'its owner could not do it.'}")
    return given


def _act_and_exit(folder: Path, owner: os.stat_result, act: Act, writer: int) -> None:
    code = 1
    try:
        # The path to it may be closed to its owner.
        os.chdir(folder)
        os.setgroups([])
        os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
        os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)
        given, code = act(Path()), 0
    # The border of the process: what went wrong is told, not raised into a copy of the caller.
    except BaseException as error:
        given = f"{type(error).__name__}: {error}".encode()
    with open(writer, "wb") as answer:
        answer.write(given)
        answer.flush()
        os._exit(code)

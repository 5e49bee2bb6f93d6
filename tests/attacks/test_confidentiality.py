"""What grading must keep to itself: other people's work, tests, marks, the trainer's machine.

All attackers of this page are graded in one batch. Each has a good solution, so each gets full marks; what an
attacker finds is printed, so it would stand in the graded notebook.
"""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.attacks.attack import ASSIGNMENT, FULL, HIDDEN_WORD, SECRETS, Attack
from tests.attacks.grading_course import NEIGHBOURS, Graded, former_rows, grade
from tests.attacks.learners_view import seen_by_learners
from tests.attacks.thefts import EXFILTRATIONS, THEFTS


class Listeners(NamedTuple):
    """What of the machine an attacker could call."""

    tcp: socket.socket
    udp: socket.socket
    unix: socket.socket
    abstract: socket.socket
    heard: list[str]

    @property
    def places(self) -> dict[str, str]:
        """What they are called in an attack's code."""
        return {
            "tcp": str(self.tcp.getsockname()[1]),
            "udp": str(self.udp.getsockname()[1]),
            "unix": self.unix.getsockname(),
            "abstract": self.abstract.getsockname()[1:].decode(),
            "host": socket.gethostbyname(socket.gethostname()),
        }


@pytest.fixture(scope="module")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    folder = tmp_path_factory.mktemp("listen")
    heard: list[str] = []
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("", 0))
        unix, abstract = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        unix.bind(str(folder / "s"))
        abstract.bind(f"\0{folder.name}-{folder.parent.name}")
        for server in (unix, abstract):
            server.listen()
        threads = [
            threading.Thread(target=_listen, args=(each, heard)) for each in (tcp, udp, unix, abstract)
        ]
        for thread in threads:
            thread.start()
        yield Listeners(tcp, udp, unix, abstract, heard)
        for server in (tcp, unix, abstract):
            server.shutdown(socket.SHUT_RDWR)
        udp.sendto(b"end", ("127.0.0.1", udp.getsockname()[1]))
        for thread in threads:
            thread.join()


def _listen(server: socket.socket, heard: list[str]) -> None:
    while True:
        try:
            if server.type == socket.SOCK_DGRAM:
                word = server.recv(64)
                if word == b"end":
                    return
                heard.append(f"datagram {word!r}")
            else:
                client, _ = server.accept()
                client.close()
                heard.append(f"connection to {server.getsockname()}")
        except OSError:
            return


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, listeners: Listeners) -> Graded:
    attacks = [attack.told(listeners.places) for attack in (*THEFTS, *EXFILTRATIONS)]
    return grade(attacks, tmp_path_factory.mktemp("confidentiality"))


@pytest.fixture(scope="module")
def seen(graded: Graded) -> dict[str, str]:
    """By student, all that the learner may see of the run, as text."""
    students = [*NEIGHBOURS, *(attack.student for attack in EXFILTRATIONS)]
    return seen_by_learners(graded.place.folder, ASSIGNMENT, students)


def words_of(told: str) -> list[str]:
    """Return in which ways a text tells a hidden test."""
    word = HIDDEN_WORD
    ways = {
        "plain": word,
        "backwards": word[::-1],
        "hexadecimal": word.encode().hex(),
        **{f"base64 {skip}": base64.b64encode(word[skip : skip + 12].encode()).decode() for skip in range(3)},
    }
    return [way for way, text in ways.items() if text in told or text in told.lower()]


@pytest.mark.parametrize("attack", THEFTS, ids=lambda attack: attack.name)
def test_a_thief_finds_nothing_and_keeps_own_marks(graded: Graded, attack: Attack) -> None:
    shown = graded.outputs_of(attack.student)
    assert [word for word in SECRETS if word in shown] == []
    assert shown.count("Error") > 1
    assert graded.scores_of(attack) == FULL


def test_nobody_is_called(graded: Graded, listeners: Listeners) -> None:
    assert listeners.heard == []
    assert "stolen" not in graded.log
    assert "ConnectionRefusedError" in graded.outputs_of("mallory-network")


@pytest.mark.parametrize("attack", EXFILTRATIONS, ids=lambda attack: attack.name)
def test_hidden_tests_reach_no_learner(seen: dict[str, str], graded: Graded, attack: Attack) -> None:
    assert words_of(seen[attack.student]) == []
    assert graded.scores_of(attack) == attack.scores


def test_the_spies_did_meet_the_hidden_tests(graded: Graded) -> None:
    assert HIDDEN_WORD in graded.outputs_of("mallory-spy-prints")
    assert words_of(graded.outputs_of("mallory-note-sought")) == []


@pytest.mark.parametrize("student", NEIGHBOURS)
def test_the_neighbours_get_their_marks(graded: Graded, seen: dict[str, str], student: str) -> None:
    assert graded.scores[student] == {**FULL, "explain": None}
    assert not graded.line_of(student)["problem"]
    assert words_of(seen[student]) == []


def test_nothing_else_has_changed(graded: Graded) -> None:
    assert graded.changed == []
    assert graded.left_running == frozenset()
    assert {
        row.manual_score for row in former_rows(graded.place.folder).values() if hasattr(row, "manual_score")
    } == {1.5}

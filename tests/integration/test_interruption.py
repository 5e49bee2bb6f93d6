"""Ctrl-C ends a `spoc` command with 130, whatever it does at that moment; a "no" is no interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

SPOC = str(Path(sys.executable).with_name("spoc"))


def at_the_question(folder: Path) -> subprocess.Popen[bytes]:
    """Return a `spoc` that has asked whether to remove members, and waits."""
    roster = folder / "roster.csv"
    roster.write_text("username,name\nada,Ada\n", encoding="utf-8")
    command = [
        SPOC,
        "cohort",
        "import",
        str(roster),
        "--remove-missing",
        "--state-dir",
        str(folder / "state"),
    ]
    process = subprocess.Popen(
        command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    asked = b""
    while not asked.endswith(b"[y/N]: "):
        read = process.stdout.read(1)
        assert read, asked
        asked += read
    return process


def test_an_interruption_at_a_question_exits_with_130_and_changes_nothing(tmp_path: Path) -> None:
    with at_the_question(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said.split()) == (130, [b"Interrupted."])
    assert not (tmp_path / "state").exists()


def test_an_interruption_at_work_exits_with_130(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    os.mkfifo(roster)
    command = [SPOC, "cohort", "import", str(roster), "--state-dir", str(tmp_path / "state")]
    # Opening the pipe returns once the command reads its roster.
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process, roster.open("w"):
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said.split()) == (130, [b"Interrupted."])


def test_an_answer_of_no_exits_with_1(tmp_path: Path) -> None:
    with at_the_question(tmp_path) as process:
        _, said = process.communicate(b"n\n", timeout=30)
    assert (process.returncode, said.split()) == (1, [b"Aborted!"])
    assert not (tmp_path / "state").exists()

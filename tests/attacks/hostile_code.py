"""Code that never ends, ends everything, or takes all there is."""

from __future__ import annotations

from collections.abc import Mapping

from tests.attacks.attack import FULL, NOTHING, Attack

STUBBORN = """
import signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
"""
KILL_ALL = """
import os, signal
for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
    for pid in (os.getppid(), 1, -1):
        try:
            if pid:
                os.kill(pid, number)
        except OSError as error:
            print(error)
"""
FORK_BOMB = """
import os, time
while True:
    try:
        if os.fork() == 0:
            time.sleep(3600)
    except OSError:
        pass
"""
TAKE_MEMORY = """
held = []
while True:
    held.append(bytearray(b"x") * (64 << 20))
"""
FILL_DISK = """
for folder in ("/tmp", "/dev/shm", "/home/learner"):
    try:
        with open(folder + "/full", "wb") as file:
            while True:
                file.write(b"x" * (1 << 20))
    except OSError as error:
        print(error)
"""
DAEMONS = """
import os, time
for _ in range(10):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 256)
            while True:
                time.sleep(3600)
        os._exit(0)
"""
LOCK_DATABASE = """
import sqlite3
for path in ("{course}/gradebook.db", "/proc/1/root{course}/gradebook.db"):
    try:
        held = sqlite3.connect(path)
        held.execute("begin exclusive")
    except sqlite3.Error as error:
        print(error)
"""
GARBLE = """
import os, random
for number in range(3, 64):
    try:
        os.write(number, random.randbytes(1 << 16))
    except OSError:
        pass
"""
THREADS = """
import threading, time
for _ in range(100):
    threading.Thread(target=time.sleep, args=(3600,)).start()
"""
DEEP = "deep = 0\nfor _ in range(5000): deep = [deep]\n"
CODE: Mapping[str, str] = {
    "loop": "while True: pass",
    "stubborn": STUBBORN + "while True: pass",
    "sleeper": STUBBORN + "import time\nwhile True: time.sleep(3600)",
    "swallower": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "exit": "import os; os._exit(0)",
    "crash": "import ctypes; ctypes.string_at(0)",
    "abort": "import os; os.abort()",
    "stop": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "quit": "raise SystemExit(0)",
    "killer": KILL_ALL,
    "bomb": FORK_BOMB,
    "memory": TAKE_MEMORY,
    "disk": FILL_DISK,
    "large-file": "open('large.bin', 'wb').write(bytes(20 << 20))",
    "many-files": "for number in range(4000): open(f'/tmp/{number}', 'w').close()",
    "one-line": "print('x' * (200 << 20))",
    "raw-line": "import os\nfor _ in range(200): os.write(1, b'x' * (1 << 20))",
    "many-outputs": "for number in range(100_000): display(number)",
    "many-lines": "import sys\nfor number in range(2_000_000): print(number, file=sys.stderr)",
    "deep-output": DEEP + "display({'application/json': deep}, raw=True)",
    "daemons": DAEMONS,
    "threads": THREADS,
    "lock": LOCK_DATABASE,
    "close": "import os; os.closerange(0, 1024)",
    "garble": GARBLE,
    "input": "input('?')",
    "stack": "def down(): down()\ndown()",
    "loop-closed": "import asyncio; asyncio.get_event_loop().close()",
    "no-builtins": "import builtins\nfor name in list(vars(builtins)): delattr(builtins, name)",
    "atexit": "import atexit, time; atexit.register(time.sleep, 3600)",
}
# Who kills all that is left of the own run has nothing left to be judged.
_AT_THE_END = tuple(
    Attack(name=name, last=code, scores=NOTHING if name == "killer" else FULL) for name, code in CODE.items()
)
# These strike when a test calls them: the test fails, and each other one counts.
NO_SHOUT: Mapping[str, float | None] = {**FULL, "shout-tests": 0.0, "session-tests": 0.0}
_IN_AN_ANSWER = tuple(
    Attack(name=f"answer-{name}", answers={"shout": f"def shout(words):\n    {code}"}, scores=NO_SHOUT)
    for name, code in {
        "loop": "while True: pass",
        "exit": "import os; os._exit(0)",
        "endless": "return iter(int, 1)",
        "large": "return 'x' * (300 << 20)",
        "deep": "deep = []\n    for _ in range(100_000): deep = [deep]\n    return deep",
        "memory": "return bytearray(8 << 30)",
    }.items()
)
_AT_THE_START = (
    Attack(name="first-exit", first="import os; os._exit(0)", scores=NOTHING),
    Attack(name="first-stubborn", first=CODE["stubborn"], scores=NOTHING),
    Attack(name="first-loop", first=CODE["loop"]),
)
HOSTILE_CODE = (*_AT_THE_END, *_IN_AN_ANSWER, *_AT_THE_START)

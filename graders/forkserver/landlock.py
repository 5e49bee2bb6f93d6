"""Landlock, a second wall: it still stands where a mount or a namespace of the first one were wrong.

See https://docs.kernel.org/userspace-api/landlock.html. A kernel without it, or one that knows fewer kinds of
access, gives the part it has.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence

from graders.forkserver.system_calls import c_library, checked

CREATE_RULESET = 444
ADD_RULE = 445
RESTRICT_SELF = 446
VERSION_QUERY = 1
PATH_BENEATH = 1

EXECUTE = 1 << 0
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
TRUNCATE = 1 << 14
IOCTL_DEV = 1 << 15
READ = EXECUTE | READ_FILE | READ_DIR
DEVICE = READ | WRITE_FILE | TRUNCATE | IOCTL_DEV

KINDS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many kinds of access to files a version handles."""
SCOPES = 0b11
"""Abstract unix sockets and signals reach nothing outside; from version 6 on."""


def landlock_version() -> int:
    """Return the version that the kernel has, 0 for none."""
    return max(0, c_library().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_QUERY))


def restrict_files(version: int, writable: Sequence[str], devices: Sequence[str]) -> None:
    """Let this process and its children read all they see, and write in these folders alone.

    `no_new_privs` must be set.

    Args:
        version: What `landlock_version` returned.
        writable: Folders in which all may be done.
        devices: Folders whose files may be opened for writing.

    Raises:
        OSError: The kernel refuses.
    """
    if version == 0:
        return
    handled = (1 << KINDS_OF_VERSION[min(version, 5)]) - 1
    attributes = struct.pack("QQQ", handled, 0, SCOPES) if version >= 6 else struct.pack("Q", handled)
    size = ctypes.c_size_t(len(attributes))
    ruleset = checked(c_library().syscall(CREATE_RULESET, attributes, size, 0), "landlock_create_ruleset")
    try:
        _allow(ruleset, "/", READ & handled)
        for folder in devices:
            _allow(ruleset, folder, DEVICE & handled)
        for folder in writable:
            _allow(ruleset, folder, handled)
        checked(c_library().syscall(RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, folder: str, access: int) -> None:
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", access, descriptor)
        checked(c_library().syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0), f"landlock_add_rule {folder}")
    finally:
        os.close(descriptor)

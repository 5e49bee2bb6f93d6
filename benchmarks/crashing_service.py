"""The course service for `benchmarks.crashes`: killed, it is back within the time of a fork."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

# Loaded once, here: a service that starts as usual would spend the benchmark's time on imports.
import course.migrations.upgrade
from graders.forkserver.system_calls import PR_SET_PDEATHSIG, process_control
from hub_config.service.__main__ import main

__all__ = ["course"]


def run() -> NoReturn:
    """Have one service running in a child process until this one is told to stop."""
    child = 0

    def stop(_number: int, _frame: FrameType | None) -> None:
        os.kill(child, signal.SIGKILL)
        os._exit(0)

    while True:
        child = os.fork()
        if child == 0:
            # However this process ends: a service that nobody stops would stay for good.
            process_control(PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            sys.exit(main.main(standalone_mode=True))
        signal.signal(signal.SIGTERM, stop)
        os.waitpid(child, 0)


if __name__ == "__main__":
    run()

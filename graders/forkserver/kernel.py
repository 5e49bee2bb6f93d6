"""The role of a kernel: a forked process becomes what a kernelspec would have started."""

from __future__ import annotations

import atexit
import importlib
import os
import runpy
import sys

from graders.forkserver.channel import Channel

WARM_MODULES = (
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.history",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "comm",
    "faulthandler",
    "ipykernel.debugger",
    "ipykernel.displayhook",
    "ipykernel.iostream",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "jedi",
    "sqlite3",
    "tornado.platform.asyncio",
)
"""What an IPython kernel imports. Not the inline backend: it joins the shell that is there at its import."""


def prepare() -> None:
    for name in WARM_MODULES:
        importlib.import_module(name)


def serve(channel: Channel) -> None:
    """Run a module as a program, until that ends.

    Takes one message: `module` and `arguments`, `folder` and `variables` that it starts with; descriptors of
    its standard output and error may come with it. Says `ready` when an IPython kernel in it has bound its
    sockets: a client that connects before waits 100 ms for its next try.
    """
    message = channel.receive()
    for standard, descriptor in zip((1, 2), message.fds, strict=False):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(message.header["variables"])
    os.chdir(message.header["folder"])
    sys.argv = [message.header["module"], *message.header["arguments"]]
    _say_when_ready(channel)
    try:
        runpy.run_module(message.header["module"], run_name="__main__", alter_sys=True)
    finally:
        # A forked process ends without those that Python runs at the end of a program.
        atexit._run_exitfuncs()  # noqa: SLF001 - there is no public way


def _say_when_ready(channel: Channel) -> None:
    from ipykernel.kernelapp import IPKernelApp

    start = IPKernelApp.start

    def say_and_start(app: IPKernelApp) -> None:
        channel.send({"ready": True})
        channel.close()
        start(app)

    # The application has no hook between its sockets and its event loop.
    IPKernelApp.start = say_and_start  # type: ignore[method-assign]

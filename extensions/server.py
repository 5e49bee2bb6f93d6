"""`python -P -m extensions.server`: a member's JupyterLab under JupyterHub, on a socket that it inherits.

The socket's file stays outside the sandbox. A server that made its own could put a link to somebody else's
socket in its place, and the proxy would follow it.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from jupyter_server.serverapp import ServerApp
from jupyterhub.singleuser.extension import JupyterHubSingleUser

from extensions.home import fill_home


class InheritingServerApp(ServerApp):
    """Serves the listening socket whose descriptor is in `SPOC_SERVER_DESCRIPTOR`."""

    def _bind_http_server_unix(self) -> bool:
        descriptor = int(os.environ.pop("SPOC_SERVER_DESCRIPTOR"))
        # Kernels and terminals must not inherit it.
        os.set_inheritable(descriptor, False)
        listener = socket.socket(fileno=descriptor)
        listener.setblocking(False)
        self.http_server.add_socket(listener)
        return True


if __name__ == "__main__":
    fill_home(Path(os.environ["SPOC_RELEASE_DIR"]), Path.home())
    # Set on the class itself: Jupyter Server finds an extension by the package of its class.
    JupyterHubSingleUser.serverapp_class = InheritingServerApp
    JupyterHubSingleUser.launch_instance()

"""`python -m hub_config.service --state-dir DIR`: started by the hub as its managed service `course`.

Environment, from the hub: `JUPYTERHUB_SERVICE_URL` (TCP address to listen on), `JUPYTERHUB_SERVICE_PREFIX`,
`JUPYTERHUB_API_URL`, `JUPYTERHUB_API_TOKEN`, `JUPYTERHUB_CLIENT_ID`. `SPOC_SERVICE_SOCKET` is the path of the
unix socket for members' servers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

import click

from course.errors import CourseError
from course.state import StateFolder
from hub_config.cli.options import state_option
from hub_config.service.app import listen, make_app, open_services


@click.command()
@state_option
def main(state: StateFolder) -> None:
    """Serve quizzes, submissions and the trainer's pages."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s course %(levelname)s %(message)s")
    try:
        asyncio.run(_serve(state))
    except CourseError as error:
        raise click.ClickException(str(error)) from error


async def _serve(state: StateFolder) -> None:
    services = open_services(state)
    app = make_app(services, os.environ["JUPYTERHUB_SERVICE_PREFIX"])
    socket_path = os.environ.get("SPOC_SERVICE_SOCKET")
    server = listen(app, os.environ["JUPYTERHUB_SERVICE_URL"], Path(socket_path) if socket_path else None)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    server.stop()
    await server.close_all_connections()
    app.settings["threads"].shutdown()
    services.database.close()


if __name__ == "__main__":
    main()

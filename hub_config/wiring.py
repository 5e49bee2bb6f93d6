"""Turns settings into JupyterHub's own configuration, one function for each concern."""

from __future__ import annotations

import json
import sys

from traitlets.config import Config

from course.manifest import read_course
from course.state import StateFolder
from graders.sandbox.bubblewrap import SETPRIV
from hub_config.member_server import HUB_URL_INSIDE
from hub_config.pages import configure_pages
from hub_config.proxy import proxy_command
from hub_config.runtime import RuntimeFolder, free_port, runtime_folder, socket_url
from hub_config.secrets import COMMAND_SERVICE, METRICS_SERVICE, secret
from hub_config.settings import Settings

COURSE_SERVICE_SCOPE = "access:services!service=course"


def configure(c: Config, settings: Settings, state: StateFolder) -> None:
    """Set on `c` all that JupyterHub needs to serve the course of `settings` from `state`.

    Makes secrets that are missing; else it touches nothing but `c`.

    Raises:
        CourseError: The course's manifest cannot be used, or set-up was not run.
    """
    runtime = runtime_folder(state)
    course = read_course(settings.modules_dir)
    c.JupyterHub.services = []
    c.JupyterHub.load_roles = []
    _listen(c, settings, runtime)
    _start_the_proxy(c, state, runtime)
    _keep_state(c, state)
    _protect_pages(c, settings)
    _admit_only_the_roster(c, state)
    _isolate_each_server(c, settings, state, course.id)
    _let_roles_do_their_work(c)
    _serve_the_course(c, settings, state, runtime)
    _grade(c, settings, state)
    _stop_idle_servers(c, settings)
    _let_the_command_in(c, state)
    _let_metrics_be_read(c, state)
    configure_pages(c, settings.cohort_title or course.title)


def _listen(c: Config, settings: Settings, runtime: RuntimeFolder) -> None:
    c.JupyterHub.bind_url = f"http://127.0.0.1:{settings.port}"
    c.JupyterHub.hub_bind_url = c.JupyterHub.hub_connect_url = socket_url(runtime.hub_socket)
    # Members' servers run as other uids when root starts the hub; the folder around the socket is closed.
    c.JupyterHub.hub_socket_mode = 0o666
    if settings.public_url:
        c.JupyterHub.public_url = settings.url + "/"


def _start_the_proxy(c: Config, state: StateFolder, runtime: RuntimeFolder) -> None:
    proxy = c.ConfigurableHTTPProxy
    proxy.command = _ending_with_the_hub(proxy_command())
    proxy.api_url = socket_url(runtime.proxy_api_socket)
    proxy.auth_token = secret(state, "proxy")
    proxy.pid_file = str(runtime.root / "proxy.pid")
    proxy.log_level = "warn"


def _keep_state(c: Config, state: StateFolder) -> None:
    c.JupyterHub.db_url = f"sqlite:///{state.hub_dir / 'jupyterhub.sqlite'}"
    # A newer JupyterHub takes its own database along; it keeps a copy of the file.
    c.JupyterHub.upgrade_db = True
    c.JupyterHub.cookie_secret = bytes.fromhex(secret(state, "cookies"))
    c.JupyterHub.oauth_require_pkce = True


def _protect_pages(c: Config, settings: Settings) -> None:
    c.JupyterHub.tornado_settings = {
        "headers": {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"},
        "cookie_options": _cookie_options(settings),
    }


def _cookie_options(settings: Settings) -> dict[str, object]:
    # Of every cookie, also of those of members' servers and the course service.
    return {"samesite": "Lax"} | ({"secure": True} if settings.url.startswith("https://") else {})


def _admit_only_the_roster(c: Config, state: StateFolder) -> None:
    c.JupyterHub.authenticator_class = "spoc"
    c.RosterAuthenticator.database_url = state.database_url


def _isolate_each_server(c: Config, settings: Settings, state: StateFolder, course_id: str) -> None:
    c.JupyterHub.spawner_class = "spoc"
    c.JupyterHub.allow_named_servers = False
    # Waiting for a turn counts as starting: a whole cohort at once takes minutes on two cores.
    c.Spawner.start_timeout = 300
    c.Spawner.http_timeout = 40
    c.Spawner.hub_connect_url = HUB_URL_INSIDE
    c.Spawner.mem_limit = "4G"
    c.Spawner.default_url = "/lab/tree/welcome.ipynb"
    c.Spawner.disable_user_config = True
    c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server", COURSE_SERVICE_SCOPE]
    c.SandboxSpawner.state_dir = str(state.root)
    c.Spawner.environment = {
        "SPOC_COURSE": course_id,
        "SPOC_LANGUAGE": settings.language,
        "SPOC_TIME_ZONE": settings.time_zone,
    }


def _let_roles_do_their_work(c: Config) -> None:
    # Groups and the admin's own role come from the roster, through the authenticator. Nobody who teaches gets
    # into a learner's server: all servers share one origin, so its pages could act with the trainer's rights.
    c.JupyterHub.load_roles += [
        {"name": "learner", "groups": ["learner"], "scopes": [COURSE_SERVICE_SCOPE]},
        {"name": "sponsor", "groups": ["sponsor"], "scopes": [COURSE_SERVICE_SCOPE]},
        {
            "name": "trainer",
            "groups": ["trainer"],
            "scopes": [
                COURSE_SERVICE_SCOPE,
                "list:users!group=learner",
                "read:users!group=learner",
            ],
        },
    ]


def _serve_the_course(c: Config, settings: Settings, state: StateFolder, runtime: RuntimeFolder) -> None:
    # The hub would ask for the service's first page, which is for people, and only write down the answer.
    c.JupyterHub.service_check_interval = 0
    c.JupyterHub.services.append(
        {
            "name": "course",
            "url": f"http://127.0.0.1:{free_port()}",
            "command": _python_module("hub_config.service", "--state-dir", str(state.root)),
            "environment": {
                "SPOC_SERVICE_SOCKET": str(runtime.course_socket),
                "JUPYTERHUB_COOKIE_OPTIONS": json.dumps(_cookie_options(settings)),
            },
            "oauth_no_confirm": True,
        }
    )


def _grade(c: Config, settings: Settings, state: StateFolder) -> None:
    choices = ["--modules-dir", str(settings.modules_dir), "--language", settings.language]
    c.JupyterHub.services.append(
        {
            "name": "grading",
            "command": _python_module("graders.worker", "--state-dir", str(state.root), *choices),
            "display": False,
        }
    )


def _stop_idle_servers(c: Config, settings: Settings) -> None:
    # The culler cannot speak to a unix socket, so it goes through the proxy.
    api_url = f"http://127.0.0.1:{settings.port}/hub/api"
    timeout = f"--timeout={settings.idle_minutes * 60}"
    c.JupyterHub.services.append(
        {
            "name": "culler",
            "command": _python_module("jupyterhub_idle_culler", f"--url={api_url}", timeout),
            "display": False,
        }
    )
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    c.JupyterHub.load_roles.append({"name": "culler", "services": ["culler"], "scopes": scopes})


def _let_the_command_in(c: Config, state: StateFolder) -> None:
    token = secret(state, COMMAND_SERVICE)
    c.JupyterHub.services.append({"name": COMMAND_SERVICE, "api_token": token, "display": False})
    scopes = ["list:users", "read:users", "delete:users", "read:servers", "delete:servers"]
    c.JupyterHub.load_roles.append({"name": COMMAND_SERVICE, "services": [COMMAND_SERVICE], "scopes": scopes})


def _let_metrics_be_read(c: Config, state: StateFolder) -> None:
    token = secret(state, METRICS_SERVICE)
    c.JupyterHub.services.append({"name": METRICS_SERVICE, "api_token": token, "display": False})
    c.JupyterHub.load_roles.append(
        {"name": METRICS_SERVICE, "services": [METRICS_SERVICE], "scopes": ["read:metrics"]}
    )


def _python_module(module: str, *arguments: str) -> list[str]:
    return _ending_with_the_hub([sys.executable, "-P", "-m", module, *arguments])


def _ending_with_the_hub(command: list[str]) -> list[str]:
    # A hub that is killed cannot stop them, and the next hub would find their ports taken.
    return [SETPRIV, "--pdeathsig", "TERM", "--", *command]

"""A member's server is the member's alone, and sees nothing but what the course gives."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from course.database import Database
from course.events import EventStore
from hub_config.runtime import runtime_folder
from tests.course_hub import PASSWORD, CourseHub, CourseMember

# What a learner could type.
CONNECT = """
import os, httpx
headers = {"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]}
def client(name):
    transport = httpx.HTTPTransport(uds=f"/run/hub/{name}.sock")
    return httpx.Client(transport=transport, base_url="http://x", headers=headers)
hub, course = client("hub"), client("course")
"""

pytestmark = [pytest.mark.hub, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def ada(running_hub: CourseHub) -> CourseMember:
    member = running_hub.member("ada")
    member.start_server()
    return member


@pytest.fixture(scope="module")
def ben(running_hub: CourseHub) -> CourseMember:
    member = running_hub.member("ben")
    member.start_server()
    return member


@pytest.fixture(scope="module")
def tia(running_hub: CourseHub) -> CourseMember:
    member = running_hub.member("tia")
    member.start_server()
    return member


def test_a_learner_begins_with_the_released_modules(ada: CourseMember) -> None:
    found = ada.run("import os; print(*sorted(os.listdir(os.path.expanduser('~'))))")
    assert "welcome.ipynb" in found
    assert "tables-and-cleaning" in found


def test_a_members_start_is_on_record(running_hub: CourseHub, ada: CourseMember) -> None:
    with closing(Database(running_hub.state.database_url)) as database:
        assert EventStore(database).events(learner="ada", kind="server.started", subject="")


def test_what_a_trainer_generates_is_in_no_members_server(running_hub: CourseHub, ada: CourseMember) -> None:
    draft = running_hub.state.course_dir / "release" / "draft"
    draft.mkdir()
    (draft / "lesson.ipynb").write_text("{}")
    found = ada.run("import os; print(*sorted(os.listdir('/srv/release')))").split()
    assert "tables-and-cleaning" in found
    assert "draft" not in found


def test_a_kernel_sees_no_other_home_no_state_no_source_and_no_answer_key(
    running_hub: CourseHub, ada: CourseMember, ben: CourseMember
) -> None:
    (running_hub.state.homes_dir / "ben" / "diary.txt").write_text("private")
    places = [
        running_hub.state.root,
        running_hub.state.homes_dir / "ben",
        running_hub.state.course_dir / "source",
        running_hub.state.secrets_dir,
        running_hub.settings.modules_dir / "tables-and-cleaning",
        Path("/home/ben"),
        Path("/home/ada/course"),
        Path("/etc/shadow"),
        Path(os.path.expanduser("~/.ssh")),
    ]
    assert (
        ada.run(f"import os; print([p for p in {[str(p) for p in places]} if os.path.exists(p)])") == "[]\n"
    )
    assert "ben" not in ada.run("print(*os.listdir('/home'))").split()
    # nbgrader ships a gradebook for tests of its own.
    names = "( -name quiz.yaml -o -name gradebook.db -o -name diary.txt )"
    search = f"find / -path '*/site-packages' -prune -o {names} -print"
    found = ada.run(
        f"import shlex, subprocess; command = shlex.split({search!r});"
        " print(subprocess.run(command, capture_output=True, text=True).stdout)"
    )
    assert found.strip() == ""


def test_a_kernel_sees_only_processes_of_its_own_server(ada: CourseMember, ben: CourseMember) -> None:
    seen = ada.run("print(*(open(f'/proc/{p}/cmdline').read() for p in os.listdir('/proc') if p.isdigit()))")
    assert "extensions.server" in seen
    assert "jupyterhub_config" not in seen
    assert "/home/ben" not in seen


def test_a_kernel_reaches_no_server_of_the_machine(running_hub: CourseHub, ada: CourseMember) -> None:
    with pytest.raises(RuntimeError, match=r"ConnectionRefusedError|OSError"):
        ada.run(f"import socket; socket.create_connection(('127.0.0.1', {running_hub.settings.port}), 5)")


def test_a_kernel_holds_no_token_but_its_own_servers(ada: CourseMember) -> None:
    names = ada.run("import os; print(*os.environ)")
    assert "CONFIGPROXY_AUTH_TOKEN" not in names
    ada.run(CONNECT)
    for path in ("/users", "/users/ben", "/users/ada/tokens", "/groups", "/services", "/proxy", "/info"):
        assert ada.run(f"print(hub.get('/hub/api{path}').status_code)").strip() in ("403", "404"), path
    assert ada.run("print(hub.get('/hub/api/user').json()['name'])") == "ada\n"


def test_a_kernel_cannot_try_passwords_whatever_address_it_claims(
    running_hub: CourseHub, ada: CourseMember, ben: CourseMember
) -> None:
    ada.run(CONNECT)
    ada.run("hub.headers = {'X-Forwarded-For': '203.0.113.1', 'Sec-Fetch-Mode': 'navigate'}")
    form = {"username": "ben", "password": PASSWORD}
    for request in (
        "hub.get('/hub/login')",
        f"hub.post('/hub/login', data={form})",
        "hub.get('/hub/invitation?token=x')",
        "hub.post('/hub/invitation', data={'token': 'x'})",
        f"hub.post('/hub/api/users/ben/tokens', json={{'auth': {form}}})",
    ):
        assert ada.run(f"print({request}.status_code)") == "403\n", request
    # The same through the proxy is a sign-in.
    assert running_hub.browser().post("/hub/api/users/ben/tokens", json={"auth": form}).status_code == 201


def test_the_course_service_answers_a_kernel(ada: CourseMember) -> None:
    ada.run(CONNECT)
    assert ada.run("print(course.get('/services/course/api/assignments').status_code)") == "200\n"


def test_a_learner_cannot_write_what_the_course_gives(ada: CourseMember) -> None:
    for place in ("/srv/release/x", "/srv/config/x", "/run/hub/x", "/usr/x", "/etc/x", "/x"):
        with pytest.raises(RuntimeError, match=r"PermissionError|Read-only"):
            ada.run(f"open({place!r}, 'w')")


def test_one_learner_cannot_use_the_server_of_another(ada: CourseMember, ben: CourseMember) -> None:
    assert ada.client.get("/user/ben/api/contents").status_code in (403, 404)
    assert ben.client.get("/user/ben/api/contents").status_code == 200


def test_a_trainer_gets_into_no_learners_server_and_no_learner_into_a_trainers(
    ada: CourseMember, tia: CourseMember
) -> None:
    assert tia.browser.get("/user/ada/lab").status_code in (403, 404)
    assert tia.client.get("/user/ada/api/contents").status_code in (403, 404)
    assert ada.browser.get("/user/tia/lab").status_code in (403, 404)


def test_a_trainer_has_the_course_directory_and_may_write_it(
    running_hub: CourseHub, tia: CourseMember
) -> None:
    tia.run("open('/home/tia/course/note.txt', 'w').write('x')")
    assert (running_hub.state.course_dir / "note.txt").read_text() == "x"


def test_formgrader_is_the_trainers_alone(ada: CourseMember, tia: CourseMember) -> None:
    page = tia.client.get("/user/tia/formgrader", follow_redirects=True)
    assert page.status_code == 200
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    assert ada.client.get("/user/ada/formgrader").status_code == 404


def test_the_course_kernel_is_the_only_one(ada: CourseMember) -> None:
    specs = ada.client.get("/user/ada/api/kernelspecs").json()
    assert list(specs["kernelspecs"]) == ["spoc"]
    assert specs["default"] == "spoc"


def test_a_server_starts_again_after_a_member_left_links_in_the_home(
    running_hub: CourseHub, tia: CourseMember
) -> None:
    home = running_hub.state.homes_dir / "tia"
    tia.stop_server()
    (home / "course").rmdir()
    (home / "course").symlink_to("/etc")
    tia.start_server()
    assert "release" in tia.run("import os; print(*os.listdir(os.path.expanduser('~/course')))")
    assert (home / "course").is_dir()
    assert not (home / "course").is_symlink()


def test_a_stopped_server_leaves_no_process_and_no_socket(running_hub: CourseHub) -> None:
    chloe = running_hub.member("chloe")
    chloe.start_server()
    marker = f"1000.{os.getpid()}"
    chloe.run(f"import subprocess; subprocess.Popen(['setsid', 'sleep', '{marker}'])")
    assert _processes_with(marker)
    chloe.stop_server()
    assert not _processes_with(marker)
    assert not _processes_with(str(running_hub.state.homes_dir / "chloe"))
    assert not runtime_folder(running_hub.state).server_socket("chloe").exists()


def _processes_with(text: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text(errors="replace")
        except OSError:
            continue
        if text in command and "pytest" not in command:
            found.append(command)
    return found

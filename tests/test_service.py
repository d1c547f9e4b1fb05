"""`price service` as far as it needs no Windows: what is asked of the service manager. See tests/windows."""

import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from price import cli, settings
from price.errors import PriceError, SettingsError
from price.service import place
from price.service.manager import ACCOUNT, Manager
from tests.fakes import FakeClock

NOW = datetime(2026, 11, 20, 15, 52, tzinfo=UTC)


class Refusal(Exception):
    """As pywin32's error."""

    def __init__(self, winerror: int) -> None:
        super().__init__(winerror)
        self.winerror, self.strerror = winerror, "{Denied} The system says no."


class Api:
    """Stands in for win32service: keeps what is asked, and answers as told."""

    error = Refusal
    SC_MANAGER_ALL_ACCESS, SC_MANAGER_CONNECT = 0xF003F, 1
    SERVICE_ALL_ACCESS = 0xF01FF
    SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL = 16, 2, 1
    SERVICE_STOPPED, SERVICE_START_PENDING, SERVICE_STOP_PENDING, SERVICE_RUNNING = 1, 2, 3, 4
    SERVICE_CONTROL_STOP, SERVICE_CONTROL_PARAMCHANGE = 1, 6
    SC_ACTION_RESTART = 1
    SERVICE_CONFIG_DESCRIPTION, SERVICE_CONFIG_FAILURE_ACTIONS = 1, 2
    SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO = 4, 6
    SERVICE_CONFIG_PRESHUTDOWN_INFO = 7

    def __init__(self, *, states: tuple[int, ...] = (4,), refuse: dict[str, int] | None = None) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._states = list(states)
        self._refuse = refuse or {}

    def QueryServiceStatusEx(self, service: object) -> dict[str, int]:  # noqa: N802 - Windows' name
        number = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return {
            "CurrentState": number,
            "ProcessId": 42,
            "Win32ExitCode": 0,
            "ServiceSpecificExitCode": 0,
        }

    def __getattr__(self, name: str) -> Any:
        def call(*args: object) -> str:
            self.asked.append((name, *args[1:]))
            if code := self._refuse.get(
                f"{name} {args[1]}" if len(args) > 1 else name, self._refuse.get(name)
            ):
                raise Refusal(code)
            return name

        return call

    def said(self, name: str) -> list[tuple[Any, ...]]:
        return [args for called, *args in self.asked if called == name]  # type: ignore[misc]


def manager(api: Api) -> Manager:
    return Manager(api, "price", FakeClock(NOW))


def test_an_install_starts_with_windows_as_local_service_and_is_restarted_with_growing_pauses() -> None:
    api = Api()

    manager(api).install("python main.py")

    ((name, _, _, _, start, _, line, *_, account, _),) = api.said("CreateService")
    assert (name, start, line, account) == ("price", api.SERVICE_AUTO_START, "python main.py", ACCOUNT)
    levels = dict(api.said("ChangeServiceConfig2"))
    restart = api.SC_ACTION_RESTART
    assert levels[api.SERVICE_CONFIG_FAILURE_ACTIONS] == {
        "ResetPeriod": 86_400,
        "RebootMsg": "",
        "Command": "",
        "Actions": [(restart, 1_000), (restart, 5_000), (restart, 60_000)],
    }
    assert levels[api.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG] is True
    assert levels[api.SERVICE_CONFIG_PRESHUTDOWN_INFO] == 20_000
    assert levels[api.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO] == ["SeChangeNotifyPrivilege"]


def test_what_a_windows_does_not_know_ends_no_install() -> None:
    api = Api(refuse={"ChangeServiceConfig2 2": 124, "ChangeServiceConfig2 4": 124})

    manager(api).install("x")

    assert set(dict(api.said("ChangeServiceConfig2"))) == {1, 2, 4, 6, 7}


def test_another_refusal_of_a_part_ends_an_install() -> None:
    api = Api(refuse={"ChangeServiceConfig2 2": 5})

    with pytest.raises(PriceError, match="Run as administrator"):
        manager(api).install("x")


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ("OpenSCManager", 5, "Run as administrator"),
        ("CreateService", 1073, "is installed already: price service remove"),
        ("CreateService", 123, "cannot have that name"),
        ("CreateService", 4711, r"error 4711: \{Denied\} The system says no\."),
    ],
)
def test_a_refused_install_is_said_in_our_words(asked: str, code: int, words: str) -> None:
    with pytest.raises(PriceError, match=f"the service price .*{words}"):
        manager(Api(refuse={asked: code})).install("x")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (2, "cannot find its program: price service remove, then install"),
        (1056, "runs already: price service status"),
        (1058, "type sc config price start= auto"),
        (1060, "is not installed: price service install"),
    ],
)
def test_a_refused_start_is_said_in_our_words(code: int, words: str) -> None:
    with pytest.raises(PriceError, match=words):
        manager(Api(refuse={"StartService": code})).start()


def test_what_is_to_be_typed_names_another_service_than_the_usual_one() -> None:
    api = Api(refuse={"StartService": 1060})

    with pytest.raises(
        PriceError, match=r"^the service two is not installed: price service install --name two$"
    ):
        Manager(api, "two", FakeClock(NOW)).start()


def test_a_stop_of_what_does_not_run_is_said_in_our_words() -> None:
    with pytest.raises(PriceError, match="does not run: price service start"):
        manager(Api(refuse={"ControlService": 1062})).stop()


def test_a_start_is_waited_for_until_it_records_and_a_stop_until_it_has_ended() -> None:
    started = manager(Api(states=(2, 2, 4))).wait_while("starting")
    stopped = manager(Api(states=(4, 3, 3, 1))).stop()

    assert (started.word, started.pid) == ("running", 42)
    assert stopped.word == "stopped"


def test_a_service_that_does_not_get_on_is_waited_for_no_longer_than_a_minute() -> None:
    with pytest.raises(PriceError, match="price has been stopping for a minute"):
        manager(Api(states=(3,))).stop()


def test_a_reload_is_the_control_of_changed_parameters() -> None:
    api = Api()

    manager(api).reload()

    assert [tuple(args) for args in api.said("ControlService")] == [(6,)]


def test_only_the_settings_file_of_the_service_counts(tmp_path: Path) -> None:
    (tmp_path / "price.env").write_text("PRICE_SOURCES=kraken\n")
    ours = {"PRICE_SOURCES": "nobody", "price_pairs": "?", "PATH": "/bin"}

    wanted = settings.load(place.environment(tmp_path, ours))

    assert wanted.sources == ("kraken",)
    assert (wanted.file, wanted.state, wanted.status) == (
        tmp_path / "prices.txt",
        tmp_path / "state.json",
        tmp_path / "status.json",
    )


def test_a_settings_file_that_is_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "price"

    place.make_folder(folder)
    assert settings.load(place.environment(folder, {})).sources
    (folder / "price.env").write_text("PRICE_SOURCES=nobody\n")
    place.make_folder(folder)

    with pytest.raises(SettingsError, match="nobody"):
        settings.load(place.environment(folder, {}))


def test_the_service_is_the_python_below_a_virtual_environment_with_its_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "_base_executable", r"C:\Program Files\Python\python.exe", raising=False)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: r"C:\venv\Lib\site-packages")

    line = place.command_line("price", rows=True)

    assert line.startswith('"C:\\Program Files\\Python\\python.exe" -u ')
    assert line.endswith(r"start.py C:\venv\Lib\site-packages service host --name price --rows")


@pytest.mark.parametrize(("home", "found"), [("/users/me", True), ("/users/m", False), ("", False)])
def test_a_program_in_a_user_s_home_is_none_for_the_service(
    monkeypatch: pytest.MonkeyPatch, home: str, found: bool
) -> None:
    monkeypatch.setattr(sys, "_base_executable", "/users/me/python", raising=False)

    assert place.unreadable({"USERPROFILE": home}) == ("/users/me/python" if found else "")


def test_a_frozen_program_is_its_own_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", r"C:\price\price.exe")

    assert place.command_line("price", rows=False) == r"C:\price\price.exe service host --name price"


def test_elsewhere_the_command_says_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["service", "install"], {}, NOW) == 1
    assert capsys.readouterr().err == (
        "price: service is for Windows; type: systemctl start price where it is installed, else price run\n"
    )

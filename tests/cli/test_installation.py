"""Whose data directory it is, and whose settings count there."""

from pathlib import Path

import pytest

from pilotbot.cli.failures import Failed
from pilotbot.cli.installation import at_hand, claimed, mark, of_the_platform, of_the_sandbox
from pilotbot.settings import SettingsError

SANDBOX = {"api_url": "http://127.0.0.1:8700", "api_key": "ps_sandbox_number", "webhook_secret": "sandbox-webhook-secret"}


@pytest.fixture
def marked(desk: Path) -> Path:
    data = desk / ".pilotbot"
    data.mkdir()
    mark(data, **SANDBOX)
    return data


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTBOT_API_KEY", "ps_live")
    monkeypatch.setenv("PILOTBOT_WEBHOOK_SECRET", "live-secret")
    monkeypatch.setenv("PILOTBOT_WEBHOOK_TOKEN", "live-token")
    monkeypatch.setenv("PILOTBOT_REDIS_URL", "redis://live:6379/0")
    monkeypatch.setenv("PILOTBOT_NUMBERS", '[{"name": "a", "id": "1", "key": "k"}, {"name": "b", "id": "2", "key": "k"}]')


def test_the_mark_is_for_its_owner_only(marked: Path) -> None:
    assert (marked / "dev.env").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("production")
def test_nothing_of_the_environment_reaches_the_sandboxes_bot(marked: Path) -> None:
    (marked.parent / ".env").write_text("PILOTBOT_API_KEY_ID=live\n")
    settings = of_the_sandbox(marked, port=8701)
    assert settings.api_url == "http://127.0.0.1:8700"
    assert [number.name for number in settings.numbers] == ["main"]
    assert settings.numbers[0].key_id is None
    assert (settings.redis_url, settings.webhook_token, settings.data_dir, settings.port) == (None, None, marked, 8701)
    assert settings.obeys_sandbox_clock


@pytest.mark.parametrize(("terminal", "said"), [(True, "pilotbot: working with the sandbox of .pilotbot/dev.env\n"), (False, "")])
def test_without_settings_a_command_takes_the_dev_installation_and_says_so_to_people(
    marked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool, said: str
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    assert at_hand(None).data_dir.absolute() == marked
    assert capsys.readouterr().err == said


@pytest.mark.usefixtures("production", "marked")
def test_settings_win_over_a_dev_installation_nearby() -> None:
    assert at_hand(None).api_url == "https://pilotstatus.com.br"


@pytest.mark.usefixtures("production")
def test_a_dev_installation_that_is_named_wins_over_settings(marked: Path) -> None:
    assert at_hand(marked).obeys_sandbox_clock


def test_without_either_the_missing_settings_are_named_and_where_to_go(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"(?s)PILOTBOT_API_KEY: is not set.*no `pilotbot dev` has worked here: run this in"):
        at_hand(None)
    with pytest.raises(SettingsError, match=r"(?s)PILOTBOT_API_KEY: is not set.*no `pilotbot dev` has worked in other: give"):
        at_hand(Path("other"))
    monkeypatch.setenv("PILOTBOT_API_KEY", "k")
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET") as caught:
        at_hand(None)
    assert "pilotbot dev" not in str(caught.value)


@pytest.mark.usefixtures("marked")
def test_a_bot_of_the_platform_keeps_off_the_sandboxes_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTBOT_API_KEY", "ps_live")
    monkeypatch.setenv("PILOTBOT_WEBHOOK_SECRET", "live-secret")
    with pytest.raises(Failed, match="PILOTBOT_DATA_DIR"):
        of_the_platform()
    monkeypatch.setenv("PILOTBOT_API_URL", "http://127.0.0.1:8700")
    monkeypatch.setenv("PILOTBOT_API_KEY", "ps_sandbox_number")
    assert of_the_platform().obeys_sandbox_clock


def test_dev_keeps_off_the_redis_of_a_bot_of_the_platform(desk: Path) -> None:
    (desk / "server.lock").touch()
    with pytest.raises(Failed, match="--data"), claimed(desk):
        pass


def test_a_directory_is_one_dev_or_demos_at_a_time(desk: Path) -> None:
    with claimed(desk), pytest.raises(Failed, match="another `pilotbot dev` or `demo`"), claimed(desk):
        pass
    with claimed(desk):
        pass


def test_a_directory_that_cannot_be_made_is_named(desk: Path) -> None:
    (desk / "file").touch()
    with pytest.raises(Failed, match="file/data cannot be used"), claimed(desk / "file" / "data"):
        pass

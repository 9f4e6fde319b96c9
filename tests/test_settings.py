"""Settings: where they come from, what is refused and how it is said, and that secrets stay secret."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from pilotbot.settings import NumberSettings, Settings, SettingsError, load_settings, without_effect

KEY = "ps_live_hunter2"
ENOUGH = {"api_key": KEY, "webhook_secret": "whsec_hunter2"}


@pytest.fixture(autouse=True)
def _bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PILOTBOT_")]:
        monkeypatch.delenv(name)


def problems(**overrides: Any) -> list[str]:
    with pytest.raises(SettingsError) as error:
        load_settings(**{**ENOUGH, **overrides})
    return str(error.value).splitlines()


def secrets(settings: Settings) -> list[str]:
    return [secret.get_secret_value() for secret in settings.webhook_secret]


def test_a_key_and_a_secret_are_enough() -> None:
    settings = load_settings(**ENOUGH)
    assert settings.api_url == "https://pilotstatus.com.br"
    assert [(number.name, number.id, number.kind) for number in settings.numbers] == [("main", None, "meta")]
    assert settings.numbers[0].key is not None
    assert settings.numbers[0].key.get_secret_value() == KEY
    assert settings.redis_url is None
    assert settings.durability is None
    assert settings.data_dir == Path(".pilotbot")
    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 8701, "INFO")
    assert (settings.shards, settings.workers, settings.senders) == (8, 64, 64)
    assert (settings.lease_seconds, settings.handler_timeout_seconds, settings.window_margin_seconds) == (30, 120, 120)
    assert (settings.chat_waiting_most, settings.waiting_most, settings.stale_after_seconds) == (1_000, 100_000, 86_400)
    assert (settings.contact_per_second, settings.contact_burst) == (10, 300)
    assert (settings.business_per_second, settings.business_chat_seconds) == (20, 6)
    assert (settings.sequence_wait_seconds, settings.typing) == (10, False)
    assert (settings.media_max_bytes, settings.media_timeout_seconds) == (16 * 2**20, 20)
    assert (settings.templates_dir, settings.language) == (None, None)


def test_a_language_is_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTBOT_LANGUAGE", "pt_BR")
    monkeypatch.setenv("PILOTBOT_TEMPLATES_DIR", "bots/templates")
    settings = load_settings(**ENOUGH)
    assert (settings.language, settings.templates_dir) == ("pt_BR", Path("bots/templates"))
    [line] = problems(language="portuguese")
    assert line.startswith("PILOTBOT_LANGUAGE: ")
    assert line.endswith("set it to something like pt_BR")


def test_overrides_win_over_the_environment_which_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PILOTBOT_API_KEY=file\nPILOTBOT_PORT=1\nPILOTBOT_HOST=file\nUNRELATED=x\n")
    monkeypatch.setenv("PILOTBOT_PORT", "2")
    monkeypatch.setenv("PILOTBOT_HOST", "environment")
    monkeypatch.setenv("PILOTBOT_WEBHOOK_SECRET", "old, new,")
    settings = load_settings(host="override")
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "file"
    assert (settings.port, settings.host) == (2, "override")
    assert secrets(settings) == ["old", "new"]
    assert secrets(load_settings(webhook_secret="other")) == ["other"]


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTBOT_REDIS_URL", "")
    monkeypatch.setenv("PILOTBOT_NUMBERS", "")
    assert load_settings(**ENOUGH).redis_url is None


def test_a_durability_is_safe_or_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [load_settings(**ENOUGH, durability=said).durability for said in ("safe", " FAST ")] == ["safe", "fast"]
    assert problems(durability="ha") == ["PILOTBOT_DURABILITY: is none of fast, safe; set it to one of them"]
    monkeypatch.setenv("PILOTBOT_DURABILITY", "")
    assert load_settings(**ENOUGH).durability is None


def test_a_missing_key_is_named_with_its_remedy() -> None:
    [line] = problems(api_key=None)
    assert line.startswith("PILOTBOT_API_KEY: is not set; set it to")


def test_the_id_of_a_key_does_as_well() -> None:
    [number] = load_settings(**{**ENOUGH, "api_key": None}, api_key_id="key_1").numbers
    assert number.key is None
    assert number.key_id is not None


def test_of_a_key_and_its_id_one_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    [number] = load_settings(**ENOUGH, api_key_id="key_1").numbers
    assert number.key is not None
    assert number.key_id is None
    listed = numbers({"name": "a", "id": "1", "key": "k", "key_id": "i"}, {"name": "b", "id": "2", "key_id": "i"})
    first, second = load_settings(**ENOUGH, numbers=listed).numbers
    assert (first.key is None, first.key_id is None) == (False, True)
    assert (second.key is None, second.key_id is None) == (True, False)
    monkeypatch.setenv("PILOTBOT_API_KEY", "hunter2")
    monkeypatch.setenv("PILOTBOT_API_KEY_ID", "hunter2")
    assert without_effect() == ["PILOTBOT_API_KEY_ID: has no effect beside PILOTBOT_API_KEY; take one of the two away"]


def test_a_misspelt_variable_is_told_with_the_one_that_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert without_effect() == []
    (tmp_path / ".env").write_text("PILOTBOT_REDISURL=hunter2\nPILOTBOT_PORT=1\nAPI_KEY=x\n")
    monkeypatch.setenv("PILOTBOT_APIKEY", "hunter2")
    monkeypatch.setenv("PILOTBOT_QQQ", "hunter2")
    told = [
        "PILOTBOT_APIKEY: is no setting; did you mean PILOTBOT_API_KEY?",
        "PILOTBOT_QQQ: is no setting",
        "PILOTBOT_REDISURL: is no setting; did you mean PILOTBOT_REDIS_URL?",
    ]
    assert without_effect() == told
    assert load_settings(**ENOUGH).port == 1
    missing, *rest = problems(api_key=None)
    assert missing.startswith("PILOTBOT_API_KEY: is not set")
    assert rest == told


def test_without_any_webhook_authentication_it_does_not_start() -> None:
    [line] = problems(webhook_secret="")
    assert line.startswith("PILOTBOT_WEBHOOK_SECRET: is not set")
    assert "PILOTBOT_WEBHOOK_TOKEN" in line


@pytest.mark.parametrize("given_", [{"webhook_secret": "", "webhook_token": "t"}, {"webhook_token": "t"}])
def test_a_token_alone_or_with_a_secret_will_do(given_: dict[str, str]) -> None:
    settings = load_settings(**{**ENOUGH, **given_})
    assert settings.webhook_token is not None


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8700", "http://localhost:8700/", "http://localhost:8700/v1", " http://localhost:8700/v1/ "],
)
def test_the_host_is_kept_without_path(url: str) -> None:
    assert load_settings(**ENOUGH, api_url=url).api_url == "http://localhost:8700"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("api_url", "pilotstatus.com.br"),
        ("api_url", "ftp://h"),
        ("api_url", "https://u:hunter2@h"),
        ("api_url", "https://h/v2"),
        ("api_url", "https://h?x=1"),
        ("api_url", "https://hunter2:99999"),
        ("api_url", "https://hunter2:0"),
        ("api_url", "http://hunter2"),
        ("api_url", "http://127.0.0.1.hunter2:8700"),
        ("api_url", "http://10.0.0.1:8700"),
        ("api_key", "hunter2 hunter2"),
        ("api_key", "hunter2\nx: y"),
        ("api_key_id", "é"),
        ("webhook_secret", "good,hunter2 hunter2"),
        ("webhook_token", " "),
        ("number_kind", "hunter2"),
        ("redis_url", "hunter2:6379"),
        ("redis_url", "redis://"),
        ("redis_url", "redis://127.0.0.1:99999/0"),
        ("redis_url", "redis://127.0.0.1:6379/main"),
        ("port", "hunter2"),
        ("port", "65536"),
        ("shards", "0"),
        ("workers", "-1"),
        ("senders", "1.5"),
        ("lease_seconds", "0"),
        ("handler_timeout_seconds", "nan"),
        ("window_margin_seconds", "90000"),
        ("stale_after_seconds", "700000"),
        ("stale_after_seconds", "0"),
        ("chat_waiting_most", "0"),
        ("chat_waiting_most", "20000"),
        ("waiting_most", "99"),
        ("contact_per_second", "0"),
        ("contact_burst", "0"),
        ("business_per_second", "inf"),
        ("business_chat_seconds", "-1"),
        ("sequence_wait_seconds", "601"),
        ("media_max_bytes", "0"),
        ("media_max_bytes", "16MB"),
        ("media_timeout_seconds", "0"),
        ("typing", "maybe"),
        ("log_level", "LOUD"),
        ("host", ""),
    ],
)
def test_a_malformed_variable_is_one_line_that_names_it_and_not_its_value(field: str, value: str) -> None:
    [line] = problems(**{field: value})
    assert line.startswith(f"PILOTBOT_{field.upper()}: ")
    assert "hunter" not in line


def test_what_a_number_runs_on_is_named_in_full() -> None:
    assert problems(number_kind="cloud") == ["PILOTBOT_NUMBER_KIND: is none of meta, evolution_v2, evolution_go; set it to one of them"]


def test_a_key_does_not_travel_in_clear() -> None:
    [line] = problems(api_url="http://pilotstatus.com.br")
    assert line.startswith("PILOTBOT_API_URL: would send the key in clear")
    assert line.endswith("https://pilotstatus.com.br")


def test_all_problems_are_told_at_once() -> None:
    assert [line.partition(":")[0] for line in problems(port="x", shards="x", webhook_secret="")] == [
        "PILOTBOT_WEBHOOK_SECRET",
        "PILOTBOT_PORT",
        "PILOTBOT_SHARDS",
    ]


def numbers(*entries: dict[str, str]) -> str:
    return json.dumps(entries)


def test_a_list_of_numbers_defines_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "PILOTBOT_NUMBERS",
        numbers({"name": "shop", "id": "num_1", "kind": "evolution_go", "key": "k1", "lists": "false"}, {"name": "help", "id": "num_2"}),
    )
    shop, support = load_settings(**ENOUGH, number_kind="evolution_v2").numbers
    assert (shop.name, shop.id, shop.kind, shop.lists, support.lists) == ("shop", "num_1", "evolution_go", False, True)
    assert shop.key is not None
    assert shop.key.get_secret_value() == "k1"
    assert (support.name, support.kind) == ("help", "meta")
    assert support.key is not None
    assert support.key.get_secret_value() == KEY, "a number without a key of its own takes the shared one"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("[", "not JSON"),
        ("{}", "tuple"),
        (numbers({"name": "a", "id": "1"}, {"name": "a", "id": "2"}), "same name"),
        (numbers({"name": "a", "id": "1"}, {"name": "b", "id": "1"}), "same id"),
        (numbers({"name": "a", "id": "1"}, {"name": "b"}), "needs its id"),
        (numbers({"name": "a", "id": ""}), "0.id"),
        (numbers({"name": "A b"}), "0.name"),
        (numbers({"id": "1"}), "0.name"),
        (numbers({"name": "a", "kind": "hunter2"}), "0.kind"),
        (numbers({"name": "a", "kye": "hunter2"}), "0.kye"),
        (numbers({"name": "a", "key": "hunter2 hunter2"}), "0.key"),
    ],
)
def test_a_list_of_numbers_that_cannot_be_is_refused(value: str, says: str) -> None:
    [line] = problems(numbers=value)
    assert line.startswith("PILOTBOT_NUMBERS: ")
    assert says in line
    assert "hunter" not in line


def test_a_listed_number_needs_a_key() -> None:
    assert problems(api_key=None, numbers=numbers({"name": "a"}))[0].startswith("PILOTBOT_API_KEY: is not set")


@pytest.mark.parametrize(
    ("url", "key", "obeys"),
    [
        ("http://127.0.0.1:8700", "ps_sandbox_number", True),
        ("http://localhost:8700/v1", "ps_sandbox_number", True),
        ("http://[::1]:8700", "ps_sandbox_number", True),
        ("http://127.0.0.1:8700", KEY, False),
        ("https://pilotstatus.com.br", "ps_sandbox_number", False),
        ("https://127.0.0.1.example:8700", "ps_sandbox_number", False),
        ("https://localhost.example", "ps_sandbox_number", False),
    ],
)
def test_only_the_sandbox_on_this_machine_moves_the_clock(url: str, key: str, obeys: bool) -> None:
    settings = load_settings(api_url=url, api_key=key, webhook_secret="s")
    assert settings.obeys_sandbox_clock is obeys


def test_one_real_key_among_several_is_enough_not_to_obey() -> None:
    listed = (
        NumberSettings.model_validate({"name": "a", "id": "1", "key": "ps_sandbox_number"}),
        NumberSettings.model_validate({"name": "b", "id": "2", "key": KEY}),
    )
    assert not load_settings(**ENOUGH, api_url="http://127.0.0.1", numbers=listed).obeys_sandbox_clock
    by_id = {"api_key": None, "api_key_id": "ps_sandbox_number", "webhook_secret": "s"}
    assert not load_settings(**by_id, api_url="http://127.0.0.1").obeys_sandbox_clock


def test_settings_show_no_secret_and_do_not_change() -> None:
    settings = load_settings(
        **ENOUGH, webhook_token="hunter2", redis_url="redis://:hunter2@h", numbers=numbers({"name": "a", "key": "hunter2"})
    )
    assert "hunter" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    with pytest.raises(ValidationError):
        setattr(settings, "port", 1)  # noqa: B010 - mypy refuses the assignment, which is the point


def test_a_file_in_another_encoding_is_reported(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PILOTBOT_HOST=\xff\xfe\n")
    assert problems() == [".env: is not text in UTF-8; save it as such"]


@given(field=st.sampled_from(sorted(Settings.model_fields)), value=st.text())
@example(field="numbers", value="{0}")
@example(field="numbers", value='[{"name": "a", "x\\n y": 1}]')
@example(field="api_url", value="http://[")
def test_any_text_gives_settings_or_one_line_a_problem(field: str, value: str) -> None:
    lines: list[str] = []
    try:
        load_settings(**{**ENOUGH, field: value})
    except SettingsError as error:
        lines = str(error).splitlines()
    assert all(line.startswith("PILOTBOT_") for line in lines)

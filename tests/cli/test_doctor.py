"""`pilotbot doctor`: each finding provoked on real servers; nothing secret in what it says; nothing changed by its look."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pilotbot.cli.diagnosis import date_of, of_clocks, of_round_trips, of_space, of_webhooks
from pilotbot.cli.doctor import table
from pilotbot.engine.checkup import Reading
from pilotbot.engine.durability import Finding
from pilotbot.platform import Webhook
from tests.cli.conftest import PHONE
from tests.servers import Server, serving

Invoke = Callable[..., Result]
KEY = "ps_live_hunter2"
TOKEN = "token_hunter2"
SAFE = {"appendonly": "yes", "appendfsync": "always"}
HOOK = {"id": "wh_1", "url": "https://bot.example/hook/hunter2", "events": ["*"], "active": True}


@dataclass
class Platform:
    """A tiny platform on this machine, whose clock may be wrong."""

    skew: float = 0.0
    hooks: list[dict[str, Any]] = field(default_factory=lambda: [HOOK])
    hooks_status: int = 200
    status: int = 200
    url: str = ""

    def answer(self, path: str, key: str | None) -> tuple[int, object]:
        if key != KEY:
            return 401, {"error": "no", "code": "UNAUTHORIZED"}
        if path == "/v1/webhooks":
            return self.hooks_status, self.hooks
        return self.status, [] if self.status == 200 else {"error": "no"}


@pytest.fixture
def platform() -> Iterator[Platform]:
    made = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = made.answer(self.path, self.headers.get("x-api-key"))
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate(time.time() + made.skew, usegmt=True)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def doctor(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, platform: Platform) -> Callable[..., dict[str, dict[str, Any]]]:
    """Runs it with settings, and returns the findings by what was looked at; checks what holds of every run."""

    def run(**settings: str) -> dict[str, dict[str, Any]]:
        usual = {"API_KEY": KEY, "WEBHOOK_SECRET": "s_hunter2", "API_URL": platform.url}
        for name, value in {**usual, **settings}.items():
            monkeypatch.setenv(f"PILOTBOT_{name}", value)
        result = invoke("doctor", "--json")
        assert result.stderr == ""
        assert "hunter2" not in result.stdout
        said = json.loads(result.stdout)
        bad = [finding for finding in said["findings"] if finding["level"] == "bad"]
        assert (said["ok"], result.exit_code) == ((False, 1) if bad else (True, 0))
        assert all(finding["remedy"] or finding["level"] == "ok" or finding["check"] == "settings" for finding in said["findings"])
        return {finding["check"]: finding for finding in said["findings"]}

    return run


Doctor = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "r", SAFE) as server:
        yield server


def levels(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What is not ok."""
    return {check: finding["level"] for check, finding in found.items() if finding["level"] != "ok"}


def test_where_all_is_well(doctor: Doctor, redis_server: Server) -> None:
    found = doctor(REDIS_URL=redis_server.url, DURABILITY="safe")
    assert levels(found) == {}
    assert list(found) == [
        "settings", "redis", "version", "role", "durability", "append-only file", "eviction", "memory", "latency", "installation",
        "chats", "platform for main", "webhook of main", "clocks",
    ]  # fmt: skip
    assert found["webhook of main"]["seen"] == "delivers to https://bot.example"
    assert redis_server.redis.dbsize() == 0, "a look changes nothing"


@pytest.mark.parametrize(
    ("changes", "profile", "check", "level", "remedy"),
    [
        ({"appendonly": "no"}, "safe", "durability", "bad", "CONFIG SET appendonly yes"),
        ({"appendonly": "no"}, "", "durability", "bad", "CONFIG SET appendonly yes"),
        ({"appendfsync": "everysec"}, "safe", "durability", "bad", "CONFIG SET appendfsync always"),
        ({"appendfsync": "everysec"}, "", "durability", "warn", "PILOTBOT_DURABILITY=fast"),
        ({"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}, "", "eviction", "bad", "CONFIG SET maxmemory-policy noeviction"),
        ({"maxmemory": "1mb"}, "", "memory", "bad", "give it more"),
    ],
)
def test_what_redis_does_not_do(
    doctor: Doctor, redis_server: Server, changes: dict[str, str], profile: str, check: str, level: str, remedy: str
) -> None:
    for name, value in changes.items():
        redis_server.redis.config_set(name, value)
    found = doctor(REDIS_URL=redis_server.url, DURABILITY=profile)
    assert levels(found) == {check: level}
    assert remedy in found[check]["remedy"]


def test_everysec_is_enough_for_fast(doctor: Doctor, redis_server: Server) -> None:
    redis_server.redis.config_set("appendfsync", "everysec")
    assert levels(doctor(REDIS_URL=redis_server.url, DURABILITY="fast")) == {}


@pytest.mark.parametrize(("profile", "level"), [("safe", "bad"), ("fast", "warn"), ("", "warn")])
def test_a_user_without_config(doctor: Doctor, redis_server: Server, profile: str, level: str) -> None:
    redis_server.redis.acl_setuser("bot", enabled=True, passwords=["+pw_hunter2"], keys=["*"], commands=["+@all", "-config"])
    found = doctor(REDIS_URL=redis_server.url_of("bot", "pw_hunter2"), DURABILITY=profile)
    assert levels(found) == {"durability": level}
    assert "+config|get" in found["durability"]["remedy"]


def test_a_redis_that_is_not_there_does_not_hide_the_rest(doctor: Doctor, platform: Platform) -> None:
    platform.hooks = []
    found = doctor(REDIS_URL="redis://:pw_hunter2@127.0.0.1:1")
    assert levels(found) == {"redis": "bad", "webhook of main": "bad"}
    assert list(found) == ["settings", "redis", "platform for main", "webhook of main", "clocks"]


def test_an_installation_with_other_figures(doctor: Doctor, redis_server: Server) -> None:
    redis_server.redis.hset("{pb}:conf", "shards", 4)
    found = doctor(REDIS_URL=redis_server.url)
    assert levels(found) == {"installation": "bad"}
    assert found["installation"]["remedy"] == "set it to 4, or use an empty database"


def test_a_time_that_a_sandbox_moved_is_wrong_for_the_platform_alone(doctor: Doctor, redis_server: Server) -> None:
    redis_server.redis.hset("{pb}:conf", "shards", 8)
    redis_server.redis.set("{pb:0}:offset", 90_000_000)
    found = doctor(REDIS_URL=redis_server.url)
    assert levels(found) == {"installation": "bad"}
    assert found["installation"]["seen"] == "a sandbox moved its time ahead by 25.0 h"


def test_a_chat_that_nobody_will_take(doctor: Doctor, redis_server: Server) -> None:
    redis_server.redis.hset("{pb}:conf", "shards", 8)
    for n in range(5):
        redis_server.redis.zadd(f"{{pb:3}}:mailbox:000000000000000{n}", {"event": 1})
    found = doctor(REDIS_URL=redis_server.url)
    assert levels(found) == {"chats": "bad"}
    assert found["chats"]["seen"].count("has work that nobody will take") == 3
    assert found["chats"]["seen"].endswith("; and 2 more")


def test_a_key_that_the_platform_does_not_take(doctor: Doctor, redis_server: Server) -> None:
    found = doctor(REDIS_URL=redis_server.url, API_KEY="ps_live_other_hunter2")
    assert levels(found) == {"platform for main": "bad"}
    assert found["platform for main"]["seen"].endswith(": 401 UNAUTHORIZED")
    assert found["platform for main"]["remedy"] == "Check the API key: the platform does not accept it."
    assert found["clocks"]["seen"].startswith("this machine, Redis, the platform"), "the refusal had a date too"


@pytest.mark.parametrize(("status", "level"), [(500, "bad"), (429, "warn"), (301, "bad")])
def test_a_platform_in_trouble(doctor: Doctor, redis_server: Server, platform: Platform, status: int, level: str) -> None:
    platform.status = status
    assert levels(doctor(REDIS_URL=redis_server.url)) == {"platform for main": level}


def test_a_platform_that_cannot_be_reached(doctor: Doctor, redis_server: Server) -> None:
    found = doctor(REDIS_URL=redis_server.url, API_URL="http://127.0.0.1:1")
    assert levels(found) == {"platform for main": "bad"}
    assert "cannot be reached" in found["platform for main"]["remedy"]


def test_webhooks_that_cannot_be_seen_are_no_mistake(doctor: Doctor, redis_server: Server, platform: Platform) -> None:
    platform.hooks_status = 403
    assert levels(doctor(REDIS_URL=redis_server.url)) == {"webhook of main": "warn"}


@pytest.mark.parametrize("skew", [-30.0, 30.0])
def test_a_platform_whose_clock_differs(doctor: Doctor, redis_server: Server, platform: Platform, skew: float) -> None:
    platform.skew = skew
    found = doctor(REDIS_URL=redis_server.url)
    assert levels(found) == {"clocks": "warn"}
    way = "behind" if skew > 0 else "ahead of"
    assert f" s {way} the platform" in found["clocks"]["seen"]


def test_run_refuses_what_the_doctor_finds(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, redis_server: Server, bot_file: Path) -> None:
    redis_server.redis.config_set("appendonly", "no")
    for name, value in {"API_KEY": KEY, "WEBHOOK_SECRET": "s", "DURABILITY": "safe", "REDIS_URL": redis_server.url}.items():
        monkeypatch.setenv(f"PILOTBOT_{name}", value)
    result = invoke("run", bot_file.name)
    assert result.exit_code == 1
    assert "pilotbot: This Redis does not do:\n  appendonly is no" in result.stderr
    assert "CONFIG SET appendonly yes" in result.stderr


def test_without_a_server_it_starts_one_for_the_look(doctor: Doctor, desk: Path) -> None:
    found = doctor()
    assert levels(found) == {}
    assert found["redis"]["seen"].endswith("only for this look, no bot runs on it")
    assert found["disk space"]["level"] == "ok"
    assert not (desk / ".pilotbot" / "redis.sock").exists(), "it was stopped again"


def test_settings_that_are_wrong_are_findings(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTBOT_API_KEY", KEY)
    monkeypatch.setenv("PILOTBOT_DURABILITY", "medium")
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "bad   settings  PILOTBOT_DURABILITY: is none of fast, safe; set it to one of them" in result.stdout.splitlines()
    assert any(line.startswith("bad   settings  PILOTBOT_WEBHOOK_SECRET: is not set") for line in result.stdout.splitlines())


def test_a_setting_without_effect_is_a_warning(doctor: Doctor, redis_server: Server) -> None:
    assert levels(doctor(REDIS_URL=redis_server.url, REDISURL="hunter2")) == {"settings": "warn"}


def test_beside_a_bot_at_a_desk_whose_clock_was_moved(dev: Any, invoke: Invoke) -> None:
    dev.phone.write("hi")
    dev.phone.until("one")
    dev.phone.travel("25h")
    result = invoke("doctor", "--json")
    said = {finding["check"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert set(levels(said)) <= {"webhook of main"}  # it listens on a port that the settings do not know
    assert result.exit_code == 0
    assert said["redis"]["seen"].endswith("(adopted) in .pilotbot")
    assert PHONE.removeprefix("+") not in result.stdout
    dev.phone.write("again")
    dev.phone.until("one", "one")


def test_a_line_each() -> None:
    found = [Finding("redis", "ok", "there"), Finding("durability", "bad", "off", "CONFIG SET")]
    assert table(found) == ["ok    redis       there", "bad   durability  off; CONFIG SET"]


class TestClocks:
    def test_what_the_readings_leave_open_counts_in_their_favour(self) -> None:
        here, there = Reading("this machine", 0, 0), Reading("Redis", 2.4, 0.5)
        assert [finding.level for finding in of_clocks([here, there])] == ["ok"]

    def test_every_pair_is_named(self) -> None:
        readings = [Reading("this machine", 0, 0), Reading("Redis", 3, 0), Reading("the platform", -3, 0.5)]
        assert [finding.seen for finding in of_clocks(readings)] == [
            "this machine is 3.0 s behind Redis", "this machine is 3.0 s ahead of the platform", "Redis is 6.0 s ahead of the platform",
        ]  # fmt: skip

    def test_the_second_of_a_date_is_not_taken_for_a_difference(self) -> None:
        found = date_of({"date": "Thu, 01 Jan 1970 00:16:40 GMT"}, 1000.9, 1001.1)
        assert found is not None
        assert (round(found.ahead, 3), round(found.error, 3)) == (-0.5, 0.6)

    @pytest.mark.parametrize("headers", [{}, {"date": ""}, {"date": "soon"}])
    def test_no_date(self, headers: dict[str, str]) -> None:
        assert date_of(headers, 0, 0) is None


class TestWebhooks:
    def judged(self, *hooks: dict[str, Any], token: str | None = None, number: str | None = None) -> Finding:
        return of_webhooks("main", number, [Webhook.model_validate(HOOK | hook) for hook in hooks], port=8701, token=token)

    def test_ours_on_this_machine_and_behind_a_proxy(self) -> None:
        assert self.judged({"url": "http://127.0.0.1:8701/webhook"}).level == "ok"
        assert self.judged({}).level == "ok"
        assert self.judged({"events": ["message.received", "message.reply"]}, {}).level == "ok"

    @pytest.mark.parametrize(
        ("hook", "level", "seen"),
        [
            ({"active": False}, "bad", "switched off"),
            ({"url": "http://127.0.0.1:9000/webhook"}, "warn", "goes to http://127.0.0.1:9000, and PILOTBOT_PORT is 8701"),
            ({"events": ["message.sent"]}, "bad", "tells nothing of message.received, message.reply"),
            ({"events": ["message.received", "message.reply"]}, "warn", "tells nothing of message.sent"),
        ],
    )
    def test_what_is_wrong_with_it(self, hook: dict[str, Any], level: str, seen: str) -> None:
        found = self.judged(hook)
        assert found.level == level
        assert seen in found.seen

    def test_of_another_number(self) -> None:
        assert self.judged({"whatsappNumberIds": ["num_2"]}, number="num_1").level == "bad"
        assert self.judged({"whatsappNumberIds": ["num_1"]}, number="num_1").level == "ok"

    def test_the_token(self) -> None:
        url = "https://bot.example/webhook?token="
        assert self.judged({"url": url + TOKEN}, token=TOKEN).level == "ok"
        for wrong in (url + "other", "https://bot.example/webhook"):
            found = self.judged({"url": wrong}, token=TOKEN)
            assert found.level == "bad"
            assert TOKEN not in str(found)


@pytest.mark.parametrize(("middle", "level"), [(0.0005, "ok"), (0.010, "ok"), (0.011, "warn")])
def test_a_redis_that_is_far_away(middle: float, level: str) -> None:
    assert of_round_trips([middle] * 100).level == level


@pytest.mark.parametrize(
    ("free", "file", "level"), [(50_000_000, 0, "bad"), (5 << 30, 6 << 30, "bad"), (10 << 30, 6 << 30, "warn"), (5 << 30, 1 << 30, "ok")]
)
def test_a_disk_that_is_full(free: int, file: int, level: str) -> None:
    assert of_space(free, file).level == level

"""Every setting, in one place: read from the environment and `.env`, checked at start (design sections 3.1, 3.3, 3.17).

The variable of a field is its name in capitals after `PILOTBOT_`. Nothing else of the framework reads the environment:
what a part needs is passed to it.
"""

import ipaddress
import json
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "PILOTBOT_"
SANDBOX_KEY_PREFIX = "ps_sandbox_"

NumberKind = Literal["meta", "evolution_v2", "evolution_go"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Durability = Literal["fast", "safe"]


class SettingsError(Exception):
    """The settings do not allow a start; one line for each problem, naming the variable and the remedy, no values."""


def _printable(secret: SecretStr) -> SecretStr:
    """Pasted secrets come with white space around; inside, or as control characters, it would break the HTTP header."""
    text = secret.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("is empty or holds white space or characters that are not ASCII; copy it again")
    return SecretStr(text)


Secret = Annotated[SecretStr, AfterValidator(_printable)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(ge=1, le=4096)]


class NumberSettings(BaseModel):
    """One WhatsApp number that the bot answers (design section 3.1).

    Attributes:
        name: what the framework calls it, in keys and logs.
        id: the platform's id; events of other ids are dropped. May be missing where there is one number only.
        phone: its phone, as +digits: calls name no id, so that where there are several numbers theirs are told apart by it.
        kind: what the platform runs it on; it decides which modes there are.
        lists: whether options go as lists where they fit one; else as numbered text.
        key: its API key, sent as `x-api-key`.
        key_id: the id of its API key, sent as `x-api-key-id`; kept only where there is no `key`, since one of the two is sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    id: Annotated[str, Field(min_length=1)] | None = None
    phone: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    kind: NumberKind = "meta"
    lists: bool = True
    key: Secret | None = None
    key_id: Secret | None = None

    @field_validator("key_id")
    @classmethod
    def _one_of_two(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        return None if info.data.get("key") else value


class Settings(BaseSettings):
    """The settings of an installation; made by `load_settings`. Its repr shows no secret.

    Attributes:
        api_url: the platform, scheme and host without path; `/v1` at its end is taken off. https, but for this machine.
        api_key: the number's API key.
        api_key_id: the id of an API key, in place of the key; it counts only where there is no key.
        number_kind: what the platform runs the single number on.
        numbers: all numbers; a JSON list of {name, id, kind, key} in `PILOTBOT_NUMBERS`, or else `main` alone.
        webhook_secret: one or several (comma-separated, for rotation) that sign webhooks.
        webhook_token: the token that webhooks carry; beside or in place of a secret.
        redis_url: redis://, rediss:// or unix://; without it the embedded server is used.
        data_dir: what the embedded server keeps.
        durability: `safe`: on disk before a webhook is answered; `fast`: within about a second; Redis must be able to keep it. Without
            it an embedded server is safe, and one by URL is used as it is.
        host: the address that the webhook server listens on.
        port: its port; 0 takes a free one.
        shards: into how many parts the chats are divided; the same for all processes, and for good.
        workers: handlers that run at once in a process.
        senders: requests to the platform under way at once in a process.
        lease_seconds: after how long a silent worker loses its chat.
        handler_timeout_seconds: how long a handler may take.
        window_margin_seconds: how long before its end the 24-hour window counts as closed.
        stale_after_seconds: messages that come later than this after they were written reach only `stale` handlers.
        chat_waiting_most: events that may wait in one chat; further ones are answered 503.
        waiting_most: events that may wait in all chats.
        contact_per_second: messages of one contact a second, once a burst of `contact_burst` is used up; further ones are answered 503.
        contact_burst: messages of one contact that may come at once.
        business_per_second: messages a second, and number, that nobody asked for: notices, follow-ups. Answers are not counted.
        business_chat_seconds: between two of them to one contact, after the first ten.
        sequence_wait_seconds: how long what follows in a sequence waits for the report that what went before was sent.
        media_max_bytes: how large a file may be that `ctx.download()` fetches.
        media_timeout_seconds: how long that may take.
        typing: whether `ctx.typing()` shows the contact that the bot is typing.
        templates_dir: the directory of the templates' definitions; without it `templates` beside the code of the handlers.
        language: that of contacts who speak none that a template has, a code such as pt_BR.
        log_level: the least that is logged.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    api_url: str = Field("https://pilotstatus.com.br", examples=["https://pilotstatus.com.br"])
    api_key: Secret | None = None
    api_key_id: Secret | None = None
    number_kind: NumberKind = "meta"
    numbers: Annotated[tuple[NumberSettings, ...], NoDecode] = Field(
        (), validate_default=True, examples=['[{"name": "main", "id": "...", "kind": "meta", "key": "..."}]']
    )
    webhook_secret: Annotated[tuple[Secret, ...], NoDecode] = ()
    webhook_token: Secret | None = Field(None, validate_default=True)
    redis_url: SecretStr | None = Field(None, examples=["redis://localhost:6379/0"])
    data_dir: Path = Field(Path(".pilotbot"), examples=[".pilotbot"])
    durability: Durability | None = None
    host: str = Field("127.0.0.1", min_length=1, examples=["127.0.0.1"])
    port: int = Field(8701, ge=0, le=65_535, examples=["8701"])
    shards: Count = Field(8, examples=["8"])
    workers: Count = Field(64, examples=["64"])
    senders: Count = Field(64, examples=["64"])
    lease_seconds: Seconds = Field(30.0, examples=["30"])
    handler_timeout_seconds: Seconds = Field(120.0, examples=["120"])
    window_margin_seconds: Seconds = Field(120.0, examples=["120"])
    stale_after_seconds: Annotated[float, Field(gt=0, le=8 * 86_400)] = Field(86_400.0, examples=["86400"])
    chat_waiting_most: Annotated[int, Field(ge=1, le=10_000)] = Field(1_000, examples=["1000"])
    waiting_most: Annotated[int, Field(ge=100)] = Field(100_000, examples=["100000"])
    contact_per_second: Annotated[float, Field(gt=0, le=10_000)] = Field(10.0, examples=["10"])
    contact_burst: Annotated[int, Field(ge=1, le=100_000)] = Field(300, examples=["300"])
    business_per_second: Annotated[float, Field(gt=0, le=1_000)] = Field(20.0, examples=["20"])
    business_chat_seconds: Annotated[float, Field(ge=0, le=3_600)] = Field(6.0, examples=["6"])
    sequence_wait_seconds: Annotated[float, Field(ge=0, le=600)] = Field(10.0, examples=["10"])
    media_max_bytes: Annotated[int, Field(ge=1, le=2**30)] = Field(16 * 2**20, examples=["16777216"])
    media_timeout_seconds: Seconds = Field(20.0, examples=["20"])
    typing: bool = Field(default=False, examples=["true"])
    templates_dir: Path | None = Field(None, examples=["bots/templates"])
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,4})?$")] | None = Field(None, examples=["pt_BR"])
    log_level: LogLevel = "INFO"

    @property
    def obeys_sandbox_clock(self) -> bool:
        """Whether the other side is the sandbox, whose clock may move ours (design section 3.3)."""
        keys = (number.key.get_secret_value() if number.key else "" for number in self.numbers)
        return _is_loopback(urlsplit(self.api_url).hostname) and all(key.startswith(SANDBOX_KEY_PREFIX) for key in keys)

    @field_validator("api_url")
    @classmethod
    def _host_only(cls, value: str) -> str:
        url = re.sub(r"/+(v1/*)?$", "", value.strip())
        if not re.fullmatch(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+])(:\d{1,5})?", url):
            raise ValueError("is not an http or https address of a host")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError("has a host or port that cannot be; ports are 1 to 65535")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError("would send the key in clear, since http is for this machine only")
        return url

    @field_validator("numbers", mode="before")
    @classmethod
    def _numbers_from_json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value.strip() else ()
        except json.JSONDecodeError as error:
            raise ValueError(f"is not JSON (column {error.colno}: {error.msg})") from None

    @field_validator("numbers")
    @classmethod
    def _complete(cls, value: tuple[NumberSettings, ...], info: ValidationInfo) -> tuple[NumberSettings, ...]:
        """Without a list there is `main`; a number without a key of its own takes the shared one."""
        if not {"api_key", "api_key_id", "number_kind"} <= info.data.keys():
            return ()  # one of them has a problem that is reported already
        numbers = value or (NumberSettings(name="main", kind=info.data["number_kind"]),)
        key = info.data["api_key"]
        shared = {"key": key, "key_id": None if key else info.data["api_key_id"]}
        numbers = tuple(each if each.key or each.key_id else each.model_copy(update=shared) for each in numbers)
        ids = [number.id for number in numbers]
        if len({number.name for number in numbers}) < len(numbers):
            raise ValueError("two numbers have the same name; give each its own")
        if len(numbers) > 1 and None in ids:
            raise ValueError("with more than one number each needs its id; add the missing ones")
        if len(set(ids)) < len(ids):
            raise ValueError("two numbers have the same id; give each its own")
        if not all(number.key or number.key_id for number in numbers):
            raise _problem("API_KEY", "is not set; set it to the number's API key, as Pilot Status shows it")
        return numbers

    @field_validator("webhook_secret", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("webhook_token")
    @classmethod
    def _some_authentication(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("webhook_secret") == ():
            remedy = f"set it to the webhook's secret, or {PREFIX}WEBHOOK_TOKEN to its token"
            raise _problem("WEBHOOK_SECRET", f"is not set, so that anybody could send events; {remedy}")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return value
        text = value.get_secret_value()
        if not re.match(r"rediss?://[^/?]|unix://[^?]*/", text):
            raise ValueError("is not a redis://, rediss:// or unix:// address")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            port = 0
        if port == 0 or (parts.scheme != "unix" and not re.fullmatch(r"/?\d*", parts.path)):
            raise ValueError("has a port or a database that cannot be; ports are 1 to 65535, a database is a number")
        return value

    @field_validator("durability", mode="before")
    @classmethod
    def _small(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _capitals(cls, value: object) -> object:
        return value.strip().upper() if isinstance(value, str) else value


class _Given(Settings):
    """Settings of which nothing is read from anywhere."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - as pydantic calls it
        init_settings: PydanticBaseSettingsSource,
        *_: Any,
        **__: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was given is the only source."""
        return (init_settings,)


def load_settings(**overrides: Any) -> Settings:
    """Read and check the settings.

    Args:
        overrides: values by field name; they win over the environment, which wins over `.env`.

    Raises:
        SettingsError: something is missing or malformed; a line for each problem.
    """
    return _checked(Settings, overrides)


def given_settings(**values: Any) -> Settings:
    """The settings of these values and of the defaults alone: neither the environment nor `.env` counts.

    Raises:
        SettingsError: as `load_settings`.
    """
    return _checked(_Given, values)


def _checked(cls: type[Settings], values: dict[str, Any]) -> Settings:
    try:
        return cls(**values)
    except ValidationError as error:
        lines = [_line(problem) for problem in error.errors(include_url=False, include_input=False)] + without_effect()
    except UnicodeDecodeError:
        lines = [".env: is not text in UTF-8; save it as such"]
    raise SettingsError("\n".join(lines))


def without_effect() -> list[str]:
    """What is set in the environment or `.env` and changes nothing, a line each: misspelt names, a key's id beside the key.

    For the log at start, once `load_settings` has read the same; never holds a value.
    """
    given = {**DotEnvSettingsSource(Settings).env_vars, **EnvSettingsSource(Settings).env_vars}
    names = [name.upper() for name, value in given.items() if name.upper().startswith(PREFIX) and value is not None]
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    lines = [_misnamed(name, known) for name in sorted(set(names) - known)]
    if {f"{PREFIX}API_KEY", f"{PREFIX}API_KEY_ID"} <= set(names):
        lines.append(f"{PREFIX}API_KEY_ID: has no effect beside {PREFIX}API_KEY; take one of the two away")
    return lines


def _misnamed(name: str, known: set[str]) -> str:
    """The names without their prefix are compared: it would make all of them alike."""
    close = get_close_matches(name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in sorted(known)], n=1)
    return f"{name}: is no setting" + (f"; did you mean {PREFIX}{close[0]}?" if close else "")


def _problem(name: str, text: str) -> PydanticCustomError:
    """A problem of another variable than the one being checked. The text must hold no braces."""
    return PydanticCustomError("setting", f"{PREFIX}{name}: {text}")


def _line(problem: ErrorDetails) -> str:
    """One line on one problem: the variable, what is wrong with it, and what would be right; never its value."""
    if problem["type"] == "setting":
        return problem["msg"]
    field, *inside = (str(part) for part in problem["loc"])
    text = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "literal_error":
        text = f"is none of {problem['ctx']['expected'].replace(' or ', ', ').replace(chr(39), '')}; set it to one of them"
    place = f"{'.'.join(inside)}: " if inside and field == "numbers" else ""
    examples = Settings.model_fields[field].examples if field in Settings.model_fields else None
    remedy = f"; set it to something like {examples[0]}" if examples else ""
    return " ".join(f"{PREFIX}{field.upper()}: {place}{text}{remedy}".split())


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False

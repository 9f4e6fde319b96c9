"""Typed state of a chat: a model with a lifetime and a version, stored as one small JSON document (design 5).

    class Cart(State, ttl=days(7)):
        items: list[str] = []

The document is `{"v": version, "x": when it expires or null, "d": {the fields}}`; times are epoch milliseconds of
business time.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

import pydantic
from pydantic_core import PydanticSerializationError, from_json, to_json

from pilotbot.origins import origin, place

S = TypeVar("S", bound="State")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class StateError(Exception):
    """State that cannot be read or stored. Names the class and what to do; never holds the contact's data."""


class State(pydantic.BaseModel):
    """What a bot remembers of a chat. Subclass it; every field has a default, since a new chat starts without any.

    Class arguments, each class its own (a subclass does not inherit them):
        ttl: How long after the last change it is forgotten; None keeps it.
        version: Raised when the fields change in a way that old data does not fit; see `migrate`.
        name: What it is stored under; the class's name in snake_case unless given. Keep it when the class is renamed. Two
            classes of one name would overwrite each other: the second is refused where it is defined.
    """

    model_config = pydantic.ConfigDict(
        validate_assignment=True,
        hide_input_in_errors=True,  # errors are logged; what the contact wrote is not
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="strings",
    )

    state_ttl: ClassVar[timedelta | None] = None
    state_version: ClassVar[int] = 1
    state_name: ClassVar[str] = "state"

    def __init_subclass__(cls, *, ttl: timedelta | None = None, version: int = 1, name: str | None = None, **config: Any) -> None:
        """Take the class arguments; refuse those that make no sense."""
        super().__init_subclass__(**config)
        if ttl is not None and ttl <= timedelta(0):
            raise ValueError(f"{cls.__name__}: ttl must be longer than nothing; leave it out to keep the state")
        if version < 1:
            raise ValueError(f"{cls.__name__}: version must be 1 or more, not {version}")
        cls.state_ttl, cls.state_version = ttl, version
        cls.state_name = _HUMP.sub("_", cls.__name__).lower() if name is None else name
        if not _NAME.fullmatch(cls.state_name):
            raise ValueError(f"{cls.__name__}: {cls.state_name!r} cannot name a state; give name= of a-z, 0-9 and _")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse fields without a default, since a chat without state could not be given one, and a name that is taken."""
        required = [field for field, info in cls.model_fields.items() if info.is_required()]
        if required:
            raise TypeError(f"{cls.__name__}: a new chat starts from the defaults; give one to {', '.join(required)}")
        known = _registry.get(cls.state_name)
        if known is not None and origin(known) != origin(cls):
            raise TypeError(
                f"two states are stored as {cls.state_name!r}: {place(known)} and {place(cls)}. Each would overwrite the other: "
                f"rename one, or give it its own name: class {cls.__name__}(State, name='...')"
            )
        _registry[cls.state_name] = cls

    @classmethod
    def migrate(cls, version: int, data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG003 -- for those who override it
        """Bring the data of an older version to this one; override it where they differ.

        Args:
            version: The version that wrote it, below `cls.state_version`.
            data: The fields as stored (JSON values).

        Returns:
            The fields of this version. One that it does not know is refused, so that nothing is lost unseen.
        """
        return data


_registry: dict[str, type[State]] = {}


def state_classes() -> tuple[type[State], ...]:
    """Every class of state that is loaded."""
    return tuple(_registry.values())


@dataclass(frozen=True, slots=True)
class _Stored:
    """A document that was read and has not expired."""

    version: int
    data: dict[str, Any]


def dump(state: State, now: int) -> bytes:
    """Return the document to store; its lifetime starts at `now` (epoch ms).

    Raises:
        StateError: A field holds what its type does not allow, or what JSON cannot hold.
    """
    ttl = state.state_ttl
    expires = now + ttl // timedelta(milliseconds=1) if ttl is not None else None
    return b'{"v":%d,"x":%s,"d":%s}' % (state.state_version, to_json(expires), _fields(state))


def load(cls: type[S], raw: bytes | None, now: int) -> S:
    """Return the state in a stored document: the defaults where there is none or it has expired at `now` (epoch ms).

    Raises:
        StateError: It cannot be read, does not fit the class, or a newer version of the class wrote it.
    """
    stored = _read(cls, raw, now)
    if stored is None:
        return cls()
    older = stored.version < cls.state_version
    data = cls.migrate(stored.version, stored.data) if older else stored.data
    try:
        return cls.model_validate_json(to_json(data), by_name=True, by_alias=False, extra="forbid" if older else None)
    except pydantic.ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False))
    raise StateError(_misfit(cls, stored.version, wrong))


def changed(state: State, raw: bytes | None, now: int) -> bool:
    """Say whether a state differs from the document that it was loaded from, and so must be stored.

    Args:
        state: The state after the turn.
        raw: What `load` was given.
        now: The `now` that `load` was given.

    Raises:
        StateError: As `dump` and `load`.
    """
    stored = _read(type(state), raw, now)
    if stored is None:
        return _fields(state) != _fields(type(state)())
    return stored.version != state.state_version or from_json(_fields(state)) != stored.data


def _fields(state: State) -> bytes:
    try:
        return state.model_dump_json(by_alias=False, round_trip=True, warnings="error").encode()
    except (PydanticSerializationError, ValueError):
        problem = "a field holds a value that its type does not allow or that JSON cannot hold"
    raise StateError(f"{type(state).__name__}: {problem}; assign only values of the declared types")


def _read(cls: type[State], raw: bytes | None, now: int) -> _Stored | None:
    if raw is None:
        return None
    try:
        document = from_json(raw)
    except ValueError:
        document = None
    match document:
        case {"v": int(version), "x": None | int() as expires, "d": dict(data)}:
            pass
        case _:
            raise StateError(
                f"{cls.__name__}: what is stored under {cls.state_name!r} is not a state; something else wrote it. "
                "Give the class another name=, or delete what is stored"
            )
    if expires is not None and expires <= now:
        return None
    if version > cls.state_version:
        raise StateError(
            f"{cls.__name__}: stored by version {version}, but this code has version {cls.state_version}. "
            "Finish the deploy of the newer code, or raise version= and write migrate()"
        )
    return _Stored(version, data)


def _misfit(cls: type[State], version: int, wrong: str) -> str:
    if version < cls.state_version:
        return (
            f"{cls.__name__}: data of version {version} does not fit version {cls.state_version} ({wrong}). "
            f"Write {cls.__name__}.migrate(version, data) to bring it over"
        )
    return (
        f"{cls.__name__}: stored data does not fit the class ({wrong}). "
        f"If its fields changed, raise version= and write {cls.__name__}.migrate(version, data)"
    )

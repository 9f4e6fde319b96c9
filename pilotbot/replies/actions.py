"""Options and their typed payloads: an `Action` goes out with an option and comes back when the option is chosen."""

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, Unpack

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from pilotbot.replies.errors import ContentError


class Action(BaseModel):
    """The typed payload of an option; subclass it, and `@bot.tapped(YourAction)` receives it back.

    Stored by name (the class name, or `class Track(Action, name="track")`) so that a tap days later still finds its
    class; two classes of one name are refused when the second is defined. Inside a `Message` a field may hold Jinja
    ("{{ order.id }}"): it is then validated when the message is rendered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action_name: ClassVar[str] = "Action"
    _deferred: bool = PrivateAttr(default=False)

    def __init__(self, /, **fields: Any) -> None:
        """Validate `fields`; those that hold Jinja may wait until rendering."""
        try:
            super().__init__(**fields)
        except ValidationError as error:
            if any(not item["loc"] or not holds_jinja(fields.get(str(item["loc"][0]))) for item in error.errors()):
                raise
            self.__setstate__(type(self).model_construct(**fields).__getstate__())
            self._deferred = True

    def __init_subclass__(cls, *, name: str | None = None, **config: Unpack[ConfigDict]) -> None:
        """Take the class keyword `name`; pydantic takes the others."""
        super().__init_subclass__(**config)
        cls.action_name = name or cls.__name__

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Register the class under its name; TypeError when another class has it."""
        known = _registry.get(cls.action_name)
        if known is not None and _origin(known) != _origin(cls):
            raise TypeError(
                f"two actions are called {cls.action_name!r}: {_place(known)} and {_place(cls)}. Taps are stored by "
                f"this name: rename one, or give it its own: class {cls.__name__}(Action, name='...')."
            )
        _registry[cls.action_name] = cls

    @classmethod
    def checked(cls, fields: Mapping[str, object]) -> Self:
        """Validate `fields` now, Jinja or not (in data, "{{" is only text). Raises ContentError."""
        try:
            made = cls.model_validate(dict(fields))
        except ValidationError as error:
            raise ContentError(_problem(cls, error)) from None
        if made.put_off():
            raise ContentError(f"action {cls.action_name}: a field is not of its type. Give it a value that is.")
        return made

    def put_off(self) -> bool:
        """Whether validation waits for rendering, since a field holds Jinja that does not fit its type."""
        return self._deferred

    def fields(self) -> dict[str, Any]:
        """The values as they are, not converted (Jinja included)."""
        return dict(self.__dict__)

    def option(self, label: str) -> "Option":
        """An option that shows `label` and brings this action back when it is chosen."""
        return Option(label, self)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a contact can choose: a label, and what it means to the bot.

    Attributes:
        label: shown to the contact; at most 20 characters to fit a button (contract 3.4).
        action: comes back when chosen; None for a plain label, which comes back as text.
    """

    label: str
    action: Action | None = None


_registry: dict[str, type[Action]] = {}


def action_class(name: str) -> type[Action] | None:
    """The class registered under `name`, or None when no such class is loaded."""
    return _registry.get(name)


def holds_jinja(value: object) -> bool:
    """Whether `value` is a string with Jinja delimiters, or a container of one."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value or "{#" in value
    if isinstance(value, Mapping):
        return any(map(holds_jinja, value.values()))
    return isinstance(value, list | tuple | set | frozenset) and any(map(holds_jinja, value))


def _problem(cls: type[Action], error: ValidationError) -> str:
    """What did not fit, without the values (they may come from a contact)."""
    found = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg']}" for item in error.errors())
    return f"action {cls.action_name}: {found}. Give values that fit the fields."


def _origin(cls: type[Action]) -> tuple[str, str]:
    """Where a class was written: a reloaded module, or one run as __main__ and imported too, is the same place."""
    module = sys.modules.get(cls.__module__)
    return getattr(module, "__file__", None) or cls.__module__, cls.__qualname__


def _place(cls: type[Action]) -> str:
    path = _origin(cls)[0]
    try:
        line = inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return f"{cls.__module__}.{cls.__qualname__} ({path})"
    return f"{cls.__module__}.{cls.__qualname__} ({path}:{line})"

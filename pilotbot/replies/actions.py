"""Options and their typed payloads: an `Action` goes out with an option and comes back when the option is chosen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, Unpack

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from pilotbot.origins import origin, place
from pilotbot.replies.errors import ContentError


class Action(BaseModel):
    """The typed payload of an option; subclass it, and `@bot.tapped(YourAction)` receives it back.

    Stored by name (the class name, or `class Track(Action, name="track")`) so that a tap days later still finds its
    class; two classes of one name are refused when the second is defined. Inside a `Message` a field may hold
    Jinja ("{{ order.id }}"): it is then validated when the message is rendered. Its `repr` and its errors do not show values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

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
        if known is not None and origin(known) != origin(cls):
            raise TypeError(
                f"two actions are called {cls.action_name!r}: {place(known)} and {place(cls)}. Taps are stored by "
                f"this name: rename one, or give it its own: class {cls.__name__}(Action, name='...')."
            )
        _registry[cls.action_name] = cls

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        return ()  # the fields may be a contact's

    def __str__(self) -> str:
        return repr(self)

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

    def option(self, label: str, *, description: str = "") -> "Option":
        """An option that shows `label` and brings this action back when it is chosen; see `Option`."""
        return Option(label, self, description)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a contact can choose: a label, and what it means to the bot.

    Attributes:
        label: shown to the contact; at most 20 characters to fit a button, 24 to fit a list's row (contract 3.4).
        action: comes back when chosen; None for a plain label, which comes back as text.
        description: a line below the label, of at most 72 characters: options that have one go as a list, or else as numbered text.
    """

    label: str
    action: Action | None = None
    description: str = field(default="", repr=False)

    @property
    def sources(self) -> tuple[str, ...]:
        """The strings that are Jinja in a `Message`: label, description, and then those of the action."""
        return (self.label, self.description, *strings(self.action.fields() if self.action is not None else None))


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


def strings(value: object) -> list[str]:
    """All strings in a value, however deep."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list | tuple | set | frozenset):
        return [text for item in value for text in strings(item)]
    return []


def _problem(cls: type[Action], error: ValidationError) -> str:
    """What did not fit, without the values (they may come from a contact)."""
    found = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg']}" for item in error.errors())
    return f"action {cls.action_name}: {found}. Give values that fit the fields."

"""Jinja for what authors write: a small, bounded part of it, compiled when the message is made.

Only data access, filters, conditions and loops: no calls, no assignments, no macros, no includes. So a template can
neither reach into Python nor grow without bound: the work of a render is limited by its source, its values,
`MAX_STEPS` loop turns and `MAX_LENGTH` characters of result. Values are data: "{{7*7}}" in one stays "{{7*7}}".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
    meta,
    nodes,
    pass_context,
)
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pilotbot.replies.actions import holds_jinja
from pilotbot.replies.errors import ContentError
from pilotbot.replies.markup import Markup, neutral

MAX_LENGTH = 32_768
"""Characters of one text, as source and as result; more is a document, not a message."""
MAX_STEPS = 10_000
"""Turns of all loops of one render."""

_STEPS = " steps"  # context keys that no template can name
_PROSE = " prose"
_MAX_EXPONENT = 16
_MAX_BASE = 1e9
_FILTERS = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items", "last", "length",
    "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "string",
    "sum", "title", "trim", "truncate", "unique", "upper", "urlencode",
)  # fmt: skip
_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Slice, nodes.Filter, nodes.Test, nodes.Keyword, nodes.If, nodes.CondExpr, nodes.For, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.BinExpr, nodes.UnaryExpr, nodes.List,
    nodes.Tuple, nodes.Dict, nodes.Pair,
)  # fmt: skip
_FAILURES = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with arithmetic on numbers only and a bounded power."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Refuse what multiplies, pads or repeats anything but numbers."""
        if not isinstance(left, int | float | Decimal) or not isinstance(right, int | float | Decimal):
            raise ContentError(f"'{operator}' works on numbers only. Prepare the text in the handler.")
        if operator == "**" and not (-_MAX_EXPONENT <= right <= _MAX_EXPONENT and -_MAX_BASE <= left <= _MAX_BASE):
            raise ContentError(f"'**' takes exponents up to {_MAX_EXPONENT} of small numbers. Prepare it in the handler.")
        return super().call_binop(context, operator, left, right)


@pass_context
def _finalize(context: Context, value: object) -> object:
    """What a value is shown as; where WhatsApp would read markup in it, without."""
    shown = _shown(value)
    if not context.get(_PROSE) or isinstance(shown, Undefined):
        return shown
    return neutral(shown if isinstance(shown, str) else str(shown))


def _shown(value: object) -> object:
    """Show None as nothing, and refuse what is surely a mistake: a method, a list, a whole object."""
    if isinstance(value, str | Undefined):
        return value
    if callable(value):
        raise ContentError(
            "a template shows a function. Call it in the handler and pass the result; for a dictionary's key that is "
            "a method's name, write order['items']."
        )
    if isinstance(value, Iterable):
        raise ContentError("a template shows a list or a whole object. Use | join(', '), a loop, or one of its fields.")
    return "" if value is None else value


def _date(value: date, form: str = "%d/%m/%Y") -> str:
    """`{{ order.day | date }}` or `| date("%d/%m %H:%M")`."""
    if len(form) > 64 or any(mark == "%" and after not in "aAbBdHIjmMpSyYZz%" for mark, after in _pairs(form)):
        raise ContentError("date takes the marks %d %m %Y %H %M %S and the like, 64 characters at most.")
    return value.strftime(form)


def _pairs(form: str) -> Iterator[tuple[str, str]]:
    """Each character outside of a mark with its successor; a mark's second character is not looked at again."""
    at = 0
    while at < len(form):
        yield form[at], form[at + 1 : at + 2] or " "
        at += 2 if form[at] == "%" else 1


def _fixed(value: float | Decimal, places: int = 2, comma: str = ".") -> str:
    """`{{ total | fixed }}` gives 12.50, `{{ total | fixed(2, ",") }}` gives 12,50."""
    if not 0 <= places <= 10 or len(comma) > 1 or not -1e15 < value < 1e15:
        raise ContentError("fixed takes 0 to 10 places, one character as the comma and numbers below 1e15.")
    return f"{value:.{places}f}".replace(".", comma)


def _round(value: float | Decimal, places: int = 0) -> object:
    """`round`, on sane numbers of places."""
    if not 0 <= places <= 10:
        raise ContentError("round takes 0 to 10 places.")
    return round(value, places)


def _join(values: Iterable[object], separator: str = "", attribute: str | None = None) -> str:
    """`join`, with its length capped while it grows."""
    parts: list[str] = []
    size = 0
    for value in values:
        shown = value if attribute is None else _environment.getattr(value, attribute)
        parts.append(str(_shown(shown)))
        size += len(parts[-1]) + len(separator)
        if size > MAX_LENGTH:
            raise ContentError(f"join gives more than {MAX_LENGTH} characters. Shorten the list in the handler.")
    return separator.join(parts)


def _markup(value: object) -> Markup:
    """`{{ motto | markup }}`, the last of its filters: the marks of this value are the author's, and format."""
    return Markup(_shown(value))


@pass_context
def _stepped(context: Context, values: Iterable[object]) -> Iterator[object]:
    """Count each turn of each loop of this render."""
    budget: list[int] = context[_STEPS]
    for value in values:
        budget[0] -= 1
        if budget[0] < 0:
            raise ContentError(f"the loops of a template turn more than {MAX_STEPS} times. Shorten the list first.")
        yield value


def _make_environment() -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined,
        autoescape=False,
        finalize=_finalize,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        optimized=False,
    )
    environment.globals.clear()
    environment.filters = {name: FILTERS[name] for name in _FILTERS}
    environment.filters.update(date=_date, fixed=_fixed, round=_round, join=_join, markup=_markup, **{_STEPS: _stepped})
    return environment


_environment = _make_environment()


@dataclass(frozen=True, slots=True)
class Text:
    """A text ready to render: literal when `template` is None, else compiled Jinja that needs `variables`."""

    source: str
    template: Template | None = None
    variables: frozenset[str] = frozenset()

    def render(self, values: Mapping[str, object], *, prose: bool = False) -> str:
        """The text with `values` in it. Raises ContentError, which never contains a value.

        `prose`: it is read where WhatsApp's markup formats, which the values must not do.
        """
        if self.template is None:
            return self.source
        parts: list[str] = []
        size = 0
        try:
            for part in self.template.generate({**values, _STEPS: [MAX_STEPS], _PROSE: prose}):
                parts.append(part)
                size += len(part)
                if size > MAX_LENGTH:
                    raise ContentError(f"the text has more than {MAX_LENGTH} characters. Send a document instead.")
        except ContentError:
            raise
        except _FAILURES as error:
            raise ContentError(self._problem(error, values)) from None
        return "".join(parts)

    def _problem(self, error: Exception, values: Mapping[str, object]) -> str:
        missing = sorted(self.variables - values.keys())
        if missing:
            return f"no value for {', '.join(missing)}. Pass it: ctx.reply(message, {missing[0]}=...)."
        what = type(error).__name__
        if isinstance(error, SecurityError | UndefinedError):  # their message may quote a value: show the source's words
            quoted = re.findall(r"'([^']+)'", error.message or "")
            what = next((f"it has no {name!r}" for name in quoted if name in self.source), what)
        return f"a value of {', '.join(sorted(self.variables)) or 'the text'} does not fit: {what}."


def compiled(source: str) -> Text:
    """Compile what an author wrote; the same Jinja is compiled once. What holds none is kept as it is, a file's data for one.

    Raises:
        ContentError: bad syntax, a part of Jinja that messages do not have, or more of it than `MAX_LENGTH`.
    """
    return _compiled(source) if holds_jinja(source) else Text(source)


@lru_cache(maxsize=512)
def _compiled(source: str) -> Text:
    if len(source) > MAX_LENGTH:
        raise ContentError(f"it has more than {MAX_LENGTH} characters. Send a document instead.")
    try:
        tree = _environment.parse(source)
        _check(tree)
        variables = frozenset(meta.find_undeclared_variables(tree))
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, _STEPS, [], [], None, None, lineno=loop.lineno)
        return Text(source, _environment.from_string(tree), variables)
    except TemplateSyntaxError as error:
        raise ContentError(f"line {error.lineno}: {error.message}") from None
    except (RecursionError, MemoryError, SyntaxError, OverflowError):
        raise ContentError("it is nested too deeply. Prepare the value in the handler.") from None


def _check(node: nodes.Node) -> None:
    """Refuse the parts of Jinja that reach out or grow."""
    if isinstance(node, nodes.Name) and node.name == "self":
        raise ContentError(f"line {node.lineno}: 'self' is Jinja's own. Give the value another name.")
    if isinstance(node, nodes.Call):
        raise ContentError(
            f"line {node.lineno}: messages do not call functions. Use a filter ({{{{ name | upper }}}}), or call it "
            "in the handler and pass the result."
        )
    if not isinstance(node, _NODES) or (isinstance(node, nodes.For) and node.recursive):
        raise ContentError(
            f"line {node.lineno}: messages have no '{type(node).__name__.lower()}'. Use values, filters, if and for; "
            "prepare the rest in the handler."
        )
    for child in node.iter_child_nodes():
        _check(child)

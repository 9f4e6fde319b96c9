"""What can be seen in a bot's code without running it: mistakes that would show only once a contact writes.

Only what is certain counts: names that are bound more than once, values that are computed, are passed over.
"""

import ast
import inspect
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Final

from jinja2 import Environment, nodes

from pilotbot.bot import Bot
from pilotbot.contacts import OptOut
from pilotbot.context import Context
from pilotbot.durations import days, hours, minutes, seconds
from pilotbot.platform.fields import ROW_TITLE_LIMIT
from pilotbot.replies import Message, Option, Template
from pilotbot.replies.actions import holds_jinja
from pilotbot.replies.offers import as_options
from pilotbot.replies.render import NAMED
from pilotbot.routing.handler import Handler
from pilotbot.server.followups import AHEAD
from pilotbot.target import is_theirs, relative

GIVEN: Final = frozenset({"contact", "chat"})
"""Values that every message has."""
OWN: Final = {
    "reply": frozenset(inspect.signature(Context.reply).parameters),
    "notify": frozenset({*inspect.signature(Context.notify).parameters, *inspect.signature(Bot.notify).parameters}),
    "follow_up": frozenset({*inspect.signature(Context.follow_up).parameters, *inspect.signature(Bot.follow_up).parameters}),
}
"""Parameters, which are no values of a message."""
SPANS: Final = {span.__name__: span for span in (seconds, minutes, hours, days)}
REPLACING: Final = frozenset({"options", "media", "template"})

Functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at `file:line`; `sure`, or else worth a look only."""

    where: str
    text: str
    sure: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def read_bot(bot: Bot) -> list[Finding]:
    """What is wrong in the modules that a bot's handlers are written in, and in what those use of the author's own."""
    read = [(module, tree) for module in modules_of(bot) if (tree := tree_of(module)) is not None]
    found = [
        finding
        for module, tree in read
        for finding in read_code(tree, vars(module), relative(str(module.__file__)), opt_out=bot.opting_out)
    ]
    return [*found, *unoffered(bot.handlers, [(tree, vars(module)) for module, tree in read])]


def read_code(tree: ast.Module, names: Mapping[str, object], file: str, *, opt_out: OptOut | None = None) -> list[Finding]:
    """What is wrong in a module's calls of `reply`, `notify` and `follow_up`, of `ctx` and `bot`. `names` are the loaded module's.

    `opt_out` has the words that options should not be called by.
    """
    reader = _Reader(tree, names, file, opt_out)
    reader.visit(tree)
    return reader.found


def unoffered(handlers: tuple[Handler, ...], read: list[tuple[ast.Module, Mapping[str, object]]]) -> list[Finding]:
    """Handlers of actions that no message offers and no code makes, so that no tap can bring them."""
    made: list[type[object]] = [type(option.action) for _, names in read for option in _offered(names)]
    made += [value for tree, names in read for name in _used(tree) if inspect.isclass(value := names.get(name))]
    spoken = {name for tree, _ in read for name in _used(tree)}  # also what is imported or defined inside of a function
    return [
        Finding(handler.where, f"no option brings {name}: offer it in a message, as {name}(...).option('...')", sure=False)
        for handler in handlers
        if (action := handler.action) is not None and (name := action.__name__) not in spoken
        if not any(issubclass(one, action) for one in made)
    ]


class _Reader(ast.NodeVisitor):
    def __init__(self, tree: ast.Module, names: Mapping[str, object], file: str, opt_out: OptOut | None) -> None:
        self._opt_out = opt_out
        self.found: list[Finding] = []
        self._names = names
        self._file = file
        self._bound = Counter(bindings(tree))
        self._contexts: frozenset[str] = frozenset()

    # --- which names mean what ---

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node)

    def _function(self, node: Functions) -> None:
        args = [one for one in ast.walk(node.args) if isinstance(one, ast.arg)]
        rebound = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
        contexts = {one.arg for one in args if one.annotation is not None and self._value(_quoted(one.annotation)) is Context}
        outer = self._contexts
        self._contexts = (outer - {one.arg for one in args} | contexts) - rebound
        self.generic_visit(node)
        self._contexts = outer

    def _value(self, node: ast.expr) -> object:
        """What an expression means, where it is a module's name that is bound once; else None."""
        match node:
            case ast.Name(id=name) if self._bound[name] == 1:
                return self._names.get(name)
            case ast.Attribute(value=inner, attr=attr):
                module = self._value(inner)
                return vars(module).get(attr) if isinstance(module, ModuleType) else None
        return None

    def _method(self, call: ast.Call) -> str | None:
        """Whether a call is of `ctx.reply`, or of `notify` or `follow_up` of `ctx` or `bot`."""
        match call.func:
            case ast.Attribute(value=ast.Name(id=name), attr="reply" | "notify" | "follow_up" as method) if name in self._contexts:
                return method
            case ast.Attribute(value=owner, attr="notify" | "follow_up" as method) if isinstance(self._value(owner), Bot):
                return method
        return None

    # --- what is wrong ---

    def visit_Expr(self, node: ast.Expr) -> None:
        """A call that stands alone: its coroutine is thrown away."""
        if isinstance(node.value, ast.Call) and self._method(node.value):
            self._tell(node, f"nothing is sent without await: write `await {ast.unparse(node.value.func)}(...)`")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        method = self._method(node)
        if method is not None:
            self._check_content(node, method)
        if method is not None or self._value(node.func) is Message:
            self._check_labels(node)
        self.generic_visit(node)

    def _check_content(self, call: ast.Call, method: str) -> None:
        place = max(len(call.args) - 1, 0) if method == "follow_up" else 0 if method == "reply" else 1
        if method == "follow_up" and place > 0:
            self._check_span(call, call.args[place - 1])
        given = {word.arg for word in call.keywords if word.arg is not None}
        content = next((word.value for word in call.keywords if word.arg == "content"), None)
        if content is None and len(call.args) > place and not any(isinstance(arg, ast.Starred) for arg in call.args):
            content = call.args[place]
        self._check_template(call, given - OWN[method])
        match content:
            case ast.Constant(value=str(text)) if holds_jinja(text):
                self._tell(call, "a plain str goes out as it is, with its braces: make it a Message(...)", sure=False)
            case ast.Name() | ast.Attribute():
                message = self._value(content)
                if isinstance(message, Message):
                    self._check_values(call, method, ast.unparse(content), message, given)

    def _check_template(self, call: ast.Call, given: set[str]) -> None:
        """A template beside a content: what is written in it is data there. Sure where it names a value, which is refused when it goes."""
        template = next((word.value for word in call.keywords if word.arg == "template"), None)
        match template:
            case ast.Call(func=made, keywords=words) if self._value(made) is Template:
                written: dict[str | None, object] = {one.arg: one.value.value for one in words if isinstance(one.value, ast.Constant)}
            case ast.Name() | ast.Attribute() if isinstance(known := self._value(template), Template):
                written = dict(known.variables.items())
            case _:
                return
        for name, value in written.items():
            if isinstance(value, str) and holds_jinja(value):
                text = f"the template's {name} goes with its braces: beside a content its variables are data: pass the value itself"
                self._tell(call, text, sure=bool(given & {*NAMED.findall(value)}))

    def _check_span(self, call: ast.Call, when: ast.expr) -> None:
        match when:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=int() | float() as n)]) if name in SPANS:
                if SPANS[name](n) > AHEAD:
                    self._tell(call, f"{ast.unparse(when)} is more than a year ahead: a follow-up comes within a year")
            case ast.Call(func=ast.Name(id=name), args=[ast.UnaryOp(op=ast.USub())]) if name in SPANS:
                self._tell(call, f"{ast.unparse(when)} is not to come: a follow-up comes later, not sooner")

    def _check_values(self, call: ast.Call, method: str, name: str, message: Message, given: set[str]) -> None:
        missing = sorted(needed(message, without=REPLACING & given) - GIVEN - given)
        if missing and not any(word.arg is None for word in call.keywords):
            words = ", ".join(f"{one}=..." for one in missing)
            self._tell(call, f"{name} needs {' and '.join(missing)}: write {ast.unparse(call.func)}(..., {words})")
        spare = sorted(given - OWN[method] - message.variables - GIVEN)
        if spare and not given & REPLACING:
            self._tell(call, f"{name} does not name {' or '.join(spare)}", sure=False)

    def _check_labels(self, call: ast.Call) -> None:
        options = next((word.value for word in call.keywords if word.arg == "options"), None)
        if not isinstance(options, ast.List | ast.Tuple) or any(isinstance(one, ast.Starred) for one in options.elts):
            return
        for label in filter(None, map(_label, options.elts)):
            if len(label) > ROW_TITLE_LIMIT and not holds_jinja(label):
                text = f"the label {label!r} has {len(label)} characters: beyond {ROW_TITLE_LIMIT} all options go as numbered text"
                self._tell(call, text, sure=False)
        for label in (one.value for one in options.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)):
            if self._opt_out is not None and self._opt_out.decided(label, opted_out=()):
                text = f"who chooses {label!r} opts out of all messages: take another label, an Action, or words of your own (OptOut)"
                self._tell(call, text, sure=False)

    def _tell(self, node: ast.Expr | ast.Call, text: str, *, sure: bool = True) -> None:
        self.found.append(Finding(f"{self._file}:{node.lineno}", text, sure))


def needed(message: Message, *, without: frozenset[str] = frozenset()) -> set[str]:
    """The names that any rendering of a message needs. `without`: the parts that the call replaces."""
    jinja = Environment()  # noqa: S701 - it parses, and renders nothing
    return set[str]().union(*(_needed(jinja.parse(source)) for _, source in message.sources(without=without))) & message.variables


def _needed(node: nodes.Node) -> set[str]:
    """The names that are looked at whatever the values are: not those of one branch, nor those with a default."""
    match node:
        case nodes.Name(name=name):
            return {name}
        case nodes.Filter(name="default" | "d") | nodes.Test(name="defined" | "undefined"):
            return set()
        case nodes.If(test=first) | nodes.CondExpr(test=first) | nodes.For(iter=first) | nodes.And(left=first) | nodes.Or(left=first):
            return _needed(first)
    return set[str]().union(*map(_needed, node.iter_child_nodes()))


def _quoted(annotation: ast.expr) -> ast.expr:
    """An annotation; where it is written as a string, what stands in that."""
    match annotation:
        case ast.Constant(value=str(text)):
            with suppress(SyntaxError):
                return ast.parse(text.strip(), mode="eval").body
    return annotation


def _label(option: ast.expr) -> str | None:
    """The label of an option, where it stands in the code."""
    match option:
        case ast.Constant(value=str(label)):
            return label
        case ast.Call(func=ast.Attribute(attr="option"), args=[ast.Constant(value=str(label))]):
            return label
    return None


def bindings(tree: ast.AST) -> Iterator[str]:
    """Every place where a name is given a meaning, in whatever scope."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name


def _used(tree: ast.AST) -> Iterator[str]:
    """Names that code makes use of: not decorators nor annotations, which only ask."""
    for name, value in ast.iter_fields(tree):
        if name in {"decorator_list", "annotation", "returns"}:
            continue
        for node in value if isinstance(value, list) else [value]:
            match node:
                case ast.Name(id=found, ctx=ast.Load()):
                    yield found
                case ast.Attribute(attr=found):
                    yield found
            if isinstance(node, ast.AST):
                yield from _used(node)


def _offered(names: Mapping[str, object]) -> Iterator[Option]:
    for value in names.values():
        if isinstance(value, Message):
            yield from as_options(value.options)


def modules_of(bot: Bot) -> list[ModuleType]:
    """The author's modules: those of the handlers, and whatever modules, classes and functions of theirs those name."""
    waiting = [sys.modules.get(getattr(inspect.unwrap(handler.fn), "__module__", "")) for handler in bot.handlers]
    found: list[ModuleType] = []
    while waiting:
        module = waiting.pop()
        if module is None or module in found or not is_theirs(getattr(module, "__file__", None) or ""):
            continue
        found.append(module)
        for value in list(vars(module).values()):
            if isinstance(value, ModuleType):
                waiting.append(value)
            elif isinstance(value, FunctionType | type):
                waiting.append(sys.modules.get(value.__module__))
    return sorted(found, key=lambda module: str(module.__file__))


def tree_of(module: ModuleType) -> ast.Module | None:
    """A module's code, None where that cannot be read."""
    try:
        with tokenize.open(str(module.__file__)) as file:
            return ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):  # compiled, or changed since it was imported
        return None

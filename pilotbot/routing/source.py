"""Where an author's function stands: its file and line, its parameters, and the names its annotations may use."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints


def where(fn: Callable[..., Any]) -> str:
    """Return `file:line` of `fn`, the file relative to the working directory if it lies below it."""
    inner = inspect.unwrap(fn)
    code = getattr(getattr(inner, "__init__", inner) if inspect.isclass(inner) else inner, "__code__", None)
    if code is None:
        return "unknown place"
    path = Path(code.co_filename)
    here = Path.cwd()
    return f"{path.relative_to(here) if path.is_relative_to(here) else path}:{code.co_firstlineno}"


def defining_names(fn: Callable[..., Any]) -> Mapping[str, object]:
    """Return the local names of the function that is defining `fn` right now; empty for a module's function.

    Postponed annotations are mere text: a class made inside a function can only be found in that function's frame. The
    defining frame is the one whose code holds the code of `fn`.
    """
    code = getattr(inspect.unwrap(fn), "__code__", None)
    frame = inspect.currentframe()
    while code is not None and frame is not None:
        if code in frame.f_code.co_consts:
            return {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)
        frame = frame.f_back
    return {}


def variable(value: object, fn: Callable[..., Any], names: Mapping[str, object]) -> str | None:
    """Return what the code around `fn` calls `value`; None where it has no name for it.

    Args:
        value: the object that is looked for.
        fn: the function that is being defined there.
        names: what `defining_names` gave for it.
    """
    module: Mapping[str, object] = getattr(inspect.unwrap(fn), "__globals__", {})
    return next((name for scope in (names, module) for name, held in scope.items() if held is value), None)


def parameters(fn: Callable[..., Any], names: Mapping[str, object]) -> list[tuple[inspect.Parameter, object]]:
    """Return the parameters of a function or class, each with its evaluated annotation (`Parameter.empty` for none).

    Args:
        fn: the function, or a class to be made.
        names: what `defining_names` gave when `fn` was defined.

    Raises:
        NameError: an annotation names what does not exist at run time.
        TypeError, ValueError: `fn` has no readable signature, or an annotation is no type.
    """
    listed = inspect.signature(fn).parameters.values()
    if not listed:
        return []
    hints = get_type_hints(fn.__init__ if inspect.isclass(fn) else fn, localns=dict(names))
    return [(parameter, hints.get(parameter.name, inspect.Parameter.empty)) for parameter in listed]

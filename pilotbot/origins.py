"""Where a class was written: what is stored under the name of a class is found again by it, so two must not share one."""

import inspect
import sys


def origin(cls: type[object]) -> tuple[str, str]:
    """Return the file (else the module) and the qualified name of a class.

    A reloaded module, or one that is run as `__main__` and imported too, is the same place.
    """
    module = sys.modules.get(cls.__module__)
    return getattr(module, "__file__", None) or cls.__module__, cls.__qualname__


def place(cls: type[object]) -> str:
    """Return a class with its file, and its line where that can be read, for an error."""
    path = origin(cls)[0]
    try:
        line = inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return f"{cls.__module__}.{cls.__qualname__} ({path})"
    return f"{cls.__module__}.{cls.__qualname__} ({path}:{line})"

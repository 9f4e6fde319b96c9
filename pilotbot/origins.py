"""Where things were written: of classes, since what is stored under a class's name is found again by it; of contents, for errors."""

import inspect
import sys
from contextlib import suppress
from pathlib import Path


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


def written_at() -> tuple[str, int] | None:
    """Return the file and the line of the author's code that is running now: the innermost frame outside of pilotbot."""
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == __package__:
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else None


def shown(at: tuple[str, int]) -> str:
    """Return a place as errors show it, from the working directory where it is in there."""
    path = Path(at[0])
    with suppress(ValueError):
        path = path.relative_to(Path.cwd())
    return f"{path}:{at[1]}"

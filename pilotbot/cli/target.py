"""From what the command line names, `bots/orders.py`, `bots/orders.py:bot` or `shop.main:bot`, to the bot."""

import importlib
import importlib.util
import linecache
import sys
import traceback
from pathlib import Path
from types import ModuleType

from pilotbot.bot import Bot
from pilotbot.cli.failures import Failed

HOUSE = Path(__file__).parents[1]


def load_bot(target: str) -> Bot:
    """Import the module and return its bot: the one that is named, or else the only one that no other includes.

    Raises:
        Failed: no such file, module or bot; several bots; or the module cannot be imported, with file and line.
    """
    place, name = split(target)
    module = load_module(place)
    if name is not None:
        found = getattr(module, name, None)
        if isinstance(found, Bot):
            return found
        problem = f"has no {name}" if found is None else f"has a {name}, but it is no Bot"
        raise Failed(f"{place} {problem}{_hint(bots(module), place)}")
    candidates = bots(module)
    if len(candidates) != 1:
        problem = "has several bots" if candidates else 'has no bot: make one with `bot = Bot("shop")`'
        raise Failed(f"{place} {problem}{_hint(candidates, place)}")
    return next(iter(candidates.values()))


def split(target: str) -> tuple[str, str | None]:
    """`place:name` as its two parts; the name is None where there is none."""
    place, colon, name = target.rpartition(":")
    return (place, name) if colon and place and name.isidentifier() else (target, None)


def bots(module: ModuleType) -> dict[str, Bot]:
    """The bots of a module by name, each once, without those that another one includes."""
    found: dict[str, Bot] = {}
    for name, value in vars(module).items():
        if isinstance(value, Bot) and value.parent is None and value not in found.values():
            found[name] = value
    return found


def load_module(place: str) -> ModuleType:
    """Import a module by the path of its file or by its dotted name.

    The directory of the file, or the working directory, can be imported from, as with `python FILE` and `python -m`.

    Raises:
        Failed: there is none, or its code fails; with file and line.
    """
    is_file = place.endswith(".py") or "/" in place or "\\" in place
    path = Path(place).absolute()
    if is_file and not path.is_file():
        raise Failed(f"{place}: there is no such file; give one such as bots/orders.py")
    sys.path.insert(0, str(path.parent if is_file else Path.cwd()))
    try:
        return _from_file(path) if is_file else importlib.import_module(place)
    except ModuleNotFoundError as error:
        if not is_file and error.name and f"{place}.".startswith(f"{error.name}."):
            raise Failed(f"no module is called {error.name}; give a file such as bots/orders.py, or a module:bot") from None
        raise Failed(_told(error)) from error
    except Exception as error:
        raise Failed(_told(error)) from error


def directory(target: str) -> Path:
    """The directory that the code of a target lies in."""
    place, _ = split(target)
    return Path(place).absolute().parent if place.endswith(".py") else Path.cwd()


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise Failed(f"{path.name} is not Python code")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _told(error: Exception) -> str:
    """An error of the author's code: the line of theirs that it came from, that line, and what it says."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_relative(error.filename)}:{error.lineno}: {error.msg}\n    {(error.text or '').strip()}"
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame.filename)]
    text = f"{type(error).__name__}: {error}"
    if not theirs:
        return text
    last = theirs[-1]
    return f"{_relative(last.filename)}:{last.lineno}: {text}\n    {linecache.getline(last.filename, last.lineno or 0).strip()}"


def _is_theirs(filename: str) -> bool:
    path = Path(filename)
    installed = "site-packages" in path.parts or path.is_relative_to(HOUSE) or path.is_relative_to(sys.base_prefix)
    return path.is_file() and not installed


def _relative(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename


def _hint(candidates: dict[str, Bot], place: str) -> str:
    return f"; name one: {', '.join(f'{place}:{name}' for name in candidates)}" if candidates else ""

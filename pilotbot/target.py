"""From what the command line names, `bots/orders.py`, `bots/orders.py:bot` or `shop.main:bot`, to the bot."""

import importlib
import importlib.util
import linecache
import sys
import traceback
from pathlib import Path
from types import ModuleType

from pilotbot.bot import Bot

HOUSE = Path(__file__).parent
FLOWS = (".yaml", ".yml")


class TargetError(Exception):
    """A target leads to no bot; the text says why and what to do."""


def load_bot(target: str) -> Bot:
    """Import the module and return its bot: the one that is named, or else the only one that no other includes.

    Raises:
        TargetError: no such file, module or bot; several bots; or the module cannot be imported, with file and line.
    """
    place, name = split(target)
    module = load_module(place)
    if name is not None:
        found = getattr(module, name, None)
        if isinstance(found, Bot):
            return found
        problem = f"has no {name}" if found is None else f"has a {name}, but it is no Bot"
        raise TargetError(f"{place} {problem}{_hint(bots(module), place)}")
    candidates = bots(module)
    if len(candidates) != 1:
        problem = "has several bots" if candidates else 'has no bot: make one with `bot = Bot("shop")`'
        raise TargetError(f"{place} {problem}{_hint(candidates, place)}")
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
        TargetError: there is none, or its code fails; with file and line.
    """
    is_file = place.endswith((".py", *FLOWS)) or "/" in place or "\\" in place
    path = Path(place).absolute()
    if is_file:
        _check_file(place, path)
    sys.path.insert(0, str(path.parent if is_file else Path.cwd()))
    try:
        return _from_file(path) if is_file else importlib.import_module(place)
    except ModuleNotFoundError as error:
        if not is_file and error.name and f"{place}.".startswith(f"{error.name}."):
            raise TargetError(f"no module is called {error.name}; give a file such as bots/orders.py, or a module:bot") from None
        raise TargetError(_told(error)) from error
    except Exception as error:
        raise TargetError(_told(error)) from error


def is_theirs(filename: str) -> bool:
    """Whether a file is of the bot's author: neither installed, nor Python's, nor ours."""
    path = Path(filename)
    installed = "site-packages" in path.parts or path.is_relative_to(HOUSE) or path.is_relative_to(sys.base_prefix)
    return path.is_file() and not installed


def relative(filename: str) -> str:
    """A file as people name it: from the working directory, where it lies below it."""
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename


def directory(target: str) -> Path:
    """The directory that the code of a target lies in."""
    place, _ = split(target)
    return Path(place).absolute().parent if place.endswith(".py") else Path.cwd()


def _check_file(place: str, path: Path) -> None:
    """Refuse what cannot be imported as a file, or only in the place of another module."""
    if path.suffix in FLOWS:
        beside = (path.with_suffix(".py"), path.parent.parent / "bots" / f"{path.stem}.py")
        meant = next((relative(str(each)) for each in beside if each.is_file()), None)
        raise TargetError("a YAML file is not a bot: " + (f"did you mean {meant}?" if meant else "give the Python file that reads it"))
    if path.is_dir():
        raise TargetError(f"{place} is a directory; give a file in it, such as bots/orders.py")
    if not path.is_file():
        raise TargetError(f"{place}: there is no such file; give one such as bots/orders.py")
    if path.suffix != ".py":
        raise TargetError(f"{place} is not Python code; give a file such as bots/orders.py")
    if (other := _namesake(path)) is not None:
        raise TargetError(f"{place} has the name of another module, {path.stem} ({other}), which would be lost: rename the file")


def _namesake(path: Path) -> str | None:
    """Where the module lies that `import` finds by a file's name, if that is not the file."""
    if path.stem in sys.modules:
        found: str | None = getattr(sys.modules[path.stem], "__file__", None) or "built in"
    else:
        spec = importlib.util.find_spec(path.stem) if path.stem.isidentifier() else None
        found = spec.origin if spec is not None else None  # a directory without code has none
    return found if found is None or Path(found).resolve() != path.resolve() else None


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # noqa: S101 - there always is, for a .py file
    assert spec.loader is not None  # noqa: S101 - as above
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _told(error: Exception) -> str:
    """An error of the author's code: the line of theirs that it came from, that line, and what it says."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{relative(error.filename)}:{error.lineno}: {error.msg}\n    {(error.text or '').strip()}"
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if is_theirs(frame.filename)]
    text = f"{type(error).__name__}: {error}"
    if not theirs:
        return text
    last = theirs[-1]
    return f"{relative(last.filename)}:{last.lineno}: {text}\n    {linecache.getline(last.filename, last.lineno or 0).strip()}"


def _hint(candidates: dict[str, Bot], place: str) -> str:
    return f"; name one: {', '.join(f'{place}:{name}' for name in candidates)}" if candidates else ""

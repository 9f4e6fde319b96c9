"""The wheel as somebody installs it: in a clean environment, away from the repository, it has all that it needs."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parent.parent
PHONE = ROOT / "pilotbot" / "sandbox" / "phone"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([*command, "-w", str(place), str(ROOT)], check=True, timeout=120)
    (built,) = place.glob("pilotbot-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a clean environment with the wheel in it."""
    place = tmp_path_factory.mktemp("clean")
    venv.create(place, with_pip=False, symlinks=True)
    made = place / "bin" / "python"
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(made),
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--disable-pip-version-check",
    ]
    subprocess.run([*command, str(wheel)], check=True, timeout=120)
    return made


def environment(place: Path) -> dict[str, str]:
    """Nothing of ours but the libraries: those of this environment, in which pilotbot itself is a link that a path does not follow."""
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    return {"PATH": os.defpath, "HOME": str(place), "PYTHONPATH": libraries}


def test_the_wheel_holds_the_page_the_scripts_and_the_examples(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"pilotbot/sandbox/phone/{path.name}" for path in PHONE.iterdir()} <= names
    assert {f"pilotbot/engine/scripts/{path.name}" for path in (ROOT / "pilotbot" / "engine" / "scripts").glob("*.lua")} <= names
    assert {"pilotbot/examples/bots/orders.py", "pilotbot/examples/bots/faq.py", "pilotbot/examples/flows/faq.yaml"} <= names
    assert "pilotbot/py.typed" in names


def test_the_page_of_an_installed_sandbox_is_whole(python: Path, tmp_path: Path) -> None:
    command = [str(python), "-P", "-m", "pilotbot", "sandbox", "--port", "0"]
    sandbox = subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, text=True)
    try:
        assert sandbox.stdout is not None
        url = sandbox.stdout.readline().split(" on ")[1].split(";")[0]
        assert b"/phone/main.js" in urlopen(url, timeout=10).read()
        for path in PHONE.iterdir():
            assert urlopen(f"{url}/phone/{path.name}", timeout=10).read() == path.read_bytes()
    finally:
        sandbox.terminate()
        sandbox.communicate(timeout=20)


def test_an_installed_pilotbot_brings_the_testing_kit(python: Path, tmp_path: Path) -> None:
    code = """
import asyncio, pilotbot, sys
from pilotbot.testing import Platform
assert "clean" in pilotbot.__file__, pilotbot.__file__
bot = pilotbot.Bot("shop")
@bot.message()
async def answer(ctx: pilotbot.Context) -> None:
    await ctx.reply("yes")
async def main() -> None:
    async with Platform(bot) as pilot:
        ana = pilot.phone()
        await ana.says("there?")
        assert ana.sees_only("yes")
asyncio.run(main())
"""
    done = subprocess.run(
        [str(python), "-P", "-c", code], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

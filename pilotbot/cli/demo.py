"""`pilotbot demo`: sandbox and example bots on this machine, one conversation played, and a page to go on by hand."""

from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType

import typer

from pilotbot.bot import Bot
from pilotbot.cli import lifecycle, logs
from pilotbot.cli.failures import Failed, PortTaken, port_taken, told
from pilotbot.cli.installation import claimed, of_the_sandbox
from pilotbot.cli.local import caller, local_sandbox, mark_for, register
from pilotbot.cli.transcript import play
from pilotbot.server import running
from pilotbot.target import HOUSE, load_module


@told()
def play_demo(data: Path, sandbox_port: int, port: int, *, once: bool, made: bool = False) -> None:
    """Play the demo on a data directory; stay up after it unless `once`. `made`: make runs it, and takes options in ARGS."""
    logs.set_up("WARNING")
    try:
        with claimed(data):
            lifecycle.run(_demo(data, sandbox_port, port, once=once))
    except PortTaken as error:
        if not made:
            raise
        raise Failed(f'{error.reason}; choose another, such as make demo ARGS="{error.choice}"') from None


async def _demo(data: Path, sandbox_port: int, port: int, *, once: bool) -> None:
    bot, orders = Bot("demo"), _example("orders")
    for example in (orders, _example("faq")):
        bot.include(example.bot)

    async def notify(contact: str) -> object:
        return await bot.notify(contact, orders.ORDER, order=await orders.Orders().latest(contact))

    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(local_sandbox(sandbox_port, data / "sandbox"))
        mark_for(sandbox, data)
        settings = of_the_sandbox(data, port=port)
        with port_taken(settings.host, port, "--port"):
            await stack.enter_async_context(running(bot, settings, reveal=True))
        client = await stack.enter_async_context(caller(sandbox))
        await register(client, f"http://{settings.host}:{port}/webhook")
        typer.echo("A conversation with the example bots, over HTTP on this machine:\n")
        await play(client, notify, typer.echo)
        if once:
            return
        logs.set_up(settings.log_level)
        typer.echo(f'\nNow you: open {sandbox.url} and write "order", "pedido" or "menu". Ctrl-C ends it; {data} keeps the data.')
        await lifecycle.forever()


def _example(name: str) -> ModuleType:
    """An example bot's module: in the wheel's copy, or in the repository that this package is run from."""
    for home in (HOUSE / "examples", HOUSE.parent):
        path = home / "bots" / f"{name}.py"
        if path.is_file():
            return load_module(str(path))
    raise Failed(f"the example bot {name} is not part of this installation; install pilotbot again")

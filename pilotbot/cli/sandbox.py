"""`pilotbot sandbox`: a local Pilot Status, by itself."""

from pathlib import Path

import typer

from pilotbot.cli import lifecycle, logs
from pilotbot.cli.failures import told
from pilotbot.cli.local import api_key, local_sandbox
from pilotbot.sandbox import Sandbox


@told()
def serve_sandbox(port: int, data: Path | None) -> None:
    """Serve a sandbox until a signal."""
    logs.set_up("INFO")
    lifecycle.run(_serve(port, data))


async def _serve(port: int, data: Path | None) -> None:
    async with local_sandbox(port, data, option="--port") as served:
        typer.echo(_welcome(served, data))
        await lifecycle.forever()


def _welcome(served: Sandbox, data: Path | None) -> str:
    """What one has to know to work with it."""
    numbers = {number.id: f"{number.phone} ({number.kind})" for number in served.settings.numbers}
    keys = [f"  {key.key:<24}{numbers.get(key.number_id or '', 'the workspace')}" for key in served.settings.keys]
    return "\n".join([
        f"The sandbox listens on {served.url}; open it in a browser for the phone.",
        f"Data: {data or 'kept in memory only'}",
        "API keys:",
        *keys,
        f"Webhook secret: {served.settings.webhook_secret}",
        "Register a webhook:",
        f"  curl {served.url}/v1/webhooks -H 'x-api-key: {api_key(served.settings)}' -H 'content-type: application/json' \\",
        '    -d \'{"name": "bot", "url": "http://127.0.0.1:8701/webhook", "events": ["*"]}\'',
    ])  # fmt: skip

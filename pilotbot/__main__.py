"""`python -m pilotbot` is `pilotbot`."""

from pilotbot.cli.main import app

if __name__ == "__main__":
    app(prog_name="pilotbot")

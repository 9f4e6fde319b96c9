"""The webhook server, the worker, the sender: what runs a bot."""

from pilotbot.server.runtime import Runtime, clients, open_engine, running

__all__ = ["Runtime", "clients", "open_engine", "running"]

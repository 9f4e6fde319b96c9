"""The webhook server, the worker, the sender: what runs a bot."""

from pilotbot.server.runtime import Role, Runtime, clients, open_engine, running

__all__ = ["Role", "Runtime", "clients", "open_engine", "running"]

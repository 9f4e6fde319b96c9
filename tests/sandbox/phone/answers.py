"""What a bot answers to ``sandbox.inspect``, for the tests of the panel."""

from typing import Any

Answer = dict[str, Any]


def turn(message_id: str | None, **about: Any) -> Answer:
    """A turn that `greet` handled, after `order_status` had not."""
    return {
        "at": "2026-11-25T12:00:01.000Z",
        "event": "message.received",
        "messageId": message_id,
        "text": "hi",
        "choice": None,
        "handler": {"name": "greet", "where": "bots/orders.py:42", "decorator": '@bot.message(words("hi"))'},
        "tried": [
            {
                "name": "order_status",
                "where": "bots/orders.py:60",
                "decorator": '@bot.message(words("order"))',
                "reason": "the text is none of the words",
            }
        ],
        "said": [{"text": "Hello, Ana!", "outcome": "queued, expected as text"}],
        "error": None,
        "place": None,
        "outcome": "committed",
    } | about


def post(key: str, code: str, **about: Any) -> Answer:
    """A post that went as free text."""
    why = {"code": code, "closesAt": "2026-11-26T12:00:00.000Z" if code in {"open", "closed"} else None}
    return {"key": key, "mode": "free", "why": why, "tries": 0, "at": "2026-11-25T12:00:01.000Z", "result": "sent", "error": None} | about


def chat(**about: Any) -> Answer:
    """A chat with an open window, a state, a menu, and an answer that waits."""
    return {
        "number": "main",
        "kind": "contact",
        "lastInboundAt": "2026-11-25T12:00:00.000Z",
        "window": {"state": "open", "closesAt": "2026-11-26T11:58:00.000Z"},
        "states": {"Visit": {"asked": 2, "note": "<b>bold</b>"}},
        "problems": {},
        "menus": [
            {"labels": ["Track", "Talk"], "actions": {"Track": {"name": "Track", "values": {"order_id": "4242"}}}},
        ],
        "waiting": {"events": 0, "messages": 0, "held": 1},
    } | about


def answer(**about: Any) -> Answer:
    """The whole answer."""
    aside = [{"at": "2026-11-25T12:00:02.000Z", "what": "defer", "why": "window-closed", "text": "Your parcel is here"}]
    return {"bot": "orders", "chat": chat(), "turns": [], "posts": [], "aside": aside} | about

"""``/sandbox``: what contacts do and have: write, read, block; their chats and messages."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from pilotbot.sandbox import inbound, rows
from pilotbot.sandbox.chatfile import chat_file
from pilotbot.sandbox.control_schemas import ContactRequest, InboundRequest, ReadRequest
from pilotbot.sandbox.errors import ApiError, invalid
from pilotbot.sandbox.http import LIFECYCLE, PARTS, address, parse, reply
from pilotbot.sandbox.lifecycle import Parts
from pilotbot.sandbox.records import Chat, Json, Member
from pilotbot.sandbox.rules import contact_key


async def receive(request: web.Request) -> web.Response:
    """``POST /sandbox/inbound``: a contact writes, taps, quotes, reacts or shares something."""
    parts = request.app[PARTS]
    wanted = parse(InboundRequest, await request.read())
    made = inbound.build(wanted, parts.state.number(wanted.number), parts)
    request.app[LIFECYCLE].receive(made.message, chat_name=made.chat_name, correlation_id=made.correlation_id)
    return reply({"id": made.message.id, "messageId": made.message.message_id})


async def messages(request: web.Request) -> web.Response:
    """``GET /sandbox/messages``: both directions in order of acceptance, of one contact or all."""
    parts, number = request.app[PARTS], request.query.get("number")
    return reply(message_rows(parts, parts.state.number(number).id if number else None, address(request)))


async def change_contact(request: web.Request) -> web.Response:
    """``POST /sandbox/contacts``: make a chat, or change what the request names of one."""
    parts = request.app[PARTS]
    wanted = parse(ContactRequest, await request.read())
    number = parts.state.number(wanted.number)
    chat = changed(parts.state.chat(number.id, wanted.contact) or Chat(number.id, wanted.contact, wanted.kind), wanted)
    request.app[LIFECYCLE].save_chat(chat)
    return reply(rows.chat_row(chat, number))


async def read(request: web.Request) -> web.Response:
    """``POST /sandbox/read``: a contact opens the chat."""
    wanted = parse(ReadRequest, await request.read())
    number = request.app[PARTS].state.number(wanted.number)
    return reply({"read": request.app[LIFECYCLE].read(number, wanted.contact)})


async def as_chat_file(request: web.Request) -> web.Response:
    """``GET /sandbox/chatfile``: one chat as a ``.chat`` file, personal data masked."""
    parts, contact = request.app[PARTS], address(request)
    number = parts.state.number(request.query.get("number"))
    chat = parts.state.chat(number.id, contact) if contact is not None else None
    if chat is None:
        raise ApiError(404, "There is no such chat: name it by ?contact= and its address", "CHAT_NOT_FOUND")
    if chat.kind == "newsletter":
        raise invalid("A newsletter is no conversation: only chats with contacts and groups can be .chat files")
    text = chat_file(message_rows(parts, number.id, chat.contact), rows.chat_row(chat, number), kind=number.kind)
    return web.Response(text=text, content_type="text/plain", charset="utf-8")


def changed(chat: Chat, wanted: ContactRequest) -> Chat:
    """The chat with what the request names; of a member named twice, the last."""
    members = chat.members
    if wanted.members is not None:
        members = tuple({contact_key(each.contact): Member(each.contact, each.name) for each in wanted.members}.values())
    return replace(
        chat,
        name=chat.name if wanted.name is None else wanted.name,
        colour=chat.colour if wanted.colour is None else wanted.colour,
        members=members,
        blocked=chat.blocked if wanted.blocked is None else wanted.blocked,
        reads=chat.reads if wanted.reads is None else wanted.reads,
    )


def message_rows(parts: Parts, number_id: str | None, contact: str | None) -> list[Json]:
    """The messages of one number or all, with one contact or all, as they are shown."""
    shown: list[Json] = []
    for message in parts.state.messages_of(number_id, contact):
        chat = parts.state.chat(message.number_id, message.contact)
        shown.append(rows.message_row(message, chat.name if chat else None))
    return shown


ROUTES = (
    web.post("/sandbox/inbound", receive),
    web.get("/sandbox/messages", messages),
    web.get("/sandbox/chatfile", as_chat_file),
    web.post("/sandbox/contacts", change_contact),
    web.post("/sandbox/read", read),
)

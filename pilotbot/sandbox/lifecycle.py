"""The life of a message: accepted, sent, delivered, read or failed; and what contacts write."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from pilotbot.sandbox import envelopes, rows
from pilotbot.sandbox.clock import Clock, Timers
from pilotbot.sandbox.delivery import Webhooks
from pilotbot.sandbox.faults import Faults
from pilotbot.sandbox.media_files import MediaFiles
from pilotbot.sandbox.records import Chat, ChatKind, Json, Message, Number
from pilotbot.sandbox.rules import Failure, late_failure
from pilotbot.sandbox.settings import SandboxSettings
from pilotbot.sandbox.state import State, new_id
from pilotbot.sandbox.store import Store
from pilotbot.sandbox.stream import Stream

FINAL = frozenset({"READ", "FAILED", "CANCELED"})


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a running sandbox is made of; what its handlers are given."""

    settings: SandboxSettings
    store: Store
    clock: Clock
    timers: Timers
    rng: random.Random
    faults: Faults
    stream: Stream
    state: State
    webhooks: Webhooks
    media: MediaFiles


def provider_id(number: Number) -> str:
    """An id such as WhatsApp gives: ``wamid.`` on Meta numbers, ``3EB0`` on the others."""
    return new_id("wamid.").upper().replace("WAMID", "wamid") if number.kind == "meta" else new_id("3EB0").upper()


class Lifecycle:
    """Moves messages on, by the sandbox's clock, and tells the webhooks."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def resume(self) -> None:
        """Take up the messages that were on their way when the sandbox last ran."""
        for message in self._parts.state.messages.values():
            if message.due_ms is not None:
                self._schedule(message)

    def accept(self, message: Message) -> None:
        """Take an outbound message that the API accepted."""
        start = max(message.created_ms, message.deliver_at_ms or 0)
        self.touch_chat(message.number_id, message.contact, message.chat_kind)
        message = replace(message, due_ms=start + self._delay())
        self._save(message)
        self._schedule(message)

    def cancel(self, message: Message) -> bool:
        """Cancel a message that waits for its `deliverAt`; False when it is too late (contract 4.2)."""
        now = self._parts.clock.now_ms()
        if message.status != "QUEUED" or message.deliver_at_ms is None or message.deliver_at_ms <= now:
            return False
        self._save(replace(message, status="CANCELED", due_ms=None))
        return True

    def mark_read(self, number: Number, contact: str) -> None:
        """Mark the contact's last inbound message read, as a send on a Meta number does (contract 3.3)."""
        last = self._parts.state.last_written(number.id, contact)
        if number.kind == "meta" and last is not None and last.status != "READ":
            self._save(replace(last, status="READ", read_ms=self._parts.clock.now_ms()))

    def answer_flow(self, number: Number, contact: str, token: str, response: Json) -> None:
        """The contact sends a flow back: the message that carried it keeps the answer, for the phone page."""
        found = self._parts.state.messages_of(number.id, contact)
        for message in [each for each in found if each.flow_token == token]:
            self._save(replace(message, flow_response=response))

    def show_typing(self, number: Number, contact: str) -> None:
        """Tell the phone page that somebody types; on Meta that marks read, too (contract 3.9)."""
        self.mark_read(number, contact)
        chat = self._parts.state.chat(number.id, contact)
        address = chat.contact if chat else contact
        self._parts.stream.publish(lambda: {"kind": "typing", "number": number.id, "contact": address})

    def receive(self, message: Message, *, chat_name: str | None, correlation_id: str | None) -> None:
        """Take what a contact wrote: open the window, tell the webhooks."""
        number = self._parts.state.numbers[message.number_id]
        opens = message.chat_kind == "contact" and message.direction == "in" and message.type != "reaction"
        inbound_ms = min(message.created_ms, self._parts.clock.now_ms()) if opens else None
        with self._parts.store.together():
            self.touch_chat(number.id, message.contact, message.chat_kind, name=chat_name, inbound_ms=inbound_ms)
            self._save(message)
            envelope = envelopes.inbound_event(
                message,
                number,
                chat_name=chat_name if message.chat_kind != "contact" else None,
                correlation_id=correlation_id,
            )
            self._parts.webhooks.emit(number.id, envelope, lane=message.contact)

    def read(self, number: Number, contact: str) -> int:
        """The contact opens the chat: what was delivered becomes read. Without read receipts nothing does.

        Returns:
            How many messages became read.
        """
        if not self._parts.faults.read_receipts:
            return 0
        now, found = self._parts.clock.now_ms(), self._parts.state.messages_of(number.id, contact)
        unread = [message for message in found if message.direction == "out" and message.status == "DELIVERED"]
        with self._parts.store.together():
            for message in unread:
                self._move(replace(message, status="READ", read_ms=now, due_ms=None), number, now)
        return len(unread)

    def touch_chat(self, number_id: str, contact: str, kind: ChatKind, *, name: str | None = None, inbound_ms: int | None = None) -> None:
        """Know a chat, and what is new about it. A replayed older message never closes the window."""
        known = self._parts.state.chat(number_id, contact) or Chat(number_id, contact, kind)
        last = max((ms for ms in (known.last_inbound_ms, inbound_ms) if ms is not None), default=None)
        address = contact if inbound_ms is not None else known.contact
        self.save_chat(replace(known, contact=address, name=name or known.name, last_inbound_ms=last))

    def save_chat(self, chat: Chat) -> None:
        """Keep a chat, and tell the phone page what is new about it."""
        state = self._parts.state
        if chat != state.chat(chat.number_id, chat.contact):
            state.save_chat(chat)
            number = state.numbers[chat.number_id]
            self._parts.stream.publish(lambda: {"kind": "chat", "chat": rows.chat_row(chat, number)})

    # -- steps ----------------------------------------------------------------------------------------------------

    def _schedule(self, message: Message) -> None:
        if message.due_ms is not None:
            self._parts.timers.at(message.due_ms, lambda due_ms: self._step(message.id, due_ms))

    def _step(self, message_id: str, now_ms: int) -> None:
        message = self._parts.state.messages.get(message_id)
        if message is None or message.status in FINAL:
            return  # cancelled, or forgotten by a reset
        number = self._parts.state.numbers[message.number_id]
        moved = self._next(message, number, now_ms)
        if moved.status == message.status:
            self._save(moved)
            return
        with self._parts.store.together():
            self._move(moved, number, now_ms)
        self._schedule(moved)

    def _next(self, message: Message, number: Number, now_ms: int) -> Message:
        """The message one step on; or as it is for good, where its contact blocked the number, or does not read of itself."""
        chat = self._parts.state.chat(message.number_id, message.contact)
        if message.status == "QUEUED":
            return self._send(message, number, now_ms)
        if message.status == "SENT" and not (chat and chat.blocked):
            return replace(message, status="DELIVERED", delivered_ms=now_ms, due_ms=now_ms + self._delay())
        if message.status == "DELIVERED" and self._parts.faults.read_receipts and (chat is None or chat.reads):
            return replace(message, status="READ", read_ms=now_ms, due_ms=None)
        return replace(message, due_ms=None)

    def _move(self, moved: Message, number: Number, now_ms: int) -> None:
        """Keep a message of a new status, and tell the webhooks."""
        self._save(moved)
        self._parts.webhooks.emit(number.id, envelopes.status_event(moved, number, now_ms), lane=moved.contact)

    def _send(self, message: Message, number: Number, now_ms: int) -> Message:
        failure = self._late_failure(message, number, now_ms)
        if failure is not None:
            return replace(message, status="FAILED", error_code=failure.code, error_message=failure.text, due_ms=None)
        sent_id = provider_id(number)
        return replace(message, status="SENT", sent_ms=now_ms, message_id=sent_id, due_ms=now_ms + self._delay())

    def _late_failure(self, message: Message, number: Number, now_ms: int) -> Failure | None:
        state = self._parts.state
        return late_failure(
            message,
            number=number,
            template=state.templates.get(message.template_id) if message.template_id else None,
            last_inbound_ms=state.last_inbound(number.id, message.contact),
            now_ms=now_ms,
            unreachable=self._parts.settings.unreachable,
        )

    def _delay(self) -> int:
        low, high = self._parts.settings.receipt_delay
        return round(self._parts.rng.uniform(low, high) * 1000)

    def _save(self, message: Message) -> None:
        state = self._parts.state
        state.save_message(message)
        chat = state.chat(message.number_id, message.contact)
        name = chat.name if chat else None
        self._parts.stream.publish(lambda: {"kind": "message", "message": rows.message_row(message, name)})

"""Whom we write to on our own: the chat, its window, what they decided; and messages to them as notices (design 3.2, 3.6, 3.13)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

from pilotbot.contacts import Human, Window, address, canonical, human_of, profile, sendable
from pilotbot.context import Contact, Outcome
from pilotbot.engine import (
    ChatKey,
    Consent,
    Decision,
    Engine,
    Notice,
    Place,
    PutAside,
    Scope,
    as_fields,
    derived_id,
    marks_of,
)
from pilotbot.engine.merge import Move
from pilotbot.replies import (
    REASONS,
    Destination,
    Policy,
    Saying,
    Skipped,
    window_enforced,
)
from pilotbot.server.followups import name_of
from pilotbot.server.manners import Standing
from pilotbot.server.saying import Numbers, Said, destination, say, whole, window_of
from pilotbot.server.templates import Templates
from pilotbot.server.turn_engine import TurnEngine
from pilotbot.settings import NumberSettings

OPTED_OUT = REASONS["opted-out"]
HUMAN = "a person has this chat: nothing is planned until the bot has it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Somebody to write to on our own: the chat, and what is known of it now."""

    to: Destination
    place: Place
    number: NumberSettings
    contact: Contact
    seen: Window
    now: int
    last_inbound: int | None
    generation: int
    human: Human | None = None
    standing: Standing

    def say(self, saying: Saying, *, occasion: str, policy: Policy, templates: Templates, due: int | None = None) -> Said:
        """Render a content that nobody asked for, once per chat and `occasion`; `due` is when it is to be sent (business ms)."""
        return say(
            saying, to=self.to, number=self.number, contact=self.contact, seen=self.seen, now=self.now, policy=policy,
            base=derived_id(occasion, self.place.key.id), given={"contact": self.contact}, chat=self.place.key.id, standing=self.standing,
            due=due, templates=templates,
        )  # fmt: skip


async def whom(engine: TurnEngine, number: NumberSettings, who: str | Contact) -> Target:
    """The chat with somebody. Raises ValueError where `who` is no address."""
    to = destination(address(who.address if isinstance(who, Contact) else who))
    known = await known_as(engine, to.address) if to.kind == "contact" else to.address
    key = engine.keys.chat(number.name, canonical(known))
    chat = await engine.chat(key)
    if "moved" in chat.fields:  # just now, and the alias is not learned yet
        key = ChatKey.parse(chat.fields["moved"].decode())
        chat = await engine.chat(key)
    if (seen := chat.fields.get("address")) is not None and sendable(seen.decode()):
        to = replace(to, address=seen.decode())  # the spelling that the platform knows the contact by (design section 3.2)
    name = chat.fields.get("name", b"").decode() or None
    stored = chat.fields
    if to.kind == "contact":  # they may have decided before this chat began, or while its number was not one of ours
        marks, told = await engine.consent(engine.keys.person(canonical(known))), marks_of(stored)
        if newer := {scope: mark for scope, mark in marks.items() if abs(mark) > abs(told.get(scope, 0))}:
            await engine.tell_consent(key, newer)
            stored = {**stored, **as_fields(newer)}
    return Target(
        to=to, place=Place(key=key, number=number.name, kind=to.kind, address=to.address), number=number,
        contact=_given(who, known_contact(stored, to.address, name)),
        seen=window_of(chat.fields, enforced=window_enforced(number.kind, to), now=chat.now, margin=engine.terms.margin),
        now=chat.now, last_inbound=whole(chat.fields.get("in")),
        generation=whole(chat.fields.get("generation")) or 0,
        human=human_of(chat.fields, chat.now), standing=Standing(stored),
    )  # fmt: skip


def known_contact(fields: Mapping[str, bytes], address: str, name: str | None) -> Contact:
    """A contact as their chat knows them."""
    return Contact(
        address, name, profile.language_of(fields, address), profile.timezone_of(fields), profile.tags(fields.get("tags"))
    )  # fmt: skip


def _given(who: str | Contact, known: Contact) -> Contact:
    """A contact as they were given, with what is known of them besides."""
    if not isinstance(who, Contact):
        return known
    return Contact(
        who.address, who.name or known.name, who.language or known.language, who.timezone or known.timezone, who.tags or known.tags
    )  # fmt: skip


async def known_as(engine: TurnEngine, to: str) -> str:
    """The address that a contact is known by: the phone of a BSUID, where it was learned."""
    return to if to.startswith("+") else await engine.alias(to) or to


def contact_address(who: str | Contact) -> str:
    """The normal address of somebody who can decide. Raises ValueError for what is none, and for groups and newsletters."""
    to = address(who.address if isinstance(who, Contact) else who)
    if destination(to).kind != "contact":
        raise ValueError("a group or newsletter decides nothing; give a contact's phone number")
    return to


def check_consent(evidence: str, purpose: str) -> None:
    """Refuse a decision that nothing shows, or that is about nothing. Raises ValueError."""
    if not isinstance(evidence, str) or not evidence.strip():
        raise ValueError("evidence is what shows it, for the ledger: the contact's words, a note")
    if purpose not in get_args(Scope):
        raise ValueError(f"{purpose!r} is no purpose: a contact decides about {', '.join(get_args(Scope))}")


async def decision(engine: TurnEngine, numbers: Numbers, to: str, entry: Consent) -> Decision:
    """What a contact decided, with all their chats."""
    known = await known_as(engine, to)
    other = await engine.alias(canonical(known))
    names = (canonical(known), *((canonical(other),) if other else ()))
    chats = tuple(engine.keys.chat(number, name) for number in numbers.names for name in names)
    return Decision(entry=entry, person=engine.keys.person(names[0]), chats=chats)


async def joined(engine: Engine, numbers: Numbers, bsuid: str, phone: str) -> tuple[PutAside, ...]:
    """Learn whose phone a BSUID is: what the person decided under one holds under both, and their
    chats become one. Returns what waited for their silence."""
    names = canonical(bsuid), canonical(phone)
    persons = [engine.keys.person(name) for name in names]
    moves = [
        Move(engine.keys.chat(number, names[0]), engine.keys.chat(number, names[1]), phone) for number in numbers.names
    ]  # fmt: skip
    put_aside = await engine.join(persons[0], persons[1], moves, name_of)
    await engine.learn_alias(bsuid, phone, names[1])  # last: after a crash before that, it is all done again
    return put_aside


async def compose(
    engine: TurnEngine, number: NumberSettings, who: str | Contact, saying: Saying, *, occasion: str, policy: Policy,
    templates: Templates,
) -> tuple[Notice | None, Outcome]:  # fmt: skip
    """A message to any chat, as a notice for its lane, with the forecast by that chat's window. Once per chat and `occasion`.

    There is no notice where a policy leaves it out, as for those who opted out. What changes later counts, too: the lane looks again.
    """
    target = await whom(engine, number, who)
    said = target.say(saying, occasion=occasion, policy=policy, templates=templates)
    if said.withheld:
        return None, said.outcome
    cap = said.items[0].cap
    if cap is not None and await engine.recent(target.place.key, target.now - cap[1]) >= cap[0]:
        return None, Skipped(REASONS["capped"])
    return Notice(place=target.place, items=said.items), said.outcome

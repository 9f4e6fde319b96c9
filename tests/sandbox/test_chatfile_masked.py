"""Whatever is said of somebody, and in whatever way: nothing of it is left in the file, and the file plays the same conversation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pilotbot.sandbox.chatfile import chat_file
from pilotbot.sandbox.records import Chat, Member, Message
from pilotbot.sandbox.rows import chat_row, message_row
from pilotbot.sandbox.settings import META
from pilotbot.testing.chatfile import parse

NAMES = st.sampled_from(["Rúbia", "Zoraide", "Wanderley", "Xênia", "Ítalo", "Jürgen", "O'Hara", "Nguyễn", "Yara-Lúcia"])
SURNAMES = st.sampled_from(["Quaresma", "de Uzeda", "Kvist", "Trancoso"])
DIGITS = st.text("0123456789", min_size=8, max_size=8).filter(lambda digits: len(set(digits)) > 3)
PHONES = DIGITS.map(lambda digits: f"+55319{digits}")
WORDS = st.sampled_from(
    ["pedido", "4242", "às 14:30", "*", "{x}", "[A]", '"', "\\", "R$ 150,00", "\n", "é", "tap", "/read", "nothing", "template"]
)


@st.composite
def ways(draw: st.DrawFn, name: str, phone: str) -> tuple[str, str]:
    """One way to write something personal, and what of it must not be found again, as letters and digits alone."""
    local = phone[3:]
    match draw(st.integers(0, 8)):
        case 0:
            return name, name
        case 1:
            first, _, _ = name.partition(" ")
            return first, first
        case 2:
            return draw(st.sampled_from([name.upper(), name.lower()])), name
        case 3:
            return draw(st.sampled_from([phone, phone[1:], local, f"({local[:2]}) {local[2:7]}-{local[7:]}"])), local[-8:]
        case 4:
            box = draw(st.text("qwzk", min_size=8, max_size=9))
            return f"{box[:4]}{draw(st.sampled_from(['.', '_', '-', '+', '']))}{box[4:]}@firma.com.br", box
        case 5:
            cpf = draw(st.text("0123456789", min_size=11, max_size=11))
            return draw(st.sampled_from([cpf, f"{cpf[:3]}.{cpf[3:6]}.{cpf[6:9]}-{cpf[9:]}"])), cpf
        case 6:
            cnpj = draw(st.text("0123456789", min_size=14, max_size=14))
            return draw(st.sampled_from([cnpj, f"{cnpj[:2]}.{cnpj[2:5]}.{cnpj[5:8]}/{cnpj[8:12]}-{cnpj[12:]}"])), cnpj
        case _:
            card = draw(st.text("0123456789", min_size=16, max_size=30))
            return card, card


def bare(text: str) -> str:
    """Its letters and digits, which is what tells who somebody is, however it is punctuated."""
    return re.sub(r"[\W_]", "", text).casefold()


@dataclass
class Talk:
    """Makes what is said, and keeps what must not be left of it."""

    draw: st.DrawFn
    name: str
    phone: str
    secrets: list[str] = field(default_factory=list)

    def text(self) -> str:
        words = []
        for personal in self.draw(st.lists(st.booleans(), min_size=1, max_size=4)):
            shown, secret = self.draw(ways(self.name, self.phone)) if personal else (self.draw(WORDS), "")
            words.append(shown)
            self.secrets.extend([secret] if secret else [])
        return " ".join(words)

    def media(self) -> dict[str, Any]:
        return {"mode": "media", "type": "image", "media": f"https://cdn.example/{self.phone}.png", "caption": self.text()}

    def said(self) -> dict[str, Any]:
        """What the bot says."""
        match self.draw(st.sampled_from(["text", "media", "buttons", "template", "header"])):
            case "media":
                return self.media()
            case "buttons":
                return {"mode": "buttons", "text": self.text(), "options": ({"type": "reply", "label": self.text()},)}
            case "template":
                return {"mode": "template", "text": self.text(), "template": "t", "variables": {"a": self.text()}}
            case "header":
                return {"mode": "buttons", "text": self.text(), "header": {"type": "text", "content": self.name}, "footer": self.name}
        return {"text": self.text()}

    def wrote(self, at: int) -> dict[str, Any]:
        """What the contact does."""
        match self.draw(st.sampled_from(["text", "media", "location", "contacts", "quotes", "reaction"])):
            case "media":
                return self.media()
            case "location":
                self.secrets += ["9317123", "9386456"]
                place = {"latitude": -19.9317123, "longitude": -43.9386456, "name": self.text(), "address": self.text()}
                return {"type": "location", "location": place}
            case "contacts":
                friend, phone = f"{self.draw(NAMES)} Pimentel", self.draw(PHONES)
                self.secrets += [friend, phone[-8:]]
                return {"type": "contacts", "contacts": ({"name": friend, "phone": phone},)}
            case "quotes":
                return {"text": self.text(), "quoted": f"wamid.{at - 1}"}
            case "reaction":
                return {"type": "reaction", "reaction": {"emoji": self.draw(st.just("👍") | WORDS), "message": "m0"}}
        return {"text": self.text()}


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, Any], list[str]]:
    """Rows, their chat, and what must not be left of them."""
    name, phone = f"{draw(NAMES)} {draw(SURNAMES)}", draw(PHONES)
    talk = Talk(draw, name, phone, [name, phone[-8:]])
    rows = []
    clock = 1_764_000_000_000
    for at in range(draw(st.integers(1, 5))):
        clock += draw(st.sampled_from([1, 20, 400, 90_000])) * 1000
        usual: dict[str, Any] = {"mode": "text", "type": "text", "id": f"m{at}", "message_id": f"wamid.{at}", "created_ms": clock}
        done = (
            {"direction": "out"} | talk.said()
            if draw(st.booleans())
            else {"direction": "in", "author": phone, "author_name": name} | talk.wrote(at)
        )
        message = Message(seq=at, number_id=META.id, contact=phone, chat_kind="contact", status="READ", **usual | done)
        rows.append(message_row(message, name))
    return rows, chat_row(Chat(number_id=META.id, contact=phone, kind="contact", name=name), META), talk.secrets


@given(conversations())
def test_nothing_personal_is_left(conversation: tuple[list[dict[str, Any]], dict[str, Any], list[str]]) -> None:
    rows, chat, secrets = conversation
    text = chat_file(rows, chat)
    parse(text)
    found = [secret for secret in secrets if bare(secret) in bare(text)]
    assert not found, f"{found} in\n{text}"


def test_somebody_with_several_names_and_members_who_never_wrote() -> None:
    group = "120363000000000099@g.us"
    rubia, zoe = "+5531964738291", "+5531964738292"
    usual: dict[str, Any] = {"number_id": META.id, "contact": group, "chat_kind": "group", "mode": "text", "type": "text", "status": "READ"}
    said = [
        {"direction": "in", "author": rubia, "author_name": "Rúbia Quaresma", "text": "Oi, bot. Zoe e Wanderley, vamos?"},
        {"direction": "in", "author": rubia, "author_name": "Binha", "text": "Sou a Rúbia"},
        {"direction": "out", "text": "Binha, Rúbia e Wanderley"},
    ]
    rows = [message_row(Message(id=f"m{at}", seq=at, created_ms=at, **usual | each), None) for at, each in enumerate(said)]
    members = (Member(rubia, "Rúbia"), Member(zoe, "Zoe"), Member("+5531964738293", "Wanderley"))
    text = chat_file(rows, chat_row(Chat(number_id=META.id, contact=group, kind="group", name="Nós", members=members), META))
    assert [line for line in text.split("\n") if line[:1] in {">", "<"}] == [
        "> Oi, bot. Bia e Caio, vamos?",
        "> Sou a Ana",
        "< {contact.name}, {contact.name} e *",
    ]

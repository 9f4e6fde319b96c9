"""Outbox items: what waits in a chat's lane, rendered, as one string.

`<header JSON>\\n<free><template><menu>`: the lane script reads the header and pins a variant; the sender posts the bytes of the pinned
variant as they lie here, each time the same, under a key that names item and variant (design section 3.4).
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

import orjson

Pin = Literal["free", "template"]
ClosedPolicy = Literal["defer", "skip", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message to send, with all its variants; empty bytes mean that a variant does not exist.

    `group` names the content that an item is a part of, where it has several and a template: the template stands for all of it, so the
    `rest` goes only if the first part went free-form.
    """

    id: str
    free: bytes = b""
    template: bytes = b""
    menu: bytes = b""
    enforced: bool = False
    closed: ClosedPolicy = "defer"
    again: bool = False
    group: str = ""
    rest: bool = False

    def pack(self) -> bytes:
        """As it is stored."""
        header = {
            "id": self.id,
            "f": len(self.free),
            "t": len(self.template),
            "m": len(self.menu),
            "w": int(self.enforced),
            "p": self.closed[0],
            "a": int(self.again),
            "g": self.group,
            "r": int(self.rest),
        }
        return orjson.dumps(header) + b"\n" + self.free + self.template + self.menu

    @classmethod
    def unpack(cls, stored: bytes) -> "Item":
        """Read what `pack` wrote."""
        line, _, payload = stored.partition(b"\n")
        header = orjson.loads(line)
        free_end = header["f"]
        template_end = free_end + header["t"]
        policies: dict[str, ClosedPolicy] = {"d": "defer", "s": "skip", "f": "fail"}
        return cls(
            id=header["id"],
            free=payload[:free_end],
            template=payload[free_end:template_end],
            menu=payload[template_end : template_end + header["m"]],
            enforced=bool(header["w"]),
            closed=policies[header["p"]],
            again=bool(header["a"]),
            group=header.get("g", ""),  # what later versions add must be missing in what earlier ones stored
            rest=bool(header.get("r")),
        )

    def body(self, pin: Pin) -> bytes:
        """The bytes to post for a variant."""
        return self.free if pin == "free" else self.template

    def key(self, pin: Pin) -> str:
        """The Idempotency-Key of a variant: the same for every retry, in every process (contract 3.7)."""
        return sha256(f"{self.id}\0{pin}".encode()).hexdigest()[:40]

    def decided_again(self) -> "Item":
        """The same content under a new identity, to be decided once more after a late refusal (design section 3.5)."""
        return replace(self, id=derived_id(self.id, "again"), again=True)


def derived_id(*parts: str | int) -> str:
    """An id that follows from where the item comes from, so that a second run of the same turn makes the same one."""
    return sha256("\0".join(str(part) for part in parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]

"""Where a message goes, and whether the 24-hour window binds it there."""

from dataclasses import dataclass, field
from typing import Literal

NumberKind = Literal["meta", "evolution_v2", "evolution_go"]


@dataclass(frozen=True, slots=True)
class Destination:
    """Who receives: exactly one of the three of contract 3.2.

    Attributes:
        kind: contact, group or newsletter.
        address: `+digits` (or a BSUID), `<digits>@g.us`, or `<digits>@newsletter`; kept out of `repr`, for logs.
    """

    kind: Literal["contact", "group", "newsletter"]
    address: str = field(repr=False)


def window_enforced(kind: NumberKind, destination: Destination) -> bool:
    """Whether only templates may go while the window is closed: Meta numbers, writing to contacts (contract 7)."""
    return kind == "meta" and destination.kind == "contact"

"""What can be wrong with content: said with the remedy, never with a contact's text or number."""

from typing import Self


class ContentError(ValueError):
    """Content that can not be sent as it was written: the message says where, what is wrong and what to do.

    Attributes:
        code: the platform's code for it, where it would be refused there with one (contract 3.8); else None.
    """

    def __init__(self, problem: str, *, code: str | None = None) -> None:
        super().__init__(problem)
        self.code = code

    def within(self, where: str) -> Self:
        """The same error, in a named place."""
        return type(self)(f"{where}: {self}", code=self.code)


class Unsendable(ContentError):
    """Content that this number can not send to this destination, whatever the window."""


class ContentWarning(UserWarning):
    """Content beyond a limit that WhatsApp is only believed to have (contract 11): it is sent, and may be refused there."""

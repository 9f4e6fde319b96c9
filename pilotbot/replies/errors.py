"""What can be wrong with content: said with the remedy, never with a contact's text or number."""


class ContentError(ValueError):
    """Content that can not be sent as it was written: the message says what is wrong and what to do."""


class Unsendable(ContentError):
    """Content that this number can not send to this destination, whatever the window."""

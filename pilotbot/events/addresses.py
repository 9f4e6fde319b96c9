"""The one spelling of an address: how the many forms of a phone number become `+digits` (contract 3.2, 8.4, 8.8)."""

import re

_PHONE = re.compile(r"\+?([0-9]{7,15})")
_PHONE_JID = re.compile(r"\+?([0-9]{7,15})(?::[0-9]+)?@(?:s\.whatsapp\.net|c\.us)", re.IGNORECASE)
_DEVICE = re.compile(r":[0-9]+(?=@lid$)")
_SEPARATORS = str.maketrans("", "", " -().\u00a0")
_LONGEST = 200


def normal_address(raw: str) -> str:
    """Return the normal form of an address as the wire has it.

    Phone numbers, with or without `+`, separators or a WhatsApp JID around them, become `+digits`. BSUIDs, group and
    newsletter ids, LIDs and forms not known yet are kept, since the platform may take them back as they are.

    Args:
        raw: What the wire says; untrusted.

    Returns:
        The address; empty when there is none (blank, longer than any id, or a broadcast such as a status post).
    """
    if raw[:1] == "+" and _PHONE.fullmatch(raw):
        return raw
    text = raw.strip()
    if not text or len(text) > _LONGEST or text.endswith("@broadcast"):
        return ""
    if found := _PHONE_JID.fullmatch(text) or _PHONE.fullmatch(text.translate(_SEPARATORS)):
        return f"+{found[1]}"
    return _DEVICE.sub("", text)

"""Whether a webhook is what it says: the signature over the raw body, and the token in the URL (contract 8.3)."""

import hmac
from collections.abc import Sequence


def sign(secret: str, raw: bytes) -> str:
    """Return the `x-pilot-status-signature` of a body: lower-case hex HMAC-SHA256 of its bytes (contract 8.3).

    Args:
        secret: The webhook's secret.
        raw: The body's bytes as they are on the wire.
    """
    return hmac.digest(secret.encode(), raw, "sha256").hex()


def verify(raw: bytes, given: str | None, secrets: Sequence[str]) -> bool:
    """Say whether a signature header belongs to these bytes (contract 8.3).

    Args:
        raw: The body's bytes as they arrived, before any parsing.
        given: The header, None when there was none; untrusted. A prefix `sha256=`, capitals and blanks around it are
            tolerated.
        secrets: The secrets that count: several while they are rotated. Empty ones never match.

    Returns:
        True if one of the secrets made it. Every secret is tried, each in constant time.
    """
    if given is None:
        return False
    claim = given.encode("ascii", "replace").strip().lower().removeprefix(b"sha256=")
    matches = [hmac.compare_digest(sign(secret, raw).encode(), claim) for secret in secrets if secret]
    return any(matches)


def token_matches(given: str | None, expected: str) -> bool:
    """Say, in constant time, whether the secret token of a webhook's URL is the one expected (contract 8.1).

    Args:
        given: The token of the request, None when there was none; untrusted.
        expected: The configured token. An empty one never matches.
    """
    if given is None or not expected:
        return False
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))

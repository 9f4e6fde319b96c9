"""The signature of a webhook and the token in its URL (contract 8.3)."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.events import sign, token_matches, verify

RAW = '{"event":"message.received","data":{"content":"Olá"}}'.encode()
SECRET = "sandbox-webhook-secret"
SIGNATURE = sign(SECRET, RAW)


def test_the_signature_is_hex_hmac_sha256_of_the_raw_bytes() -> None:
    assert hmac.new(SECRET.encode(), RAW, hashlib.sha256).hexdigest() == SIGNATURE


@pytest.mark.parametrize(
    "header", [SIGNATURE, f"  {SIGNATURE}\t", SIGNATURE.upper(), f"sha256={SIGNATURE}", f" SHA256={SIGNATURE.upper()} "]
)
def test_the_spellings_of_a_right_signature_are_taken(header: str) -> None:
    assert verify(RAW, header, [SECRET])


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        SIGNATURE[:-1],
        SIGNATURE + "0",
        "0" * 64,
        f"sha512={SIGNATURE}",
        f"sha256=sha256={SIGNATURE}",
        "é" * 64,
        "\udce9" * 64,
    ],
)
def test_anything_else_is_refused(header: str | None) -> None:
    assert not verify(RAW, header, [SECRET])


@given(st.integers(0, len(RAW) * 8 - 1))
def test_one_bit_of_the_body_breaks_it(bit: int) -> None:
    flipped = bytearray(RAW)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not verify(bytes(flipped), SIGNATURE, [SECRET])


@given(st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_one_digit_of_the_signature_breaks_it(place: int, digit: str) -> None:
    changed = SIGNATURE[:place] + digit + SIGNATURE[place + 1 :]
    assert verify(RAW, changed, [SECRET]) == (changed == SIGNATURE)


@given(st.binary(), st.text())
def test_no_header_can_crash_it(raw: bytes, header: str) -> None:
    assert not verify(raw, header, [SECRET])


def test_while_secrets_are_rotated_each_of_them_counts() -> None:
    for secret in ("old", "new"):
        assert verify(RAW, sign(secret, RAW), ["old", "new"])
    assert not verify(RAW, sign("older", RAW), ["old", "new"])
    assert not verify(RAW, SIGNATURE, [])


def test_an_empty_secret_never_matches() -> None:
    assert not verify(RAW, hmac.new(b"", RAW, hashlib.sha256).hexdigest(), ["", SECRET])


@pytest.mark.parametrize(
    ("token", "expected", "matches"),
    [("t0k3n", "t0k3n", True), ("t0k3n ", "t0k3n", False), ("T0K3N", "t0k3n", False), ("", "t0k3n", False), (None, "t0k3n", False),
     ("", "", False), (None, "", False), ("é", "é", True), ("\ud800", "?", False)],
)  # fmt: skip
def test_tokens(token: str | None, expected: str, matches: bool) -> None:
    assert token_matches(token, expected) is matches

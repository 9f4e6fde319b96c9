"""The contract's error envelope (section 1.4), and the exception that carries it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from pilotbot.sandbox.records import Json


class ApiError(Exception):
    """An answer that is not 2xx.

    Args:
        status: the HTTP status.
        message: human readable, says what to do next.
        code: the stable code, absent where the contract has none.
        details: the `details` object, where the contract states one.
        extra: further top-level keys, such as `reason`.
        headers: response headers, such as `Retry-After`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        *,
        details: Json | None = None,
        extra: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.details = details
        self.extra = extra or {}
        self.headers = dict(headers or {})

    def body(self) -> Json:
        """The JSON body of the answer."""
        body: Json = {"error": self.message}
        if self.code is not None:
            body["code"] = self.code
        if self.details is not None:
            body["details"] = self.details
        return body | self.extra


def invalid(message: str, *, details: Json | None = None) -> ApiError:
    """A `400 VALIDATION_ERROR`."""
    return ApiError(400, message, "VALIDATION_ERROR", details=details)


def from_pydantic(error: ValidationError) -> ApiError:
    """Say in contract form what a schema refused, without repeating the values."""
    issues: list[Json] = [
        {"path": ".".join(str(part) for part in issue["loc"]), "message": issue["msg"].removeprefix("Value error, ")}
        for issue in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    first = issues[0]
    where = f"{first['path']}: " if first["path"] else ""
    return invalid(f"Invalid payload: {where}{first['message']}", details={"issues": issues})

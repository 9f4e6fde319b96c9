"""A platform's history for tests: rows as the wire has them, and a client that shows them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pilotbot.platform import HistoryPage, HistoryRow, PlatformError
from pilotbot.server.catch_up import written

ANA, BRUNO = "+5511987650001", "+5521998760002"
NOON = 1_795_000_000_000


def read(row: Mapping[str, Any]) -> HistoryRow:
    return HistoryRow.model_validate(row)


def iso(ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")


def row_of(name: str, said: str, *, at: int = NOON, **changes: Any) -> dict[str, Any]:
    return {
        "id": name, "externalMessageId": f"wamid.{name}", "direction": "INBOUND", "messageType": "text", "text": said,
        "participantName": "Ana Souza", "participantPhone": ANA, "providerTimestamp": iso(at), "createdAt": iso(at + 50), **changes,
    }  # fmt: skip


class History:
    """A platform's history. `before` is called before each page with its number; it may raise, or change `rows`."""

    def __init__(self, rows: Sequence[Mapping[str, Any]] = (), *, totals: bool = True, notice: str | None = None) -> None:
        self.rows = list(rows)
        self.asked: list[tuple[int, int | None, int]] = []
        self.error: PlatformError | None = None
        self._totals = totals
        self._notice = notice

    def before(self, page: int) -> None:
        if self.error is not None:
            raise self.error

    async def history(self, start: datetime, end: datetime | None, *, page: int, page_size: int) -> HistoryPage:
        self.before(page)
        since, to = start.timestamp() * 1000, None if end is None else end.timestamp() * 1000
        self.asked.append((round(since), None if to is None else round(to), page))
        found = [read(row) for row in self.rows]
        found = [row for row in found if since <= (at := (written(row) or 0)) and (to is None or at <= to)]
        found.sort(key=lambda row: written(row) or 0)
        found.reverse()
        shown = tuple(found[(page - 1) * page_size : page * page_size])
        return HistoryPage(messages=shown, total_pages=-(-len(found) // page_size) if self._totals else None, notice=self._notice)

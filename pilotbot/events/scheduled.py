"""The event of a schedule's run, the only one that the bot makes itself: as it is stored, and read back."""

import orjson

from pilotbot.events.fields import Data, identifier, number, text
from pilotbot.events.models import ScheduledRun

NAME = "schedule.run"


def scheduled_run(schedule: str, *, run: str, due: int, late: int = 0, missed: int = 0) -> bytes:
    """Return the body of a run's event, which `decode` reads. `run` is its identity; the rest as in `ScheduledRun`."""
    data = {"id": run, "schedule": schedule, "due": due, "late": late, "missed": missed}
    return orjson.dumps({"event": NAME, "data": data})


def read_run(name: str, data: Data) -> ScheduledRun | None:
    """Return the event, or None where a field is missing."""
    run, schedule, due = identifier(data, "id"), text(data, "schedule"), number(data, "due")
    if run is None or schedule is None or due is None:
        return None
    late, missed = number(data, "late") or 0, number(data, "missed") or 0
    return ScheduledRun(name=name, id=run, at=due, data=data, schedule=schedule, due=due, late=late, missed=missed)

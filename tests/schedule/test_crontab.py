"""Crontab expressions mean what crontab means; what is wrong is refused with what to write."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from pilotbot.schedule import crontab, interval, spelled, upcoming

START = round(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)  # a Sunday


def days(expression: str, count: int = 7) -> list[str]:
    """The days of the week that it comes on in the week from that Sunday."""
    times = islice(upcoming(crontab(expression, "UTC"), START), count)
    return [f"{datetime.fromtimestamp(at / 1000, UTC):%a}" for at in times if at < START + 7 * 86_400_000]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("0", "Sun"), ("7", "Sun"), ("1", "Mon"), ("6", "Sat"), ("1-5", "Mon Tue Wed Thu Fri"), ("mon-fri", "Mon Tue Wed Thu Fri"),
        ("MON,Wed", "Mon Wed"), ("5-7", "Sun Fri Sat"), ("0-7", "Sun Mon Tue Wed Thu Fri Sat"), ("*", "Sun Mon Tue Wed Thu Fri Sat"),
        ("sun-tue", "Sun Mon Tue"), ("fri-mon", "Sun Mon Fri Sat"), ("1-5/2", "Mon Wed Fri"), ("*/2", "Sun Tue Thu Sat"),
        ("0,6", "Sun Sat"), ("6-7", "Sun Sat"), ("sun-sun", "Sun"), ("mon", "Mon"),
    ],
)  # fmt: skip
def test_days_of_the_week_are_counted_as_crontab_counts(field: str, expected: str) -> None:
    assert days(f"0 9 * * {field}") == expected.split()


def test_a_day_counts_by_either_field_where_both_are_given() -> None:
    times = islice(upcoming(crontab("0 9 3 * mon", "UTC"), START), 4)
    assert [f"{datetime.fromtimestamp(at / 1000, UTC):%a %d}" for at in times] == ["Mon 02", "Tue 03", "Mon 09", "Mon 16"]
    times = islice(upcoming(crontab("0 9 */2 * mon", "UTC"), START), 2)  # as in crontab, a * at the begin restricts nothing
    assert [f"{datetime.fromtimestamp(at / 1000, UTC):%a %d}" for at in times] == ["Mon 09", "Mon 23"]


def test_months_have_names_too() -> None:
    times = islice(upcoming(crontab("0 0 1 jan,JUL *", "UTC"), START), 2)
    assert [f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}" for at in times] == ["2027-01-01", "2027-07-01"]


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("0 25 * * *", "the last value (25) is higher than the maximum value (23)"),
        ("0 9 * *", "has 4 fields: write five"),
        ("0 0 9 * * mon", "has 6 fields: write five"),
        ("", "has 0 fields"),
        ("0 9 * * 8", "the day of week '8' is none: write mon, tue"),
        ("0 9 * * segunda", "the day of week 'segunda' is none"),
        ("0 9 * * 1/2", "a step without a range: write mon-fri/2"),
        ("0 9 * * */0", "the step '0' is not a number from 1"),
        ("0 9 * * ,", "the day of week '' is none"),
        ("0 9 * * 1-", "the day of week '' is none"),
        ("0 9 * janeiro *", 'Invalid month name "janeiro"'),
        ("x 9 * * *", 'Unrecognized expression "x" for field "minute"'),
        ("*/60 * * * *", "the step value (60) is higher"),
    ],
)
def test_a_wrong_expression_is_refused(expression: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^cron\(") as caught:
        crontab(expression, "UTC")
    assert says in str(caught.value)


@pytest.mark.parametrize("zone", ["Sao Paulo", "America/Sao Paulo", "", "America", "../America", "/etc/passwd"])
def test_a_wrong_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="write one such as America/Sao_Paulo"):
        crontab("0 9 * * *", zone)


@pytest.mark.parametrize("given", [(test_a_wrong_zone_is_refused, "UTC"), ("0 9 * * *", None), (9, "UTC")])
def test_what_is_no_text_is_refused(given: tuple[Any, Any]) -> None:
    with pytest.raises(TypeError, match="write cron"):
        crontab(*given)


@pytest.mark.parametrize("span", [timedelta(0), timedelta(seconds=-60), timedelta(milliseconds=500), timedelta(seconds=1.5)])
def test_a_span_is_of_whole_seconds(span: timedelta) -> None:
    with pytest.raises(ValueError, match="whole seconds, one or more"):
        interval(span)


def test_a_number_is_no_span() -> None:
    with pytest.raises(TypeError, match=r"write every\(minutes\(5\)\)"):
        interval(5)  # type: ignore[arg-type]


def test_a_span_is_spelled_as_it_is_written() -> None:
    spans = (timedelta(days=7), timedelta(hours=36), timedelta(minutes=5), timedelta(seconds=90))
    assert [spelled(span) for span in spans] == ["days(7)", "hours(36)", "minutes(5)", "seconds(90)"]

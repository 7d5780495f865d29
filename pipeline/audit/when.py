"""Until when an audit looks: what was decided later is as if it had not been."""

from datetime import UTC, date, datetime, time, timedelta


def moment_of(told: str) -> datetime:
    """Return a day or a moment; of a day its end, without an offset in UTC. Raises ``ValueError`` if it is neither.

    >>> moment_of("2026-03-31").isoformat(), moment_of("2026-03-31T18:00+02:00").isoformat()
    ('2026-03-31T23:59:59.999999+00:00', '2026-03-31T18:00:00+02:00')
    """
    try:
        return datetime.combine(date.fromisoformat(told), time.max, UTC)  # days have other spellings: 20260331
    except ValueError:
        moment = datetime.fromisoformat(told)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        moment.astimezone(UTC)
    except OverflowError as error:  # before the year 1 or after 9999
        raise ValueError(told) from error
    return moment


def end_of_last_month(moment: datetime) -> datetime:
    """Return the last moment, in UTC, of the month before.

    >>> end_of_last_month(datetime(2026, 4, 1, 6, tzinfo=UTC)).isoformat()
    '2026-03-31T23:59:59.999999+00:00'
    """
    begin = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return begin - timedelta(microseconds=1)

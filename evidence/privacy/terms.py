"""When a term of the law ends: working days after the calendar of the installation; pure."""

from datetime import date, timedelta

from evidence.privacy.states import Term

_SATURDAY = 5
HOLIDAYS = {(1, day) for day in range(1, 9)} | {(2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)}
"""Non-working holidays by month and day (ТК РФ ст. 112); days the government moves are not here,
so that a term never comes out longer than the law gives by more than such a move."""


def is_working(day: date) -> bool:
    """Neither a weekend nor a holiday."""
    return day.weekday() < _SATURDAY and (day.month, day.day) not in HOLIDAYS


def end_of(term: Term, *, since: date) -> date:
    """The last day of a term that begins the day after `since`."""
    if not term.is_working:
        return since + timedelta(days=term.days)
    day, left = since, term.days
    while left:
        day += timedelta(days=1)
        left -= is_working(day)
    return day

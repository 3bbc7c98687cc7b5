from datetime import UTC, datetime, timedelta, timezone

import pytest

from functions.cli.letter_options import moment_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23", NOW.replace(hour=0)),
        ("2026-11-23T10:00", NOW.replace(hour=10)),
        ("2026-11-23 10:00:05Z", NOW.replace(hour=10, second=5)),
        ("2026-11-23T10:00+02:00", datetime(2026, 11, 23, 10, tzinfo=timezone(timedelta(hours=2)))),
        ("90s", NOW - timedelta(seconds=90)),
        ("30min", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
    ],
)
def test_a_time_is_a_date_a_time_or_an_age(text: str, moment: datetime) -> None:
    assert moment_of(text, "--since", NOW) == moment

"""Hours of a day, as operators write them: `08-20`, or `22-02` across midnight. The second hour is not part of them."""

from typing import Final

HOURS: Final = 24


def hours_of(text: str) -> list[int] | None:
    """Return the hours of a range; None if the text is none. `08-08` is the whole day."""
    begin, dash, end = text.partition("-")
    if not dash or not begin.isdecimal() or not end.isdecimal() or int(begin) >= HOURS or int(end) > HOURS:
        return None
    return [(int(begin) + number) % HOURS for number in range((int(end) - int(begin)) % HOURS or HOURS)]

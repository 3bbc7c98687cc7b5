"""The options that select dead letters, which all verbs of `tandem dead-letters` share."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, Final

import typer

from functions.core.dead_letter import Reason
from functions.core.record_place import RecordPlace, parse_place

UNITS: Final = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
AGE: Final = re.compile(r"(\d{1,9})(s|min|h|d)")
Places = Annotated[
    list[str] | None, typer.Argument(metavar="[TOPIC/PARTITION/OFFSET]...", help="Records; default all.")
]
OPTIONS: Final[dict[str, Any]] = {
    "reason": Annotated[Reason | None, typer.Option(help="Only letters of this reason.")],
    "day": Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Only letters of records of this day, in UTC."),
    ],
    "since": Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Only letters stored at or after this time, like 2026-11-23T10:00 (UTC) or 2h (ago)."
        ),
    ],
    "until": Annotated[str | None, typer.Option(metavar="TIME", help="Only letters stored before this time.")],
    "partition": Annotated[int | None, typer.Option(min=0, metavar="NUMBER", help="Only letters of this partition.")],
    "key": Annotated[str | None, typer.Option(help="Only letters of records with this key.")],
    "text": Annotated[
        str | None,
        typer.Option(help="Only letters with this text in key, value, headers or detail. Reads each letter."),
    ],
}


def selecting(verb: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a verb, which gets them, and its `places` if it has any, as `selection`."""
    of_verb = [each for each in signature(verb).parameters.values() if each.name != "selection"]
    has_places = any(each.name == "places" for each in of_verb)

    @wraps(verb)
    def run(**arguments: Any) -> None:  # noqa: ANN401 - the verb's own
        from functions.operate.dead_letters.selection import Selection  # noqa: PLC0415

        options = {name: arguments.pop(name) for name in OPTIONS}
        places = [place_of(text) for text in arguments.pop("places", None) or ()] if has_places else []
        if places and any(value is not None for value in options.values()):
            raise typer.BadParameter("--reason, --day and the like select letters: they exclude places")
        options["day"] = options["day"] and str(options["day"].date())
        for name in ("since", "until"):
            options[name] = options[name] and moment_of(options[name], f"--{name}", datetime.now(UTC))
        verb(**arguments, selection=Selection(**options, places=places))

    added = [Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=OPTIONS[name]) for name in OPTIONS]
    parameters = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in of_verb]
    names = [each.name for each in parameters]
    first = [each for each in parameters if each.name == "places"]
    run.__dict__["__signature__"] = signature(verb).replace(
        parameters=[*first, *added, *(each for each in parameters if each not in first)]
    )
    run.__annotations__ = {name: verb.__annotations__[name] for name in names} | OPTIONS | {"return": None}
    return run


def place_of(text: str) -> RecordPlace:
    """Return the place that an argument names."""
    try:
        return parse_place(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def moment_of(text: str, option: str, now: datetime) -> datetime:
    """Return the time that an option names: an ISO 8601 date or time, of UTC unless it says otherwise, or an age."""
    age = AGE.fullmatch(text)
    try:
        moment = now - timedelta(**{UNITS[age[2]]: int(age[1])}) if age else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"expected a time like 2026-11-23, 2026-11-23T10:00 or 2h, got {text!r}", param_hint=option
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

"""The import of some modules into a fresh process, and with `event` the first invocation of the handler after it."""

from importlib import import_module
from typing import Any, cast

from sandbox.bench.programs.meter import Meter, given


def main() -> None:
    """Import, and invoke the handler with one record if that is asked for."""
    asked = given()
    event = _event() if asked["event"] else None
    meter = Meter()
    meter.begin()
    for name in asked["modules"]:
        module = import_module(name)
    if event is not None:
        meter.begin()
        module.handler(event[0], cast("Any", event[1]))
    meter.end(1)


def _event() -> tuple[Any, Any]:
    """Return an event of one record, without importing what the handler imports."""
    from sandbox.bench.programs.batches import Context, one_record  # noqa: PLC0415

    return one_record(), Context()


if __name__ == "__main__":
    main()

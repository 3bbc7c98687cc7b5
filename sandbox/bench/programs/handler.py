"""The Lambda handler on parsed events, with every effect, into in-memory stores."""

from typing import Any, cast

from functions.runtimes.msk.handler import build
from sandbox.bench.load import Load
from sandbox.bench.memory import memory_app
from sandbox.bench.programs.batches import Context, events
from sandbox.bench.programs.meter import Meter, given


def main() -> None:
    """Handle all events but the first, which warms up, with the clock running."""
    asked = given()
    with memory_app("b-1.bench:9098", "bench", models=asked["models"]) as app:
        runtime, context = build(app), cast("Any", Context())
        first, *rest = events(Load(asked["records"] + asked["batch"]), asked["batch"])
        runtime.handle(first, context)
        meter = Meter()
        meter.begin()
        handled = sum(runtime.handle(event, context)["records"] for event in rest)
        meter.end(handled)


if __name__ == "__main__":
    main()

"""The result of an alarm's expression, evaluated as CloudWatch documents its metric math."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.infrastructure.conftest import Templates
from tests.infrastructure.monitoring.watched import alarms

Series = Mapping[str, list[float | None]]  # by what was said: a value for each period, or nothing


def evaluate(expression: str, series: Series, at: int) -> float:
    """As far as our alarms use it: FILL, DIFF, SUM and MAX of lists, IF and AND."""
    now = {name: values[at] for name, values in series.items()}
    before = {name: values[max(at - 1, 0)] for name, values in series.items()}
    code = re.sub(r"FILL\((\w+), 0\)", r"(\1 or 0)", expression)
    code = re.sub(r"DIFF\((\w+)\)", r"(\1 - before['\1'])", code)
    code = re.sub(r"IF\((.*), 1, 0\)", r"int(\1)", code).replace("AND", "and").replace("SUM", "sum")
    return float(eval(code.replace("MAX", "max"), {"before": before}, now))  # noqa: S307 - our own template's


def values(alarm: Mapping[str, Any], said: Series) -> list[float]:
    """The value of an alarm's expression for each period."""
    parts = {each["Id"]: each["Expression"] for each in alarm["Metrics"] if "Expression" in each}
    (decides,) = [each["Id"] for each in alarm["Metrics"] if each["ReturnData"]]
    series = dict(said)
    for name in [*(part for part in parts if part != decides), decides]:
        series[name] = [evaluate(parts[name], series, at) for at in range(len(next(iter(said.values()))))]
    return [float(value or 0) for value in series[decides]]


def alarmed(alarm: Mapping[str, Any], said: Series) -> bool:
    """Whether the last periods alarm."""
    last = values(alarm, said)[-alarm["EvaluationPeriods"] :]
    return len([value for value in last if value > alarm["Threshold"]]) >= int(alarm["DatapointsToAlarm"])


RISING, FALLING = [*range(5000, 12000, 1000)], [*range(12000, 5000, -1000)]  # lags of seven periods
Said = list[float | None] | None


@pytest.mark.parametrize(
    ("name", "lag", "msk", "worker", "expected"),
    [
        ("no-progress", [500] * 3, None, None, True),
        ("no-progress", [500] * 3, [0] * 3, None, True),
        ("no-progress", [500] * 3, [None, 1, None], None, False),
        ("no-progress", [500] * 3, None, [None, None, 1], False),
        ("no-progress", [12] * 3, None, None, False),
        ("lag-growing", RISING, [9000] * 7, None, True),
        ("lag-growing", RISING, None, [9000] * 7, True),
        ("lag-growing", FALLING, [9000] * 7, None, False),
        ("lag-growing", RISING, None, [90_000] * 7, False),
        ("lag-growing", RISING, None, None, False),
        ("record-age", None, [601] * 3, None, True),
        ("record-age", None, None, [601] * 3, True),
        ("record-age", None, [601, 601, 599], [0] * 3, False),
        ("flood", None, None, [1, *[None] * 11], True),
        ("flood", None, [None] * 12, None, False),
        ("stopped", None, None, [1, 1], True),
        ("stopped", None, [3, 2], None, True),
        ("stopped", None, [1, None], [0, 0], False),
        ("gaps", None, [1, *[None] * 11], None, True),
        ("ledger-conflicts", None, [6] * 3, [6] * 3, True),
        ("ledger-conflicts", None, [6] * 3, None, False),
    ],
)
def test_an_expression_decides_as_its_alarm_describes(  # noqa: PLR0913, PLR0917 - a table
    templates: Templates,
    name: str,
    lag: Said,
    msk: Said,
    worker: Said,
    expected: bool,  # noqa: FBT001
) -> None:
    silence: list[float | None] = [None] * len(lag or msk or worker or [])
    said = {"lag": lag or silence, "msk_said": msk or silence, "worker_said": worker or silence}
    assert alarmed(alarms(templates, "prod")[name], said) is expected

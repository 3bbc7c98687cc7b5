"""What a pipeline settled in each hour: the twin, and CloudWatch on the emulator."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.adapters.aws import Aws
from functions.adapters.traffic_history import CloudWatchTraffic, MemoryTraffic
from functions.core.metrics import NAMESPACE, RECORDS, dimensions
from functions.core.operator_ports import TrafficHistory
from tests.contracts.conftest import STAGE

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@pytest.fixture(params=["memory", "aws"])
def history(request: pytest.FixtureRequest, clients: Callable[[], Aws], name: str) -> TrafficHistory:
    """100 records three hours ago and 50 two hours ago, half of them on each runtime."""
    counts = {NOW - 3 * HOUR: 100.0, NOW - 2 * HOUR: 50.0}
    if request.param == "memory":
        return MemoryTraffic(counts)
    cloudwatch: Any = clients().cloudwatch
    for time, count in counts.items():
        for runtime in ("msk", "worker"):
            given = [{"Name": key, "Value": value} for key, value in dimensions(STAGE, name, runtime).items()]
            cloudwatch.put_metric_data(
                Namespace=NAMESPACE,
                MetricData=[{
                    "MetricName": RECORDS.name, "Dimensions": given, "Timestamp": time + HOUR / 4, "Value": count / 2,
                }],
            )  # fmt: skip
    return CloudWatchTraffic(lambda: cloudwatch, STAGE, name)


def test_hours_add_up_both_runtimes(history: TrafficHistory) -> None:
    assert history.hourly(NOW - 4 * HOUR, NOW) == {NOW - 3 * HOUR: 100, NOW - 2 * HOUR: 50}


def test_only_the_asked_hours_are_returned(history: TrafficHistory) -> None:
    assert history.hourly(NOW - 2 * HOUR, NOW) == {NOW - 2 * HOUR: 50}
    assert history.hourly(NOW - 24 * HOUR, NOW - 12 * HOUR) == {}

"""What a pipeline settled in each hour, from the metrics that both runtimes put to CloudWatch, and its twin."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from functions.adapters.aws_errors import calling
from functions.core.metrics import BOTH, NAMESPACE, RECORDS, dimensions

HOUR_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class CloudWatchTraffic:
    """See operator_ports.TrafficHistory. `client` returns CloudWatch's."""

    client: Callable[[], Any]
    stage: str
    pipeline: str

    def hourly(self, begin: datetime, end: datetime) -> dict[datetime, float]:
        """See operator_ports.TrafficHistory."""
        sums: Counter[datetime] = Counter()
        with calling("CloudWatch"):
            pages = (
                self.client()
                .get_paginator("get_metric_data")
                .paginate(MetricDataQueries=[self._query(runtime) for runtime in BOTH], StartTime=begin, EndTime=end)
            )
            for page in pages:
                for result in page["MetricDataResults"]:
                    for time, value in zip(result["Timestamps"], result["Values"], strict=True):
                        sums[time.replace(minute=0, second=0, microsecond=0)] += value
        return dict(sums)

    def _query(self, runtime: str) -> dict[str, Any]:
        given = dimensions(self.stage, self.pipeline, runtime)
        metric = {
            "Namespace": NAMESPACE, "MetricName": RECORDS.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in given.items()],
        }  # fmt: skip
        return {"Id": runtime, "MetricStat": {"Metric": metric, "Period": HOUR_SECONDS, "Stat": "Sum"}}


@dataclass
class MemoryTraffic:
    """See operator_ports.TrafficHistory. `records` by the hour they were settled in."""

    records: dict[datetime, float] = field(default_factory=dict)

    def hourly(self, begin: datetime, end: datetime) -> dict[datetime, float]:
        """See operator_ports.TrafficHistory."""
        hour = timedelta(seconds=HOUR_SECONDS)
        return {time: count for time, count in self.records.items() if begin - hour < time < end}

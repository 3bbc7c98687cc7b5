"""`report.json` of the benchmark: every measurement with its spread, and the ratios within a round."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from sandbox.bench.plan import Task
from sandbox.bench.result import Result

Spread = dict[str, float]


@dataclass(frozen=True, slots=True)
class Ratio:
    """One measurement divided by another of the same round. `target` is what is to be reached."""

    numerator: str
    denominator: str
    of: Callable[[Result], float]
    text: str
    target: float
    at_least: bool = False  # otherwise at most


def cpu(result: Result) -> float:
    """Return CPU microseconds for one record."""
    return result.microseconds


def rate(result: Result) -> float:
    """Return records per second."""
    return result.rate


def speed(result: Result) -> float:
    """Return records per CPU second."""
    return result.records / result.cpu


RATIOS: Final = {
    "worker_pydantic_to_hand": Ratio(
        "worker_pydantic", "hand", cpu, "CPU of the worker, pydantic / by hand: consume and validate", 2.7
    ),
    "worker_msgspec_to_hand": Ratio(
        "worker_msgspec", "hand", cpu, "CPU of the worker, msgspec / by hand: consume and validate", 1.6
    ),
    "table_row_to_put_item": Ratio(
        "table_rows", "put_item", cpu, "CPU of a row in the table sink / one put_item a row", 0.1
    ),
    "worker_http_to_before": Ratio(
        "http_unique", "http_before", rate, "records/s over HTTP, unique keys / at an earlier commit", 10, at_least=True
    ),
    "worker_http_to_before_cpu": Ratio(
        "http_unique",
        "http_before",
        speed,
        "records per CPU second over HTTP / at an earlier commit",
        10,
        at_least=True,
    ),
    "handler_to_powertools": Ratio(
        "handler", "powertools", cpu, "CPU of the handler, all effects / Powertools, which only validates", 0.35
    ),
    "cold_import_to_usual": Ratio(
        "cold_import", "usual_import", cpu, "CPU of the handler's import / boto3, Powertools and pydantic", 0.6
    ),
    "rejects_half_to_none": Ratio(
        "rejects_50", "rejects_0", speed, "records per CPU second, 50 % rejects / none, in memory", 0.5, at_least=True
    ),
    "rejects_half_to_none_http": Ratio(
        "http_rejects_50", "http_repeated", speed, "the same over HTTP, repeated keys", 0.5, at_least=True
    ),
}


@dataclass(slots=True)
class Rounds:
    """The results of each task by round, and why a task has none."""

    tasks: Sequence[Task]
    results: list[dict[str, Result]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def measurements(self) -> dict[str, Any]:
        """Return every measurement: its spreads, or the reason why there is none."""
        return {task.name: self._measurement(task) for task in self.tasks}

    def ratios(self) -> dict[str, Any]:
        """Return every ratio: its spread over the rounds that have both results, or the reason why there is none."""
        return {name: self._ratio(ratio) for name, ratio in RATIOS.items()}

    def _measurement(self, task: Task) -> dict[str, Any]:
        about: dict[str, Any] = {"group": task.group, "label": task.label}
        if task.x is not None:
            about["x"] = task.x
        results = [results[task.name] for results in self.results if task.name in results]
        if not results:
            return about | {"skipped": self.missing.get(task.name, "not selected")}
        peaks = [result.peak_mib for result in results if result.peak_mib is not None]
        if results[0].requests is not None:
            each = results[0].records / 1000
            about["requests_per_1000"] = {name: round(n / each, 2) for name, n in results[0].requests.items()}
        return about | {
            "records": results[0].records,
            "cpu_microseconds": spread(list(map(cpu, results))),
            "records_per_second": spread(list(map(rate, results))),
            "peak_mib": spread(peaks) if peaks else None,
        }

    def _ratio(self, ratio: Ratio) -> dict[str, Any]:
        both = (ratio.numerator, ratio.denominator)
        values = [
            ratio.of(results[ratio.numerator]) / ratio.of(results[ratio.denominator])
            for results in self.results
            if all(name in results for name in both)
        ]
        about = {"text": ratio.text, "target": ratio.target, "at_least": ratio.at_least}
        if values:
            return {**spread(values), **about}
        reasons = [f"{name}: {self.missing.get(name, 'not selected')}" for name in both if not self._has(name)]
        return {"skipped": "; ".join(reasons), **about}

    def _has(self, name: str) -> bool:
        return any(name in results for results in self.results)


def spread(values: Sequence[float]) -> Spread:
    """Return the least, the median and the greatest of the values."""
    digits = {"min": min(values), "median": median(values), "max": max(values)}
    return {name: float(f"{value:.4g}") for name, value in digits.items()}


def met(ratio: Mapping[str, Any]) -> bool | None:
    """Return whether the median of a ratio meets its target; None if it was not measured."""
    if "skipped" in ratio:
        return None
    reached: bool = ratio["median"] >= ratio["target"] if ratio["at_least"] else ratio["median"] <= ratio["target"]
    return reached

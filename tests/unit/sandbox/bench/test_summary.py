from typing import Any

import pytest

from functions.core.errors import Misconfigured
from sandbox.bench.command import selected
from sandbox.bench.page import page, series
from sandbox.bench.plan import Task
from sandbox.bench.result import Failed, Result, parse, together
from sandbox.bench.summary import RATIOS, Rounds, met, spread

SLOW, FAST = Result(100, 2.0, 4e-3, 90.0), Result(100, 1.0, 1e-3, 80.0)


def tasks(*names: str) -> list[Task]:
    return [Task("worker", name, f"the {name}", lambda: FAST) for name in names]


def report(rounds: Rounds) -> dict[str, Any]:
    return {
        "began": "2026-11-26T10:00:00+00:00", "command": "tandem bench", "records": 100, "rounds": 1, "seconds": 3.0,
        "machine": {"cores": 2, "python": "3.11.7", "system": "Linux x86_64", "load_before": 0.1},
        "broker": {"version": "4.4.0"}, "ratios": rounds.ratios(), "measurements": rounds.measurements(),
        "profile_microseconds": {"pydantic": {"core/decode.py": 1.25, "core/rare.py": 0.01}},
    }  # fmt: skip


def test_a_ratio_divides_within_its_round() -> None:
    rounds = Rounds(tasks("worker_pydantic", "hand"))
    rounds.results = [{"worker_pydantic": SLOW, "hand": FAST}, {"worker_pydantic": SLOW, "hand": SLOW}]
    ratio = rounds.ratios()["worker_pydantic_to_hand"]
    assert (ratio["min"], ratio["median"], ratio["max"]) == (1.0, 2.5, 4.0)
    assert met(ratio) is True


def test_a_ratio_of_rates_grows_with_the_numerator() -> None:
    rounds = Rounds(tasks("http_unique", "http_before"))
    rounds.results = [{"http_unique": FAST, "http_before": SLOW}]
    ratio = rounds.ratios()["worker_http_to_before"]
    assert ratio["median"] == 2.0
    assert met(ratio) is False  # 10 is to be reached


def test_what_has_no_result_has_a_reason() -> None:
    rounds = Rounds(tasks("worker_msgspec", "hand"), [{"hand": FAST}], {"worker_msgspec": "no msgspec"})
    assert rounds.measurements()["worker_msgspec"]["skipped"] == "no msgspec"
    assert rounds.ratios()["worker_msgspec_to_hand"]["skipped"] == "worker_msgspec: no msgspec"
    assert met(rounds.ratios()["worker_msgspec_to_hand"]) is None


def test_the_promised_ratios_are_there() -> None:
    assert RATIOS.keys() >= {
        "worker_pydantic_to_hand", "worker_msgspec_to_hand", "table_row_to_put_item", "worker_http_to_before",
        "handler_to_powertools", "cold_import_to_usual", "rejects_half_to_none",
    }  # fmt: skip


def test_the_page_shows_figures_and_what_is_missing() -> None:
    rounds = Rounds(tasks("worker_pydantic", "worker_msgspec"), [{"worker_pydantic": SLOW}], {"worker_msgspec": "<no>"})
    html = page(report(rounds))
    assert "the worker_pydantic" in html
    assert "40 to 40" in html  # microseconds
    assert "the worker_msgspec: &lt;no&gt;" in html
    assert "core/decode.py" in html
    assert "core/rare.py" not in html


def test_records_of_a_size_are_shown_as_megabytes() -> None:
    rounds = Rounds([Task("sizes", "size_1000", "1 KB", lambda: FAST, 1000)], [{"size_1000": FAST}])
    (bar,) = series(report(rounds), "sizes")
    assert bar == ("1 KB", 0.1, 0.1, 0.1)


def test_processes_that_ran_together_take_as_long_as_the_slowest() -> None:
    assert together([SLOW, FAST]) == Result(200, 2.0, 5e-3, 90.0)


def test_a_program_without_a_result_has_failed() -> None:
    with pytest.raises(Failed, match=r"bare ended with 1: KeyError: 'x'"):
        parse("bare", '{"records": 1}', 1, "Traceback\nKeyError: 'x'\n")  # a log line that it wrote before
    with pytest.raises(Failed, match="bare ended with 0: some text"):
        parse("bare", "some text\n", 0, "")


def test_a_spread_has_four_digits() -> None:
    assert spread([1.23456, 3.0, 2.0]) == {"min": 1.235, "median": 2.0, "max": 3.0}


def test_measurements_are_selected_by_name_or_group() -> None:
    every = [*tasks("one", "two"), Task("http", "three", "the three", lambda: FAST)]
    assert [task.name for task in selected(every, ("two", "http"))] == ["two", "three"]
    assert [task.name for task in selected(every, ("profile",))] == []
    assert list(selected(every, ())) == every
    with pytest.raises(Misconfigured, match="--only speed: expected some of http, one, profile"):
        selected(every, ("speed",))

"""docs/performance.md's picture is current, and the sizing model agrees with what was measured."""

import json
from dataclasses import replace

import pytest

from functions.operate.plan.measured import RecordCosts, measured_costs
from sandbox.bench import sizing
from sandbox.bench.sizing import Load, costs, shares, size
from tests.docs import benchmark
from tests.docs.pages import ROOT
from tests.docs.pictures import PICTURES
from tests.docs.prices import PRICES

MEASURED = costs(benchmark.REPORT)


def cpu(name: str) -> float:
    return float(benchmark.REPORT["measurements"][name]["cpu_microseconds"]["median"])


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_up_to_date(name: str) -> None:
    assert (ROOT / "docs/images" / name).read_text(encoding="utf-8") == PICTURES[name](), "run `make docs`"


def test_the_costs_that_ship_are_those_of_the_report() -> None:
    assert measured_costs() == MEASURED, "run `make docs`"


def test_the_model_predicts_a_measurement_that_it_was_not_made_from() -> None:
    keys, slices = shares(benchmark.REPORT, "http_unique")
    assert MEASURED.worker(*Load(1, keys=keys, slice_records=round(1 / slices)).shape) == pytest.approx(
        cpu("http_unique"), rel=0.2
    )


def test_the_model_returns_what_it_was_made_from() -> None:
    keys, slices = shares(benchmark.REPORT, "http_repeated")
    load = Load(1, keys=keys, slice_records=round(1 / slices))
    assert MEASURED.worker(*load.shape) == pytest.approx(cpu("http_repeated"), rel=0.01)
    half = replace(load, rejects=0.5)
    assert MEASURED.worker(*half.shape) == pytest.approx(cpu("http_rejects_50"), rel=0.1)


def test_in_memory_a_long_slice_without_rows_costs_a_record() -> None:
    assert MEASURED.worker(*Load(1, keys=0, slice_records=10**9).shape) == pytest.approx(
        cpu("worker_pydantic"), rel=0.01
    )


def test_prices_are_those_of_the_costs_page() -> None:
    assert {
        "EKS Auto Mode node (m7g.large and 12 %), hour": sizing.NODE_HOUR,
        "Lambda arm64, GB-second": sizing.GB_SECOND,
        "Lambda, million invocations": sizing.MILLION_INVOCATIONS,
        "DynamoDB on demand, million writes of 1 KB": sizing.MILLION_UNITS,
        "S3 put, million": sizing.MILLION_PUTS,
        "Lambda event poller unit, hour": sizing.POLLER_UNIT_HOUR,
    }.items() <= PRICES.items()


def test_what_a_load_needs() -> None:
    made = RecordCosts(record=10, handled=20, row=100, reject=500, slice_=10_000)
    needs = size(Load(100_000, record_bytes=1000, slice_records=10_000, keys=0.1, rejects=0.1), made)
    assert needs.worker_vcpu == pytest.approx(0.1 * (0.9 * (10 + 10) + 50 + 1))
    assert (needs.pods, needs.concurrency) == (10, 12)  # 6.9 and 7.8 vCPU, at 70 %
    assert needs.row_units == pytest.approx(9_000)
    assert needs.write_units == pytest.approx(9_000 + 10 * (1 + 2 * 6))
    assert needs.lake_puts == pytest.approx(10 + 10_000)
    assert (needs.pollers, needs.poller_units) == (20, 5)  # 100 MB/s: 5 for a poller, 20 for a unit
    assert needs.partitions == 12
    month = 730 * 3600
    assert needs.stores_dollars == pytest.approx(month * (9_130 * 0.625 + 10_010 * 5) / 1e6)
    assert needs.worker_dollars - needs.stores_dollars == pytest.approx(10 / 2 * 0.0914 * 730)


def test_costs_grow_with_the_rate_and_small_loads_need_one_pod() -> None:
    tenfold = size(Load(10_000_000), MEASURED).stores_dollars / size(Load(1_000_000), MEASURED).stores_dollars
    assert tenfold == pytest.approx(10)
    assert size(Load(1), MEASURED).pods == 1
    assert size(Load(10_000_000, keys=1.0), MEASURED).over_table_quota


def test_the_recorded_report_has_every_promised_ratio() -> None:
    promised = {
        "worker_pydantic_to_hand", "worker_msgspec_to_hand", "table_row_to_put_item", "worker_http_to_before",
        "handler_to_powertools", "cold_import_to_usual", "rejects_half_to_none",
    }  # fmt: skip
    assert json.loads(json.dumps(benchmark.REPORT))["ratios"].keys() >= promised

"""`tandem plan`: the arithmetic by hand, what holds for every load, and input that makes no sense."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from functions.cli.main import app
from functions.core.errors import Misconfigured
from functions.core.handover_ports import Runtime
from functions.operate.plan.measure import measured_profile
from functions.operate.plan.measured import RecordCosts, measured_costs
from functions.operate.plan.model import CostModel, PipelineShape
from functions.operate.plan.picture import picture
from functions.operate.plan.plan import MIX, as_dict, crossover, plan
from functions.operate.plan.prices import NEEDED, read_prices, region_prices
from functions.operate.plan.profile import TrafficProfile, flat, read_profile
from functions.operate.plan.text import plan_text, worker_hours
from tests.unit.operate.world import NOW, World

PRICES = region_prices("us-east-1")
SHAPE = PipelineShape(partitions=12, tables=1, counters=1, has_lake=True)
MODEL = CostModel(SHAPE, measured_costs(), PRICES)
ROUND = CostModel(
    PipelineShape(
        partitions=10, tables=1, counters=1, has_lake=True, keys=0.5, slice_records=1000, slice_seconds=5,
        window_seconds=1, batch_records=5000, memory_mib=1024, min_pods=2, max_pods=8,
    ),
    RecordCosts(record=100, handled=200, row=100, reject=1000, slice_=50_000),
    PRICES,
)  # fmt: skip


def test_an_hour_on_the_workers_by_hand() -> None:
    hour = ROUND.worker(20_000)  # 20 slices a second of 1,000 records: 100 + 50 + 50 us a record, 4 vCPU
    rows, ledger = 10_000, 20 * (1 + 2 * (1 + 5))
    assert hour.parts == pytest.approx({
        "nodes": 6 / 2 * 0.0914,  # 4 vCPU at 70 % are 6 pods
        "DynamoDB writes": (rows + ledger) * 3600 / 1e6 * 0.625,
        "S3 puts": 20 * 3600 / 1e6 * 5,
    })  # fmt: skip
    assert hour.latency == 6
    assert hour.capacity == pytest.approx(8 * 0.7 / 200e-6)


def test_an_hour_on_lambda_by_hand() -> None:
    hour = ROUND.function(20_000)  # 4 invocations a second of 5,000 records: 300 us, and 1,769 / 1,024 of that at 1 GiB
    seconds = 5000 * 300e-6 * 1769 / 1024
    assert hour.parts["duration"] == pytest.approx(4 * 3600 * seconds * 0.0000133334)
    assert hour.parts["invocations"] == pytest.approx(4 * 3600 / 1e6 * 0.20)
    assert hour.parts["poller units"] == 0
    assert hour.latency == 2
    assert hour.capacity == pytest.approx(10 * 0.7 / (300e-6 * 1769 / 1024))


def test_slices_are_not_more_than_records_nor_fewer_than_partitions_fill() -> None:
    puts = 3600 / 1e6 * 5
    assert ROUND.worker(0.5).parts["S3 puts"] == pytest.approx(0.5 * puts)
    assert ROUND.worker(100).parts["S3 puts"] == pytest.approx(10 / 5 * puts)
    assert ROUND.worker(0).parts["S3 puts"] == 0


RATES = st.floats(0, 1e6)
SHAPES = st.builds(
    PipelineShape, partitions=st.integers(1, 500), tables=st.integers(0, 3), counters=st.integers(0, 3),
    has_lake=st.booleans(), record_bytes=st.integers(1, 10**6), keys=st.floats(0, 1), rejects=st.floats(0, 1),
    window_seconds=st.floats(0, 300), memory_mib=st.integers(256, 10_240), has_poller_units=st.booleans(),
    min_pods=st.integers(1, 50), max_pods=st.integers(1, 500),
)  # fmt: skip


@given(SHAPES, RATES, st.floats(1, 10))
def test_more_traffic_never_costs_less(shape: PipelineShape, rate: float, factor: float) -> None:
    model = replace(MODEL, shape=shape)
    assert model.worker(rate * factor).dollars >= model.worker(rate).dollars * (1 - 1e-9)
    stores = ("DynamoDB writes", "S3 puts")
    less, more = model.function(rate).parts, model.function(rate * factor).parts
    assert all(more[name] >= less[name] * (1 - 1e-9) for name in stores)


@given(SHAPES, st.lists(RATES, min_size=24, max_size=24), st.sampled_from([inf, 10.0, 4.0]))
def test_a_mix_is_never_dearer_than_either_runtime_that_is_fast_enough(
    shape: PipelineShape, rates: list[float], latency: float
) -> None:
    found = plan(replace(MODEL, shape=shape), TrafficProfile(tuple(rates), "drawn"), latency)
    options = {option.name: option for option in found.options}
    if found.best is not None:
        assert found.best.latency <= latency
        assert found.best.headroom >= 1
    if MIX in options:
        fit = [each for each in found.options if each.latency <= latency and each.headroom >= 1 and each.name != MIX]
        assert all(options[MIX].dollars <= each.dollars * (1 + 1e-9) for each in fit)


def test_below_the_crossover_lambda_is_cheaper_and_above_it_the_workers_are() -> None:
    rate = crossover(MODEL)
    assert rate is not None
    assert MODEL.function(rate * 0.9).dollars <= MODEL.worker(rate * 0.9).dollars
    assert MODEL.worker(rate * 1.1).dollars <= MODEL.function(rate * 1.1).dollars


def test_a_quiet_night_goes_to_lambda_and_the_hours_are_named() -> None:
    found = plan(MODEL, flat(0.2, 5_000, "18-22"))
    mix = {option.name: option for option in found.options}[MIX]
    assert found.best == mix
    assert worker_hours(mix) == "18-22"
    assert "best: mix: workers 18-22 UTC, Lambda otherwise" in plan_text(found, 80)
    assert mix.hours.count(Runtime.WORKER) == 4


def test_a_cluster_of_its_own_is_paid_by_whoever_needs_it() -> None:
    with_, without = (plan(MODEL, flat(100, None, None), has_cluster=each) for each in (True, False))
    assert without.options[0].dollars == with_.options[0].dollars
    assert without.options[1].dollars == pytest.approx(with_.options[1].dollars + 73)


def test_none_that_is_fast_enough_is_said() -> None:
    found = plan(MODEL, flat(100, None, None), wanted_latency=0.5)
    assert found.best is None
    assert "none is within 0.5 s and carries 100 records/s" in plan_text(found, 80)
    assert as_dict(found)["best"] is None


@pytest.mark.parametrize("columns", [40, 80, 300])
def test_the_chart_fits_the_terminal(columns: int) -> None:
    text = plan_text(plan(MODEL, flat(100, None, None)), columns)
    chart = text[text.index("$ a month: l") :].splitlines()
    assert max(map(len, chart[1:-1])) <= columns
    assert any("w" in line for line in chart[1:-3])


def test_the_picture_is_an_svg_with_both_lines() -> None:
    root = ET.fromstring(picture(plan(MODEL, flat(100, None, None))))  # noqa: S314 - our own
    assert [each.get("class") for each in root.iter("{http://www.w3.org/2000/svg}polyline")] == ["l", "w"]


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        (json.dumps([*range(24)]), tuple(map(float, range(24)))),
        ("hour,rate\n" + "".join(f"{hour},{hour / 2}\n" for hour in range(24)), tuple(hour / 2 for hour in range(24))),
    ],
    ids=["JSON", "CSV"],
)
def test_a_profile_is_read(tmp_path: Path, text: str, rates: tuple[float, ...]) -> None:
    (tmp_path / "profile").write_text(text)
    assert read_profile(tmp_path / "profile").rates == rates


@pytest.mark.parametrize(
    "text",
    ["", "[]", "[1]", json.dumps([*range(23)]), json.dumps([*range(23), -1]), json.dumps([*range(23), "1"]),
     "[" + "1," * 23 + "NaN]", "[" + "1," * 23 + "true]", "0,1\n", "{", "[" * 10_000, "1,x\n" * 24],
)  # fmt: skip
def test_a_profile_that_makes_no_sense_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "profile").write_text(text)
    with pytest.raises(Misconfigured, match=r"--profile .*expected") as refused:
        read_profile(tmp_path / "profile")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--rate", "nan"], "--rate: got nan, expected records/s"),
        (["--rate", "-1"], "--rate: got -1.0, expected records/s"),
        (["--rate", "1", "--peak", "5"], "--peak, --peak-hours: expected both"),
        (["--rate", "1", "--peak", "5", "--peak-hours", "9"], "got '9', expected two hours of a day"),
        (["--rate", "1", "--peak", "5", "--peak-hours", "9-25"], "got '9-25', expected two hours of a day"),
        (["--rate", "1", "--profile", "-"], "--profile, --rate: expected one of them, got both"),
        (["--rate", "1", "--region", "mars-1"], "no prices of 'mars-1', expected us-east-1: copy"),
        (["--rate", "1", "--region", "../x"], "no prices of '../x'"),
        (["--profile", "/nowhere"], "--profile /nowhere: No such file"),
        (["--rate", "1", "--svg", "/nowhere/x.svg"], "--svg /nowhere/x.svg: No such file"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: list[str], why: str) -> None:
    done = CliRunner().invoke(app, ["plan", "logins", *options])
    assert isinstance(done.exception, Misconfigured)
    assert why in str(done.exception)


def test_hours_may_cross_midnight() -> None:
    assert [hour for hour, rate in enumerate(flat(0, 1, "22-2").rates) if rate] == [0, 1, 22, 23]


def test_prices_of_ones_own_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    values = {"region": "eu-west-1", "date": "2026-10", "source": "mine", "prices": dict.fromkeys(NEEDED, 1.0)}
    file.write_text(json.dumps(values))
    assert read_prices(file).date == "2026-10"
    for wrong in (None, "1", -1, True):
        file.write_text(json.dumps(values | {"prices": {**dict.fromkeys(NEEDED, 1.0), NEEDED[2]: wrong}}))
        with pytest.raises(Misconfigured, match="expected a price of"):
            read_prices(file)


def test_measured_traffic_is_the_mean_of_the_days_that_have_any(world: World) -> None:
    day = NOW.replace(hour=0)
    world.traffic.records = {day - timedelta(days=1, hours=-3): 7200, day - timedelta(days=2, hours=-3): 3600}
    profile = measured_profile(world.traffic, NOW)
    assert profile.rates[3] == pytest.approx(10_800 / 3 / 3600)  # 21, 22 and 23 November
    assert sum(profile.rates) == profile.rates[3]
    assert profile.source == "measured since 2026-11-21 03:00Z"


def test_a_stage_without_traffic_needs_a_profile(world: World) -> None:
    with pytest.raises(Misconfigured, match="no records in the last 14 days: give a profile by --rate"):
        measured_profile(world.traffic, NOW)


def test_the_verb_prints_json() -> None:
    done = CliRunner().invoke(app, ["plan", "logins", "--rate", "100", "--latency", "3", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["best"] == "msk"
    assert CliRunner().invoke(app, ["plan", "logins", "--rate", "100", "--latency", "1"]).exit_code == 3

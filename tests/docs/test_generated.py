"""Generated parts of pages match the code."""

import json
from dataclasses import replace
from inspect import isabstract
from typing import get_args

import pytest

from cdk.choices import ServerlessKafka, StandardKafka
from cdk.config import PipelineConfig, StageConfig
from functions.core.codecs import Codec, FramedCodec
from functions.core.compression import Compressed
from functions.core.sinks import Sink
from functions.pipelines.logins import PIPELINE
from tests.docs import costs, options, reference
from tests.docs.generated import PART, PARTS, expected_pages
from tests.docs.pages import ROOT, page

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def stage(**values: object) -> StageConfig:
    return StageConfig.model_validate({"name": "dev", "region": "us-east-1", "zones": ZONES, **values})


def test_generated_parts_are_up_to_date() -> None:
    pages = list(expected_pages())
    assert {name for page, _ in pages for _, name, _ in PART.findall(page.text)} == set(PARTS)
    assert [page.name for page, text in pages if text != page.text] == [], "run `make docs`"


def test_every_setting_has_a_description() -> None:
    assert reference.undescribed() == []


def test_every_option_of_a_declaration_has_a_description() -> None:
    assert options.undescribed() == []


def test_an_option_is_a_row() -> None:
    text = options.reference()
    assert "| `slice_bytes` | `int` | `16_777_216` | The most bytes of a slice" in text
    assert "| `key` | `str \\| tuple[str, str]` | required | The field that identifies a row" in text
    assert "| `tombstones` | `Tombstones` | `Tombstones.DROP` | " in text
    assert "| `limits` | `Limits` | `Limits()` | " in text
    assert "| `egress` | `tuple[int, ...]` | `()` | The TCP ports" in text


def test_every_class_that_a_declaration_takes_is_in_the_reference() -> None:
    text = options.reference()
    classes = {*get_args(Sink), *Codec.__subclasses__(), *Compressed.__subclasses__(), *FramedCodec.__subclasses__()}
    public = {each.__name__ for each in classes if each.__module__.startswith("functions.") and not isabstract(each)}
    assert public >= {"Lake", "CustomSink", "Json", "Gzip", "Avro"}
    assert {name for name in public if f"### `{name}`" not in text} == set()


def test_a_setting_is_a_row() -> None:
    assert "| `TANDEM_SETTLE_THREADS` | a whole number from 1 to 64 | `4` |" in reference.settings()
    assert "| `TANDEM_KAFKA_AUTH` | `iam`, `scram`, `plaintext` | `iam` |" in reference.settings()


def test_every_setting_of_cdk_json_is_in_the_reference() -> None:
    text = page("docs/configuration.md").text
    stages = json.loads((ROOT / "cdk.json").read_text())["context"]["stages"].values()
    assert {name for each in stages for name in each if f"| `{name}` |" not in text} == set()


# Three versions of a function of 1769 MiB, at Lambda's price for each GB and second.
SNAPSHOTS = 3 * 1769 / 1024 * 730 * 3600 * 0.0000015046


def test_idle_costs_are_quantities_times_prices() -> None:
    resources: costs.Resources = {
        "AWS::KMS::Key": [{}, {}],
        "AWS::EC2::NatGateway": [{}],
        "AWS::EC2::VPCEndpoint": [
            {"VpcEndpointType": "Interface", "SubnetIds": [1, 2, 3]},
            {"VpcEndpointType": "Gateway", "RouteTableIds": [1]},
        ],
    }
    kafka = StandardKafka(kind="standard", storage_gib=100)
    lines = costs.idle(stage(kafka=kafka, eks={"kind": "none"}), resources, [PIPELINE])
    brokers, storage, nat, keys, endpoints = 3 * 730 * 0.204, 3 * 100 * 0.10, 730 * 0.045, 2.0, 3 * 730 * 0.01
    assert sum(line.dollars for line in lines) == pytest.approx(brokers + storage + nat + keys + endpoints + SNAPSHOTS)


def test_serverless_is_billed_by_cluster_and_partition() -> None:
    lines = costs.idle(stage(kafka=ServerlessKafka(), eks={"kind": "none"}), {}, [PIPELINE])
    assert sum(line.dollars for line in lines) == pytest.approx(730 * 0.75 + 2 * 12 * 730 * 0.0015 + SNAPSHOTS)


@pytest.mark.parametrize(("runtime", "units"), [("msk", 2), ("worker", 0)])
def test_only_an_enabled_mapping_pays_for_pollers(runtime: str, units: int) -> None:
    run = PipelineConfig.model_validate({"runtime": runtime, "pollers": {"min": 11, "max": 20}})
    lines = costs.idle(stage(pipelines={"logins": run}, eks={"kind": "none"}), {}, [])
    assert sum(line.quantity for line in lines if "poller" in line.price) == units * 730


def test_a_table_costs_a_write_for_each_record() -> None:
    with_table = sum(line.dollars for line in costs.per_million(PIPELINE, 1769))
    without = replace(PIPELINE, sinks=tuple(sink for sink in PIPELINE.sinks if sink not in PIPELINE.tables))
    assert with_table - sum(line.dollars for line in costs.per_million(without, 1769)) == pytest.approx(0.625)


def test_a_ceiling_is_shown_as_one() -> None:
    table = costs.table([costs.Line("KMS key, month", 2), costs.Line("NAT gateway, hour", 100, at_most=True)])
    assert "| NAT gateway, hour | 100 | 0.045 | up to 4.50 |" in table
    assert table.endswith("| **total** | | | **2.00 to 6.50** |")

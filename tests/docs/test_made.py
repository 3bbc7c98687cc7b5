"""What pages say of settings and costs is what the code says."""

import json
from dataclasses import replace

import pytest

from cdk.choices import ServerlessKafka, StandardKafka
from cdk.config import Run, StageConfig
from functions.pipelines.logins import PIPELINE
from tests.docs import costs, reference
from tests.docs.generated import PART, PARTS, due
from tests.docs.pages import ROOT, page

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def stage(**values: object) -> StageConfig:
    return StageConfig.model_validate({"name": "dev", "region": "us-east-1", "zones": ZONES, **values})


def test_pages_hold_what_the_code_says() -> None:
    found = list(due())
    assert {name for each, _ in found for _, name, _ in PART.findall(each.text)} == set(PARTS)
    assert [each.name for each, text in found if text != each.text] == [], "make docs writes them anew"


def test_every_setting_says_what_it_is() -> None:
    assert reference.silent() == []


def test_a_setting_is_a_row() -> None:
    assert "| `TANDEM_SETTLE_THREADS` | a whole number from 1 to 64 | `4` |" in reference.settings()
    assert "| `TANDEM_KAFKA_AUTH` | `iam`, `scram`, `plaintext` | `iam` |" in reference.settings()


def test_every_value_of_cdk_json_is_in_the_reference() -> None:
    text = page("docs/configuration.md").text
    stages = json.loads((ROOT / "cdk.json").read_text())["context"]["stages"].values()
    assert {name for each in stages for name in each if f"| `{name}` |" not in text} == set()


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
    assert sum(line.dollars for line in lines) == pytest.approx(brokers + storage + nat + keys + endpoints)


def test_serverless_is_billed_by_cluster_and_partition() -> None:
    lines = costs.idle(stage(kafka=ServerlessKafka(), eks={"kind": "none"}), {}, [PIPELINE])
    assert sum(line.dollars for line in lines) == pytest.approx(730 * 0.75 + 2 * 12 * 730 * 0.0015)


@pytest.mark.parametrize(("runtime", "units"), [("msk", 2), ("worker", 0)])
def test_only_an_enabled_mapping_pays_for_pollers(runtime: str, units: int) -> None:
    run = Run.model_validate({"runtime": runtime, "pollers": {"least": 11, "most": 20}})
    lines = costs.idle(stage(pipelines={"logins": run}, eks={"kind": "none"}), {}, [])
    assert sum(line.quantity for line in lines if "poller" in line.price) == units * 730


def test_a_table_costs_a_write_for_each_record() -> None:
    with_table = sum(line.dollars for line in costs.per_million(PIPELINE, 1769))
    without = replace(PIPELINE, sinks=tuple(sink for sink in PIPELINE.sinks if sink not in PIPELINE.tables))
    assert with_table - sum(line.dollars for line in costs.per_million(without, 1769)) == pytest.approx(0.625)


def test_a_ceiling_is_told_as_one() -> None:
    told = costs.table([costs.Line("KMS key, month", 2), costs.Line("NAT gateway, hour", 100, at_most=True)])
    assert "| NAT gateway, hour | 100 | 0.045 | up to 4.50 |" in told
    assert told.endswith("| **together** | | | **2.00 to 6.50** |")

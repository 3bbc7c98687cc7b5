import os

import boto3
import pytest
from moto import mock_aws

from cdk import names
from functions.adapters.stage_parameters import worker_variables
from functions.core.errors import InvalidSetting


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


@mock_aws
def test_the_variables_are_those_that_the_stage_has_published() -> None:
    client = boto3.Session().client("ssm", region_name="eu-central-1")
    text = "TANDEM_STAGE=dev\nTANDEM_BOOTSTRAP_SERVERS=b-1:9098,b-2:9098\nA=b=c\n"
    client.put_parameter(Name=names.parameter("dev", "worker-env"), Value=text, Type="String")
    assert worker_variables("dev") == {
        "TANDEM_STAGE": "dev", "TANDEM_BOOTSTRAP_SERVERS": "b-1:9098,b-2:9098", "A": "b=c",
    }  # fmt: skip


@mock_aws
def test_a_stage_that_is_not_deployed_is_named_with_its_region() -> None:
    with pytest.raises(InvalidSetting, match=r"deployed in eu-central-1, got 'prod': .* /tandem/prod/worker-env\."):
        worker_variables("prod")


def test_without_a_region_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(InvalidSetting, match="AWS_REGION: missing"):
        worker_variables("dev")

"""A release does not undo a handover that is not in cdk.json."""

import boto3
import pytest
from moto import mock_aws

from cdk import handovers
from functions.core.names import runtime_parameter


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


def choose(runtime: str, region: str = "us-east-1") -> None:
    ssm = boto3.client("ssm", region_name=region)
    ssm.put_parameter(Name=runtime_parameter("dev", "logins"), Value=runtime, Type="String")


@mock_aws
def test_without_a_handover_everything_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    assert handovers.main("dev") == 0
    assert capsys.readouterr().err == ""


@mock_aws
def test_a_handover_that_is_not_in_cdk_json_stops_a_release(capsys: pytest.CaptureFixture[str]) -> None:
    choose("worker")
    assert handovers.main("dev") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "error: logins: tandem handover chose worker, and cdk.json says msk (stages.dev.pipelines.logins"
    )


@mock_aws
def test_a_handover_that_is_in_cdk_json_agrees() -> None:
    choose("msk")
    assert handovers.main("dev") == 0


def test_an_unknown_stage_and_missing_credentials_are_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert handovers.main("nowhere") == 1
    assert capsys.readouterr().err.startswith("error: stage 'nowhere': not in cdk.json, expected one of dev, prod")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert handovers.main("dev") == 1
    assert capsys.readouterr().err == "error: Unable to locate credentials\n"


@mock_aws
def test_many_pipelines_are_asked_for_ten_at_a_time() -> None:
    ssm = boto3.client("ssm", region_name="us-east-1")
    pipelines = [f"pipeline-{number}" for number in range(23)]
    for pipeline in pipelines[::2]:
        ssm.put_parameter(Name=runtime_parameter("dev", pipeline), Value="worker", Type="String")
    assert handovers.chosen_runtimes(ssm, "dev", pipelines) == dict.fromkeys(pipelines[::2], "worker")

from pathlib import Path
from typing import Any, NoReturn

import pytest
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber

from functions.adapters.aws import Aws
from functions.adapters.secrets import secret
from functions.core.errors import InvalidSetting, Unavailable
from tests.unit.adapters.clients import client_error, fails

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mask-AbCdEf"


def no_client() -> NoReturn:
    raise AssertionError("a file takes no client")


@pytest.mark.parametrize("content", [b"key", b"key\n", b"key\r\n"])
def test_a_file_without_its_line_end(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    assert secret(f"file:{tmp_path}/key", no_client) == b"key"


@pytest.mark.parametrize("answer", [{"SecretString": "key\n"}, {"SecretBinary": b"key\n"}])
def test_secrets_manager_returns_the_same(aws: Aws, answer: dict[str, Any]) -> None:
    with Stubber(aws.secretsmanager) as stub:
        stub.add_response("get_secret_value", answer, {"SecretId": ARN})
        assert secret(ARN, lambda: aws.secretsmanager) == b"key"


def test_a_missing_file_is_an_invalid_setting(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=f"cannot read the secret file:{tmp_path}/no: .*No such file"):
        secret(f"file:{tmp_path}/no", no_client)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\n")
    with pytest.raises(InvalidSetting, match="is empty"):
        secret(f"file:{tmp_path}/key", no_client)


@pytest.mark.parametrize(
    "error",
    [client_error("ResourceNotFoundException"), client_error("AccessDeniedException", 403), NoCredentialsError()],
)
def test_a_refusal_by_aws_is_one_line(aws: Aws, error: Exception) -> None:
    fails(aws.secretsmanager, error)
    with pytest.raises(InvalidSetting, match=f"^cannot read the secret {ARN}: [^\n]+$"):
        secret(ARN, lambda: aws.secretsmanager)


def test_a_transient_error_may_be_retried(aws: Aws) -> None:
    fails(aws.secretsmanager, client_error("ThrottlingException"))
    with pytest.raises(Unavailable):
        secret(ARN, lambda: aws.secretsmanager)

import subprocess
import sys
from typing import Any

from functions.adapters.aws import Aws


def test_importing_and_making_it_builds_no_client() -> None:
    code = "import sys, functions.adapters.aws as a; a.Aws('eu-west-1'); print('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"


def test_a_client_is_created_once(aws: Aws) -> None:
    assert aws.dynamodb is aws.dynamodb
    assert aws.s3 is aws.s3
    assert aws.pool is aws.pool


def test_calls_are_short_and_few_and_never_wait_for_a_connection(aws: Aws) -> None:
    for client, read in ((aws.dynamodb, 5), (aws.s3, 15), (aws.secretsmanager, 5), (aws.cloudwatch, 5)):
        config: Any = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (2, read)
        assert config.retries == {"mode": "standard", "total_max_attempts": 3}
        assert config.max_pool_connections == 3 + 16
        assert config.tcp_keepalive
        assert client.meta.region_name == "eu-central-1"

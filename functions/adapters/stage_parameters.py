"""The parameters in which a deployed stage publishes its values: see cdk/parameters.py."""

import os
from typing import Any

from botocore.exceptions import ClientError, NoRegionError
from botocore.session import Session

from functions.adapters.aws_errors import calling, code
from functions.core.errors import InvalidSetting


def worker_variables(stage: str) -> dict[str, str]:
    """Return the variables of a stage's workers. Raises InvalidSetting if no such stage is deployed in the region."""
    name, client = f"/tandem/{stage}/worker-env", _client()
    region = client.meta.region_name
    with calling(f"parameter {name}"):
        try:
            text = str(client.get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            if code(error) == "ParameterNotFound":
                raise InvalidSetting(
                    f"--stage: expected a stage with workers that is deployed in {region}, got {stage!r}: there is no "
                    f"parameter {name}. AWS_REGION selects the region, AWS_PROFILE the account"
                ) from None
            raise
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _client() -> Any:  # noqa: ANN401 - botocore creates its classes at run time
    try:
        return Session().create_client("ssm", region_name=os.environ.get("AWS_REGION"))
    except NoRegionError:
        raise InvalidSetting("AWS_REGION: missing, expected the region of --stage, like us-east-1") from None

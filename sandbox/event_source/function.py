"""A Lambda function: its handler and variables.

Follows AWS, "Working with Lambda environment variables" (defined runtime environment variables). Credentials are left
to `variables`, since only the caller knows their emulator.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LambdaFunction:
    """A function. `variables` override the reserved ones; stdout and stderr are appended to `log`, if given."""

    handler: str
    variables: Mapping[str, str] = field(default_factory=dict)
    name: str = "tandem-local"
    region: str = "us-east-1"
    task_root: Path = field(default_factory=Path.cwd)
    log: Path | None = None

    @property
    def arn(self) -> str:
        """The function's ARN, in the account that local AWS emulators use."""
        return f"arn:aws:lambda:{self.region}:123456789012:function:{self.name}"

    def environ(self, runtime_api: str) -> dict[str, str]:
        """Return all variables of the child, which inherits none, as on Lambda."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": self.handler,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "LAMBDA_TASK_ROOT": str(self.task_root),
            **self.variables,
        }

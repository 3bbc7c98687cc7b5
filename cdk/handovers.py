"""Compares cdk.json with the runtimes that `tandem handover` chose: `python -m cdk.handovers STAGE`.

A release runs it first, because it would undo a handover that is not in cdk.json yet. A test binds the overlays to
cdk.json, so this speaks for the manifests, too. Exit code 0: they agree, 1: they do not, or AWS does not answer.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cdk import context
from cdk.config import StageConfig
from cdk.errors import InvalidConfig
from functions import registry
from functions.core.names import runtime_parameter

CDK_JSON: Final = Path(__file__).parents[1] / "cdk.json"
MAX_NAMES: Final = 10  # of one request, by SSM's API


def main(stage: str) -> int:
    """Print a line for each pipeline that differs, and return the exit code."""
    try:
        config = _config(stage)
        client = boto3.client("ssm", region_name=config.region)
        differences = [*disagreements(config, chosen_runtimes(client, stage, registry.names()))]
    except (InvalidConfig, BotoCoreError, ClientError) as error:
        differences = [" ".join(str(error).split())]
    for line in differences:
        sys.stderr.write(f"error: {line}\n")
    return 1 if differences else 0


def _config(stage: str) -> StageConfig:
    configs = context.read(json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]["stages"], registry.names())
    if stage not in configs:
        raise InvalidConfig(f"stage {stage!r}: not in cdk.json, expected one of {', '.join(configs)}")
    return configs[stage]


def chosen_runtimes(client: Any, stage: str, pipelines: list[str]) -> dict[str, str]:  # noqa: ANN401 - boto3 creates its classes at run time
    """Return the runtime of each pipeline that was handed over."""
    parameters = {runtime_parameter(stage, pipeline): pipeline for pipeline in pipelines}
    names, chosen = sorted(parameters), dict[str, str]()
    for begin in range(0, len(names), MAX_NAMES):
        answer = client.get_parameters(Names=names[begin : begin + MAX_NAMES])
        chosen |= {parameters[each["Name"]]: str(each["Value"]) for each in answer["Parameters"]}
    return chosen


def disagreements(stage: StageConfig, chosen: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each pipeline whose runtime in cdk.json is not the one that a handover chose."""
    for pipeline, runtime in chosen.items():
        config = stage.pipeline_config(pipeline)
        if config.runtime != runtime:
            yield (
                f"{pipeline}: tandem handover chose {runtime}, and cdk.json says {config.runtime} "
                f"(stages.{stage.name}.pipelines.{pipeline}.runtime). Change the file and k8s/overlays/{stage.name}, "
                f"or run tandem handover {pipeline} --to {config.runtime} --stage {stage.name} --execute"
            )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""What pipelines use outside of their stage: a schema registry, and the stores of their own sinks.

Derived from the declarations: which secrets a pipeline's roles may read, which variables its processes get, which ports
its functions reach, and which AWS services need an endpoint.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from cdk.config import SecretConfig, StageConfig
from cdk.errors import InvalidConfig
from functions.core.names import sink_variable
from functions.core.pipeline import AnyPipeline

HTTPS: Final = 443
ENDPOINTS: Final = {  # where botocore's name differs ("AWS services that integrate with AWS PrivateLink")
    "cloudwatch": "monitoring", "firehose": "kinesis-firehose", "kinesis": "kinesis-streams", "stepfunctions": "states",
}  # fmt: skip
GATEWAYS: Final = ("dynamodb", "s3")  # that every stage has
CONFLUENT: Final = "confluent"  # the name of the port of Confluent's registry


def check(stage: StageConfig, pipelines: Iterable[AnyPipeline]) -> None:
    """Raise InvalidConfig unless the stage has the registry and the secrets that pipelines declare, and no others."""
    for problem in _problems(stage, list(pipelines)):
        raise InvalidConfig(f"stages.{stage.name}.{problem}")


def _problems(stage: StageConfig, pipelines: Sequence[AnyPipeline]) -> Iterator[str]:
    for pipeline in pipelines:
        if CONFLUENT in pipeline.registries and stage.registry is None:
            yield f"registry: is missing, expected the schema registry that pipeline {pipeline.name!r} uses"
    users = {sink.name: pipeline.name for pipeline in pipelines for sink in pipeline.custom_sinks if sink.secret}
    for name in sorted(users.keys() - stage.sinks.keys()):
        yield f"sinks.{name}: is missing, expected the secret of a sink of pipeline {users[name]!r}"
    for name in sorted(stage.sinks.keys() - users.keys()):
        yield f"sinks: got {name}, expected {', '.join(sorted(users)) or 'none'}: the sinks that have secrets"


def secrets(stage: StageConfig, pipeline: AnyPipeline) -> list[SecretConfig]:
    """The secrets that a pipeline's processes read."""
    registry = stage.registry.secret if stage.registry and CONFLUENT in pipeline.registries else None
    sinks = (stage.sinks[sink.name] for sink in pipeline.custom_sinks if sink.secret)
    return [*([registry] if registry else []), *sinks]


def variables(stage: StageConfig, pipelines: Iterable[AnyPipeline]) -> dict[str, str]:
    """The variables of processes that run one of these pipelines, as functions.settings reads them."""
    found: dict[str, str] = {}
    for pipeline in pipelines:
        if CONFLUENT in pipeline.registries and stage.registry:
            found["TANDEM_REGISTRY_URL"] = stage.registry.url
            if stage.registry.secret:
                found["TANDEM_REGISTRY_FROM"] = stage.registry.secret.arn
        for sink in pipeline.custom_sinks:
            if sink.secret:
                found[sink_variable(sink.name)] = stage.sinks[sink.name].arn
    return found


def ports(stage: StageConfig, pipelines: Iterable[AnyPipeline]) -> list[int]:
    """The TCP ports that these pipelines reach in addition to 443, sorted."""
    found = {HTTPS}
    for pipeline in pipelines:
        found.update(port for sink in pipeline.custom_sinks for port in sink.egress)
        if CONFLUENT in pipeline.registries and stage.registry:
            url = urlsplit(stage.registry.url)
            found.add(url.port or (HTTPS if url.scheme == "https" else 80))
    return sorted(found - {HTTPS})


def services(pipelines: Iterable[AnyPipeline]) -> Mapping[str, str]:
    """The AWS services that these pipelines call, by the names of their endpoints, each with its reason."""
    found = {}
    for pipeline in pipelines:
        if "glue" in pipeline.registries:
            found["glue"] = f"pipeline {pipeline.name} reads schemas of Glue's registry"
        for sink in pipeline.custom_sinks:
            reason = f"sink {sink.name} of pipeline {pipeline.name}"
            found |= {ENDPOINTS.get(service, service): reason for service in sink.aws_services}
    return {service: reason for service, reason in found.items() if service not in GATEWAYS}

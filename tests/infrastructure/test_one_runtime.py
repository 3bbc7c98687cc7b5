"""Exactly one runtime of a pipeline is enabled in a stage, and code, templates and manifests use the same names.

cdk.json decides; the event source mapping and the overlay of k8s/ follow.
"""

import pytest

from cdk import context, names
from cdk.runtimes.worker.stack import KEDA
from functions import registry
from functions.core.names import consumer_group, counters_table, dead_letter_queue, ledger_table, rows_table
from tests.infrastructure.conftest import REFERENCE, WHOLE, Templates, synthesise
from tests.infrastructure.resolve import ACCOUNT, REGION, Resolved
from tests.manifests.conftest import K8S, Rendered, render

EXAMPLE = "111122223333"  # the account of what is committed
CHOSEN = [
    (stage.name, pipeline, stage.pipeline_config(pipeline).runtime)
    for stage in context.read(WHOLE["stages"], registry.names()).values()
    for pipeline in registry.names()
]
EVERY = pytest.mark.parametrize(("stage", "pipeline", "runtime"), CHOSEN)


@pytest.fixture(scope="module")
def templates(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """With every pipeline."""
    every = registry.load_all()
    return templates if every == REFERENCE else synthesise(tmp_path_factory.mktemp("every"), WHOLE["stages"], every)


@EVERY
def test_the_mapping_is_enabled_if_lambda_is_chosen(
    templates: Templates, stage: str, pipeline: str, runtime: str
) -> None:
    group = consumer_group(stage, pipeline)
    (mapping,) = (
        each
        for each in Resolved(templates, stage).properties("lambda", "AWS::Lambda::EventSourceMapping")
        if each["AmazonManagedKafkaEventSourceConfig"]["ConsumerGroupId"] == group
    )
    assert mapping["Enabled"] is (runtime == "msk")
    assert mapping["Topics"] == [registry.load(pipeline).topic]


@EVERY
def test_the_overlay_has_workers_if_the_worker_is_chosen(stage: str, pipeline: str, runtime: str) -> None:
    deployments, name = overlay(stage).kind("Deployment"), names.worker(pipeline)
    replicas = {each: one["spec"].get("replicas", 1) for each, one in deployments.items()}
    assert (replicas.get(name, 0) > 0) is (runtime == "worker"), f"{name} has {replicas.get(name, 0)} replicas"


@EVERY
def test_the_overlay_has_the_values_that_the_stage_publishes(
    templates: Templates, stage: str, pipeline: str, runtime: str
) -> None:
    """The names of settings, and those values that are names of ours; addresses and ARNs only AWS knows."""
    parameters = Resolved(templates, stage).properties("eks", "AWS::SSM::Parameter")
    (text,) = (one["Value"] for one in parameters if one.get("Name") == names.parameter(stage, "worker-env"))
    left = dict(line.split("=", 1) for line in text.splitlines())
    given = overlay(stage).environment
    assert set(left) <= set(given)
    for name in ("TANDEM_STAGE", "TANDEM_LAKE_BUCKET", "TANDEM_DEAD_LETTER_BUCKET", "TANDEM_KAFKA_AUTH", "AWS_REGION"):
        assert given[name].replace(EXAMPLE, ACCOUNT) == left[name]


@EVERY
def test_the_overlays_service_account_is_the_one_that_gets_the_role(
    templates: Templates, stage: str, pipeline: str, runtime: str
) -> None:
    identities = Resolved(templates, stage).properties("eks", "AWS::EKS::PodIdentityAssociation")
    accounts = {(one["metadata"]["namespace"], name) for name, one in overlay(stage).kind("ServiceAccount").items()}
    ours = {(one["Namespace"], one["ServiceAccount"]) for one in identities} - {KEDA}
    assert {(names.namespace(stage), names.worker(pipeline))} <= ours <= accounts


@pytest.mark.parametrize("stage", WHOLE["stages"])
def test_the_code_writes_to_the_stores_of_the_templates(templates: Templates, stage: str) -> None:
    resolved = Resolved(templates, stage)
    tables = {one["TableName"] for one in resolved.properties("stores", "AWS::DynamoDB::GlobalTable")}
    sinks = [sink for pipeline in registry.load_all().values() for sink in pipeline.tables]
    assert tables == {
        ledger_table(stage), counters_table(stage), *(rows_table(stage, sink.name) for sink in sinks),
    }  # fmt: skip
    buckets = {one["BucketName"] for one in resolved.properties("stores", "AWS::S3::Bucket")}
    assert {names.lake_bucket(stage, ACCOUNT, REGION), names.dead_letter_bucket(stage, ACCOUNT, REGION)} <= buckets
    assert dead_letter_queue(stage) in {
        one.get("QueueName") for one in resolved.properties("stores", "AWS::SQS::Queue")
    }


def overlay(stage: str) -> Rendered:
    """The rendered overlay of a stage."""
    return render(K8S / "overlays" / stage)

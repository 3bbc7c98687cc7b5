"""Deploys a synthesised stack in the emulator by its CloudFormation.

Moto's CloudFormation does not support everything. The rest is created by calls to the services, from the template's
values: a GlobalTable of one replica as a Table, a secret, and a bucket's versions and notifications. Policies
and tags are omitted: moto does not support the former, and its keys accept only KMS's own spelling of tags.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.stores import Client

Template = Mapping[str, Any]
SECRET, TABLES, BUCKET = "AWS::SecretsManager::Secret", "AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket"
UNSUPPORTED = (SECRET, "AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy")


@dataclass(frozen=True)
class Emulated:
    """An emulator's account and region, into which stacks are deployed."""

    client: Client

    def deploy(self, name: str, template: Template) -> dict[str, str]:
        """Deploy a stack, and return the physical ID of each resource by logical ID."""
        secrets = {logical: self._secret(each["Properties"]) for logical, each in _of(template, SECRET)}
        supported = {
            logical: _supported(each)
            for logical, each in template["Resources"].items()
            if each["Type"] not in UNSUPPORTED
        }
        body = _with_refs({**template, "Resources": supported, "Parameters": {}, "Rules": {}}, secrets)
        formation = self.client("cloudformation")
        formation.create_stack(StackName=name, TemplateBody=json.dumps(body))
        found = formation.describe_stack_resources(StackName=name)["StackResources"]
        physical = secrets | {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}
        for logical, each in _of(template, BUCKET):
            self._bucket(physical[logical], each["Properties"], physical)
        return physical

    def _secret(self, properties: Mapping[str, Any]) -> str:
        client, how = self.client("secretsmanager"), properties["GenerateSecretString"]
        value = client.get_random_password(**how)["RandomPassword"]
        return str(client.create_secret(Name=properties["Name"], SecretString=value)["ARN"])

    def _bucket(self, name: str, properties: Mapping[str, Any], physical: Mapping[str, str]) -> None:
        s3 = self.client("s3")
        if versions := properties.get("VersioningConfiguration"):
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versions)
        notifications = properties.get("NotificationConfiguration", {}).get("QueueConfigurations", [])
        queues = [
            {"QueueArn": self._queue_arn(physical[each["Queue"]["Fn::GetAtt"][0]]), "Events": [each["Event"]]}
            for each in notifications
        ]
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"QueueConfigurations": queues})

    def _queue_arn(self, url: str) -> str:
        found = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])


def _of(template: Template, kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [(logical, each) for logical, each in template["Resources"].items() if each["Type"] == kind]


def _supported(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A resource that moto supports. The protection of a GlobalTable's replica moves to its table."""
    properties = {name: each for name, each in resource["Properties"].items() if name != "Tags"}
    if resource["Type"] != TABLES:
        return {"Type": resource["Type"], "Properties": properties}
    (replica,) = properties.pop("Replicas")
    protected = {"DeletionProtectionEnabled": replica["DeletionProtectionEnabled"]}
    return {"Type": "AWS::DynamoDB::Table", "Properties": properties | protected}


def _with_refs(value: Any, known: Mapping[str, str]) -> Any:
    """The template with references to omitted resources replaced by their values."""
    match value:
        case {"Ref": str(logical)} if logical in known:
            return known[logical]
        case dict():
            return {name: _with_refs(each, known) for name, each in value.items()}
        case list():
            return [_with_refs(each, known) for each in value]
        case _:
            return value

"""Resolves a template's values as CloudFormation does: real names, and possible identifiers.

Resources that a name of ours identifies have real ARNs; what AWS alone can know, such as a key's ID, is the logical ID.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cdk import names
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import Templates

ACCOUNT: Final = "123456789012"  # moto's
REGION: Final = "us-east-1"
PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}  # fmt: skip
# Type -> the property that is its name, its ARN behind service, region and account, and what Ref gives.
TABLE: Final = ("TableName", "dynamodb:{place}:table/{name}", "name")
KINDS: Final = {
    "AWS::DynamoDB::GlobalTable": TABLE,
    "AWS::DynamoDB::Table": TABLE,
    "AWS::S3::Bucket": ("BucketName", "s3:::{name}", "name"),
    "AWS::SQS::Queue": ("QueueName", "sqs:{place}:{name}", "name"),
    "AWS::SecretsManager::Secret": ("Name", "secretsmanager:{place}:secret:{name}-000000", "arn"),
    "AWS::KMS::Key": (None, "kms:{place}:key/{name}", "name"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{place}:log-group:{name}:*", "name"),
    "AWS::IAM::Role": ("RoleName", "iam::{account}:role/{name}", "name"),
    "AWS::MSK::Cluster": ("ClusterName", "kafka:{place}:cluster/{name}/0a1b-1", "arn"),
    "AWS::MSK::ServerlessCluster": ("ClusterName", "kafka:{place}:cluster/{name}/0a1b-1", "arn"),
    "AWS::EKS::Cluster": ("Name", "eks:{place}:cluster/{name}", "name"),
    "AWS::ECR::Repository": ("RepositoryName", "ecr:{place}:repository/{name}", "name"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:{place}:function:{name}", "name"),
}
OTHER: Final = (None, "other:{place}:{name}", "name")


@dataclass(frozen=True)
class Resolved:
    """The values of one stage. `arns` are those of secrets that are there, by the secret's name."""

    templates: Templates
    stage: str
    arns: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, stack: str, node: Any) -> Any:
        """A node of a stack's template, with every CloudFormation function resolved."""
        if isinstance(node, list):
            return [self(stack, part) for part in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, given),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._function(stack, name, given)
        return {name: self(stack, value) for name, value in node.items()}

    def properties(self, stack: str, kind: str) -> list[dict[str, Any]]:
        """The properties of all resources of a type."""
        return [self(stack, one["Properties"]) for one in self.templates.resources(self.stage, stack, kind).values()]

    def statements(self, runtime: str) -> list[dict[str, Any]]:
        """The statements of the reference pipeline's role on a runtime, which is one inline policy."""
        wanted = names.role(self.stage, PIPELINE.name, runtime)
        roles = self.properties({"msk": "lambda", "worker": "eks"}[runtime], "AWS::IAM::Role")
        (role,) = (role for role in roles if role.get("RoleName") == wanted)
        assert "ManagedPolicyArns" not in role
        (policy,) = role["Policies"]
        return list(policy["PolicyDocument"]["Statement"])

    @property
    def function(self) -> dict[str, Any]:
        """The reference pipeline's."""
        (one,) = self.properties("lambda", "AWS::Lambda::Function")
        return one

    @property
    def mapping(self) -> dict[str, Any]:
        """The reference pipeline's."""
        (one,) = self.properties("lambda", "AWS::Lambda::EventSourceMapping")
        return one

    def _function(self, stack: str, name: str, given: Any) -> Any:  # noqa: PLR0911 - one line for each function
        match name:
            case "Ref":
                return PSEUDO[given] if given in PSEUDO else self._resource(stack, given)[0]
            case "Fn::GetAtt":
                logical, attribute = given if isinstance(given, list) else given.split(".", 1)
                arn = self._resource(stack, logical)[1]
                return arn if attribute == "Arn" else f"{logical}.{attribute}"
            case "Fn::ImportValue":
                return self(*self._exports[given])
            case "Fn::GetStackOutput":
                return self(*self._outputs[given["StackName"], given["OutputName"]])
            case "Fn::Join":
                return given[0].join(map(str, self(stack, given[1])))
            case "Fn::Split":
                return self(stack, given[1]).split(given[0])
            case "Fn::Select":
                return self(stack, given[1])[int(given[0])]
            case "Fn::Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda found: str(self(stack, {"Ref": found[1]})), given)
            case _:
                raise AssertionError(f"{stack}: unsupported function {name}")

    def _resource(self, stack: str, logical: str) -> tuple[str, str]:
        """The value of Ref, and the ARN."""
        resource = self.templates[self.stage, stack]["Resources"][logical]
        naming, pattern, ref = KINDS.get(resource["Type"], OTHER)
        properties = resource.get("Properties", {})
        name = self(stack, properties[naming]) if naming and naming in properties else logical
        arn = self.arns.get(name) or "arn:aws:" + pattern.format(
            place=f"{REGION}:{ACCOUNT}", account=ACCOUNT, name=name
        )
        return (name if ref == "name" else arn), arn

    @cached_property
    def _exports(self) -> dict[str, tuple[str, Any]]:
        return {
            output["Export"]["Name"]: (stack, output["Value"])
            for (stage, stack), template in self.templates.by_stack.items()
            for output in template.get("Outputs", {}).values()
            if stage == self.stage and "Export" in output
        }

    @cached_property
    def _outputs(self) -> dict[tuple[str, str], tuple[str, Any]]:
        """The stack and the value of each output, by the names of stack and output."""
        return {
            (f"tandem-{self.stage}-{stack}", name): (stack, output["Value"])
            for (stage, stack), template in self.templates.by_stack.items()
            for name, output in template.get("Outputs", {}).items()
            if stage == self.stage
        }

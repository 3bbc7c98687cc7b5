"""The values of a template: CloudFormation's functions over what the resources of the account are."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

PSEUDO: Final = {
    "AWS::AccountId": "111122223333", "AWS::Region": "us-east-1", "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com", "AWS::StackId": "stack", "AWS::StackName": "stack",
}  # fmt: skip
NOTHING: Final = {"Ref": "AWS::NoValue"}
WEAK: Final = "Fn::GetStackOutput"


@dataclass(frozen=True)
class Values:
    """Evaluates nodes of a stack's template."""

    parameters: Mapping[str, Any]
    resource: Callable[[str], str]
    """The physical ID of a resource of the stack, by logical ID."""
    imported: Callable[[str], str]
    """The value of an export, by name."""
    output: Callable[[str, str], str]
    """The value of another stack's output, by the names of stack and output."""

    def __call__(self, node: Any) -> Any:
        """The value of a node. A part that only AWS knows is text in angle brackets."""
        match node:
            case list():
                return [self(item) for item in node if item != NOTHING]
            case {"Ref": str(name)}:
                return self._ref(name)
            case dict() if len(node) == 1 and next(iter(node)).startswith("Fn::"):
                ((function, given),) = node.items()
                return self._function(function, given)
            case dict():
                return {name: self(value) for name, value in node.items() if value != NOTHING}
            case _:
                return node

    def _ref(self, name: str) -> str:
        if name in PSEUDO:
            return PSEUDO[name]
        return str(self.parameters[name].get("Default")) if name in self.parameters else self.resource(name)

    def _function(self, function: str, given: Any) -> Any:  # noqa: PLR0911 - one line for each function
        match function, given:
            case "Fn::GetAtt", [str(logical), str(attribute)]:
                return f"<{self.resource(logical)}.{attribute}>"
            case "Fn::ImportValue", str(name):
                return self.imported(name)
            case "Fn::GetStackOutput", {"StackName": str(stack), "OutputName": str(output)}:
                return self.output(stack, output)
            case "Fn::Join", [str(between), parts]:
                return between.join(map(str, self(parts)))
            case "Fn::Split", [str(by), text]:
                return str(self(text)).split(by)
            case "Fn::Select", [index, items]:
                values = self(items)
                return values[int(index)] if int(index) < len(values) else f"<{index} of {values}>"
            case "Fn::Sub", str(text):
                return re.sub(r"\$\{([^}]+)\}", lambda match: self._ref(match[1]), text)
            case _:
                raise AssertionError(f"unsupported: {function} {json.dumps(given)}")

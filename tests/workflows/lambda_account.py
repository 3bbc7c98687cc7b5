"""A stand-in for `aws lambda`, which keeps an account's functions, versions and aliases in a file, and for deployments.

Follows AWS: an alias can be set only to a version that exists (API reference, "UpdateAlias"). A deleted version is
gone, and one that an alias refers to cannot be deleted ("DeleteFunction"); its number is not used again.
CloudFormation publishes a version under a new logical ID when the function changes, and deletes the old version
afterwards, unless its DeletionPolicy is Retain (CloudFormation, "DeletionPolicy attribute").
"""

import json
import sys
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]

STATE = Path(__file__).with_name("account.json")
ABSENT, IN_USE = "ResourceNotFoundException", "ResourceConflictException"


class Refused(Exception):  # noqa: N818 - named like AWS's errors
    """The error that AWS answers."""


def deploy(folder: Path, functions: list[str], *, retain: bool) -> None:
    """Deploy changed code of these functions: publish a version of each and set its alias to it."""
    path = folder / "account.json"
    state = json.loads(path.read_text()) if path.exists() else {}
    for name in functions:
        function = state.setdefault(name, {"versions": [], "live": None, "last": 0})
        function["last"] += 1
        before, function["live"] = function["live"], str(function["last"])
        function["versions"].append(function["live"])
        if before in function["versions"] and not retain:
            function["versions"].remove(before)
    path.write_text(json.dumps(state))


def answer(verb: str, options: dict[str, str], state: dict[str, Any]) -> Any:
    """The answer of one call, before --query."""
    function = state.get(options.get("function-name", "").split(":")[0])
    if verb == "list-event-source-mappings":
        return {"EventSourceMappings": [{"State": "Enabled", "LastProcessingResult": "OK"}]}
    if function is None:
        raise Refused(ABSENT)
    match verb:
        case "get-alias":
            return {"FunctionVersion": function["live"]}
        case "get-function-configuration":
            return {"State": "Active", "LastUpdateStatus": "Successful"}
        case "list-versions-by-function":
            return {"Versions": [{"Version": version} for version in ["$LATEST", *function["versions"]]]}
        case "update-alias":
            if options["function-version"] not in function["versions"]:
                raise Refused(ABSENT)
            function["live"] = options["function-version"]
            return {}
        case "delete-function":
            version = options["qualifier"]  # a stand-in for the role, too: it may not delete a function
            if version == function["live"]:
                raise Refused(IN_USE)
            function["versions"].remove(version)
            return {}
        case _:
            raise AssertionError(verb)


def main(arguments: list[str]) -> None:
    """Answer a call like the AWS CLI."""
    service, verb, *rest = arguments
    assert service == "lambda", service
    options = {name.removeprefix("--"): value for name, value in zip(rest[::2], rest[1::2], strict=True)}
    state = json.loads(STATE.read_text())
    try:
        value = answer(verb, options, state)
    except Refused as error:
        sys.exit(f"An error occurred ({error}) when calling the {verb} operation")
    STATE.write_text(json.dumps(state))
    if "query" in options:
        value = jmespath.search(options["query"], value)
    text = " ".join(map(str, value if isinstance(value, list) else [value]))
    sys.stdout.write(f"{text if options.get('output') == 'text' else json.dumps(value)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

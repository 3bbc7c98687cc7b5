"""The part of Lambda's API that lists, disables and enables event source mappings.

Follows AWS, "Lambda API reference": paths, states and errors. Chosen here: a mapping's UUID depends on its function.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid5

from functions.core import names
from sandbox.control_plane.answer import Answer
from sandbox.control_plane.runtimes import PipelineRuntimes, Switch

PATH: Final = "/2015-03-31/event-source-mappings/"
STATES: Final = {
    (True, False): "Enabled",
    (True, True): "Enabling",
    (False, False): "Disabled",
    (False, True): "Disabling",
}


@dataclass(frozen=True, slots=True)
class LambdaApi:
    """Answers requests below PATH for the pipelines of a stage."""

    stage: str
    pipelines: Mapping[str, PipelineRuntimes]

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """Answer a request."""
        url = urlsplit(target)
        uuid = url.path.removeprefix(PATH.rstrip("/")).strip("/")
        mappings = {str(uuid5(NAMESPACE_URL, self._function(name))): name for name in self.pipelines}
        if not uuid and method == "GET":
            function = parse_qs(url.query).get("FunctionName", [""])[0]
            found = [
                self._described(key, name) for key, name in mappings.items() if function in {"", self._function(name)}
            ]
            return Answer(200, {"EventSourceMappings": found})
        if uuid not in mappings or method not in {"GET", "PUT"}:
            return _error(404, "ResourceNotFoundException", "The resource you requested does not exist.")
        switch = self.pipelines[mappings[uuid]].msk
        if method == "PUT":
            if switch.busy:
                return _error(409, "ResourceInUseException", "The event source mapping is being changed.")
            switch.set(enabled=bool(json.loads(body or b"{}").get("Enabled", switch.enabled)))
        return Answer(202 if method == "PUT" else 200, self._described(uuid, mappings[uuid]))

    def _described(self, uuid: str, name: str) -> dict[str, Any]:
        pipeline = self.pipelines[name]
        return {
            "UUID": uuid,
            "FunctionArn": self._function(name),
            "Topics": [pipeline.topic],
            "State": _state(pipeline.msk),
        }

    def _function(self, pipeline: str) -> str:
        return f"{names.function(self.stage, pipeline)}:{names.LIVE}"


def _state(switch: Switch) -> str:
    return STATES[switch.enabled, switch.busy]


def _error(status: int, code: str, text: str) -> Answer:
    return Answer(status, {"Type": "User", "Message": text}, {"x-amzn-ErrorType": code})

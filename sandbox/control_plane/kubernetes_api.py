"""The part of Kubernetes' API that reads and patches the objects of one namespace, and a controller for Deployments.

Follows Kubernetes, "API Concepts" and RFC 7386 (merge patches). A Deployment's pods are one worker on this machine,
whatever number of replicas is wanted.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from functions.core import names
from sandbox.control_plane.answer import Answer
from sandbox.control_plane.runtimes import PipelineRuntimes, Switch

PREFIX: Final = "/apis/"
DEPLOYMENTS: Final = "apps/v1/deployments"
MERGE_PATCH: Final = "application/merge-patch+json"


@dataclass(slots=True)
class KubernetesApi:
    """Answers requests below PREFIX. `objects`: further objects of the namespace by `group/version/plural` and name."""

    stage: str
    pipelines: Mapping[str, PipelineRuntimes]
    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, runtimes in self.pipelines.items():
            replicas = int(runtimes.worker.enabled)
            self.objects[DEPLOYMENTS, names.worker(name)] = {
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": names.worker(name)},
                "spec": {"replicas": replicas},
            }  # fmt: skip

    def answer(self, method: str, path: str, content_type: str, body: bytes) -> Answer:
        """Answer a request."""
        group, version, _, namespace, plural, name, *_ = [*path.removeprefix(PREFIX).split("/"), *[""] * 6]
        key = f"{group}/{version}/{plural}", name
        if namespace != names.namespace(self.stage) or key not in self.objects:
            return _status(404, "NotFound", f'{plural}.{group} "{name}" not found')
        if method == "PATCH":
            if content_type != MERGE_PATCH:
                return _status(415, "UnsupportedMediaType", f"expected {MERGE_PATCH}, got {content_type}")
            self.objects[key] = merged(self.objects[key], json.loads(body))
            self._reconcile(key)
        elif method != "GET":
            return _status(405, "MethodNotAllowed", f"{method} is not supported")
        return Answer(200, self._with_status(key))

    def _reconcile(self, key: tuple[str, str]) -> None:
        if (switch := self._switch(key)) is not None:
            switch.set(enabled=int(self.objects[key]["spec"]["replicas"]) > 0)

    def _with_status(self, key: tuple[str, str]) -> dict[str, Any]:
        found, switch = deepcopy(self.objects[key]), self._switch(key)
        if switch is not None:
            wanted = int(found["spec"]["replicas"])
            ready = wanted if switch.enabled and not switch.busy and switch.runtime.running else 0
            pods = wanted if switch.enabled else int(switch.busy)
            found["status"] = {"replicas": pods, **({"readyReplicas": ready} if ready else {})}
        return found

    def _switch(self, key: tuple[str, str]) -> Switch | None:
        workers = {(DEPLOYMENTS, names.worker(name)): runtimes.worker for name, runtimes in self.pipelines.items()}
        return workers.get(key)


def merged(target: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return `target` with a merge patch, by RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _status(code: int, reason: str, text: str) -> Answer:
    return Answer(
        code,
        {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": text, "code": code},
    )

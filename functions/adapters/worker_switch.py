"""A pipeline's workers on Kubernetes, as the switch of the runtime `worker`.

Follows k8s/: the Deployment `worker-<pipeline>` has an autoscaler of its name, either KEDA's ScaledObject or a
HorizontalPodAutoscaler. At 0 replicas the latter does nothing, while KEDA would start workers as lag grows: the
annotation of KEDA, "Pausing autoscaling", keeps it at 0. All objects are read and patched as plain values, by the
official client. A role needs get and patch of the three kinds, and of deployments/scale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from functions.adapters.kubernetes_api import ObjectKind, ObjectsApi
from functions.core.errors import Refused
from functions.core.handover_ports import SwitchState, SwitchStatus

DEPLOYMENT: Final = ObjectKind("apps", "v1", "deployments")
AUTOSCALER: Final = ObjectKind("autoscaling", "v2", "horizontalpodautoscalers")
SCALED_OBJECT: Final = ObjectKind("keda.sh", "v1alpha1", "scaledobjects")
PAUSED: Final = "autoscaling.keda.sh/paused-replicas"


@dataclass(frozen=True, slots=True)
class WorkerSwitch:
    """See handover_ports.RuntimeSwitch. `name` is that of the Deployment, `api` returns its namespace's objects."""

    api: Callable[[], ObjectsApi]
    name: str

    def state(self) -> SwitchState:
        """See handover_ports.RuntimeSwitch. Enabled when one worker is ready, disabled when no pod is left."""
        api = self.api()
        deployment = api.read(DEPLOYMENT, self.name)
        if deployment is None:
            return SwitchState(SwitchStatus.MISSING, f"no deployment {self.name} in namespace {api.namespace}")
        wanted, status = int(deployment["spec"].get("replicas", 1)), deployment.get("status", {})
        pods, ready = int(status.get("replicas", 0)), int(status.get("readyReplicas", 0))
        if wanted == 0:
            detail = f"0 replicas, {pods} pods ending" if pods else "0 replicas"
            return SwitchState(SwitchStatus.CHANGING if pods else SwitchStatus.DISABLED, detail)
        return SwitchState(SwitchStatus.ENABLED if ready else SwitchStatus.CHANGING, f"{ready} of {wanted} pods ready")

    def enable(self) -> None:
        """See handover_ports.RuntimeSwitch. Starts as many workers as the autoscaler's minimum, at least one."""
        api, minimum = self.api(), 1
        if (scaled := api.read(SCALED_OBJECT, self.name)) is not None:
            api.patch(SCALED_OBJECT, self.name, {"metadata": {"annotations": {PAUSED: None}}})
            minimum = int(scaled["spec"].get("minReplicaCount", 0))
        elif (autoscaler := api.read(AUTOSCALER, self.name)) is not None:
            minimum = int(autoscaler["spec"].get("minReplicas", 1))
        if int(self._deployment(api)["spec"].get("replicas", 1)) < max(1, minimum):
            api.patch(DEPLOYMENT, self.name, {"spec": {"replicas": max(1, minimum)}})

    def disable(self) -> None:
        """See handover_ports.RuntimeSwitch."""
        api = self.api()
        self._deployment(api)
        if api.read(SCALED_OBJECT, self.name) is not None:
            api.patch(SCALED_OBJECT, self.name, {"metadata": {"annotations": {PAUSED: "0"}}})
        api.patch(DEPLOYMENT, self.name, {"spec": {"replicas": 0}})

    def _deployment(self, api: ObjectsApi) -> dict[str, Any]:
        deployment = api.read(DEPLOYMENT, self.name)
        if deployment is None:
            raise Refused(f"no deployment {self.name} in namespace {api.namespace}")
        return deployment

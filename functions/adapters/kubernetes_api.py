"""Objects of one Kubernetes namespace, as plain values, by the official client.

The client is imported when it is used: it takes two seconds, and only the image and development have it. The file
~/.kube/config is not used: it may be of another cluster, in which a namespace of that name is another one.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from functions.core.errors import InvalidSetting, Refused, Unavailable

Answer = TypeVar("Answer")
TIMEOUT_SECONDS: Final = 10
NOT_FOUND: Final = 404
TRANSIENT_STATUSES: Final = {408, 409, 429}
IN_CLUSTER: Final = "KUBERNETES_SERVICE_HOST"  # Kubernetes sets it in every pod
HOW: Final = "aws eks update-kubeconfig --name CLUSTER --kubeconfig FILE"


class ObjectKind(NamedTuple):
    """A kind of objects by its API's group, version and plural name."""

    group: str
    version: str
    plural: str


class ObjectsApi(Protocol):
    """Reads and changes objects of one namespace."""

    @property
    def namespace(self) -> str:
        """The name of the namespace."""

    def read(self, kind: ObjectKind, name: str) -> dict[str, Any] | None:
        """Return an object; None if there is none, or no such kind."""

    def patch(self, kind: ObjectKind, name: str, change: dict[str, Any]) -> None:
        """Merge a change into an object; a value of None removes a field."""


@dataclass(frozen=True, slots=True)
class KubernetesObjects:
    """See ObjectsApi. `client` is kubernetes.client.CustomObjectsApi, which serves every group's objects."""

    client: Any
    namespace: str

    def read(self, kind: ObjectKind, name: str) -> dict[str, Any] | None:
        """See ObjectsApi."""
        return self._ask(
            name,
            lambda: self.client.get_namespaced_custom_object(
                kind.group, kind.version, self.namespace, kind.plural, name, _request_timeout=TIMEOUT_SECONDS
            ),
        )

    def patch(self, kind: ObjectKind, name: str, change: dict[str, Any]) -> None:
        """See ObjectsApi."""
        patched = self._ask(
            name,
            lambda: self.client.patch_namespaced_custom_object(
                kind.group, kind.version, self.namespace, kind.plural, name, change,
                _content_type="application/merge-patch+json", _request_timeout=TIMEOUT_SECONDS,
            ),
        )  # fmt: skip
        if patched is None:
            raise Refused(f"no {kind.plural} {name} in namespace {self.namespace}")

    def _ask(self, name: str, request: Callable[[], Answer]) -> Answer | None:
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            return request()
        except ApiException as error:
            if error.status == NOT_FOUND:
                return None
            text = f"Kubernetes: {name} in namespace {self.namespace}: {error.status} {error.reason}"
            status = int(error.status or 0)
            is_transient = status in TRANSIENT_STATUSES or status >= 500 or status == 0  # noqa: PLR2004 - HTTP's
            raise (Unavailable(text) if is_transient else Refused(text)) from None
        except (HTTPError, OSError) as error:
            raise Unavailable(f"Kubernetes does not answer: {error}") from None


def connect(namespace: str) -> KubernetesObjects:
    """Return a namespace's objects, by the pod's service account or by KUBECONFIG. InvalidSetting without either."""
    if not {IN_CLUSTER, "KUBECONFIG"} & os.environ.keys():
        raise InvalidSetting(f"KUBECONFIG: missing, expected the file of the stage's cluster ({HOW})")
    try:
        from kubernetes import client, config  # noqa: PLC0415
    except ImportError:
        raise InvalidSetting("the package kubernetes is missing: pip install 'tandem[kubernetes]'") from None
    try:
        config.load_config()  # type: ignore[no-untyped-call]  # the client has types for the API alone
    except config.ConfigException as error:
        why = " ".join(str(error).split())
        raise InvalidSetting(f"KUBECONFIG: expected the file of the stage's cluster ({HOW}): {why}") from None
    return KubernetesObjects(client.CustomObjectsApi(), namespace)

"""A real Prometheus, Debian's, that scrapes a test's worker, with k8s/components' rules on a shorter time scale."""

import json
import math
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import yaml

from sandbox.broker.kraft import free_ports
from sandbox.process import Process
from tests.integration.picture import Series
from tests.integration.waiting import eventually
from tests.manifests.prometheus import rules
from tests.manifests.prometheus.dashboard import Query

MINUTE: Final = 2  # seconds for a minute of the rules: windows, offsets and `for` are 30 times shorter
INTERVAL: Final = "500ms"  # of scrapes, for 15 s, and of evaluations

ANSWER_SECONDS: Final = 60
NAMESPACE: Final = "tandem-test"
POD: Final = "worker-logins-7d4b9c-x2x4z"
OURS: Final = f'namespace="{NAMESPACE}"'
SCALING: Final = 'condition="ScalingActive", status="true"'
# The metrics of kube-state-metrics for one healthy worker, which rules and dashboard read.
CLUSTER: Final = f"""
kube_pod_status_ready{{{OURS}, pod="{POD}", condition="true"}} 1
kube_pod_container_status_restarts_total{{{OURS}, pod="{POD}", container="worker"}} 0
kube_pod_container_resource_requests{{{OURS}, pod="{POD}", container="worker", resource="cpu", unit="core"}} 1
kube_deployment_spec_replicas{{{OURS}, deployment="worker-logins"}} 1
kube_deployment_status_replicas_available{{{OURS}, deployment="worker-logins"}} 1
kube_horizontalpodautoscaler_status_condition{{{OURS}, horizontalpodautoscaler="worker-logins", {SCALING}}} 1
"""


class Prometheus(AbstractContextManager["Prometheus"]):
    """Listens on a free port of the loopback address, keeps its data in `folder`, and ends with `with`."""

    def __init__(self, folder: Path, worker_port: int, cluster_port: int) -> None:
        self._address = f"127.0.0.1:{free_ports(1)[0]}"
        (folder / "rules.yaml").write_text(rules.shortened(MINUTE))
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(_config(worker_port, cluster_port)))
        command = [
            shutil.which("prometheus") or "prometheus", f"--web.listen-address={self._address}",
            f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}",
        ]  # fmt: skip
        self._process = Process(command, folder / "prometheus.log")
        try:
            eventually(self._ready, self._process.tail)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        self._process.kill()

    def rules(self) -> dict[str, str]:
        """Return every loaded rule and its health: ok, unknown (not evaluated yet) or err."""
        return {rule["name"]: rule["health"] for group in self._get("rules")["groups"] for rule in group["rules"]}

    def query(self, expression: str) -> list[float]:
        """Return the finite numbers of an instant query."""
        values = (float(series["value"][1]) for series in self._get("query", query=expression)["result"])
        return [value for value in values if math.isfinite(value)]

    def over(self, seconds: float, query: Query) -> Iterator[Series]:
        """Yield the results of a dashboard's query, twice a second, without series that have no number."""
        end = time.time()
        parameters = {"query": query.expression, "start": str(end - seconds), "end": str(end), "step": "0.5"}
        for series in self._get("query_range", **parameters)["result"]:
            values = ((float(at) - end + seconds, float(value)) for at, value in series["values"])
            points = [(at, value) for at, value in values if math.isfinite(value)]
            if points:
                yield Series(query.name(series["metric"]), points)

    def firing(self) -> set[str]:
        """Return the alerts that are firing."""
        return {alert["labels"]["alertname"] for alert in self._get("alerts")["alerts"] if alert["state"] == "firing"}

    def fired(self) -> set[str]:
        """Return the alerts that are firing or ever fired."""
        found = self._get("query", query='count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[1h]))')
        return {series["metric"]["alertname"] for series in found["result"]}

    def _ready(self) -> bool:
        assert self._process.running, self._process.tail()
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=ANSWER_SECONDS) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _get(self, what: str, **parameters: str) -> dict[str, Any]:
        url = f"http://{self._address}/api/v1/{what}?{urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
                found: dict[str, Any] = json.load(answer)["data"]
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{url}: {error.read().decode()}") from error


def _config(worker_port: int, cluster_port: int) -> Mapping[str, Any]:
    """Return the configuration: the worker with a PodMonitor's labels; the cluster's page has its own labels."""
    worker = {"targets": [f"127.0.0.1:{worker_port}"], "labels": {"namespace": NAMESPACE, "pod": POD}}
    return {
        "global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {"job_name": "worker", "static_configs": [worker]},
            {
                "job_name": "cluster",
                "honor_labels": True,
                "static_configs": [{"targets": [f"127.0.0.1:{cluster_port}"]}],
            },
        ],
    }

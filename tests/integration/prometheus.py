"""A real Prometheus, Debian's, that scrapes what a test runs, with the rules of k8s/components in a shorter time."""

import json
import math
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import yaml

from functions.local.broker.kraft import free_ports
from tests.integration.picture import Line
from tests.integration.waiting import eventually
from tests.manifests.prometheus import rules
from tests.manifests.prometheus.dashboard import Query

MINUTE: Final = 2  # seconds that a minute of the rules lasts here: windows, offsets and `for` are 30 times as short
INTERVAL: Final = "500ms"  # of scrapes, for 15 s, and of evaluations

NAMESPACE: Final = "tandem-test"
POD: Final = "worker-logins-7d4b9c-x2x4z"
OURS: Final = f'namespace="{NAMESPACE}"'
# What kube-state-metrics would tell of one healthy worker: rules and dashboard read it, no worker can tell it.
CLUSTER: Final = f"""
kube_pod_status_ready{{{OURS}, pod="{POD}", condition="true"}} 1
kube_pod_container_status_restarts_total{{{OURS}, pod="{POD}", container="worker"}} 0
kube_pod_container_resource_requests{{{OURS}, pod="{POD}", container="worker", resource="cpu", unit="core"}} 1
kube_deployment_spec_replicas{{{OURS}, deployment="worker-logins"}} 1
kube_deployment_status_replicas_available{{{OURS}, deployment="worker-logins"}} 1
"""


class Prometheus(AbstractContextManager["Prometheus"]):
    """Listens on a free port of the loopback address, keeps its data in `folder`, and ends with `with`."""

    def __init__(self, folder: Path, worker_port: int, cluster_port: int) -> None:
        self._at = f"127.0.0.1:{free_ports(1)[0]}"
        self._log = folder / "prometheus.log"
        (folder / "rules.yaml").write_text(rules.shortened(MINUTE))
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(_config(worker_port, cluster_port)))
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                [
                    shutil.which("prometheus") or "prometheus", f"--web.listen-address={self._at}",
                    f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}",
                ],
                stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            eventually(self._ready, self.said)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-2000:]

    def rules(self) -> dict[str, str]:
        """Every rule that it has loaded, and its health: ok, unknown (not evaluated yet) or err."""
        return {rule["name"]: rule["health"] for group in self._get("rules")["groups"] for rule in group["rules"]}

    def query(self, expression: str) -> list[float]:
        """The numbers that an instant query finds now; those that are none are left out."""
        values = (float(series["value"][1]) for series in self._get("query", query=expression)["result"])
        return [value for value in values if math.isfinite(value)]

    def over(self, seconds: float, query: Query) -> Iterator[Line]:
        """What a query of the dashboard has found, twice a second; series without a number are left out."""
        end = time.time()
        asked = {"query": query.expression, "start": str(end - seconds), "end": str(end), "step": "0.5"}
        for series in self._get("query_range", **asked)["result"]:
            values = ((float(at) - end + seconds, float(value)) for at, value in series["values"])
            points = [(at, value) for at, value in values if math.isfinite(value)]
            if points:
                yield Line(query.name(series["metric"]), points)

    def firing(self) -> set[str]:
        """The alerts that fire now."""
        return {alert["labels"]["alertname"] for alert in self._get("alerts")["alerts"] if alert["state"] == "firing"}

    def fired(self) -> set[str]:
        """The alerts that fire or have ever fired."""
        found = self._get("query", query='count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[1h]))')
        return {series["metric"]["alertname"] for series in found["result"]}

    def _ready(self) -> bool:
        assert self._process.poll() is None, self.said()
        try:
            with urllib.request.urlopen(f"http://{self._at}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _get(self, what: str, **parameters: str) -> dict[str, Any]:
        url = f"http://{self._at}/api/v1/{what}?{urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)["data"]
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{url}: {error.read().decode()}") from error


def _config(worker_port: int, cluster_port: int) -> Mapping[str, Any]:
    """The worker with the labels that a PodMonitor gives; the cluster's page has its own, as kube-state-metrics has."""
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

"""A real Prometheus scrapes a real worker: rules load, the right alerts fire, every query of the dashboard finds data.

The test serves what only kube-state-metrics has: readiness, restarts, replicas, requests. The alerts on
restarts and replicas are shown by promtool alone, in tests/manifests.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from functions.runtimes.worker.probes import Probes
from tests.integration.picture import Series, svg
from tests.integration.prometheus import CLUSTER, MINUTE, NAMESPACE, Prometheus
from tests.integration.records import ProducedRecord, login
from tests.integration.stage import Stage
from tests.integration.test_worker import stream
from tests.integration.waiting import PATIENCE, eventually
from tests.integration.worker import ProbedWorker
from tests.manifests.prometheus import rules
from tests.manifests.prometheus.dashboard import dashboard, panels, queries
from tests.proxy.proxy import Proxy

pytestmark = pytest.mark.usefixtures("real", "prometheus_is_here")

VALUES = {
    "namespace": NAMESPACE,
    "pipeline": ".+",
    "vcpu_hour": "0.0408",
    "__rate_interval": "10s",
    "__range": "1m",
}
PICTURE = Path("build/dashboard.svg")
SHOWN = 60.0  # seconds
BAD = ProducedRecord(b"not a login", "undecodable")


@pytest.fixture
def prometheus_is_here() -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("needs Prometheus, of Debian's package prometheus")


@pytest.fixture
def cluster() -> Iterator[int]:
    """The port of a page with the metrics of kube-state-metrics."""
    with closing(Probes(("127.0.0.1", 0), lambda: None, lambda: None, CLUSTER.encode)) as page:
        yield page.port


def watch(stage: Stage, worker: ProbedWorker, cluster: int) -> Prometheus:
    worker.ready()
    return Prometheus(stage.folder, worker.lines("worker started")[0]["http_port"], cluster)


def few_bad(number: int) -> ProducedRecord:
    """Return half of the rejects that fire an alert."""
    return BAD if number % 40 == 0 else login(number)


def draw(prometheus: Prometheus) -> None:
    """Draw the dashboard: docs/images/dashboard.png is this, by `rsvg-convert -o FILE PICTURE`."""
    found: dict[str, list[Series]] = defaultdict(list)
    for query in queries(VALUES):
        found[query.panel] += prometheus.over(SHOWN, query)
    assert set(found) == {panel["title"] for panel in panels()}
    assert all(found.values())
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(svg(dashboard()["panels"], found, SHOWN))


def quiet(prometheus: Prometheus, minutes: int) -> None:
    """Wait until targets were scraped for so many minutes of the rules, long enough for an alert to fire."""
    watched = f"min_over_time(up[{minutes * MINUTE}s]) == 1 and up offset {minutes * MINUTE}s"
    eventually(lambda: prometheus.query(watched), within=2 * minutes * MINUTE + PATIENCE)


@pytest.mark.timeout(900)
def test_under_load_rules_load_no_alert_fires_and_every_query_of_the_dashboard_returns_data(
    stage: Stage, cluster: int
) -> None:
    with stage.worker() as worker, watch(stage, worker, cluster) as prometheus, stream(stage):
        due = {rule.get("alert") or rule["record"] for group in rules.groups() for rule in group["rules"]}
        eventually(lambda: prometheus.rules() == dict.fromkeys(due, "ok"), prometheus.rules)
        for query in queries(VALUES):
            eventually(partial(prometheus.query, query.expression), partial(str, query))
        quiet(prometheus, 20)  # the window of LagGrowing, and as long again
        assert prometheus.fired() == set()


@pytest.mark.timeout(900)
def test_a_store_that_is_away_fires_no_progress_and_nothing_else(stage: Stage, cluster: int, proxy: Proxy) -> None:
    with stage.worker(**proxy.environment) as worker, watch(stage, worker, cluster) as prometheus:
        with stream(stage, record=few_bad):
            quiet(prometheus, 5)
            proxy.refuse()
            eventually(lambda: prometheus.firing() == {"TandemNoProgress"}, prometheus.firing)
            proxy.accept()
            eventually(lambda: not prometheus.firing(), prometheus.firing)
            eventually(lambda: prometheus.query("sum(tandem_lag_records) < 500"), stage.state)
            draw(prometheus)
        stage.settle(worker)
        assert prometheus.fired() == {"TandemNoProgress"}


@pytest.mark.timeout(900)
def test_a_flood_of_rejects_fires_flood_and_nothing_else(stage: Stage, cluster: int) -> None:
    with stage.worker(TANDEM_SLICE_SECONDS="1") as worker, watch(stage, worker, cluster) as prometheus:
        stage.produce([BAD] * 1200, partition=0)
        with stream(stage):
            eventually(lambda: prometheus.firing() == {"TandemFlood"}, prometheus.firing)
            quiet(prometheus, 8)  # NoProgress would fire after 7
            assert prometheus.fired() == {"TandemFlood"}

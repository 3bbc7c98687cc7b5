"""Network policies deny all traffic except what a worker needs."""

from collections.abc import Mapping
from pathlib import Path

from cdk.choices import NewNetwork
from cdk.config import StageConfig
from tests.manifests.conftest import VPC_RANGE, Object, Rendered, with_components

AGENT = "169.254.170.23/32"  # EKS documentation, "Pod Identity Agent"
SERVICE_RANGES = {"10.100.0.0/16", "172.20.0.0/16"}  # EKS API reference, "KubernetesNetworkConfigRequest"
NODE_LOCAL = "169.254.20.10/32"  # Kubernetes documentation, "Using NodeLocal DNSCache in Kubernetes Clusters"


def blocks(rule: Object) -> set[str]:
    return {each["ipBlock"]["cidr"] for each in rule["to"] if "ipBlock" in each}


def ports(rule: Object) -> set[object]:
    return {each["port"] for each in rule["ports"]}


def egress_rules(overlay: Rendered) -> dict[frozenset[object], Object]:
    rules = overlay.kind("NetworkPolicy")["worker-logins"]["spec"]["egress"]
    return {frozenset(ports(rule)): rule for rule in rules}


def test_the_default_denies_all_traffic(administered: Rendered) -> None:
    deny = administered.kind("NetworkPolicy")["default-deny"]["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_monitoring_may_connect(overlay: Rendered) -> None:
    (rule,) = overlay.kind("NetworkPolicy")["worker-logins"]["spec"]["ingress"]
    assert rule == {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "ports": [{"port": "http"}],
    }


def test_egress_is_limited_to_dns_kafka_https_and_the_pod_identity_agent(overlay: Rendered) -> None:
    out = egress_rules(overlay)
    assert set(out) == {frozenset({53}), frozenset({9096, 9098}), frozenset({443}), frozenset({80})}
    assert all(rule["to"] for rule in out.values())
    assert blocks(out[frozenset({80})]) == {AGENT}
    assert {each["protocol"] for each in out[frozenset({53})]["ports"]} == {"UDP", "TCP"}
    assert NODE_LOCAL in blocks(out[frozenset({53})])


def test_brokers_are_reachable_only_in_the_vpc(
    overlay: Rendered, stage: str, stages: Mapping[str, StageConfig]
) -> None:
    network = stages[stage].network
    assert isinstance(network, NewNetwork)
    out = egress_rules(overlay)
    assert blocks(out[frozenset({9096, 9098})]) == {network.cidr}
    assert network.cidr in blocks(out[frozenset({53})])


def test_the_overlay_sets_the_vpcs_range(tmp_path: Path, stage: str) -> None:
    rendered = with_components(tmp_path, stage)
    assert "/16" not in VPC_RANGE
    out = egress_rules(rendered)
    assert blocks(out[frozenset({9096, 9098})]) == {VPC_RANGE}
    assert blocks(out[frozenset({53})]) == {VPC_RANGE, NODE_LOCAL, *SERVICE_RANGES}
    assert "network" not in rendered.kind("ConfigMap")

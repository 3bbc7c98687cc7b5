"""Who may talk to whom: nobody, unless a worker needs it."""

from collections.abc import Mapping

from cdk.choices import NewNetwork
from cdk.config import StageConfig
from tests.manifests.conftest import Object, Rendered

AGENT = "169.254.170.23/32"  # EKS documentation, "Pod Identity Agent"
NODE_LOCAL = "169.254.20.10/32"  # Kubernetes documentation, "Using NodeLocal DNSCache in Kubernetes Clusters"


def blocks(rule: Object) -> set[str]:
    return {each["ipBlock"]["cidr"] for each in rule["to"] if "ipBlock" in each}


def ports(rule: Object) -> set[object]:
    return {each["port"] for each in rule["ports"]}


def ways_out(overlay: Rendered) -> dict[frozenset[object], Object]:
    rules = overlay.kind("NetworkPolicy")["worker-logins"]["spec"]["egress"]
    return {frozenset(ports(rule)): rule for rule in rules}


def test_the_default_is_nothing(overlay: Rendered) -> None:
    deny = overlay.kind("NetworkPolicy")["default-deny"]["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_monitoring_comes_in(overlay: Rendered) -> None:
    (rule,) = overlay.kind("NetworkPolicy")["worker-logins"]["spec"]["ingress"]
    assert rule == {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "ports": [{"port": "http"}],
    }


def test_what_goes_out(overlay: Rendered) -> None:
    out = ways_out(overlay)
    assert set(out) == {frozenset({53}), frozenset({9096, 9098}), frozenset({443}), frozenset({80})}
    assert all(rule["to"] for rule in out.values())
    assert blocks(out[frozenset({80})]) == {AGENT}
    assert {each["protocol"] for each in out[frozenset({53})]["ports"]} == {"UDP", "TCP"}
    assert NODE_LOCAL in blocks(out[frozenset({53})])


def test_brokers_are_looked_for_in_the_vpc(overlay: Rendered, stage: str, stages: Mapping[str, StageConfig]) -> None:
    network = stages[stage].network
    assert isinstance(network, NewNetwork)
    out = ways_out(overlay)
    assert blocks(out[frozenset({9096, 9098})]) == {network.cidr}
    assert network.cidr in blocks(out[frozenset({53})])

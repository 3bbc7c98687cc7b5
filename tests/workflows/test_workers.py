"""workers.sh prints the difference, applies it, and waits; if workers do not become ready, it rolls back."""

import pytest

from tests.workflows.conftest import Stage

DIGEST = "sha256:" + "a" * 64
REPOSITORY = "111122223333.dkr.ecr.us-east-1.amazonaws.com/tandem-dev"
LOGINS, ORDERS = "deployment.apps/worker-logins", "deployment.apps/worker-orders"
NAMES = "get deployments --selector app.kubernetes.io/name=tandem,app.kubernetes.io/component=worker --output name"
KEPT = '?(@.kind=="Deployment")'
ANSWERS = [
    ("parameter --name /tandem/dev/cluster-name", "tandem-dev", 0),
    ("parameter --name /tandem/dev/repository-uri", REPOSITORY, 0),
    ("parameter --name /tandem/dev/worker-env", "TANDEM_STAGE=dev\nAWS_REGION=us-east-1", 0),
    ("kustomize build", "kind: List", 0),
    (NAMES, LOGINS, 0),
    ("--field-selector metadata.name=worker-logins", "5", 0),
    ("{.metadata.name} {.spec.replicas} {.status.readyReplicas}", "worker-logins 3 3", 0),
    ("jsonpath={range .items[*]}{.metadata.name}=", "worker-logins=4", 0),
    ("{.spec.minReplicas}{.spec.minReplicaCount}", " \nworker-logins 3", 0),
    (KEPT, LOGINS, 0),
    ("jsonpath={.spec.replicas}", "3", 0),
    ("jsonpath={.status.readyReplicas}", "3", 0),
]  # fmt: skip


@pytest.fixture
def cluster(stage: Stage) -> Stage:
    stage.stand_in("aws", "kubectl", "kustomize", "curl")
    stage.answers += ANSWERS
    return stage


def test_workers_are_updated_to_the_digest(cluster: Stage) -> None:
    cluster.answers.insert(0, ("kubectl diff", "+ image", 1))  # there are differences
    done = cluster.run("workers.sh", "dev", DIGEST)
    assert done.returncode == 0, done.stderr
    assert (cluster.folder / "k8s/overlays/dev/stage.env").read_text() == "TANDEM_STAGE=dev\nAWS_REGION=us-east-1\n"
    assert cluster.calls("edit set image") == [f"kustomize edit set image tandem={REPOSITORY}@{DIGEST}"]
    steps = ("set image", "update-kubeconfig", "kustomize build", "kubectl diff", "kubectl apply", "rollout", "/readyz")
    order = [next(number for number, call in enumerate(cluster.calls()) if step in call) for step in steps]
    assert order == sorted(order)
    assert [cluster.calls(verb) for verb in ("undo", "scale deployment", " delete ")] == [[], [], []]


def test_the_overlay_alone_can_be_written_and_committed(cluster: Stage) -> None:
    """As docs/gitops.md does: nothing but the two files' contents changes, and no cluster is asked."""
    done = cluster.run("overlay.sh", "dev", DIGEST)
    assert (done.returncode, done.stdout) == (0, f"{REPOSITORY}@{DIGEST}\n")
    assert (cluster.folder / "k8s/overlays/dev/stage.env").read_text() == "TANDEM_STAGE=dev\nAWS_REGION=us-east-1\n"
    assert cluster.calls("kubectl") == []


def test_what_was_shown_is_what_is_applied(cluster: Stage) -> None:
    cluster.run("workers.sh", "dev", DIGEST)
    assert (cluster.folder / "build/manifests-dev.yaml").read_text() == "kind: List\n"
    (shown,), (applied,) = cluster.calls("kubectl diff"), cluster.calls("kubectl apply")
    assert shown.split()[2:] == applied.split()[2:] == ["--filename", "build/manifests-dev.yaml"]


def test_an_error_in_the_difference_stops_it_before_the_apply(cluster: Stage) -> None:
    cluster.answers.insert(0, ("kubectl diff", "", 2))
    assert cluster.run("workers.sh", "dev", DIGEST).returncode != 0
    assert cluster.calls("kubectl apply") == []


FAILURES = [
    ("kubectl apply", "the apply failed"),
    ("rollout status deployment.apps/worker-logins", "did not become ready"),
    ("/readyz", "does not answer /readyz"),
]


@pytest.mark.parametrize(("fails", "why"), FAILURES)
def test_it_rolls_back_to_the_previous_revision(cluster: Stage, fails: str, why: str) -> None:
    cluster.answers.insert(0, (fails, "", 1))
    failed = cluster.run("workers.sh", "dev", DIGEST)
    assert failed.returncode == 1
    assert why in failed.stderr
    assert cluster.calls("undo") == [
        "kubectl --namespace tandem-dev rollout undo deployment/worker-logins --to-revision 4"
    ]


@pytest.mark.parametrize(("fails", "why"), FAILURES[1:])
@pytest.mark.parametrize("before", ["worker-logins 3 2", "worker-logins 3 "])
def test_workers_that_were_not_ready_before_are_reported_and_not_rolled_back(
    cluster: Stage, fails: str, why: str, before: str
) -> None:
    cluster.answers[:0] = [(fails, "", 1), ("{.metadata.name} {.spec.replicas} {.status.readyReplicas}", before, 0)]
    failed = cluster.run("workers.sh", "dev", DIGEST)
    assert failed.returncode == 1
    assert f"{LOGINS} {why}, and was not ready before this release either" in failed.stderr
    assert cluster.calls("undo") == []


def test_workers_that_were_not_ready_before_and_come_up_pass(cluster: Stage) -> None:
    cluster.answers.insert(0, ("{.metadata.name} {.spec.replicas} {.status.readyReplicas}", "worker-logins 3 ", 0))
    assert cluster.run("workers.sh", "dev", DIGEST).returncode == 0


def test_an_unchanged_deployment_is_not_rolled_back(cluster: Stage) -> None:
    cluster.answers.insert(0, ("--field-selector metadata.name=worker-logins", "4", 0))
    cluster.answers.insert(0, ("kubectl apply", "", 1))
    assert cluster.run("workers.sh", "dev", DIGEST).returncode == 1
    assert cluster.calls("undo") == []


def test_a_worker_without_replicas_is_neither_probed_nor_scaled(cluster: Stage) -> None:
    cluster.answers[:0] = [("jsonpath={.status.readyReplicas}", "", 0), ("jsonpath={.spec.replicas}", "0", 0)]
    assert cluster.run("workers.sh", "dev", DIGEST).returncode == 0
    assert cluster.calls("/readyz") == cluster.calls("scale deployment") == []


def test_a_new_deployment_is_raised_to_its_minimum_even_without_an_autoscaler(cluster: Stage) -> None:
    cluster.answers.insert(0, ("jsonpath={.spec.replicas}", "1", 0))
    assert cluster.run("workers.sh", "dev", DIGEST).returncode == 0
    assert cluster.calls("scale deployment") == [
        "kubectl --namespace tandem-dev scale deployment/worker-logins --replicas 3"
    ]


@pytest.mark.parametrize("kinds", ["scaledobjects.keda.sh", ""])
def test_a_pipeline_that_left_the_overlay_stops_consuming(cluster: Stage, kinds: str) -> None:
    cluster.answers[:0] = [
        (NAMES, f"{LOGINS}\n{ORDERS}", 0),
        ("jsonpath={.metadata.labels.tandem/pipeline}", "orders", 0),
        ("api-resources --api-group keda.sh", kinds, 0),
    ]
    done = cluster.run("workers.sh", "dev", DIGEST)
    assert done.returncode == 0, done.stderr
    (deleted,) = cluster.calls(" delete ")
    assert deleted.endswith("--selector tandem/pipeline=orders")
    assert ("scaledobjects," in deleted) == bool(kinds)
    assert "deployments" in deleted
    assert f"{ORDERS}: not in k8s/overlays/dev, so it is deleted" in done.stdout


def test_a_tag_is_refused(cluster: Stage) -> None:
    refused = cluster.run("workers.sh", "dev", "latest")
    assert (refused.returncode, refused.stderr) == (2, "overlay.sh: DIGEST: expected sha256:..., got latest\n")
    assert cluster.calls() == []

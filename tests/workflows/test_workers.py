"""workers.sh: the difference first, then the apply, then the wait; and back when the workers do not stand."""

import pytest

from tests.workflows.conftest import Stage

DIGEST = "sha256:" + "a" * 64
REPOSITORY = "111122223333.dkr.ecr.us-east-1.amazonaws.com/tandem-dev"
TOLD = [
    ("parameter --name /tandem/dev/cluster-name", "tandem-dev", 0),
    ("parameter --name /tandem/dev/repository-uri", REPOSITORY, 0),
    ("parameter --name /tandem/dev/worker-env", "TANDEM_STAGE=dev\nAWS_REGION=us-east-1", 0),
    ("get deployments --selector app.kubernetes.io/name=tandem,app.kubernetes.io/component=worker --output name",
     "deployment.apps/worker-logins", 0),
    ("--field-selector metadata.name=worker-logins", "5", 0),
    ("jsonpath={range .items[*]}", "worker-logins=4", 0),
    ("jsonpath={.status.readyReplicas}", "2", 0),
]  # fmt: skip


@pytest.fixture
def cluster(stage: Stage) -> Stage:
    stage.stand_in("aws", "kubectl", "kustomize", "curl")
    stage.answers += TOLD
    return stage


def test_workers_come_to_the_digest(cluster: Stage) -> None:
    cluster.answers.insert(0, ("kubectl diff", "+ image", 1))  # there are differences
    done = cluster.run("workers.sh", "dev", DIGEST)
    assert done.returncode == 0, done.stderr
    assert (cluster.folder / "k8s/overlays/dev/stage.env").read_text() == "TANDEM_STAGE=dev\nAWS_REGION=us-east-1\n"
    assert cluster.calls("edit set image") == [f"kustomize edit set image tandem={REPOSITORY}@{DIGEST}"]
    order = [
        next(number for number, call in enumerate(cluster.calls()) if part in call)
        for part in ("update-kubeconfig", "set image", "kubectl diff", "kubectl apply", "rollout status", "/readyz")
    ]
    assert order == sorted(order)
    assert cluster.calls("undo") == []


def test_what_is_an_administrators_is_left_out(cluster: Stage) -> None:
    cluster.run("workers.sh", "dev", DIGEST)
    assert [call.split()[5] for call in cluster.calls("edit add patch")] == [
        "Namespace", "PriorityClass", "NodePool", "Role", "RoleBinding",
    ]  # fmt: skip


def test_a_difference_that_cannot_be_told_stops_it_before_anything_is_applied(cluster: Stage) -> None:
    cluster.answers.insert(0, ("kubectl diff", "", 2))
    assert cluster.run("workers.sh", "dev", DIGEST).returncode != 0
    assert cluster.calls("kubectl apply") == []


@pytest.mark.parametrize(
    ("fails", "why"),
    [
        ("kubectl apply", "the apply failed"),
        ("rollout status deployment.apps/worker-logins", "did not come up"),
        ("/readyz", "does not answer /readyz"),
    ],
)
def test_it_goes_back_to_the_revision_that_ran(cluster: Stage, fails: str, why: str) -> None:
    cluster.answers.insert(0, (fails, "", 1))
    failed = cluster.run("workers.sh", "dev", DIGEST)
    assert failed.returncode == 1
    assert why in failed.stderr
    assert cluster.calls("undo") == [
        "kubectl --namespace tandem-dev rollout undo deployment/worker-logins --to-revision 4"
    ]


def test_what_did_not_change_is_not_undone(cluster: Stage) -> None:
    cluster.answers.insert(0, ("--field-selector metadata.name=worker-logins", "4", 0))
    cluster.answers.insert(0, ("kubectl apply", "", 1))
    assert cluster.run("workers.sh", "dev", DIGEST).returncode == 1
    assert cluster.calls("undo") == []


def test_a_resting_worker_is_not_asked_whether_it_is_ready(cluster: Stage) -> None:
    cluster.answers.insert(0, ("jsonpath={.status.readyReplicas}", "", 0))
    assert cluster.run("workers.sh", "dev", DIGEST).returncode == 0
    assert cluster.calls("/readyz") == []


def test_a_tag_is_not_a_digest(cluster: Stage) -> None:
    refused = cluster.run("workers.sh", "dev", "latest")
    assert (refused.returncode, refused.stderr) == (2, "workers.sh: DIGEST takes sha256:..., got latest\n")
    assert cluster.calls() == []

"""The scheduled handover: its command exists, its rights are those that the switch uses, and one runs at a time."""

import pytest
from typer.testing import CliRunner

from functions.adapters.worker_switch import AUTOSCALER, DEPLOYMENT, SCALED_OBJECT
from functions.cli.main import app
from functions.core import names
from functions.core.errors import TandemError
from tests.manifests.conftest import K8S, Rendered, render


@pytest.fixture(scope="module")
def handover() -> Rendered:
    return render(K8S / "cluster/handover")


def test_the_role_has_the_rights_that_the_switch_uses(handover: Rendered) -> None:
    (role,) = handover.kind("Role").values()
    allowed = {
        (rule["apiGroups"][0], rule["resources"][0]): (rule["resourceNames"], set(rule["verbs"]))
        for rule in role["rules"]
    }
    worker = [names.worker("logins")]
    assert allowed == {
        (DEPLOYMENT.group, DEPLOYMENT.plural): (worker, {"get", "patch"}),
        (AUTOSCALER.group, AUTOSCALER.plural): (worker, {"get"}),
        (SCALED_OBJECT.group, SCALED_OBJECT.plural): (worker, {"get", "patch"}),
    }
    assert role["metadata"]["namespace"] == names.namespace("dev")


def test_the_command_is_one_that_tandem_understands(handover: Rendered, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = handover.kind("CronJob").values()
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    monkeypatch.delenv("TANDEM_STAGE", raising=False)
    done = CliRunner().invoke(app, container["args"])
    assert isinstance(done.exception, TandemError), done.output
    assert "--stage: missing" in str(done.exception), "all else was accepted"


def test_one_runs_at_a_time_and_is_not_repeated_within_itself(handover: Rendered) -> None:
    (job,) = handover.kind("CronJob").values()
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0

"""The workflows: what may run, with which rights, for how long; and that each step can be done by hand."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXTS = {path.name: path.read_text() for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}
# YAML 1.1 reads the key `on` as true.
WORKFLOWS: dict[str, dict[Any, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
JOBS = [(name, job, body) for name, workflow in WORKFLOWS.items() for job, body in workflow["jobs"].items()]
PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
each_job = pytest.mark.parametrize(
    ("name", "job", "body"), JOBS, ids=[f"{name.removesuffix('.yml')}-{job}" for name, job, _ in JOBS]
)


def used(text: str) -> list[str]:
    return re.findall(r"\buses: (.+)", text)


def commands() -> Iterator[tuple[str, str]]:
    """The shell of every step, by workflow."""
    for name, _, body in JOBS:
        yield from ((name, step["run"]) for step in body.get("steps", []) if "run" in step)


@each_job
def test_a_job_has_its_own_rights_and_ends(name: str, job: str, body: dict[str, Any]) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    assert "permissions" in body
    if "uses" not in body:  # a called workflow's jobs have times of their own
        assert 0 < body["timeout-minutes"] <= 120
        assert body["runs-on"]


@each_job
def test_a_job_becomes_an_aws_role_only_within_an_environment_and_never_for_a_pull_request(
    name: str, job: str, body: dict[str, Any]
) -> None:
    if body["permissions"].get("id-token") == "write":
        assert "pull_request" not in WORKFLOWS[name][True]
        assert "environment" in body or body["uses"] == "./.github/workflows/stage.yml"
    assert "write" not in body["permissions"].values() or body["permissions"].get("contents") != "write"


@pytest.mark.parametrize("name", TEXTS)
def test_what_runs_is_pinned_by_its_commit(name: str) -> None:
    for action in used(TEXTS[name]):
        assert PINNED.fullmatch(action) or action.startswith("./.github/workflows/"), action


def test_an_action_is_the_same_everywhere() -> None:
    actions = {action.partition(" #")[0] for text in TEXTS.values() for action in used(text)}
    versions = {action.rpartition("@")[0]: action for action in actions if "@" in action}
    assert len(versions) == sum("@" in action for action in actions)


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_holds_a_secret_or_runs_a_strangers_code_with_one(name: str) -> None:
    assert set(re.findall(r"secrets\.(\w+)", TEXTS[name])) <= {"GITHUB_TOKEN"}
    assert "secrets: inherit" not in TEXTS[name]
    assert not {"pull_request_target", "workflow_run"} & set(WORKFLOWS[name][True])


@pytest.mark.parametrize("name", TEXTS)
def test_a_checkout_leaves_no_token_behind(name: str) -> None:
    assert TEXTS[name].count("actions/checkout@") == TEXTS[name].count("persist-credentials: false")


@pytest.mark.parametrize("name", sorted(set(TEXTS) - {"stage.yml"}))
def test_runs_do_not_pile_up(name: str) -> None:
    assert WORKFLOWS[name]["concurrency"]["group"]


def test_shells_stop_at_the_first_failure_also_in_a_pipe() -> None:
    """GitHub runs `shell: bash` with -e and pipefail, and what it takes by default without the latter."""
    assert all(workflow["defaults"]["run"]["shell"] == "bash" for workflow in WORKFLOWS.values())


def test_what_ci_does_can_be_done_by_hand() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {target for _, run in commands() for target in re.findall(r"\bmake (?:--silent )?([a-z-]+)", run)}
    assert {"lint", "types", "workflows", "test", "synth", "image", "sbom", "audit", "secrets", "deploy"} <= asked
    assert asked <= targets
    scripts = {script for _, run in commands() for script in re.findall(r"\.github/scripts/[\w.-]+", run)}
    assert scripts
    assert all(os.access(ROOT / script, os.X_OK) for script in scripts)


def test_what_is_the_users_to_give_is_in_the_docs() -> None:
    asked = {name for text in TEXTS.values() for name in re.findall(r"vars\.(\w+)", text)}
    told = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/deployment.md").read_text(), re.MULTILINE)
    assert asked == {"AWS_DEPLOY_ROLE_ARN", "AWS_REGION", "CLUSTER_RUNNER"}
    assert asked <= set(told)


def test_no_expression_is_pasted_into_a_shell() -> None:
    """It would be code there. Environment variables are not."""
    assert [run for _, run in commands() if "${{" in run] == []


def test_prod_comes_after_dev_with_the_same_image() -> None:
    jobs = WORKFLOWS["deploy.yml"]["jobs"]
    assert (jobs["dev"]["needs"], jobs["prod"]["needs"]) == ("image", "dev")
    assert [job for job, body in jobs.items() if "make image" in str(body)] == ["image"]
    assert "make image" not in TEXTS["stage.yml"]


def test_every_kind_of_dependency_is_looked_after() -> None:
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    assert {each["package-ecosystem"] for each in updates} == {"pip", "github-actions", "docker", "terraform"}
    assert all(each["cooldown"]["default-days"] >= 7 for each in updates)

"""The workflows: permissions, pinning and time limits; and each step can be run by hand."""

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
MAX_JOB_MINUTES = 360  # of GitHub's runners
IMAGE_BY_DIGEST = re.compile(r"(?:docker\.io/)?[\w.-]+/[\w.-]+:[\w.-]+@sha256:[0-9a-f]{64}")
BUILDERS = {"docker/setup-buildx-action": "driver-opts", "docker/setup-qemu-action": "image"}
PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
each_job = pytest.mark.parametrize(
    ("name", "job", "body"), JOBS, ids=[f"{name.removesuffix('.yml')}-{job}" for name, job, _ in JOBS]
)


def used(text: str) -> list[str]:
    return re.findall(r"\buses: (.+)", text)


def commands() -> Iterator[tuple[str, str]]:
    """(workflow, shell code) of every step."""
    for name, _, body in JOBS:
        yield from ((name, step["run"]) for step in body.get("steps", []) if "run" in step)


def signs_only(body: dict[str, Any]) -> bool:
    """The job that builds the image. The deploy role trusts only tokens of an environment."""
    return "make --silent image-sign" in str(body) and "AWS" not in str(body) and "credentials.sh" not in str(body)


@each_job
def test_a_job_declares_its_permissions_and_a_time_limit(name: str, job: str, body: dict[str, Any]) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    assert "permissions" in body
    if "uses" not in body:  # a called workflow's jobs have their own limits
        assert 0 < body["timeout-minutes"] <= (MAX_JOB_MINUTES if name == "stage.yml" else 60)
        assert body["runs-on"]


@each_job
def test_a_job_assumes_an_aws_role_only_within_an_environment_and_never_for_a_pull_request(
    name: str, job: str, body: dict[str, Any]
) -> None:
    if body["permissions"].get("id-token") == "write":
        assert "pull_request" not in WORKFLOWS[name][True]
        in_environment = "environment" in body or body.get("uses") == "./.github/workflows/stage.yml"
        assert in_environment or signs_only(body)
    else:
        assert "credentials.sh" not in str(body)
    assert "write" not in body["permissions"].values() or body["permissions"].get("contents") != "write"


@pytest.mark.parametrize("name", TEXTS)
def test_actions_are_pinned_by_commit(name: str) -> None:
    for action in used(TEXTS[name]):
        assert PINNED.fullmatch(action) or action.startswith("./.github/workflows/"), action


def test_an_action_has_the_same_version_everywhere() -> None:
    actions = {action.partition(" #")[0] for text in TEXTS.values() for action in used(text)}
    versions = {action.rpartition("@")[0]: action for action in actions if "@" in action}
    assert len(versions) == sum("@" in action for action in actions)


@pytest.mark.parametrize("name", TEXTS)
def test_no_workflow_has_a_secret_or_runs_untrusted_code_with_one(name: str) -> None:
    assert set(re.findall(r"secrets\.(\w+)", TEXTS[name])) <= {"GITHUB_TOKEN"}
    assert "secrets: inherit" not in TEXTS[name]
    assert not {"pull_request_target", "workflow_run"} & set(WORKFLOWS[name][True])


@pytest.mark.parametrize("name", TEXTS)
def test_a_checkout_persists_no_token(name: str) -> None:
    assert TEXTS[name].count("actions/checkout@") == TEXTS[name].count("persist-credentials: false")


@pytest.mark.parametrize("name", sorted(set(TEXTS) - {"stage.yml"}))
def test_workflows_limit_concurrent_runs(name: str) -> None:
    assert WORKFLOWS[name]["concurrency"]["group"]


def test_shells_stop_at_the_first_failure_even_in_a_pipe() -> None:
    """GitHub runs `shell: bash` with -e and pipefail, but its default shell without pipefail."""
    assert all(workflow["defaults"]["run"]["shell"] == "bash" for workflow in WORKFLOWS.values())


def test_every_step_of_ci_can_be_run_by_hand() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    names = {target for _, run in commands() for target in re.findall(r"\bmake (?:--silent )?([a-z-]+)", run)}
    assert {"lint", "types", "workflows", "test", "synth", "image", "sbom", "audit", "secrets", "deploy"} <= names
    assert names <= targets
    scripts = {script for _, run in commands() for script in re.findall(r"\.github/scripts/[\w.-]+", run)}
    assert scripts
    assert all(os.access(ROOT / script, os.X_OK) for script in scripts)


def test_the_variables_that_users_set_are_documented() -> None:
    names = {name for text in TEXTS.values() for name in re.findall(r"vars\.(\w+)", text)}
    documented = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/deployment.md").read_text(), re.MULTILINE)
    assert names == {"AWS_DEPLOY_ROLE_ARN", "AWS_REGION", "CLUSTER_RUNNER", "SMOKE_POD"}
    assert names <= set(documented)


def test_no_expression_is_interpolated_into_shell_code() -> None:
    """An expression would become code there; an environment variable does not."""
    assert [run for _, run in commands() if "${{" in run] == []


def test_a_release_needs_a_passed_ci() -> None:
    jobs = WORKFLOWS["deploy.yml"]["jobs"]
    assert jobs["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert "ci" in jobs["dev"]["needs"]
    assert "workflow_call" in WORKFLOWS["ci.yml"][True]


def test_a_release_that_waits_for_approval_blocks_no_other_stage() -> None:
    jobs = WORKFLOWS["deploy.yml"]["jobs"]
    groups = {stage: jobs[stage]["concurrency"] for stage in ("dev", "prod")}
    assert {each["group"] for each in groups.values()} == {"deploy-dev", "deploy-prod"}
    assert not any(each["cancel-in-progress"] for each in groups.values())
    assert "github.sha" in WORKFLOWS["deploy.yml"]["concurrency"]["group"]


def test_prod_comes_after_dev_with_the_same_image() -> None:
    jobs = WORKFLOWS["deploy.yml"]["jobs"]
    assert (jobs["dev"]["needs"], jobs["prod"]["needs"]) == (["ci", "image"], ["image", "dev"])
    assert [job for job, body in jobs.items() if "make image" in str(body)] == ["image"]
    assert not re.search(r"make (--silent )?image\b(?!-verify)", TEXTS["stage.yml"])


def test_a_stage_deploys_only_what_the_build_job_signed() -> None:
    """The digest comes from the build job's output, not from the artifact, which later jobs could replace."""
    jobs, stage = WORKFLOWS["deploy.yml"]["jobs"], WORKFLOWS["stage.yml"]
    (build,) = [body for body in jobs.values() if "make image-scan" in str(body)]
    assert build["outputs"] == {"digest": "${{ steps.sign.outputs.digest }}"}
    assert {jobs[name]["with"]["digest"] for name in ("dev", "prod")} == {"${{ needs.image.outputs.digest }}"}
    assert stage[True]["workflow_call"]["inputs"]["digest"]["required"] is True
    release = stage["jobs"]["release"]
    assert release["env"]["DIGEST"] == "${{ inputs.digest }}"
    runs = [step.get("run", "") for step in release["steps"]]
    order = [
        next(number for number, run in enumerate(runs) if part in run)
        for part in (
            'make image-verify DIGEST="$DIGEST"',
            "credentials.sh write",
            "make deploy",
            'make --silent push REPOSITORY="$repository" DIGEST="$DIGEST"',
            "make verify",
            'workers.sh "$STAGE" "$DIGEST"',
        )
    ]
    assert order == sorted(order)
    signers = [step["env"]["SIGNER"] for step in release["steps"] if "SIGNER" in step.get("env", {})]
    assert [signer.rpartition("/")[2] for signer in signers] == [
        "deploy.yml@${{ github.ref }}",
        "stage.yml@${{ github.ref }}",
    ]


def test_a_release_can_outlive_an_hour_of_the_role() -> None:
    release = WORKFLOWS["stage.yml"]["jobs"]["release"]
    assert release["timeout-minutes"] > 60
    assert "credentials.sh" in str(release)
    assert "configure-aws-credentials" not in str(release)  # an hour without renewal


@each_job
def test_images_that_build_images_are_pinned_by_digest(name: str, job: str, body: dict[str, Any]) -> None:
    for step in body.get("steps", ()):
        setting = BUILDERS.get(step.get("uses", "").partition("@")[0])
        if setting:
            assert IMAGE_BY_DIGEST.fullmatch(step["with"][setting].removeprefix("image=")), step


def test_dependabot_updates_every_kind_of_dependency() -> None:
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    assert {each["package-ecosystem"] for each in updates} == {"pip", "github-actions", "docker", "terraform"}
    assert all(each["cooldown"]["default-days"] >= 7 for each in updates)

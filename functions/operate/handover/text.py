"""What a handover prints."""

from collections.abc import Mapping

from functions.core.handover_ports import Runtime, SwitchState


def state_lines(pipeline: str, states: Mapping[Runtime, SwitchState]) -> list[str]:
    """Return a line for each runtime."""
    return [f"{pipeline}: {runtime} is {state.status}: {state.detail}" for runtime, state in states.items()]


def file_changes(stage: str, pipeline: str, runtime: Runtime) -> str:
    """Return what to change in the repository, so that the next release leaves the pipeline where it is."""
    folder = "the overlay's own resources" if runtime is Runtime.WORKER else "resting/kustomization.yaml"
    return (
        "commit this before the next release, which refuses otherwise: in cdk.json, "
        f"stages.{stage}.pipelines.{pipeline}.runtime = {runtime}; in k8s/overlays/{stage}, move pipelines/{pipeline} "
        f"to {folder}"
    )

"""What all stages have in common."""

from tests.infrastructure.conftest import Templates


def test_both_stages_have_their_stacks(templates: Templates) -> None:
    assert {stage for stage, _ in templates.by_stack} == {"dev", "prod"}
    for stage in ("dev", "prod"):
        stacks = {stack for name, stack in templates.by_stack if name == stage}
        assert {"keys", "network", "kafka", "stores", "analytics", "bursty", "steady", "watch"} <= stacks

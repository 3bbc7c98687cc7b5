"""functions.sh saves the aliases, checks new versions, and rolls the aliases back."""

import pytest

from cdk import names
from functions import registry
from tests.workflows.conftest import Stage

STATE, MAPPING, PROBLEM = "get-function-configuration", "'Disabled'].State", "LastProcessingResult"


@pytest.fixture
def account(stage: Stage) -> Stage:
    stage.stand_in("aws")
    return stage


def test_aliases_are_saved_and_rolled_back(account: Stage) -> None:
    account.answers.append(("get-alias", "7", 0))
    assert account.run("functions.sh", "save", "dev").returncode == 0
    functions = [names.function("dev", pipeline) for pipeline in registry.names()]
    assert (account.folder / "build/aliases-dev").read_text().splitlines() == [f"{name} 7" for name in functions]
    assert account.run("functions.sh", "roll-back", "dev").returncode == 0
    updates = account.calls("update-alias")
    for name, call in zip(functions, updates, strict=True):
        assert f"--function-name {name} --name live --function-version 7" in call


def test_a_new_function_has_no_version_to_roll_back_to(account: Stage) -> None:
    account.answers.append(("get-alias", "An error occurred (ResourceNotFoundException)", 254))
    assert account.run("functions.sh", "save", "dev").returncode == 0
    assert account.run("functions.sh", "roll-back", "dev").returncode == 0
    assert account.calls("update-alias") == []


def test_promote_sets_the_newest_version_even_after_a_rollback_from_it(account: Stage) -> None:
    account.answers.append(("list-versions-by-function", '"8"', 0))
    assert account.run("functions.sh", "promote", "dev").returncode == 0
    for pipeline, call in zip(registry.names(), account.calls("update-alias"), strict=True):
        assert f"--function-name {names.function('dev', pipeline)} --name live --function-version 8" in call


def test_an_error_while_listing_versions_moves_no_alias(account: Stage) -> None:
    account.answers.append(("list-versions-by-function", "", 254))
    assert account.run("functions.sh", "promote", "dev").returncode != 0
    assert account.calls("update-alias") == []


def test_active_functions_pass(account: Stage) -> None:
    checked = account.run("functions.sh", "check", "dev")
    active = [f"{names.function('dev', pipeline)}: active" for pipeline in registry.names()]
    assert (checked.returncode, checked.stdout.splitlines()) == (0, active)


@pytest.mark.parametrize(
    ("query", "answer", "message"),
    [
        (STATE, "Failed", "tandem-dev-logins: still Failed"),
        (MAPPING, "Updating", "tandem-dev-logins: still Updating"),
        (PROBLEM, "PROBLEM: Connection error", "its mapping reports: PROBLEM: Connection error"),
    ],
)
def test_an_inactive_function_or_mapping_fails(account: Stage, query: str, answer: str, message: str) -> None:
    account.answers.append((query, answer, 0))
    checked = account.run("functions.sh", "check", "dev")
    assert checked.returncode == 1
    assert message in checked.stderr


def test_a_failed_request_does_not_pass(account: Stage) -> None:
    account.answers.append((STATE, "", 255))
    assert account.run("functions.sh", "check", "dev").returncode != 0


def test_a_release_stops_if_the_aliases_cannot_be_saved(account: Stage) -> None:
    account.answers.append(("get-alias", "An error occurred (AccessDeniedException)", 254))
    refused = account.run("functions.sh", "save", "dev")
    assert refused.returncode != 0
    assert "AccessDeniedException" in refused.stderr

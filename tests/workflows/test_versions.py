"""Several releases in a row: a release can be rolled back, and old versions do not accumulate."""

import json
import sys
from pathlib import Path

import pytest

from cdk import names
from functions import registry
from tests.workflows import lambda_account
from tests.workflows.conftest import Stage

FUNCTIONS = [names.function("dev", pipeline) for pipeline in registry.names()]


class Account:
    """The functions of `dev`, as the release scripts see them."""

    def __init__(self, stage: Stage, *, retain: bool) -> None:
        self._stage, self._folder, self._retain = stage, stage.folder / "bin", retain
        program = self._folder / "aws"
        program.write_text(f"#!{sys.executable}\n{Path(lambda_account.__file__).read_text()}")
        program.chmod(0o755)

    def run(self, verb: str) -> None:
        done = self._stage.run("functions.sh", verb, "dev")
        assert done.returncode == 0, done.stderr

    def release(self, *, good: bool) -> None:
        """The release job's steps; a release that is not good fails its check."""
        self.run("save")
        lambda_account.deploy(self._folder, FUNCTIONS, retain=self._retain)
        self.run("promote")
        if good:
            self.run("check")
            self.run("prune")
        else:
            self.run("roll-back")

    def versions(self) -> list[tuple[str, list[str]]]:
        """Of each function, the live version and all published ones."""
        state = json.loads((self._folder / "account.json").read_text())
        return [(state[name]["live"], state[name]["versions"]) for name in FUNCTIONS]

    @property
    def first_deployment(self) -> "Account":
        lambda_account.deploy(self._folder, FUNCTIONS, retain=self._retain)
        return self


def test_a_bad_release_is_rolled_back_to_the_version_before_it(stage: Stage) -> None:
    account = Account(stage, retain=True).first_deployment
    account.release(good=True)
    account.release(good=False)
    assert account.versions() == [("2", ["1", "2", "3"])] * len(FUNCTIONS)


def test_without_retained_versions_there_is_nothing_to_roll_back_to(stage: Stage) -> None:
    account = Account(stage, retain=False).first_deployment
    with pytest.raises(AssertionError, match="ResourceNotFoundException"):
        account.release(good=False)


def test_good_releases_leave_the_last_three_versions(stage: Stage) -> None:
    account = Account(stage, retain=True).first_deployment
    for _ in range(5):
        account.release(good=True)
    assert account.versions() == [("6", ["4", "5", "6"])] * len(FUNCTIONS)


def test_the_live_version_is_never_deleted(stage: Stage) -> None:
    account = Account(stage, retain=True).first_deployment
    for _ in range(4):
        account.release(good=False)
    account.run("prune")
    assert account.versions() == [("1", ["1", "3", "4", "5"])] * len(FUNCTIONS)


def test_a_release_run_again_after_a_rollback_makes_its_version_live(stage: Stage) -> None:
    account = Account(stage, retain=True).first_deployment
    account.release(good=False)
    account.run("promote")
    assert account.versions() == [("2", ["1", "2"])] * len(FUNCTIONS)

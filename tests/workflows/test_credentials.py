"""credentials.sh gives the AWS CLI and SDKs credentials that they renew themselves, for as long as a job runs."""

import json
import os
import subprocess
from configparser import ConfigParser
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from tests.workflows.conftest import ROOT, Stage

ROLE = "arn:aws:iam::111122223333:role/tandem-dev-deploy"
SCRIPT = ROOT / ".github/scripts/credentials.sh"


def credentials(expires: datetime) -> str:
    return json.dumps(
        {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": expires.isoformat()}
    )


@pytest.fixture
def job(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage.stand_in("aws", "curl")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer-of-the-job")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "https://example.com/token?job=1")
    stage.answers += [("curl", '{"value": "jwt-of-github"}', 0)]
    return stage


def test_a_token_of_the_job_is_exchanged_for_the_role(job: Stage) -> None:
    job.answers.append(("assume-role-with-web-identity", credentials(datetime.now(UTC) + timedelta(hours=1)), 0))
    done = job.run("credentials.sh", ROLE, "release-7")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout).keys() == {
        "Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration",
    }  # fmt: skip
    (asked,), (assumed,) = job.calls("curl"), job.calls("aws sts")
    assert asked.endswith("https://example.com/token?job=1&audience=sts.amazonaws.com")
    assert f"--role-arn {ROLE} --role-session-name release-7 --web-identity-token jwt-of-github" in assumed
    assert "--no-sign-request" in assumed  # otherwise it would need the credentials that it gets


@pytest.mark.parametrize("fails", ["curl", "assume-role-with-web-identity"])
def test_a_refusal_gives_no_credentials(job: Stage, fails: str) -> None:
    job.answers.insert(0, (fails, "", 22))
    done = job.run("credentials.sh", ROLE, "release-7")
    assert done.returncode != 0
    assert done.stdout == ""


def test_an_sdk_renews_them_before_they_expire(job: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release outlives the role's hour: boto3 reads the written configuration, as every SDK does."""
    config = job.folder / "build/aws-config"
    assert job.run("credentials.sh", "write", str(config), ROLE, "release-7").returncode == 0
    written = ConfigParser()
    written.read(config)
    assert written["default"]["credential_process"] == f"{SCRIPT} {ROLE} release-7"
    soon = datetime.now(UTC) + timedelta(minutes=2)  # boto3 renews 15 minutes before the end
    job.answers.append(("assume-role-with-web-identity", credentials(soon), 0))
    (job.folder / "bin/answers").write_text(json.dumps(job.answers))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("PATH", f"{job.folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    found = boto3.Session().get_credentials()
    assert found is not None
    before = len(job.calls("assume-role"))
    assert found.get_frozen_credentials().access_key == "ASIAEXAMPLE"
    assert len(job.calls("assume-role")) > before


def test_the_configuration_names_the_script_by_its_absolute_path(job: Stage) -> None:
    subprocess.run([SCRIPT, "write", job.folder / "c", ROLE, "s"], cwd=SCRIPT.parent, check=True)
    assert f"credential_process = {SCRIPT} " in (job.folder / "c").read_text()

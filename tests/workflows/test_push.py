"""push.sh: the image goes to a repository once, whole, under a tag that never moves."""

from hashlib import sha256

import pytest

from tests.workflows.conftest import Stage

REPOSITORY = "111122223333.dkr.ecr.us-east-1.amazonaws.com/tandem-dev"
INDEX = '{"schemaVersion": 2}'


@pytest.fixture
def registry(stage: Stage) -> Stage:
    stage.stand_in("skopeo", "git")
    stage.answers += [("inspect --raw oci-archive:", INDEX, 0), ("git rev-parse", "c0ffee", 0)]
    return stage


def test_it_is_copied_whole_and_its_digest_told(registry: Stage) -> None:
    registry.answers.append(("inspect --raw docker:", "", 1))
    pushed = registry.run("push.sh", "image.tar", REPOSITORY)
    digest = sha256(f"{INDEX}\n".encode()).hexdigest()  # the stand-in ends its line
    assert (pushed.returncode, pushed.stdout) == (0, f"sha256:{digest}\n")
    assert registry.calls("copy") == [
        f"skopeo copy --quiet --all --preserve-digests oci-archive:image.tar docker://{REPOSITORY}:c0ffee"
    ]


def test_what_is_there_stays(registry: Stage) -> None:
    registry.answers.append(("inspect --raw docker:", INDEX, 0))
    assert registry.run("push.sh", "image.tar", REPOSITORY).returncode == 0
    assert registry.calls("copy") == []

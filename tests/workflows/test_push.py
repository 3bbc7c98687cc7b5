"""push.sh copies the image to a repository once and unchanged, under an immutable tag."""

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


def test_it_copies_the_whole_image_and_prints_its_digest(registry: Stage) -> None:
    registry.answers.append(("inspect --raw docker:", "", 1))
    pushed = registry.run("push.sh", "image.tar", REPOSITORY)
    digest = sha256(f"{INDEX}\n".encode()).hexdigest()  # the stand-in appends a newline
    assert (pushed.returncode, pushed.stdout) == (0, f"sha256:{digest}\n")
    assert registry.calls("copy") == [
        f"skopeo copy --quiet --all --preserve-digests oci-archive:image.tar docker://{REPOSITORY}:c0ffee"
    ]


@pytest.mark.parametrize("built", [f"sha256:{sha256(f'{INDEX}{chr(10)}'.encode()).hexdigest()}", "sha256:" + "0" * 64])
def test_only_the_image_that_was_built_is_pushed(registry: Stage, built: str) -> None:
    registry.answers.append(("inspect --raw docker:", "", 1))
    done = registry.run("push.sh", "image.tar", REPOSITORY, built)
    assert (done.returncode == 0) == ("0" * 64 not in built) == bool(registry.calls("copy"))
    assert done.returncode == 0 or f"image.tar: expected {built}, got sha256:" in done.stderr


def test_an_existing_image_is_not_replaced(registry: Stage) -> None:
    registry.answers.append(("inspect --raw docker:", INDEX, 0))
    assert registry.run("push.sh", "image.tar", REPOSITORY).returncode == 0
    assert registry.calls("copy") == []

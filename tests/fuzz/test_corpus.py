"""The quick fuzzing of every test run: the corpus, and a few thousand mutations of it."""

import pytest

from tests.fuzz.__main__ import main
from tests.fuzz.choices import Choices
from tests.fuzz.mutation import inputs
from tests.fuzz.targets import MAX_INPUT_BYTES, TARGETS, corpus

MUTATIONS = 4000


@pytest.mark.parametrize("target", TARGETS)
def test_no_input_of_the_corpus_is_a_finding(target: str) -> None:
    kept = list(corpus(target))
    assert len(kept) > 5
    for file, data in kept:
        assert len(data) <= MAX_INPUT_BYTES, file
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_no_mutation_of_the_corpus_is_a_finding(target: str) -> None:
    for data in inputs([data for _, data in corpus(target)], MUTATIONS, seed=0):
        TARGETS[target](data)


def test_the_seed_determines_the_mutations() -> None:
    assert list(inputs([b"abc", b"{}"], 20, 1)) == list(inputs([b"abc", b"{}"], 20, 1))
    assert list(inputs([b"abc", b"{}"], 20, 1)) != list(inputs([b"abc", b"{}"], 20, 2))


def test_choices_end_with_the_first_option() -> None:
    choices = Choices(b"\x01\x02ab")
    assert (choices.pick("xy"), choices.chunk(), choices.byte(), choices.pick("xy")) == ("y", b"ab", 0, "x")
    assert not choices.chance(1 + 1)


def test_a_finding_is_reported_and_its_input_kept(
    tmp_path: "pytest.TempPathFactory", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(data: bytes) -> None:
        raise KeyError("a finding")

    monkeypatch.setattr("tests.fuzz.__main__.OUT", tmp_path)
    monkeypatch.setattr("tests.fuzz.__main__.find_spec", lambda _: None)
    monkeypatch.setitem(TARGETS, "event", broken)
    assert main(["--target", "event", "--inputs", "10"]) == 1
    output = capsys.readouterr()
    assert "a finding" in output.err
    assert "event-finding-1" in output.out

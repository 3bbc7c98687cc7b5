"""`tandem new`: writes a pipeline, its test, its folder for EKS, and its line in each stage's overlay."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import Final

import functions.pipelines
from functions import registry
from functions.core.declaration import NAME_PATTERN, TOPIC_PATTERN
from functions.core.errors import Misconfigured
from functions.operate.new import templates
from functions.operate.new.overlay import with_resource

CHECKOUT: Final = ("functions/pipelines", "tests/unit/pipelines", "k8s/pipelines", "k8s/overlays")
NEXT: Final = """\
next: change them, then run
  .venv/bin/tandem pipelines
  .venv/bin/python -m pytest {test}"""


@dataclass(frozen=True, slots=True)
class NewPipeline:
    """What was asked for. Without `execute` nothing is written."""

    name: str
    topic: str
    execute: bool = True

    @property
    def module(self) -> str:
        """The name of its module."""
        return self.name.replace("-", "_")


def checkout() -> Path:
    """Return the checkout that this code runs from. Misconfigured if it is installed from a wheel."""
    root = Path(str(functions.pipelines.__file__)).parents[2]
    if missing := [folder for folder in CHECKOUT if not (root / folder).is_dir()]:
        raise Misconfigured(f"tandem new: expected a checkout of Tandem, {root} has no {missing[0]}")
    return root


def run(root: Path, new: NewPipeline, say: Callable[[str], None]) -> None:
    """Write the files, or show what would be written. Misconfigured, before anything is written, if it cannot."""
    _check(new)
    created, changed = dict(_created(new)), dict(_changed(root, new))
    for path in created:
        if (root / path).exists():
            raise Misconfigured(f"tandem new: {path} exists")
    verbs = ("wrote", "changed") if new.execute else ("would write", "would change")
    for verb, files in zip(verbs, (created, changed), strict=True):
        if new.execute:
            _write(root, files)
        for path, text in files.items():
            say(f"{verb} {path}")
            if not new.execute:
                say("\n".join(f"  {line}".rstrip() for line in _shown(root / path, text)))
    if new.execute:
        say(NEXT.format(test=f"tests/unit/pipelines/test_{new.module}.py"))


def _check(new: NewPipeline) -> None:
    problem = f"tandem new: name {new.name!r}: expected"
    if not NAME_PATTERN.fullmatch(new.name) or new.name.endswith("-"):
        characters = "2 to 48 lower-case letters, digits and hyphens"
        raise Misconfigured(f"{problem} {characters}, starting with a letter and not ending with a hyphen")
    if iskeyword(new.module):
        raise Misconfigured(f"{problem} a module's name, this is a keyword of Python")
    if not TOPIC_PATTERN.fullmatch(new.topic):
        raise Misconfigured(f"tandem new: --topic {new.topic!r}: expected a valid Kafka topic name")
    for pipeline in registry.load_all().values():
        if any(counter.name == new.name for counter in pipeline.counters):
            raise Misconfigured(f"{problem} another one, Counters of {pipeline.name} have it")


def _created(new: NewPipeline) -> Iterator[tuple[str, str]]:
    values = {"name": new.name, "module": new.module, "topic": new.topic}
    yield f"functions/pipelines/{new.module}.py", templates.PIPELINE.substitute(values)
    yield f"tests/unit/pipelines/test_{new.module}.py", templates.TEST.substitute(values)
    yield f"k8s/pipelines/{new.name}/kustomization.yaml", templates.WORKER.substitute(values)


def _changed(root: Path, new: NewPipeline) -> Iterator[tuple[str, str]]:
    """Add the worker to the resting ones of each stage: a pipeline that cdk.json does not name runs on Lambda."""
    for path in sorted(root.glob("k8s/overlays/*/resting/kustomization.yaml")):
        name = path.relative_to(root).as_posix()
        try:
            yield name, with_resource(path.read_text(encoding="utf-8"), f"../../../pipelines/{new.name}")
        except ValueError as error:
            raise Misconfigured(f"tandem new: {name}: {error}") from None


def _write(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise Misconfigured(f"tandem new: {path}: {error.strerror}") from error


def _shown(path: Path, text: str) -> list[str]:
    """Return the lines that a file would get: all of a new file."""
    before = set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else set()
    return [line for line in text.splitlines() if line not in before]

"""The parts of pages that are made from the code, and how each page ought to read with them."""

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from cdk import config, context
from functions import registry
from tests.docs import catalogue, costs, reference
from tests.docs.pages import ROOT, Page, pages
from tests.infrastructure.conftest import synthesise

PART: Final = re.compile(r"(<!-- made by `make docs`: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def due() -> Iterator[tuple[Page, str]]:
    """Each page that has made parts, and its text with those parts made anew."""
    for page in pages():
        if PART.search(page.text):
            yield page, made(page.text)


def made(text: str) -> str:
    """The text with its made parts made anew."""
    return PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", text)


def _costs() -> str:
    """A table for each stage of cdk.json, and one for a million records."""
    pipelines = registry.load_all()
    stages = context.read(json.loads((ROOT / "cdk.json").read_text())["context"]["stages"], pipelines)
    resources = _resources()
    idle = [
        f"**{name}**, a month before the first record:\n\n"
        + costs.table(costs.idle(stage, resources[name], tuple(pipelines.values())))
        for name, stage in stages.items()
    ]
    million = costs.table(costs.per_million(pipelines["logins"], config.Run().memory_mib))
    return "\n\n".join([*idle, f"**A million logins** on Lambda:\n\n{million}"])


@cache
def _resources() -> Mapping[str, costs.Resources]:
    """What the stages of cdk.json synthesise to: properties by stage and type."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as out:
        for (stage, _), template in synthesise(Path(out)).by_stack.items():
            for resource in template.get("Resources", {}).values():
                found[stage][resource["Type"]].append(resource.get("Properties", {}))
    return found


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "settings": reference.settings,
    "stages": reference.stages,
    "costs": _costs,
    "metrics": catalogue.metrics,
    "alarms": catalogue.alarms,
    "fields": catalogue.fields,
}

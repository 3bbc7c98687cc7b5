"""The dashboard's panels and queries, with its variables filled in as Grafana would."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

SOURCE: Final = Path(__file__).parents[3] / "k8s/cluster/monitoring/tandem.json"
VARIABLE: Final = re.compile(r"\$\{?(\w+)\}?")
LABEL: Final = re.compile(r"\{\{(\w+)\}\}")


class Query(NamedTuple):
    """The query of one line, number or bar of a panel."""

    panel: str
    expression: str
    legend: str = ""

    def name(self, labels: Mapping[str, str]) -> str:
        """The legend of a series with these labels."""
        return LABEL.sub(lambda name: labels.get(name[1], ""), self.legend)


def dashboard() -> dict[str, Any]:
    """The dashboard in Grafana's import format."""
    found: dict[str, Any] = json.loads(SOURCE.read_text())
    return found


def panels() -> list[dict[str, Any]]:
    """The panels without the rows, which are headings."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries(values: Mapping[str, str]) -> Iterator[Query]:
    """Every query, with these values of the variables. Raises KeyError if a variable has no value."""
    for panel in panels():
        for target in panel["targets"]:
            expression = VARIABLE.sub(lambda name: values[name[1]], target["expr"])
            yield Query(panel["title"], expression, target["legendFormat"])

"""The dashboard's panels and queries, with its variables filled in as Grafana would."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

SOURCE: Final = Path("k8s/components/grafana/tandem.json")
VARIABLE: Final = re.compile(r"\$\{?(\w+)\}?")
LABEL: Final = re.compile(r"\{\{(\w+)\}\}")


class Query(NamedTuple):
    """What one line, number or bar of a panel asks for."""

    panel: str
    expression: str
    legend: str = ""

    def name(self, labels: Mapping[str, str]) -> str:
        """What the legend calls a series with these labels."""
        return LABEL.sub(lambda name: labels.get(name[1], ""), self.legend)


def dashboard() -> dict[str, Any]:
    """As Grafana imports it."""
    found: dict[str, Any] = json.loads(SOURCE.read_text())
    return found


def panels() -> list[dict[str, Any]]:
    """All that show something: not the rows, which are headings."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries(values: Mapping[str, str]) -> Iterator[Query]:
    """Every query, with these values of the variables. KeyError if one of them is missing."""
    for panel in panels():
        for target in panel["targets"]:
            expression = VARIABLE.sub(lambda name: values[name[1]], target["expr"])
            yield Query(panel["title"], expression, target["legendFormat"])

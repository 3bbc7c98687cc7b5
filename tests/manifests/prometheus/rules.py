"""The alerting rules as a plain Prometheus rules file, like the one the operator creates from its resource."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

SOURCE: Final = Path(__file__).parents[3] / "k8s/cluster/monitoring/rules.yaml"
MINUTES: Final = re.compile(r"\b(\d+)m\b")


def plain() -> str:
    """The resource's spec as a rules file."""
    return yaml.safe_dump(yaml.safe_load(SOURCE.read_text())["spec"], sort_keys=False, width=1000)


def groups() -> list[dict[str, Any]]:
    """The rule groups."""
    found: list[dict[str, Any]] = yaml.safe_load(SOURCE.read_text())["spec"]["groups"]
    return found


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts by name."""
    return {rule["alert"]: rule for group in groups() for rule in group["rules"] if "alert" in rule}


def shortened(seconds: int) -> str:
    """The same rules with this many seconds per minute in every window, offset and `for`."""
    return MINUTES.sub(lambda minutes: f"{int(minutes[1]) * seconds}s", plain())

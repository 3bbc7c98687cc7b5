"""The alerting rules as plain Prometheus reads them: what the operator would hand on from its resource."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

SOURCE: Final = Path("k8s/components/prometheus/rules.yaml")
MINUTES: Final = re.compile(r"\b(\d+)m\b")


def plain() -> str:
    """The resource's spec, which is a rules file."""
    return yaml.safe_dump(yaml.safe_load(SOURCE.read_text())["spec"], sort_keys=False, width=1000)


def groups() -> list[dict[str, Any]]:
    """The groups of rules."""
    found: list[dict[str, Any]] = yaml.safe_load(SOURCE.read_text())["spec"]["groups"]
    return found


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts by name."""
    return {rule["alert"]: rule for group in groups() for rule in group["rules"] if "alert" in rule}


def shortened(seconds: int) -> str:
    """The same rules with a minute made of so many seconds: every window, offset and `for`, by one factor."""
    return MINUTES.sub(lambda minutes: f"{int(minutes[1]) * seconds}s", plain())

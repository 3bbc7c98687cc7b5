"""docs/metrics.md has every metric and label. test_generated.py checks that its tables are up to date."""

from functions.core.metrics import LABELS, METRICS
from tests.docs.generated import regenerated
from tests.docs.pages import page

PAGE = page("docs/metrics.md")


def test_every_metric_is_listed_with_both_names() -> None:
    assert [metric.name for metric in METRICS if f"| `{metric.name}` | `tandem_{metric.name}` |" not in PAGE.text] == []


def test_every_label_value_is_listed() -> None:
    assert [value for values in LABELS.values() for value in values if f"`{value}`" not in PAGE.text] == []


def test_an_outdated_row_is_regenerated() -> None:
    assert regenerated(PAGE.text.replace("| `records_total` |", "| `records` |")) == PAGE.text

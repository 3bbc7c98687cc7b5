"""docs/metrics.md says what the code says: that its tables are up to date, test_made.py shows."""

from functions.core.metrics import LABELS, METRICS
from tests.docs.generated import made
from tests.docs.pages import page

PAGE = page("docs/metrics.md")


def test_every_metric_is_in_it_by_both_names() -> None:
    assert [metric.name for metric in METRICS if f"| `{metric.name}` | `tandem_{metric.name}` |" not in PAGE.text] == []


def test_every_value_of_a_label_is_in_it() -> None:
    assert [value for values in LABELS.values() for value in values if f"`{value}`" not in PAGE.text] == []


def test_what_has_changed_is_found_out() -> None:
    assert made(PAGE.text.replace("| `records_total` |", "| `records` |")) == PAGE.text

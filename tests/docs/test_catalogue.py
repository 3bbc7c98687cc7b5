"""docs/metrics.md says what the code says."""

from functions.core.metrics import LABELS, METRICS
from tests.docs.catalogue import PAGE, due


def test_the_catalogue_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == due(text), "python -m tests.docs.catalogue"


def test_every_metric_is_in_it_by_both_names() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [metric.name for metric in METRICS if f"| `{metric.name}` | `tandem_{metric.name}` |" not in text] == []


def test_every_value_of_a_label_is_in_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [value for values in LABELS.values() for value in values if f"`{value}`" not in text] == []


def test_what_has_changed_is_found_out() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert due(text.replace("| `records_total` |", "| `records` |")) == text

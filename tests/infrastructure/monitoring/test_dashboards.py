"""A pipeline's dashboard: both runtimes, emitted metrics only, the most important first."""

import pytest

from cdk import context
from functions.core.metrics import METRICS
from tests.infrastructure.conftest import CONTEXT, REFERENCE, Templates
from tests.infrastructure.monitoring.watched import by_widget, dashboard, exists


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_dashboards_use_only_emitted_metrics(templates: Templates, stage: str) -> None:
    widgets = [widget for widget in dashboard(templates, stage)["widgets"] if widget["type"] == "metric"]
    watched = [(widget["properties"]["title"], each) for widget in widgets for each in by_widget(widget)]
    assert [title for title, each in watched if not exists(each, stage)] == []
    assert {title for title, _ in watched} >= {w["properties"]["title"] for w in widgets} - {"Cost: event poller units"}


def test_each_of_our_metrics_is_on_the_dashboard(templates: Templates) -> None:
    """Except those that another one implies: the records of slices, and the causes of stops."""
    shown = {each.name for widget in dashboard(templates, "prod")["widgets"] for each in by_widget(widget)}
    assert {metric.name for metric in METRICS} - shown == {"dropped_total", "stops_total"}


def test_the_first_row_shows_health_and_lag(templates: Templates) -> None:
    for stage, config in context.read(CONTEXT["stages"], REFERENCE).items():
        runtime = config.pipeline_config("logins").runtime
        first = [widget for widget in dashboard(templates, stage)["widgets"] if widget["y"] == 0]
        assert [widget["properties"]["title"] for widget in first] == [
            f"Is it healthy? {runtime} is enabled", "Is it keeping up? Lag in records", "Age of the oldest record, s",
            "Records settled a minute",
        ]  # fmt: skip
        assert len(first[0]["properties"]["alarms"]) == 13


def test_both_runtimes_are_shown_together(templates: Templates) -> None:
    for widget in dashboard(templates, "prod")["widgets"]:
        runtimes = {each.values["runtime"] for each in by_widget(widget) if "runtime" in each.values}
        title = widget["properties"]["title"]
        assert runtimes in ({"msk", "worker"}, set()) or title.startswith(f"{next(iter(runtimes))}: "), title


def test_widgets_fill_their_rows_without_overlap(templates: Templates, ops: Templates) -> None:
    for synthesised, stage in ((templates, "dev"), (templates, "prod"), (ops, "ops")):
        widgets = dashboard(synthesised, stage)["widgets"]
        assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)
        places = [(widget["x"], widget["y"]) for widget in widgets]
        assert len(set(places)) == len(places)


def test_a_dashboard_omits_what_its_stage_does_not_have(templates: Templates, ops: Templates) -> None:
    titles = {
        stage: " ".join(widget["properties"]["title"] for widget in dashboard(synthesised, stage)["widgets"])
        for synthesised, stage in ((templates, "dev"), (templates, "prod"), (ops, "ops"))
    }
    assert ["pollers" in titles[stage] for stage in ("dev", "prod", "ops")] == [False, True, True]
    assert ["Brokers" in titles[stage] for stage in ("dev", "prod", "ops")] == [True, True, False]


def test_dashboards_are_named_by_stage_and_pipeline(templates: Templates) -> None:
    assert templates.one("prod", "monitoring", "AWS::CloudWatch::Dashboard")["DashboardName"] == "tandem-prod-logins"

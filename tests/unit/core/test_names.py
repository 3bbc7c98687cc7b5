"""Names are fixed: the CDK, manifests and dashboards depend on them too."""

from functions.core import names


def test_names() -> None:
    assert names.consumer_group("prod", "logins") == "prod-logins"
    assert names.ledger_table("prod") == "tandem-prod-ledger"
    assert names.counters_table("prod") == "tandem-prod-counters"
    assert names.rows_table("prod", "last-login") == "tandem-prod-table-last-login"
    assert names.seen_table("prod") == "tandem-prod-seen"
    assert names.dead_letter_queue("prod") == "tandem-prod-dead-letters"


def test_no_pipeline_has_the_name_of_another_user() -> None:
    assert names.kafka_user("prod", "logins") == "tandem_prod_logins_pipeline"
    assert names.admin_user("prod") == "tandem_prod_admin"
    assert names.scaler_user("prod") == "tandem_prod_keda"

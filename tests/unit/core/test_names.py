"""Names: fixed, since CDK, manifests and dashboards say them too."""

from functions.core import names


def test_names() -> None:
    assert names.group("prod", "logins") == "prod-logins"
    assert names.ledger_table("prod") == "tandem-prod-ledger"
    assert names.counters_table("prod") == "tandem-prod-counters"
    assert names.rows_table("prod", "last-login") == "tandem-prod-table-last-login"
    assert names.dead_letter_queue("prod") == "tandem-prod-dead-letters"

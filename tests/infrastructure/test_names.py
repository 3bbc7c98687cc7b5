"""Names are fixed: manifests, scripts and dashboards depend on them too."""

from cdk import names


def test_names() -> None:
    assert names.lake_bucket("prod", "111122223333", "eu-west-1") == "tandem-prod-lake-111122223333-eu-west-1"
    assert names.dead_letter_bucket("prod", "1", "eu-west-1") == "tandem-prod-dead-letters-1-eu-west-1"
    assert names.access_log_bucket("prod", "1", "eu-west-1") == "tandem-prod-access-logs-1-eu-west-1"
    assert names.query_bucket("prod", "1", "eu-west-1") == "tandem-prod-queries-1-eu-west-1"
    assert names.workgroup("prod") == "tandem-prod"
    assert names.database("prodeu") == "tandem_prodeu"
    assert names.lake_table("page-views") == "page_views"
    assert names.cluster("prod") == names.repository("prod") == names.namespace("prod") == "tandem-prod"
    assert names.kafka_cluster("prod", "standard") == "tandem-prod"
    assert names.kafka_cluster("prod", "express") == "tandem-prod-express"
    assert names.function("prod", "logins") == "tandem-prod-logins"
    assert names.worker("logins") == "worker-logins"
    assert names.role("prod", "logins", "msk") == "tandem-prod-logins-msk"
    assert names.deploy_role("prod") == "tandem-prod-deploy"
    assert names.scaler_role("prod") == "tandem-prod-keda"
    assert names.mask_key_secret("prod") == "tandem/prod/mask-key"
    assert names.scram_secret("tandem_prod_admin") == "AmazonMSK_tandem_prod_admin"
    assert names.parameter("prod", "worker-env") == "/tandem/prod/worker-env"

"""The topic of alarms, and what the monitoring stack refers to in other stacks."""

import re

from tests.infrastructure.conftest import Templates


def test_only_the_configured_address_is_notified(templates: Templates, ops: Templates) -> None:
    assert templates.resources("prod", "monitoring", "AWS::SNS::Subscription") == {}
    subscription = ops.one("ops", "monitoring", "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.com")


def test_the_topic_is_encrypted_requires_tls_and_lets_cloudwatch_publish(templates: Templates) -> None:
    assert "KmsMasterKeyId" in templates.one("prod", "monitoring", "AWS::SNS::Topic")
    statements = templates.one("prod", "monitoring", "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (denied,) = [each for each in statements if each["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (allowed,) = [each for each in statements if each["Effect"] == "Allow"]
    assert (allowed["Action"], allowed["Principal"]) == ("sns:Publish", {"Service": "cloudwatch.amazonaws.com"})
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    key = templates.one("prod", "keys", "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (uses,) = [each for each in key if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert uses["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert uses["Condition"] == allowed["Condition"]


def test_only_the_key_of_another_stack_is_referred_to(templates: Templates) -> None:
    """An export that is in use cannot change, and a mapping's UUID changes with the mapping."""
    text = str(templates["prod", "monitoring"]["Resources"])
    assert set(re.findall(r"'Fn::ImportValue': '([\w-]+):", text)) == {"tandem-prod-keys"}

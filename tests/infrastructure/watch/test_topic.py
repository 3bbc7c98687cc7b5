"""Where alarms are told, and what the watch stack holds of others."""

import re

from tests.infrastructure.conftest import Templates


def test_only_who_is_named_is_told(templates: Templates, ops: Templates) -> None:
    assert templates.resources("prod", "watch", "AWS::SNS::Subscription") == {}
    subscription = ops.one("ops", "watch", "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.com")


def test_the_topic_is_encrypted_takes_tls_only_and_lets_cloudwatch_publish(templates: Templates) -> None:
    assert "KmsMasterKeyId" in templates.one("prod", "watch", "AWS::SNS::Topic")
    statements = templates.one("prod", "watch", "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (denied,) = [each for each in statements if each["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (allowed,) = [each for each in statements if each["Effect"] == "Allow"]
    assert (allowed["Action"], allowed["Principal"]) == ("sns:Publish", {"Service": "cloudwatch.amazonaws.com"})
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    key = templates.one("prod", "keys", "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (uses,) = [each for each in key if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert uses["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert uses["Condition"] == allowed["Condition"]


def test_nothing_of_another_stack_is_held_but_the_key(templates: Templates) -> None:
    """An export that is in use cannot change, and a mapping's UUID changes with the mapping."""
    text = str(templates["prod", "watch"]["Resources"])
    assert set(re.findall(r"'Fn::ImportValue': '([\w-]+):", text)) == {"tandem-prod-keys"}

"""The policy evaluator, on what IAM's documentation says of each part."""

from typing import Any

import pytest

from tests.infrastructure.policies import Call, Permission, allowed, like, permissions, uses

LAKE = "arn:aws:s3:::lake/logins/*"


def statement(effect: str = "Allow", **other: Any) -> dict[str, Any]:
    return {"Sid": "S", "Effect": effect, "Action": "s3:PutObject", "Resource": LAKE} | other


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("s3:Put*", "s3:PutObject", True),
        ("s3:PutObject", "s3:PutObjectAcl", False),
        (LAKE, "arn:aws:s3:::lake/logins/day=1/x", True),
        (LAKE, "arn:aws:s3:::lake/logins-2/x", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("per-minute${?}*", "per-minute?device=ios", True),
        ("per-minute${?}*", "per-minute-2?device=ios", False),
        ("a.c", "abc", False),
    ],
)
def test_wildcards(pattern: str, value: str, *, expected: bool) -> None:
    assert like(pattern, value) is expected


def test_what_no_statement_allows_is_denied() -> None:
    put = Call("s3:PutObject", "arn:aws:s3:::lake/logins/x")
    assert allowed([statement()], put)
    assert not allowed([], put)
    assert not allowed([statement()], Call("s3:GetObject", put.resource))
    assert not allowed([statement()], Call(put.action, "arn:aws:s3:::lake/clicks/x"))


def test_a_denial_wins() -> None:
    put = Call("s3:PutObject", "arn:aws:s3:::lake/logins/x")
    assert not allowed([statement(), statement("Deny", Resource="*")], put)
    assert not allowed([statement("Deny", Resource="*"), statement()], put)
    assert allowed([statement(), statement("Deny", Resource="arn:aws:s3:::other/*")], put)


def test_a_condition_must_hold_for_the_key_of_the_request() -> None:
    metrics = statement(
        Action="cloudwatch:PutMetricData",
        Resource="*",
        Condition={"StringEquals": {"cloudwatch:namespace": "Tandem"}},
    )
    assert allowed([metrics], Call("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": ["Tandem"]}))
    assert not allowed([metrics], Call("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": ["AWS/EC2"]}))
    assert not allowed([metrics], Call("cloudwatch:PutMetricData", "*"))


def test_for_all_values_accepts_every_value_and_also_none() -> None:
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["logins"]}}
    ledger = statement(Action="dynamodb:UpdateItem", Resource="table", Condition=own)

    def update(*keys: str) -> Call:
        return Call("dynamodb:UpdateItem", "table", {"dynamodb:LeadingKeys": keys} if keys else {})

    assert allowed([ledger], update("logins"))
    assert allowed([ledger], update())
    assert not allowed([ledger], update("logins", "clicks"))


def test_an_arn_condition_accepts_wildcards() -> None:
    code = {"ArnEquals": {"lambda:SourceFunctionArn": "arn:aws:lambda:*:*:function:f"}}
    denial = statement("Deny", Condition=code)
    put = Call(
        "s3:PutObject", "arn:aws:s3:::lake/logins/x", {"lambda:SourceFunctionArn": ["arn:aws:lambda:r:1:function:f"]}
    )
    assert not allowed([statement(), denial], put)
    assert allowed([statement(), denial], Call(put.action, put.resource))


def test_a_condition_can_require_or_forbid_a_key() -> None:
    with_key, without = Call("s3:PutObject", LAKE, {"k": ["*"]}), Call("s3:PutObject", LAKE)
    for lacks, call, expected in (
        ("false", with_key, True), ("false", without, False), ("true", with_key, False), ("true", without, True),
    ):  # fmt: skip
        assert allowed([statement(Condition={"Null": {"k": lacks}})], call) is expected


def test_unknown_elements_are_errors() -> None:
    with pytest.raises(AssertionError, match="NumericLessThan"):
        allowed([statement(Condition={"NumericLessThan": {"k": "1"}})], Call("s3:PutObject", LAKE, {"k": ["0"]}))
    with pytest.raises(AssertionError, match="NotAction"):
        allowed([statement(NotAction="s3:*")], Call("s3:PutObject", LAKE))


def test_permissions_are_listed_one_by_one() -> None:
    both = statement(Action=["s3:GetObject", "s3:PutObject"])
    found = list(permissions([both, statement("Deny")]))
    assert found == [Permission("S", "s3:GetObject", LAKE), Permission("S", "s3:PutObject", LAKE)]
    assert uses(found[0], Call("s3:GetObject", "arn:aws:s3:::lake/logins/x"))
    assert not uses(found[1], Call("s3:GetObject", "arn:aws:s3:::lake/logins/x"))

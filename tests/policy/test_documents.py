"""IAM documents mean the same in every shape that AWS accepts."""

import json
from typing import Any

import pytest
from framework.documents import ANYONE, Condition, matches, readable, statements
from framework.values import UNKNOWN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ACTIONS = st.sampled_from(["sqs:SendMessage", "SQS:sendmessage", "sqs:*", "kms:Decrypt", "*", "sns:Publish"])
RESOURCES = st.sampled_from(["*", "arn:aws:sqs:eu-west-1:1:q", "arn:aws:sqs:*:*:*"])
PRINCIPALS = st.one_of(
    st.just("*"),
    st.dictionaries(
        st.sampled_from(["AWS", "Service", "Federated"]),
        st.lists(st.sampled_from(["*", "sns.amazonaws.com", "123456789012"]), min_size=1, max_size=3),
        min_size=1,
    ),
)
CONDITIONS = st.dictionaries(
    st.sampled_from(["ArnEquals", "StringLike", "Bool", "ForAnyValue:StringEquals"]),
    st.dictionaries(
        st.sampled_from(["aws:SourceArn", "AWS:SourceAccount", "aws:SecureTransport"]),
        st.lists(st.sampled_from(["123456789012", "*", "false"]), min_size=1, max_size=2),
        min_size=1,
    ),
    max_size=2,
)
STATEMENTS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
    optional={
        "Sid": st.text(max_size=5),
        "Principal": PRINCIPALS,
        "Resource": st.lists(RESOURCES, min_size=1, max_size=2),
        "Condition": CONDITIONS,
    },
).flatmap(
    lambda base: st.sampled_from(["Action", "NotAction"]).flatmap(
        lambda key: st.lists(ACTIONS, min_size=1, max_size=3).map(lambda actions: {**base, key: actions})
    )
)


def reshaped(value: Any, *, scalars: bool, case: Any) -> Any:
    """The same document, with lists of one as scalars and keys in another case where that means nothing."""
    if isinstance(value, dict):
        return {case(key): reshaped(item, scalars=scalars, case=case) for key, item in value.items()}
    if isinstance(value, list) and scalars and len(value) == 1:
        return reshaped(value[0], scalars=scalars, case=case)
    return [reshaped(item, scalars=scalars, case=case) for item in value] if isinstance(value, list) else value


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])  # the first one pays for a cold start
@given(st.lists(STATEMENTS, max_size=3), st.booleans(), st.sampled_from([str, str.lower, str.upper]))
def test_shape_and_case_change_nothing(found: list[Any], scalars: bool, case: Any) -> None:
    document = {"Version": "2012-10-17", "Statement": found}
    other = reshaped(document, scalars=scalars, case=case)
    assert statements(json.dumps(other)) == statements(other) == statements(document)


@given(STATEMENTS, ACTIONS)
def test_not_action_covers_exactly_what_action_does_not(statement: Any, action: str) -> None:
    actions = statement.pop("Action", None) or statement.pop("NotAction")
    plain, negated = ({**statement, key: actions} for key in ("Action", "NotAction"))
    assert statements({"Statement": plain})[0].covers(action) != statements({"Statement": negated})[0].covers(action)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(UNKNOWN),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Statement", "Effect", "Action", "Principal", "Condition", "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_anything_else_is_refused_and_never_raises_another_error(value: Any) -> None:
    try:
        found = statements(value)
    except ValueError:
        assert readable(value) == ()
    else:
        assert readable(value) == found


@given(st.text(alphabet="ab*?[.", max_size=6), st.text(alphabet="ab[.", max_size=6))
def test_only_star_and_question_mark_are_wildcards(pattern: str, text: str) -> None:
    def walk(rest: str, tail: str) -> bool:
        if not rest:
            return not tail
        if rest[0] == "*":
            return any(walk(rest[1:], tail[index:]) for index in range(len(tail) + 1))
        return bool(tail) and rest[0] in (tail[0], "?") and walk(rest[1:], tail[1:])

    assert matches(pattern, text) == walk(pattern, text)


def test_a_hostile_pattern_takes_no_time() -> None:
    assert not matches("*a" * 30 + "b", "a" * 2000)


@pytest.mark.parametrize("principal", ["*", ["*"], {"AWS": "*"}, {"aws": ["1", "*"]}])
def test_everyone_is_everyone_however_it_is_written(principal: Any) -> None:
    (statement,) = statements({"Statement": {"Effect": "Allow", "Action": "x:y", "Principal": principal}})
    assert ANYONE in statement.principals
    assert statement.open


@pytest.mark.parametrize(
    ("operator", "value", "pinned"),
    [
        ("ArnEquals", "arn:aws:sns:eu-west-1:1:t", True),
        ("StringLike", "123456789012", True),
        ("ForAnyValue:StringEquals", "1", True),
        ("ForAllValues:StringEquals", "1", False),
        ("StringEqualsIfExists", "1", False),
        ("StringNotEquals", "1", False),
        ("ArnLike", "arn:aws:sns:*", False),
        ("ArnEquals", UNKNOWN, True),
    ],
)
def test_a_condition_pins_only_if_it_fails_without_the_fixed_value(operator: str, value: Any, pinned: bool) -> None:
    condition = Condition(operator=operator.lower(), key="aws:sourcearn", values=(value,))
    assert condition.pins("aws:SourceArn") is pinned


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        7,
        {},
        {"Statement": ["x"]},
        {"Statement": {"Effect": "Maybe", "Action": "x"}},
        {"Statement": {"Effect": "Allow"}},
        {"Statement": {"Effect": "Allow", "Action": "x", "Condition": "y"}},
    ],
)
def test_a_malformed_document_says_what_is_wrong(document: Any) -> None:
    with pytest.raises(ValueError, match=r"^(is|has) "):
        statements(document)

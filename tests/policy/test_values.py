"""Properties are known, unknown or missing, and reading one never raises."""

from typing import Any

import pytest
from framework.aws import KEY, QUEUE
from framework.stack import Resource
from framework.values import MISSING, UNKNOWN, inside, json_object, number, plain, read
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy import proxy
from pulumi_policy.proxy import unknown_checking_proxy

SENTINELS = [value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")]


def seen(properties: dict[str, Any]) -> Any:
    """The properties as the policy SDK hands them to a rule."""
    return unknown_checking_proxy(properties)


@pytest.mark.parametrize("sentinel", SENTINELS)
def test_a_sentinel_is_unknown_alone_and_inside_a_text(sentinel: str) -> None:
    assert read(seen({"x": sentinel}), "x") is UNKNOWN
    assert read(seen({"x": f'{{"arn": "{sentinel}"}}'}), "x") is UNKNOWN


@pytest.mark.parametrize("properties", [{}, {"x": None}, {"x": ""}])
def test_null_empty_text_and_no_key_are_missing(properties: dict[str, Any]) -> None:
    assert read(seen(properties), "x") is MISSING


def test_unknown_parts_stay_in_place() -> None:
    value = {"a": [SENTINELS[0], 1.0, {"b": SENTINELS[1], "c": None}]}
    assert read(seen({"x": value}), "x") == {"a": [UNKNOWN, 1, {"b": UNKNOWN}]}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5) | st.sampled_from(SENTINELS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=3), st.text(max_size=3))
def test_reading_never_raises(properties: dict[str, Any], key: str) -> None:
    read(seen(properties), key)
    inside(json_object(read(seen(properties), key)), "a", "b")


def test_whole_floats_are_ints_and_booleans_stay() -> None:
    assert [type(plain(value)) for value in (30.0, 1.5, True)] == [int, float, bool]


def test_numbers_may_be_written_as_text() -> None:
    assert [number(value) for value in ("30", 30, "x", True, None)] == [30, 30, None, None, None]


def judged_in_stack(properties: dict[str, Any], *inputs: str) -> Resource:
    return Resource(type=QUEUE, name="q", urn="u", properties=seen(properties), inputs=frozenset(inputs))


def test_an_unknown_output_that_nobody_set_is_missing() -> None:
    computed = {"redrivePolicy": SENTINELS[0]}
    assert judged_in_stack(computed).get("redrivePolicy") is MISSING
    assert judged_in_stack(computed, "redrivePolicy").get("redrivePolicy") is UNKNOWN
    untold = Resource(type=QUEUE, name="q", urn="u", properties=seen(computed))
    assert untold.get("redrivePolicy") is UNKNOWN, "nobody has told of its inputs: it may be set"


def test_defaults_stand_in_for_what_is_missing_only() -> None:
    assert judged_in_stack({}).get("visibilityTimeoutSeconds") == 30
    assert judged_in_stack({"visibilityTimeoutSeconds": 0.0}).get("visibilityTimeoutSeconds") == 0
    key = Resource(type=KEY, name="k", urn="u", properties=seen({"deletionWindowInDays": SENTINELS[0]}))
    assert key.get("deletionWindowInDays") is UNKNOWN

"""A stack's configuration is read whole, and every problem in it is told at once with its cure."""

import re
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pulumi
import pytest

import config
from config import StackConfig, key_of
from tests.defaults import BARE
from tools.recording.graph import record
from tools.recording.types import type_of


def load(*secrets: str, **values: str) -> StackConfig:
    """The configuration of a stack whose file holds these values, some of them as secrets."""
    loaded: list[StackConfig] = []
    given = {f"orders:{key}": text for key, text in values.items()}
    record(root=BARE, program=lambda: loaded.append(config.load()), config=given, secrets=secrets)
    return loaded[0]


def complaint(*secrets: str, **values: str) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        load(*secrets, **values)
    return str(caught.value)


def test_a_stack_without_values_gets_the_defaults() -> None:
    assert load() == StackConfig()


@pytest.mark.parametrize("field", [f for f in fields(StackConfig) if type(f.default) is int], ids=lambda f: f.name)
def test_an_integer_is_held_to_its_bounds(field: Any) -> None:
    rule, key = field.metadata["setting"], key_of(field)
    low, high = (min(rule.choices), max(rule.choices)) if rule.choices else (rule.low, rule.high)
    requirement = f"one of {', '.join(map(str, rule.choices))}" if rule.choices else f"an integer from {low} to {high}"
    with_window = {"batchSize": {"batchingWindow": "1"}, "functionMemory": {"batchSize": "2"}}.get(key, {})
    assert getattr(load(**{key: str(low), **with_window}), field.name) == low
    assert getattr(load(**{key: str(high), **with_window}), field.name) == high
    remove = f"rm orders:{key}"
    near = {str(low - 1): f"set orders:{key} {low}", str(high + 1): f"set orders:{key} {high}"}
    for wrong, fix in {**near, "many": remove, "true": remove, "": remove}.items():
        text = complaint(**{key: wrong, **with_window})
        assert f"orders:{key} must be {requirement}, got {wrong}\n" in text
        assert f"fix: pulumi config {fix} --stack dev" in text


@pytest.mark.parametrize(
    ("key", "wrong", "fix"),
    [
        ("protectData", "yes", "set orders:protectData true"),
        ("protectData", "True", "set orders:protectData true"),
        ("protectData", "no", "set orders:protectData false"),
        ("protectData", "maybe", "rm orders:protectData"),
        ("runtime", "python3.10", "set orders:runtime python3.1"),
        ("logLevel", "debug", "rm orders:logLevel"),
        ("architecture", "arm", "set orders:architecture arm64"),
        ("logRetention", "100", "set orders:logRetention 90"),
        ("functionTimeout", "29.6", "set orders:functionTimeout 30"),
        ("functionTimeout", "1e999", "rm orders:functionTimeout"),
        ("permissionsBoundary", "arn:aws:iam::123456789012:role/orders-boundary", "rm orders:permissionsBoundary"),
    ],
)
def test_the_fix_is_the_legal_value_that_is_nearest_and_never_a_default_out_of_nowhere(
    key: str, wrong: str, fix: str
) -> None:
    [rule] = [field.metadata["setting"] for field in fields(StackConfig) if key_of(field) == key]
    text = complaint(**{key: wrong})
    assert f"orders:{key} must be {rule.requirement()}, got {wrong}\n" in text
    assert f"fix: pulumi config {fix}" in text


def test_a_wrong_value_that_was_set_as_a_secret_is_not_printed() -> None:
    text = complaint("orders:alarmEmail", alarmEmail="hunter2")
    assert "orders:alarmEmail must be an e-mail address, got [secret]\n" in text
    assert "hunter2" not in text


def test_every_problem_is_told_at_once() -> None:
    text = complaint(maxReceiveCount="0", runtime="python2.7", logLevel="loud", architecture="z80")
    assert "4 problem(s)" in text
    assert re.findall(r"orders:(\w+) must", text) == ["maxReceiveCount", "runtime", "architecture", "logLevel"]
    assert text.count("fix: ") == 4


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("batchsize", "orders:batchSize"), ("maxRecieveCount", "orders:maxReceiveCount"), ("colour", "one of maxReceive")],
)
def test_an_unknown_setting_is_refused_with_the_nearest_that_is_known(wrong: str, meant: str) -> None:
    text = complaint(**{wrong: "5"})
    assert f"orders:{wrong} must be a known setting: is {meant}" in text
    assert f"fix: pulumi config rm orders:{wrong} --stack dev" in text


@pytest.mark.parametrize(
    ("stack", "fitting"),
    [("dev.eu", "dev-eu"), ("a" * 39, "a" * 38), ("d\u00fcv", "d-v")],
    ids=["dot", "long", "letter"],
)
def test_a_stack_whose_name_does_not_fit_into_names_is_refused_with_one_that_does(
    stack: str, fitting: str, tmp_path: Path
) -> None:
    shutil.copy(BARE / "Pulumi.yaml", tmp_path)
    for name in (stack, fitting):
        shutil.copy(BARE / "Pulumi.dev.yaml", tmp_path / f"Pulumi.{name}.yaml")
    with pytest.raises(pulumi.RunError) as caught:
        record(stack=stack, root=tmp_path, program=config.load)
    assert f"must be at most 38 letters, digits, hyphens and underscores, got {stack}\n" in str(caught.value)
    assert f"fix: pulumi stack rename {fitting} --stack {stack}" in str(caught.value)
    record(stack=fitting, root=tmp_path, program=config.load)


def test_the_longest_stack_name_leaves_every_resource_its_name_and_a_longer_one_does_not() -> None:
    ending = len("-") + config.STACK_NAME + len("-1a2b3c4")
    left = [
        type_of(resource.type).letters[1] - len(resource.name) - ending
        for resource in record().resources
        if resource.custom and type_of(resource.type).letters[1]
    ]
    assert min(left) == 0, "config.STACK_NAME must be what the longest name leaves"


@pytest.mark.parametrize(("over", "key", "least"), [(10, "batchingWindow", 1), (2, "functionMemory", 192)])
def test_a_batch_over_ten_needs_a_batching_window_and_one_over_two_192_mb(over: int, key: str, least: int) -> None:
    few, enough = {key: str(least - 1)}, {key: str(least)}
    text = complaint(batchSize=str(over + 1), **few)
    assert f"orders:{key} must be at least {least} when orders:batchSize is over {over}" in text
    assert f"got {key} {least - 1} and batchSize {over + 1}" in text
    assert f"fix: pulumi config set orders:{key} {least} --stack dev" in text
    assert load(batchSize=str(over + 1), **enough).batch_size == over + 1
    assert load(batchSize=str(over), **few).batch_size == over


def test_the_visibility_timeout_is_derived() -> None:
    assert StackConfig().visibility_timeout == 6 * 30
    assert load(functionTimeout="7", batchingWindow="5").visibility_timeout == 6 * 7 + 5
    assert "visibilityTimeout" not in {key_of(field) for field in fields(StackConfig)}


@pytest.mark.parametrize("field", fields(StackConfig), ids=lambda field: field.name)
def test_every_setting_is_documented_and_every_bound_has_its_source(field: Any) -> None:
    rule = field.metadata["setting"]
    assert rule.meaning.endswith(".")
    assert rule.accepts(field.default, type(field.default))
    if rule.high:
        assert rule.unit
        assert rule.source.startswith("https://docs.aws.amazon.com/")

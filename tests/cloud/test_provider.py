"""The provider answers as the AWS provider does, over its protocol and without an engine."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import grpc
import pytest
from framework.aws import QUEUE, TABLE
from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from pulumi.runtime.proto import provider_pb2 as messages
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub
from pulumi.runtime.rpc import UNKNOWN

from tools.cloud.deployment import Deployment
from tools.cloud.service import serving

Naming = messages.CheckRequest.AutonamingOptions


@pytest.fixture(scope="module")
def provider(deployment: Deployment) -> Iterator[ResourceProviderStub]:
    with (
        serving(deployment.cloud) as port,
        grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel,
    ):
        stub = ResourceProviderStub(channel)
        stub.Configure(messages.ConfigureRequest(args=struct({"defaultTags": '{"tags": {"owner": "shop"}}'})))
        yield stub


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    return ParseDict(dict(values), struct_pb2.Struct())


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::orders::orders:index:Queue${token}::{name}"


def checked(provider: ResourceProviderStub, token: str, name: str, news: Any, **more: Any) -> dict[str, Any]:
    answer = provider.Check(messages.CheckRequest(urn=urn(token, name), news=struct(news), **more))
    return dict(MessageToDict(answer.inputs))


def test_a_name_is_the_resources_own_with_seven_digits_and_stays(provider: ResourceProviderStub) -> None:
    inputs = checked(provider, QUEUE, "q", {}, randomSeed=b"1")
    assert inputs["name"].startswith("q-")
    assert len(inputs["name"]) == len("q-") + 7
    assert "name" in inputs["__defaults"]
    assert checked(provider, QUEUE, "q", {}, randomSeed=b"2")["name"] != inputs["name"]
    assert checked(provider, QUEUE, "q", {}, randomSeed=b"2", olds=struct(inputs))["name"] == inputs["name"]


@pytest.mark.parametrize("given", [{"name": "mine"}, {}])
def test_a_name_is_the_one_that_was_given_or_proposed(provider: ResourceProviderStub, given: dict[str, str]) -> None:
    naming = Naming(proposed_name="mine", mode=Naming.ENFORCE)
    assert checked(provider, QUEUE, "q", given, autonaming=naming)["name"] == "mine"


def difference(provider: ResourceProviderStub, token: str, old: Any, new: Any) -> Any:
    state = struct({**old, "tagsAll": {"owner": "shop"}})
    named = {"__defaults": ["name"]}
    request = messages.DiffRequest(
        urn=urn(token, "r"), olds=state, old_inputs=struct({**named, **old}), news=struct({**named, **new})
    )
    return provider.Diff(request)


@pytest.mark.parametrize(
    ("token", "old", "new", "diffs", "replaces"),
    [
        (QUEUE, {"delaySeconds": 1}, {"delaySeconds": 1.0}, [], []),
        (QUEUE, {"delaySeconds": 1}, {"delaySeconds": 2}, ["delaySeconds"], []),
        (QUEUE, {"policy": '{"a": 1, "b": 2}'}, {"policy": '{"b":2,"a":1}'}, [], []),
        (QUEUE, {"fifoQueue": False}, {"fifoQueue": True}, ["fifoQueue"], ["fifoQueue"]),
        (QUEUE, {"kmsMasterKeyId": "k"}, {"kmsMasterKeyId": UNKNOWN}, ["kmsMasterKeyId"], []),
        (TABLE, {"hashKey": "orderId"}, {"hashKey": "userId"}, ["hashKey"], ["hashKey"]),
        (TABLE, {"hashKey": "orderId"}, {"hashKey": "orderId", "rangeKey": "at"}, ["rangeKey"], ["rangeKey"]),
        (TABLE, {"tags": {"a": "b"}}, {"tags": {"a": "c"}}, ["tags", "tagsAll"], []),
    ],
)
def test_a_difference_is_an_update_or_a_replacement(
    provider: ResourceProviderStub, token: str, old: Any, new: Any, diffs: list[str], replaces: list[str]
) -> None:
    answer = difference(provider, token, old, new)
    assert (list(answer.diffs), list(answer.replaces)) == (diffs, replaces)


def test_what_keeps_a_name_of_its_own_is_deleted_before_it_is_replaced(provider: ResourceProviderStub) -> None:
    assert not difference(provider, TABLE, {"hashKey": "a"}, {"hashKey": "b"}).deleteBeforeReplace
    fixed = {"name": "mine", "__defaults": []}
    assert difference(provider, TABLE, {"hashKey": "a", **fixed}, {"hashKey": "b", **fixed}).deleteBeforeReplace


def test_a_preview_creates_nothing_and_knows_the_tags(provider: ResourceProviderStub, deployment: Deployment) -> None:
    inputs = checked(provider, QUEUE, "planned", {})
    request = messages.CreateRequest(urn=urn(QUEUE, "planned"), properties=struct(inputs), preview=True)
    told = MessageToDict(provider.Create(request).properties)
    assert (told["arn"], told["url"]) == (UNKNOWN, UNKNOWN)
    assert told["tagsAll"] == {"owner": "shop"}
    assert deployment.client("sqs").list_queues(QueueNamePrefix=inputs["name"]).get("QueueUrls", []) == []


def test_a_resource_goes_through_its_life(provider: ResourceProviderStub, deployment: Deployment) -> None:
    sqs, name = deployment.client("sqs"), f"life-{uuid.uuid4().hex[:6]}"
    inputs = checked(provider, QUEUE, name, {"name": name, "tags": {"a": "b"}})
    made = provider.Create(messages.CreateRequest(urn=urn(QUEUE, name), properties=struct(inputs)))
    assert sqs.list_queue_tags(QueueUrl=made.id)["Tags"] == {"owner": "shop", "a": "b"}
    common: dict[str, Any] = {"id": made.id, "urn": urn(QUEUE, name)}

    same = provider.Read(messages.ReadRequest(**common, properties=made.properties, inputs=struct(inputs)))
    assert MessageToDict(same.inputs) == inputs
    sqs.set_queue_attributes(QueueUrl=made.id, Attributes={"DelaySeconds": "9"})
    drifted = provider.Read(messages.ReadRequest(**common, properties=made.properties, inputs=struct(inputs)))
    assert MessageToDict(drifted.inputs) == {**inputs, "delaySeconds": 9}

    provider.Update(
        messages.UpdateRequest(
            **common,
            olds=made.properties,
            old_inputs=struct(inputs),
            news=struct({**inputs, "delaySeconds": 3, "tags": {}}),
        )
    )
    attributes = sqs.get_queue_attributes(QueueUrl=made.id, AttributeNames=["DelaySeconds"])["Attributes"]
    assert attributes == {"DelaySeconds": "3"}
    assert sqs.list_queue_tags(QueueUrl=made.id)["Tags"] == {"owner": "shop"}

    provider.Delete(messages.DeleteRequest(**common, properties=made.properties))
    provider.Delete(messages.DeleteRequest(**common, properties=made.properties))  # gone already is as good
    assert not provider.Read(messages.ReadRequest(**common, properties=made.properties, inputs=struct(inputs))).id


def test_an_import_takes_over_what_is(provider: ResourceProviderStub, deployment: Deployment) -> None:
    url = deployment.outputs["queueUrl"]
    read = provider.Read(messages.ReadRequest(id=url, urn=urn(QUEUE, "OrderQueue")))
    inputs = MessageToDict(read.inputs)
    assert (read.id, inputs["name"], inputs["visibilityTimeoutSeconds"]) == (url, "OrderQueue", 6)
    assert "arn" not in inputs


def test_what_the_cloud_refuses_is_told_with_the_resource(provider: ResourceProviderStub) -> None:
    inputs = checked(provider, QUEUE, "broken", {"visibilityTimeoutSeconds": 50_000})
    with pytest.raises(grpc.RpcError, match=r"creating broken: .*InvalidAttributeValue"):
        provider.Create(messages.CreateRequest(urn=urn(QUEUE, "broken"), properties=struct(inputs)))


def test_lookups_answer_from_the_local_cloud(provider: ResourceProviderStub, deployment: Deployment) -> None:
    answer = provider.Invoke(messages.InvokeRequest(tok="aws:index/getCallerIdentity:getCallerIdentity"))
    assert MessageToDict(getattr(answer, "return"))["accountId"] == deployment.cloud.account
    with pytest.raises(grpc.RpcError, match=r"lookup must be one of .*, got aws:ec2/getVpc:getVpc"):
        provider.Invoke(messages.InvokeRequest(tok="aws:ec2/getVpc:getVpc"))


def test_another_region_is_refused(provider: ResourceProviderStub) -> None:
    answer = provider.CheckConfig(messages.CheckRequest(news=struct({"region": "us-east-1"})))
    [failure] = answer.failures
    assert failure.reason.startswith("aws:region must be eu-west-1, where the local cloud is, got us-east-1")

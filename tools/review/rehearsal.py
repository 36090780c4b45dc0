"""Tries a change: deploys what is, lets orders pass all the time, applies the change, and accounts for every order."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.cloud.cloud import CloudError, running_cloud
from tools.cloud.deployment import Deployment
from tools.cloud.provider import UnknownTypeError
from tools.cloud.stage import HELD
from tools.recording.graph import stack_config
from tools.review.account import Account, silent, slower
from tools.review.samples import OUTAGE, messages
from tools.review.sight import Sight, counts, look
from tools.review.trial import Trial

STAGE = (sys.executable, "-m", "tools.cloud.stage")
PATIENCE = 6.0
"""Seconds in which no function runs and nothing moves, after which nothing more is expected."""
LONGEST = 3
"""How many times the patience is waited for at most. A machine that took longer for less gets more of both."""
DENIED = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}]}'
SHORTENED = "what failed was tried again at once, whatever the visibility timeout"


def rehearse(before: Path, after: Path, stack: str) -> Trial:
    """Try what one folder has against what another has, both for one stack."""
    start = before if (before / f"Pulumi.{stack}.yaml").exists() else after
    try:
        region = stack_config(stack, start)[1]["aws:region"]
        with running_cloud(region=region, command=STAGE) as cloud:
            return _Rehearsal(Deployment(cloud, stack=stack, say=lambda _: None)).run(start, after)
    except (BotoCoreError, ClientError, CloudError) as error:
        return Trial(left_out=_line(error))


class _Rehearsal:
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._account = Account()
        self._shapes = [""]
        self._topics: list[str] = []
        self._slow = 0.0
        """Seconds that the slowest step took that went well."""

    def run(self, before: Path, after: Path) -> Trial:
        """Publish before, during and after the change; the same orders have events in each part."""
        deployment, account = self._deployment, self._account
        try:
            deployment.apply(root=before)
        except Exception as error:  # noqa: BLE001 - a program may raise anything
            return Trial(left_out=f"what is now cannot be deployed on the local cloud: {_line(error)}")
        self._slow = deployment.seconds
        self._know_consumers()
        self._publish("before")
        was = self._settled()
        if any(was.waiting.values()):  # a machine that is slow for a moment is no loss
            was = self._settled()
        if lost := [*account.losses(was, was)]:
            return Trial(left_out=f"what is now loses orders already: {'; '.join(lost)}")
        counted = counts(deployment, was.log)
        try:
            self._change(after)
        except UnknownTypeError as error:
            return Trial(left_out=_line(error))
        except Exception as error:  # noqa: BLE001 - as above
            return Trial(lost=(f"the change cannot be deployed: {_line(error)}",))
        try:
            admits = self._know_consumers()
            self._publish("after")
            sight = self._settled()
            if account.missing(sight) and any(sight.waiting.values()) and sight.errors == was.errors:
                sight = self._settled()
            said, lost = self._said(was, sight), [*account.losses(sight, was), *account.less(was, sight, admits)]
            lost += (
                []
                if lost
                else [*silent(counted, counts(deployment, sight.log[len(was.log) :])), *self._gone_in_an_outage()]
            )
        except KeyError as error:
            return Trial(lost=(f"after the change the program no longer exports {error.args[0]}",))
        kept, dead = _kept(was, sight)
        if kept < dead:
            lost.append(f"only {kept} of {dead} dead letters from before the change are left")
        return Trial(said=said, lost=tuple(lost), noticed=tuple(slower(sight, was)))

    def _said(self, before: Sight, sight: Sight) -> str:
        account, (kept, dead) = self._account, _kept(before, sight)
        orders, missing = len(account.newest()), sum(map(len, account.missing(sight).values()))
        taken = sum(map(len, account.parts.values()))
        return (
            f"{orders} orders published before, during and after the change, in {taken} messages; "
            f"{orders - missing} stored, {kept} of {dead} dead letters kept; {SHORTENED}"
        )

    def _change(self, after: Path) -> None:
        """Apply the change while some orders wait and others come."""
        held = self._deployment.cloud.folder / HELD
        held.touch()
        self._publish("waiting")
        coming = threading.Thread(target=self._publish, args=("during",), kwargs={"pause": 0.1})
        coming.start()
        try:
            self._deployment.apply(root=after)
        finally:
            coming.join()
            held.unlink()

    def _know_consumers(self) -> dict[str, str]:
        """Learn the topic's address, and by queue with which attributes its filter admits a message."""
        sns, outputs = self._deployment.client("sns"), self._deployment.outputs
        names = {each["url"].rpartition("/")[2]: each["name"] for each in outputs["queues"]}
        self._topics = [outputs["topicArn"], *(each for each in self._topics if each != outputs["topicArn"])]
        admits = {}
        for each in sns.list_subscriptions_by_topic(TopicArn=outputs["topicArn"])["Subscriptions"]:
            told = sns.get_subscription_attributes(SubscriptionArn=each["SubscriptionArn"])["Attributes"]
            shape = _shape(told)
            if shape is None:
                continue
            if name := names.get(each["Endpoint"].rpartition(":")[2]):
                admits[name] = shape
            if shape not in self._shapes:
                self._shapes.append(shape)
        return admits

    def _publish(self, part: str, *, pause: float = 0.0) -> None:
        """Publish as producers do, who know an address until they are told another."""
        bodies = messages(part)
        for index in range(0, len(bodies), 5):
            chunk = bodies[index : index + 5]
            shape = self._shapes[index // 5 % len(self._shapes)]
            topic = self._topics[-1 if index // 5 % 2 else 0]
            entries = [
                {"Id": str(number), "Message": body, "MessageAttributes": json.loads(shape or "{}")}
                for number, body in enumerate(chunk)
            ]
            try:
                answer = self._deployment.client("sns").publish_batch(
                    TopicArn=topic, PublishBatchRequestEntries=entries
                )
            except (BotoCoreError, ClientError):
                answer = {"Failed": entries}
            for taken in answer.get("Successful", ()):
                self._account.took(part, chunk[int(taken["Id"])], shape)
            self._account.refused[part] += len(answer.get("Failed", ()))
            time.sleep(pause)

    def _settled(self) -> Sight:
        """Wait until every message is where it belongs, or nothing moves any more."""
        started = moved = time.monotonic()
        patience = max(PATIENCE, 2 * self._slow)
        last: tuple[int, ...] = ()
        while True:
            sight = look(self._deployment)
            now = time.monotonic()
            if self._account.settled(sight) or now - moved > patience or now - started > LONGEST * patience:
                self._slow = max(self._slow, now - started if self._account.settled(sight) else 0.0)
                return sight
            if sight.running or sight.progress() != last:
                last, moved = sight.progress(), now
            time.sleep(0.3)

    def _gone_in_an_outage(self) -> Iterator[str]:
        """Whether what the function cannot write for a moment is stored later, or else a dead letter."""
        client, outputs = self._deployment.client, self._deployment.outputs
        told: dict[str, Any] = client("lambda").get_function_configuration(FunctionName=outputs["functionName"])
        role = {"RoleName": told["Role"].rpartition("/")[2], "PolicyName": "outage-of-the-rehearsal"}
        client("iam").put_role_policy(**role, PolicyDocument=DENIED)
        self._publish(OUTAGE)
        time.sleep(1.0)
        client("iam").delete_role_policy(**role)
        if vanished := self._account.vanished(self._settled()):
            yield f"{len(vanished)} orders that could not be written for a second are neither stored nor dead letters"


def _kept(before: Sight, sight: Sight) -> tuple[int, int]:
    """How many dead letters from before there still are, and how many there were."""
    ids = [{m["MessageId"] for each in seen.dead.values() for m in each} for seen in (before, sight)]
    return len(ids[0] & ids[1]), len(ids[0])


def _shape(subscription: dict[str, str]) -> str | None:
    """Message attributes that a subscription's filter admits, as JSON, empty for any; None: it is not known here."""
    policy = json.loads(subscription.get("FilterPolicy") or "{}")
    if not policy:
        return ""
    if subscription.get("FilterPolicyScope", "MessageAttributes") != "MessageAttributes":
        return None
    texts = {key: next((each for each in values if isinstance(each, str)), None) for key, values in policy.items()}
    if None in texts.values():
        return None
    return json.dumps({key: {"DataType": "String", "StringValue": text} for key, text in texts.items()})


def _line(error: BaseException) -> str:
    return " ".join(f"{error}".split())[:1000] or type(error).__name__

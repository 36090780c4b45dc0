"""What the page's buttons do: what the commands of `ops` do, in this process, with their results as the answer."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from functions.process_order import orders
from tools.live.feed import Feed
from tools.live.outage import LONGEST, Outage
from tools.live.pipeline import Pipeline
from tools.ops import publish as publishing
from tools.ops import purge as purging
from tools.ops import redrive as redriving
from tools.ops.arguments import Selection
from tools.ops.choosing import Found, find
from tools.ops.deadletters import Message, drain, send_messages
from tools.ops.failure import Failure
from tools.ops.holding import span
from tools.ops.refusals import explained
from tools.ops.sending import BATCH_BYTES, Pace
from tools.ops.stack import OWN
from tools.ops.trace import trace
from tools.terminal import Printer, clean, counted

MOST = 5000
"""Random orders of one click."""
PROOF = 30.0
"""Seconds that the orders of redriven messages have to arrive."""
LOOK_BACK = 24 * 3600.0
"""Seconds of the log that a search for an order reads."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a click."""

    good: bool
    text: str
    problems: Mapping[str, str] = field(default_factory=dict)
    """By the field of the form; empty for what concerns the whole."""
    found: Mapping[str, Any] = field(default_factory=dict)
    """What was asked for."""


class Actions:
    """The page's buttons, by name."""

    def __init__(self, pipeline: Pipeline, feed: Feed, outage: Outage) -> None:
        self._pipeline, self._feed, self._outage = pipeline, feed, outage
        self._quiet = Printer(out=io.StringIO(), errors=io.StringIO())
        self.buttons: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
            "publish": self.publish,
            "generate": self.generate,
            "redrive": self.redrive,
            "correct": self.correct,
            "purge": self.purge,
            "outage": self.outage,
            "letter": self.letter,
            "find": self.find,
        }

    def run(self, name: str, request: Mapping[str, Any]) -> Answer:
        """Do what a button says, one of `buttons`; what cannot be done is an answer too."""
        try:
            with explained("the local cloud"):
                return self.buttons[name](request)
        except Failure as failure:
            return Answer(good=False, text=str(failure))
        except Exception as error:  # noqa: BLE001 - whoever pressed the button must learn of it
            return Answer(good=False, text=f"This could not be done: {type(error).__name__}: {clean(error)}")

    def publish(self, request: Mapping[str, Any]) -> Answer:
        """Publish one order if the function will store it; `unchecked` publishes any text, to see a dead letter."""
        body, attributes = _text(request, "body"), _attributes(request)
        problems = {} if request.get("unchecked") is True else _problems(body)
        if problems:
            return Answer(good=False, text="The function would reject it; nothing was published.", problems=problems)
        if len(body.encode()) > BATCH_BYTES:
            raise Failure(f"a message must be at most {BATCH_BYTES} bytes long, got {len(body.encode())}")
        with self._feed.account.publishing() as counts:
            refused = publishing.publish(self._pipeline.stack, [body], pace=Pace(None), attributes=attributes)
            counts.append(1 - len(refused))
        if refused:
            return Answer(good=False, text=f"The topic did not take it: {refused[0].reason}")
        return Answer(good=True, text="Published one order.")

    def generate(self, request: Mapping[str, Any]) -> Answer:
        count = _integer(request, "count", range(1, MOST + 1))
        bodies = list(publishing.generate(count))
        with self._feed.account.publishing() as counts:
            refused = publishing.publish(self._pipeline.stack, bodies, pace=Pace(None))
            counts.append(count - len(refused))
        return Answer(good=not refused, text=f"Published {count - len(refused)} of {count} random orders.")

    def redrive(self, request: Mapping[str, Any]) -> Answer:
        """All dead letters that can be stored now, or the one that was chosen, and the proof that they arrived."""
        chosen = "id" in request
        with self._feed.letters_lock:
            found = self._find(request)
            plan = [letter for letter in found.letters if letter.version or letter.source not in OWN or chosen]
            outcome = redriving.redrive(self._pipeline.stack, plan, wait=PROOF, printer=self._quiet)
        self._feed.forget_letters()
        said = " ".join([*_outcome(outcome, len(found.letters) - len(plan)), *_held(found)])
        return Answer(good=outcome.proved and not found.held, text=said)

    def purge(self, request: Mapping[str, Any]) -> Answer:
        with self._feed.letters_lock:
            found = self._find(request)
            own = [letter for letter in found.letters if letter.source in OWN]
            gone = purging.purge(self._pipeline.stack, own)
            self._feed.account.purged(gone)
            others = [letter for letter in found.letters if letter.source not in OWN]
            gone += purging.purge(self._pipeline.stack, others)
        self._feed.forget_letters()
        said = [f"Deleted {gone} of {counted(len(found.letters), 'dead letter')}.", *_held(found)]
        return Answer(good=gone == len(found.letters) and not found.held, text=" ".join(said))

    def correct(self, request: Mapping[str, Any]) -> Answer:
        """Send a corrected body to the queue, and only then delete the dead letter."""
        body, letter, stack = _text(request, "body"), self._letter(request), self._pipeline.stack
        if letter["source"] in OWN and (problems := _problems(body)):
            return Answer(good=False, text="The function would reject it again; nothing was sent.", problems=problems)

        def use(messages: list[Message]) -> list[Message]:
            queue = stack.dead_letters[letter["source"]].queue_url
            refused = send_messages(stack, queue, [replace(message, body=body) for message in messages])
            positions = {refusal.position for refusal in refused}
            return [message for position, message in enumerate(messages) if position not in positions]

        with self._feed.letters_lock:
            deleted = drain(stack, letter["source"], [letter["messageId"]], use, pace=Pace(None))
        self._feed.forget_letters()
        text = "Sent the corrected order to the queue." if deleted else "The dead letter is no longer there."
        return Answer(good=bool(deleted), text=text)

    def outage(self, request: Mapping[str, Any]) -> Answer:
        seconds = _integer(request, "seconds", range(LONGEST + 1))
        if seconds == 0:
            self._outage.end()
            return Answer(good=True, text="DynamoDB works again.")
        self._outage.start(seconds)
        return Answer(good=True, text=f"The function may not use DynamoDB for {seconds} s.")

    def letter(self, request: Mapping[str, Any]) -> Answer:
        """A dead letter with its body as it came, and its message attributes."""
        letter = self._letter(request)
        attributes = {name: value.get("StringValue", "(binary)") for name, value in letter["attributes"].items()}
        return Answer(good=True, text="", found={"body": letter["body"], "attributes": attributes})

    def find(self, request: Mapping[str, Any]) -> Answer:
        """What the table, the dead letters and the log of a day know of an order."""
        order_id = _text(request, "orderId")
        if not order_id:
            raise Failure("the id of an order must not be empty")
        with self._feed.letters_lock:
            found = trace(self._pipeline.stack, order_id, seconds=LOOK_BACK, printer=self._quiet)
        letters = [{name: each[name] for name in ("messageId", "source", "reason")} for each in found["deadLetters"]]
        where = "It is stored." if found["stored"] else "It is not stored."
        waiting = found["queue"]["visible"] + found["queue"]["inFlight"]
        if waiting and not found["stored"]:
            where += f" It can be one of {counted(waiting, 'message')} in the queue."
        if found["held"]:
            where += f" Another reader holds {counted(found['held'], 'dead letter')} that it can be one of."
        if found["unreadable"]:
            where += f" {counted(found['unreadable'], 'dead letter')} without a readable id can be one of its."
        return Answer(
            good=bool(found["stored"]),
            text=where,
            found={"item": found["stored"], "letters": letters, "log": [clean(line) for line in found["log"]]},
        )

    def _find(self, request: Mapping[str, Any]) -> Found:
        """All dead letters, or the one that was chosen."""
        chosen = self._letter(request) if "id" in request else None
        sources = (chosen["source"],) if chosen else tuple(self._pipeline.stack.dead_letters)
        selection = Selection(sources=sources, ids=(chosen["messageId"],) if chosen else ())
        found = find(self._pipeline.stack, selection, self._quiet)
        if chosen and not found.letters:
            raise Failure(" ".join(["the dead letter must be in its queue, and is not found there.", *_held(found)]))
        return replace(found, held=0) if chosen else found

    def _letter(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._feed.letter(_text(request, "id"))
        except KeyError:
            raise Failure("the dead letter must be in its queue, and is no longer there") from None


def _outcome(outcome: redriving.Outcome, left: int) -> list[str]:
    """What a redrive did, in sentences."""
    said = [f"Sent {outcome.moved} of {counted(outcome.planned, 'message')} back."]
    if outcome.failed:
        said.append(f"Not taken: {'; '.join(outcome.failed[:3])}.")
    orders_meant = counted(outcome.orders, "order")
    if outcome.lacking:
        said.append(f"{len(outcome.lacking)} of {orders_meant} are not in the table after {PROOF:.0f} s.")
    elif outcome.orders:
        said.append(f"Proved: all {orders_meant} in the table, at this version or a newer one.")
    if left:
        said.append(f"{counted(left, 'message')} that the function would reject again stay where they are.")
    return said


def _held(found: Found) -> list[str]:
    if not found.held:
        return []
    return [f"{counted(found.held, 'message')} more are held by another reader, for {span(found.held)} s at most."]


def _problems(body: str) -> dict[str, str]:
    """Why the deployed function would reject a body, by attribute; what concerns none of them is the whole's."""
    try:
        orders.parse(body)
    except orders.Rejected as rejected:
        found: dict[str, str] = {}
        for problem in str(rejected).split("; "):
            name = problem.split(" ", 1)[0]
            name = name if name in orders.ATTRIBUTES else ""
            found[name] = "; ".join(filter(None, (found.get(name), problem)))
        return found
    return {}


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise Failure(f"{name} must be a text, got {value!r}")
    return value


def _integer(request: Mapping[str, Any], name: str, allowed: range) -> int:
    value = request.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
        raise Failure(f"{name} must be an integer from {allowed[0]} to {allowed[-1]}, got {value!r}")
    return value


def _attributes(request: Mapping[str, Any]) -> dict[str, str]:
    """The message attributes, by which other consumers filter."""
    value = request.get("attributes", {})
    if not isinstance(value, dict) or not all(name and isinstance(each, str) and each for name, each in value.items()):
        raise Failure("message attributes must be a name and a text each, neither empty")
    return value

"""What the page's buttons do: the commands of `ops`, run in this process, with what they print as the answer."""

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from functions.process_order.orders import Rejected, parse
from tools.live.feed import Feed
from tools.live.outage import LONGEST, Outage
from tools.ops import publish as publishing
from tools.ops import purge, redrive
from tools.ops.deadletters import Message, drain, send_messages
from tools.ops.failure import Failure
from tools.ops.refusals import explained
from tools.ops.sending import Pace
from tools.ops.stack import Stack
from tools.root import ROOT
from tools.terminal import Printer

SCHEMA = ROOT / "functions" / "process_order" / "order.schema.json"
MOST = 5000
"""Random orders of one click."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a click."""

    good: bool
    text: str
    problems: Mapping[str, str]
    """By the field of the form; empty for what concerns the whole."""


class Actions:
    """The page's buttons, by name."""

    def __init__(self, stack: Stack, feed: Feed, outage: Outage) -> None:
        self._stack, self._feed, self._outage = stack, feed, outage
        self._validator = Draft202012Validator(json.loads(SCHEMA.read_text()), format_checker=FormatChecker())

        self.buttons: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
            "publish": self.publish,
            "generate": self.generate,
            "redrive": self.redrive,
            "correct": self.correct,
            "purge": self.purge,
            "outage": self.outage,
        }

    def run(self, name: str, request: Mapping[str, Any]) -> Answer:
        """Do what a button says, one of `buttons`; what cannot be done is an answer too."""
        try:
            with explained("the local cloud"):
                return self.buttons[name](request)
        except Failure as failure:
            return Answer(good=False, text=str(failure), problems={})

    def publish(self, request: Mapping[str, Any]) -> Answer:
        """Publish one order if it keeps the schema; `unchecked` publishes any text, to see a dead letter."""
        body = _text(request, "body")
        problems = {} if request.get("unchecked") is True else self._problems(body)
        if problems:
            return Answer(good=False, text="The order breaks the schema; nothing was published.", problems=problems)
        publishing.check([body], contract=False)
        refused = publishing.publish(self._stack, [body], pace=Pace(None))
        if refused:
            return Answer(good=False, text=f"The topic did not take it: {refused[0].reason}", problems={})
        self._feed.count_published(1)
        return Answer(good=True, text="Published one order.", problems={})

    def generate(self, request: Mapping[str, Any]) -> Answer:
        count = request.get("count")
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST:
            raise Failure(f"count must be an integer from 1 to {MOST}, got {count!r}")
        bodies = list(publishing.generate(count))
        refused = publishing.publish(self._stack, bodies, pace=Pace(None))
        self._feed.count_published(count - len(refused))
        text = f"Published {count - len(refused)} of {count} random orders."
        return Answer(good=not refused, text=text, problems={})

    def redrive(self, request: Mapping[str, Any]) -> Answer:
        """All dead letters that can be stored now, or the one that was chosen, and the proof that they arrived."""
        how = {"everything": "id" in request, "rate": None, "dry_run": False, "wait": 30.0}
        return self._command(redrive.run, **self._selection(request), **how)

    def purge(self, request: Mapping[str, Any]) -> Answer:
        before = len(self._feed.newer(0, 0)[1]["letters"])
        answer = self._command(purge.run, **self._selection(request))
        if answer.good and before:
            found = re.search(r"deleted (\d+)", answer.text)
            self._feed.count_purged(int(found[1]) if found else 0)
        return answer

    def correct(self, request: Mapping[str, Any]) -> Answer:
        """Send a corrected body to the queue, and only then delete the dead letter."""
        body, letter = _text(request, "body"), self._letter(request)
        if problems := self._problems(body):
            return Answer(good=False, text="It still breaks the schema; nothing was sent.", problems=problems)
        publishing.check([body])

        def use(messages: list[Message]) -> list[Message]:
            queue = self._stack.dead_letters[letter["source"]].queue_url
            refused = send_messages(self._stack, queue, [replace(m, body=body) for m in messages])
            positions = {refusal.position for refusal in refused}
            return [message for position, message in enumerate(messages) if position not in positions]

        with self._feed.letters_lock:
            deleted = drain(self._stack, letter["source"], [letter["messageId"]], use, pace=Pace(None))
        self._feed.forget_letters()
        text = "Sent the corrected order to the queue." if deleted else "The dead letter is no longer there."
        return Answer(good=bool(deleted), text=text, problems={})

    def outage(self, request: Mapping[str, Any]) -> Answer:
        seconds = request.get("seconds")
        if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds <= LONGEST:
            raise Failure(f"seconds must be an integer from 0 to {LONGEST}, got {seconds!r}")
        if seconds == 0:
            self._outage.end()
            return Answer(good=True, text="DynamoDB works again.", problems={})
        self._outage.start(seconds)
        return Answer(good=True, text=f"The function may not use DynamoDB for {seconds} s.", problems={})

    def _command(self, command: Callable[..., int], **options: Any) -> Answer:
        """Run a command of `ops dlq` as it is, and answer what it prints."""
        out = io.StringIO()
        with self._feed.letters_lock:
            exit_status = command(self._stack, Printer(out=out, errors=io.StringIO()), yes=True, **options)
        self._feed.forget_letters()
        return Answer(good=exit_status == 0, text=out.getvalue().strip(), problems={})

    def _selection(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The options that choose one dead letter; those of the same body are the same to the function."""
        if "id" not in request:
            return {}
        letter = self._letter(request)
        return {"source": letter["source"], "match": re.compile(rf"\A{re.escape(letter['body'])}\Z")}

    def _letter(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._feed.letter(_text(request, "id"))
        except KeyError:
            raise Failure("the dead letter must be in its queue, and is no longer there") from None

    def _problems(self, body: str) -> dict[str, str]:
        """What breaks the schema, by field; what only the contract knows concerns the whole."""
        try:
            order = json.loads(body)
        except ValueError as error:
            return {"": f"must be JSON: {error}"}
        found = {".".join(map(str, e.absolute_path)): e.message for e in self._validator.iter_errors(order)}
        if not found:
            try:
                parse(body)
            except Rejected as rejected:
                return {"": str(rejected)}
        return found


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise Failure(f"{name} must be a text, got {value!r}")
    return value

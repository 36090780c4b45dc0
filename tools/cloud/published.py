"""Remembers what is published on a local cloud, so that the next one can be given the same."""

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def remembering(fanout: Callable[..., None], file: Path) -> Callable[..., None]:
    """Write each message to a file before it is delivered: once, as a line of `dlq export` with the topic's name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    known = set(file.read_text(encoding="utf-8").splitlines())
    lock = threading.Lock()

    def delivering(topic_arn: str, message_id: str, message: str, *more: Any, **named: Any) -> None:
        # The third of `more` are the message attributes, after subject and structure.
        content = {"source": topic_arn.rpartition(":")[2], "body": message, "attributes": dict(*more[2:3])}
        name = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        line = json.dumps({"messageId": name, **content})
        with lock:
            if line not in known:
                with file.open("a", encoding="utf-8") as out:
                    out.write(line + "\n")
                known.add(line)
        fanout(topic_arn, message_id, message, *more, **named)

    return delivering

"""What a rehearsal has seen, and how a job that runs it hands that to the one that judges."""

import json
from dataclasses import asdict, dataclass

from tools.review.values import read

FILE = "rehearsal.json"
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_SCHEMA = {
    "type": "object",
    "required": ["left_out", "said", "lost", "noticed"],
    "additionalProperties": False,
    "properties": {"left_out": _TEXT, "said": _TEXT, "lost": _TEXTS, "noticed": _TEXTS},
}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A change that was tried on the local cloud, or why it was not."""

    left_out: str = ""
    """Why there was no rehearsal; empty if there was one."""
    said: str = ""
    """What became of the orders, in one sentence."""
    lost: tuple[str, ...] = ()
    """What speaks against the change, a sentence each."""
    noticed: tuple[str, ...] = ()
    """What a person has to judge, a sentence each."""

    @property
    def held(self) -> bool:
        """Whether it was tried and every order arrived."""
        return not self.left_out and not self.lost

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


NOT_ASKED = Trial(left_out="nobody asked for it (`--no-rehearsal`)")
NOT_HANDED_OVER = Trial(left_out=f"there is no {FILE} beside the preview")


def read_trial(text: str) -> Trial:
    """Read what another job wrote. Raises ValueError if it is something else."""
    found = read(text, _SCHEMA, f"{FILE} must be what `./orders rehearse --json` writes")
    texts = {key: tuple(found[key]) for key in ("lost", "noticed")}
    return Trial(left_out=found["left_out"], said=found["said"], **texts)

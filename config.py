"""The stack's configuration: every setting with its bounds, read and checked in one place."""

import json
import re
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

_LAMBDA_LIMITS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
_MAPPING = "https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"
_ALARMS = (
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Best_Practice_Recommended_Alarms_AWS_Services.html"
)
_COUNT = {"unit": "a minute", "low": 0, "high": 1_000_000, "source": _ALARMS}  # the most silences an alarm
STACK_NAME = 38
"""Most characters of a stack's name: what the role `ProcessOrder-role-STACK-1a2b3c4` leaves of IAM's 64."""
# fmt: off
_RETENTION_DAYS = (  # what CloudWatch offers, from the 30 days on that an incident may take to be looked into
    30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)
# fmt: on


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a configuration value means and which values it may take."""

    meaning: str
    unit: str = ""
    low: int = 0
    high: int = 0
    """Bounds of an integer."""
    choices: tuple[int | str, ...] = ()
    """The only values, where AWS has a closed set."""
    pattern: str = ""
    """Regular expression that a text must match as a whole."""
    form: str = ""
    """What a text or switch must be, in words."""
    source: str = ""

    def requirement(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            return f"one of {', '.join(str(choice) for choice in self.choices)}"
        return self.form or f"an integer from {self.low} to {self.high}"

    def accepts(self, value: Any, type_: type) -> bool:
        """Whether a value has the type and lies in the bounds."""
        if type_ is not type(value):  # a bool is an int, and must not pass for one
            return False
        if self.choices:
            return value in self.choices
        if isinstance(value, str):
            return re.fullmatch(self.pattern, value) is not None
        return type_ is bool or (isinstance(value, int) and self.low <= value <= self.high)

    def nearest(self, text: str, type_: type) -> str | None:
        """The legal value that a wrong one was closest to; None if none is near."""
        if type_ is bool:
            words = {"true": ("true", "yes", "on", "1"), "false": ("false", "no", "off", "0")}
            return next((value for value, alike in words.items() if text.lower() in alike), None)
        if type_ is str:
            return next(iter(get_close_matches(text, map(str, self.choices), n=1)), None)
        try:
            given = round(float(text))
        except (ValueError, OverflowError):
            return None
        choices = [int(choice) for choice in self.choices]
        bounded = min(max(given, self.low), self.high)
        return str(min(choices, key=lambda choice: abs(choice - given)) if choices else bounded)


def setting(default: Any, meaning: str, **bounds: Any) -> Any:
    """A field of StackConfig that carries its own documentation and bounds."""
    return field(default=default, metadata={"setting": Setting(meaning=meaning, **bounds)})


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """Everything that may differ between two stacks; the defaults suit a development stack.

    In a stack file a field is written in camelCase under the project's name: `orders:maxReceiveCount`.
    """

    max_receive_count: int = setting(
        3,
        "Receives of a message before it moves to the dead-letter queue: fewer give up too soon, more only delay.",
        unit="receives",
        low=3,
        high=10,
        source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
    )
    function_timeout: int = setting(
        30,
        "Time that one invocation of ProcessOrder may take; the queue's visibility timeout is derived from it.",
        unit="seconds",
        low=1,
        high=900,
        source=_LAMBDA_LIMITS,
    )
    function_memory: int = setting(
        512,
        "Memory of ProcessOrder; its share of a CPU grows with it.",
        unit="MB",
        low=128,
        high=10240,
        source=_LAMBDA_LIMITS,
    )
    batch_size: int = setting(
        10,
        "Most messages in one invocation; more than 10 need a batching window of at least 1 s.",
        unit="messages",
        low=1,
        high=10000,
        source=_MAPPING,
    )
    batching_window: int = setting(
        0,
        "Longest wait for a batch to fill before the function is invoked.",
        unit="seconds",
        low=0,
        high=300,
        source=_MAPPING,
    )
    maximum_concurrency: int = setting(
        10,
        "Most invocations of ProcessOrder that the queue may cause at the same time.",
        unit="invocations",
        low=2,
        high=1000,
        source="https://docs.aws.amazon.com/lambda/latest/api/API_ScalingConfig.html",
    )
    log_retention: int = setting(
        30,
        "How long the function's log lines are kept.",
        unit="days",
        choices=_RETENTION_DAYS,
        source="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html",
    )
    protect_data: bool = setting(
        default=False,
        form="true or false",
        meaning="Guard the orders: Pulumi deletes neither what holds nor what delivers them, nor DynamoDB the table.",
    )
    runtime: str = setting(
        "python3.12",
        "Lambda runtime of ProcessOrder.",
        choices=("python3.11", "python3.12", "python3.13"),
        source="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    )
    architecture: str = setting(
        "arm64",
        "Processor of ProcessOrder.",
        choices=("arm64", "x86_64"),
        source="https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html",
    )
    log_level: str = setting(
        "INFO",
        "Least severe log line that is kept; above INFO the summary lines, and with them the order counts, would stop.",
        choices=("DEBUG", "INFO"),
        source="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html",
    )
    permissions_boundary: str = setting(
        "",
        "ARN of the policy that bounds the function's role, where whoever deploys must set one; none by default.",
        pattern=r"|arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]+",
        form="the ARN of an IAM policy",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
    )
    alarm_email: str = setting(
        "",
        "Address that alarms notify, once it has confirmed the subscription; none by default.",
        pattern=r"|[^@\s]+@[^@\s]+\.[^@\s]+",
        form="an e-mail address",
    )
    alarm_runbook: str = setting(
        "docs/runbook.md",
        "Where operators read the runbook; the text of an alarm adds its section to it.",
        pattern=r"[^\s#]+",
        form="a path or URL without spaces or #",
    )
    alarm_order_delay: int = setting(
        120,
        "Time that an order may wait in the queue, on top of what its retries take, before an alarm.",
        unit="seconds",
        low=1,
        high=345600,
        source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
    )
    alarm_duration_share: int = setting(
        80,
        "p99 duration of ProcessOrder, as a share of its timeout, above which an alarm rings.",
        unit="percent",
        low=1,
        high=100,
        source=_ALARMS,
    )
    alarm_function_errors: int = setting(0, "Runs of ProcessOrder that may crash before an alarm.", **_COUNT)
    alarm_throttled_writes: int = setting(50, "Writes that DynamoDB may throttle before an alarm.", **_COUNT)
    alarm_rejected_orders: int = setting(0, "Messages that may break the contract before an alarm.", **_COUNT)
    alarm_failed_orders: int = setting(0, "Messages that may fail to be written before an alarm.", **_COUNT)

    @property
    def visibility_timeout(self) -> int:
        """Seconds a received message stays hidden: 6 x the function's timeout + the batching window.

        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        """
        return 6 * self.function_timeout + self.batching_window


def key_of(declared: Field[Any]) -> str:
    """The configuration key of a field: `max_receive_count` is `maxReceiveCount`."""
    head, *rest = declared.name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def load() -> StackConfig:
    """Read the current stack's configuration.

    Raises pulumi.RunError that lists every problem at once: the key, what must hold, what was given, the fix.
    """
    source = pulumi.Config()
    texts = {f.name: source.get(key_of(f)) for f in fields(StackConfig)}
    values = {f.name: _parse(text, type(f.default)) for f in fields(StackConfig) if (text := texts[f.name]) is not None}
    stack = pulumi.get_stack()
    problems = [*_misnamed(stack), *_unknown(source.name), *_problems(values, texts, source.name)]
    if problems:
        fixes = [f"  {problem}\n    fix: {fix} --stack {stack}" for problem, fix in problems]
        raise pulumi.RunError(f"the configuration of stack {stack} has {len(fixes)} problem(s):\n" + "\n".join(fixes))
    return StackConfig(**values)


def alarm_address(stack: StackConfig) -> pulumi.Input[str] | None:
    """The address that alarms notify: none where it is empty, and a secret where it was set with `--secret`."""
    if not stack.alarm_email:
        return None
    secret = is_config_secret(f"{pulumi.get_project()}:alarmEmail")
    return pulumi.Output.secret(stack.alarm_email) if secret else stack.alarm_email


def _misnamed(stack: str) -> Iterator[tuple[str, str]]:
    """Yield why the names of resources, which end in the stack's, would be refused by AWS."""
    fitting = re.sub("[^A-Za-z0-9_-]", "-", stack)[:STACK_NAME]
    if fitting != stack:
        yield (
            f"the stack's name must be at most {STACK_NAME} letters, digits, hyphens and underscores, got {stack}",
            f"pulumi stack rename {fitting}",
        )


def _unknown(project: str) -> Iterator[tuple[str, str]]:
    """Yield each key of the project's namespace that means nothing, with the nearest one that does."""
    known = [key_of(f) for f in fields(StackConfig)]
    given = CONFIG.get() or get_config_env()
    for full in sorted(key for key in given if key.startswith(f"{project}:")):
        key = full.removeprefix(f"{project}:")
        if key not in known:
            near = {name.lower(): name for name in known}
            found = get_close_matches(key.lower(), near, n=1, cutoff=0.5)
            meant = f"{project}:{near[found[0]]}" if found else f"one of {', '.join(known)}"
            yield f"{full} must be a known setting: is {meant} meant?", f"pulumi config rm {full}"


def _parse(text: str, type_: type) -> Any:
    """The value a text stands for, or the text itself where it stands for none."""
    try:
        return text if type_ is str else json.loads(text)
    except ValueError:
        return text


def _problems(values: dict[str, Any], texts: dict[str, str | None], project: str) -> Iterator[tuple[str, str]]:
    """Yield each problem with the command that fixes it."""
    good: dict[str, Any] = {}
    for f in fields(StackConfig):
        type_, rule, key = type(f.default), f.metadata["setting"], f"{project}:{key_of(f)}"
        value = values.get(f.name, f.default)
        if rule.accepts(value, type_):
            good[f.name] = value
        else:
            nearest = rule.nearest(texts[f.name] or "", type_)
            fix = f"pulumi config set {key} {nearest}" if nearest else f"pulumi config rm {key}"
            given = "[secret]" if is_config_secret(key) else texts[f.name]
            yield f"{key} must be {rule.requirement()}, got {given}", fix
    # Besides 40 MB of its own the process takes 69 MB for two of the worst messages that SQS carries, 90 for four, and
    # 116 for all that Lambda delivers at once, 6 MB (tests/handler/test_bounds.py).
    for key, least, over in (("batchingWindow", 1, 10), ("functionMemory", 192, 2)):
        name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)
        if good.get("batch_size", 0) > over and good.get(name, least) < least:
            yield (
                f"{project}:{key} must be at least {least} when {project}:batchSize is over {over}, "
                f"got {key} {good[name]} and batchSize {good['batch_size']}",
                f"pulumi config set {project}:{key} {least}",
            )

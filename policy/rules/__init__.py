"""The rules of the order notification system, in the order of the pipeline."""

from importlib import import_module

from framework.rule import Rule

_MODULES = (
    *("dead_letters", "sqs", "sns", "resource_policies", "accounts", "kms"),
    *("event_source_mappings", "functions", "cloudwatch", "dynamodb", "iam"),
)
RULES: tuple[Rule, ...] = tuple(rule for name in _MODULES for rule in import_module(f"rules.{name}").RULES)

"""The rules of the order notification system, in the order of the pipeline."""

from framework.rule import Rule

from rules import (
    cloudwatch,
    dead_letters,
    dynamodb,
    event_source_mappings,
    functions,
    iam,
    kms,
    resource_policies,
    sns,
    sqs,
)

RULES: tuple[Rule, ...] = (
    *dead_letters.RULES,
    *sqs.RULES,
    *sns.RULES,
    *resource_policies.RULES,
    *kms.RULES,
    *event_source_mappings.RULES,
    *functions.RULES,
    *cloudwatch.RULES,
    *dynamodb.RULES,
    *iam.RULES,
)

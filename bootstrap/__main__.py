"""What the order stacks of one AWS account stand on: their state, and the roles that GitHub's workflows assume."""

import pulumi
from foundation import settings
from foundation.account import Account, Stack
from foundation.operators import Operators
from foundation.state import State
from foundation.tracing import trace_topics
from foundation.workflows import Workflows, WorkflowsArgs, github_provider

chosen = settings.load()
account = Account.current()

state = State("orders-state", account)
provider_arn = chosen.github_provider_arn or github_provider("orders-github").arn
stacks = [Stack(name=name, account=account, alone=len(chosen.stacks) == 1) for name in chosen.stacks]
workflows = {
    stack.name: Workflows(
        f"orders-{stack.name}",
        WorkflowsArgs(stack=stack, repository=chosen.repository, github_provider_arn=provider_arn, state=state),
    )
    for stack in stacks
}
operators = {stack.name: Operators(f"orders-{stack.name}", stack) for stack in stacks}
trace_topics("orders-tracing", account)

pulumi.export("backendUrl", state.backend_url)
pulumi.export("secretsProvider", state.secrets_provider("bootstrap", pulumi.get_stack()))
# Everything that an operator and the workflows must know of a stack, as the repository variable STACKS takes it.
pulumi.export(
    "stacks",
    {
        stack: {
            "region": account.region,
            "backendUrl": state.backend_url,
            "secretsProvider": state.secrets_provider("orders", stack),
            "permissionsBoundary": roles.boundary_arn,
            "previewRole": roles.preview_role_arn,
            "deployRole": roles.deploy_role_arn,
        }
        for stack, roles in workflows.items()
    },
)
# For whoever manages the rights of people: policies to attach to them.
pulumi.export(
    "people",
    {stack: {"producers": each.producers_arn, "operators": each.operators_arn} for stack, each in operators.items()},
)

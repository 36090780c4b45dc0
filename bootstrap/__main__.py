"""What the order stacks of one AWS account stand on: their state, and the roles that GitHub's workflows assume."""

import pulumi
from foundation import settings
from foundation.account import Account
from foundation.state import State
from foundation.tracing import trace_topics
from foundation.workflows import Workflows, WorkflowsArgs

chosen = settings.load()
account = Account.current()

state = State("orders-state", account)
workflows = Workflows(
    "orders",
    WorkflowsArgs(
        account=account,
        repository=chosen.repository,
        environments=chosen.stacks,
        github_provider_arn=chosen.github_provider_arn,
        state_bucket_arn=state.bucket_arn,
        state_key_arn=state.key_arn,
    ),
)
trace_topics("orders-tracing", account)

pulumi.export("backendUrl", state.backend_url)
pulumi.export("secretsProvider", state.secrets_provider)
pulumi.export("previewRoleArn", workflows.preview_role_arn)
pulumi.export("deployRoleArn", workflows.deploy_role_arn)
pulumi.export("permissionsBoundary", workflows.boundary_arn)

"""What a developer edits reaches the cloud that runs, and what cannot be deployed is said and changes nothing."""

import json
import re
from pathlib import Path

from tests.live.conftest import Live, answered, state, wait_until
from tests.ops.cloud import hasten
from tools.live.beginning import earlier
from tools.ops.publish import publish
from tools.ops.sending import Pace
from tools.ops.stack import Stack, connect
from tools.ops.table import item, wait_until_stored
from tools.root import ROOT

ORDER = {
    "orderId": "O1",
    "userId": "U1",
    "itemName": "Laptop",
    "quantity": 1,
    "status": "new",
    "timestamp": "2025-05-03T12:00:00Z",
}


def send(stack: Stack, order_id: str) -> None:
    assert not publish(stack, [json.dumps({**ORDER, "orderId": order_id})], pace=Pace(None))


def stored(stack: Stack, order_id: str) -> bool:
    return not wait_until_stored(stack, {order_id: "2"}, seconds=60)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_what_the_cloud_begins_with_is_an_option_of_the_command(live: Live) -> None:
    assert "published at the start: 12 of 12 messages" in live.text()
    remembered = [message.body for message in earlier(live.tree / "build/published-local.jsonl")]
    seeds = (ROOT / "docs/examples/orders.jsonl").read_text().splitlines()
    assert {*seeds} <= {*remembered}
    assert [remembered.count(body) for body in seeds] == [1] * 12  # one of them was published twice


def test_a_changed_handler_is_live_with_the_next_batch(live: Live) -> None:
    stack = connect(stack=None, outputs=str(live.outputs))
    send(stack, "before")
    assert stored(stack, "before")
    started = '    started = time.monotonic()\n    records = event.get("Records")'
    handler = live.tree / "functions/process_order/lambda_function.py"
    edit(handler, started, '    print("{\\"level\\": \\"INFO\\", \\"message\\": \\"the edited one\\"}")\n' + started)
    assert live.wait_for("ProcessOrder is live with the next batch") < 20
    send(stack, "after")
    live.wait_for("the edited one")
    assert stored(stack, "after")


def test_a_handler_that_does_not_import_is_one_line_and_the_last_one_runs_on(live: Live) -> None:
    stack = connect(stack=None, outputs=str(live.outputs))
    orders = live.tree / "functions/process_order/orders.py"
    sound = orders.read_text()
    orders.write_text("import nothing_of_that_name\n" + sound)
    live.wait_for("the last one runs on: process_order/orders.py:1: ModuleNotFoundError: No module named")
    send(stack, "meanwhile")
    assert stored(stack, "meanwhile")
    orders.write_text(sound)
    live.wait_for("ProcessOrder is right again")


def test_a_changed_program_is_deployed_in_words_and_the_orders_stay(live: Live) -> None:
    stack = connect(stack=None, outputs=str(live.outputs))
    send(stack, "stays")
    assert stored(stack, "stays")
    edit(live.tree / "Pulumi.local.yaml", "functionTimeout: 1", "functionTimeout: 2")
    live.wait_for("updated OrderQueue (visibilityTimeoutSeconds)")
    attributes = stack.client("sqs").get_queue_attributes(QueueUrl=stack["queueUrl"], AttributeNames=["All"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "12"
    function = stack.client("lambda").get_function_configuration(FunctionName=stack["functionName"])
    assert function["Timeout"] == 2
    assert item(stack, "stays")
    send(stack, "later")
    assert stored(stack, "later")


def test_a_program_that_breaks_a_policy_is_not_deployed(live: Live) -> None:
    component, rotated = live.tree / "components/encryption.py", "enable_key_rotation=True"
    edit(component, rotated, "enable_key_rotation=False")
    live.wait_for("nothing was deployed: fix the program")
    edit(component, "enable_key_rotation=False", rotated)
    live.wait_for("the program is right again")


def test_the_page_judges_by_the_contract_that_is_deployed(live: Live) -> None:
    orders, times = live.tree / "functions/process_order/orders.py", live.text().count("ProcessOrder is live")
    seven = {"body": json.dumps({**ORDER, "orderId": "seven", "quantity": 7})}
    assert answered(live.url, "publish", seven)["good"]
    sound = orders.read_text()
    edit(orders, "MAX_QUANTITY = 2**53 - 1", "MAX_QUANTITY = 6")
    edit(orders, 'ATTRIBUTES = ("orderId",', 'ATTRIBUTES = ("orderId", "currency",')
    live.wait_for("ProcessOrder is live", times=times + 1)
    wait_until(lambda: not answered(live.url, "publish", seven)["good"], 20, live.text)
    assert "from 1 to 6" in answered(live.url, "publish", seven)["problems"]["quantity"]
    wait_until(lambda: ["currency", ""] in state(live.url)["fields"], 20, live.text)
    orders.write_text(sound)
    wait_until(lambda: answered(live.url, "publish", seven)["good"], 20, live.text)


def test_a_consumer_is_on_the_page_until_it_leaves_and_a_broken_program_keeps_no_handler_back(live: Live) -> None:
    """It is in the addresses, too; of what is broken the place is told."""
    program, folder = live.tree / "__main__.py", live.tree / "functions/write_invoice"
    sound = program.read_text()
    folder.mkdir()
    (folder / "handler.py").write_text("def handle(event, _context):\n    raise LookupError('no invoice number')\n")
    [block] = re.findall(r"```python\n(invoices = Queue.*?)```", (ROOT / "docs/changing.md").read_text(), re.DOTALL)
    edit(program, "# Another consumer", block + "\n# Another consumer")
    wait_until(lambda: state(live.url)["consumers"], 60, live.text)
    assert state(live.url)["consumers"][0]["function"] == "WriteInvoice"
    stack = connect(stack=None, outputs=str(live.outputs))
    hasten(stack.client("sqs"), stack.dead_letters["InvoiceQueue"].queue_url, seconds=1)
    assert answered(live.url, "publish", {"body": json.dumps({**ORDER, "orderId": "invoiced"})})["good"]
    wait_until(lambda: [each for each in state(live.url)["letters"] if each["source"] == "InvoiceQueue"], 60, live.text)
    [said, *_] = [line for line in state(live.url)["log"] if "LookupError: no invoice number (handler.py:2)" in line[2]]
    assert "WriteInvoice" in said[2]
    assert "raise LookupError" in said[3]
    assert "WriteInvoice: LookupError" in live.text()
    assert answered(live.url, "purge", {})["good"]
    assert stack.functions == ["ProcessOrder", "WriteInvoice"]
    program.write_text(f"import nothing_there\n{sound}")
    live.wait_for("the Pulumi program must run to its end, but failed at __main__.py:1: ModuleNotFoundError")
    deployed, handler = "ProcessOrder is live with the next batch", live.tree / "functions/process_order/answers.py"
    before, healed = (live.text().count(text) for text in (deployed, "the program is right again"))
    edit(handler, "\n", "\n\n")
    live.wait_for(deployed, times=before + 1)
    program.write_text(sound)
    live.wait_for("the program is right again", times=healed + 1)
    wait_until(lambda: not state(live.url)["consumers"], 60, live.text)
    assert connect(stack=None, outputs=str(live.outputs)).functions == ["ProcessOrder"]

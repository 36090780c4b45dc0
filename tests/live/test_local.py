"""`./orders local`: its page in a real browser, and how what a developer edits reaches the cloud that runs."""

import json
import re

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.live.conftest import Live, answered, state, wait_until
from tests.live.visitor import Page, button
from tests.ops.cloud import hasten, order
from tools.live.beginning import earlier
from tools.ops.table import item
from tools.root import ROOT

HOSTILE = "<img src=x onerror=document.title='taken'>"
LIVE = "ProcessOrder is live with the next batch"


@pytest.fixture(scope="module")
def opened(browser: webdriver.Chrome, live: Live) -> Page:
    """A message that fails is a dead letter after seconds."""
    hasten(live.stack().client("sqs"), live.stack()["queueUrl"], seconds=2)
    browser.get(live.url)
    return Page(browser)


@pytest.fixture
def page(opened: Page) -> Page:
    opened.wait_for("link", "live")
    opened.run("$('form').reset(); $('raw').open = false")  # cheaper than to load the page again
    return opened


def test_what_the_cloud_begins_with_is_an_option_of_the_command(live: Live) -> None:
    assert "published at the start: 12 of 12 messages" in live.text()
    assert len(earlier(live.tree / "build/published-local.jsonl")) == 11  # one of them twice
    wait_until(lambda: sum(state(live.url)["counts"][each] for each in ("stored", "superseded")) == 12, 60, live.text)


def test_seven_windows_hang_no_button(page: Page) -> None:
    """A browser has six connections for a server."""
    page.run("others = Array.from({length: 6}, () => open(location.href, '_blank', 'popup,width=400,height=300'))")
    page.wait_until("others.every(other => other.document.getElementById('link')?.textContent === 'live')")
    page.press("redrive", "Sent 0 of 0 messages back.")
    page.run("others.forEach(other => other.close())")


def test_a_hostile_order_id_is_shown_as_text(page: Page) -> None:
    page.publish(orderId=HOSTILE)
    page.wait_for("orders", HOSTILE)
    page.wait_for("log", HOSTILE)
    assert page.run("return document.querySelectorAll('main img').length") == 0
    assert page.browser.title == "Orders, live"


def test_every_control_is_reached_by_keyboard_and_has_a_name(page: Page) -> None:
    controls = page.browser.find_elements(By.CSS_SELECTOR, "main :is(button, input, textarea, summary)")
    displayed = [control for control in controls if control.is_displayed()]
    assert len(displayed) >= 11
    assert all(control.accessible_name for control in displayed)
    page.run("reached = []; document.addEventListener('focusin', event => reached.push(event.target));")
    page.one("body").send_keys(Keys.TAB * (len(displayed) + 20))
    reached = {control.id for control in page.run("return reached")}
    assert {control.id for control in displayed} <= reached


def test_a_field_that_breaks_the_schema_is_marked_and_focused(page: Page) -> None:
    page.fill(quantity="two")
    page.press("publish", "nothing was published")
    assert "must be an integer from 1 to" in page.text("problem-quantity")
    field = page.one("#form [name=quantity]")
    assert field.get_attribute("aria-invalid") == "true"
    assert page.browser.switch_to.active_element == field


def test_500_random_orders_are_stored_and_counted(page: Page) -> None:
    counts = "['stored', 'superseded', 'dead'].map(name => Number($(name).textContent.replace(',', '')))"
    handled = f"{counts}.reduce((one, other) => one + other)"  # on a busy machine some become dead letters
    published, before = page.number("published"), page.run(f"return {handled}")
    page.press("random", "Published 500 of 500 random orders.")
    page.wait_until(f"{handled} >= arguments[0] && $('waiting').textContent === '0'", before + 500, limit=120)
    wait_until(lambda: page.number("published") >= published + 500, 20, lambda: page.text("account"))


def test_an_outage_makes_a_dead_letter_and_a_redrive_is_proved(page: Page) -> None:
    page.press("break", "The function may not use DynamoDB for 30 s.")
    page.wait_for("break", "Let DynamoDB work again")
    page.publish(orderId="OUTAGE-1")
    page.wait_for("letters", "OUTAGE-1")
    assert page.number("failed") >= 1
    assert page.number("dead") >= 1
    if "again" in page.text("break"):
        page.press("break", "DynamoDB works again.")
    page.wait_for("break", "Break DynamoDB")
    page.press("redrive", "Proved: all")
    page.wait_until_gone("OUTAGE-1")


def test_a_dead_letter_is_sent_back_and_corrected_and_an_edit_outlives_it(page: Page) -> None:
    page.publish(orderId="WRONG-1", quantity="0", unchecked=True)
    row = page.letter("WRONG-1")
    assert "quantity" in row.text  # the reason
    body = row.find_element(By.TAG_NAME, "textarea")
    body.send_keys("my edit")
    page.press(button(row, "Redrive as it is"), "Sent 1 of 1 message back.")
    page.wait_for("letters", "no longer here")
    assert "my edit" in str(body.get_property("value"))
    button(row, "Dismiss").click()
    page.wait_until_gone("no longer here")

    row = page.letter("WRONG-1")
    body, correct = row.find_element(By.TAG_NAME, "textarea"), button(row, "Send corrected")
    page.press(correct, "The function would reject it again")
    assert "quantity" in row.find_element(By.CLASS_NAME, "problem").text
    page.type_into(body, str(body.get_property("value")).replace('"quantity":0', '"quantity":7'))
    page.press(correct, "Sent the corrected order to the queue.")
    page.wait_for("orders", "WRONG-1 new, 7 ")
    page.wait_for("letters", "no longer here")


def test_an_order_shows_its_versions_where_the_focus_is_and_is_found_by_its_id(page: Page) -> None:
    page.publish(orderId="SOUGHT-1", timestamp="2025-05-03T12:00:00Z")
    page.wait_for("orders", "SOUGHT-1 new, 1")
    row = page.one('#orders li[data-key="SOUGHT-1"]')
    row.find_element(By.TAG_NAME, "summary").click()
    focused = page.browser.switch_to.active_element
    paid = json.dumps(order(orderId="SOUGHT-1", status="paid", timestamp="2025-05-03T13:00:00Z"))
    page.run("fetch('do/publish', {method: 'POST', body: JSON.stringify({body: arguments[0]})})", paid)
    page.wait_for("orders", "SOUGHT-1 paid, 1")
    assert page.browser.switch_to.active_element == focused
    assert "version 2025-05-03T12:00:00.000000" in row.text
    assert "version 2025-05-03T13:00:00.000000" in row.text
    assert row.text.count(" stored") >= 2
    for order_id, answer in (("nobody's", "It is not stored."), ("SOUGHT-1", "It is stored.")):
        page.type_into(page.one("#find input"), order_id)
        page.press(page.one("#find button"), answer)
    assert '"status":"paid"' in page.text("found")
    assert "message stored" in page.text("found")


def test_an_order_without_an_id_stops_nothing(page: Page) -> None:
    page.publish(orderId="", unchecked=True)
    page.wait_for("orders", "(an empty id)")
    page.wait_for("orders", "could not be looked up in the table")
    stored = page.number("stored")
    page.publish(orderId="AFTER-1")
    page.wait_for("orders", "AFTER-1 new, 1")
    wait_until(lambda: page.number("stored") > stored, 30, lambda: page.text("stored"))


def test_a_raw_body_is_published_with_its_message_attributes(page: Page) -> None:
    page.one("#raw summary").click()
    page.wait_until("form.raw.value.includes(arguments[0])", '"orderId":"O1234"', limit=10)
    page.fill(raw='{"orderId": "RAW-1"}', attributes="kind=audit\nregion=eu")
    page.press("publish", "The function would reject it; nothing was published.")
    assert "userId must be" in page.text("whole")
    page.publish(unchecked=True)
    row = page.letter("RAW-1")
    assert "kind=audit\nregion=eu" in row.text
    page.press(button(row, "Purge"), "Deleted 1 of 1 dead letter.", asked=True)


def test_what_was_published_adds_up_when_all_dead_letters_are_purged_too(page: Page) -> None:
    page.publish(orderId="LAST-1", quantity="0", unchecked=True)
    page.wait_for("letters", "LAST-1")
    page.press("purge", "Deleted ", asked=True)
    page.wait_until_gone("LAST-1")
    page.wait_for("account", " purged")

    def adds_up() -> bool:
        total, *parts = [int(part.replace(",", "")) for part in re.findall(r"[\d,]+", page.text("account"))]
        return total == sum(parts) > 0 and "unaccounted" not in page.text("account")

    wait_until(adds_up, 30, lambda: page.text("account"))


def test_without_news_it_says_so_and_a_field_that_is_wanted_no_more_goes_with_the_focus(page: Page) -> None:
    field = page.one("#form [name=itemName]")
    field.click()
    page.browser.set_network_conditions(offline=True, latency=0, throughput=0)
    try:
        page.run("state = {...state, fields: state.fields.filter(([name]) => name !== 'itemName')}; show(state)")
        assert field.is_displayed()
        page.run("document.activeElement.blur()")
        page.wait_until("!form.itemName", limit=10)
        page.wait_for("link", "nothing new for", limit=30)
    finally:
        page.browser.delete_network_conditions()
    page.wait_for("link", "live", limit=30)
    assert not re.search(r"`|--\w|\./orders|\bmake \w", page.run("return document.body.innerText"))


def test_it_fits_a_phone_and_is_dark_where_the_reader_wants_that(page: Page) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert page.run("return document.documentElement.scrollWidth") <= 360
    page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    colors = []
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        colors.append(page.one("body").value_of_css_property("background-color"))
    assert colors == ["rgba(246, 247, 249, 1)", "rgba(18, 22, 28, 1)"]


def test_the_browser_has_nothing_to_complain_of(page: Page) -> None:
    said = [each["message"] for each in page.browser.get_log("browser") if each["level"] == "SEVERE"]  # type: ignore[no-untyped-call]
    assert [message for message in said if "ERR_INTERNET_DISCONNECTED" not in message] == []
    page.browser.get("about:blank")  # which asks for nothing any more


def test_a_changed_handler_is_live_with_the_next_batch_and_one_that_does_not_import_is_one_line(live: Live) -> None:
    started = '    started = time.monotonic()\n    records = event.get("Records")'
    told = '    print("{\\"level\\": \\"INFO\\", \\"message\\": \\"the edited one\\"}")\n'
    live.edit("functions/process_order/lambda_function.py", started, told + started)
    assert live.wait_for(LIVE) < 20
    live.store("after")
    live.wait_for("the edited one")
    live.edit("functions/process_order/orders.py", "", "import nothing_of_that_name\n")
    live.wait_for("the last one runs on: process_order/orders.py:1: ModuleNotFoundError: No module named")
    live.store("meanwhile")
    live.edit("functions/process_order/orders.py", "import nothing_of_that_name\n", "")
    live.wait_for("ProcessOrder is right again")


def test_a_changed_program_is_deployed_in_words_and_the_orders_stay(live: Live) -> None:
    live.edit("Pulumi.local.yaml", "functionTimeout: 20", "functionTimeout: 10")
    live.wait_for("updated OrderQueue (visibilityTimeoutSeconds)")
    stack = live.stack()
    attributes = stack.client("sqs").get_queue_attributes(QueueUrl=stack["queueUrl"], AttributeNames=["All"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "60"
    function = stack.client("lambda").get_function_configuration(FunctionName=stack["functionName"])
    assert function["Timeout"] == 10
    assert item(stack, "meanwhile")
    live.store("later")


def test_a_program_that_breaks_a_policy_is_not_deployed(live: Live) -> None:
    live.edit("components/encryption.py", "enable_key_rotation=True", "enable_key_rotation=False")
    live.wait_for("nothing was deployed: fix the program")
    live.edit("components/encryption.py", "enable_key_rotation=False", "enable_key_rotation=True")
    live.wait_for("the program is right again")


def test_the_page_judges_by_the_contract_that_is_deployed(live: Live) -> None:
    orders, times = "functions/process_order/orders.py", live.text().count(LIVE)
    seven = {"body": json.dumps(order(quantity=7))}
    assert answered(live.url, "publish", seven)["good"]
    live.edit(orders, "MAX_QUANTITY = 2**53 - 1", "MAX_QUANTITY = 6")
    live.edit(orders, 'ATTRIBUTES = ("orderId",', 'ATTRIBUTES = ("orderId", "currency",')
    live.wait_for(LIVE, times=times + 1)
    wait_until(lambda: not answered(live.url, "publish", seven)["good"], 20, live.text)
    assert "from 1 to 6" in answered(live.url, "publish", seven)["problems"]["quantity"]
    wait_until(lambda: ["currency", ""] in state(live.url)["fields"], 20, live.text)
    live.edit(orders, "MAX_QUANTITY = 6", "MAX_QUANTITY = 2**53 - 1")
    live.edit(orders, '"currency",', "")
    wait_until(lambda: answered(live.url, "publish", seven)["good"], 20, live.text)


def test_a_consumer_is_on_the_page_until_it_leaves_and_a_broken_program_keeps_no_handler_back(live: Live) -> None:
    """It is in the addresses, too; of what is broken the place is told."""
    program, folder = live.tree / "__main__.py", live.tree / "functions/write_invoice"
    sound = program.read_text()
    folder.mkdir()
    (folder / "handler.py").write_text("def handle(event, _context):\n    raise LookupError('no invoice number')\n")
    [block] = re.findall(r"```python\n(invoices = Queue.*?)```", (ROOT / "docs/changing.md").read_text(), re.DOTALL)
    live.edit("__main__.py", "# Another consumer", block + "\n# Another consumer")
    wait_until(lambda: state(live.url)["consumers"], 60, live.text)
    assert state(live.url)["consumers"][0]["function"] == "WriteInvoice"
    stack = live.stack()
    hasten(stack.client("sqs"), stack.dead_letters["InvoiceQueue"].queue_url, seconds=1)
    assert answered(live.url, "publish", {"body": json.dumps(order())})["good"]
    wait_until(lambda: [each for each in state(live.url)["letters"] if each["source"] == "InvoiceQueue"], 60, live.text)
    told = "WriteInvoice: LookupError: no invoice number (handler.py:2)"
    wait_until(lambda: told in str(state(live.url)["log"]), 60, live.text)
    [said, *_] = [line for line in state(live.url)["log"] if told in line[2]]
    assert "raise LookupError" in said[3]
    live.wait_for(told)
    assert answered(live.url, "purge", {})["good"]
    assert stack.functions == ["ProcessOrder", "WriteInvoice"]
    program.write_text(f"import nothing_there\n{sound}")
    live.wait_for("the Pulumi program must run to its end, but failed at __main__.py:1: ModuleNotFoundError")
    before, healed = (live.text().count(text) for text in (LIVE, "the program is right again"))
    live.edit("functions/process_order/answers.py", "\n", "\n\n")
    live.wait_for(LIVE, times=before + 1)
    program.write_text(sound)
    live.wait_for("the program is right again", times=healed + 1)
    wait_until(lambda: not state(live.url)["consumers"], 60, live.text)
    assert live.stack().functions == ["ProcessOrder"]

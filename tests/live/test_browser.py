"""The page in a real browser: what is shown, pressed, broken and redriven."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of

from tests.live.conftest import Live, wait_until
from tests.live.visitor import button, dead_letter, fill, letter_of, number, press, text, wait_for, wait_for_answer
from tests.ops.cloud import hasten
from tools.ops.stack import connect

HOSTILE = "<img src=x onerror=document.title='taken'>"


@pytest.fixture(scope="module")
def opened(browser: webdriver.Chrome, live: Live) -> webdriver.Chrome:
    """A message that fails is a dead letter after seconds; the function has time, also on a busy machine."""
    stack = connect(stack=None, outputs=str(live.outputs))
    function = stack.client("lambda")
    function.update_function_configuration(FunctionName=stack["functionName"], Timeout=20)
    function.invoke(FunctionName=stack["functionName"], Payload=b'{"Records": []}')
    hasten(stack.client("sqs"), stack["queueUrl"], seconds=2)
    browser.get(live.url)
    return browser


@pytest.fixture
def page(opened: webdriver.Chrome) -> webdriver.Chrome:
    wait_for(opened, "link", "live")
    opened.execute_script("$('form').reset(); $('raw').open = false")  # cheaper than to load the page again
    return opened


def test_a_hostile_order_id_is_shown_as_text(page: webdriver.Chrome) -> None:
    fill(page, orderId=HOSTILE)
    press(page, "publish")
    wait_for(page, "orders", HOSTILE)
    wait_for(page, "log", HOSTILE)
    assert page.find_elements(By.CSS_SELECTOR, "main img") == []
    assert page.title == "Orders, live"


def test_every_control_is_reached_by_keyboard_and_has_a_name(page: webdriver.Chrome) -> None:
    controls = page.find_elements(By.CSS_SELECTOR, "main button, main input, main textarea, main summary")
    displayed = [control for control in controls if control.is_displayed()]
    assert len(displayed) >= 11
    assert all(control.accessible_name for control in displayed)
    page.execute_script("reached = []; document.addEventListener('focusin', event => reached.push(event.target));")
    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB * (len(displayed) + 20))
    reached = {control.id for control in page.execute_script("return reached")}
    assert {control.id for control in displayed} <= reached


def test_a_field_that_breaks_the_schema_is_marked_and_focused(page: webdriver.Chrome) -> None:
    fill(page, quantity="two")
    press(page, "publish")
    wait_for(page, "problem-quantity", "must be an integer from 1 to")
    field = page.find_element(By.CSS_SELECTOR, "#form [name=quantity]")
    assert field.get_attribute("aria-invalid") == "true"
    assert page.switch_to.active_element == field


def test_500_random_orders_are_stored_and_counted(page: webdriver.Chrome) -> None:
    def handled() -> int:  # on a busy machine the function runs out of time, and its orders come again
        return sum(number(page, name) for name in ("stored", "superseded", "dead"))

    published, before = number(page, "published"), handled()
    press(page, "random", "Published 500 of 500 random orders.")
    wait_until(lambda: handled() >= before + 500, 120, lambda: text(page, "account"))
    wait_until(lambda: number(page, "published") >= published + 500, 20, lambda: text(page, "account"))
    assert number(page, "waiting") == 0


def test_an_outage_makes_a_dead_letter_and_a_redrive_is_proved(page: webdriver.Chrome) -> None:
    press(page, "break", "The function may not use DynamoDB for 30 s.")
    wait_for(page, "break", "Let DynamoDB work again")
    fill(page, orderId="OUTAGE-1")
    press(page, "publish", "Published one order.")
    wait_for(page, "letters", "OUTAGE-1")
    assert number(page, "failed") >= 1
    assert number(page, "dead") >= 1
    if "again" in text(page, "break"):
        press(page, "break", "DynamoDB works again.")
    wait_for(page, "break", "Break DynamoDB")
    press(page, "redrive", "Proved: all")
    wait_until(lambda: "OUTAGE-1" not in text(page, "letters"), 30, lambda: text(page, "letters"))


def test_a_dead_letter_is_corrected(page: webdriver.Chrome) -> None:
    row = dead_letter(page, "WRONG-1")
    body, correct = row.find_element(By.TAG_NAME, "textarea"), button(row, "Send corrected")
    correct.click()
    wait_for_answer(page, correct, "The function would reject it again")
    assert "quantity" in row.find_element(By.CLASS_NAME, "problem").text
    corrected = str(body.get_property("value")).replace('"quantity":0', '"quantity":7')
    body.clear()
    body.send_keys(corrected)
    correct.click()
    wait_for_answer(page, correct, "Sent the corrected order to the queue.")
    wait_for(page, "orders", "WRONG-1 new, 7 ")
    wait_until(lambda: "no longer here" in row.text, 30, lambda: row.text)


def test_a_dead_letter_is_sent_back_and_purged_and_an_edit_outlives_it(page: webdriver.Chrome) -> None:
    row = dead_letter(page, "AGAIN-1")
    body, again = row.find_element(By.TAG_NAME, "textarea"), button(row, "Redrive as it is")
    body.send_keys("my edit")
    again.click()
    wait_for_answer(page, again, "Sent 1 of 1 message back.")

    def returned() -> list[WebElement]:
        rows = page.find_elements(By.CSS_SELECTOR, "#letters > li")
        return [each for each in rows if each != row and "AGAIN-1" in each.text]

    wait_until(returned, 60, lambda: text(page, "letters"))
    [found] = returned()
    found.find_element(By.TAG_NAME, "summary").click()
    purge = button(found, "Purge")
    purge.click()
    page.switch_to.alert.accept()
    wait_for_answer(page, purge, "Deleted 1 of 1 dead letter.")
    assert "no longer here" in row.text
    assert "my edit" in str(body.get_property("value"))
    button(row, "Dismiss").click()
    wait_until(lambda: staleness_of(row)(page), 10, lambda: row.text)


def test_a_row_with_the_focus_is_told_what_changes(page: webdriver.Chrome) -> None:
    fill(page, orderId="F1")
    press(page, "publish")
    wait_for(page, "orders", "F1 new, 1")
    page.find_element(By.CSS_SELECTOR, '#orders li[data-key="F1"] summary').click()
    focused = page.switch_to.active_element
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    order = {"orderId": "F1", "userId": "U1", "itemName": "Laptop", "quantity": 2, "status": "paid", "timestamp": later}
    body = json.dumps({"body": json.dumps(order)})
    said = page.execute_async_script(
        """const request = {method: "POST", body: arguments[0]};
        fetch("do/publish", request).then(response => response.text()).then(arguments[1]);""",
        body,
    )
    assert "Published one order" in str(said)
    wait_for(page, "orders", "F1 paid, 2")
    assert page.switch_to.active_element == focused
    assert "paid, 2" in page.find_element(By.CSS_SELECTOR, '#orders li[data-key="F1"]').text


def test_an_order_without_an_id_stops_nothing(page: webdriver.Chrome) -> None:
    fill(page, orderId="")
    page.find_element(By.NAME, "unchecked").click()
    press(page, "publish", "Published one order.")
    wait_for(page, "orders", "(an empty id)")
    wait_for(page, "orders", "could not be looked up in the table")
    stored = number(page, "stored")
    fill(page, orderId="AFTER-1")
    press(page, "publish", "Published one order.")
    wait_for(page, "orders", "AFTER-1 new, 1")
    wait_until(lambda: number(page, "stored") > stored, 30, lambda: text(page, "stored"))


def test_what_was_published_adds_up(page: webdriver.Chrome) -> None:
    def adds_up() -> bool:
        total, *parts = [int(part.replace(",", "")) for part in re.findall(r"[\d,]+", text(page, "account"))]
        return total == sum(parts) > 0 and "unaccounted" not in text(page, "account")

    wait_until(adds_up, 30, lambda: text(page, "account"))


def test_an_order_shows_its_versions_and_is_found_by_its_id(page: webdriver.Chrome) -> None:
    for status, timestamp in (("new", "2025-05-03T12:00:00Z"), ("paid", "2025-05-03T13:00:00Z")):
        fill(page, orderId="SOUGHT-1", status=status, timestamp=timestamp)
        press(page, "publish")
        wait_for(page, "orders", f"SOUGHT-1 {status}, ")
    row = page.find_element(By.CSS_SELECTOR, '#orders li[data-key="SOUGHT-1"]')
    row.find_element(By.TAG_NAME, "summary").click()
    assert "version 2025-05-03T12:00:00.000000" in row.text
    assert "version 2025-05-03T13:00:00.000000" in row.text
    assert row.text.count(" stored") >= 2
    find = page.find_element(By.CSS_SELECTOR, "#find button")
    for order_id, answer in (("nobody's", "It is not stored."), ("SOUGHT-1", "It is stored.")):
        field = page.find_element(By.CSS_SELECTOR, "#find input")
        field.clear()
        field.send_keys(order_id)
        find.click()
        wait_for_answer(page, find, answer)
    assert '"status":"paid"' in text(page, "found")
    assert "message stored" in text(page, "found")


def test_a_raw_body_is_published_with_its_message_attributes(page: webdriver.Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, "#raw summary").click()
    raw = page.find_element(By.NAME, "raw")
    wait_until(
        lambda: '"orderId":"O1234"' in str(raw.get_property("value")), 10, lambda: str(raw.get_property("value"))
    )
    raw.clear()
    raw.send_keys('{"orderId": "RAW-1"}')
    page.find_element(By.NAME, "attributes").send_keys("kind=audit\nregion=eu")
    press(page, "publish", "The function would reject it; nothing was published.")
    assert "userId must be" in text(page, "whole")
    page.find_element(By.NAME, "unchecked").click()
    press(page, "publish", "Published one order.")
    wait_for(page, "letters", "RAW-1")
    row = letter_of(page, "RAW-1")
    row.find_element(By.TAG_NAME, "summary").click()
    wait_until(lambda: "kind=audit\nregion=eu" in row.text, 30, lambda: row.text)
    page.find_element(By.ID, "purge").click()
    page.switch_to.alert.accept()
    wait_until(lambda: "RAW-1" not in text(page, "letters"), 30, lambda: text(page, "letters"))


def test_seven_windows_hang_no_button(page: webdriver.Chrome) -> None:
    first, url = page.current_window_handle, page.current_url
    for _ in range(6):  # a browser has six connections for a server
        page.switch_to.new_window("window")
        page.get(url)
    wait_for(page, "link", "live")
    page.switch_to.window(first)
    press(page, "break", "The function may not use DynamoDB")
    wait_for(page, "break", "Let DynamoDB work again")
    press(page, "break", "DynamoDB works again.")
    for window in {*page.window_handles} - {first}:
        page.switch_to.window(window)
        page.close()
    page.switch_to.window(first)


def test_live_means_that_something_came(page: webdriver.Chrome) -> None:
    page.set_network_conditions(offline=True, latency=0, throughput=0)
    try:
        wait_for(page, "link", "nothing new for", 30)
    finally:
        page.delete_network_conditions()
    wait_for(page, "link", "live", 30)
    words = str(page.execute_script("return document.body.innerText"))
    assert not re.search(r"`|--\w|\./orders|\bmake \w", words)


def test_it_fits_a_phone(page: webdriver.Chrome) -> None:
    size: dict[str, Any] = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert page.execute_script("return document.documentElement.scrollWidth") <= 360
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_is_dark_where_the_reader_wants_that(page: webdriver.Chrome) -> None:
    colors = []
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        colors.append(page.find_element(By.TAG_NAME, "body").value_of_css_property("background-color"))
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert colors == ["rgba(246, 247, 249, 1)", "rgba(18, 22, 28, 1)"]


def test_a_field_that_is_wanted_no_more_goes_when_it_has_lost_the_focus(page: webdriver.Chrome) -> None:
    field = page.find_element(By.CSS_SELECTOR, "#form [name=itemName]")
    field.click()
    page.set_network_conditions(offline=True, latency=0, throughput=0)  # there is no news
    try:
        page.execute_script(
            "state = {...state, fields: state.fields.filter(([name]) => name !== 'itemName')}; show(state)"
        )
        assert field.is_displayed()
        page.execute_script("document.activeElement.blur()")
        named = (By.CSS_SELECTOR, "#form [name=itemName]")
        wait_until(lambda: not page.find_elements(*named), 10, lambda: "the field is still there")
    finally:
        page.delete_network_conditions()


def test_the_browser_has_nothing_to_complain_of(page: webdriver.Chrome) -> None:
    said = [entry["message"] for entry in page.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[no-untyped-call]
    assert [message for message in said if "ERR_INTERNET_DISCONNECTED" not in message] == []

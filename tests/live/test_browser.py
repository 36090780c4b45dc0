"""The page in a real browser: what is shown, pressed, broken and redriven."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.live.conftest import Live, wait_until

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
HOSTILE = "<img src=x onerror=document.title='taken'>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    chromium, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("a real browser must be on the PATH: install chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,1100"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as running:
        yield running


@pytest.fixture
def page(browser: webdriver.Chrome, live: Live) -> webdriver.Chrome:
    browser.get(live.url)
    wait_for(browser, "link", "live")
    return browser


def text(page: webdriver.Chrome, name: str) -> str:
    return str(page.execute_script("return document.getElementById(arguments[0]).textContent", name))


def wait_for(page: webdriver.Chrome, name: str, wanted: str, limit: float = 90) -> None:
    wait_until(lambda: wanted in text(page, name), limit, lambda: f"{wanted!r} in {name}: {text(page, name)!r}")


def number(page: webdriver.Chrome, name: str) -> int:
    return int(text(page, name).replace(",", ""))


def press(page: webdriver.Chrome, name: str) -> None:
    page.find_element(By.ID, name).click()


def fill(page: webdriver.Chrome, **values: str) -> None:
    for name, value in values.items():
        field = page.find_element(By.NAME, name)
        field.clear()
        field.send_keys(value)


def test_a_hostile_order_id_is_shown_as_text(page: webdriver.Chrome) -> None:
    fill(page, orderId=HOSTILE)
    press(page, "publish")
    wait_for(page, "orders", HOSTILE)
    wait_for(page, "log", HOSTILE)
    assert page.find_elements(By.CSS_SELECTOR, "main img") == []
    assert page.title == "Orders, live"


def test_a_field_that_breaks_the_schema_is_marked_and_focused(page: webdriver.Chrome) -> None:
    fill(page, quantity="two")
    press(page, "publish")
    wait_for(page, "problem-quantity", "is not of type 'integer'")
    field = page.find_element(By.NAME, "quantity")
    assert field.get_attribute("aria-invalid") == "true"
    assert page.switch_to.active_element == field


def test_500_random_orders_are_stored_and_counted(page: webdriver.Chrome) -> None:
    published, done = number(page, "published"), number(page, "stored")
    press(page, "random")
    wait_for(page, "answer", "Published 500 of 500 random orders.")
    wait_until(lambda: number(page, "stored") >= done + 500, 90, lambda: text(page, "stored"))
    wait_until(lambda: number(page, "published") >= published + 500, 20, lambda: text(page, "published"))
    assert number(page, "waiting") == 0


def test_an_order_shows_its_versions_and_history(page: webdriver.Chrome) -> None:
    for status, timestamp in (("new", "2025-05-03T12:00:00Z"), ("paid", "2025-05-03T13:00:00Z")):
        fill(page, orderId="V1", status=status, timestamp=timestamp)
        press(page, "publish")
        wait_for(page, "orders", f"V1 {status}, ")
    row = page.find_element(By.CSS_SELECTOR, '#orders li[data-key="V1"]')
    row.find_element(By.TAG_NAME, "summary").click()
    assert "version 2025-05-03T12:00:00.000000" in row.text
    assert "version 2025-05-03T13:00:00.000000" in row.text
    assert row.text.count(" stored") >= 2


def test_an_outage_makes_a_dead_letter_and_a_redrive_is_proved(page: webdriver.Chrome) -> None:
    press(page, "break")
    wait_for(page, "break", "Let DynamoDB work again")
    fill(page, orderId="OUTAGE-1")
    press(page, "publish")
    wait_for(page, "letters", "OUTAGE-1")
    assert number(page, "failed") >= 3
    assert number(page, "dead") >= 1
    if "again" in text(page, "break"):
        press(page, "break")
    wait_for(page, "break", "Break DynamoDB")
    press(page, "redrive")
    wait_for(page, "answer", "proved: all 1 orders are in the table")
    wait_until(lambda: "OUTAGE-1" not in text(page, "letters"), 30, lambda: text(page, "letters"))


def dead_letter(page: webdriver.Chrome, order_id: str) -> WebElement:
    """Publish what breaks the schema, and wait for its dead letter."""
    fill(page, orderId=order_id, quantity="0")
    page.find_element(By.NAME, "unchecked").click()
    press(page, "publish")
    wait_for(page, "letters", order_id)
    [row] = [row for row in page.find_elements(By.CSS_SELECTOR, "#letters > li") if order_id in row.text]
    assert "quantity" in row.text  # the reason
    row.find_element(By.TAG_NAME, "summary").click()
    return row


def test_a_dead_letter_is_corrected(page: webdriver.Chrome) -> None:
    row = dead_letter(page, "WRONG-1")
    body = row.find_element(By.TAG_NAME, "textarea")
    correct = row.find_element(By.XPATH, ".//button[text()='Send corrected']")
    correct.click()
    wait_for(page, "answer", "It still breaks the schema")
    assert "quantity" in row.find_element(By.CLASS_NAME, "problem").text
    corrected = str(body.get_property("value")).replace('"quantity":0', '"quantity":7')
    body.clear()
    body.send_keys(corrected)
    correct.click()
    wait_for(page, "answer", "Sent the corrected order to the queue.")
    wait_for(page, "orders", "WRONG-1 new, 7 ")
    wait_until(lambda: "WRONG-1" not in text(page, "letters"), 30, lambda: text(page, "letters"))


def test_a_dead_letter_is_purged_after_a_question(page: webdriver.Chrome) -> None:
    row = dead_letter(page, "GONE-1")
    row.find_element(By.XPATH, ".//button[text()='Purge']").click()
    page.switch_to.alert.accept()
    wait_for(page, "answer", "deleted 1 message")
    wait_until(lambda: "GONE-1" not in text(page, "letters"), 30, lambda: text(page, "letters"))


def test_every_control_is_reached_by_keyboard_and_has_a_name(page: webdriver.Chrome) -> None:
    controls = page.find_elements(By.CSS_SELECTOR, "main button, main input, main textarea")
    assert len(controls) >= 11
    assert all(control.accessible_name for control in controls if control.is_displayed())
    reached = set()
    body = page.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    for _ in range(80):
        reached.add(page.switch_to.active_element.id)
        page.switch_to.active_element.send_keys(Keys.TAB)
    assert {control.id for control in controls if control.is_displayed()} <= reached


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


def test_the_browser_has_nothing_to_complain_of(page: webdriver.Chrome) -> None:
    wait_for(page, "link", "live")
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []  # type: ignore[no-untyped-call]

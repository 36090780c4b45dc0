"""What a person does with the page in a browser."""

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.live.conftest import wait_until


def text(page: webdriver.Chrome, name: str) -> str:
    return str(page.execute_script("return document.getElementById(arguments[0]).textContent", name))


def wait_for(page: webdriver.Chrome, name: str, wanted: str, limit: float = 90) -> None:
    wait_until(lambda: wanted in text(page, name), limit, lambda: f"{wanted!r} in {name}: {text(page, name)!r}")


def wait_for_answer(page: webdriver.Chrome, button: WebElement, wanted: str) -> None:
    place = button.find_element(By.XPATH, "ancestor::*[@data-answers][1]").find_element(By.CLASS_NAME, "answer")
    wait_until(lambda: wanted in place.text, 90, lambda: f"{wanted!r} beside {button.text}: {place.text!r}")


def number(page: webdriver.Chrome, name: str) -> int:
    return int(text(page, name).replace(",", ""))


def press(page: webdriver.Chrome, name: str, answer: str = "") -> None:
    button = page.find_element(By.ID, name)
    button.click()
    wait_for_answer(page, button, answer)


def fill(page: webdriver.Chrome, **values: str) -> None:
    for name, value in values.items():
        typed = "document.execCommand(arguments[1] ? 'insertText' : 'delete', false, arguments[1])"
        page.execute_script(f"form[arguments[0]].select(); {typed}", name, value)


def letter_of(page: webdriver.Chrome, order_id: str) -> WebElement:
    [row] = [row for row in page.find_elements(By.CSS_SELECTOR, "#letters > li") if order_id in row.text]
    return row


def dead_letter(page: webdriver.Chrome, order_id: str) -> WebElement:
    """Publish what the function rejects, wait for its dead letter, and open it."""
    fill(page, orderId=order_id, quantity="0")
    page.find_element(By.NAME, "unchecked").click()
    press(page, "publish", "Published one order.")
    wait_for(page, "letters", order_id)
    row = letter_of(page, order_id)
    assert "quantity" in row.text  # the reason
    row.find_element(By.TAG_NAME, "summary").click()
    body = row.find_element(By.TAG_NAME, "textarea")
    wait_until(lambda: order_id in str(body.get_property("value")), 30, lambda: row.text)
    return row


def button(row: WebElement, label: str) -> WebElement:
    return row.find_element(By.XPATH, f".//button[text()='{label}']")

"""What a person does with the page in a browser."""

from dataclasses import dataclass
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement


@dataclass(frozen=True)
class Page:
    """The page, as whoever looks at it finds it."""

    browser: webdriver.Chrome

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, name: str) -> str:
        return str(self.run("return $(arguments[0]).textContent", name))

    def number(self, name: str) -> int:
        return int(self.text(name).replace(",", ""))

    def wait_until(self, holds: str, *arguments: Any, limit: float = 90) -> None:
        """Wait until a JavaScript expression holds; the page looks by itself, which costs less than to ask it."""
        self.browser.set_script_timeout(limit)
        look = f"const look = () => {holds} ? arguments[arguments.length - 1]() : setTimeout(look, 100); look();"
        try:
            self.browser.execute_async_script(look, *arguments)
        except TimeoutException:
            shown = self.run("return document.querySelector('main').innerText.slice(0, 3000)")
            raise AssertionError(f"{holds} of {arguments} on the page: {shown}") from None

    def wait_for(self, name: str, wanted: str, *, limit: float = 90) -> None:
        self.wait_until("$(arguments[0]).textContent.includes(arguments[1])", name, wanted, limit=limit)

    def press(self, button: WebElement | str, answer: str, *, asked: bool = False) -> None:
        """Press a button, which may ask first, and wait for its answer: until then, pressing it again does nothing."""
        button = self.one(f"#{button}") if isinstance(button, str) else button
        button.click()
        if asked:
            self.browser.switch_to.alert.accept()
        place = "arguments[0].closest('[data-answers]').querySelector('.answer')"
        self.wait_until(f"!arguments[0].dataset.busy && {place}.textContent.includes(arguments[1])", button, answer)

    def type_into(self, field: WebElement, value: str) -> None:
        """Replace what is in a field."""
        typed = "document.execCommand(arguments[1] ? 'insertText' : 'delete', false, arguments[1])"
        self.run(f"arguments[0].select(); {typed}", field, value)

    def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.type_into(self.one(f"#form [name={name}]"), value)

    def publish(self, *, unchecked: bool = False, **values: str) -> None:
        """Publish an order, even one that the function will reject."""
        self.fill(**values)
        if unchecked:
            self.one("#form [name=unchecked]").click()
        self.press("publish", "Published one order.")

    def letter(self, order_id: str) -> WebElement:
        """Wait for the dead letter of an order that the page has not shown before, and open it."""
        self.wait_for("letters", order_id)
        [row] = [row for row in self.browser.find_elements(By.CSS_SELECTOR, "#letters > li") if order_id in row.text]
        row.find_element(By.TAG_NAME, "summary").click()
        self.wait_until("arguments[0].querySelector('textarea').value.includes(arguments[1])", row, order_id)
        return row

    def wait_until_gone(self, order_id: str) -> None:
        """Wait until no dead letter is of an order."""
        self.wait_until("!$('letters').textContent.includes(arguments[0])", order_id, limit=30)


def button(row: WebElement, label: str) -> WebElement:
    return row.find_element(By.XPATH, f".//button[text()='{label}']")

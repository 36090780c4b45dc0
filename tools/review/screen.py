"""Shows a report: as it is in a pipe or a file, as a page for a person at a terminal."""

import re
from typing import TextIO


def show(text: str, out: TextIO) -> None:
    """Write a report; at a terminal laid out."""
    if not out.isatty():
        out.write(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    text = re.sub(r"</?(details|summary)>", "", text).replace("<br>", " · ")
    Console(file=out).print(Markdown(text))

"""Serves the page on a loopback port: one HTML file, what it shows, and its buttons."""

import asyncio
import contextlib
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator, MutableMapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tools.cloud.cloud import CloudError
from tools.live.actions import Actions
from tools.live.feed import Feed
from tools.ops.decoding import decode

PAGE = Path(__file__).with_name("page.html")
LONGEST_REQUEST = 512 * 1024
"""Bytes of a request's body: a message has at most half of it."""
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guarded:
    """Lets through what this page's own origin asks: other sites, and names that others point here, get 403."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (why := self._objection(scope)):
            await PlainTextResponse(why, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _objection(self, scope: MutableMapping[str, Any]) -> str:
        sent: dict[bytes, bytes] = dict(scope["headers"])
        host, origin = sent.get(b"host", b"").decode("latin-1"), sent.get(b"origin", b"").decode("latin-1")
        if host not in self._hosts:
            return f"Host must be one of {', '.join(sorted(self._hosts))}, got {host!r}"
        if (origin or scope["method"] not in ("GET", "HEAD")) and origin != f"http://{host}":
            return f"Origin must be http://{host}, got {origin!r}"
        return ""


def application(feed: Feed, actions: Actions, *, token: str, port: int) -> ASGIApp:
    """The page under `/TOKEN/`; any other path is not found."""

    async def page(_request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        text = PAGE.read_text(encoding="utf-8").replace("NONCE", nonce)
        return HTMLResponse(text, headers={**HEADERS, "Content-Security-Policy": policy})

    async def state(request: Request) -> Response:
        """What the page shows, if it is another version than the page has, and the seconds since the last look."""
        version, snapshot = feed.snapshot
        news = {"version": version, "age": round(time.monotonic() - feed.looked, 1)}
        if request.query_params.get("but") != version:
            news["state"] = snapshot
        return _json(news)

    async def act(request: Request) -> Response:
        name = request.path_params["action"]
        if name not in actions.buttons:
            return PlainTextResponse("not found", 404, HEADERS)
        wanted = await _wanted(request)
        if wanted is None:
            said = f"the request must be a JSON object of at most {LONGEST_REQUEST} bytes"
            return PlainTextResponse(said, 400, HEADERS)
        return _json(asdict(await run_in_threadpool(actions.run, name, wanted)))

    routes = [Route("/", page), Route("/state", state), Route("/do/{action}", act, methods=["POST"])]
    app = Starlette(routes=[Mount(f"/{token}", routes=routes)])
    return Guarded(app, frozenset({f"127.0.0.1:{port}", f"localhost:{port}"}))


def _json(value: Any) -> Response:
    """In ASCII: what others wrote may hold half of a surrogate pair."""
    return Response(json.dumps(value, default=str), headers=HEADERS, media_type="application/json")


async def _wanted(request: Request) -> dict[str, Any] | None:
    """The JSON object that a request carries; None for anything else."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_REQUEST:
            return None
    try:
        wanted = decode(body.decode())
    except ValueError:
        return None
    return wanted if isinstance(wanted, dict) else None


def page_token(folder: Path) -> str:
    """The secret part of the page's address: kept in the project, so that a restart has the address of the last run."""
    file = folder / "build" / "page-token"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if re.fullmatch(r"[\w-]{24}", kept := file.read_text(encoding="utf-8").strip(), re.ASCII):
            return kept
    token = secrets.token_urlsafe(18)
    with contextlib.suppress(OSError):  # a project that cannot be written has another address each time
        file.parent.mkdir(exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(token)
    return token


def listening(port: int) -> socket.socket:
    """A socket on a loopback port; on a free one if somebody else has it."""
    for wanted in (port, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wanted))
            listener.listen(64)
        except OSError:
            listener.close()
            continue
        return listener
    raise CloudError("a loopback port must be free for the page, and none is")


@contextlib.contextmanager
def serving(feed: Feed, actions: Actions, *, port: int, token: str) -> Iterator[str]:
    """Serve the page on a loopback port for as long as the block runs; yields its address."""
    listener = listening(port)
    port = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 0.5
    config.errorlog = None
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    app = application(feed, actions, token=token, port=port)

    def complain(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not stop.is_set():  # connections that are still open are cut at the end, which Python 3.11 reports
            loop.default_exception_handler(context)

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(complain)
        loop.run_until_complete(serve(app, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/{token}/"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)

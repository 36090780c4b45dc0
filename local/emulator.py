"""The local cloud's own process: MiniStack on one loopback port, gone with everything it made when its parent goes."""

import asyncio
import os
import shutil
import signal
import sys
import threading

from hypercorn.asyncio import serve
from hypercorn.config import Config


def main(port: int, folder: str, certificate: str, key: str) -> None:
    """Serve until standard input ends: when the parent closes it, or dies in whatever way."""
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    from ministack.app import app  # reads the environment and starts threads when imported

    # MiniStack's own main would also serve on port 443 where it may, and leave a file with its process number.
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.certfile, config.keyfile = certificate, key
    config.keep_alive_timeout = 75
    asyncio.run(serve(app, config))


def _end_with_parent(folder: str) -> None:
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgid(0), signal.SIGKILL)  # this process and its function workers, which share its group


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:5])

"""The local cloud with its state on disk: on SIGUSR1 it saves everything and starts again, in the same process."""

import os
import signal
import sys
from types import FrameType

from tools.cloud.emulator import main


def restart(_signal: int, _frame: FrameType | None) -> None:
    """Stop at once, as a host that fails does; what the services had accepted is on disk."""
    from ministack import app
    from ministack.core.persistence import save_all

    # MiniStack saves at the end of an orderly stop, which first waits for every idle connection to close.
    save_all(app._build_persistence_save_dict())
    os.closerange(3, 4096)  # its port must be free for the next
    os.execv(sys.executable, [sys.executable, "-m", "tests.proofs.persistent", *sys.argv[1:]])


if __name__ == "__main__":
    os.environ.update(PERSIST_STATE="1", STATE_DIR=f"{sys.argv[2]}/state")
    signal.signal(signal.SIGUSR1, restart)
    main(int(sys.argv[1]), *sys.argv[2:5])

"""A build is of the folder that it stands in, and alone there."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sphinx.application import Sphinx
from sphinx.util import logging

from taobao_villages import elsewhere

LOGGER = logging.getLogger(__name__)
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # what some network file systems say


def begin(app: Sphinx) -> None:
    """Refuse a folder with another package than this, and wait while it is built already.

    The lock is the system's: it ends with the process, however that ends.

    Raises
    ------
    SystemExit
        With one line that says what to do.
    """
    root = Path(app.srcdir)
    if told := elsewhere(root):
        raise SystemExit(told)
    path = root / ".cache" / "build.lock"
    lock = FileLock(path, is_singleton=True)
    try:
        path.parent.mkdir(exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            LOGGER.info("another build of this folder is running: waiting for its end")
            lock.acquire()
    except NotImplementedError:  # a file system without locks
        return
    except OSError as error:
        if error.errno in NO_LOCKS:
            return
        remedy = "Remedy: copy the folder to a place where you may write, and run make there"
        raise SystemExit(f"{path} cannot be written: {error.strerror}. {remedy}") from None
    app.taobao_lock = lock  # type: ignore[attr-defined]


def end(app: Any, error: Exception | None) -> None:
    """Let the next build begin."""
    if lock := getattr(app, "taobao_lock", None):
        lock.release()

"""The processes of a build: kernels that start warm, and workers that end with it.

A notebook of the book takes some seconds, and a third of that is the import of libraries that are
the same in all. So each kernel is a fork of one process that has imported them. jupyter_client
starts kernels through a provisioner, its documented place for another way of starting; ours asks
a server, ``python -m taobao_villages.book.kernels``, for a fork. The server imports libraries
alone: package and data are read by each kernel itself, so that what a notebook reads is still
noted (see `inputs`).
"""

from __future__ import annotations

import gc
import importlib
import json
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning import LocalProvisioner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbclient import NotebookClient

POSSIBLE = hasattr(os, "pidfd_open")  # on Linux; elsewhere kernels start in the usual way
NAME = "taobao-villages"
LIBRARIES = (
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "seaborn",
    "statsmodels.discrete.discrete_model",
    "statsmodels.genmod.generalized_linear_model",
    "jsonschema",
)
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # for each kernel
INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}  # as every kernel sets it


def workers() -> ProcessPoolExecutor:
    """Processes over the cores, which end when this one does, however it ends."""
    return ProcessPoolExecutor(initializer=end_with_parent)


def end_with_parent() -> None:
    """End this process when its parent has ended: one that is killed cannot tell its workers."""

    def watch() -> None:
        parent = multiprocessing.parent_process()  # also by spawn, where numbers are used again
        assert parent is not None
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


# ---- kernels -------------------------------------------------------------------------------------


class Process:
    """A process that another one started, with what jupyter_client asks of one."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int):
        self.pid = pid
        try:
            self._handle: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle = None

    def poll(self) -> int | None:
        """None as long as it runs; how it ended is not known."""
        if self._handle is not None and select.select([self._handle], [], [], 0)[0]:
            os.close(self._handle)
            self._handle = None
        return 0 if self._handle is None else None

    def wait(self) -> int:
        """Wait for its end."""
        if self._handle is not None:
            select.select([self._handle], [], [])
        return self.poll() or 0

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class Server:
    """The warm process; `close` ends it, and with it kernels that still run."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "taobao_villages.book.kernels"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ONE_CORE | INLINE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the build, which then ends the kernels
        )

    def fork(self, arguments: list[str], env: dict[str, str], cwd: str) -> Process:
        """Start a kernel with the arguments of its command line, all of its environment, a folder.

        Raises
        ------
        RuntimeError
            If the server has ended.
        """
        asked = json.dumps({"arguments": arguments, "env": env, "cwd": cwd})
        with self._turn:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            try:
                self._process.stdin.write(asked + "\n")
                self._process.stdin.flush()
                return Process(int(self._process.stdout.readline()))
            except (OSError, ValueError):
                raise RuntimeError("no kernel could be started: its server has ended") from None

    def close(self) -> None:
        """End the server, also where a worker of the build holds its input open too."""
        with suppress(BrokenPipeError):  # it has ended already
            self._process.communicate("\n")
        self._process.wait()


class Provisioner(LocalProvisioner):
    """Starts a kernel as a fork of a server."""

    def __init__(self, server: Server, **kwargs: Any):
        super().__init__(**kwargs)
        self._server = server

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel that `cmd`, ``python -m ipykernel_launcher ...``, describes."""
        arguments = cmd[cmd.index("-m") + 2 :]
        self.cwd = kwargs.get("cwd") or os.getcwd()
        process = self._server.fork(arguments, dict(kwargs["env"]), str(self.cwd))
        self.process: Any = process
        self.pid = self.pgid = process.pid  # it leads its own group
        return self.connection_info


@contextmanager
def warm(enough: bool = True) -> Iterator[Server | None]:
    """A server inside the ``with`` block, where one is possible and there is enough to do."""
    if not (POSSIBLE and enough):
        yield None
        return
    server = Server()
    try:
        yield server
    finally:
        server.close()


def manage(client: NotebookClient, server: Server | None) -> None:
    """Let the kernel of `client` be a fork of `server`, if there is one, and end without delay.

    A kernel that is told to end sometimes waits for a thread of its own that has ended already.
    Nothing is lost by then, so it is ended after half a second instead of two and a half.
    """
    client.create_kernel_manager()
    manager: Any = client.km
    manager.shutdown_wait_time = 1.0
    if server:
        how = {"provisioner_name": NAME, "config": {"server": server}}
        manager.kernel_spec.metadata["kernel_provisioner"] = how


# ---- the server ----------------------------------------------------------------------------------


def serve() -> None:
    """Fork a kernel for each line of the input, until an empty one; answer with its process id."""
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # no fork need look for garbage among what was imported
    for line in sys.stdin:
        if not line.strip():
            break
        if not (pid := os.fork()):
            return be_kernel(**json.loads(line))
        print(pid, flush=True)
        forget()
    forget()


def forget() -> None:
    """Let go of the kernels that have ended; their time counts as the server's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def be_kernel(arguments: list[str], env: dict[str, str], cwd: str) -> None:
    """Be a kernel until it is told to end."""
    from ipykernel.kernelapp import IPKernelApp

    os.setsid()  # as jupyter_client does: a signal reaches the kernel's own children too
    with open(os.devnull) as nothing:  # the pipes to the build are the server's
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    with_server = f"--IPKernelApp.parent_handle={os.getppid()}"  # it ends when the server does
    IPKernelApp.launch_instance(argv=[*arguments, with_server])


if __name__ == "__main__":
    serve()

"""A cable that can be pulled: each device reaches broker and fleet through its own forwarder, which can cut, hang or restore it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from typing import Literal

Mode = Literal["whole", "cut", "silent"]


class Cable:
    """Forwards a local TCP port to another one, on a thread of its own.

    `cut` resets what is open and refuses what comes; `silent` keeps connections and passes nothing, as a dead link does.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._mode: Mode = "whole"
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self.port = 0
        self._thread = threading.Thread(target=self._run, args=(started,), name=f"cable-{port}", daemon=True)
        self._thread.start()
        started.wait(5)

    @property
    def mode(self) -> Mode:
        """How the cable is now."""
        return self._mode

    def set(self, mode: Mode) -> None:
        """Pull, silence or mend the cable. Returns at once; open connections follow within a moment."""
        self._mode = mode
        self._loop.call_soon_threadsafe(self._follow)

    def close(self) -> None:
        """End the forwarder and everything that goes through it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _follow(self) -> None:
        (self._passing.clear if self._mode == "silent" else self._passing.set)()
        if self._mode == "cut":
            for writer in list(self._writers):
                # Lingering for no time makes the kernel send a reset and not a polite end.
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._passing.set()
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._mode == "cut":
                writer.transport.abort()
                return
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        finally:
            self._writers.discard(writer)
        self._writers |= {writer, far_writer}
        try:
            await asyncio.wait(
                [asyncio.create_task(self._pump(reader, far_writer)), asyncio.create_task(self._pump(far_reader, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for each in (writer, far_writer):
                self._writers.discard(each)
                each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(65_536):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
            # The last bytes must leave before the other direction is aborted.
            await asyncio.sleep(0.05)

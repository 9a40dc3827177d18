# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy with the manners of bad networks, in a thread of its own. What it does to connections is
set from outside at any time."""
import asyncio
import contextlib
import socket
import struct
import threading

AT_ONCE = 64 * 1024  # bytes


class Proxy:
    """Modes: "pass"; "hang" takes and gives nothing; "trickle" a KiB at a time; "delay" holds each piece back;
    "gone" ends all connections with a reset and takes no new ones; "black hole" takes new ones and is silent."""

    def __init__(self, target):
        self.target = target  # gives HOST:PORT
        self.mode = "pass"
        self.pairs = set()
        self.moved = 0  # bytes, both ways
        self.strike_at = None  # calls self.strike when so many bytes were moved
        self.strike = None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self.run(self.listen(0))
        self.port = self.server.sockets[0].getsockname()[1]
        self.address = "127.0.0.1:%d" % self.port

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    async def listen(self, port):
        return await asyncio.start_server(self.serve, "127.0.0.1", port)

    # --- what is done to connections -----------------------------------------------------------------

    def strike_after(self, count, strike):
        self.strike = strike
        self.strike_at = self.moved + count

    def reset(self):
        """Ends all connections, as a peer does that lost its memory of them."""
        for writers in list(self.pairs):
            for writer in writers:
                with contextlib.suppress(OSError):  # it may just have ended
                    connected = writer.get_extra_info("socket")
                    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.close()

    def cut(self):
        """Ends all connections as if both sides had ended them."""
        for writers in list(self.pairs):
            for writer in writers:
                writer.close()

    def half_open(self):
        """The server's side ends, and the client is not told."""
        for _, to_server in list(self.pairs):
            to_server.close()
        self.mode = "hang"

    def go(self):
        self.mode = "gone"
        self.server.close()
        self.reset()

    def set(self, mode):
        self.loop.call_soon_threadsafe(setattr, self, "mode", mode)

    def come_back(self):
        async def again():
            self.mode = "pass"
            if not self.server.is_serving():
                self.server = await self.listen(self.port)

        self.run(again())

    def from_outside(self, what):
        self.loop.call_soon_threadsafe(what)

    # --- connections ---------------------------------------------------------------------------------

    async def serve(self, from_client, to_client):
        if self.mode == "black hole":
            await self.wait_while("black hole")
        host, port = self.target().rsplit(":", 1)
        try:
            from_server, to_server = await asyncio.open_connection(host, int(port))
        except OSError:
            to_client.close()
            return
        pair = (to_client, to_server)
        self.pairs.add(pair)
        try:
            await asyncio.gather(self.move(from_client, to_server), self.move(from_server, to_client))
        finally:
            self.pairs.discard(pair)

    async def wait_while(self, *modes):
        while self.mode in modes:
            await asyncio.sleep(0.02)

    async def move(self, reader, writer):
        try:
            while True:
                piece = await reader.read(1024 if self.mode == "trickle" else AT_ONCE)
                await self.wait_while("hang", "black hole")
                if not piece:
                    break
                if self.mode in ("trickle", "delay"):
                    await asyncio.sleep(0.02 if self.mode == "trickle" else 0.1)
                writer.write(piece)
                await writer.drain()
                self.count(len(piece))
        except (ConnectionError, OSError):
            pass
        writer.close()

    def count(self, size):
        self.moved += size
        if self.strike_at is not None and self.moved >= self.strike_at:
            self.strike_at = None
            self.strike()

    def close(self):
        self.from_outside(self.server.close)
        self.from_outside(self.cut)
        self.from_outside(self.loop.stop)
        self.thread.join()

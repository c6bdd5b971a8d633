"""A mail relay as a process: takes every letter after thinking about it as long as it is told."""

import asyncio
import sys
from contextlib import suppress

LIMIT = 64 * 1024 * 1024


async def serve(seconds: float) -> None:
    """Print the port, then take letters until killed."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        with suppress(OSError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                verb, answer = line.split()[0].upper(), b"250 OK\r\n"
                if verb == b"EHLO":
                    answer = b"250-sink\r\n250 DSN\r\n"
                elif verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    await asyncio.sleep(seconds)
                writer.write(b"221 bye\r\n" if verb == b"QUIT" else answer)
                if verb == b"QUIT":
                    break
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=LIMIT)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))

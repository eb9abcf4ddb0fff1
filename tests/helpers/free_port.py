"""A port for a program that cannot be asked which one it took."""

import random
import socket


def free_port():
    """Gives one that no other program gets by chance between now and its use.

    The system gives ports from 32768 on to who asks for any, and to each outgoing connection.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port

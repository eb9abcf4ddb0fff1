"""A line to a server that can be cut and mended."""

import socket
import threading
from contextlib import contextmanager, suppress


class Line:
    """Forwards connections to a port; ``port`` is its own."""

    def __init__(self, behind):
        self.behind, self.is_cut, self.count_bytes = behind, False, 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """End all connections; new ones end at once until the line is mended."""
        self.is_cut = True
        for each in list(self._open):
            _end(each)

    def mend(self):
        self.is_cut = False

    def close(self):
        _end(self._listening)
        self.cut()

    def _accept(self):
        with suppress(OSError):
            while True:
                near = self._listening.accept()[0]
                if self.is_cut:
                    _end(near)
                    continue
                far = socket.create_connection(("127.0.0.1", self.behind))
                self._open |= {near, far}
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source, target):
        with suppress(OSError):
            while content := source.recv(65_536):
                self.count_bytes += len(content)
                target.sendall(content)
        for each in (source, target):
            _end(each)
            self._open.discard(each)


@contextmanager
def line_to(port):
    line = Line(port)
    try:
        yield line
    finally:
        line.close()


def _end(connection):
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()

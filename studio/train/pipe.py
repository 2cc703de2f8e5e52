"""Values of any size through a pipe, in pieces.

Q: Why not ``connection.send``?
A: It pickles and unpickles all of a value in one go, and no other thread of the process may run
   meanwhile: a model of 100 MB makes the window stand still for a tenth of a second. Here arrays
   travel as they lie in memory, piece by piece.
"""

import pickle
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

PIECE = 2**18  # bytes


def send(connection: Connection, value: Any) -> None:
    """Send what `receive` gives at the other end.

    Raises:
        OSError: nobody is there.
    """
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    raws = [buffer.raw() for buffer in buffers]
    connection.send((head, [raw.nbytes for raw in raws]))
    for raw in raws:
        for start in range(0, raw.nbytes, PIECE):
            connection.send_bytes(raw[start : start + PIECE])


def receive(connection: Connection) -> Any:
    """Wait for a value; its arrays are the receiver's own.

    Raises:
        EOFError, OSError: nobody is there any more.
    """
    head, sizes = connection.recv()
    arrays = [np.empty(size, np.uint8) for size in sizes]
    for array in arrays:
        view, start = array.data, 0
        while start < len(view):
            start += connection.recv_bytes_into(view, start)
    return pickle.loads(head, buffers=arrays)

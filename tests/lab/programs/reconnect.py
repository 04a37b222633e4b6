"""reconnect.py STEP...: what becomes of one and the same UDP socket. A step is "dissolve"
(AF_UNSPEC), "sendto ADDRESS", or an address to connect to, "again" being the last one: then
whoami.py is asked who this is.

Prints a line for each that asks: what the server saw, or the errno's name, and the socket's mark:
"10.1.0.1 100". What is not answered is "lost".
"""

import ctypes
import errno
import socket
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
PORT = 7


def ask():
    s.send(b"x")
    try:
        return s.recv(64).decode().split()[0]
    except BlockingIOError:
        return "lost"


steps = iter(sys.argv[1:])
s = None
for step in steps:
    if s is None:
        s = socket.socket(socket.AF_INET6 if ":" in step else socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 5, 0))
    if step == "dissolve":
        nobody = struct.pack("H14x", socket.AF_UNSPEC)
        assert libc.connect(s.fileno(), nobody, len(nobody)) == 0
        continue
    if step == "sendto":
        s.sendto(b"x", (next(steps), PORT))
        continue
    try:
        if step != "again":
            s.connect((step, PORT))
        seen = ask()
    except OSError as error:
        seen = errno.errorcode[error.errno]
    print(seen, s.getsockopt(socket.SOL_SOCKET, socket.SO_MARK), flush=True)

"""attempts.py: for each line of stdin, "tcp ADDRESS", "udp ADDRESS" or "sendto ADDRESS", a fresh
socket connects to port 9 there, or sends a datagram without connecting.

Prints a line for each: the source, "sent" where there is none to be told, or the errno's name.
"""

import errno
import socket
import sys


def attempt(way, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if way == "tcp" else socket.SOCK_DGRAM) as s:
        if way == "sendto":
            s.sendto(b"x", (address, 9))
            return "sent"
        s.connect((address, 9))
        return s.getsockname()[0]


for line in sys.stdin:
    try:
        print(attempt(*line.split()), flush=True)
    except OSError as e:
        print(errno.errorcode[e.errno], flush=True)

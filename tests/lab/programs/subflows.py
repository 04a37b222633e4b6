"""subflows.py [ADDRESS]: without an address, accepts MPTCP connections at port 80 and answers each
byte, until it is killed. With one, connects there, and stays until its stdin ends.

Prints a line once it listens, or once the connection is such that the kernel may add subflows: a
byte has come back.
"""

import socket
import sys
import threading

IPPROTO_MPTCP = 262


def answer(connection):
    while byte := connection.recv(1):
        connection.send(byte)


def serve():
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, IPPROTO_MPTCP)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", 80))
    s.listen()
    print("listening", flush=True)
    while True:
        threading.Thread(target=answer, args=(s.accept()[0],), daemon=True).start()


def stay(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM, IPPROTO_MPTCP)
    s.connect((address, 80))
    s.send(b"x")
    s.recv(1)
    print("connected", flush=True)
    sys.stdin.read()


stay(sys.argv[1]) if len(sys.argv) > 1 else serve()

"""whoami.py: on port 7 of every address, TCP and UDP, answers with the address and port that ask.

Prints a line once it listens. An IPv4 address is written as such, also where it arrives mapped.
"""

import selectors
import socket


def listen(kind):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.SOCK_DGRAM:  # the answer comes from where the question went
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    s.bind(("::", 7))
    return s


def name(peer):
    return f"{peer[0].removeprefix('::ffff:')} {peer[1]}\n".encode()


tcp, udp = listen(socket.SOCK_STREAM), listen(socket.SOCK_DGRAM)
tcp.listen(1024)
waiting = selectors.DefaultSelector()
waiting.register(tcp, selectors.EVENT_READ)
waiting.register(udp, selectors.EVENT_READ)
held = []  # connections stay, so that ports stay taken
print("listening", flush=True)
while True:
    for key, _ in waiting.select():
        if key.fileobj is tcp:
            connection, peer = tcp.accept()
            connection.sendall(name(peer))
            held.append(connection)
        else:
            _, control, _, peer = udp.recvmsg(64, 64)
            udp.sendmsg([name(peer)], control, 0, peer)

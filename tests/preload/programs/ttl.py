"""ttl.py: on UDP port 7, answers with the address that asks and the ttl that was left of its
datagram: "10.1.0.1 ttl 32". Prints a line once it listens.
"""

import selectors
import socket
import struct

IP_PKTINFO, IP_RECVTTL = 8, 12


def listen(family, any_address, *options):
    s = socket.socket(family, socket.SOCK_DGRAM)
    for level, option in options:
        s.setsockopt(level, option, 1)
    s.bind((any_address, 7))
    return s


V4, V6 = socket.IPPROTO_IP, socket.IPPROTO_IPV6
waiting = selectors.DefaultSelector()
for s in (listen(socket.AF_INET, "0.0.0.0", (V4, IP_PKTINFO), (V4, IP_RECVTTL)),
          listen(socket.AF_INET6, "::", (V6, socket.IPV6_V6ONLY), (V6, socket.IPV6_RECVPKTINFO),
                 (V6, socket.IPV6_RECVHOPLIMIT))):
    waiting.register(s, selectors.EVENT_READ)
print("listening", flush=True)
while True:
    for key, _ in waiting.select():
        _, control, _, peer = key.fileobj.recvmsg(64, 256)
        told = {(level, kind): data for level, kind, data in control}
        ttl = told.get((V4, socket.IP_TTL)) or told[V6, socket.IPV6_HOPLIMIT]
        where = [c for c in control if c[:2] in ((V4, IP_PKTINFO), (V6, socket.IPV6_PKTINFO))]
        answer = f"{peer[0]} ttl {struct.unpack('=i', ttl)[0]}".encode()
        key.fileobj.sendmsg([answer], where, 0, peer)  # from where the question came to

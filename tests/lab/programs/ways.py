"""ways.py WAY ADDRESS [WAY ADDRESS]...: asks whoami.py who this is, in the ways programs open flows,
or the server's kernel for an echo.

Prints a line for each: what the server saw, and what getsockname says: "10.0.0.1 40000 10.0.0.1
40000". The errno's name if a call fails. All sockets stay open until the end.
"""

import array
import errno
import os
import socket
import struct
import sys
import threading

IP_PKTINFO = 8
MSG_FASTOPEN, TCP_FASTOPEN_CONNECT, IPPROTO_MPTCP = 0x20000000, 30, 262


def make(kind, proto=0, of=None):
    s = socket.socket(of or family, kind, proto)
    # Not settimeout(), which would make it non-blocking.
    for option in socket.SO_RCVTIMEO, socket.SO_SNDTIMEO:
        s.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", 20, 0))
    return s


def tcp():
    s = make(socket.SOCK_STREAM)
    s.connect(peer)
    return s


def nonblocking():
    s = make(socket.SOCK_STREAM)
    s.setblocking(False)
    s.connect_ex(peer)
    s.setblocking(True)
    return s


def again_after_a_refusal():
    s = make(socket.SOCK_STREAM)
    try:
        s.connect((address, 9))
        sys.exit("somebody listens on port 9")
    except ConnectionRefusedError:
        pass
    s.connect(peer)
    return s


def bound_to_any():
    s = make(socket.SOCK_STREAM)
    s.bind(("::" if v6 else "0.0.0.0", 0))
    s.connect(peer)
    return s


def fastopen_message():
    s = make(socket.SOCK_STREAM)
    s.sendto(b"x", MSG_FASTOPEN, peer)
    return s


def fastopen_connect():
    s = make(socket.SOCK_STREAM)
    s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    s.connect(peer)
    s.sendall(b"x")
    return s


def mptcp():
    s = make(socket.SOCK_STREAM, IPPROTO_MPTCP)
    s.connect(peer)
    return s


def mapped():
    s = make(socket.SOCK_STREAM, of=socket.AF_INET6)
    s.connect(("::ffff:" + address, 7))
    return s


def thread():
    s = make(socket.SOCK_STREAM)
    t = threading.Thread(target=s.connect, args=(peer,))
    t.start()
    t.join()
    return s


def passed():
    s = make(socket.SOCK_STREAM)
    here, there = socket.socketpair()
    if os.fork() == 0:
        _, fds, _, _ = socket.recv_fds(there, 1, 1)
        socket.socket(fileno=fds[0]).connect(peer)
        there.send(b"x")
        os._exit(0)
    socket.send_fds(here, [b"x"], array.array("i", [s.fileno()]))
    here.recv(1)
    return s


def udp():
    s = make(socket.SOCK_DGRAM)
    s.connect(peer)
    s.send(b"x")
    return s


def udp_again():
    s = make(socket.SOCK_DGRAM)
    s.connect(("::1" if v6 else "127.0.0.1", 7))
    dissolve(s)
    s.connect(peer)
    s.send(b"x")
    return s


def dissolve(s):
    import ctypes

    ctypes.CDLL(None).connect(s.fileno(), b"\0" * 16, 16)


def sendto():
    s = make(socket.SOCK_DGRAM)
    s.sendto(b"x", peer)
    return s


def sendmsg():
    s = make(socket.SOCK_DGRAM)
    s.sendmsg([b"x"], [], 0, peer)
    return s


def sendmmsg():
    return send_many(make(socket.SOCK_DGRAM))


def send_many(s):
    import ctypes

    packed = struct.pack("=HH", family, socket.htons(7))
    packed += (struct.pack("=I", 0) + socket.inet_pton(family, address) + bytes(4) if v6
               else socket.inet_pton(family, address) + bytes(8))
    name, byte = ctypes.create_string_buffer(packed, len(packed)), ctypes.c_char_p(b"x")
    vector = (ctypes.c_void_p * 2)(ctypes.cast(byte, ctypes.c_void_p).value, 1)
    # struct mmsghdr: name, its size, the vector, its length, no control data, flags, sent.
    message = struct.pack("=QQQQQQQII", ctypes.addressof(name), len(packed),
                          ctypes.addressof(vector), 1, 0, 0, 0, 0, 0)[:64]
    if ctypes.CDLL(None, use_errno=True).sendmmsg(s.fileno(), message, 1, 0) != 1:
        raise OSError(ctypes.get_errno(), "sendmmsg")
    return s


def connected():
    s = make(socket.SOCK_DGRAM)
    s.connect(peer)
    return s


def sendto_on_connected():
    s = connected()
    s.sendto(b"x", peer)
    return s


def sendmsg_on_connected():
    s = connected()
    s.sendmsg([b"x"], [], 0, peer)
    return s


def sendmmsg_on_connected():
    return send_many(connected())


def inherited():
    s = make(socket.SOCK_STREAM)
    child = os.fork()
    if child == 0:
        s.connect(peer)
        os._exit(0)
    os.waitpid(child, 0)
    return s


def sendto_mapped():
    s = make(socket.SOCK_DGRAM, of=socket.AF_INET6)
    s.sendto(b"x", ("::ffff:" + address, 7))
    return s


class Echo(socket.socket):
    """An ICMP socket that asks for an echo; what the server saw is where its answer came to."""

    def __init__(self, kind):
        super().__init__(family, kind, socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 20, 0))
        if v6:
            self.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            self.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)

    def ask(self, *to):
        # A raw socket leaves the identifier to the program, and the checksum: of 8 and 1, ~0x0801.
        name = self.getsockname()[1]
        question = struct.pack("!BBHHH", 128 if v6 else 8, 0, (0xf7fe - name) % 0xffff, name, 1)
        self.sendto(question, *to) if to else self.send(question)
        return self

    def recv(self, size):
        answer = b""
        while answer[:1] != (b"\x81" if v6 else b"\0"):  # a raw socket also sees questions
            answer, control, _, _ = self.recvmsg(size, 64)
            if answer[:1] == b"\x45":
                answer = answer[20:]
        address = control[0][2][:16] if v6 else control[0][2][8:12]
        return f"{socket.inet_ntop(family, address)} {self.getsockname()[1]}".encode()


def echo_on_connected(kind):
    s = Echo(kind)
    s.connect((address, 0))
    return s.ask()


def ping():
    return echo_on_connected(socket.SOCK_DGRAM)


def ping_sendto():
    return Echo(socket.SOCK_DGRAM).ask((address, 0))


def raw():
    return echo_on_connected(socket.SOCK_RAW)


def raw_sendto():
    return Echo(socket.SOCK_RAW).ask((address, 0))


sockets = []
for way, address in zip(sys.argv[1::2], sys.argv[2::2]):
    v6 = ":" in address
    family = socket.AF_INET6 if v6 else socket.AF_INET
    peer = (address, 7)
    try:
        s = globals()[way.replace("-", "_")]()
        seen = s.recv(64).decode().strip()
    except OSError as e:
        print(errno.errorcode.get(e.errno, "timeout"), flush=True)
        continue
    name = s.getsockname()
    print(seen, name[0].removeprefix("::ffff:"), name[1], flush=True)
    sockets.append(s)

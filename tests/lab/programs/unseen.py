"""unseen.py CASE: a flow of which a hook sees less than the kernel or the program does.

Prints the address that whoami.py saw, at 192.0.2.80.
"""

import ctypes
import os
import socket
import struct
import sys
import threading

PEER = ("192.0.2.80", 7)
IP_PKTINFO, SO_MARK, PR_SET_NAME = 8, 36, 15


def answer(s):
    s.settimeout(20)
    return s.recv(64).decode().split()[0]


def sendmsg(*control):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendmsg([b"x"], control, 0, PEER)
    return s


def pktinfo(device, source):
    index = socket.if_nametoindex(device) if device else 0
    return (socket.IPPROTO_IP, IP_PKTINFO,
            struct.pack("=i4s4s", index, socket.inet_aton(source), bytes(4)))


def plain_datagram():
    return answer(sendmsg())


def source_of_a_datagram():
    return answer(sendmsg(pktinfo(None, "10.0.0.1")))


def device_of_a_datagram():
    return answer(sendmsg(pktinfo("eth1", "0.0.0.0")))


def mark_of_a_datagram():
    return answer(sendmsg((socket.SOL_SOCKET, SO_MARK, struct.pack("=i", 7))))


def connected_by_user(uid):
    s = socket.socket()
    child = os.fork()
    if child == 0:
        os.setuid(uid)
        s.connect(PEER)
        os._exit(0)
    os.waitpid(child, 0)
    return answer(s)


def socket_of_root():
    return connected_by_user(1000)


def connected_by_root():
    s = socket.socket()
    s.connect(PEER)
    return answer(s)


def acting_as_another():
    os.setegid(1000)
    os.seteuid(1000)
    return connected_by_root()


def mark_once_connected():
    marks = set()
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        s = socket.socket(socket.AF_INET, kind)
        s.connect(PEER)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        marks.add(s.getsockopt(socket.SOL_SOCKET, SO_MARK))
    return marks


def thread_of_another_name():
    seen = []

    def run():
        ctypes.CDLL(None).prctl(PR_SET_NAME, b"courier", 0, 0, 0)
        seen.append(connected_by_root())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return seen[0]


print(globals()[sys.argv[1].replace("-", "_")]())

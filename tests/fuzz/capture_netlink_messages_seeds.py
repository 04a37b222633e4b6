#!/usr/bin/env -S python3 -B
"""capture_netlink_messages_seeds.py: writes netlink_messages_seeds/ anew, as root.

A network namespace of its own gets at least one of every kind of object and attribute that the
decoders know; each dump of it becomes a file, with the messages as the kernel sent them. What this
kernel or iproute2 does not know is left out, which is told.
"""

import os
import pathlib
import socket
import struct
import subprocess
import sys

SEEDS = pathlib.Path(__file__).with_name("netlink_messages_seeds")

OBJECTS = """
link set lo up
link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02
link add br0 address 02:00:00:00:00:03 type bridge
link add m0 address 02:00:00:00:00:04 link v0 type macvlan
link add vrf0 type vrf table 77
link set v1 master br0
link set v0 group 7
link set v0 addrgenmode none
link set v1 addrgenmode none
link set br0 addrgenmode none
link set v0 up
link set v1 up
link set br0 up
address add 10.0.0.1/24 dev v0
address add 10.0.0.2/24 dev v0 label v0:second
address add 192.0.2.1 peer 192.0.2.9/32 dev v0 scope link
address add fd00::1/64 dev v0 nodad
address add fd01::1 peer fd01::9/128 dev v0 nodad noprefixroute
address add fd02::1/64 dev br0 nodad preferred_lft 0 valid_lft 1000
nexthop add id 1 via 10.0.0.254 dev v0
nexthop add id 2 dev br0
nexthop add id 3 blackhole
nexthop add id 4 via fe80::1 dev v0
nexthop add id 5 fdb via 10.0.0.7
nexthop add id 6 via 198.18.0.1 dev v0 onlink
nexthop add id 7 encap mpls 3 via 10.0.0.254 dev v0
nexthop add id 10 group 1,200/2,256
nexthop add id 12 group 1,3/2 type resilient buckets 8
route add default via 10.0.0.254 metric 50
route add 198.51.100.0/24 nhid 1 table 100
route add 198.51.104.0/24 nhid 10 table 100000
route add 198.51.101.0/24 nexthop via 10.0.0.254 weight 3 nexthop via inet6 fe80::1 dev br0 onlink
route add 198.51.102.0/24 via 10.0.0.2 src 10.0.0.1 tos 0x10 proto static mtu 1400 realm 3
route add 198.51.105.0/24 via inet6 fe80::1 dev v0
route add 198.51.107.0/24 encap mpls 3 via 10.0.0.254
route add blackhole 198.51.103.0/24
route add throw 198.51.106.0/24 table 7
route add local 198.51.108.1 dev v0
-6 route add default via fe80::1 dev v0 src fd00::1 metric 7 mtu 1300
-6 route add 2001:db8::/32 from fd00::/8 dev v0 table 100 pref high expires 1000
-6 route add 2001:db8:1::/48 nexthop via fd00::fe weight 2 nexthop via fe80::1 dev br0
-6 route add 2001:db8:3::1 nhid 4
-6 route add unreachable 2001:db8:2::/48 table 100000
rule add pref 100 not from 10.0.0.0/8 to 203.0.113.1 fwmark 0x64/0xff iif v0 table 100
rule add pref 101 oif none0 uidrange 5-6 ipproto tcp sport 53 dport 100-200 table 100000
rule add pref 102 tos 0x10 tun_id 77 table main suppress_prefixlength 8 suppress_ifgroup 7
rule add pref 103 ipproto udp goto 32766
rule add pref 104 iif none1 goto 200
rule add pref 105 l3mdev
rule add pref 106 prohibit
rule add pref 107 table 9 realms 3 protocol static
-6 rule add pref 100 from fd00::/8 to 2001:db8::1 fwmark 5 dport 5 table 9
-6 rule add pref 101 tos 0xb8 suppress_prefixlength 0 table main
neighbour add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0
neighbour add 10.0.0.8 lladdr 02:00:00:00:00:09 dev v0
neighbour change 10.0.0.8 nud failed dev v0
neighbour add fe80::1 lladdr 02:00:00:00:00:09 dev v0
neighbour change fe80::1 nud stale dev v0
neighbour add fd00::2 lladdr 02:00:00:00:00:09 dev v0
neighbour change fd00::2 nud reachable dev v0
addrlabel add prefix 2001:db8::/32 dev v0 label 99
"""


def attribute(kind, data):
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def u32(kind, value):
    return attribute(kind, struct.pack("I", value))


def rule(family, pref, attributes):
    """RTM_NEWRULE, for the selectors that iproute2 6.1 does not know."""
    header = struct.pack("BBBBBBBBI", family, 0, 0, 0, 0, 0, 0, 1, 0)
    return 32, header + u32(6, pref) + u32(15, 100) + attributes


BY_HAND = [
    rule(socket.AF_INET, 110, attribute(25, b"\x28") + attribute(30, b"\x38")),
    rule(socket.AF_INET, 111, attribute(23, struct.pack("HH", 256, 256)) +
         attribute(28, struct.pack("H", 0xff00))),
    rule(socket.AF_INET6, 112, attribute(26, struct.pack("!I", 0x12300)) +
         attribute(27, struct.pack("!I", 0xfff00))),
    # A nexthop group with weights of sixteen bits.
    (104, bytes(8) + u32(1, 11) + attribute(2, struct.pack("IBBHIBBH", 1, 255, 1, 0, 2, 0, 0, 0))),
]

# File name, request, size of its header, family.
DUMPS = [
    ("links", 18, 16, socket.AF_UNSPEC),
    ("addresses4", 22, 8, socket.AF_INET),
    ("addresses6", 22, 8, socket.AF_INET6),
    ("labels", 74, 12, socket.AF_INET6),
    ("rules4", 34, 12, socket.AF_INET),
    ("rules6", 34, 12, socket.AF_INET6),
    ("routes4", 26, 12, socket.AF_INET),
    ("routes6", 26, 12, socket.AF_INET6),
    ("nexthops", 106, 8, socket.AF_UNSPEC),
    ("buckets", 118, 8, socket.AF_UNSPEC),
    ("neighbours4", 30, 12, socket.AF_INET),
    ("neighbours6", 30, 12, socket.AF_INET6),
]

REQUEST, ACK, CREATE, DUMP = 1, 4, 0x400, 0x300
ERROR, DONE = 2, 3


class Kernel:
    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.socket.setsockopt(270, 12, 1)  # NETLINK_GET_STRICT_CHK

    def send(self, kind, flags, payload):
        self.socket.send(struct.pack("IHHII", 16 + len(payload), kind, flags, 0, 0) + payload)

    def create(self, kind, payload):
        self.send(kind, REQUEST | ACK | CREATE, payload)
        return -struct.unpack_from("i", self.socket.recv(65536), 16)[0]

    def dump(self, kind, payload):
        """The messages, with the number of the asking process taken out."""
        self.send(kind, REQUEST | DUMP, payload)
        run = b""
        while True:
            datagram = self.socket.recv(65536)
            while datagram:
                length, what, flags = struct.unpack_from("IHH", datagram)
                if what == ERROR:
                    sys.exit(f"dump {kind}: {datagram}")
                if what == DONE:
                    return run
                run += struct.pack("IHHII", length, what, flags, 0, 0) + datagram[16:length]
                run += bytes(-length % 4)
                datagram = datagram[(length + 3) & ~3:]


def payload_of(header_size, family, kind):
    extra = u32(29, 8) if kind == 18 else b""  # IFLA_EXT_MASK: no statistics
    return bytes([family]) + bytes(header_size - 1) + extra


def main():
    if "--inside" not in sys.argv:
        os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", __file__, "--inside"])
    for line in OBJECTS.strip().splitlines():
        if subprocess.run(["ip", *line.split()], capture_output=True).returncode:
            print(f"left out: ip {line}")
    kernel = Kernel()
    for kind, payload in BY_HAND:
        if error := kernel.create(kind, payload):
            print(f"left out: a message of type {kind}: {os.strerror(error)}")
    SEEDS.mkdir(exist_ok=True)
    for name, kind, header_size, family in DUMPS:
        (SEEDS / name).write_bytes(kernel.dump(kind, payload_of(header_size, family, kind)))


if __name__ == "__main__":
    main()

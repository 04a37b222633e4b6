"""odd_rule.py TABLE CHAIN: adds a rule to a chain of family inet that older nft programs cannot print: it looks
into what VXLAN carries (the expression "inner" of Linux 6.2), then sets mark 100."""

import socket
import struct
import sys

NFT_MSG_NEWRULE, BATCH_BEGIN, BATCH_END = 6, 0x10, 0x11
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE, NLM_F_APPEND = 1, 4, 0x400, 0x800


def attribute(kind, payload):
    if isinstance(payload, str):
        payload = payload.encode() + b"\0"
    elif isinstance(payload, int):
        payload = struct.pack(">I", payload)
    elif isinstance(payload, list):
        kind, payload = kind | 0x8000, b"".join(payload)
    size = 4 + len(payload)
    return struct.pack("HH", size, kind) + payload + b"\0" * (-size % 4)


def message(kind, flags, family, resource, attributes=b"", sequence=0):
    body = struct.pack(">BBH", family, 0, resource) + attributes
    return struct.pack("IHHII", 16 + len(body), kind, flags | NLM_F_REQUEST, sequence, 0) + body


def expression(name, *attributes):
    return attribute(1, [attribute(1, name), attribute(2, list(attributes))])


table, chain = sys.argv[1:]
mark = 100
rule = [
    # meta l4proto of what is within
    expression("inner", attribute(1, 0), attribute(2, 1), attribute(3, 15), attribute(4, 8),
               attribute(5, [attribute(1, "meta"), attribute(2, [attribute(2, 16), attribute(1, 8)])])),
    expression("immediate", attribute(1, 8), attribute(2, [attribute(1, struct.pack("I", mark))])),
    expression("meta", attribute(2, 3), attribute(3, 8)),
]
new = attribute(1, table) + attribute(2, chain) + attribute(4, rule)
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
kernel.send(message(BATCH_BEGIN, 0, 0, 10) +
            message(10 << 8 | NFT_MSG_NEWRULE, NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND, 1, 0, new, 1) +
            message(BATCH_END, 0, 0, 10, sequence=2))
error = struct.unpack_from("i", kernel.recv(65536), 16)[0]
if error:
    sys.exit(f"the kernel refuses the rule: {error}")

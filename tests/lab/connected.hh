// A program that connects a UDP socket to the server, prints the socket's end, and keeps it until
// its standard input ends.

#pragma once

#include <string>
#include <vector>

namespace srcsel::lab {

inline const std::vector<std::string> kConnected{
    "python3", "-c",
    "import socket, sys\n"
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "s.connect(('192.0.2.80', 53))\n"
    "print(*s.getsockname(), flush=True)\n"
    "sys.stdin.read()\n"};

}  // namespace srcsel::lab

// get ADDR PORT: an HTTP request without any C library: the system calls are Go's own.
//
// Prints the connection's local address and port ("10.0.0.1 40000"), then the answer.

package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	connection, err := net.Dial("tcp", net.JoinHostPort(os.Args[1], os.Args[2]))
	if err != nil {
		fail(err)
	}
	local := connection.LocalAddr().(*net.TCPAddr)
	fmt.Println(local.IP, local.Port)
	fmt.Fprintf(connection, "GET / HTTP/1.0\r\n\r\n")
	if _, err := io.Copy(os.Stdout, connection); err != nil {
		fail(err)
	}
}

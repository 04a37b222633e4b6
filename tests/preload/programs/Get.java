/**
 * Get PORT COUNT: as many requests, from 16 threads, by all three ways that Java has of opening a
 * connection, to both addresses of the server.
 */
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

public class Get {
  private static final byte[] REQUEST =
      "GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private static String bySocket(InetSocketAddress server) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(server, 20000);
      socket.getOutputStream().write(REQUEST);
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  private static String byChannel(InetSocketAddress server) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4096);
    try (SocketChannel channel = SocketChannel.open(server)) {
      channel.write(ByteBuffer.wrap(REQUEST));
      while (channel.read(bytes) >= 0) continue;
    }
    return new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
  }

  private static String byClient(InetSocketAddress server)
      throws IOException, InterruptedException {
    String host = server.getAddress().getHostAddress();
    if (host.contains(":")) host = "[" + host + "]";
    URI uri = URI.create("http://" + host + ":" + server.getPort() + "/");
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(uri).version(HttpClient.Version.HTTP_1_1).build(),
            BodyHandlers.ofString())
        .body();
  }

  private static String get(int turn, InetSocketAddress server) throws Exception {
    if (turn % 40 == 0) return byClient(server);
    return turn % 2 == 0 ? bySocket(server) : byChannel(server);
  }

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    int count = Integer.parseInt(args[1]);
    InetSocketAddress[] servers = {
      new InetSocketAddress(InetAddress.getByName("192.0.2.80"), port),
      new InetSocketAddress(InetAddress.getByName("2001:db8:80::80"), port)
    };
    AtomicInteger good = new AtomicInteger();
    var threads = Executors.newFixedThreadPool(16);
    for (int i = 0; i < count; ++i) {
      int turn = i;
      threads.submit(
          () -> {
            try {
              if (get(turn, servers[turn / 3 % 2]).endsWith("hello\n")) good.incrementAndGet();
            } catch (Exception e) {
              System.err.println(e);
            }
          });
    }
    threads.shutdown();
    threads.awaitTermination(50, TimeUnit.SECONDS);
    System.out.println(good.get() + " of " + count);
    System.exit(0);
  }
}

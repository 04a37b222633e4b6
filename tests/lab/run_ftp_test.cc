// Active FTP names the client's address in its payload. Where the socket has the right one, nobody
// has to rewrite it.

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// All TCP to the servers, answers to the server's data connections included.
constexpr char kMarkFtp[] = R"(
table ip uplinks {
  chain output {
    type route hook output priority mangle;
    ip daddr 192.0.2.0/24 meta mark set 100
  }
}
)";

class RunFtpTest : public RunTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(client_.Nft(kMarkFtp).ok());
    ASSERT_TRUE(server_.files().Write("greeting", "hello\n").ok());
  }

  static Words Transfer(const std::string &file, const Words &options, const char *seconds = "30") {
    Words words{"curl",       "--verbose",  "--show-error",
                "--silent",   "--max-time", seconds,
                "--ftp-port", "-",          absl::StrCat("ftp://", kServer4, "/", file)};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }

  // EPRT |1|10.1.0.1|40000| or PORT 10,1,0,1,156,64.
  static void ExpectNamesUnicom(const Result &curl) {
    EXPECT_THAT(curl.err,
                testing::AnyOf(HasSubstr("> EPRT |1|10.1.0.1|"), HasSubstr("> PORT 10,1,0,1,")));
  }

  std::string Uploaded(const std::string &name) const {
    std::ifstream file(server_.files().path() + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  FtpServer server_ = FtpServer::Start(lab_.host("server")).value();
};

TEST_F(RunFtpTest, FailsWithoutSrcsel) {
  const Result curl = RunPlain(Transfer("greeting", {}, "2"));
  EXPECT_FALSE(curl.ok());
  EXPECT_THAT(curl.out, IsEmpty());
}

TEST_F(RunFtpTest, Downloads) {
  for (const Words &options : {Words{"--mark", "100"}, Words{"--mark", "100", "--apply", "bind"}}) {
    const Result curl = Run(options, Transfer("greeting", {}));
    EXPECT_EQ(curl.out, "hello\n") << curl.ToString();
    ExpectNamesUnicom(curl);
  }
  EXPECT_THAT(client_.ConntrackEntries().value(), IsEmpty());
}

TEST_F(RunFtpTest, DownloadsByTheOldCommand) {
  const Result curl = Run({"--mark", "100"}, Transfer("greeting", {"--disable-eprt"}));
  EXPECT_EQ(curl.out, "hello\n") << curl.ToString();
  EXPECT_THAT(curl.err, HasSubstr("> PORT 10,1,0,1,"));
}

TEST_F(RunFtpTest, Uploads) {
  Command command = Srcsel({"--mark", "100"}, Transfer("answer", {"--upload-file", "-"}));
  command.input = "and goodbye\n";
  const Result curl = client_.Run(command).value();
  ASSERT_TRUE(curl.ok()) << curl.ToString();
  ExpectNamesUnicom(curl);
  EXPECT_EQ(Uploaded("answer"), "and goodbye\n");
  EXPECT_THAT(client_.ConntrackEntries().value(), IsEmpty());
}

TEST_F(RunFtpTest, NoHelperRewritesThePayload) {
  ASSERT_TRUE(Run({"--mark", "100"}, Transfer("greeting", {})).ok());
  EXPECT_THAT(client_.Do("conntrack -L expect").value(), IsEmpty());
  EXPECT_THAT(client_.Do("nft list ruleset").value(), Not(HasSubstr("helper")));
}

}  // namespace
}  // namespace srcsel::lab

// Programs that are too large to be installed for every run of the tests: see to_test_long of
// tools/dev.

#include "preload/programs_scene.hh"

namespace srcsel::lab {
namespace {

class LongProgramsTest : public ProgramsTest {
 protected:
  Result Make(const Words &words, const std::string &input = "") const {
    const Result result = RunCommand({.argv = words, .cwd = here_.path(), .input = input}).value();
    EXPECT_TRUE(result.ok()) << words[0] << ": " << result.ToString();
    return result;
  }
  static Words Joined(Words words, const Words &more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

// Served as files, so that each object is a request.
TEST_F(LongProgramsTest, GitByHttp) {
  const std::string count = absl::StrCat(Many(50, 200)), repository = here_.path() + "/repository";
  std::string commits;
  for (int i = 1; i <= Many(50, 200); ++i)
    absl::StrAppend(&commits, "commit refs/heads/main\ncommitter A <a@b.c> ", 1700000000 + i,
                    " +0000\ndata 1\nx\nM 100644 inline file", i, "\ndata <<end\n", i, "\nend\n\n");
  Make({"git", "init", "-q", "--bare", "--initial-branch=main", repository});
  Make({"git", "-C", repository, "-c", "fastimport.unpackLimit=1000000", "fast-import", "--quiet"},
       commits);
  Make({"git", "-C", repository, "update-server-info"});
  Serve(
      server_,
      [&](Way way) {
        return Nginx(absl::StrCat("server", way),
                     absl::StrCat("listen ", Port(way), "; root ", here_.path(), ";"));
      },
      "start worker processes");
  const std::string clones = Home("clones");
  Compare({"git clone",
           [&](Way way) {
             return Words{"sh", "-c",
                          "git clone -q $0 $1/$$ && git -C $1/$$ rev-list --count HEAD && "
                          "rm -r $1/$$",
                          absl::StrCat("http://192.0.2.80:", Port(way), "/repository"), clones};
           },
           count + "\n"});
}

TEST_F(LongProgramsTest, Sftp) {
  const std::string home = Home("ssh");
  Make(AsNobody({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home + "/key"}));
  Make({"truncate", "-s", "20M", home + "/file"});
  ASSERT_TRUE(here_.Write("batch", absl::StrCat("get ", home, "/file /dev/null\n")).ok());
  Serve(
      server_,
      [&](Way way) {
        return Words{"/usr/sbin/sshd",
                     "-D",
                     "-e",
                     "-f",
                     "/dev/null",
                     "-h",
                     home + "/key",
                     "-p",
                     absl::StrCat(Port(way)),
                     "-o",
                     "UsePAM=yes",
                     "-o",
                     "StrictModes=no",
                     "-o",
                     "PidFile=none",
                     "-o",
                     "Subsystem=sftp internal-sftp",
                     "-o",
                     "ForceCommand=internal-sftp",
                     "-o",
                     absl::StrCat("AuthorizedKeysFile=", home, "/key.pub")};
      },
      "Server listening on 0.0.0.0");
  Compare({"sftp",
           [&](Way way) {
             return Words{"sh", "-c",
                          absl::StrCat("for i in $(seq ", Many(1, 5), "); do sftp -q -F none -b ",
                                       here_.path(), "/batch -i ", home,
                                       "/key -o StrictHostKeyChecking=no -o LogLevel=error",
                                       " -o UserKnownHostsFile=/dev/null -P ", Port(way),
                                       " nobody@192.0.2.80 || exit 1; done; echo all")};
           },
           "all\n"});
}

TEST_F(LongProgramsTest, Java) {
  ServePages();
  Make({"javac", "-d", here_.path(), PROGRAMS "/Get.java"});
  const std::string count = absl::StrCat(Many(300, 1500));
  Compare({"java",
           [&](Way way) {
             return Words{"java", "-cp", here_.path(), "Get", absl::StrCat(Port(way)), count};
           },
           count + " of " + count});
}

// The server is in redis-tools too, by another name.
TEST_F(LongProgramsTest, Redis) {
  const std::string server = here_.path() + "/redis-server";
  std::filesystem::create_symlink("/usr/bin/redis-check-rdb", server);
  Serve(
      server_,
      [&](Way way) {
        return Words{server,  "--port",      absl::StrCat(Port(way)), "--save", "",
                     "--dir", Home("redis"), "--protected-mode",      "no"};
      },
      "Ready to accept connections");
  const auto benchmark = [&](const Words &more) {
    return [more](Way way) {
      return Joined({"redis-benchmark", "-h", kServer4, "-p", absl::StrCat(Port(way)), "--csv"},
                    more);
    };
  };
  Compare({"redis",
           benchmark({"-n", absl::StrCat(Many(1000, 2000)), "-t",
                      "ping,set,get,incr,lpush,lrange_100,mset"}),
           "\"MSET"});
  Compare({"redis, connecting",
           benchmark({"-n", absl::StrCat(Many(500, 4000)), "-t", "set,get", "-k", "0"}),
           "\"GET\""});
}

TEST_F(LongProgramsTest, Postgres) {
  std::string bin;
  for (const auto &version : std::filesystem::directory_iterator("/usr/lib/postgresql"))
    bin = version.path().string() + "/bin/";
  Serve(
      server_,
      [&](Way way) {
        const std::string home = Home(absl::StrCat("postgres", way)), data = home + "/data";
        Make(AsNobody({bin + "initdb", "--no-sync", "--no-locale", "-U", "postgres", "-A", "trust",
                       "-D", data}));
        Make({"sh", "-c", "echo host all all all trust >>" + data + "/pg_hba.conf"});
        return Words{bin + "postgres",
                     "-D",
                     data,
                     "-k",
                     home,
                     "-p",
                     absl::StrCat(Port(way)),
                     "-c",
                     "listen_addresses=192.0.2.80,2001:db8:80::80",
                     "-c",
                     "fsync=off"};
      },
      "database system is ready to accept connections");
  const auto pgbench = [&](Way way, const char *address, const Words &more) {
    return Joined({bin + "pgbench", "-h", address, "-p", absl::StrCat(Port(way)), "-U", "postgres"},
                  Joined(more, {"postgres"}));
  };
  for (const Way way : {kWithout, kImage, kKernel})
    EXPECT_TRUE(Run(Under(kWithout, client_, pgbench(way, kServer4, {"-q", "-i"}))).ok());
  const Words clients{"-n", "-c", "8", "-j", "2", "-t"};
  Compare({"postgres, pgbench",
           [&](Way way) {
             return pgbench(way, kServer4, Joined(clients, {absl::StrCat(Many(20, 300))}));
           },
           "number of failed transactions: 0"});
  Compare(
      {"postgres, connecting",
       [&](Way way) {
         return pgbench(way, kServer6, Joined(clients, {absl::StrCat(Many(10, 50)), "-S", "-C"}));
       },
       "number of failed transactions: 0"});
}

}  // namespace
}  // namespace srcsel::lab

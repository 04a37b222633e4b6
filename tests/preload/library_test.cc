// What the library is made of, and what it does when a program does nothing: that it cannot lock,
// allocate or print, holds nobody up, and shows a program no name but those it stands in front of.

#include <algorithm>
#include <fstream>
#include <set>

#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

using Names = std::set<std::string>;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSubsetOf;
using testing::Not;

class LibraryTest : public PreloadTest {
 protected:
  std::string ReadElf(const std::string &what) const {
    const Result result = Run({.argv = {"readelf", "--wide", what, library()}});
    EXPECT_TRUE(result.ok()) << result.ToString();
    return result.out;
  }

  // Of its dynamic symbols, those with all the words.
  Names Symbols(const Words &wanted) const {
    Names names;
    for (const std::string &line : Split(ReadElf("--dyn-syms"))) {
      const Words words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      const bool all = std::ranges::all_of(wanted, [&](const std::string &word) {
        return std::ranges::find(words, word) != words.end();
      });
      if (words.size() == 8 && all) names.insert(words[7].substr(0, words[7].find('@')));
    }
    return names;
  }

  static Words Split(const std::string &text) {
    return absl::StrSplit(text, '\n', absl::SkipEmpty());
  }

  // The system calls of the command, by name, one an element.
  Words SystemCalls(Words words) const {
    const std::string log = Log();
    words.insert(words.begin(), {"strace", "-f", "-qq", "-e", "signal=none", "-o", log});
    Lines({.argv = AsNobody(words)});
    std::ifstream file(log);
    Words calls;
    for (std::string line; std::getline(file, line);) {
      line = line.substr(line.find_first_not_of("0123456789 "));
      calls.push_back(line.substr(0, line.find('(')));
    }
    std::filesystem::remove(log);
    return calls;
  }

  // Those that a command makes more often with the preload.
  Names Added(const Words &words, Words env) const {
    Words before{"env"}, after{"env"};
    before.insert(before.end(), env.begin(), env.end());
    after = before;
    after.push_back("LD_PRELOAD=" + library());
    for (Words *all : {&before, &after}) all->insert(all->end(), words.begin(), words.end());
    Words without = SystemCalls(before), with = SystemCalls(after), added;
    std::ranges::sort(without);
    std::ranges::sort(with);
    std::ranges::set_difference(with, without, std::back_inserter(added));
    return {added.begin(), added.end()};
  }

 private:
  // An ordinary user's.
  std::string Log() const {
    const std::string folder = here_.path() + "/log";
    std::filesystem::create_directory(folder);
    std::filesystem::permissions(folder, std::filesystem::perms(0777));
    return folder + "/calls";
  }
};

TEST_F(LibraryTest, ShowsOnlyTheCallsItStandsInFrontOf) {
  EXPECT_EQ(Symbols({"GLOBAL", "DEFAULT", "FUNC"}),
            (Names{"__recvfrom_chk", "bind", "connect", "recvfrom", "recvmmsg", "recvmsg",
                   "sendmmsg", "sendmsg", "sendto", "syscall"}));
  EXPECT_THAT(Symbols({"GLOBAL", "OBJECT"}), IsEmpty());
  EXPECT_THAT(Symbols({"WEAK", "FUNC"}), IsEmpty());
}

TEST_F(LibraryTest, NeedsNothingThatALibcCouldLack) {
  const Names compilers{"memcmp", "memcpy", "memmove", "memset", "strlen"};
  EXPECT_THAT(Symbols({"UND", "WEAK"}),
              IsSubsetOf(Names{"__errno_location", "dlsym", "getauxval", "getenv"}));
  EXPECT_THAT(Symbols({"UND", "GLOBAL"}), IsSubsetOf(compilers));
  const std::string dynamic = ReadElf("--dynamic"), segments = ReadElf("--segments");
  for (const char *tag : {"(NEEDED)", "(TEXTREL)", "(RUNPATH)", "(VERNEED)"})
    EXPECT_THAT(dynamic, Not(HasSubstr(tag)));
  for (const char *tag : {" TLS ", " RWE "}) EXPECT_THAT(segments, Not(HasSubstr(tag)));
}

// Besides what the loader does for any library, one look at the image.
TEST_F(LibraryTest, AProgramWithoutSocketsIsNotHeldUp) {
  const Names loading{"openat", "read",     "pread64", "fstat", "newfstatat",
                      "mmap",   "mprotect", "close",   "munmap"};
  EXPECT_THAT(Added({"true"}, {"SRCSEL_SOURCE=10.1.0.1"}), IsSubsetOf(loading));
  Names looking = loading;
  looking.insert({"clock_gettime", "gettid", "geteuid"});
  EXPECT_THAT(Added({"true"}, {}), IsSubsetOf(looking));
  EXPECT_THAT(Added({"true"}, {"SRCSEL_IMAGE=/nowhere"}), IsSubsetOf(looking));
}

// No futex, no brk, no write, no poll: nothing that waits, allocates or prints.
TEST_F(LibraryTest, MakesNoOtherSystemCallsThanThese) {
  const Names own{"bind",       "clock_gettime", "close",   "connect",    "epoll_ctl",
                  "fstat",      "getegid",       "geteuid", "getrandom",  "getsockname",
                  "getsockopt", "gettid",        "mmap",    "mprotect",   "munmap",
                  "newfstatat", "openat",        "prctl",   "pread64",    "read",
                  "recvfrom",   "sendto",        "sendmsg", "setsockopt", "socket"};
  for (const char *word :
       {"SRCSEL_SOURCE=10.0.0.1,fd00::1", "SRCSEL_MARK=7", "SRCSEL_IMAGE=/nowhere"})
    for (const char *name : {"connect", "send", "receive"})
      EXPECT_THAT(Added({Program(name)}, {word}), IsSubsetOf(own)) << name << " " << word;
}

}  // namespace
}  // namespace srcsel::lab

// The words by which decisions explain themselves. Scripts and dashboards read them: a word that
// changes, moves or goes breaks them, and this test.

#include <set>
#include <string>

#include <gmock/gmock.h>

#include "lookup/decide.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

TEST(Reasons, AreStableWords) {
  const std::vector<absl::string_view> expected = {
      "no-image",   "no-rule",    "mark",      "source",    "table",     "unspecified",
      "loopback",   "link-local", "multicast", "broadcast", "local",     "app-source",
      "app-port",   "app-device", "app-mark",  "foreign",   "family",    "no-route",
      "no-source",  "ambiguous",  "refused",   "pool",      "no-member", "no-port",
      "old-socket", "kernel",     "app-tos",
  };
  std::vector<absl::string_view> words;
  for (std::uint32_t reason = 0; reason < SRCSEL_WHY_COUNT; ++reason)
    words.push_back(ReasonText(reason));
  EXPECT_EQ(words, expected);
}

TEST(Reasons, AreUniqueAndOfLettersAndHyphens) {
  std::set<absl::string_view> seen;
  for (std::uint32_t reason = 0; reason < SRCSEL_WHY_COUNT; ++reason) {
    const absl::string_view word = ReasonText(reason);
    EXPECT_TRUE(seen.insert(word).second) << word;
    EXPECT_THAT(std::string(word), testing::MatchesRegex("[a-z]+(-[a-z]+)*"));
  }
}

TEST(Reasons, BeyondTheLastHaveNoWord) {
  EXPECT_EQ(ReasonText(SRCSEL_WHY_COUNT), "?");
  EXPECT_EQ(ReasonText(SRCSEL_NONE), "?");
}

TEST(Reasons, AreNamedAsTheirWordsSay) {
  EXPECT_EQ(ReasonText(SRCSEL_WHY_NO_IMAGE), "no-image");
  EXPECT_EQ(ReasonText(SRCSEL_WHY_APP_SOURCE), "app-source");
  EXPECT_EQ(ReasonText(SRCSEL_WHY_REFUSED), "refused");
}

}  // namespace
}  // namespace srcsel

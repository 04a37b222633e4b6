#include "demo/crossing.hh"

#include <utility>

#include "absl/strings/str_split.h"
#include "base/status.hh"
#include "demo/interrupt.hh"
#include "lab/capture.hh"
#include "lab/cgroup.hh"
#include "lab/lab.hh"
#include "lab/servers.hh"
#include "lab/two_uplinks.hh"

namespace srcsel::demo {
namespace {

constexpr int kCurlTimedOut = 28;

// A curl that neither the user's .curlrc nor a proxy of the environment leads elsewhere.
std::vector<std::string> CommandOf(const Way &way, const Family &family,
                                   const std::string &srcsel) {
  std::vector<std::string> words;
  if (way.selected) words = {srcsel, "run", "--quiet", "--mark", "100", "--"};
  for (const char *word :
       {"curl", "--disable", "--noproxy", "*", "--silent", "--show-error", "--fail", "--max-time",
        "2", "--output", "/dev/null", "--write-out", "%{local_ip} %{local_port}"})
    words.emplace_back(word);
  words.push_back(family.Url());
  return words;
}

absl::Status Prepare(const lab::Lab &lab, const Way &way) {
  if (way.marked) SRCSEL_RETURN_IF_ERROR(lab::MarkOutput(lab));
  if (way.masqueraded) SRCSEL_RETURN_IF_ERROR(lab::Masquerade(lab));
  return absl::OkStatus();
}

// In a cgroup of its own, which is empty only when what `srcsel run` leaves for a moment has gone
// too.
absl::StatusOr<lab::Result> RunToTheVeryEnd(const lab::Host &client,
                                            std::vector<std::string> words) {
  SRCSEL_ASSIGN_OR_RETURN(const lab::TestCgroup cgroup, lab::TestCgroup::Create());
  SRCSEL_ASSIGN_OR_RETURN(lab::Result result,
                          client.Run({.argv = std::move(words), .cgroup = cgroup.path()}));
  SRCSEL_RETURN_IF_ERROR(cgroup.WaitUntilEmpty());
  return result;
}

Outcome OutcomeOf(const lab::Result &curl) {
  if (curl.ok()) return Outcome::kAnswered;
  return curl.status == kCurlTimedOut ? Outcome::kTimedOut : Outcome::kFailed;
}

absl::StatusOr<lab::Endpoint> ToldBy(const lab::Result &curl) {
  const std::pair<std::string, std::string> words = absl::StrSplit(curl.out, ' ');
  return lab::Endpoint::Parse(words.first, words.second);
}

}  // namespace

absl::StatusOr<Crossing> Cross(const Way &way, const Family &family, const std::string &srcsel) {
  SRCSEL_ASSIGN_OR_RETURN(const lab::Lab lab, lab::Lab::Build(lab::TwoUplinks()));
  const lab::Host &client = lab.host("client");
  SRCSEL_RETURN_IF_ERROR(Prepare(lab, way));
  SRCSEL_ASSIGN_OR_RETURN(lab::Nginx nginx, lab::Nginx::Start(lab.host("server")));
  SRCSEL_ASSIGN_OR_RETURN(lab::Capture telecom, client.StartCapture("eth0"));
  SRCSEL_ASSIGN_OR_RETURN(lab::Capture unicom, client.StartCapture("eth1"));
  SRCSEL_ASSIGN_OR_RETURN(lab::Capture past_unicom, lab.host("unicom").StartCapture("core"));
  SRCSEL_RETURN_IF_ERROR(NotInterrupted());

  Crossing crossing;
  SRCSEL_ASSIGN_OR_RETURN(crossing.curl, RunToTheVeryEnd(client, CommandOf(way, family, srcsel)));
  crossing.outcome = OutcomeOf(crossing.curl);
  if (crossing.outcome == Outcome::kAnswered) {
    SRCSEL_ASSIGN_OR_RETURN(crossing.told, ToldBy(crossing.curl));
    SRCSEL_ASSIGN_OR_RETURN(const lab::Request request, nginx.NextRequest());
    crossing.seen = request.client;
  }
  SRCSEL_ASSIGN_OR_RETURN(crossing.telecom, telecom.SynSources(family.Server()));
  SRCSEL_ASSIGN_OR_RETURN(crossing.unicom, unicom.SynSources(family.Server()));
  SRCSEL_ASSIGN_OR_RETURN(crossing.past_unicom, past_unicom.SynSources(family.Server()));
  SRCSEL_ASSIGN_OR_RETURN(crossing.tracked, client.ConntrackEntries());
  return crossing;
}

}  // namespace srcsel::demo

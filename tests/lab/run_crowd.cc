#include "lab/run_crowd.hh"

#include <set>
#include <sstream>
#include <tuple>

namespace srcsel::lab {

std::vector<Attempt> AttemptsIn(const std::string &output) {
  std::vector<Attempt> attempts;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Attempt attempt;
    std::string host, port;
    if (!(words >> host >> port >> attempt.source)) continue;
    attempt.destination = host + " " + port;
    if (!(words >> attempt.port)) std::swap(attempt.source, attempt.error);
    attempts.push_back(attempt);
  }
  return attempts;
}

std::map<std::string, int> Outcomes(const std::vector<Attempt> &attempts) {
  std::map<std::string, int> outcomes;
  for (const Attempt &attempt : attempts) ++outcomes[attempt.error];
  return outcomes;
}

bool AllDiffer(const std::vector<Attempt> &attempts) {
  std::set<std::tuple<std::string, std::string, int>> seen;
  for (const Attempt &attempt : attempts)
    if (attempt.error.empty() &&
        !seen.emplace(attempt.destination, attempt.source, attempt.port).second)
      return false;
  return true;
}

}  // namespace srcsel::lab

#include "differential/hosts/tally.hh"

#include <iomanip>

#include "differential/hosts/terms.hh"

namespace srcsel {

void Tally::Count(const State &state, const Comparison &comparison, bool hidden) {
  ++flows_[hidden];
  ++ways_[comparison.way == Way::kConnect];
  incomplete_ += !comparison.ours.complete && comparison.ours.why != Ambiguity::kRoutes;
  if (!comparison.ours.exact()) {
    ++ambiguous_[hidden][std::string(AmbiguityWord(comparison.ours.why))];
    return;
  }
  const int family = comparison.flow.destination.family();
  for (const std::string &term : TermsOfRule(state, family, comparison.ours.outcome))
    ++decided_[term];
  for (const std::string &term : TermsOfRoute(state, family, comparison.ours.outcome))
    ++decided_[term];
}

void Tally::CountHost(std::size_t commands, std::size_t refused, bool hidden) {
  ++hosts_[hidden];
  commands_ += commands;
  refused_ += refused;
}

void Tally::Add(const Tally &other) {
  for (const auto &[term, count] : other.decided_) decided_[term] += count;
  for (const int hidden : {0, 1}) {
    for (const auto &[word, count] : other.ambiguous_[hidden]) ambiguous_[hidden][word] += count;
    hosts_[hidden] += other.hosts_[hidden];
    flows_[hidden] += other.flows_[hidden];
    ways_[hidden] += other.ways_[hidden];
  }
  commands_ += other.commands_;
  refused_ += other.refused_;
  incomplete_ += other.incomplete_;
}

std::uint64_t Tally::DecidedBy(const std::string &term) const {
  const auto found = decided_.find(term);
  return found == decided_.end() ? 0 : found->second;
}

double Tally::AmbiguousShare() const {
  std::uint64_t sum = 0;
  for (const auto &[word, count] : ambiguous_[0]) sum += count;
  return flows_[0] ? static_cast<double>(sum) / static_cast<double>(flows_[0]) : 0;
}

void Tally::Print(std::ostream &out) const {
  for (const auto &[term, count] : decided_) out << std::setw(9) << count << "  " << term << "\n";
  for (const int hidden : {0, 1}) {
    out << hosts_[hidden] << (hidden ? " hosts made to hide much: " : " hosts: ") << flows_[hidden]
        << " answers";
    for (const auto &[word, count] : ambiguous_[hidden])
      out << ", " << count << " ambiguous by " << word;
    out << "\n";
  }
  out << ways_[0] << " answers of route lookups, " << ways_[1] << " of sockets, " << incomplete_
      << " that do not name all candidates; " << refused_ << " of " << commands_
      << " commands were refused" << std::endl;
}

}  // namespace srcsel

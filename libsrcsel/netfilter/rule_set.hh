// A host's netfilter rules, as far as they say which mark a packet of its own gets: plain values,
// the same whether nft or iptables has them.
//
// A rule is a list of steps, taken in order until one does not hold. What neither changes a mark
// nor decides where a packet goes on (counters, logs, comments) is left out by who reads the rules;
// what they cannot express stays as an unknown step with its words. Sets and maps are shared, so
// that a set of 100,000 elements is held once.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "policy/policy.hh"
#include "state/rule.hh"
#include <srcsel/address.hh>

namespace srcsel {

// A property of a packet that rules look at.
enum class NfField {
  kDestination,
  kSource,
  kProtocol,  // IPPROTO_*
  kDport,
  kSport,
  kUid,  // of who opened the socket
  kGid,
  kMark,             // under the key's mask
  kConnectionMark,   // under the key's mask
  kConnectionState,  // NfState
  kDestinationType,  // RTN_*
  kSourceType,       // RTN_*
  kDscp,
  kTos,      // the whole byte
  kClassid,  // of net_cls, the socket's
  kCgroup,
  kOutDevice,  // the name, "eth*": any that begins so
  kInDevice,   // a packet of the host's own has none
};

// Values of kConnectionState.
enum NfState : std::uint32_t {
  kNfInvalid = 1,  // also what has not come to connection tracking yet
  kNfEstablished = 2,
  kNfRelated = 4,
  kNfNew = 8,
  kNfUntracked = 64,
};

struct NfKey {
  NfField field;
  std::uint32_t mask = 0xffffffff;
  std::uint32_t level = 0;  // that a rule of nft asks for of a cgroup
  friend bool operator==(const NfKey &, const NfKey &) = default;
};

// Numbers as ranges that are sorted and do not touch; addresses as prefixes of one family; devices
// by name; cgroups by path, and by id where that is what the kernel has.
using NfNumbers = std::vector<Range32>;
using NfPrefixes = std::shared_ptr<const PrefixSet>;
using NfNames = std::vector<std::string>;
using NfCgroups = std::vector<Cgroup>;
using NfValues = std::variant<NfNumbers, NfPrefixes, NfNames, NfCgroups>;

// One set of values a key: holds if each property is in its own.
using NfBox = std::vector<NfValues>;
using NfBoxes = std::vector<NfBox>;

// Holds if any of the boxes does; negated, if none does.
struct NfMatch {
  std::vector<NfKey> keys;
  std::shared_ptr<const NfBoxes> boxes;
  bool negated = false;
};

// Whether it holds is not to be known.
struct NfUnknownMatch {
  std::string words;
  // It asks for chance, time or rates: not for the way, the source or the mark of a packet.
  bool is_aside = false;
};

// (the packet's mark AND `packet`) XOR (its connection's AND `connection`) XOR `constant`.
struct NfMarkValue {
  std::uint32_t packet = 0, connection = 0, constant = 0;
  friend bool operator==(const NfMarkValue &, const NfMarkValue &) = default;
};

struct NfSetMark {
  bool of_connection = false;
  NfMarkValue value;
};

enum class NfVerdictKind { kAccept, kDrop, kReturn, kJump, kGoto };

struct NfVerdict {
  NfVerdictKind kind = NfVerdictKind::kAccept;
  std::string chain = {};  // of kJump and kGoto, in the same table
};

struct NfNoTrack {};

// A statement after which neither the mark nor the way of the packet is to be known.
struct NfUnknownStatement {
  std::string words;
};

// A map: the first case one of whose boxes holds; if none does, the rule does not.
struct NfCase {
  NfBoxes boxes;
  std::variant<NfSetMark, NfVerdict> then;
};
struct NfLookup {
  std::vector<NfKey> keys;
  std::shared_ptr<const std::vector<NfCase>> cases;
};
// The same, by a key that is not known.
struct NfUnknownLookup {
  std::string words;
  std::shared_ptr<const std::vector<NfCase>> cases;
};

using NfStep = std::variant<NfMatch, NfUnknownMatch, NfSetMark, NfVerdict, NfNoTrack,
                            NfUnknownStatement, NfLookup, NfUnknownLookup>;

struct NfRule {
  std::string name;  // "inet fw output, handle 12"; for iptables the line
  std::vector<NfStep> steps;
};

enum class NfHook {
  kNone,    // not a base chain
  kFilter,  // marks packets and does not route them again
  kRoute,   // routes again what it has marked
  kNat,     // sees connections' first packets only
};

struct NfChain {
  std::vector<NfRule> rules;
  NfHook hook = NfHook::kNone;  // of output; base chains of other hooks are not read
  std::int32_t priority = 0;
  bool drops = false;       // its policy
  std::uint64_t order = 0;  // grows with every chain made in a table
};

// Whose rules they are.
enum class NfOrigin { kNft, kIptablesNft, kIptablesLegacy };

struct NfTable {
  NfOrigin origin = NfOrigin::kNft;
  bool v4 = false, v6 = false;
  std::string name;  // "inet fw", "iptables mangle", "ip6tables-legacy mangle"
  std::map<std::string, NfChain, std::less<>> chains;
};

// A rule that translates the source of packets as they leave.
struct NfSourceNat {
  std::string name;
  bool v4 = false, v6 = false;
  std::string removal;  // the command that takes it out
};

struct NfRuleSet {
  std::vector<NfTable> tables;
  std::vector<NfSourceNat> source_nats;
  std::vector<std::string> arrival_marks;  // rules of prerouting that mark packets
  // What could not be read: what is known is not the whole.
  std::vector<std::string> skipped;
  // Sets that could not be read this time: rules that look into them are not understood.
  std::vector<std::string> unread_sets;
};

}  // namespace srcsel

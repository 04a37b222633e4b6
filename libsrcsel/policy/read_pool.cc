#include "policy/read_pool.hh"

#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/table_reader.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

constexpr std::int64_t kHeaviest = 1000;

struct PoolTable {
  const std::string &file;
  std::string name;  // "pool.wan2"
  Findings &findings;
  bool has_members = false;
  Pool pool = {};
};

struct MemberTable {
  bool has_source = false;
  PoolMember member = {};
};

void ReadSource(KeyReader &key, MemberTable &member) {
  member.has_source = true;
  const std::optional<std::string> word = key.Word(Integers::kRefused);
  if (!word || *word == kKernelWord) return;
  const absl::StatusOr<Source> source = SourceOfWord(*word, " nor \"kernel\"");
  if (source.ok())
    member.member.source = *source;
  else
    key.Error(source.status().message());
}

void ReadWeight(KeyReader &key, MemberTable &member) {
  const auto *weight = key.value().As<std::int64_t>();
  if (weight == nullptr) return key.WrongType(key.value(), "an integer from 1 to 1000");
  if (*weight < 1 || *weight > kHeaviest)
    return key.Error(absl::StrCat("is ", *weight, "; 1 to ", kHeaviest, " is accepted"));
  member.member.weight = static_cast<std::uint32_t>(*weight);
}

constexpr TableKey<MemberTable> kMemberKeys[] = {{"source", ReadSource}, {"weight", ReadWeight}};
constexpr KeyAlias kMemberAliases[] = {{"address", "'source' is"},
                                       {"dev", "source = \"dev ...\" is"}};

void ReadMember(const TomlValue &value, KeyReader &members, PoolTable &pool) {
  MemberTable member;
  if (value.As<std::string>() != nullptr) {
    const TomlEntry entry{"members", value.line, value};
    KeyReader key(entry, pool.name, pool.file, pool.findings);
    ReadSource(key, member);
  } else if (const auto *table = value.As<TomlTable>()) {
    ReadTable<MemberTable>(*table, absl::StrCat(pool.name, ".members"), pool.file, kMemberKeys,
                           kMemberAliases, pool.findings, member);
    if (!member.has_source)
      members.Error(value.line, R"(a member without a source; say source = "10.1.0.2")");
  } else {
    members.WrongType(value, "a string or a table with source and weight");
  }
  pool.pool.members.push_back(std::move(member.member));
}

void ReadMembers(KeyReader &key, PoolTable &pool) {
  pool.has_members = true;
  const auto *list = key.value().As<TomlArray>();
  if (list == nullptr) return key.WrongType(key.value(), "a list of members");
  if (list->empty())
    return key.Error(R"(is an empty list; a pool needs a member, as in ["10.1.0.2", "10.1.0.3"])");
  for (const TomlValue &value : *list) ReadMember(value, key, pool);
}

void ReadPick(KeyReader &key, PoolTable &pool) {
  if (const auto choice = key.Choice({"hash", "random", "round-robin"}))
    pool.pool.pick = static_cast<Pick>(*choice);
}

constexpr TableKey<PoolTable> kPoolKeys[] = {{"members", ReadMembers}, {"pick", ReadPick}};
constexpr KeyAlias kPoolAliases[] = {{"sources", "'members' is"}, {"addresses", "'members' is"}};

}  // namespace

std::shared_ptr<const Pool> ReadPool(const TomlEntry &entry, const std::string &file,
                                     Findings &findings) {
  KeyReader pool_key(entry, "pool", file, findings);
  const auto *table = entry.value.As<TomlTable>();
  if (table == nullptr) {
    pool_key.WrongType(entry.value, "a table with members = [...]");
    return nullptr;
  }
  const std::size_t before = findings.size();
  PoolTable pool{file, absl::StrCat("pool.", entry.key), findings};
  pool.pool.name = entry.key;
  ReadTable<PoolTable>(*table, pool.name, file, kPoolKeys, kPoolAliases, findings, pool);
  if (!pool.has_members)
    pool_key.Error(R"(has no members; say members = ["10.1.0.2", "10.1.0.3"])");
  if (findings.size() != before) return nullptr;
  return std::make_shared<const Pool>(std::move(pool.pool));
}

}  // namespace srcsel

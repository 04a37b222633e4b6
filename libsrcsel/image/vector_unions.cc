#include "image/vector_unions.hh"

namespace srcsel {

VectorUnions::Number VectorUnions::Intern(const srcsel_vector &vector) {
  std::string content(reinterpret_cast<const char *>(&vector), sizeof(vector));
  const auto [place, added] =
      by_content_.try_emplace(std::move(content), static_cast<Number>(vectors_.size()));
  if (added) vectors_.push_back(vector);
  return place->second;
}

VectorUnions::Number VectorUnions::Union(Number a, Number b) {
  if (a == b) return a;
  const auto known = unions_.find(std::pair(a, b));
  if (known != unions_.end()) return known->second;
  srcsel_vector vector = vectors_[a];
  for (std::size_t i = 0; i <= SRCSEL_VECTOR_WORDS; ++i) vector.word[i] |= vectors_[b].word[i];
  const Number number = Intern(vector);
  unions_.emplace(std::pair(a, b), number);
  return number;
}

}  // namespace srcsel

#pragma once

#include "playhead/sim/random.h"

#include <set>
#include <string>
#include <string_view>

namespace playhead::sim {

struct Person {
  std::string first_name;
  std::string last_name;
};

/// Invents titles, people, addresses, companies. All are made up of word lists; whoever or whatever
/// bears such a name in the world is not meant.
class NameMaker {
 public:
  NameMaker(uint64_t seed, std::string_view purpose) : random_(seed, purpose) {}

  /// A title that differs from all before it, also without regard to case. Some have commas, colons
  /// or letters beyond ASCII.
  std::string Title();
  Person MakePerson();
  /// An address that no call returned before, in lower case, at a domain reserved for examples.
  std::string Email(const Person& person);
  std::string Company();
  std::string Sentence();

 private:
  std::string PlainTitle();

  Random random_;
  std::set<std::string, std::less<>> titles_;
  int64_t emails_ = 0;
};

/// Letters of ASCII and Latin-1 in capitals; `text` is UTF-8.
std::string UpperCase(std::string_view text);
/// Letters of ASCII in lower case, the rest as it is.
std::string LowerCase(std::string_view text);

}  // namespace playhead::sim

#include "playhead/sim/names.h"

#include "playhead/sim/json_text.h"

namespace playhead::sim {
namespace {

constexpr std::string_view kAdjectives[] = {
    "Silent",   "Crimson",   "Hollow",    "Golden",     "Broken",    "Distant",  "Hidden",
    "Burning",  "Frozen",    "Restless",  "Velvet",     "Borrowed",  "Crooked",  "Patient",
    "Bitter",   "Luminous",  "Wandering", "Second",     "Paper",     "Iron",     "Sleeping",
    "Northern", "Last",      "Gentle",    "Forgotten",  "Electric",  "Midnight", "Salted",
    "Quiet",    "Unwritten", "Scarlet",   "Weightless", "Reluctant", "Amber",    "Painted",
    "Stubborn", "Hungry",    "Tidal",     "Faithful",   "Winter"};

constexpr std::string_view kNouns[] = {
    "Harbour",  "Lantern",  "Orchard",    "Cartographer", "River",      "Clockmaker", "Sparrow",
    "Engine",   "Garden",   "Telegram",   "Staircase",    "Lighthouse", "Mirror",     "Apprentice",
    "Meridian", "Ferry",    "Thicket",    "Beekeeper",    "Compass",    "Overture",   "Canal",
    "Postman",  "Glacier",  "Ledger",     "Carousel",     "Signal",     "Foundry",    "Heron",
    "Balcony",  "Surveyor", "Monsoon",    "Archive",      "Quarry",     "Juggler",    "Almanac",
    "Sonata",   "Ropewalk", "Pharmacist", "Comet",        "Tramway"};

constexpr std::string_view kPlaces[] = {
    "Valdorne",      "Korrimar",  "Port Tamsin", "Elsemünde",   "Saint-Éloy-sur-Brume",
    "Ashgrove",      "Quillon",   "Noa Vesta",   "Old Ferren",  "Lake Ondeno",
    "Marévalle",     "Thistleby", "Brünnow",     "Cape Ilario", "Upper Wexling",
    "Santa Perdida", "Orlen Bay", "Dunmarrow",   "Ystrad Wen",  "Far Kessel"};

constexpr std::string_view kFirstNames[] = {
    "Ada",     "Bruno",  "Celia",  "Dario",  "Edda",  "Farid", "Greta",   "Hugo",   "Ines",
    "Jonas",   "Kaya",   "Lorenz", "Mina",   "Nils",  "Odile", "Pavel",   "Quinn",  "Rosa",
    "Stefan",  "Tamsin", "Ulla",   "Viktor", "Wanda", "Xenia", "Yusuf",   "Zora",   "Amir",
    "Bettina", "Carlos", "Dunja",  "Emil",   "Freya", "Goran", "Hanna",   "Ismael", "Jule",
    "Kenji",   "Leonie", "Marek",  "Noor",   "Otto",  "Petra", "Rahel",   "Samir",  "Tilda",
    "Umar",    "Vera",   "Willem", "Yara",   "Zeno",  "Mei",   "Joaquín", "Zoé",    "Björn"};

constexpr std::string_view kLastNames[] = {
    "Abendroth",   "Barlow",   "Castellan", "Dornfeld", "Eklund",    "Farrow",    "Gruber",
    "Hallam",      "Ivarsson", "Jessop",    "Kessler",  "Lindqvist", "Marchetti", "Nowak",
    "Okafor",      "Pereira",  "Quayle",    "Rosen",    "Sandoval",  "Thorne",    "Ullman",
    "Vasquez",     "Wexford",  "Yilmaz",    "Zeller",   "Ambrose",   "Brandt",    "Corvino",
    "Delacroix",   "Ebersold", "Fontaine",  "Galloway", "Hartwig",   "Imhof",     "Jansen",
    "Korhonen",    "Lacroix",  "Mbeki",     "Nakamura", "O'Dell",    "Pfister",   "Rautio",
    "Salvatore",   "Tanaka",   "Urban",     "Vance",    "Winter",    "Young",     "Abara",
    "Bellweather", "Cho",      "Drummond",  "Espinoza", "Fairbanks", "Goh",       "Holm"};

constexpr std::string_view kDomains[] = {"mail.example.com", "post.example.net", "box.example.org",
                                         "letters.example.com"};

constexpr std::string_view kCompanyEnds[] = {"Press", "House",    "& Daughters",
                                             "Books", "Editions", "Verlag"};

constexpr std::string_view kOpinions[] = {"I read it in two evenings.",
                                          "The ending came too early.",
                                          "Nobody in it behaves like a person.",
                                          "Better than the trailer promised.",
                                          "My neighbour cried, I did not.",
                                          "The second half drags.",
                                          "A quiet thing that stays with you.",
                                          "I would give it to my sister.",
                                          "Too long by a third.",
                                          "The dialogue is a joy."};

void AppendLower(std::string_view name, std::string& text) {
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') text.push_back(static_cast<char>(c + 32));
    if (c >= 'a' && c <= 'z') text.push_back(c);
  }
}

}  // namespace

std::string NameMaker::PlainTitle() {
  const auto adjective = [this] { return std::string(random_.Pick(kAdjectives)); };
  const auto noun = [this] { return std::string(random_.Pick(kNouns)); };
  const auto place = [this] { return std::string(random_.Pick(kPlaces)); };
  // Drawn one by one: the order in which operands of + are evaluated is the compiler's choice.
  const std::string a = adjective();
  const std::string b = noun();
  const std::string c = noun();
  const std::string d = place();
  switch (random_.Below(8)) {
    case 0:
      return "The " + a + " " + b;
    case 1:
      return "The " + b + " of " + d;
    case 2:
      return a + " " + b;
    case 3:
      return "The " + b + " and the " + c;
    case 4:
      return a + " " + b + ", " + a + " " + c;
    case 5:
      return "A " + b + " for " + d;
    case 6:
      return b + ": The " + a + " " + c;
    default:
      return a + " in " + d;
  }
}

std::string NameMaker::Title() {
  std::string title = PlainTitle();
  for (int tries = 0; titles_.contains(LowerCase(title)); ++tries) {
    title = PlainTitle();
    if (tries > 20) {
      title.push_back(' ');
      AppendInt(static_cast<int64_t>(titles_.size()), title);
    }
  }
  titles_.insert(LowerCase(title));
  return title;
}

Person NameMaker::MakePerson() {
  Person person;
  person.first_name = random_.Pick(kFirstNames);
  person.last_name = random_.Pick(kLastNames);
  return person;
}

std::string NameMaker::Email(const Person& person) {
  std::string email;
  AppendLower(person.first_name, email);
  email.push_back('.');
  AppendLower(person.last_name, email);
  AppendInt(++emails_, email);
  email.push_back('@');
  email.append(random_.Pick(kDomains));
  return email;
}

std::string NameMaker::Company() {
  std::string company(random_.Pick(kLastNames));
  company.push_back(' ');
  company.append(random_.Pick(kCompanyEnds));
  return company;
}

std::string NameMaker::Sentence() { return std::string(random_.Pick(kOpinions)); }

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  bool is_after_c3 = false;
  for (char& c : upper) {
    const auto byte = static_cast<unsigned char>(c);
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    // U+00E0 … U+00FE without the division sign: C3 A0 … C3 BE become C3 80 … C3 9E.
    if (is_after_c3 && byte >= 0xA0 && byte <= 0xBE && byte != 0xB7) {
      c = static_cast<char>(byte - 0x20);
    }
    is_after_c3 = byte == 0xC3;
  }
  return upper;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

}  // namespace playhead::sim

// Runs a fuzz target without libFuzzer: every file of a corpus folder, its truncations and seeded
// mutations, the same ones in every run. Usage: fuzz_x CORPUS_DIR

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kTruncationsPerFile = 32;
constexpr int kMutationsPerFile = 200;
constexpr size_t kMutatedBytesMax = 64 * 1024;

size_t runs = 0;

void Run(const std::string& input) {
  // An exact-size heap copy lets AddressSanitizer see a read one byte past the end.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  ++runs;
}

/// One to four edits: flip a bit, set a byte that parsers care about, delete, repeat or swap a
/// span.
std::string Mutate(std::string input, std::mt19937_64& random) {
  static constexpr char kTelling[] = {'\0', '"',  '\\', '{', '}', '[',    ']',    ',',
                                      ':',  '\n', '0',  '-', 'e', '\x7f', '\x80', '\xff'};
  const int edits = 1 + static_cast<int>(random() % 4);
  for (int edit = 0; edit < edits && !input.empty(); ++edit) {
    const size_t at = random() % input.size();
    const size_t length = std::min<size_t>(1 + random() % 16, input.size() - at);
    switch (random() % 5) {
      case 0:
        input[at] = static_cast<char>(input[at] ^ (1 << (random() % 8)));
        break;
      case 1:
        input[at] = kTelling[random() % std::size(kTelling)];
        break;
      case 2:
        input.erase(at, length);
        break;
      case 3:
        input.insert(at, input.substr(at, length));
        break;
      default:
        std::rotate(input.begin() + static_cast<std::ptrdiff_t>(at),
                    input.begin() + static_cast<std::ptrdiff_t>(at + length / 2),
                    input.begin() + static_cast<std::ptrdiff_t>(at + length));
    }
  }
  return input;
}

std::vector<std::filesystem::path> CorpusFiles(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: %s CORPUS_DIR (a folder of sample inputs)\n", argv[0]);
    return EXIT_FAILURE;
  }
  const auto files = CorpusFiles(argv[1]);
  if (files.empty()) {
    std::fprintf(stderr, "the corpus is empty: %s\n", argv[1]);
    return EXIT_FAILURE;
  }
  Run("");
  std::mt19937_64 random(20240101);
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::string input((std::istreambuf_iterator<char>(stream)), {});
    Run(input);
    for (int i = 0; i < kTruncationsPerFile && !input.empty(); ++i) {
      Run(input.substr(0, random() % input.size()));
    }
    if (input.size() > kMutatedBytesMax) continue;
    for (int i = 0; i < kMutationsPerFile; ++i) Run(Mutate(input, random));
  }
  std::printf("%zu inputs from %zu files\n", runs, files.size());
  return EXIT_SUCCESS;
}

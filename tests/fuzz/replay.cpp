// Runs a fuzz target over files and folders, without libFuzzer: the corpora are replayed in every test run.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    // Every prefix of a small file too: truncation is the commonest damage.
    if (bytes.size() > 4096) return;
    for (std::size_t size = 0; size < bytes.size(); ++size)
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), size);
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t files = 0;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::exists(argv[i])) continue;
        if (std::filesystem::is_regular_file(argv[i])) {
            run(argv[i]);
            ++files;
            continue;
        }
        std::set<std::filesystem::path> sorted;  // some targets remember what came before
        for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i]))
            if (entry.is_regular_file()) sorted.insert(entry.path());
        for (const auto& path : sorted) run(path);
        files += sorted.size();
    }
    std::cout << files << " files\n";
    return files > 0 ? 0 : 1;
}

#include "export/src/icc_profile.h"

#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

namespace kustos::exporting {
namespace {

void put_fixed(Bytes& out, double value) {  // s15Fixed16Number
    put_u32(out, static_cast<std::uint32_t>(static_cast<std::int32_t>(std::lround(value * 65536))));
}

Bytes xyz(double x, double y, double z) {
    Bytes out;
    put(out, "XYZ ");
    put_u32(out, 0);
    put_fixed(out, x);
    put_fixed(out, y);
    put_fixed(out, z);
    return out;
}

Bytes text_tag(std::string_view text) {
    Bytes out;
    put(out, "text");
    put_u32(out, 0);
    put(out, text);
    put_u8(out, 0);
    return out;
}

Bytes description(std::string_view text) {
    Bytes out;
    put(out, "desc");
    put_u32(out, 0);
    put_u32(out, static_cast<std::uint32_t>(text.size() + 1));
    put(out, text);
    put_u8(out, 0);
    put_u32(out, 0);  // Unicode: language, count
    put_u32(out, 0);
    put_u16(out, 0);  // ScriptCode: code, count, 67 bytes
    put_u8(out, 0);
    out.insert(out.end(), 67, 0);
    return out;
}

Bytes curve() {  // IEC 61966-2-1, 1,024 samples
    Bytes out;
    put(out, "curv");
    put_u32(out, 0);
    put_u32(out, 1024);
    for (unsigned i = 0; i < 1024; ++i) {
        const double v = i / 1023.0;
        const double linear = v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
        put_u16(out, static_cast<std::uint16_t>(std::lround(linear * 65535)));
    }
    return out;
}

}  // namespace

Bytes srgb_profile() {
    const std::vector<std::pair<std::string_view, Bytes>> tags = {
        {"desc", description("sRGB IEC61966-2.1")},
        {"cprt", text_tag("No copyright, use freely")},
        {"wtpt", xyz(0.95045, 1.0, 1.08905)},
        {"rXYZ", xyz(0.43607, 0.22249, 0.01392)},
        {"gXYZ", xyz(0.38515, 0.71687, 0.09708)},
        {"bXYZ", xyz(0.14307, 0.06061, 0.71410)},
        {"rTRC", curve()},
    };
    const std::vector<std::string_view> shared_curve = {"gTRC", "bTRC"};
    const auto tag_count = static_cast<std::uint32_t>(tags.size() + shared_curve.size());

    Bytes table, data;
    const std::size_t data_at = 128 + 4 + 12 * tag_count;
    put_u32(table, tag_count);
    const auto row = [&](std::string_view name, std::size_t offset, std::size_t size) {
        put(table, name);
        put_u32(table, static_cast<std::uint32_t>(offset));
        put_u32(table, static_cast<std::uint32_t>(size));
    };
    for (const auto& [name, bytes] : tags) {
        row(name, data_at + data.size(), bytes.size());
        if (name == "rTRC") {
            for (const std::string_view other : shared_curve) row(other, data_at + data.size(), bytes.size());
        }
        put(data, bytes);
        while (data.size() % 4) put_u8(data, 0);
    }

    Bytes out;
    put_u32(out, static_cast<std::uint32_t>(data_at + data.size()));
    put_u32(out, 0);           // preferred module
    put_u32(out, 0x02100000);  // version 2.1
    put(out, "mntrRGB XYZ ");
    for (const std::uint16_t part : {2024, 1, 1, 0, 0, 0}) put_u16(out, part);
    put(out, "acsp");
    put_u32(out, 0);  // platform
    put_u32(out, 0);  // flags
    put_u32(out, 0);  // manufacturer
    put_u32(out, 0);  // model
    put_u64(out, 0);  // attributes
    put_u32(out, 0);  // perceptual
    put_fixed(out, 0.9642);
    put_fixed(out, 1.0);
    put_fixed(out, 0.8249);
    out.resize(128, 0);
    put(out, table);
    put(out, data);
    return out;
}

}  // namespace kustos::exporting

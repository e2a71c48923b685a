#include "vault/retention.h"

namespace kustos::vault {

namespace {
// Longest common period for business mail under AO s147 and HGB s257 (vouchers 8, letters 6, books 10 years).
constexpr int kDefaultYears = 10;
constexpr int kAccessYears = 10;
constexpr int kConfigurationYears = 10;
}  // namespace

Result<ClassCode> class_by_name(std::string_view name) {
    if (name == "default") return kDefaultClass;
    return Error(Code::not_in_version, "this retention class is not in this version").with_hint("--class default");
}

std::uint16_t expiry_year(ClassCode retention_class, UtcTime sealed_at) {
    const int years = retention_class == kAccessClass          ? kAccessYears
                      : retention_class == kConfigurationClass ? kConfigurationYears
                                                               : kDefaultYears;
    return static_cast<std::uint16_t>(civil_date(sealed_at).year + years);
}

}  // namespace kustos::vault

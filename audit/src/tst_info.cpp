#include "audit/src/tst_info.h"

#include "audit/der.h"
#include "audit/src/message_imprint.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kMaxSerial = 20;  // RFC 3161: up to 160 bits
constexpr std::size_t kMaxNonce = 256;  // real ones have up to 128

// Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis [0] 1..999 OPTIONAL, micros [1] 1..999 OPTIONAL }
Result<std::int64_t> parse_accuracy(DerReader fields) {
    std::int64_t ms = 0;
    if (fields.next_is(der::kInteger)) ms += 1000LL * TRY(der_small_uint(TRY(fields.next(der::kInteger)).content));
    for (unsigned part = 0; part < 2; ++part) {
        if (!fields.next_is(der::context(part))) continue;
        const std::uint32_t v = TRY(der_small_uint(TRY(fields.next(der::context(part))).content));
        if (v > 999) return Error(Code::bad_input, "the token's accuracy is out of range");
        ms += part == 0 ? v : v > 0 ? 1 : 0;  // microseconds are rounded up
    }
    TRY(fields.expect_end());
    return ms;
}

// ETSI EN 319 422 section 9.1: qcStatements with esi4-qtstStatement-1.
bool claims_qualified(ByteView extension_value) {
    DerReader outer(extension_value);
    auto statements = outer.enter(der::kSequence);
    while (statements.ok() && !statements->at_end()) {
        auto statement = statements->enter(der::kSequence);
        if (!statement.ok()) return false;
        const auto id = statement->next(der::kOid);
        if (!id.ok()) return false;
        const auto text = der_oid_text(id->content);
        if (text.ok() && *text == "0.4.0.19422.1.1") return true;
    }
    return false;
}

Status read_extensions(DerReader extensions, TstInfo& info) {
    while (!extensions.at_end()) {
        DerReader extension = TRY(extensions.enter(der::kSequence));
        const std::string id = TRY(der_oid_text(TRY(extension.next(der::kOid)).content));
        const bool known = id == "1.3.6.1.5.5.7.1.3";
        bool critical = false;
        if (extension.next_is(der::kBoolean)) {  // a qualified authority writes the default FALSE, against DER
            const DerValue flag = TRY(extension.next(der::kBoolean));
            critical = flag.content.size() != 1 || flag.content[0] != 0;
        }
        if (critical && !known)
            return Error(Code::bad_input, "the token has a critical extension that is not known here");
        const DerValue value = TRY(extension.next(der::kOctetString));
        TRY(extension.expect_end());
        if (known) info.claims_qualified = claims_qualified(value.content);
    }
    return {};
}

}  // namespace

Result<TstInfo> parse_tst_info(ByteView bytes) {
    TRY(check_der(bytes));
    DerReader outer(bytes);
    DerReader fields = TRY(outer.enter(der::kSequence));
    TstInfo info;
    if (TRY(der_small_uint(TRY(fields.next(der::kInteger)).content)) != 1) {
        return Error(Code::bad_input, "a time-stamp token of another version than 1");
    }
    info.policy = TRY(der_oid_text(TRY(fields.next(der::kOid)).content));
    info.imprint = TRY(parse_message_imprint(fields));
    const Bytes serial = TRY(der_unsigned(TRY(fields.next(der::kInteger)).content));
    if (serial.size() > kMaxSerial) return Error(Code::bad_input, "the token's serial number is too long");
    info.serial = hex(serial);
    info.gen_time = TRY(der_generalized_time(TRY(fields.next(der::kGeneralizedTime)).content));
    if (fields.next_is(der::kSequence)) info.accuracy_ms = TRY(parse_accuracy(TRY(fields.enter(der::kSequence))));
    if (fields.next_is(der::kBoolean)) {
        const DerValue flag = TRY(fields.next(der::kBoolean));
        if (flag.content.size() != 1) return Error(Code::bad_input, "not strict DER: boolean");
        info.ordering = flag.content[0] != 0;
    }
    if (fields.next_is(der::kInteger)) {
        info.nonce = TRY(der_integer(TRY(fields.next(der::kInteger)).content));
        if (info.nonce.size() > kMaxNonce) return Error(Code::bad_input, "the token's nonce is too long");
    }
    if (fields.next_is(der::context_constructed(0))) {  // explicit, because GeneralName is a CHOICE
        DerReader tsa = TRY(fields.enter(der::context_constructed(0)));
        info.tsa = to_bytes(TRY(tsa.any()).whole);
        TRY(tsa.expect_end());
    }
    if (fields.next_is(der::context_constructed(1))) {
        TRY(read_extensions(TRY(fields.enter(der::context_constructed(1))), info));
    }
    TRY(fields.expect_end());
    return info;
}

}  // namespace kustos::audit

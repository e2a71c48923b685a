// RFC 3161 section 2.4: requests, and the outer shell of responses.
#include "audit/der.h"
#include "audit/src/message_imprint.h"
#include "audit/src/openssl_time.h"
#include "audit/timestamp.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kNonceSize = 16;

// PKIFailureInfo (section 2.4.2): bit numbers.
std::string_view failure_text(unsigned bit) {
    switch (bit) {
        case 0:
            return "it does not know or allow the digest algorithm";
        case 2:
            return "it calls the request not permitted or unsupported";
        case 5:
            return "it calls the request malformed";
        case 14:
            return "its time source is not available";
        case 15:
            return "it does not offer the requested policy";
        case 16:
            return "it does not support a requested extension";
        case 17:
            return "it can't provide additional information";
        case 25:
            return "it had an internal failure";
        default:
            return {};
    }
}

std::string failure_text(ByteView bit_string) {
    for (unsigned bit = 0; bit < 32 && 1 + bit / 8 < bit_string.size(); ++bit) {
        const bool set = bit_string[1 + bit / 8] & (0x80 >> (bit % 8));
        if (set && !failure_text(bit).empty()) return std::string(failure_text(bit));
    }
    return "it gave no reason";
}

}  // namespace

Result<Imprint> parse_message_imprint(DerReader& parent) {
    DerReader fields = TRY(parent.enter(der::kSequence));
    DerReader algorithm = TRY(fields.enter(der::kSequence));
    const std::string oid = TRY(der_oid_text(TRY(algorithm.next(der::kOid)).content));
    if (!algorithm.at_end()) {
        const DerValue parameters = TRY(algorithm.next(der::kNull));
        if (!parameters.content.empty()) return Error(Code::bad_input, "digest parameters");
    }
    TRY(algorithm.expect_end());
    Imprint imprint;
    imprint.algorithm = TRY(parse_digest_oid(oid));
    imprint.value = to_bytes(TRY(fields.next(der::kOctetString)).content);
    TRY(fields.expect_end());
    if (imprint.value.size() != digest_size(imprint.algorithm))
        return Error(Code::bad_input, "the imprint's length does not fit its algorithm");
    return imprint;
}

TimestampRequest TimestampRequest::make(const Imprint& imprint, Random& random) {
    TimestampRequest request;
    request.imprint = imprint;
    request.nonce.resize(kNonceSize);
    random.fill(request.nonce);
    request.nonce[0] = static_cast<std::uint8_t>((request.nonce[0] & 0x3F) | 0x40);  // positive, always 16 bytes
    return request;
}

Bytes TimestampRequest::encode() const {
    openssl::ClearErrors clear;
    const openssl::Request request(TS_REQ_new());
    const openssl::MessageImprint message(TS_MSG_IMPRINT_new());
    const openssl::Algorithm digest(X509_ALGOR_new());
    CHECK(request && message && digest);
    const openssl::Object oid(OBJ_txt2obj(std::string(digest_oid(imprint.algorithm)).c_str(), 1));
    CHECK(oid);
    CHECK(TS_REQ_set_version(request.get(), 1));
    CHECK(X509_ALGOR_set0(digest.get(), OBJ_dup(oid.get()), V_ASN1_NULL, nullptr));
    CHECK(TS_MSG_IMPRINT_set_algo(message.get(), digest.get()));  // these setters copy
    Bytes value = imprint.value;
    CHECK(TS_MSG_IMPRINT_set_msg(message.get(), value.data(), static_cast<int>(value.size())));
    CHECK(TS_REQ_set_msg_imprint(request.get(), message.get()));
    if (!nonce.empty()) {
        Bytes der;
        put_der(der, der::kInteger, nonce);
        const unsigned char* at = der.data();
        const openssl::Integer integer(d2i_ASN1_INTEGER(nullptr, &at, static_cast<long>(der.size())));
        CHECK(integer && TS_REQ_set_nonce(request.get(), integer.get()));
    }
    if (!policy.empty()) {
        const openssl::Object object(OBJ_txt2obj(policy.c_str(), 1));
        CHECK(object && TS_REQ_set_policy_id(request.get(), object.get()));
    }
    CHECK(TS_REQ_set_cert_req(request.get(), certificates ? 1 : 0));
    return openssl::encoded(i2d_TS_REQ, request.get());
}

Result<TimestampRequest> TimestampRequest::parse(ByteView tsq) {
    if (tsq.size() > kMaxToken) return Error(Code::limit, "the time-stamp request is larger than 64 KiB");
    TRY(check_der(tsq));
    DerReader outer(tsq);
    DerReader fields = TRY(outer.enter(der::kSequence));
    TRY(outer.expect_end());
    if (TRY(der_small_uint(TRY(fields.next(der::kInteger)).content)) != 1) {
        return Error(Code::bad_input, "a time-stamp request of another version than 1");
    }
    TimestampRequest request;
    request.imprint = TRY(parse_message_imprint(fields));
    if (fields.next_is(der::kOid)) request.policy = TRY(der_oid_text(TRY(fields.next(der::kOid)).content));
    if (fields.next_is(der::kInteger)) request.nonce = TRY(der_integer(TRY(fields.next(der::kInteger)).content));
    request.certificates = false;
    if (fields.next_is(der::kBoolean)) {
        const DerValue flag = TRY(fields.next(der::kBoolean));
        if (flag.content.size() != 1 || flag.content[0] != 0xFF)
            return Error(Code::bad_input, "not strict DER: boolean");
        request.certificates = true;
    }
    if (!fields.at_end()) return Error(Code::bad_input, "a time-stamp request with extensions");
    return request;
}

// Taken apart by hand: OpenSSL's TS_RESP would put the token through its PKCS7 decoder, which refuses tokens that carry
// OCSP responses, and would encode it anew.
Result<Bytes> token_from_response(ByteView tsr) {
    if (tsr.size() > kMaxToken) return Error(Code::limit, "the time-stamp response is larger than 64 KiB");
    TRY_IN("time-stamp response", check_der(tsr));
    DerReader outer(tsr);
    DerReader response = TRY_IN("time-stamp response", outer.enter(der::kSequence));
    DerReader info = TRY_IN("time-stamp response", response.enter(der::kSequence));
    const std::uint32_t status = TRY_IN("time-stamp response", der_small_uint(TRY(info.next(der::kInteger)).content));
    if (info.next_is(der::kSequence)) TRY(info.next(der::kSequence));  // free text of a stranger: never repeated
    std::string reason = "it gave no reason";
    if (info.next_is(der::kBitString)) reason = failure_text(TRY(info.next(der::kBitString)).content);
    TRY_IN("time-stamp response", info.expect_end());
    if (status > 1) {
        const Error refused(Code::bad_input,
                            "the authority refused to stamp (status " + std::to_string(status) + "): " + reason);
        return Error(refused).with_hint(
            "compare the requested policy and digest with what the authority's terms offer");
    }
    const DerValue token = TRY_IN("time-stamp response", response.next(der::kSequence));
    TRY_IN("time-stamp response", response.expect_end());
    return to_bytes(token.whole);
}

}  // namespace kustos::audit

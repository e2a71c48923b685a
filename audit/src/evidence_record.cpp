// RFC 4998 Appendix A (ASN.1, 1988 syntax), IMPLICIT tags.
#include "audit/evidence_record.h"

#include "audit/der.h"

namespace kustos::audit {

namespace {

constexpr std::uint8_t kTag0 = der::context_constructed(0), kTag1 = der::context_constructed(1),
                       kTag2 = der::context_constructed(2);

Error bad(const char* what) {
    return Error(Code::bad_input, what);
}

// AlgorithmIdentifier's content: an OID, and parameters that are NULL or absent.
Result<DigestAlgorithm> parse_algorithm(DerReader fields) {
    const DigestAlgorithm algorithm = TRY(parse_digest_oid(TRY(der_oid_text(TRY(fields.next(der::kOid)).content))));
    if (!fields.at_end() && !TRY(fields.next(der::kNull)).content.empty()) return bad("digest parameters");
    TRY(fields.expect_end());
    return algorithm;
}

Result<HashGroups> parse_groups(DerReader list) {
    HashGroups groups;
    while (!list.at_end()) {
        if (groups.size() == kMaxHashGroups)
            return Error(Code::limit, "a reduced hash tree with more than 1,000 groups");
        DerReader members = TRY(list.enter(der::kSequence));
        std::vector<Bytes> group;
        while (!members.at_end()) {
            if (group.size() == kMaxGroupMembers) return Error(Code::limit, "a group with more than 65,536 members");
            group.push_back(to_bytes(TRY(members.next(der::kOctetString)).content));
        }
        if (group.empty()) return bad("a reduced hash tree with an empty group");
        groups.push_back(std::move(group));
    }
    if (groups.empty()) return bad("a reduced hash tree without a group");
    return groups;
}

Result<ArchiveTimeStamp> parse_stamp(DerReader fields) {
    ArchiveTimeStamp stamp;
    if (fields.next_is(kTag0)) stamp.algorithm = TRY(parse_algorithm(TRY(fields.enter(kTag0))));
    if (fields.next_is(kTag1)) {
        TRY(fields.next(kTag1));
        stamp.has_attributes = true;
    }
    if (fields.next_is(kTag2)) stamp.groups = TRY(parse_groups(TRY(fields.enter(kTag2))));
    stamp.token = to_bytes(TRY(fields.next(der::kSequence)).whole);
    TRY(fields.expect_end());
    return stamp;
}

Result<EvidenceRecord> parse(ByteView bytes) {
    DerReader outer(bytes);
    DerReader fields = TRY(outer.enter(der::kSequence));
    TRY(outer.expect_end());
    if (TRY(der_small_uint(TRY(fields.next(der::kInteger)).content)) != 1) return bad("another version than 1");
    EvidenceRecord record;
    DerReader algorithms = TRY(fields.enter(der::kSequence));
    while (!algorithms.at_end()) {
        if (record.algorithms.size() == kMaxArchiveTimeStamps) return Error(Code::limit, "too many digest algorithms");
        record.algorithms.push_back(TRY(parse_algorithm(TRY(algorithms.enter(der::kSequence)))));
    }
    if (fields.next_is(kTag0)) {
        TRY(fields.next(kTag0));
        record.has_crypto_infos = true;
    }
    if (fields.next_is(kTag1)) {
        TRY(fields.next(kTag1));
        record.has_encryption_info = true;
    }
    DerReader chains = TRY(fields.enter(der::kSequence));
    TRY(fields.expect_end());
    std::size_t stamps = 0;
    while (!chains.at_end()) {
        const DerValue value = TRY(chains.next(der::kSequence));
        ArchiveTimeStampChain chain;
        chain.der = to_bytes(value.whole);
        DerReader list(value.content);
        while (!list.at_end()) {
            if (++stamps > kMaxArchiveTimeStamps) return Error(Code::limit, "more than 1,000 time stamps");
            chain.stamps.push_back(TRY(parse_stamp(TRY(list.enter(der::kSequence)))));
        }
        if (chain.stamps.empty()) return bad("a chain without a time stamp");
        record.chains.push_back(std::move(chain));
    }
    if (record.chains.empty()) return bad("no time stamp");
    return record;
}

Bytes encode_oid(std::string_view dotted) {
    Bytes content;
    unsigned position = 0;
    std::uint64_t first = 0;
    while (!dotted.empty()) {
        const std::size_t dot = dotted.find('.');
        std::uint64_t arc = 0;
        for (const char digit : dotted.substr(0, dot)) arc = arc * 10 + static_cast<std::uint64_t>(digit - '0');
        dotted = dot == std::string_view::npos ? std::string_view() : dotted.substr(dot + 1);
        if (position++ == 0) {
            first = arc;
            continue;
        }
        if (position == 2) arc += first * 40;
        Bytes reversed{static_cast<std::uint8_t>(arc & 0x7F)};
        for (arc >>= 7; arc != 0; arc >>= 7) reversed.push_back(static_cast<std::uint8_t>(0x80 | (arc & 0x7F)));
        content.insert(content.end(), reversed.rbegin(), reversed.rend());
    }
    Bytes out;
    put_der(out, der::kOid, content);
    return out;
}

// The content of an AlgorithmIdentifier with NULL parameters, as the known records have it.
Bytes algorithm_content(DigestAlgorithm algorithm) {
    Bytes content = encode_oid(digest_oid(algorithm));
    put_der(content, der::kNull, {});
    return content;
}

Bytes wrap(std::uint8_t tag, ByteView content) {
    Bytes out;
    put_der(out, tag, content);
    return out;
}

Bytes encode_stamp(const ArchiveTimeStamp& stamp) {
    CHECK(!stamp.has_attributes);
    Bytes content;
    if (stamp.algorithm) put_der(content, kTag0, algorithm_content(*stamp.algorithm));
    if (!stamp.groups.empty()) {
        Bytes groups;
        for (const std::vector<Bytes>& group : stamp.groups) {
            Bytes members;
            for (const Bytes& member : group) put_der(members, der::kOctetString, member);
            put_der(groups, der::kSequence, members);
        }
        put_der(content, kTag2, groups);
    }
    put(content, stamp.token);
    return wrap(der::kSequence, content);
}

}  // namespace

Result<EvidenceRecord> parse_evidence_record(ByteView bytes) {
    if (bytes.size() > kMaxEvidenceRecord) return Error(Code::limit, "the evidence record is larger than 16 MiB");
    return TRY_IN("evidence record", parse(bytes));
}

Bytes encode(const ArchiveTimeStampChain& chain) {
    if (!chain.der.empty()) return chain.der;
    CHECK(!chain.stamps.empty());
    Bytes content;
    for (const ArchiveTimeStamp& stamp : chain.stamps) put(content, encode_stamp(stamp));
    return wrap(der::kSequence, content);
}

Bytes encode_sequence(const EvidenceRecord& record, std::size_t count) {
    CHECK(count <= record.chains.size());
    Bytes content;
    for (std::size_t i = 0; i < count; ++i) put(content, encode(record.chains[i]));
    return wrap(der::kSequence, content);
}

Bytes encode(const EvidenceRecord& record) {
    CHECK(!record.chains.empty() && !record.has_crypto_infos && !record.has_encryption_info);
    Bytes content;
    put_der_uint(content, Bytes{1});
    Bytes algorithms;
    for (const DigestAlgorithm algorithm : record.algorithms)
        put_der(algorithms, der::kSequence, algorithm_content(algorithm));
    put_der(content, der::kSequence, algorithms);
    put(content, encode_sequence(record, record.chains.size()));
    return wrap(der::kSequence, content);
}

Bytes renewed_digest(DigestAlgorithm algorithm, ByteView object_digest, ByteView sequence_digest) {
    return digest_of(algorithm, {object_digest, sequence_digest});
}

}  // namespace kustos::audit

#include "export/src/pdf_file.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <map>
#include <set>

#include "base/crypto.h"
#include "export/report_pdf.h"
#include "export/src/icc_profile.h"
#include "export/src/qpdf.h"
#include "export/src/text_safety.h"
#include "export/src/xmp.h"

namespace kustos::exporting {
namespace {

using Handle = QPDFObjectHandle;

std::string pdf_date(UtcTime time) {  // D:20260302100000Z
    std::string out = "D:";
    for (const char c : format_rfc3339({time.ms - (time.ms % 1000 + 1000) % 1000})) {
        if (c >= '0' && c <= '9') out += c;
    }
    return out + "Z";
}

std::string media_type(const std::string& given) {
    const auto fine = [](unsigned char c) { return std::isalnum(c) || c == '/' || c == '-' || c == '+' || c == '.'; };
    const bool good = given.size() < 100 && std::count(given.begin(), given.end(), '/') == 1 &&
                      std::all_of(given.begin(), given.end(), fine);
    return good ? given : "application/octet-stream";
}

bool worth_compressing(const std::string& type) {
    return type.rfind("text/", 0) == 0 || type.rfind("message/", 0) == 0 || type == "application/json";
}

// A file name that no reader mistakes for a path; the name in /F and in the name tree is its ASCII shadow.
std::string plain_name(const std::string& given) {
    std::string name = frame_text(given, 120);
    for (char& c : name) {
        if (c == '/' || c == '\\' || c == ':') c = '_';
    }
    if (name.empty() || name == "." || name == "..") name = "_";
    return name;
}

std::string ascii(const std::string& utf8) {
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
        const char32_t c = next_code_point(utf8, at);
        out += c >= 0x20 && c < 0x7F ? static_cast<char>(c) : '_';
    }
    return out;
}

std::string unique(const std::string& name, std::set<std::string>& taken) {
    if (taken.insert(ascii(name)).second) return name;
    const std::size_t dot = name.rfind('.');
    const std::string stem = name.substr(0, dot), tail = dot == std::string::npos ? "" : name.substr(dot);
    for (unsigned n = 2;; ++n) {
        const std::string candidate = stem + " (" + std::to_string(n) + ")" + tail;
        if (taken.insert(ascii(candidate)).second) return candidate;
    }
}

class Assembler {
public:
    Assembler(const Bytes& pages, const DocumentFacts& facts) : facts_(facts) {
        pdf_.setSuppressWarnings(true);
        pdf_.processMemoryFile("pages", reinterpret_cast<const char*>(pages.data()), pages.size());
    }

    Bytes run(const std::vector<PeopleAttachment>& attachments, const EvidenceContainer& container) {
        repair_cairo_objects();
        describe();
        attach_container(container);
        for (const PeopleAttachment& attachment : attachments) attach(attachment);
        list_files();
        return write();
    }

    Bytes run_report(const std::string& json, const std::string& proof) {
        repair_cairo_objects();
        describe();
        attach_part(json, 1, kReportName, "Verification report for programs");
        attach_part(proof, 2, kReportProofName, "Proof of the report's entry in the ledger");
        list_files();
        return write();
    }

private:
    void repair_cairo_objects() {
        for (Handle object : pdf_.getAllObjects()) {
            Handle dict = object.isStream() ? object.getDict() : object;
            if (!dict.isDictionary()) continue;
            if (dict.hasKey("/Interpolate")) dict.replaceKey("/Interpolate", Handle::newBool(false));
            if (dict.getKey("/Subtype").isNameAndEquals("/CIDFontType2") && !dict.hasKey("/CIDToGIDMap"))
                dict.replaceKey("/CIDToGIDMap", Handle::newName("/Identity"));
            dict.removeKey("/CIDSet");
        }
    }

    Handle stream(const std::string& data, bool compress) {
        Handle made = Handle::newStream(&pdf_, data);
        if (!compress) made.setFilterOnWrite(false);
        return made;
    }

    void describe() {
        Handle root = pdf_.getRoot();
        root.replaceKey("/Lang", Handle::newString(facts_.language));
        root.replaceKey("/ViewerPreferences", Handle::parse("<< /DisplayDocTitle true >>"));

        Handle metadata = stream(xmp_packet(facts_), false);
        metadata.getDict().replaceKey("/Type", Handle::newName("/Metadata"));
        metadata.getDict().replaceKey("/Subtype", Handle::newName("/XML"));
        root.replaceKey("/Metadata", metadata);

        const Bytes profile = srgb_profile();
        Handle icc = stream(std::string(profile.begin(), profile.end()), true);
        icc.getDict().replaceKey("/N", Handle::newInteger(3));
        Handle intent = Handle::newDictionary();
        intent.replaceKey("/Type", Handle::newName("/OutputIntent"));
        intent.replaceKey("/S", Handle::newName("/GTS_PDFA1"));
        intent.replaceKey("/OutputConditionIdentifier", Handle::newString("sRGB IEC61966-2.1"));
        intent.replaceKey("/Info", Handle::newString("sRGB IEC61966-2.1"));
        intent.replaceKey("/DestOutputProfile", icc);
        root.replaceKey("/OutputIntents", Handle::newArray({pdf_.makeIndirectObject(intent)}));

        Handle info = Handle::newDictionary();
        info.replaceKey("/Title", Handle::newUnicodeString(facts_.title));
        info.replaceKey("/Author", Handle::newUnicodeString(facts_.author));
        info.replaceKey("/Subject", Handle::newUnicodeString(facts_.subject));
        info.replaceKey("/Creator", Handle::newUnicodeString(facts_.creator));
        info.replaceKey("/Producer", Handle::newUnicodeString(facts_.creator));
        info.replaceKey("/CreationDate", Handle::newString(pdf_date(facts_.created_at)));
        info.replaceKey("/ModDate", Handle::newString(pdf_date(facts_.created_at)));
        pdf_.getTrailer().replaceKey("/Info", pdf_.makeIndirectObject(info));
    }

    // /F and /UF hold the name, the relationship is that of ISO 32000-2 table 43.
    void add_file(Handle file, const std::string& name, const std::string& type, const char* relationship,
                  const std::string& description, std::uint64_t size) {
        Handle dict = file.getDict();
        dict.replaceKey("/Type", Handle::newName("/EmbeddedFile"));
        dict.replaceKey("/Subtype", Handle::newName("/" + type));
        Handle params = Handle::newDictionary();
        params.replaceKey("/Size", Handle::newInteger(static_cast<long long>(size)));
        params.replaceKey("/ModDate", Handle::newString(pdf_date(facts_.created_at)));
        dict.replaceKey("/Params", params);

        Handle embedded = Handle::newDictionary();
        embedded.replaceKey("/F", file);
        embedded.replaceKey("/UF", file);
        Handle spec = Handle::newDictionary();
        spec.replaceKey("/Type", Handle::newName("/Filespec"));
        spec.replaceKey("/F", Handle::newString(ascii(name)));
        spec.replaceKey("/UF", Handle::newUnicodeString(name));
        spec.replaceKey("/Desc", Handle::newUnicodeString(description));
        spec.replaceKey("/AFRelationship", Handle::newName(relationship));
        spec.replaceKey("/EF", embedded);
        files_.emplace(ascii(name), pdf_.makeIndirectObject(spec));
    }

    void attach_container(const EvidenceContainer& container);

    void attach_part(const std::string& content, int mark, const char* name, const char* description) {
        Handle file = stream(content, false);
        file.getDict().replaceKey("/KustosReport", Handle::newInteger(mark));
        add_file(file, name, "application/json", "/Data", description, content.size());
    }

    void attach(const PeopleAttachment& attachment) {
        const std::string name = unique(plain_name(attachment.name), taken_);
        const std::string type = media_type(attachment.media_type);
        Handle file =
            stream(std::string(attachment.content.begin(), attachment.content.end()), worth_compressing(type));
        add_file(file, name, type, "/Supplement", frame_text(attachment.description), attachment.content.size());
    }

    void list_files() {  // the name tree is sorted by its keys (ISO 32000-1, 7.9.6)
        Handle names = Handle::newArray(), associated = Handle::newArray();
        for (const auto& [key, spec] : files_) {
            names.appendItem(Handle::newString(key));
            names.appendItem(spec);
            associated.appendItem(spec);
        }
        Handle root = pdf_.getRoot();
        Handle embedded = Handle::newDictionary();
        embedded.replaceKey("/Names", names);
        Handle tree = root.getKey("/Names");
        if (!tree.isDictionary()) {
            tree = Handle::newDictionary();
            root.replaceKey("/Names", tree);
        }
        tree.replaceKey("/EmbeddedFiles", pdf_.makeIndirectObject(embedded));
        root.replaceKey("/AF", associated);
    }

    Bytes write() {
        QPDFWriter writer(pdf_);
        writer.setOutputMemory();
        writer.setMinimumPDFVersion("1.7");
        writer.setObjectStreamMode(qpdf_o_disable);
        writer.setNewlineBeforeEndstream(true);
        writer.setDeterministicID(true);
        writer.write();
        const auto buffer = writer.getBufferSharedPointer();
        return Bytes(buffer->getBuffer(), buffer->getBuffer() + buffer->getSize());
    }

    QPDF pdf_;
    const DocumentFacts& facts_;
    std::map<std::string, Handle> files_;
    std::set<std::string> taken_{kContainerName};
};

// --- the container's place ---------------------------------------------------------------------------
std::string placeholder(const EvidenceContainer& container) {
    return "kustos evidence container " + container.sha256.hex();
}

void Assembler::attach_container(const EvidenceContainer& container) {
    Handle file = stream(placeholder(container), false);
    file.getDict().replaceKey("/KustosEvidence", Handle::newInteger(1));
    add_file(file, kContainerName, "application/zip", "/Data", "Evidence container: originals, proofs, manifest",
             container.size);
}

struct Place {               // in the finished PDF with its placeholder
    std::size_t length_at;   // first digit of /Length's value
    std::size_t length_end;  // after the last
    std::size_t data_at, data_end;
};

Error unexpected(const char* what) {
    return Error(Code::internal, std::string("the PDF writer changed its form: ") + what);
}

Result<Place> find_place(std::string_view pdf, const EvidenceContainer& container) {
    const std::string mark = placeholder(container);
    Place place{};
    place.data_at = pdf.find(mark);
    if (place.data_at == std::string_view::npos || pdf.find(mark, place.data_at + 1) != std::string_view::npos)
        return unexpected("container placeholder");
    place.data_end = place.data_at + mark.size();
    const std::size_t begin = pdf.rfind(" obj", place.data_at);
    const std::size_t key = begin == std::string_view::npos ? begin : pdf.find("/Length ", begin);
    if (key == std::string_view::npos || key > place.data_at) return unexpected("container length");
    place.length_at = place.length_end = key + 8;
    while (place.length_end < place.data_at && std::isdigit(static_cast<unsigned char>(pdf[place.length_end])))
        ++place.length_end;
    if (pdf.substr(place.length_at, place.length_end - place.length_at) != std::to_string(mark.size()))
        return unexpected("container length value");
    return place;
}

// Adds `shift` to the table's offsets beyond `from`, and to startxref; sets both strings of /ID.
Status shift_table(std::string& tail, std::size_t tail_at, std::size_t from, std::uint64_t shift,
                   const std::string& id_hex) {
    const std::size_t table = tail.rfind("\nxref\n0 ");
    if (table == std::string::npos) return unexpected("cross-reference table");
    std::size_t at = tail.find('\n', table + 6) + 1;
    for (; at + 20 <= tail.size() && tail[at + 10] == ' ' && tail[at + 16] == ' '; at += 20) {
        if (tail[at + 17] != 'n') continue;
        const std::uint64_t offset = std::stoull(tail.substr(at, 10));
        if (offset <= from) continue;
        const std::string moved = std::to_string(offset + shift);
        if (moved.size() > 10) return Error(Code::limit, "the bundle is larger than a PDF can address (10 GB)");
        tail.replace(at, 10, std::string(10 - moved.size(), '0') + moved);
    }
    const std::size_t id = tail.find("/ID [<", at);
    if (id == std::string::npos || tail.compare(id + 38, 2, "><") != 0) return unexpected("file identifier");
    tail.replace(id + 6, 32, id_hex);
    tail.replace(id + 40, 32, id_hex);
    const std::size_t start = tail.find("startxref\n", at);
    if (start == std::string::npos) return unexpected("startxref");
    const std::size_t digits = start + 10, end = tail.find('\n', digits);
    if (std::stoull(tail.substr(digits, end - digits)) != tail_at + table + 1) return unexpected("startxref value");
    tail.replace(digits, end - digits, std::to_string(tail_at + table + 1 + shift));
    return ok_status();
}

}  // namespace

Result<Bytes> finish_pdf(const Bytes& pages, const DocumentFacts& facts,
                         const std::vector<PeopleAttachment>& attachments, const EvidenceContainer& container) {
    try {
        return Assembler(pages, facts).run(attachments, container);
    } catch (const std::exception&) {  // its text may quote the document
        return Error(Code::internal, "assembling the PDF failed");
    }
}

Result<Bytes> finish_report_pdf(const Bytes& pages, const DocumentFacts& facts, const std::string& json,
                                const std::string& proof) {
    try {
        return Assembler(pages, facts).run_report(json, proof);
    } catch (const std::exception&) {
        return Error(Code::internal, "assembling the PDF failed");
    }
}

Result<std::uint64_t> write_with_container(const Bytes& pdf, const EvidenceContainer& container, const ByteSink& out) {
    const std::string_view text = as_text(pdf);
    const Place place = TRY(find_place(text, container));
    const std::string length = std::to_string(container.size);
    std::string head(text.substr(0, place.length_at));
    head += length;
    head += text.substr(place.length_end, place.data_at - place.length_end);
    std::string tail(text.substr(place.data_end));
    const std::uint64_t shift =
        container.size - (place.data_end - place.data_at) + length.size() - (place.length_end - place.length_at);
    const Hash id = sha256({as_bytes(text), container.sha256.view()});
    TRY(shift_table(tail, place.data_end, place.data_at, shift, id.hex().substr(0, 32)));

    TRY(out(as_bytes(head)));
    Sha256 hash;
    std::uint64_t written = 0;
    TRY(container.write([&](ByteView part) -> Status {
        hash.update(part);
        written += part.size();
        return out(part);
    }));
    if (written != container.size || hash.finish() != container.sha256)
        return Error(Code::corrupt, "the evidence container changed while it was written");
    TRY(out(as_bytes(tail)));
    return head.size() + written + tail.size();
}

}  // namespace kustos::exporting

#include "tests/export/pdf_rules.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "export/src/qpdf.h"

namespace kustos::exporting::test {
namespace {

using Handle = QPDFObjectHandle;

std::string decoded(Handle stream) {
    const auto data = stream.getStreamData(qpdf_dl_generalized);
    return std::string(reinterpret_cast<const char*>(data->getBuffer()), data->getSize());
}

class Rules {
public:
    explicit Rules(const Bytes& pdf) : bytes_(as_text(pdf)) {
        pdf_.setSuppressWarnings(true);
        pdf_.processMemoryFile("bundle", reinterpret_cast<const char*>(pdf.data()), pdf.size());
    }

    std::vector<std::string> run() {
        trailer();
        metadata();
        output_intent();
        for (Handle object : pdf_.getAllObjects()) {
            form(object);
            Handle dict = object.isStream() ? object.getDict() : object;
            if (dict.isDictionary()) dictionary(object, dict);
        }
        associated_files();
        need(!pdf_.anyWarnings(), "6.1 the library had to repair something");
        return std::move(broken_);
    }

private:
    void need(bool holds, const std::string& rule) {
        if (!holds) broken_.push_back(rule);
    }

    void trailer() {
        need(bytes_.substr(0, 8) == "%PDF-1.7", "6.1.2 header");
        need(pdf_.getTrailer().getKey("/ID").isArray(), "6.1.3 file identifier");
        need(!pdf_.getTrailer().hasKey("/Encrypt"), "6.1.3 encryption");
        Handle root = pdf_.getRoot();
        need(root.getKey("/Lang").isString(), "Lang");
        for (const char* key : {"/OpenAction", "/AA", "/OCProperties"})
            need(!root.hasKey(key), std::string("6.5 ") + key);
        if (root.getKey("/Names").isDictionary())
            need(!root.getKey("/Names").hasKey("/JavaScript"), "6.6.1 JavaScript");
    }

    void metadata() {
        Handle stream = pdf_.getRoot().getKey("/Metadata");
        if (!stream.isStream()) return need(false, "6.6.2.1 XMP metadata");
        need(!stream.getDict().hasKey("/Filter"), "6.6.2.1 XMP is unfiltered");
        const std::string xmp = decoded(stream);
        need(xmp.find("<pdfaid:part>3<") != std::string::npos, "6.6.4 part");
        need(xmp.find("<pdfaid:conformance>U<") != std::string::npos, "6.6.4 conformance");
        Handle info = pdf_.getTrailer().getKey("/Info");
        for (const char* key : {"/Creator", "/Producer"}) {
            if (info.hasKey(key))
                need(xmp.find(">" + info.getKey(key).getUTF8Value() + "<") != std::string::npos,
                     std::string("6.6.2.3 Info agrees: ") + key);
        }
    }

    void output_intent() {
        Handle intents = pdf_.getRoot().getKey("/OutputIntents");
        if (!intents.isArray() || intents.getArrayNItems() != 1) return need(false, "6.2.3 one output intent");
        Handle intent = intents.getArrayItem(0);
        need(intent.getKey("/S").isNameAndEquals("/GTS_PDFA1"), "6.2.3 GTS_PDFA1");
        Handle profile = intent.getKey("/DestOutputProfile");
        need(profile.isStream() && profile.getDict().getKey("/N").getIntValue() == 3, "6.2.3 N = 3");
        const std::string icc = decoded(profile);
        need(icc.size() > 132 && icc.substr(12, 8) == "mntrRGB " && icc.substr(36, 4) == "acsp",
             "6.2.3 RGB display profile");
        need(icc.size() == static_cast<unsigned char>(icc[2]) * 256U + static_cast<unsigned char>(icc[3]),
             "6.2.3 profile size");
    }

    void form(Handle object) {  // as it stands in the file
        const qpdf_offset_t at =
            pdf_.getXRefTable().count(object.getObjGen()) ? pdf_.getXRefTable().at(object.getObjGen()).getOffset() : -1;
        if (at < 0) return need(false, "6.1.4 object in the cross-reference table");
        const std::string head =
            std::to_string(object.getObjectID()) + " " + std::to_string(object.getGeneration()) + " obj\n";
        need(bytes_.compare(static_cast<std::size_t>(at), head.size(), head) == 0, "6.1.9 'n g obj' and a line end");
        if (!object.isStream()) return;
        const auto length = static_cast<std::size_t>(object.getDict().getKey("/Length").getIntValue());
        const std::size_t stream = bytes_.find("stream\n", static_cast<std::size_t>(at));
        need(bytes_.compare(stream + 7 + length, 10, "\nendstream") == 0, "6.1.7.1 line end before endstream");
        Handle filter = object.getDict().getKey("/Filter");
        need(!filter.isNameAndEquals("/LZWDecode"), "6.1.7.2 LZW");
        need(!object.getDict().hasKey("/F"), "6.1.7.1 external stream");
    }

    void dictionary(Handle object, Handle dict) {
        const std::string type = dict.getKey("/Type").isName() ? dict.getKey("/Type").getName() : "";
        const std::string subtype = dict.getKey("/Subtype").isName() ? dict.getKey("/Subtype").getName() : "";
        need(!dict.getKey("/Interpolate").isBool() || !dict.getKey("/Interpolate").getBoolValue(), "6.2.8 Interpolate");
        need(!dict.hasKey("/CIDSet"), "6.2.11.4.2 CIDSet");
        if (type == "/Font") font(dict, subtype);
        if (type == "/FontDescriptor")
            need(dict.hasKey("/FontFile") || dict.hasKey("/FontFile2") || dict.hasKey("/FontFile3"),
                 "6.2.11.4.1 font embedded");
        if (type == "/Filespec") {
            specs_.insert(object.getObjGen());
            need(dict.getKey("/F").isString() && dict.getKey("/UF").isString(), "6.8 F and UF");
            need(dict.getKey("/AFRelationship").isName(), "6.8 AFRelationship");
            Handle file = dict.getKey("/EF").getKey("/F");
            need(file.isStream() && file.getDict().getKey("/Subtype").isName(), "6.8 embedded file's Subtype");
            need(file.getDict().getKey("/Params").hasKey("/ModDate"), "6.8 Params");
        }
        if (subtype == "/Widget") {
            need((dict.getKey("/F").isInteger() ? dict.getKey("/F").getIntValue() : 0) & 4, "6.3.2 annotation prints");
            need(dict.getKey("/AP").isDictionary() && dict.getKey("/AP").getKey("/N").isStream(),
                 "6.3.3 appearance stream");
        }
        const std::string action = dict.getKey("/S").isName() ? dict.getKey("/S").getName() : "";
        need(action != "/JavaScript" && action != "/Launch" && action != "/SubmitForm", "6.5.1 action " + action);
    }

    void font(Handle dict, const std::string& subtype) {
        if (subtype == "/CIDFontType2") need(dict.hasKey("/CIDToGIDMap"), "6.2.11.3.2 CIDToGIDMap");
        if (subtype == "/CIDFontType2" || subtype == "/CIDFontType0") return;
        Handle map = dict.getKey("/ToUnicode");
        if (!map.isStream()) return need(false, "6.2.11.7.2 ToUnicode");
        const std::string text = decoded(map);
        for (const char* bad : {"<0000>\n", "<feff>\n", "<FEFF>\n", "<fffe>\n", "<FFFE>\n"}) {
            const std::size_t at = text.find(bad, text.find("beginbf"));
            need(at == std::string::npos || text[at - 1] != ' ', std::string("6.2.11.7.2 maps to ") + bad);
        }
    }

    void associated_files() {
        Handle listed = pdf_.getRoot().getKey("/AF");
        std::set<QPDFObjGen> in_list;
        for (int i = 0; listed.isArray() && i < listed.getArrayNItems(); ++i)
            in_list.insert(listed.getArrayItem(i).getObjGen());
        need(specs_ == in_list, "6.8 every file specification is in AF");
    }

    std::string_view bytes_;
    QPDF pdf_;
    std::set<QPDFObjGen> specs_;
    std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> broken_pdfa_rules(const Bytes& pdf) {
    return Rules(pdf).run();
}

std::string run_on(const Bytes& pdf, const std::string& command_with_FILE) {
    const int fd = memfd_create("bundle", 0);
    REQUIRE(fd >= 0);
    std::size_t done = 0;
    while (done < pdf.size()) {
        const ssize_t n = write(fd, pdf.data() + done, pdf.size() - done);
        REQUIRE(n > 0);
        done += static_cast<std::size_t>(n);
    }
    std::string command = command_with_FILE;
    const std::size_t at = command.find("FILE");
    command.replace(at, 4, "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd));
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string out;
    std::array<char, 4096> buffer;
    for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) out.append(buffer.data(), n);
    const int status = pclose(pipe);
    close(fd);
    CHECK_MESSAGE(status == 0, command, ": ", out);
    return out;
}

std::string extracted_text(const Bytes& pdf) {
    return run_on(pdf, "pdftotext -enc UTF-8 FILE -");
}

}  // namespace kustos::exporting::test

#include "export/src/xmp.h"

namespace kustos::exporting {
namespace {

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out;
}

std::string element(const char* name, const std::string& text) {
    return "   <" + std::string(name) + ">" + escaped(text) + "</" + name + ">\n";
}

}  // namespace

std::string xmp_packet(const DocumentFacts& facts) {
    const std::string created = format_rfc3339({facts.created_at.ms - (facts.created_at.ms % 1000 + 1000) % 1000});
    std::string out =
        "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
        " <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
        "  <rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\"\n"
        "    xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"\n"
        "    xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\">\n";
    out += element("pdfaid:part", "3") + element("pdfaid:conformance", "U");
    out += "   <dc:format>application/pdf</dc:format>\n";
    out += "   <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">" + escaped(facts.title) +
           "</rdf:li></rdf:Alt></dc:title>\n";
    out += "   <dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">" + escaped(facts.subject) +
           "</rdf:li></rdf:Alt></dc:description>\n";
    out += "   <dc:creator><rdf:Seq><rdf:li>" + escaped(facts.author) + "</rdf:li></rdf:Seq></dc:creator>\n";
    out += "   <dc:language><rdf:Bag><rdf:li>" + escaped(facts.language) + "</rdf:li></rdf:Bag></dc:language>\n";
    out += element("xmp:CreatorTool", facts.creator) + element("xmp:CreateDate", created) +
           element("xmp:ModifyDate", created) + element("xmp:MetadataDate", created) +
           element("pdf:Producer", facts.creator);
    out += "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n";
    return out + std::string(2048, ' ') + "\n<?xpacket end=\"w\"?>";
}

}  // namespace kustos::exporting

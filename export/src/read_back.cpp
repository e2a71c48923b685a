#include "export/read_back.h"

#include <podofo/podofo.h>

namespace kustos::exporting {

Status read_back(ByteView pdf, std::uint64_t pages) {
    if (pdf.size() > kMaxReadBack) return {};
    const Error unreadable(Code::internal, "the finished bundle could not be read back; nothing was written");
    PoDoFo::PdfError::EnableLogging(false);  // its log quotes the document
    PoDoFo::PdfError::EnableDebug(false);
    try {
        PoDoFo::PdfMemDocument document;
        document.LoadFromBuffer(reinterpret_cast<const char*>(pdf.data()), static_cast<long>(pdf.size()));
        if (static_cast<std::uint64_t>(document.GetPageCount()) != pages) return unreadable;
        PoDoFo::PdfFileSpec* container = document.GetAttachment(PoDoFo::PdfString("evidence.zip"));
        const bool attached = container != nullptr;
        delete container;
        if (!attached) return unreadable;
        const PoDoFo::PdfAcroForm* form = document.GetAcroForm(false);
        if (form == nullptr || !form->GetObject()->GetDictionary().HasKey("Fields")) return unreadable;
        return {};
    } catch (const PoDoFo::PdfError&) {
        return unreadable;
    }
}

}  // namespace kustos::exporting

// The holders of shares, one after another at one keyboard.
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <ostream>

#include "app/bring_secret.h"
#include "base/progress.h"

namespace kustos::app {

namespace {

// No echo while it lives; what was typed ahead is thrown away, so that a share typed too early is not shown later.
class QuietTerminal {
public:
    explicit QuietTerminal(int fd) : fd_(fd), is_terminal_(isatty(fd) != 0 && tcgetattr(fd, &before_) == 0) {
        if (!is_terminal_) return;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        quiet.c_lflag |= ECHONL;
        tcsetattr(fd_, TCSAFLUSH, &quiet);
    }
    ~QuietTerminal() {
        if (is_terminal_) tcsetattr(fd_, TCSAFLUSH, &before_);
    }
    QuietTerminal(const QuietTerminal&) = delete;
    QuietTerminal& operator=(const QuietTerminal&) = delete;

private:
    int fd_;
    termios before_{};
    bool is_terminal_;
};

constexpr std::size_t kMostLine = 1024;

std::optional<SecretBytes> read_line(int fd, std::int64_t patience_ms) {
    SecretBytes line(kMostLine);
    std::size_t size = 0;
    for (;;) {
        if (interrupt_requested()) return std::nullopt;
        pollfd watched{fd, POLLIN, 0};
        const int step = static_cast<int>(std::min<std::int64_t>(patience_ms, 200));
        const int ready = ::poll(&watched, 1, step);
        if (ready == 0) {
            patience_ms -= step;
            if (patience_ms <= 0) return std::nullopt;
            continue;
        }
        char sign = 0;
        const ssize_t got = ready < 0 ? -1 : ::read(fd, &sign, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (sign == '\n') return SecretBytes(line.view().first(size));
        if (sign != '\r' && size < kMostLine) line.writable()[size++] = static_cast<std::uint8_t>(sign);
    }
    if (size == 0) return std::nullopt;
    return SecretBytes(line.view().first(size));
}

std::size_t letters_in(ByteView line) {
    std::size_t n = 0;
    for (const std::uint8_t c : line) n += c != ' ' && c != '-' && c != '\t';
    return n;
}

// Lines until the share has all its letters, or an empty line.
std::optional<SecretBytes> read_share_lines(int fd, std::int64_t patience_ms, bool german, std::ostream& out) {
    SecretBytes text(4 * kMostLine);
    std::size_t size = 0, letters = 0;
    const QuietTerminal quiet(fd);
    for (unsigned line = 1; line <= 4 && letters < vault::kShareLetters; ++line) {
        out << "    " << (german ? "Zeile " : "line ") << line << ": " << std::flush;
        auto typed = read_line(fd, patience_ms);
        if (!typed) return std::nullopt;
        if (typed->empty()) break;
        std::copy(typed->view().begin(), typed->view().end(),
                  text.writable().begin() + static_cast<std::ptrdiff_t>(size));
        size += typed->size();
        letters += letters_in(typed->view());
        text.writable()[size] = '\n';
        if (size + kMostLine < text.size()) ++size;
    }
    return SecretBytes(text.view().first(size));
}

}  // namespace

std::optional<SecretBytes> read_quietly(int fd, std::int64_t patience_ms) {
    const QuietTerminal quiet(fd);
    return read_line(fd, patience_ms);
}

std::optional<vault::ShareSecrets> hold_ceremony(vault::ShareDesk& desk, int fd, std::int64_t patience_ms, bool german,
                                                 std::ostream& out) {
    const unsigned need = desk.need(), made = desk.info().count();
    if (german) {
        out << "Dieses Archiv öffnen " << need << " von " << made << " Inhabern gemeinsam (Satz "
            << vault::set_name(desk.info().set) << ").\n"
            << "Einer nach dem anderen tippt seinen Anteil ab: vier Zeilen mit je vier Gruppen. Groß oder klein ist\n"
            << "gleich, Leerzeichen dürfen fehlen. Auf dem Bildschirm erscheint nichts davon.\n"
            << "Abbrechen: Strg+C. Wer " << patience_ms / 60'000 << " Minuten nichts tippt, beendet die Öffnung.\n";
    } else {
        out << "This archive is opened by " << need << " of " << made << " holders together (set "
            << vault::set_name(desk.info().set) << ").\n"
            << "One after another types a share: four lines of four groups. Capitals or not is the same, spaces may "
               "be\n"
            << "left out. Nothing of it is shown.\n"
            << "To break off: Ctrl+C. After " << patience_ms / 60'000 << " minutes without a key it ends by itself.\n";
    }
    while (!desk.enough()) {
        out << "\n"
            << (german ? "  Anteil " : "  share ") << desk.have() + 1 << (german ? " von " : " of ") << need
            << (german ? ": die nächste Person, bitte.\n" : ": the next holder, please.\n");
        const auto text = read_share_lines(fd, patience_ms, german, out);
        if (!text) {
            out << (german ? "\nAbgebrochen. Nichts wurde geöffnet, nichts wurde behalten.\n"
                           : "\nBroken off. Nothing was opened, nothing was kept.\n");
            return std::nullopt;
        }
        if (text->empty()) continue;
        const vault::ShareAnswer answer = desk.give(text->view());
        if (answer.kind == vault::ShareAnswer::Kind::good) {
            out << "  ✔ " << share_answer_text(answer, german) << " – " << desk.have() << (german ? " von " : " of ")
                << need << "\n";
            continue;
        }
        out << "  ✘ " << share_answer_text(answer, german) << ".\n"
            << (answer.kind == vault::ShareAnswer::Kind::slip
                    ? (german ? "    Bitte noch einmal, von der ersten Zeile an.\n"
                              : "    Once more, please, from the first line on.\n")
                    : (german ? "    Dieser Anteil zählt nicht. Bitte einen anderen.\n"
                              : "    This share does not count. Another one, please.\n"));
    }
    vault::ShareSecrets shares;
    shares.texts = desk.texts();
    return shares;
}

}  // namespace kustos::app

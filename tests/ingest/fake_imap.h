// A mailbox in memory that answers as RFC 3501 says, unless a test makes it lie.
#pragma once

#include <functional>
#include <map>
#include <sstream>
#include <string>

#include "ingest/src/imap_client.h"

namespace kustos::test {

class FakeImap final : public ingest::ImapLink {
public:
    Status send(std::string_view text, std::int64_t) override {
        if (broken) return Error(Code::environment, "the mail server ended the connection");
        commands.emplace_back(text.substr(0, text.size() - 2));
        std::istringstream words(commands.back());
        std::string tag, verb, what;
        words >> tag >> verb;
        if (verb == "UID") {
            words >> what;
            verb += " " + what;
        }
        std::string rest;
        std::getline(words, rest);
        std::string answer = answer_to(verb, rest.empty() ? rest : rest.substr(1));
        if (lie) answer = lie(verb, answer);
        out_ += answer + tag + " OK done\r\n";
        if (lie_whole) out_ = lie_whole(verb, out_);
        return {};
    }
    Result<std::size_t> receive(std::span<std::uint8_t> into, std::int64_t) override {
        if (endless && out_.empty()) out_ = endless();
        const std::size_t size = std::min({into.size(), out_.size(), step});
        if (size == 0 && hangs_up) return Error(Code::environment, "the mail server ended the connection");
        std::copy_n(out_.begin(), size, into.begin());
        out_.erase(0, size);
        return size;
    }
    void connect() { out_.clear(); }  // a new connection
    std::uint32_t append(std::string body) {
        mails[next] = std::move(body);
        return next++;
    }

    std::uint32_t validity = 7, next = 1;
    bool says_next = true, broken = false, hangs_up = true;
    std::size_t step = 1000;
    std::map<std::uint32_t, std::string> mails;
    std::string capabilities = "IMAP4rev1 UIDPLUS MOVE";
    std::function<std::string(const std::string& verb, std::string answer)> lie;  // what stands before the tagged line
    std::function<std::string(const std::string& verb, std::string answer)> lie_whole;
    std::function<std::string()> endless;
    std::vector<std::string> commands, moved_to;

private:
    std::vector<std::uint32_t> of_set(std::string set) const {
        std::vector<std::uint32_t> out;
        std::istringstream parts(set.substr(0, set.find(' ')));
        for (std::string part; std::getline(parts, part, ',');) {
            const std::uint64_t first = std::stoull(part);
            const std::size_t colon = part.find(':');
            const std::uint64_t last = colon == std::string::npos ? first : std::stoull(part.substr(colon + 1));
            for (const auto& [uid, body] : mails)
                if (uid >= first && uid <= last) out.push_back(uid);
        }
        return out;
    }
    std::string answer_to(const std::string& verb, const std::string& rest) {
        if (verb == "CAPABILITY") return "* CAPABILITY " + capabilities + "\r\n";
        if (verb == "EXAMINE" || verb == "SELECT") {
            std::string out = "* " + std::to_string(mails.size()) + " EXISTS\r\n* OK [UIDVALIDITY " +
                              std::to_string(validity) + "] valid\r\n";
            if (says_next) out += "* OK [UIDNEXT " + std::to_string(next) + "] next\r\n";
            return out;
        }
        if (verb == "UID SEARCH") {
            std::string out = "* SEARCH";
            for (const auto uid : of_set(rest.substr(4))) out += " " + std::to_string(uid);
            return out + "\r\n";
        }
        if (verb == "UID FETCH") {
            std::string out;
            for (const auto uid : of_set(rest)) {
                const std::string& body = mails.at(uid);
                out += "* 1 FETCH (FLAGS (\\Seen) BODY[] {" + std::to_string(body.size()) + "}\r\n" + body + " UID " +
                       std::to_string(uid) + ")\r\n";
            }
            return out;
        }
        if (verb == "UID EXPUNGE" || verb == "UID MOVE") {
            for (const auto uid : of_set(rest)) {
                if (verb == "UID MOVE") moved_to.push_back(rest.substr(rest.find(' ') + 1));
                mails.erase(uid);
            }
        }
        return "";
    }
    std::string out_;
};

}  // namespace kustos::test

// One parsed command line. parse_call() is the only place that knows CLI11; commands see this struct.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fs.h"

namespace kustos::app {

enum class Language { english, german };

struct OpenerCall {   // `opener serve`
    std::string key;  // the ledger's verifier key that it is to trust
    std::uint64_t records_per_hour = 20'000, openings_per_minute = 120, searches_per_minute = 60;
};

struct Call {
    std::string command;  // "init", "source add", "tsa serve", ...
    Path archive;         // --archive or KUSTOS_ARCHIVE; empty if neither
    Path state;           // --state or KUSTOS_STATE: the signer's own place, outside the archive
    bool json = false;
    Language language = Language::english;
    std::string passphrase_file;                                // "-" is standard input
    std::vector<std::string> share_files;                       // likewise; of a terminal: its holders are asked
    bool tpm = false, token = false;                            // open the vault with these
    std::string pin_file;                                       // of the TPM or token
    std::string new_passphrase_file, new_pin_file, shares_out;  // for a slot that is made
    std::vector<std::string> add, remove, holders;
    OpenerCall opener;
    std::string for_time;  // unlock --for

    std::vector<std::string> paths;  // positional: files to ingest, FILE... of try, DIR of init
    std::string name;                // source NAME
    std::string source;              // --source
    std::string format = "auto";
    std::string kind;
    std::string retention_class = "default";
    std::string suite = "aes-256-gcm";
    std::string unlock;                    // of init: empty is auto; of key shares: shares:K/N
    std::vector<std::string> authorities;  // --tsa
    std::string matter;
    std::string reference;
    std::string ground;
    std::string query;
    std::string records_file;
    std::string record;
    std::string out;
    std::string as = "pdf";
    std::string sort = "date";
    std::string redact;
    std::string config;
    std::string trust;
    std::vector<std::string> reports;    // verify --report
    std::vector<std::string> approvers;  // --approver
    std::string attachment;              // SHA-256, hex
    std::string password_file;
    std::uint64_t limit = 20;
    int port = 0;
    Path key_file;
    Path socket;
    std::string signer_keys;
    std::int64_t interval_s = 0;
    double price = 0;
    std::string host = "127.0.0.1";
    std::string action, since, until, from, to;  // of the audit trail
    std::string actor;                           // whom a server works for; empty: the user of this process
    // Further options, by name without dashes, as typed: of retention, hold, restrict and disposition.
    std::map<std::string, std::vector<std::string>> given;
    bool original = false;
    std::uint64_t attachment_number = 0;  // of show, from 1
    bool deep = false;
    bool since_last = false;
    std::uint64_t sample = 0;
    std::string nonce;
    bool check = false;
    bool yes = false;
    Path escrow;  // the medium
    bool without_escrow = false;
    bool drill = false;
};

struct Parsed {
    std::optional<Call> call;  // absent: nothing to do (help, version, usage error); then exit with exit_code
    int exit_code = 0;
    std::string out;  // help text
    std::string err;
};
Parsed parse_call(const std::vector<std::string>& arguments);

}  // namespace kustos::app

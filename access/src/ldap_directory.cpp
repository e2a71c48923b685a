#include "access/ldap_directory.h"

#include <lber.h>
#include <ldap.h>

#include <chrono>
#include <memory>

namespace kustos::access {

namespace {

constexpr ber_len_t kMostAnswer = 16u << 20;  // bytes of one entry
constexpr std::size_t kMostValues = 10'000;   // of one entry

struct Unbind {
    void operator()(LDAP* ld) const { ldap_unbind_ext_s(ld, nullptr, nullptr); }
};
struct FreeMessage {
    void operator()(LDAPMessage* m) const { ldap_msgfree(m); }
};
struct FreeControl {
    void operator()(LDAPControl* c) const { ldap_control_free(c); }
};
using Message = std::unique_ptr<LDAPMessage, FreeMessage>;

// The server's own words may name people: only the code is told.
Error failed(const char* what, int code) {
    const bool refused = code == LDAP_INVALID_CREDENTIALS || code == LDAP_INSUFFICIENT_ACCESS ||
                         code == LDAP_STRONG_AUTH_REQUIRED || code == LDAP_CONFIDENTIALITY_REQUIRED ||
                         code == LDAP_INAPPROPRIATE_AUTH;
    const bool settings = code == LDAP_NO_SUCH_OBJECT || code == LDAP_FILTER_ERROR || code == LDAP_INVALID_DN_SYNTAX;
    return Error(refused    ? Code::denied
                 : settings ? Code::usage
                            : Code::environment,
                 "the directory server: " + std::string(what) + ": " + ldap_err2string(code));
}

class Reading {
public:
    Reading(const LdapSettings& settings, const std::function<Status(LdapEntry)>& take)
        : settings_(settings), take_(take) {
        for (const auto& [field, names] : settings.attributes)
            for (const std::string& name : names) wanted_.push_back(name);
        for (std::string& name : wanted_) pointers_.push_back(name.data());
        pointers_.push_back(nullptr);
    }

    Status connect(const SecretBytes& password) {
        LDAP* made = nullptr;
        if (const int code = ldap_initialize(&made, settings_.uri.c_str()); code != LDAP_SUCCESS)
            return failed("uri", code);
        ld_.reset(made);
        TRY(options());
        if (settings_.tls == LdapSettings::Tls::starttls)
            if (const int code = ldap_start_tls_s(ld_.get(), nullptr, nullptr); code != LDAP_SUCCESS)
                return failed("StartTLS", code);
        if (settings_.bind_dn.empty()) return ok_status();
        berval credentials{static_cast<ber_len_t>(password.size()),
                           reinterpret_cast<char*>(const_cast<std::uint8_t*>(password.view().data()))};
        int message = 0;
        int code = ldap_sasl_bind(ld_.get(), settings_.bind_dn.c_str(), LDAP_SASL_SIMPLE, &credentials, nullptr,
                                  nullptr, &message);
        if (code != LDAP_SUCCESS) return failed("bind", code);
        Message answer = TRY(next(message, "bind"));
        int result = 0;
        code = ldap_parse_result(ld_.get(), answer.get(), &result, nullptr, nullptr, nullptr, nullptr, 0);
        if (code != LDAP_SUCCESS || result != LDAP_SUCCESS) return failed("bind", code != LDAP_SUCCESS ? code : result);
        return ok_status();
    }

    Result<LdapOutcome> run() {
        berval cookie{0, nullptr};
        Status status;
        do {
            status = page(cookie);
        } while (status.ok() && cookie.bv_len > 0 && outcome_.complete);
        ber_memfree(cookie.bv_val);
        TRY(std::move(status));
        return outcome_;
    }

private:
    Status options() {
        const int version = LDAP_VERSION3, never = LDAP_DEREF_NEVER, hard = LDAP_OPT_X_TLS_DEMAND;
        const int tls12 = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0;
        const timeval patience{settings_.timeout_s, 0};
        ber_len_t most = kMostAnswer;
        Sockbuf* socket = nullptr;
        bool good = ldap_set_option(ld_.get(), LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
                    ldap_set_option(ld_.get(), LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
                    ldap_set_option(ld_.get(), LDAP_OPT_DEREF, &never) == LDAP_OPT_SUCCESS &&
                    ldap_set_option(ld_.get(), LDAP_OPT_NETWORK_TIMEOUT, &patience) == LDAP_OPT_SUCCESS &&
                    ldap_set_option(ld_.get(), LDAP_OPT_TIMEOUT, &patience) == LDAP_OPT_SUCCESS;
        good = good && ldap_get_option(ld_.get(), LDAP_OPT_SOCKBUF, &socket) == LDAP_OPT_SUCCESS && socket != nullptr &&
               ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1;
        if (good && settings_.tls != LdapSettings::Tls::none) {
            good = ldap_set_option(ld_.get(), LDAP_OPT_X_TLS_REQUIRE_CERT, &hard) == LDAP_OPT_SUCCESS &&
                   ldap_set_option(ld_.get(), LDAP_OPT_X_TLS_PROTOCOL_MIN, &tls12) == LDAP_OPT_SUCCESS;
            if (good && !settings_.ca_file.empty())
                good = ldap_set_option(ld_.get(), LDAP_OPT_X_TLS_CACERTFILE, settings_.ca_file.c_str()) ==
                       LDAP_OPT_SUCCESS;
            good = good && ldap_set_option(ld_.get(), LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS;
        }
        if (good) return ok_status();
        return Error(Code::environment, "the directory server: its connection can't be set up")
            .with_hint("is ca_file a readable file of PEM certificates?");
    }

    Result<Message> next(int message, const char* what) {
        timeval patience{settings_.timeout_s, 0};
        LDAPMessage* got = nullptr;
        const int kind = ldap_result(ld_.get(), message, LDAP_MSG_ONE, &patience, &got);
        if (kind > 0) return Message(got);
        int code = LDAP_TIMEOUT;
        if (kind < 0) ldap_get_option(ld_.get(), LDAP_OPT_RESULT_CODE, &code);
        return failed(what, code);
    }

    Status page(berval& cookie) {
        std::unique_ptr<LDAPControl, FreeControl> control;
        LDAPControl* controls[2] = {nullptr, nullptr};
        if (settings_.page_size > 0) {
            LDAPControl* made = nullptr;
            const int code = ldap_create_page_control(ld_.get(), settings_.page_size, &cookie, 1, &made);
            if (code != LDAP_SUCCESS) return failed("page", code);
            control.reset(made);
            controls[0] = made;
        }
        ber_memfree(cookie.bv_val);
        cookie = {0, nullptr};
        int message = 0;
        timeval limit{settings_.timeout_s, 0};
        const int code = ldap_search_ext(
            ld_.get(), settings_.base.c_str(), settings_.whole_tree ? LDAP_SCOPE_SUBTREE : LDAP_SCOPE_ONELEVEL,
            settings_.filter.c_str(), pointers_.data(), 0, controls, nullptr, &limit, LDAP_NO_LIMIT, &message);
        if (code != LDAP_SUCCESS) return failed("search", code);
        for (;;) {
            const Message answer = TRY(next(message, "search"));
            switch (ldap_msgtype(answer.get())) {
                case LDAP_RES_SEARCH_ENTRY:
                    if (outcome_.entries >= settings_.max_entries) {
                        outcome_.complete = false;
                        ldap_abandon_ext(ld_.get(), message, nullptr, nullptr);
                        return ok_status();
                    }
                    ++outcome_.entries;
                    TRY(take_(entry(answer.get())));
                    break;
                case LDAP_RES_SEARCH_REFERENCE:
                    ++outcome_.referrals;
                    break;
                case LDAP_RES_SEARCH_RESULT:
                    return finished(answer.get(), cookie);
                default:
                    break;
            }
        }
    }

    Status finished(LDAPMessage* answer, berval& cookie) {
        int result = 0;
        LDAPControl** returned = nullptr;
        const int code = ldap_parse_result(ld_.get(), answer, &result, nullptr, nullptr, nullptr, &returned, 0);
        const std::unique_ptr<LDAPControl*, void (*)(LDAPControl**)> owned(returned, ldap_controls_free);
        if (code != LDAP_SUCCESS) return failed("search", code);
        if (result == LDAP_SIZELIMIT_EXCEEDED || result == LDAP_TIMELIMIT_EXCEEDED ||
            result == LDAP_ADMINLIMIT_EXCEEDED) {
            outcome_.complete = false;
            return ok_status();
        }
        if (result == LDAP_REFERRAL) {  // the whole base lies elsewhere
            ++outcome_.referrals;
            outcome_.complete = false;
            return ok_status();
        }
        if (result != LDAP_SUCCESS) return failed("search", result);
        LDAPControl* page =
            returned != nullptr ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, returned, nullptr) : nullptr;
        ber_int_t estimate = 0;
        if (page != nullptr && ldap_parse_pageresponse_control(ld_.get(), page, &estimate, &cookie) != LDAP_SUCCESS)
            return failed("page", LDAP_DECODING_ERROR);
        return ok_status();
    }

    LdapEntry entry(LDAPMessage* message) {
        LdapEntry out;
        if (char* dn = ldap_get_dn(ld_.get(), message)) {
            out.dn = dn;
            ldap_memfree(dn);
        }
        BerElement* walk = nullptr;
        std::size_t values = 0;
        for (char* name = ldap_first_attribute(ld_.get(), message, &walk); name != nullptr;
             name = ldap_next_attribute(ld_.get(), message, walk)) {
            std::vector<Bytes> list;
            if (berval** found = ldap_get_values_len(ld_.get(), message, name)) {
                for (std::size_t i = 0; found[i] != nullptr && values < kMostValues; ++i, ++values)
                    list.push_back(to_bytes(as_bytes({found[i]->bv_val, found[i]->bv_len})));
                ldap_value_free_len(found);
            }
            out.attributes.emplace_back(name, std::move(list));
            ldap_memfree(name);
        }
        if (walk != nullptr) ber_free(walk, 0);
        return out;
    }

    const LdapSettings& settings_;
    const std::function<Status(LdapEntry)>& take_;
    std::vector<std::string> wanted_;
    std::vector<char*> pointers_;
    std::unique_ptr<LDAP, Unbind> ld_;
    LdapOutcome outcome_;
};

}  // namespace

Result<LdapOutcome> read_ldap(const LdapSettings& settings, const SecretBytes& password,
                              const std::function<Status(LdapEntry)>& take) {
    Reading reading(settings, take);
    TRY(reading.connect(password));
    return reading.run();
}

}  // namespace kustos::access

// Xapian throws; here its exceptions become Errors. Messages of Xapian may hold paths, so they are left out.
#pragma once

#include <xapian.h>

#include "base/result.h"

namespace kustos::search {

// A state that passes: the open shard was committed twice or closed while we read. Ask again.
inline constexpr Code kAskAgain = Code::conflict;

template <class Function>
auto guarded(const char* what, Function&& function) -> decltype(function()) {
    try {
        return function();
    } catch (const Xapian::DatabaseModifiedError&) {
        return Error(kAskAgain, std::string(what) + ": the shard changed meanwhile");
    } catch (const Xapian::DatabaseNotFoundError&) {
        return Error(kAskAgain, std::string(what) + ": the shard is not there");
    } catch (const Xapian::DatabaseOpeningError&) {
        return Error(kAskAgain, std::string(what) + ": the shard can't be opened");
    } catch (const Xapian::DatabaseLockError&) {
        return Error(Code::conflict, std::string(what) + ": another process writes the shard");
    } catch (const Xapian::DatabaseCorruptError&) {
        return Error(Code::corrupt, std::string(what) + ": a shard is damaged")
            .with_hint("kustos index check --repair makes it again; nothing sealed is lost");
    } catch (const Xapian::DatabaseError&) {
        return Error(Code::environment, std::string(what) + ": the shard can't be read or written")
            .with_hint("is the disk full? else kustos index check --repair makes it again; nothing sealed is lost");
    } catch (const Xapian::Error&) {
        return Error(Code::internal, std::string(what) + ": the index library failed");
    } catch (const std::bad_alloc&) {
        return Error(Code::environment, std::string(what) + ": not enough memory");
    }
}

}  // namespace kustos::search

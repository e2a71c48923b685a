// What Extractor and kustos-extract say to each other: frames of u32 length (big-endian) and that many bytes, the first
// of which is the type. Both sides check every length; the worker is not trusted.
//
//   hello        'H' u8 version, u8 layers                                     worker, once, first
//   text         'T' u64 most text bytes, u16 n, name, u16 n, media type, content
//   so far       's' as an answer                                              worker: what holds if it is lost later
//   request      'Q' u8 helper, u8 same content as before, u32 page, content   worker, while it reads
//   help         'A' as an answer                                              to a request
//   answer       't' u8 completeness, u8 n, reason, u8 n, kind, u8 remarks, {u8 n, word}*, text
//   member       'L' u32 index, u64 size, u8 flags, u16 n, path                worker, unpacking: the list comes first
//   problem      'P' word                                                      of the archive, or instead of 'E'
//   end          'E'                                                           of the list, or of a member
//   read         'R' u32 index, u64 most bytes
//   data         'D' bytes                                                     at most kDataFrame
//   start    'S' u64 first item, u64 most bytes of an item                 of a mailbox file (PST), once
//   mailbox  'G' u8 type, u8 encryption, u8 content                        worker; as libpff has them
//   folder   'F' u32 messages, path                                        for the items that follow
//   item     'I' u64 number, u32 identifier, u8 flags                      then its dump as 'D', then 'E', or 'X': not
//                                                                          all of it could be read
//   all      'Z'
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kustos::ingest::wire {

inline constexpr std::uint8_t kVersion = 2;
inline constexpr std::size_t kDataFrame = 256u << 10;
inline constexpr int kArchiveDescriptor = 3;  // where the worker finds the archive when unpacking

inline constexpr std::string_view kPstMagic = "KPST1";  // a dump begins with it (docs/format/pst.md)

enum PstFlag : std::uint8_t { kOrphan = 1, kRecovered = 2, kAssociated = 4 };
enum LayerBit : std::uint8_t { kLimits = 1, kNoNewPrivs = 2, kSeccomp = 4, kApart = 8 };
enum class Help : std::uint8_t { picture = 1, word = 2, sheet = 3, slides = 4 };
inline constexpr std::uint32_t kAllPages = 0xFFFF'FFFFu;
inline constexpr std::size_t kMostHelp = 128u << 20;  // bytes of content in a request
inline constexpr int kNoWalls = 101;                  // exit code of `kustos-extract run` where a wall is missing
enum MemberFlag : std::uint8_t { kFolder = 1, kLink = 2, kEncrypted = 4, kSpecial = 8, kNoName = 16 };

}  // namespace kustos::ingest::wire

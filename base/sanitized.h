// KUSTOS_SANITIZED: built with a sanitizer of addresses or of threads, which brings its own malloc, reserves terabytes
// and asks the system for more than its program does. KUSTOS_SANITIZED_ADDRESS: of addresses. The same for g++ and
// clang.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define KUSTOS_SANITIZED_ADDRESS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KUSTOS_SANITIZED_ADDRESS 1
#endif
#endif

#if defined(KUSTOS_SANITIZED_ADDRESS) || defined(__SANITIZE_THREAD__)
#define KUSTOS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define KUSTOS_SANITIZED 1
#endif
#endif

// KUSTOS_SANITIZED: built with a sanitizer, which reserves terabytes and asks for more than its program does.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KUSTOS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KUSTOS_SANITIZED 1
#endif
#endif

// libqpdf's headers, as both compilers take them.
//
// - PointerHolder is gone from the parts that we use; its header asks to be told so.
// - qpdf/JSON.hh of 11.3 holds a vector of an incomplete type, which clang 14 refuses in C++20. The other headers only
//   name the class, so it is declared here and its header left out.
#pragma once

#define POINTERHOLDER_TRANSITION 4  // NOLINT
#ifdef __clang__
#define JSON_HH  // NOLINT
class JSON;
#endif

#include <functional>
#include <map>
#include <memory>
#include <qpdf/Buffer.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFObjectHandle.hh>
#include <qpdf/QPDFWriter.hh>
#include <set>
#include <string>
#include <vector>

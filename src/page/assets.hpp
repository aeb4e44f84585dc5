#pragma once

#include <span>
#include <string_view>

namespace taskd::page {

/// A file of the task page. All of it lives as long as the program.
struct Asset {
    std::string_view path;  ///< "/assets/page.js"
    std::string_view type;
    std::string_view etag;  ///< With its quotes.
    std::string_view body;
};

/// All files of the page, of which "/" is the document.
///
/// @thread Any.
std::span<const Asset> assets();

}  // namespace taskd::page

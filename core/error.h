#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "text.h"

namespace primer {

/// Which layer of a model threw an Error. Module::operator() fills it in.
struct Place {
    const void* module;   ///< the outermost module that the Error has passed
    std::string path;     ///< from there to the layer: "body.0"; "" for the module itself
    std::string type;     ///< of the layer: "Conv2d"
    std::string message;  ///< what the layer said
};

/// What messages and tables call a layer: "body.0 (Conv2d)"; without a path "Conv2d".
inline std::string layer_name(const std::string& path, const std::string& type) {
    return path.empty() ? type : path + " (" + type + ')';
}

/// The one exception type. The message says what failed and where, what was expected, what was
/// found and, where there is a usual cause, what to do. It is safe to print: names from files and
/// folders are escaped, see printable_lines.
class Error : public std::runtime_error {
  public:
    /// `message`, made safe to print.
    explicit Error(const std::string& message) : std::runtime_error(printable_lines(message)) {}
    /// "body.0 (Conv2d): message"
    explicit Error(const Place& place)
        : Error(layer_name(place.path, place.type) + ": " + place.message) {
        place_ = std::make_shared<const Place>(place);
    }

    /// Null unless a layer threw it.
    const Place* place() const { return place_.get(); }

  private:
    std::shared_ptr<const Place> place_;  // shared, so that copying an exception cannot throw
};

/// Throws an Error whose message is all `parts` in a row, the same in every locale.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    TextStream message;
    (message << ... << parts);
    throw Error(message.str());
}

/// fail(parts...) unless `ok`. The parts are only put together when the check fails.
template <class... Parts>
void check(bool ok, const Parts&... parts) {
    if (!ok) fail(parts...);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

// json: the reader and the writer of JSON, and the quoting of texts
// covers: core/io/json.cpp
// longest: 100
#include <primer/core/io/json.h>

#include "target.h"

using namespace primer;

namespace {

// Any value of a kind that the reader knows.
void read_value(JsonReader& json, char kind) {
    if (kind == 's') {
        json.string();
    } else if (kind == 'n') {
        json.whole_number();
    } else if (kind == 'a') {
        json.array([&] { json.whole_number(); });
    } else {
        json.object([&](const std::string& key) { read_value(json, key.empty() ? 'n' : key[0]); });
    }
}

}  // namespace

FUZZ(input) {
    fuzz::expect_error_at_most([&] {
        JsonReader json(input, "input");
        read_value(json, 'o');
        json.end();
    });
    // Any value's text is a value again.
    fuzz::expect_error_at_most([&] {
        const std::string_view value = JsonReader(input, "input").value();
        if (JsonReader(value, "value").value() != value) __builtin_trap();
    });
    // Members that are written are read back unchanged, without an Error.
    JsonMembers members;
    fuzz::expect_error_at_most([&] { members = json_members(input, "input", 10); });
    JsonObject object;
    for (const auto& [name, value] : members) object.value(name, value);
    const std::string written = object.str();
    if (json_members(written, "written", 10) != members) __builtin_trap();
    // A text that is written is read back unchanged.
    const std::string quoted = json_string(input);
    JsonReader again(quoted, "quoted");
    const std::string text = again.string();
    if (is_utf8(input) ? text != input : !is_utf8(text)) __builtin_trap();
    if (in_quotes(input).find('\n') != std::string::npos) __builtin_trap();
}
// SPDX-License-Identifier: MIT

#include "json_object.h"

#include <charconv>
#include <cmath>

#include <primer/core/io/json.h>

namespace primer::examples {

JsonObject& JsonObject::text(const std::string& name, const std::string& value) {
    return this->value(name, json_string(value));
}

JsonObject& JsonObject::number(const std::string& name, double value) {
    return this->value(name, json_number(value));
}

JsonObject& JsonObject::value(const std::string& name, const std::string& json) {
    members_ += (members_.empty() ? "" : ", ") + json_string(name) + ": " + json;
    return *this;
}

std::string json_number(double value) {
    if (!std::isfinite(value)) return "null";
    char text[32];
    const auto [end, error] =
        std::to_chars(text, text + sizeof text, value, std::chars_format::general, 8);
    return std::string(text, end);
}

std::string json_array(const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
    return '[' + text + ']';
}

}  // namespace primer::examples

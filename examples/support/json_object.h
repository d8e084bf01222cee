#pragma once

#include <string>
#include <vector>

namespace primer::examples {

/// An object of JSON in the making, in one line:
///
///     JsonObject().text("kind", "step").number("loss", 0.5).str()
class JsonObject {
  public:
    JsonObject& text(const std::string& name, const std::string& value);
    /// What is not finite becomes null, as JSON knows no other word for it.
    JsonObject& number(const std::string& name, double value);
    /// A value that is JSON already.
    JsonObject& value(const std::string& name, const std::string& json);

    std::string str() const { return '{' + members_ + '}'; }

  private:
    std::string members_;
};

/// With eight digits that count: as exact as a float.
std::string json_number(double value);
/// [value, ...] of values that are JSON already.
std::string json_array(const std::vector<std::string>& values);

}  // namespace primer::examples

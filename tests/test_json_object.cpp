// What the examples write JSON with, in examples/support.

#include <cmath>
#include <string>
#include <vector>

#include "../examples/support/json_object.h"
#include "support.h"

namespace primer::examples {
namespace {

TEST_CASE("JsonObject: members in their order, texts escaped") {
    CHECK(JsonObject().str() == "{}");
    CHECK(JsonObject().text("a", "x\"y\n").number("b", 0.5).value("c", "[1, 2]").str() ==
          R"({"a": "x\"y\n", "b": 0.5, "c": [1, 2]})");
    CHECK(JsonObject().value("o", JsonObject().number("n", 1).str()).str() == R"({"o": {"n": 1}})");
}

TEST_CASE("json_number: eight digits, and null for what JSON has no number for") {
    CHECK(json_number(0) == "0");
    CHECK(json_number(-3) == "-3");
    CHECK(json_number(0.1) == "0.1");
    CHECK(json_number(0.123456789) == "0.12345679");
    CHECK(json_number(1e-7) == "1e-07");
    CHECK(json_number(1e300) == "1e+300");
    CHECK(json_number(std::nan("")) == "null");
    CHECK(json_number(-INFINITY) == "null");
}

TEST_CASE("json_array: values side by side") {
    CHECK(json_array({}) == "[]");
    CHECK(json_array({"1", "\"a\""}) == "[1, \"a\"]");
}

}  // namespace
}  // namespace primer::examples

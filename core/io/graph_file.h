#pragma once

#include <filesystem>
#include <vector>

#include "../graph.h"

namespace primer {

/// Writes to_dot or to_mermaid, as the path ends with ".dot" or ".mmd". Throws Error for another
/// ending, and if the file can not be written; it is there whole or not at all, see Replacement.
void write_graph(const Graph& graph, const std::filesystem::path& path);
/// The same of graph_of(tape, names, groups).
void write_graph(const Tape& tape, const std::filesystem::path& path, const StateDict& names = {},
                 const std::vector<OpGroup>& groups = {});

}  // namespace primer

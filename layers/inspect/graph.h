#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../../core/shape.h"
#include "../../core/state_dict.h"
#include "../../core/tape.h"

// What a Tape has recorded, as data and as a picture. None of this runs, or costs anything, unless
// it is called.

namespace primer {

/// The ops first, ..., last - 1 of a tape, which belong together, such as those of one call of a
/// layer. In a list, a group inside another one comes after it.
struct OpGroup {
    std::string name;           ///< what the picture calls it
    Index first = 0, last = 0;  ///< numbers on the tape
};

/// Memory that an op's backward keeps.
struct GraphKept {
    int node = -1;     ///< whose value it is; -1: no node's, it serves this backward alone
    Index size = 0;    ///< in bytes, of the whole piece of memory
    Index bytes = 0;   ///< of these, the ones that count here: see Graph
    int counted = -1;  ///< the node where they count; -1: nowhere, as for a parameter
};

/// An op's result, or an input of the graph: a leaf, which gets a gradient, or a constant.
struct GraphNode {
    /// What a node stands for.
    enum class Kind { op, leaf, constant };
    Kind kind = Kind::op;  ///< what this one stands for
    std::string name;      ///< "conv2d"; of a leaf or constant "0.weight", or "" if unknown
    Shape shape;           ///< of the result
    Index op = -1;         ///< number on the tape, from 0
    /// Nodes of the defined inputs, each of which comes before this one.
    std::vector<int> inputs = {};
    std::vector<GraphKept> kept = {};  ///< by the op's backward
    /// Those of an op's forward, see Op; nullopt if the op does not state them.
    std::optional<Index> multiply_adds = {};
    std::optional<int> factors = {};  ///< see Op
    bool view = false;                ///< the result lies in the memory of an input
    Index kept_bytes() const;         ///< the sum of kept[].bytes
};

/// What a tape has recorded, and what memory that keeps alive until backward(). Memory that several
/// backwards keep counts once, where it is kept first; that of leaves and named tensors does not
/// count, because parameters exist anyway.
struct Graph {
    std::vector<GraphNode> nodes;  ///< an op comes after its inputs
    std::vector<OpGroup> groups;   ///< as they were given to graph_of
    Index kept_bytes() const;      ///< the sum over all nodes
};

/// Reads the tape, which may go on recording. `names` names tensors: model.state_dict(). Only ops
/// with an input that wants a gradient are recorded, and so found. Throws Error for a spent tape,
/// whose memory is free.
Graph graph_of(const Tape& tape, const StateDict& names = {},
               const std::vector<OpGroup>& groups = {});

/// The innermost group of an op: its position in graph.groups, or -1.
int group_of(const Graph& graph, Index op);

/// The line of a picture that describes it: "its output, 6.42 MB", "0.weight (not counted)",
/// "output of op 3, counted at op 4".
std::string kept_text(const Graph& graph, int node, const GraphKept& kept);
/// "512 B", "6.42 MB"; 1 kB is 1000 B.
std::string bytes_text(Index bytes);

/// A picture in Graphviz's language, for `dot -Tsvg`. From top to bottom: a box for each op, in a
/// cluster for each group, rounded boxes for leaves and slanted ones for constants.
std::string to_dot(const Graph& graph);
/// The same for Mermaid, which GitHub draws in Markdown.
std::string to_mermaid(const Graph& graph);

/// Writes to_dot if the path ends with ".dot", to_mermaid if with ".mmd". Throws Error for another
/// ending, and if the file cannot be written; it is there whole or not at all, see Replacement.
void write_graph(const Graph& graph, const std::filesystem::path& path);
/// The same for graph_of(tape, names, groups).
void write_graph(const Tape& tape, const std::filesystem::path& path, const StateDict& names = {},
                 const std::vector<OpGroup>& groups = {});

}  // namespace primer
// SPDX-License-Identifier: MIT

#include "graph.h"

#include <algorithm>
#include <iomanip>
#include <ios>
#include <unordered_map>
#include <unordered_set>

#include "../../core/error.h"
#include "../../core/full_name.h"
#include "../../core/io/replacement.h"

namespace primer {

// --- From the tape -------------------------------------------------------------------------------

// The nodes are renumbered, because constants have no number on the tape.
class GraphReader {
  public:
    GraphReader(const Tape& tape, const StateDict& names) : tape_(tape) {
        check(tape.recording_,
              "graph_of: this Tape is spent: its backward() has run and freed its memory; draw it "
              "before that");
        // For a tensor with several names, the first.
        for (const StateEntry& entry : names) name_of_.emplace(&entry.tensor.impl(), entry.name);
    }

    std::vector<GraphNode> read() {
        for (const Tape::Node& node : tape_.nodes_) {
            if (node.leaf.defined()) {
                add_leaf(node.leaf);
            } else {
                add_op(node);
            }
        }
        return std::move(nodes_);
    }

  private:
    using Which = const Tensor::Impl*;

    // Returns its number.
    int add(GraphNode node) {
        nodes_.push_back(std::move(node));
        return static_cast<int>(nodes_.size()) - 1;
    }

    std::string name(Which tensor) const {
        const auto found = name_of_.find(tensor);
        return found == name_of_.end() ? std::string() : found->second;
    }

    void add_leaf(const Tensor& leaf) {
        counted_[leaf.impl().storage.get()] = -1;
        at_.push_back(add(
            {.kind = GraphNode::Kind::leaf, .name = name(&leaf.impl()), .shape = leaf.shape()}));
    }

    int constant(const Tape::Input& input) {
        const auto known = constants_.find(input.tensor);
        if (known != constants_.end()) return known->second;
        return constants_[input.tensor] = add({.kind = GraphNode::Kind::constant,
                                               .name = name(input.tensor),
                                               .shape = input.shape});
    }

    void add_op(const Tape::Node& from) {
        GraphNode node{.kind = GraphNode::Kind::op,
                       .name = from.op.name,
                       .shape = from.shape,
                       .op = ops_++,
                       .multiply_adds = from.op.multiply_adds,
                       .factors = from.op.factors,
                       .view = from.view};
        for (std::size_t i = 0; i < from.input_count; ++i) {
            const Tape::Input& input = tape_.inputs_[from.first_input + i];
            if (input.tensor == nullptr) continue;
            node.inputs.push_back(input.node < 0 ? constant(input)
                                                 : at_[static_cast<std::size_t>(input.node)]);
        }
        const int self = static_cast<int>(nodes_.size());
        at_.push_back(self);
        const std::vector<Kept> kept = captures_of(from.backward);
        for (const Kept& k : kept) node.kept.push_back(count(k, self));
        add(std::move(node));
        forget_constants(kept);
    }

    GraphKept count(const Kept& kept, int self) {
        GraphKept result{.node = -1, .size = kept.bytes, .bytes = 0, .counted = self};
        if (kept.tensor.defined()) {
            const Tensor::Impl& tensor = kept.tensor.impl();
            const int recorded = tensor.requires_grad ? tape_.find(kept.tensor) : -1;
            const auto known = constants_.find(&tensor);
            if (recorded >= 0 && recorded < std::ssize(at_)) {
                result.node = at_[static_cast<std::size_t>(recorded)];
            } else if (known != constants_.end()) {
                result.node = known->second;
                if (name_of_.contains(&tensor)) counted_[kept.memory] = -1;
            }
        }
        const auto [first, new_here] = counted_.emplace(kept.memory, self);
        result.counted = first->second;
        if (new_here) result.bytes = result.size;
        return result;
    }

    // A tensor that nobody holds may be gone by now, and its address may stand for another one.
    void forget_constants(const std::vector<Kept>& kept) {
        for (const Kept& k : kept) {
            if (k.tensor.defined()) held_.insert(&k.tensor.impl());
        }
        std::erase_if(constants_, [&](const auto& known) {
            return !held_.contains(known.first) && !name_of_.contains(known.first);
        });
    }

    const Tape& tape_;
    std::unordered_map<Which, std::string> name_of_;
    std::vector<GraphNode> nodes_;
    Index ops_ = 0;
    std::vector<int> at_;                           // where a node of the tape is among nodes_
    std::unordered_map<Which, int> constants_;      // where they are among nodes_
    std::unordered_set<Which> held_;                // by some backward
    std::unordered_map<const void*, int> counted_;  // memory, and the node where it counts
};

Graph graph_of(const Tape& tape, const StateDict& names, const std::vector<OpGroup>& groups) {
    return {GraphReader(tape, names).read(), groups};
}

Index GraphNode::kept_bytes() const {
    Index sum = 0;
    for (const GraphKept& k : kept) sum += k.bytes;
    return sum;
}

Index Graph::kept_bytes() const {
    Index sum = 0;
    for (const GraphNode& node : nodes) sum += node.kept_bytes();
    return sum;
}

int group_of(const Graph& graph, Index op) {
    for (auto i = static_cast<int>(graph.groups.size()) - 1; i >= 0; --i) {
        const OpGroup& group = graph.groups[static_cast<std::size_t>(i)];
        if (group.first <= op && op < group.last) return i;
    }
    return -1;
}

// --- In words ------------------------------------------------------------------------------------

std::string bytes_text(Index bytes) {
    if (bytes < 1000) return std::to_string(bytes) + " B";
    auto value = static_cast<double>(bytes) / 1000;
    const char* unit = "kMGT";
    for (; value >= 999.5 && unit[1] != '\0'; ++unit) value /= 1000;
    TextStream text;
    text << std::fixed
         << std::setprecision(value < 9.995   ? 2
                              : value < 99.95 ? 1
                                              : 0)
         << value << ' ' << *unit << 'B';
    return text.str();
}

namespace {

const GraphNode& at(const Graph& graph, int node) {
    check(node >= 0 && node < std::ssize(graph.nodes), "Graph: there is no node ", node, " among ",
          graph.nodes.size());
    return graph.nodes[static_cast<std::size_t>(node)];
}

std::string value_text(const Graph& graph, int of, int self) {
    if (of < 0) return "memory of its own";
    if (of == self) return "its output";
    const GraphNode& node = at(graph, of);
    if (node.kind == GraphNode::Kind::op) return "output of op " + std::to_string(node.op);
    if (!node.name.empty()) return node.name;
    return node.kind == GraphNode::Kind::leaf ? "leaf" : "input";
}

// The lines in a node's box.
std::vector<std::string> lines_of(const Graph& graph, int self) {
    const GraphNode& node = at(graph, self);
    if (node.kind != GraphNode::Kind::op) {
        return {value_text(graph, self, -1), node.shape.str()};
    }
    std::vector<std::string> lines{"op " + std::to_string(node.op) + ": " + node.name,
                                   node.shape.str()};
    lines.push_back(node.kept.empty() ? "keeps nothing" : "keeps " + bytes_text(node.kept_bytes()));
    for (const GraphKept& kept : node.kept) lines.push_back(kept_text(graph, self, kept));
    return lines;
}

std::vector<std::string> title_of(const Graph& graph) {
    const auto ops = std::ranges::count(graph.nodes, GraphNode::Kind::op, &GraphNode::kind);
    return {std::to_string(ops) + (ops == 1 ? " op keeps " : " ops keep ") +
                bytes_text(graph.kept_bytes()) + " until backward",
            "(parameters do not count, shared memory counts once)"};
}

}  // namespace

std::string kept_text(const Graph& graph, int node, const GraphKept& kept) {
    const std::string what = value_text(graph, kept.node, node);
    if (kept.counted < 0) return what + " (not counted)";
    if (kept.counted == node) return what + ", " + bytes_text(kept.bytes);
    return what + ", counted at op " + std::to_string(at(graph, kept.counted).op);
}

// --- As a picture --------------------------------------------------------------------------------

namespace {

// What differs between the languages: the lines for each element. Empty ones are left out.
class Language {
  public:
    virtual ~Language() = default;
    virtual std::string begin(const std::vector<std::string>& title) const = 0;
    virtual std::string begin_group(std::size_t number, const std::string& name) const = 0;
    virtual std::string end_group() const = 0;
    virtual std::string node(int number, GraphNode::Kind kind,
                             const std::vector<std::string>& lines) const = 0;
    // Nodes that look better side by side: an op and the leaves placed next to it.
    virtual std::string row(const std::vector<int>& nodes) const = 0;
    virtual std::string edge(int from, int to) const = 0;
    virtual std::string end() const = 0;
};

// Quotes a text: `replace` returns the escape of a letter that needs one.
std::string quoted(const std::vector<std::string>& lines, const char* line_end,
                   const char* (*replace)(char letter)) {
    std::string text = "\"";
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) text += line_end;
        for (const char letter : lines[i]) {
            const char* const other = replace(letter);
            other != nullptr ? text += other : text += letter;
        }
    }
    return text + '"';
}

std::string id(int node) { return 'n' + std::to_string(node); }

class Dot : public Language {
  public:
    std::string begin(const std::vector<std::string>& title) const override {
        return "digraph tape {\n"
               "  graph [rankdir=TB, labelloc=t, labeljust=l, fontname=\"Helvetica\"];\n"
               "  graph [label=" +
               text(title) +
               "];\n"
               "  node [shape=box, fontname=\"Helvetica\", fontsize=11];";
    }
    std::string begin_group(std::size_t number, const std::string& name) const override {
        return "subgraph cluster_" + std::to_string(number) + " { label=" + text({name}) + ';';
    }
    std::string end_group() const override { return "}"; }
    std::string node(int number, GraphNode::Kind kind,
                     const std::vector<std::string>& lines) const override {
        const char* const shape = kind == GraphNode::Kind::leaf       ? "shape=ellipse, "
                                  : kind == GraphNode::Kind::constant ? "shape=parallelogram, "
                                                                      : "";
        return id(number) + " [" + shape + "label=" + text(lines) + "];";
    }
    std::string row(const std::vector<int>& nodes) const override {
        std::string line = "{ rank=same;";
        for (const int node : nodes) line += ' ' + id(node) + ';';
        return line + " }";
    }
    std::string edge(int from, int to) const override { return id(from) + " -> " + id(to) + ';'; }
    std::string end() const override { return "}"; }

  private:
    static std::string text(const std::vector<std::string>& lines) {
        return quoted(lines, "\\n", [](char letter) -> const char* {
            switch (letter) {
                case '"':
                    return "\\\"";
                case '\\':
                    return "\\\\";
                case '\n':
                    return "\\n";
                default:
                    return nullptr;
            }
        });
    }
};

class Mermaid : public Language {
  public:
    std::string begin(const std::vector<std::string>& title) const override {
        return "---\ntitle: \"" + title[0] + ' ' + title[1] + "\"\n---\nflowchart TD";
    }
    std::string begin_group(std::size_t number, const std::string& name) const override {
        return "subgraph g" + std::to_string(number) + '[' + text({name}) + ']';
    }
    std::string end_group() const override { return "end"; }
    std::string node(int number, GraphNode::Kind kind,
                     const std::vector<std::string>& lines) const override {
        const std::string label = text(lines);
        switch (kind) {
            case GraphNode::Kind::leaf:
                return id(number) + "([" + label + "])";
            case GraphNode::Kind::constant:
                return id(number) + "[/" + label + "/]";
            default:
                return id(number) + '[' + label + ']';
        }
    }
    std::string row(const std::vector<int>&) const override { return ""; }
    std::string edge(int from, int to) const override { return id(from) + " --> " + id(to); }
    std::string end() const override { return ""; }

  private:
    // By their numbers, as HTML has them, but with # for &#. A backtick would begin Markdown.
    static std::string text(const std::vector<std::string>& lines) {
        return quoted(lines, "<br/>", [](char letter) -> const char* {
            switch (letter) {
                case '"':
                    return "#34;";
                case '#':
                    return "#35;";
                case '&':
                    return "#38;";
                case '<':
                    return "#60;";
                case '>':
                    return "#62;";
                case '`':
                    return "#96;";
                case '\n':
                    return "<br/>";
                default:
                    return nullptr;
            }
        });
    }
};

class Picture {
  public:
    Picture(const Graph& graph, const Language& language)
        : graph_(graph), language_(language), drawn_(graph.nodes.size()) {}

    std::string draw() {
        text_ = language_.begin(title_of(graph_)) + '\n';
        const int count = static_cast<int>(drawn_.size());
        for (int i = 0; i < count; ++i) {
            if (at(graph_, i).kind == GraphNode::Kind::constant) draw(i);
        }
        for (int i = 0; i < count; ++i) {
            if (at(graph_, i).kind == GraphNode::Kind::op) draw_op(i);
        }
        enter(-1);
        for (int to = 0; to < count; ++to) {
            for (const int from : at(graph_, to).inputs) write(language_.edge(from, to));
        }
        const std::string end = language_.end();
        return end.empty() ? text_ : text_ + end + '\n';
    }

  private:
    void write(const std::string& line) {
        if (!line.empty()) text_ += std::string(2 * open_.size() + 2, ' ') + line + '\n';
    }

    // Ends and begins groups until exactly those of the op are open.
    void enter(Index op) {
        const auto holds = [&](std::size_t g) {
            return graph_.groups[g].first <= op && op < graph_.groups[g].last;
        };
        while (!open_.empty() && !holds(open_.back())) {
            open_.pop_back();
            write(language_.end_group());
        }
        for (auto g = open_.empty() ? 0 : open_.back() + 1; g < graph_.groups.size(); ++g) {
            if (!holds(g)) continue;
            write(language_.begin_group(g, graph_.groups[g].name));
            open_.push_back(g);
        }
    }

    // A leaf is placed next to the first op that uses it.
    void draw_op(int op) {
        enter(at(graph_, op).op);
        std::vector<int> row;
        for (const int input : at(graph_, op).inputs) {
            if (draw(input)) row.push_back(input);
        }
        draw(op);
        row.push_back(op);
        if (row.size() > 1) write(language_.row(row));
    }

    // Returns whether it was not there before.
    bool draw(int node) {
        if (drawn_[static_cast<std::size_t>(node)]) return false;
        drawn_[static_cast<std::size_t>(node)] = true;
        write(language_.node(node, at(graph_, node).kind, lines_of(graph_, node)));
        return true;
    }

    const Graph& graph_;
    const Language& language_;
    std::string text_;
    std::vector<bool> drawn_;
    std::vector<std::size_t> open_;  // groups, the outer before the inner
};

}  // namespace

std::string to_dot(const Graph& graph) { return Picture(graph, Dot()).draw(); }

std::string to_mermaid(const Graph& graph) { return Picture(graph, Mermaid()).draw(); }

// --- Files --------------------------------------------------------------------------------------

void write_graph(const Graph& graph, const std::filesystem::path& path) {
    const std::filesystem::path ending = path.extension();
    check(ending == ".dot" || ending == ".mmd", "write_graph: expected a path that ends with .dot ",
          "(Graphviz) or .mmd (Mermaid), got ", full_name(path));
    Replacement file(path, "a graph");
    file.write(ending == ".dot" ? to_dot(graph) : to_mermaid(graph));
    file.commit();
}

void write_graph(const Tape& tape, const std::filesystem::path& path, const StateDict& names,
                 const std::vector<OpGroup>& groups) {
    write_graph(graph_of(tape, names, groups), path);
}

}  // namespace primer
// SPDX-License-Identifier: MIT

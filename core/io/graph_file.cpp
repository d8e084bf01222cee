#include "graph_file.h"

#include "../error.h"
#include "../full_name.h"
#include "replacement.h"

namespace primer {

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

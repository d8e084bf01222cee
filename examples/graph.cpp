// graph: draws what a network's forward records, and shows where the time of a step goes

#include <primer/primer.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "networks.h"
#include "support/output.h"
#include "support/program.h"

using namespace primer;
using namespace primer::examples;

namespace {

struct Flags {
    std::string example, out = "graph";
    bool profile = false;
    Index batch_size = 64, steps = 20;
    int threads = 0;
};

struct Network {
    Sequential (*build)(Rng& rng);
    Shape input;  ///< of one example
};

const std::map<std::string, Network> kNetworks{
    {"mnist_mlp", {[](Rng& rng) { return mnist_mlp(rng); }, {1, 28, 28}}},
    {"mnist_cnn", {[](Rng& rng) { return mnist_cnn(32, rng); }, {1, 28, 28}}},
    {"cifar_cnn", {[](Rng& rng) { return cifar_cnn(rng); }, {3, 32, 32}}},
};

void print_table(const Graph& graph) {
    std::vector<std::vector<std::string>> lines{{"Op", "Layer", "Output", "Keeps"}};
    for (const GraphNode& node : graph.nodes) {
        if (node.kind != GraphNode::Kind::op) continue;
        const int group = group_of(graph, node.op);
        lines.push_back({std::to_string(node.op) + " " + node.name,
                         group < 0 ? "-" : graph.groups[static_cast<std::size_t>(group)].name,
                         node.shape.str(), bytes_text(node.kept_bytes())});
    }
    const std::string rule = primer::print_table(std::cout, lines);
    std::cout << rule << "\nKept until backward: " << bytes_text(graph.kept_bytes())
              << " (parameters are not counted, shared memory is counted once)\n";
}

/// The picture that Graphviz draws of the file `dot`, in one of its formats.
std::string drawn_by_graphviz(const std::string& dot, const std::string& format) {
    // An absolute path cannot be taken for a flag; in quotes, the shell leaves it as it is.
    std::string quoted = "'";
    for (const char letter : std::filesystem::absolute(dot).string()) {
        letter == '\'' ? quoted += "'\\''" : quoted += letter;
    }
    const std::string command = "dot -T" + format + ' ' + quoted + '\'';
    std::string bytes;
    std::FILE* const pipe = popen(command.c_str(), "r");
    check(pipe != nullptr, dot, ": failed to start Graphviz: ", command);
    std::array<char, 4096> part{};
    while (const std::size_t count = std::fread(part.data(), 1, part.size(), pipe)) {
        bytes.append(part.data(), count);
    }
    check(pclose(pipe) == 0 && !bytes.empty(), dot, ": Graphviz failed to draw it: ", command);
    return bytes;
}

/// Draws with Graphviz, if it is installed. Returns the files.
std::vector<std::string> draw(const std::string& out) {
    if (std::system("command -v dot > /dev/null 2>&1") != 0) {
        std::cout << "There is no Graphviz to draw it (Debian's package graphviz); GitHub draws "
                  << printable(out) << ".mmd in Markdown.\n";
        return {};
    }
    replace_file(out + ".svg", kSvgFile, drawn_by_graphviz(out + ".dot", "svg"));
    replace_file(out + ".png", kPngFile, drawn_by_graphviz(out + ".dot", "png"));
    return {out + ".svg", out + ".png"};
}

/// The output must not replace a file of another kind, whichever program writes it.
void check_out(const std::string& out) {
    check_usage(!std::filesystem::path(out).filename().empty(),
                "--out: expected the name of a file without its ending, got the folder ",
                printable(out));
    check_can_save("--out", out + ".dot", kDotFile);
    check_can_save("--out", out + ".mmd", kMermaidFile);
    check_can_save("--out", out + ".svg", kSvgFile);
    check_can_save("--out", out + ".png", kPngFile);
}

void graph(const Flags& flags) {
    check_out(flags.out);
    const Network& network = kNetworks.at(flags.example);
    Rng rng(1);
    Sequential model = network.build(rng);
    // What is in the pictures changes neither the graph nor the time.
    const Tensor images = randn(Shape{flags.batch_size}.concat(network.input), rng);
    IntTensor labels(std::vector<Index>(static_cast<std::size_t>(flags.batch_size)));
    for (Index& label : labels.values) label = rng.below(10);

    const auto step = [&] { return cross_entropy(model(images), labels); };
    const Graph recorded = [&] {
        Tape tape;
        const LayerOps layers(model, tape);
        step();
        return graph_of(tape, model.state_dict(), layers.groups());
    }();

    write_graph(recorded, flags.out + ".dot");
    write_graph(recorded, flags.out + ".mmd");
    std::vector<std::string> files{flags.out + ".dot", flags.out + ".mmd"};
    print_table(recorded);
    if (flags.profile) {
        std::cout << '\n' << profile(model, step, {.steps = flags.steps});
    }
    std::cout << '\n';
    for (const std::string& file : draw(flags.out)) files.push_back(file);
    std::cout << "Written:";
    for (const std::string& file : files) std::cout << ' ' << printable(file);
    std::cout << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "Draws what the tape records of one batch: the ops, by layer, with their shapes, and what "
        "each keeps for its backward.");
    Flags flags;
    app.option_defaults()->always_capture_default();
    std::vector<std::string> names;
    for (const auto& [name, network] : kNetworks) names.push_back(name);
    app.add_option("EXAMPLE", flags.example, "whose network: " + CLI::detail::join(names, ", "))
        ->required()
        ->check(CLI::IsMember(names).description(""))
        ->type_name("");
    app.add_option("--out", flags.out,
                   "what to write, without the ending: FILE.dot (Graphviz) and FILE.mmd (Mermaid) "
                   "and, if Graphviz is there, FILE.svg and FILE.png")
        ->check(not_empty())
        ->type_name("FILE");
    app.add_flag("--profile", flags.profile,
                 "measure the time, the operations and the bytes of each op and each layer");
    app.add_option("--batch-size", flags.batch_size, "examples in the batch")
        ->transform(whole_number(2, 100000))
        ->type_name("N");
    app.add_option("--steps", flags.steps, "training steps; the profile shows their medians")
        ->transform(whole_number(1, 100000))
        ->type_name("N");
    app.add_option("--threads", flags.threads,
                   "threads to compute on; 0: $PRIMER_NUM_THREADS, else all cores")
        ->transform(whole_number(0, 1024))
        ->type_name("N");
    return run(app, argc, argv, [&] {
        if (flags.threads > 0) set_num_threads(flags.threads);
        graph(flags);
    });
}
// SPDX-License-Identifier: MIT

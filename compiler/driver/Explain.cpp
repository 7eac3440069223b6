//===- Explain.cpp - an explanation as prose and as JSON -----------------------===//
#include "compiler/driver/Explain.h"
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace einfall::driver {

using namespace analysis;
using Json = nlohmann::ordered_json;

namespace {

constexpr size_t pageWidth = 98;

// ---- prose ----

/// `text` in lines of at most `pageWidth`, the first after `lead`, the others
/// indented as deep as the lead is long.
std::string paragraph(const std::string &lead, const std::string &text) {
  std::string out = lead;
  size_t column = lead.size(), indent = lead.size();
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find(' ', begin), text.size());
    size_t length = end - begin;
    if (column > indent && column + 1 + length > pageWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out.append(text, begin, length);
    column += length;
    begin = end + 1;
  }
  return out + "\n";
}

using Row = std::vector<std::string>;

/// Columns as wide as their widest cell, the first row underlined.
std::string table(const std::vector<Row> &rows) {
  std::vector<size_t> width;
  for (const Row &row : rows)
    for (size_t c = 0; c < row.size(); ++c) {
      width.resize(std::max(width.size(), row.size()));
      width[c] = std::max(width[c], row[c].size());
    }
  std::string out;
  auto line = [&](const Row &row) {
    std::string text = " ";
    for (size_t c = 0; c < row.size(); ++c)
      text += " " + row[c] + std::string(c + 1 < row.size() ? width[c] - row[c].size() + 2 : 0, ' ');
    while (text.back() == ' ')
      text.pop_back();
    out += text + "\n";
  };
  for (size_t r = 0; r < rows.size(); ++r) {
    line(rows[r]);
    if (r == 0) {
      Row rule;
      for (size_t w : width)
        rule.push_back(std::string(w, '-'));
      line(rule);
    }
  }
  return out;
}

std::string joined(const std::vector<std::string> &names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i)
    out += (i == 0 ? "" : i + 1 < names.size() ? ", " : " and ") + names[i];
  return out;
}

std::string passesText(int n) { return n == 1 ? "1 pass" : fmt::format("{} passes", n); }

int countOf(const std::map<std::string, int> &counts, const std::string &key) {
  auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

std::string where(const std::string &at) { return at.empty() ? "" : fmt::format(" (at {})", at); }

class Prose {
public:
  explicit Prose(const Explanation &e) : e(e) {}

  std::string run() {
    headline();
    passes();
    fused();
    barriers();
    merge();
    stored();
    masks();
    kernels();
    return out;
  }

private:
  const Explanation &e;
  std::string out;

  void heading(const std::string &text) { out += "\n" + text + "\n"; }

  /// Ranks where something happens: walked more than once, before or after.
  std::vector<std::string> interesting() const {
    std::vector<std::string> ranks;
    for (auto &[rank, n] : e.source.ranks)
      if (n > 1 || countOf(e.derived.ranks, rank) > 1)
        ranks.push_back(rank);
    return ranks;
  }

  void headline() {
    std::vector<std::string> parts;
    for (const std::string &rank : interesting()) {
      int before = countOf(e.source.ranks, rank), after = countOf(e.derived.ranks, rank);
      parts.push_back(before == after ? fmt::format("{} over {}, before and after", passesText(before), rank)
                                      : fmt::format("{} over {} as written, {} after the rewrites",
                                                    passesText(before), rank, after));
    }
    out += paragraph(e.cascade + ": ",
                     parts.empty() ? "one pass over every rank, already as written" : joined(parts));
  }

  void passes() {
    heading("How often the data is traversed");
    out += paragraph(
        "  ", "A pass over a rank visits every coordinate once. A second pass is needed, in any order of "
              "work, where an equation must wait for a reduction over the rank to be complete.");
    out += "\n";
    std::vector<Row> rows = {{"rank", "as written", "derived"}};
    for (auto &[rank, n] : e.source.ranks)
      rows.push_back({rank, std::to_string(n), std::to_string(countOf(e.derived.ranks, rank))});
    out += table(rows);
    rows = {{"input", "over", "as written", "derived"}};
    for (auto &[input, counts] : e.source.inputs)
      for (auto &[rank, n] : counts) {
        auto after = e.derived.inputs.find(input);
        int m = after == e.derived.inputs.end() ? 0 : countOf(after->second, rank);
        if (n > 1 || m > 1)
          rows.push_back({input, rank, std::to_string(n), std::to_string(m)});
      }
    if (rows.size() > 1)
      out += "\n" + table(rows);
  }

  void fused() {
    heading("What was rewritten");
    if (e.rewrites.empty())
      out += paragraph("  ", "Nothing: no pass could be removed, or none had to be.");
    for (const Rewrite &r : e.rewrites) {
      std::string text = r.equation.empty() ? "" : fmt::format("'{}'{}", r.equation, where(r.at));
      if (!r.removes.empty())
        text += fmt::format("{}removes the wait {}{}", text.empty() ? "" : " ", r.removes,
                            r.rank.empty() ? "" : fmt::format(" over {}", r.rank));
      else if (!r.rank.empty())
        text += fmt::format("{}over {}", text.empty() ? "" : " ", r.rank);
      if (!r.why.empty())
        text += (text.empty() ? "" : ": ") + r.why;
      out += paragraph(fmt::format("  {}: ", r.name), text);
    }
  }

  void barriers() {
    heading("What keeps more than one pass");
    if (e.barriers.empty())
      out += paragraph("  ", "Nothing.");
    for (const Barrier &b : e.barriers)
      out += paragraph(fmt::format("  over {}: ", b.rank),
                       fmt::format("'{}' waits for '{}'{}{}", b.to, b.from, where(b.at),
                                   b.why.empty() ? "" : ": " + b.why));
  }

  void merge() {
    if (e.merges.empty())
      return;
    heading("How parts of a rank are put together");
    out += paragraph(
        "  ", "The state of two parts merges to the state of both, so the rank may be cut anywhere: into "
              "tiles, over threads, over machines.");
    for (const Merge &m : e.merges)
      out += paragraph(fmt::format("  over {}: ", m.rank), fmt::format("({})  {}", joined(m.state), m.op));
  }

  void stored() {
    heading("What is stored between kernels");
    if (e.materialised.empty())
      out += paragraph("  ", "Nothing: every intermediate lives in registers or in one tile.");
    for (const Materialised &m : e.materialised)
      out += paragraph(fmt::format("  {}: ", m.tensor),
                       fmt::format("{} elements{}", m.extent, m.why.empty() ? "" : ", " + m.why));
    if (e.footprint.empty())
      return;
    out += "\n";
    std::vector<Row> rows = {{"tensor", "live elements"}};
    for (auto &[tensor, size] : e.footprint)
      rows.push_back({tensor, size});
    out += table(rows);
  }

  void masks() {
    heading("Which tiles are skipped");
    if (e.masks.empty())
      out += paragraph("  ", "None: no equation has a 'where' that a whole tile could fail.");
    else
      out += paragraph(
          "  ", "An empty tile costs nothing, a full one runs without the test, a partial one tests every "
                "point.");
    for (const Mask &m : e.masks) {
      out += paragraph(fmt::format("  {}: ", m.equation), "where " + m.predicate);
      for (auto &[label, text] : {std::pair("empty", m.empty), {"full", m.full}, {"partial", m.partial}})
        if (!text.empty())
          out += paragraph(fmt::format("    {:<8}", label), text);
    }
  }

  void kernels() {
    if (e.kernels.empty())
      return;
    heading("What runs");
    int number = 0;
    for (const KernelInfo &k : e.kernels) {
      out += paragraph(fmt::format("  {}. ", ++number), joined(k.equations));
      if (!k.parallel.empty())
        out += paragraph("     parallel over    ", joined(k.parallel));
      if (!k.sequential.empty())
        out += paragraph("     in order over    ", joined(k.sequential));
      if (!k.flops.empty())
        out += paragraph("     operations       ", k.flops);
      std::string reads, schedule;
      for (auto &[tensor, size] : k.reads)
        reads += fmt::format("{}{}: {}", reads.empty() ? "" : ", ", tensor, size);
      if (!reads.empty())
        out += paragraph("     elements read    ", reads);
      for (auto &[key, value] : k.schedule)
        schedule += fmt::format("{}{} {}", schedule.empty() ? "" : ", ", key, value);
      if (!schedule.empty())
        out += paragraph("     schedule         ", schedule);
    }
  }
};

// ---- JSON ----

Json passesJson(const PassCounts &counts) {
  Json json;
  json["passes"] = Json::object();
  for (auto &[rank, n] : counts.ranks)
    json["passes"][rank] = n;
  json["inputs"] = Json::object();
  for (auto &[input, ranks] : counts.inputs)
    for (auto &[rank, n] : ranks)
      json["inputs"][input][rank] = n;
  return json;
}

/// Numbers as numbers, everything else as text.
Json valueJson(const std::string &text) {
  int64_t value;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size())
    return value;
  return text;
}

template <typename Map>
Json mapJson(const Map &map, bool numbers) {
  Json json = Json::object();
  for (auto &[key, value] : map)
    json[key] = numbers ? valueJson(value) : Json(value);
  return json;
}

} // namespace

std::string explainText(const Explanation &explanation) { return Prose(explanation).run(); }

std::string explainJson(const Explanation &e) {
  Json json;
  json["cascade"] = e.cascade;
  json["source"] = passesJson(e.source);
  json["derived"] = passesJson(e.derived);
  json["rewrites"] = Json::array();
  for (const Rewrite &r : e.rewrites)
    json["rewrites"].push_back({{"name", r.name},
                                {"rank", r.rank},
                                {"equation", r.equation},
                                {"removes", r.removes},
                                {"at", r.at},
                                {"why", r.why}});
  json["barriers"] = Json::array();
  for (const Barrier &b : e.barriers)
    json["barriers"].push_back(
        {{"rank", b.rank}, {"from", b.from}, {"to", b.to}, {"at", b.at}, {"why", b.why}});
  json["merge"] = Json::array();
  for (const Merge &m : e.merges)
    json["merge"].push_back({{"rank", m.rank}, {"state", m.state}, {"operator", m.op}});
  json["kernels"] = Json::array();
  for (const KernelInfo &k : e.kernels) {
    Json kernel;
    kernel["equations"] = k.equations;
    kernel["parallel"] = k.parallel;
    kernel["sequential"] = k.sequential;
    kernel["reads"] = mapJson(k.reads, false);
    kernel["flops"] = k.flops;
    kernel["schedule"] = mapJson(k.schedule, true);
    json["kernels"].push_back(std::move(kernel));
  }
  json["materialised"] = Json::array();
  for (const Materialised &m : e.materialised)
    json["materialised"].push_back({{"tensor", m.tensor}, {"extent", m.extent}, {"why", m.why}});
  json["masks"] = Json::array();
  for (const Mask &m : e.masks)
    json["masks"].push_back({{"equation", m.equation},
                             {"predicate", m.predicate},
                             {"empty", m.empty},
                             {"full", m.full},
                             {"partial", m.partial}});
  json["footprint"] = mapJson(e.footprint, false);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace einfall::driver

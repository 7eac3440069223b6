//===- Source.cpp - positions and the rendering of diagnostics ----------------===//
//
// The printed source line is a *view* of the text: tabs become spaces up to the
// next multiple of eight, bytes that a terminal would interpret become '?', and
// a very long line is cut around the range. Columns in `file:line:column` count
// characters, so an editor jumps to the right place after UTF-8 text.
//
//===----------------------------------------------------------------------===//
#include "frontend/Source.h"
#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <tuple>

namespace einfall::frontend {

Source::Source(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  lineStarts_.push_back(0);
  for (uint32_t i = 0; i < text_.size(); ++i)
    if (text_[i] == '\n')
      lineStarts_.push_back(i + 1);
}

static bool continuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

Source::Position Source::position(uint32_t offset) const {
  offset = std::min<uint32_t>(offset, text_.size());
  auto next = std::upper_bound(lineStarts_.begin(), lineStarts_.end(), offset);
  int line = static_cast<int>(next - lineStarts_.begin());
  int column = 1;
  for (uint32_t i = lineStarts_[line - 1]; i < offset; ++i)
    column += !continuesCharacter(text_[i]);
  return {line, column};
}

std::string_view Source::lineAt(int line) const {
  if (line < 1 || line > static_cast<int>(lineStarts_.size()))
    return {};
  uint32_t begin = lineStarts_[line - 1];
  uint32_t end = line < static_cast<int>(lineStarts_.size()) ? lineStarts_[line] - 1 : text_.size();
  if (end > begin && text_[end - 1] == '\r')
    --end;
  return std::string_view(text_).substr(begin, end - begin);
}

Diagnostic &Diagnostics::error(std::string rule, Range range, std::string message) {
  list_.push_back({std::move(rule), range, std::move(message), {}, std::nullopt});
  return list_.back();
}

namespace {

struct Palette {
  const char *bold, *red, *green, *cyan, *reset;
};
constexpr Palette plain = {"", "", "", "", ""};
constexpr Palette ansi = {"\033[1m", "\033[1;31m", "\033[1;32m", "\033[1;36m", "\033[0m"};

/// The visible form of a line and, for every byte of the line, its column there.
struct View {
  std::string text;
  std::vector<size_t> column; ///< one more than bytes
  size_t width = 0;
};

View viewOf(std::string_view line) {
  View view;
  for (char c : line) {
    if (continuesCharacter(c)) {
      view.column.push_back(view.width ? view.width - 1 : 0);
      view.text += c;
      continue;
    }
    view.column.push_back(view.width);
    if (c == '\t') {
      size_t pad = 8 - view.width % 8;
      view.text.append(pad, ' ');
      view.width += pad;
    } else {
      unsigned char byte = c;
      view.text += byte < 0x20 || byte == 0x7F ? '?' : c;
      ++view.width;
    }
  }
  view.column.push_back(view.width);
  return view;
}

/// The line with the range underlined, cut to a window when it is very long.
std::string snippet(const Source &source, Range range, const Palette &colors) {
  constexpr size_t before = 60, window = 160;
  auto start = source.position(range.begin);
  std::string_view line = source.lineAt(start.line);
  size_t lineBegin = line.data() ? line.data() - source.text().data() : 0;
  size_t from = std::min<size_t>(range.begin - lineBegin, line.size());
  size_t to = std::clamp<size_t>(range.end > lineBegin ? range.end - lineBegin : 0, from, line.size());

  std::string lead;
  if (line.size() > window) {
    size_t cut = from > before ? from - before : 0;
    while (cut > 0 && continuesCharacter(line[cut]))
      --cut;
    size_t stop = std::min(cut + window, line.size());
    while (stop < line.size() && continuesCharacter(line[stop]))
      ++stop;
    bool more = stop < line.size();
    line = line.substr(cut, stop - cut);
    from = std::min(from - cut, line.size()); // bytes that are no UTF-8 may reach beyond the window
    to = std::clamp(to - cut, from, line.size());
    if (cut > 0)
      lead = "...";
    View view = viewOf(line);
    std::string marks(view.column[from], ' ');
    size_t length = view.column[to] > view.column[from] ? view.column[to] - view.column[from] : 1;
    return fmt::format("  {}{}{}\n  {}{}{}^{}{}\n", lead, view.text, more ? "..." : "",
                       std::string(lead.size(), ' '), marks, colors.green, std::string(length - 1, '~'),
                       colors.reset);
  }
  View view = viewOf(line);
  size_t length = view.column[to] > view.column[from] ? view.column[to] - view.column[from] : 1;
  return fmt::format("  {}\n  {}{}^{}{}\n", view.text, std::string(view.column[from], ' '), colors.green,
                     std::string(length - 1, '~'), colors.reset);
}

/// The line as it reads after the replacement.
std::string fixedLine(const Source &source, const FixIt &fix) {
  int line = source.position(fix.range.begin).line;
  std::string_view text = source.lineAt(line);
  size_t lineBegin = text.data() ? text.data() - source.text().data() : 0;
  if (fix.range.end > lineBegin + text.size() || text.size() > 160)
    return viewOf(fix.replacement).text;
  std::string fixed(text.substr(0, fix.range.begin - lineBegin));
  fixed += fix.replacement;
  fixed += text.substr(fix.range.end - lineBegin);
  size_t first = fixed.find_first_not_of(" \t");
  return viewOf(first == std::string::npos ? fixed : fixed.substr(first)).text;
}

} // namespace

std::string Diagnostics::render(bool color) const {
  const Palette &colors = color ? ansi : plain;
  std::vector<size_t> order(list_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Range &x = list_[a].range, &y = list_[b].range;
    return std::tuple(x.file, x.begin, a) < std::tuple(y.file, y.begin, b);
  });

  auto sourceOf = [&](Range range) -> const Source * {
    return range.file < sources.size() ? sources[range.file].get() : nullptr;
  };
  auto place = [&](Range range) -> std::string {
    const Source *source = sourceOf(range);
    if (!source)
      return "";
    if (!range.valid())
      return source->name() + ": ";
    auto [line, column] = source->position(range.begin);
    return fmt::format("{}:{}:{}: ", source->name(), line, column);
  };

  std::string out;
  for (size_t i : order) {
    const Diagnostic &d = list_[i];
    out += fmt::format("{}{}{}{}error:{} {}{}{}{}\n", colors.bold, place(d.range), colors.reset, colors.red,
                       colors.reset, colors.bold, d.message, colors.reset,
                       d.rule.empty() ? "" : fmt::format(" [{}]", d.rule));
    if (d.range.valid() && sourceOf(d.range))
      out += snippet(*sourceOf(d.range), d.range, colors);
    if (d.fixIt && sourceOf(d.fixIt->range))
      out += fmt::format("  {}fix:{} {}\n", colors.green, colors.reset,
                         fixedLine(*sourceOf(d.fixIt->range), *d.fixIt));
    for (const Note &note : d.notes) {
      out += fmt::format("{}{}{}{}note:{} {}\n", colors.bold, place(note.range), colors.reset, colors.cyan,
                         colors.reset, note.message);
      if (note.range.valid() && sourceOf(note.range))
        out += snippet(*sourceOf(note.range), note.range, colors);
    }
  }
  return out;
}

} // namespace einfall::frontend

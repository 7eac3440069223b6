//===- Source.h - source text, ranges, diagnostics ---------------------------===//
//
// A `Diagnostics` collects what is wrong with a text; `render` prints it as the
// language contract (section 8) shows:
//
//   mha.ein:9:37: error: 'k' ranges over P, and here over M; ... [ein-r6]
//     S[b,p,m] = Q[b,p,e] * K[b,k,e]
//                                ^
//   mha.ein:9:20: note: 'k' has its rank from here
//
// One mistake is one diagnostic. Messages start lower-case, have no final
// period, quote names in single quotes and state both values.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace einfall::frontend {

/// A half-open byte range of one source text.
struct Range {
  uint32_t begin = 0, end = 0;
  /// Which text: 0 the file, 1 the prelude.
  uint32_t file = 0;
  bool valid() const { return end > begin || begin > 0; }
};

/// A text with a name; converts byte offsets to 1-based lines and columns.
class Source {
public:
  Source(std::string name, std::string text);
  const std::string &name() const { return name_; }
  std::string_view text() const { return text_; }
  struct Position {
    int line, column;
  };
  Position position(uint32_t offset) const;
  std::string_view lineAt(int line) const;

private:
  std::string name_, text_;
  std::vector<uint32_t> lineStarts_;
};

struct FixIt {
  Range range;
  std::string replacement;
};

struct Note {
  Range range;
  std::string message;
};

struct Diagnostic {
  std::string rule; ///< `ein-r6`; `syntax` errors are ein-r1
  Range range;
  std::string message;
  std::vector<Note> notes;
  std::optional<FixIt> fixIt;
};

class Diagnostics {
public:
  /// Adds an error and returns it for notes and a fix-it. The reference is
  /// valid until the next call.
  Diagnostic &error(std::string rule, Range range, std::string message);
  bool empty() const { return list_.empty(); }
  const std::vector<Diagnostic> &list() const { return list_; }
  /// Sources by `Range::file`.
  std::vector<std::shared_ptr<Source>> sources;
  /// Text for a terminal; `color` adds ANSI escapes. In the order of the text.
  std::string render(bool color = false) const;

private:
  std::vector<Diagnostic> list_;
};

} // namespace einfall::frontend

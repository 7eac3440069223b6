//===- Lexer.cpp - tokens of .ein text ----------------------------------------===//
#include "frontend/Lexer.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <set>

namespace einfall::frontend {

namespace {

constexpr std::string_view keywords[] = {"cascade", "fn",    "rank", "param",  "split", "where", "init", "if",
                                         "then",    "else",  "not",  "and",    "or",    "div",   "mod",  "in",
                                         "true",    "false", "inf",  "return", "empty", "cast"};

constexpr std::string_view operators[] = {
    "sum",    "prod",    "max",    "min",    "mean",  "any", "all",      "count",   "argmax",     "argmin",
    "cumsum", "cumprod", "cummax", "cummin", "place", "top", "top_mass", "argsort", "coordinates"};

bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNamePart(char c) { return isLetter(c) || isDigit(c) || c == '_'; }

/// What a mathematician may have typed, and how .ein spells it.
struct Spelling {
  std::string_view typed, ein;
};
constexpr Spelling spellings[] = {
    {"\u00D7", "*"},   {"\u00B7", "*"},   {"\u22C5", "*"},       {"\u2212", "-"},        {"\u2013", "-"},
    {"\u2014", "-"},   {"\u00F7", "/"},   {"\u2264", "<="},      {"\u2265", ">="},       {"\u2260", "!="},
    {"\u2192", "->"},  {"\u221E", "inf"}, {"\u03A3", "sum[..]"}, {"\u2211", "sum[..]"},  {"\u2208", "in"},
    {"\u2227", "and"}, {"\u2228", "or"},  {"\u00AC", "not"},     {"\u221A", "sqrt(..)"}, {"\u00B2", "^2"}};

class Lexer {
public:
  Lexer(Diagnostics &diagnostics, uint32_t file)
      : diagnostics(diagnostics), file(file), text(diagnostics.sources[file]->text()) {}

  TokenList run() {
    while (skipBlanks())
      next();
    uint32_t end = list.tokens.empty() ? 0 : list.tokens.back().range.end;
    add(TokenKind::End, end, end);
    pairBrackets();
    return std::move(list);
  }

private:
  Diagnostics &diagnostics;
  uint32_t file;
  std::string_view text;
  uint32_t at = 0, lineBegin = 0;
  bool lineStart = true;
  std::set<std::string_view> badNames;
  TokenList list;

  char peek(uint32_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  Range range(uint32_t begin, uint32_t end) const { return {begin, end, file}; }

  void add(TokenKind kind, uint32_t begin, uint32_t end) {
    Token token;
    token.kind = kind;
    token.range = range(begin, end);
    token.text = text.substr(begin, end - begin);
    token.column = begin - lineBegin;
    token.firstOnLine = lineStart;
    lineStart = false;
    list.tokens.push_back(token);
  }

  /// Skips blanks and collects comments; false at the end of the text.
  bool skipBlanks() {
    while (at < text.size()) {
      char c = text[at];
      if (c == '\n') {
        lineStart = true;
        lineBegin = ++at;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++at;
      } else if (c == '/' && peek(1) == '/') {
        uint32_t begin = at;
        at = std::min(text.find('\n', at), text.size());
        uint32_t end = at;
        while (end > begin && (text[end - 1] == '\r' || text[end - 1] == ' ' || text[end - 1] == '\t'))
          --end;
        list.comments.push_back({std::string(text.substr(begin, end - begin)), range(begin, end), lineStart});
      } else {
        return true;
      }
    }
    return false;
  }

  void next() {
    char c = text[at];
    if (isLetter(c) || c == '_')
      return name();
    if (isDigit(c) || (c == '.' && isDigit(peek(1))))
      return number();
    punctuation();
  }

  void name() {
    uint32_t begin = at;
    while (isNamePart(peek()))
      ++at;
    std::string_view word = text.substr(begin, at - begin);
    if (word[0] == '_' && badNames.insert(word).second)
      diagnostics.error("ein-r2", range(begin, at),
                        fmt::format("a name begins with a letter, not as in '{}'", word));
    add(isKeyword(word)             ? TokenKind::Keyword
        : isReductionOperator(word) ? TokenKind::Operator
                                    : TokenKind::Name,
        begin, at);
  }

  /// integer: digits; float: digits with a fraction, an exponent, or both. The
  /// longest run of number-like characters is taken, so that `1.2.3` is one mistake.
  void number() {
    uint32_t begin = at;
    while (isNamePart(peek()) || peek() == '.' ||
           ((peek() == '+' || peek() == '-') && at > begin && (text[at - 1] == 'e' || text[at - 1] == 'E') &&
            isDigit(peek(1)) && digitsBeforeExponent(begin)))
      ++at;
    std::string_view word = text.substr(begin, at - begin);
    Range where = range(begin, at);
    auto bad = [&](std::string message) {
      diagnostics.error("ein-r1", where, std::move(message));
      add(TokenKind::Bad, begin, at);
    };

    size_t i = 0;
    auto digits = [&] {
      size_t from = i;
      while (i < word.size() && isDigit(word[i]))
        ++i;
      return i > from;
    };
    bool isFloat = false;
    bool whole = digits();
    if (!whole)
      return bad(fmt::format("malformed number '{}': write 0{}", shorten(word), shorten(word)));
    if (i < word.size() && word[i] == '.') {
      isFloat = true;
      ++i;
      if (!digits())
        return bad(fmt::format("malformed number '{}': digits must follow the point, as in {}.0",
                               shorten(word), shorten(word.substr(0, i - 1))));
    }
    if (i < word.size() && (word[i] == 'e' || word[i] == 'E')) {
      isFloat = true;
      ++i;
      if (i < word.size() && (word[i] == '+' || word[i] == '-'))
        ++i;
      if (!digits())
        return bad(fmt::format("malformed number '{}': the exponent has no digits", shorten(word)));
    }
    if (i < word.size()) {
      if (word[i] == '.')
        return bad(fmt::format("malformed number '{}': a second point", shorten(word)));
      return bad(fmt::format("malformed number '{}': '{}' cannot follow a number directly", shorten(word),
                             shorten(word.substr(i))));
    }
    if (isFloat) {
      double value = std::strtod(std::string(word).c_str(), nullptr);
      if (std::isinf(value))
        return bad(
            fmt::format("number {} is beyond float64 (1.8e308); infinity is written inf", shorten(word)));
      return add(TokenKind::Float, begin, at);
    }
    int64_t value;
    auto result = std::from_chars(word.data(), word.data() + word.size(), value);
    if (result.ec != std::errc())
      return bad(fmt::format("integer {} does not fit 64 bits (at most 9223372036854775807)", shorten(word)));
    add(TokenKind::Integer, begin, at);
  }

  bool digitsBeforeExponent(uint32_t begin) const {
    // `1e-5`, `1.5E+3`: everything before the letter must be digits and points,
    // else `0xe-1` would swallow a subtraction.
    for (uint32_t i = begin; i + 1 < at; ++i)
      if (!isDigit(text[i]) && text[i] != '.')
        return false;
    return true;
  }

  static std::string shorten(std::string_view word) {
    return word.size() <= 40 ? std::string(word) : std::string(word.substr(0, 37)) + "...";
  }

  void punctuation() {
    static constexpr std::string_view two[] = {"->", "<=", ">=", "==", "!="};
    static constexpr std::string_view one = "()[]{},;:=<>+-*/^|";
    for (std::string_view p : two)
      if (text.substr(at, 2) == p) {
        add(TokenKind::Punctuation, at, at + 2);
        at += 2;
        return;
      }
    if (one.find(text[at]) != std::string_view::npos) {
      add(TokenKind::Punctuation, at, at + 1);
      ++at;
      return;
    }
    unexpected();
  }

  /// One diagnostic for a run of bytes that belong to no token.
  void unexpected() {
    uint32_t begin = at;
    unsigned char c = text[at];
    std::string message;
    auto skipWhile = [&](auto predicate) {
      while (at < text.size() && predicate(static_cast<unsigned char>(text[at])))
        ++at;
    };
    if (begin == 0 && (text.substr(0, 2) == "\xFF\xFE" || text.substr(0, 2) == "\xFE\xFF")) {
      message = "the file is UTF-16; save it as plain ASCII or UTF-8";
      at = text.size();
      list.binary = true;
    } else if (begin == 0 && text.substr(0, 3) == "\xEF\xBB\xBF") {
      message = "the file begins with a byte order mark; save it without one";
      at += 3;
    } else if (c == 0) {
      message = "NUL byte in the text; is this an .ein file?";
      at = text.size();
      list.binary = true;
    } else if (c >= 0x80) {
      std::string_view rest = text.substr(at);
      size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
      std::string_view character = rest.substr(0, length);
      bool whole = character.size() == length && length > 1;
      for (size_t i = 1; i < character.size(); ++i)
        whole = whole && (static_cast<unsigned char>(character[i]) & 0xC0) == 0x80;
      if (whole) {
        message =
            fmt::format("'{}' is not an ASCII character; outside comments the text is ASCII", character);
        for (const Spelling &s : spellings)
          if (s.typed == character)
            message = fmt::format("'{}' is not an ASCII character: write '{}'", character, s.ein);
        at += length;
      } else {
        message = fmt::format("byte 0x{:02X} is not ASCII; outside comments the text is ASCII", c);
      }
      skipWhile([](unsigned char b) { return b >= 0x80; });
    } else if (c < 0x20 || c == 0x7F) {
      message = fmt::format("control character 0x{:02X} in the text; is this an .ein file?", c);
      at = text.size();
      list.binary = true;
    } else {
      ++at;
      switch (c) {
      case '#':
        message = "'#' is no part of the language; a comment begins with '//'";
        break;
      case '&':
        message = "'&' is no operator here: write 'and'";
        break;
      case '!':
        message = "'!' is no operator here: write 'not', or '!=' for unequal";
        break;
      case '%':
        message = "'%' is no operator here: write 'mod'";
        break;
      case '.':
        message = "'.' stands alone here; a number is written as in 0.5";
        break;
      case '"':
      case '\'':
        message = "the language has no texts in quotes";
        break;
      default:
        message = fmt::format("unexpected character '{}'", static_cast<char>(c));
      }
      if (c == '#') // the rest of the line was meant as a comment
        at = std::min(text.find('\n', at), text.size());
      else
        while (peek() == static_cast<char>(c))
          ++at;
    }
    diagnostics.error("ein-r1", range(begin, at), std::move(message));
    add(TokenKind::Bad, begin, at);
  }

  void pairBrackets() {
    std::vector<int32_t> open;
    auto closerOf = [](char c) { return c == '(' ? ')' : c == '[' ? ']' : '}'; };
    for (int32_t i = 0; i < static_cast<int32_t>(list.tokens.size()); ++i) {
      Token &token = list.tokens[i];
      if (token.kind != TokenKind::Punctuation || token.text.size() != 1)
        continue;
      char c = token.text[0];
      if (c == '(' || c == '[' || c == '{') {
        open.push_back(i);
      } else if (c == ',' && !open.empty()) {
        list.tokens[open.back()].hasComma = true;
      } else if (c == ')' || c == ']' || c == '}') {
        // An unclosed inner bracket does not steal the partner of an outer one;
        // the search is bounded, as nesting is, and `)` never reaches beyond `{`.
        int32_t depth = static_cast<int32_t>(open.size()) - 1;
        int32_t stop = std::max(depth - 1000, -1);
        while (depth > stop && closerOf(list.tokens[open[depth]].text[0]) != c)
          depth = c != '}' && list.tokens[open[depth]].text[0] == '{' ? stop : depth - 1;
        if (depth <= stop)
          continue;
        list.tokens[open[depth]].partner = i;
        token.partner = open[depth];
        open.resize(depth);
      }
    }
  }
};

} // namespace

bool isKeyword(std::string_view text) {
  return std::find(std::begin(keywords), std::end(keywords), text) != std::end(keywords);
}

bool isReductionOperator(std::string_view text) {
  return std::find(std::begin(operators), std::end(operators), text) != std::end(operators);
}

TokenList lex(Diagnostics &diagnostics, uint32_t file) { return Lexer(diagnostics, file).run(); }

} // namespace einfall::frontend

//===- Format.cpp - canonical layout of .ein text ------------------------------===//
//
// Formatting changes blanks and line ends, nothing else: the output is the
// token sequence of the input, laid out anew. Therefore it parses to the same
// tree by construction, a comment stays behind the token it followed, and the
// result depends on the tokens alone, which makes the formatter idempotent.
//
// The syntax tree is only asked where statements begin and end. Spacing is a
// question about two neighbours (`Spacing`); a line that is too long breaks at
// the loosest operator that still fits (`fill`).
//
//===----------------------------------------------------------------------===//
#include "frontend/Frontend.h"
#include "frontend/Lexer.h"
#include <algorithm>

namespace einfall::frontend {

namespace {

constexpr size_t lineWidth = 110;
constexpr size_t bodyIndent = 2;
/// Left sides that exceed the shortest of their block by more do not move the others.
constexpr size_t alignReach = 10;

/// What a token is, beyond its text, and how it stands to its predecessor.
struct Piece {
  std::string_view text;
  size_t space = 0;                           ///< blanks before it, when on the line of its predecessor
  int breakLevel = 0;                         ///< 0: no line may begin here; smaller breaks first
  std::vector<const ast::Comment *> comments; ///< between it and the next token
  bool firstOnLine = false;
  Range range;
};

/// Computes `space` and `breakLevel` of every token in one walk with a bracket stack.
class Spacing {
public:
  explicit Spacing(const std::vector<Token> &tokens) : tokens(tokens) {}

  std::vector<Piece> run() {
    std::vector<Piece> pieces;
    for (at = 0; tokens[at].kind != TokenKind::End; ++at) {
      Piece piece;
      piece.text = tokens[at].text;
      piece.firstOnLine = tokens[at].firstOnLine;
      piece.range = tokens[at].range;
      classify();
      piece.space = at == 0 ? 0 : spaceBefore();
      piece.breakLevel = breakBefore();
      advance();
      pieces.push_back(std::move(piece));
    }
    return pieces;
  }

private:
  const std::vector<Token> &tokens;
  size_t at = 0;

  enum class Bracket { List, Subscript, Reduction, Tuple, Group, Body };
  struct Open {
    Bracket kind;
    bool compact = false; ///< Subscript, Tuple: the entry has arithmetic only
  };
  std::vector<Open> open;
  // Of the current token and its predecessor.
  bool binary = false, prefix = false, barOpens = false, castAngle = false;
  bool previousPrefix = false, previousOpens = false, previousReduction = false, inBar = false;

  std::string_view text(size_t i) const { return i < tokens.size() ? tokens[i].text : std::string_view(); }
  bool punctuation(size_t i, std::string_view t) const {
    return i < tokens.size() && tokens[i].kind == TokenKind::Punctuation && tokens[i].text == t;
  }
  bool word(size_t i) const {
    TokenKind k = tokens[i].kind;
    return k == TokenKind::Name || k == TokenKind::Keyword || k == TokenKind::Operator;
  }

  /// Whether an operand ends with the token before the current one.
  bool afterOperand() const {
    if (at == 0)
      return false;
    const Token &p = tokens[at - 1];
    switch (p.kind) {
    case TokenKind::Name:
    case TokenKind::Integer:
    case TokenKind::Float:
      return true;
    case TokenKind::Keyword:
      return p.text == "inf" || p.text == "true" || p.text == "false";
    case TokenKind::Punctuation:
      if (p.text == "]")
        return !previousReduction;
      return p.text == ")" || (p.text == "|" && !previousOpens);
    default:
      return false;
    }
  }

  static int precedence(std::string_view t) {
    if (t == "then" || t == "else")
      return 1;
    if (t == "or")
      return 2;
    if (t == "and")
      return 3;
    if (t == "<" || t == "<=" || t == ">" || t == ">=" || t == "==" || t == "!=")
      return 4;
    if (t == "+" || t == "-")
      return 5;
    if (t == "*" || t == "/" || t == "div" || t == "mod")
      return 6;
    return 0;
  }

  void classify() {
    std::string_view t = tokens[at].text;
    castAngle = (t == "<" && at > 0 && tokens[at - 1].text == "cast") ||
                (t == ">" && at > 2 && tokens[at - 3].text == "cast");
    barOpens = punctuation(at, "|") && !inBar;
    bool operand = afterOperand();
    prefix = t == "-" && !operand;
    binary = !castAngle && operand && (precedence(t) > 1 || t == "^");
  }

  /// Blanks between the previous token and this one.
  size_t spaceBefore() const {
    std::string_view t = tokens[at].text, p = tokens[at - 1].text;
    bool compact = !open.empty() && open.back().compact;
    if (t == ")" || t == "]" || t == "," || t == ";" || castAngle)
      return 0;
    if (p == "(" || p == "[" || previousPrefix || previousOpens || (punctuation(at, "|") && !barOpens))
      return 0;
    if (p == "<" && at > 1 && tokens[at - 2].text == "cast")
      return 0;
    if (p == ",")
      return !open.empty() && (open.back().kind == Bracket::Subscript || open.back().kind == Bracket::Tuple)
                 ? 0
                 : 1;
    if (t == "[")
      return word(at - 1) ? 0 : 1;
    if (t == "(") {
      TokenKind k = tokens[at - 1].kind;
      bool castEnds = p == ">" && at > 3 && tokens[at - 4].text == "cast";
      if (castEnds || k == TokenKind::Name || k == TokenKind::Operator)
        return 0;
    }
    if (t == "^" || (p == "^" && tokens[at - 1].kind == TokenKind::Punctuation))
      return 0;
    if (compact && (binary || isArithmetic(p)))
      return 0;
    return 1;
  }
  static bool isArithmetic(std::string_view t) { return t == "+" || t == "-" || t == "*" || t == "/"; }

  /// How readily a line may begin with this token: outer brackets and looser
  /// operators first.
  int breakBefore() const {
    int depth = static_cast<int>(
        std::count_if(open.begin(), open.end(), [](const Open &o) { return o.kind != Bracket::Body; }));
    std::string_view t = tokens[at].text;
    int base = depth * 16;
    if (t == "->")
      return base + 1;
    if (at > 0 && (tokens[at - 1].text == "," || tokens[at - 1].text == ";"))
      return base + (open.empty() || open.back().kind == Bracket::List ? 1 : 8);
    if (t == "then" || (t == "else" && tokens[at].kind == TokenKind::Keyword))
      return base + 1;
    if (binary && t != "^")
      return base + precedence(t);
    if (t == "where" || t == "init")
      return base + 1;
    return 0;
  }

  void advance() {
    const Token &token = tokens[at];
    previousPrefix = prefix;
    previousOpens = barOpens;
    if (token.kind == TokenKind::Punctuation) {
      if (token.text == "|")
        inBar = barOpens;
      if (token.text == "(" || token.text == "[" || token.text == "{")
        open.push_back({kindOfBracket(), false});
      bool closes = token.text == ")" || token.text == "]" || token.text == "}";
      if (closes && !open.empty()) {
        previousReduction = open.back().kind == Bracket::Reduction;
        open.pop_back();
      }
      if (!open.empty() && !closes && (token.text == "," || token.text == "[" || token.text == "("))
        open.back().compact = entryIsArithmetic(at + 1);
    }
  }

  Bracket kindOfBracket() const {
    std::string_view t = tokens[at].text;
    if (t == "{")
      return Bracket::Body;
    if (t == "[")
      return at > 0 && tokens[at - 1].kind == TokenKind::Operator ? Bracket::Reduction : Bracket::Subscript;
    bool inSubscript =
        !open.empty() && (open.back().kind == Bracket::Subscript || open.back().kind == Bracket::Tuple);
    std::string_view p = text(at - 1);
    if (inSubscript && tokens[at].hasComma && (p == "[" || p == "," || p == "("))
      return Bracket::Tuple;
    if (inSubscript && !tokens[at].hasComma && open.back().compact && !word(at - 1))
      return Bracket::Group;
    return Bracket::List;
  }

  /// `m-1`, `n*|C|` in a subscript are written without blanks; anything with a
  /// word (`m div 2`), a comparison or a replaced variable keeps them.
  bool entryIsArithmetic(size_t i) const {
    Bracket kind = open.back().kind;
    if (kind != Bracket::Subscript && kind != Bracket::Tuple && kind != Bracket::Group)
      return false;
    if (open.front().kind != Bracket::Body) // a header: ptr[B + 1]
      return false;
    for (int depth = 0; i < tokens.size() && tokens[i].kind != TokenKind::End; ++i) {
      const Token &token = tokens[i];
      if (token.kind == TokenKind::Punctuation) {
        if ((token.text == "[" || token.text == "(") && token.partner > 0 &&
            (token.text == "[" || tokens[i - 1].kind == TokenKind::Name)) {
          i = token.partner; // decides for itself
          continue;
        }
        if (token.text == "(")
          ++depth;
        if (token.text == ")" || token.text == "]") {
          if (depth-- == 0)
            return true;
        }
        if (token.text == "," && depth == 0)
          return true;
        if (token.text == "=" || precedence(token.text) == 4)
          return false;
      }
      if (token.kind == TokenKind::Keyword && token.text != "inf")
        return false;
      if (token.kind == TokenKind::Operator)
        return false;
    }
    return true;
  }
};

struct Line {
  std::string text;    ///< empty: a blank line
  std::string comment; ///< behind the text
};

class Formatter {
public:
  Formatter(const ast::File &file, const Source &source) : file(file) {
    Diagnostics scratch;
    scratch.sources.push_back(std::make_shared<Source>(source));
    list = lex(scratch, 0);
    // The token texts point into the copy; `source` lives as long as we do.
    for (Token &token : list.tokens)
      token.text = source.text().substr(token.range.begin, token.range.end - token.range.begin);
    text = source.text();
    pieces = Spacing(list.tokens).run();
    size_t next = 0;
    for (const ast::Comment &comment : list.comments) {
      while (next < pieces.size() && pieces[next].range.begin < comment.range.begin)
        ++next;
      (next == 0 ? leading : pieces[next - 1].comments).push_back(&comment);
    }
  }

  std::string run() {
    emitOwnComments(leading, 0, 0, /*keepBlankBefore=*/false);
    for (const ast::Item &item : file.items)
      item.cascade ? cascade(*item.cascade) : function(*item.function);
    return join();
  }

private:
  const ast::File &file;
  std::string_view text;
  TokenList list;
  std::vector<Piece> pieces;
  std::vector<const ast::Comment *> leading;
  std::vector<Line> lines;

  // ---- pieces ----

  size_t indexAt(uint32_t offset) const {
    auto found = std::lower_bound(pieces.begin(), pieces.end(), offset,
                                  [](const Piece &piece, uint32_t o) { return piece.range.begin < o; });
    return found - pieces.begin();
  }
  size_t indexAfter(Range range) const { return indexAt(range.end); }

  bool commentsInside(size_t from, size_t to) const {
    for (size_t i = from; i + 1 < to; ++i)
      if (!pieces[i].comments.empty())
        return true;
    return false;
  }

  /// The pieces on one line.
  std::string flat(size_t from, size_t to) const {
    std::string out;
    for (size_t i = from; i < to; ++i) {
      if (i > from)
        out.append(pieces[i].space, ' ');
      out += pieces[i].text;
    }
    return out;
  }

  // ---- lines ----

  bool blankBetween(uint32_t from, uint32_t to) const {
    int ends = 0;
    for (char c : text.substr(from, to - from))
      ends += c == '\n';
    return ends > 1;
  }
  void blankLine() {
    if (!lines.empty() && !lines.back().text.empty())
      lines.push_back({});
  }
  void trailing(const ast::Comment &comment) { lines.back().comment = comment.text; }

  /// Comments after piece `i`: the one on its line, then those on their own,
  /// then a blank line if the author left one before what follows.
  void commentsAfter(size_t i, size_t indent, bool last) {
    uint32_t end = pieces[i].range.end;
    for (const ast::Comment *comment : pieces[i].comments) {
      if (!comment->ownLine) {
        trailing(*comment);
      } else {
        if (blankBetween(end, comment->range.begin))
          blankLine();
        lines.push_back({std::string(indent, ' ') + comment->text, {}});
      }
      end = comment->range.end;
    }
    if (!last && i + 1 < pieces.size() && blankBetween(end, pieces[i + 1].range.begin))
      blankLine();
  }
  void emitOwnComments(const std::vector<const ast::Comment *> &comments, uint32_t from, size_t indent,
                       bool keepBlankBefore) {
    for (const ast::Comment *comment : comments) {
      if (keepBlankBefore && blankBetween(from, comment->range.begin))
        blankLine();
      lines.push_back({std::string(indent, ' ') + comment->text, {}});
      from = comment->range.end;
      keepBlankBefore = true;
    }
    if (!comments.empty() && !pieces.empty() && blankBetween(from, pieces[0].range.begin))
      blankLine();
  }

  /// Writes pieces [from, to) after `lead`, breaking where a comment demands it
  /// or the width does; continuation lines begin at column `hang`.
  void fill(std::string lead, size_t from, size_t to, size_t hang) {
    std::string current = std::move(lead);
    size_t begin = from; // first piece of the current line
    while (begin < to) {
      // As far as the line reaches.
      size_t stop = begin, width = current.size();
      while (stop < to) {
        size_t more = (stop > begin ? pieces[stop].space : 0) + pieces[stop].text.size();
        if (stop > begin && width + more > lineWidth)
          break;
        width += more;
        ++stop;
        if (!pieces[stop - 1].comments.empty() && stop < to)
          break;
      }
      bool forced = stop < to && !pieces[stop - 1].comments.empty();
      if (stop < to && !forced) {
        size_t best = 0;
        for (size_t i = begin + 1; i <= stop; ++i)
          if (pieces[i].breakLevel && (!best || pieces[i].breakLevel <= pieces[best].breakLevel))
            best = i;
        for (size_t i = stop + 1; !best && i < to; ++i)
          if (pieces[i].breakLevel || !pieces[i - 1].comments.empty())
            best = i;
        stop = best ? best : to;
      }
      for (size_t i = begin; i < stop; ++i) {
        if (i > begin)
          current.append(pieces[i].space, ' ');
        current += pieces[i].text;
        if (!pieces[i].comments.empty() && i + 1 < stop) { // only when no break was possible before
          stop = i + 1;
          break;
        }
      }
      lines.push_back({current, {}});
      if (stop < to && !pieces[stop - 1].comments.empty())
        commentsAfter(stop - 1, hang, /*last=*/true);
      begin = stop;
      current = std::string(hang, ' ');
    }
  }

  // ---- cascades ----

  void cascade(const ast::Cascade &cascade) {
    size_t begin = indexAt(cascade.range.begin), end = indexAfter(cascade.range);
    size_t brace = begin;
    while (pieces[brace].text != "{")
      ++brace;
    // `cascade name(` and everything after it hangs at the parenthesis, the
    // outputs on a line of their own if they do not fit behind the inputs.
    size_t hang = flat(begin, begin + 3).size();
    size_t arrow = begin;
    while (pieces[arrow].text != "->")
      ++arrow;
    fill("", begin, arrow, hang);
    std::string outputs = flat(arrow, brace + 1);
    if (!commentsInside(arrow - 1, brace + 1) && lines.back().text.size() + 1 + outputs.size() <= lineWidth) {
      lines.back().text += " " + outputs;
    } else {
      if (!pieces[arrow - 1].comments.empty())
        commentsAfter(arrow - 1, 4, true);
      fill("    ", arrow, brace + 1, 4 + 4);
    }
    commentsAfter(brace, bodyIndent, true);
    body(cascade.body);
    dropBlank();
    lines.push_back({std::string(pieces[end - 1].text), {}});
    commentsAfter(end - 1, 0, false);
  }

  void dropBlank() {
    while (!lines.empty() && lines.back().text.empty())
      lines.pop_back();
  }

  size_t equals(size_t from, size_t to) const {
    while (from < to && pieces[from].text != "=")
      ++from;
    return from;
  }

  struct Statement {
    size_t begin, end;
    bool equation;
    std::vector<size_t> clauses; ///< where, init
  };

  void body(const std::vector<ast::Stmt> &stmts) {
    std::vector<Statement> all;
    for (const ast::Stmt &stmt : stmts) {
      Statement s{
          indexAt(stmt.range.begin), indexAfter(stmt.range), stmt.form == ast::Stmt::Form::Equation, {}};
      for (const ast::ExprPtr &clause : {stmt.where, stmt.init})
        if (clause)
          s.clauses.push_back(indexAt(clause->range.begin) - 1);
      all.push_back(std::move(s));
    }
    statements(all);
  }

  /// Statements one a line, `=` aligned in each block of consecutive equations.
  void statements(const std::vector<Statement> &all) {
    for (size_t i = 0; i < all.size();) {
      size_t blockEnd = i + 1;
      if (all[i].equation)
        while (blockEnd < all.size() && all[blockEnd].equation && !gapAfter(all[blockEnd - 1].end - 1))
          ++blockEnd;
      size_t width = alignment(all, i, blockEnd);
      for (; i < blockEnd; ++i)
        statement(all[i], all[i].equation ? width : 0, i + 1 == all.size());
    }
  }

  bool gapAfter(size_t i) const {
    uint32_t end = pieces[i].range.end;
    for (const ast::Comment *comment : pieces[i].comments) {
      if (blankBetween(end, comment->range.begin))
        return true;
      end = comment->range.end;
    }
    return i + 1 < pieces.size() && blankBetween(end, pieces[i + 1].range.begin);
  }

  size_t alignment(const std::vector<Statement> &all, size_t from, size_t to) const {
    size_t shortest = SIZE_MAX, width = 0;
    std::vector<size_t> sizes;
    for (size_t i = from; i < to; ++i) {
      sizes.push_back(flat(all[i].begin, equals(all[i].begin, all[i].end)).size());
      shortest = std::min(shortest, sizes.back());
    }
    for (size_t size : sizes)
      if (size <= shortest + alignReach)
        width = std::max(width, size);
    return width;
  }

  void statement(const Statement &s, size_t width, bool last) {
    size_t equal = equals(s.begin, s.end);
    std::string lead = std::string(bodyIndent, ' ');
    if (commentsInside(s.begin, equal + 1)) {
      fill(lead, s.begin, equal + 1, bodyIndent + 4);
      lines.back().text += lines.back().comment.empty() && pieces[equal].comments.empty() ? " " : "";
      if (!pieces[equal].comments.empty()) {
        commentsAfter(equal, bodyIndent + 4, true);
        lead = std::string(bodyIndent + 4, ' ');
      } else {
        lead = lines.back().text;
        lines.pop_back();
      }
    } else {
      std::string left = flat(s.begin, equal);
      lead += left + std::string(width > left.size() ? width - left.size() : 0, ' ') + " =";
      if (!pieces[equal].comments.empty()) {
        lines.push_back({lead, {}});
        commentsAfter(equal, bodyIndent + 4, true);
        lead = std::string(bodyIndent + 4, ' ');
      } else {
        lead += ' ';
      }
    }
    size_t hang = lead.size() + 2;
    size_t from = equal + 1;
    size_t valueEnd = s.clauses.empty() ? s.end : s.clauses[0];
    size_t linesBefore = lines.size();
    fill(lead, from, valueEnd, hang);
    bool wrapped = lines.size() > linesBefore + 1;
    for (size_t c = 0; c < s.clauses.size(); ++c) {
      size_t begin = s.clauses[c], end = c + 1 < s.clauses.size() ? s.clauses[c + 1] : s.end;
      clause(begin, end, hang, wrapped);
    }
    commentsAfter(s.end - 1, bodyIndent, last);
  }

  /// `where ..` and `init ..` stay on the line of a short value while they fit.
  void clause(size_t begin, size_t end, size_t hang, bool wrapped) {
    bool commented = !pieces[begin - 1].comments.empty();
    if (commented)
      commentsAfter(begin - 1, hang, true);
    std::string words = flat(begin, end);
    if (!wrapped && !commented && !commentsInside(begin, end) && lines.back().comment.empty() &&
        lines.back().text.size() + 3 + words.size() <= lineWidth)
      lines.back().text += "   " + words;
    else
      fill(std::string(hang, ' '), begin, end, hang + 2);
  }

  // ---- functions ----

  void function(const ast::Function &function) {
    size_t begin = indexAt(function.range.begin), end = indexAfter(function.range);
    size_t brace = begin;
    while (pieces[brace].text != "{")
      ++brace;
    std::vector<Statement> all;
    for (const ast::Local &local : function.locals)
      all.push_back({indexAt(local.name.range.begin), indexAfter(local.value->range), true, {}});
    size_t result = indexAt(function.result->range.begin) - 1;

    std::string line = flat(begin, brace + 1);
    for (const Statement &s : all)
      line += (&s == &all[0] ? " " : "  ") + flat(s.begin, s.end);
    line += (all.empty() ? " " : "  ") + flat(result, end);
    if (!pieces[brace + 1].firstOnLine && !commentsInside(begin, end) && line.size() <= lineWidth) {
      lines.push_back({line, {}});
    } else {
      fill("", begin, brace + 1, bodyIndent + 4);
      commentsAfter(brace, bodyIndent, true);
      statements(all);
      fill(std::string(bodyIndent, ' '), result, end - 1, bodyIndent + 4);
      commentsAfter(end - 2, bodyIndent, true);
      dropBlank();
      lines.push_back({std::string(pieces[end - 1].text), {}});
    }
    commentsAfter(end - 1, 0, false);
  }

  // ---- text ----

  /// Comments behind consecutive lines stand in one column.
  std::string join() {
    dropBlank();
    std::string out;
    for (size_t i = 0; i < lines.size();) {
      size_t end = i, column = 0;
      for (; end < lines.size() && !lines[end].comment.empty(); ++end)
        column = std::max(column, lines[end].text.size() + 2);
      if (end == i) {
        out += lines[i++].text + "\n";
        continue;
      }
      for (; i < end; ++i)
        out += lines[i].text + std::string(column - lines[i].text.size(), ' ') + lines[i].comment + "\n";
    }
    return out;
  }
};

} // namespace

std::string format(const ast::File &file, const Source &source) { return Formatter(file, source).run(); }

} // namespace einfall::frontend

//===- Lexer.h - tokens of .ein text ------------------------------------------===//
//
// Line ends mean nothing, so a token only remembers whether it is the first on
// its line (used to recover from errors, never to decide what a text means).
// After lexing every bracket knows its partner: that makes the two places where
// the grammar needs to look ahead - "does an equation start here?" and "is this
// `(` a tuple?" - constant-time questions.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "frontend/Ast.h"
#include "frontend/Source.h"
#include <cstdint>
#include <string_view>
#include <vector>

namespace einfall::frontend {

enum class TokenKind : uint8_t {
  Name,
  Keyword,
  Operator, ///< Operator: a reserved name of ein-r18, such as `sum`
  Integer,
  Float,
  Punctuation,
  Bad, ///< reported by the lexer already
  End
};

struct Token {
  TokenKind kind = TokenKind::End;
  Range range;
  std::string_view text;
  bool firstOnLine = false;
  uint32_t column = 0;   ///< bytes before it on its line
  bool hasComma = false; ///< an opening bracket with a comma directly inside
  int32_t partner = -1;  ///< brackets: index of the matching one
};

struct TokenList {
  std::vector<Token> tokens; ///< ends with one `End`
  std::vector<ast::Comment> comments;
  bool binary = false; ///< stopped at a control character: this is no text
};

/// Reserved words of the grammar, and the operators of ein-r18.
bool isKeyword(std::string_view text);
bool isReductionOperator(std::string_view text);

TokenList lex(Diagnostics &diagnostics, uint32_t file);

} // namespace einfall::frontend

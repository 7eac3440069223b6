//===- SourceTest.cpp - positions and rendered diagnostics ----------------------===//
#include "SyntaxSupport.h"
#include <catch2/catch.hpp>

using namespace einfall::frontend;

static Diagnostics over(std::string text) {
  Diagnostics d;
  d.sources.push_back(std::make_shared<Source>("mha.ein", std::move(text)));
  return d;
}

TEST_CASE("positions are lines and characters, from one") {
  Source s("a", "ab\n\xC3\xA9x\r\n");
  CHECK(s.position(0).line == 1);
  CHECK(s.position(3).column == 1);
  CHECK(s.position(5).column == 2);
  CHECK(s.lineAt(2) == "\xC3\xA9x");
  CHECK(s.lineAt(3) == "");
  CHECK(s.lineAt(9) == "");
}

TEST_CASE("an error with its range, a fix and a note, in the order of the text") {
  Diagnostics d = over("X = 1\n\tD[p] = sum[m] N where m\n");
  d.error("ein-r3", {23, 30, 0}, "second");
  auto &e = d.error("ein-r11", {7, 11, 0}, "first");
  e.notes.push_back({{0, 1, 0}, "here"});
  e.fixIt = FixIt{{7, 8, 0}, "Q"};
  CHECK(d.render() == "mha.ein:2:2: error: first [ein-r11]\n"
                      "          D[p] = sum[m] N where m\n"
                      "          ^~~~\n"
                      "  fix: Q[p] = sum[m] N where m\n"
                      "mha.ein:1:1: note: here\n"
                      "  X = 1\n"
                      "  ^\n"
                      "mha.ein:2:18: error: second [ein-r3]\n"
                      "          D[p] = sum[m] N where m\n"
                      "                          ^~~~~~~\n");
}

TEST_CASE("a range without place has no line; colours are escapes only") {
  Diagnostics d = over("X\n");
  d.error("ein-r9", {}, "no rank 'Z'");
  CHECK(d.render() == "mha.ein: error: no rank 'Z' [ein-r9]\n");
  std::string colored = d.render(true), plain;
  for (size_t i = 0; i < colored.size(); ++i)
    if (colored[i] == '\033')
      i = colored.find('m', i);
    else
      plain += colored[i];
  CHECK(plain == d.render());
}

TEST_CASE("long lines are cut around the range, control bytes never reach the terminal") {
  Diagnostics d = over(std::string(1000, 'a') + "B" + std::string(1000, 'c') + "\x1b[31m");
  d.error("ein-r1", {1000, 1001, 0}, "here");
  d.error("ein-r1", {2001, 2004, 0}, "there");
  std::string out = d.render();
  CHECK(out.size() < 800);
  CHECK(out.find('\x1b') == std::string::npos);
  size_t line = out.find("  ...aaa"), caret = out.find('^');
  CHECK(out[line + (caret - out.find('\n', line) - 1)] == 'B');
}

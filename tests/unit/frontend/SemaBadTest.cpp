//===- SemaBadTest.cpp - every rule refuses what it must ----------------------===//
//
// Each file of tests/bad says in its first lines what is wrong with it:
//
//     // expect: ein-r6 at 4:12 "'k' ranges over P"
//
// and exactly those diagnostics must appear, no more: one mistake is one error.
//
//===----------------------------------------------------------------------===//
#include "frontend/Frontend.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

using namespace einfall::frontend;

TEST_CASE("tests/bad: exactly the expected diagnostics", "[sema]") {
  namespace fs = std::filesystem;
  fs::path folder = fs::path(__FILE__).parent_path() / ".." / ".." / "bad";
  std::vector<fs::path> files;
  for (const auto &entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".ein")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() > 100);
  const std::regex expectation("// expect: (\\S+) at (\\d+):(\\d+) \"(.*)\"");
  for (const fs::path &file : files) {
    std::ifstream in(file);
    std::stringstream buffer;
    buffer << in.rdbuf();
    const std::string text = buffer.str();
    Result result = load(file.filename().string(), text);
    INFO(file.filename().string() << "\n" << result.diagnostics.render());
    struct Expected {
      std::string rule;
      int line, column;
      std::string substring;
    };
    std::vector<Expected> expected;
    std::stringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::smatch m;
      if (std::regex_match(line, m, expectation))
        expected.push_back({m[1], std::stoi(m[2]), std::stoi(m[3]), m[4]});
    }
    CHECK_FALSE(expected.empty());
    CHECK(result.diagnostics.list().size() == expected.size());
    for (const Expected &e : expected) {
      bool found = false;
      for (const Diagnostic &d : result.diagnostics.list()) {
        if (!d.range.valid() || d.range.file != 0)
          continue;
        auto at = result.diagnostics.sources[0]->position(d.range.begin);
        found |= d.rule == e.rule && at.line == e.line && at.column == e.column &&
                 d.message.find(e.substring) != std::string::npos;
      }
      INFO(e.rule << " at " << e.line << ":" << e.column << " " << e.substring);
      CHECK(found);
    }
  }
}

TEST_CASE("a fix-it that is applied removes the error", "[sema]") {
  namespace fs = std::filesystem;
  fs::path folder = fs::path(__FILE__).parent_path() / ".." / ".." / "bad";
  for (std::string name : {"r11-where-reaches-reduced", "r11-max", "r04-misspelt-tensor", "r04-rank-as-value",
                           "r08-float-subscript", "r04-unknown-function"}) {
    std::ifstream in(folder / (name + ".ein"));
    std::stringstream buffer;
    buffer << in.rdbuf();
    std::string text = buffer.str();
    Result before = load(name, text);
    REQUIRE(before.diagnostics.list().size() == 1);
    const auto &fix = before.diagnostics.list()[0].fixIt;
    INFO(before.diagnostics.render());
    REQUIRE(fix);
    text.replace(fix->range.begin, fix->range.end - fix->range.begin, fix->replacement);
    Result after = load(name, text);
    INFO(text << after.diagnostics.render());
    CHECK(after.diagnostics.empty());
  }
}

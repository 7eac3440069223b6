//===- Explanation.h - what the compiler understood and did -------------------===//
//
// The facts behind `einfall explain`, as values: filled by analysis and by the
// transforms, rendered as prose or JSON by the driver. Keys and meaning follow
// the contract of the command line. Extents are texts such as "|B|*|M|".
//
//===----------------------------------------------------------------------===//
#pragma once
#include <map>
#include <string>
#include <vector>

namespace einfall::analysis {

struct PassCounts {
  std::map<std::string, int> ranks;                         ///< "M" -> 3
  std::map<std::string, std::map<std::string, int>> inputs; ///< "K" -> {"M" -> 2}
};

struct Rewrite {
  std::string name, rank, equation, removes, at, why;
};

struct Barrier {
  std::string rank, from, to, at, why;
};

struct Merge {
  std::string rank;
  std::vector<std::string> state;
  std::string op; ///< text of the merge operator
};

struct KernelInfo {
  std::vector<std::string> equations, parallel, sequential;
  std::map<std::string, std::string> reads; ///< tensor -> elements read, as a text over extents
  std::string flops;
  std::map<std::string, std::string> schedule; ///< tile sizes, lanes, ..
};

struct Materialised {
  std::string tensor, extent, why;
  int tokenRanks = 0; ///< how many of its ranks are streamed (token) ranks
};

struct Mask {
  std::string equation, predicate, empty, full, partial;
};

struct Explanation {
  std::string cascade;
  PassCounts source, derived;
  std::vector<Rewrite> rewrites;
  std::vector<Barrier> barriers;
  std::vector<Merge> merges;
  std::vector<KernelInfo> kernels;
  std::vector<Materialised> materialised;
  std::vector<Mask> masks;
  std::map<std::string, std::string> footprint; ///< tensor -> live elements, derived form
};

} // namespace einfall::analysis

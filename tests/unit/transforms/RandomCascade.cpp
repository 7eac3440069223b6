// Random cascades of the shape that streams have: scores over rows and a streamed
// rank under a mask, then a few maps and reductions, each of earlier ones.
#include "Case.h"
#include <fmt/format.h>
#include <random>

namespace einfall {
namespace {

struct Generator {
  std::mt19937_64 random;
  std::string row, left, stream, ranks, inputs, body; // row: b,j,g,p; left: b,(j,g),p
  std::string keys;                                   // subscripts of the key side: b,j,u
  struct Value {
    std::string name;
    bool positive = false;
    std::string maximum; // of a streamed tensor: the row tensor that is its maximum
  };
  std::vector<Value> streams, rows, wide; // [row,m], [row], [row,f]
  int fresh = 0;

  explicit Generator(uint64_t seed) : random(seed) {}
  size_t below(size_t n) { return random() % n; }
  bool chance(int percent) { return below(100) < static_cast<size_t>(percent); }
  template <typename T>
  T &any(std::vector<T> &list) {
    return list[below(list.size())];
  }
  std::string name(const char *prefix) { return fmt::format("{}{}", prefix, ++fresh); }
  void line(const std::string &text) { body += "  " + text + "\n"; }
  std::string at(const Value &v) { return fmt::format("{}[{},{}]", v.name, row, stream); }
  std::string atRow(const Value &v) { return fmt::format("{}[{}]", v.name, row); }

  void scores() {
    std::string p = "p", m = "m", score, where, M = "M", P = "P";
    std::string first = name("S");
    switch (below(6)) {
    case 0:
      row = left = "p", stream = "m", keys = "m", ranks = "P";
      inputs = "Q[P,E] : f64, K[M,E] : f64, V[M,F] : f64";
      score = "Q[p,e] * K[m,e]";
      break;
    case 1:
      row = left = "b,h,p", stream = "m", keys = "b,h,m", ranks = "B,H,P";
      inputs = "Q[B,H,P,E] : f64, K[B,H,M,E] : f64, V[B,H,M,F] : f64";
      score = "Q[b,h,p,e] * K[b,h,m,e]";
      break;
    case 2:
      line("split H = (J, G)");
      row = "b,j,g,p", left = "b,(j,g),p", stream = "m", keys = "b,j,m", ranks = "B,H,P";
      inputs = "Q[B,H,P,E] : f64, K[B,J,M,E] : f64, V[B,J,M,F] : f64";
      score = "Q[b,(j,g),p,e] * K[b,j,m,e]";
      break;
    case 3:
      row = left = "h,t", stream = "u", keys = "u,h", ranks = "H,T", p = "t", m = "u", M = P = "T";
      inputs = "Q[T,H,E] : f64, K[T,H,E] : f64, V[T,H,F] : f64";
      score = "Q[t,h,e] * K[u,h,e]";
      break;
    case 4: // two key sets
      line("rank U = |L| + |N|");
      row = left = "h,p", stream = "u", keys = "h,u", ranks = "H,P", m = "u", M = "U";
      inputs = "Q[H,P,E] : f64, K1[H,L,E] : f64, K2[H,N,E] : f64, V1[H,L,F] : f64, V2[H,N,F] : f64";
      line("First[h,p,l] = Q[h,p,e] * K1[h,l,e]" + std::string(chance(30) ? "   where l <= p" : ""));
      line("Second[h,p,n] = 0.5 * Q[h,p,e] * K2[h,n,e]" +
           std::string(chance(30) ? "   where n + 1 <= p" : ""));
      line(fmt::format("{}[h,p,u in U] = if u < |L| then First[h,p,u] else Second[h,p,u-|L|]", first));
      line("V[h,u in U,f] = if u < |L| then V1[h,u,f] else V2[h,u-|L|,f]");
      streams.push_back({first});
      return;
    default: // blocks of keys
      line("split M = (N, C = 3)");
      row = left = "h,p", stream = "m", keys = "h,m", ranks = "H,P";
      inputs = "Q[H,P,E] : f64, K[H,M,E] : f64, V[H,M,F] : f64, Use[P,N] : bool";
      line(fmt::format("{}[h,p,(n,c)] = Q[h,p,e] * K[h,(n,c),e]   where Use[p,n]{}", first,
                       chance(50) ? " and n * |C| + c <= p + 2" : ""));
      streams.push_back({first});
      return;
    }
    if (chance(30))
      score = "0.7 * " + score;
    switch (below(9)) {
    case 0:
      where = fmt::format("{} <= {}", m, p);
      break;
    case 1:
      where = fmt::format("{} <= {} + |{}| - |{}|", m, p, M, P);
      break;
    case 2:
      where = fmt::format("{0} - 2 < {1} and {1} <= {0}", p, m);
      break;
    case 3:
      where = fmt::format("{} < Len[{}]", m, p);
      inputs += fmt::format(", Len[{}] : i32", P);
      break;
    case 4:
      where = fmt::format("Pair[{},{}]", p, m);
      inputs += fmt::format(", Pair[{},{}] : bool", P, M);
      break;
    case 5:
      where = fmt::format("{} mod 2 == {} mod 2", m, p);
      break;
    default:
      break;
    }
    line(fmt::format("{}[{},{}] = {}{}{}", first, row, stream, score, where.empty() ? "" : "   where ",
                     where));
    streams.push_back({first});
    if (chance(25)) {
      std::string next = name("S");
      const char *forms[] = {"2 * tanh({} / 2)", "{} - 0.1 * ({p} - {m})", "abs({})", "{} + 0.3"};
      std::string form = forms[below(4)];
      auto replace = [&](const std::string &what, const std::string &by) {
        if (size_t i = form.find(what); i != std::string::npos)
          form.replace(i, what.size(), by);
      };
      replace("{}", at(streams[0]));
      replace("{p}", p);
      replace("{m}", m);
      line(fmt::format("{}[{},{}] = {}", next, row, stream, form));
      streams.push_back({next});
    }
  }

  void rowReduction() {
    Value &s = any(streams);
    std::string filter = chance(15) ? fmt::format(" where {} mod 2 == 0", stream) : "";
    std::string n = name("R");
    switch (below(7)) {
    case 0:
    case 1:
      line(fmt::format("{}[{}] = max[{}] {}", n, row, stream, at(s)));
      s.maximum = n;
      rows.push_back({n});
      break;
    case 2:
      line(fmt::format("{}[{}] = min[{}{}] {}", n, row, stream, filter, at(s)));
      rows.push_back({n});
      break;
    case 3:
      line(fmt::format("{}[{}] = cast<f64>(count[{}] ({} > 0.1))", n, row, stream, at(s)));
      rows.push_back({n});
      break;
    case 4:
      line(fmt::format("{}[{}] = mean[{}] {}", n, row, stream, at(s)));
      rows.push_back({n});
      break;
    default:
      line(fmt::format("{}[{}] = sum[{}{}] {}", n, row, stream, filter, at(s)));
      rows.push_back({n, s.positive && filter.empty()});
    }
  }

  void streamMap() {
    Value s = any(streams);
    std::string n = name("T"), text;
    bool positive = false;
    switch (rows.empty() ? 6 + below(3) : below(9)) {
    case 0:
    case 1:
    case 2:
      if (!s.maximum.empty()) {
        text = fmt::format("exp({} - {}[{}])", at(s), s.maximum, row);
        positive = true;
        break;
      }
      [[fallthrough]];
    case 3: {
      Value &r = any(rows);
      text = r.positive ? fmt::format("{} / {}", at(s), atRow(r)) : fmt::format("{} - {}", at(s), atRow(r));
      positive = s.positive && r.positive;
      break;
    }
    case 4:
      text = fmt::format("{} * {}", at(s), atRow(any(rows)));
      break;
    case 5:
      text = fmt::format("({0} - {1}) * ({0} - {1})", at(s), atRow(any(rows)));
      break;
    case 6:
      text = fmt::format("{} * {}", at(s), at(any(streams)));
      break;
    case 7:
      text = fmt::format("if {0} > 0 then {0} else 0.5 * {0}", at(s));
      break;
    default:
      text = fmt::format("exp(tanh({}))", at(s));
      positive = true;
    }
    line(fmt::format("{}[{},{}] = {}{}", n, row, stream, text,
                     chance(8) ? fmt::format("   where {} != 1", stream) : ""));
    streams.push_back({n, positive});
  }

  void rowMap() {
    if (rows.empty())
      return;
    Value a = any(rows), b = any(rows);
    std::string n = name("Y");
    switch (below(4)) {
    case 0:
      line(fmt::format("{}[{}] = {} + log(1 + {} * {})", n, row, atRow(a), atRow(b), atRow(b)));
      break;
    case 1:
      line(fmt::format("{}[{}] = max({}, {})", n, row, atRow(a), atRow(b)));
      break;
    case 2:
      line(fmt::format("{}[{}] = 0.5 * {}", n, row, atRow(a)));
      break;
    default:
      line(fmt::format("{}[{}] = {} - {}", n, row, atRow(a), atRow(b)));
    }
    rows.push_back({n});
  }

  void contraction() {
    std::string n = name("W");
    if (!wide.empty() && chance(40))
      line(fmt::format("{0}[{1},f] = sum[{2}] {3} * (V[{4},f] - {5}[{1},f]) * (V[{4},f] - {5}[{1},f])", n,
                       row, stream, at(any(streams)), keys, any(wide).name));
    else
      line(fmt::format("{}[{},f] = {} * V[{},f]", n, row, at(any(streams)), keys));
    wide.push_back({n});
  }

  std::string text() {
    scores();
    int steps = 3 + static_cast<int>(below(7));
    rowReduction();
    for (int i = 0; i < steps; ++i)
      switch (below(8)) {
      case 0:
      case 1:
        rowReduction();
        break;
      case 2:
        rowMap();
        break;
      case 3:
      case 4:
        contraction();
        break;
      default:
        streamMap();
      }
    rowReduction();
    contraction();
    std::string outputs = fmt::format("O[{},F] : f64", ranks);
    line(fmt::format("O[{},f] = {}[{},f]", left, wide.back().name, row));
    line(fmt::format("Z[{}] = {}", left, atRow(rows.back())));
    outputs += fmt::format(", Z[{}] : f64", ranks);
    if (chance(50)) {
      line(fmt::format("Y[{}] = {}", left, atRow(any(rows))));
      outputs += fmt::format(", Y[{}] : f64", ranks);
    }
    if (chance(15)) {
      line(fmt::format("A[{},{}] = {}", left, stream, at(streams.back())));
      outputs += fmt::format(", A[{},{}] : f64", ranks, stream == "m" ? "M" : ranks == "H,T" ? "T" : "U");
    }
    return fmt::format("cascade c({}) -> ({}) {{\n{}}}\n", inputs, outputs, body);
  }
};

} // namespace

std::string randomCascade(uint64_t seed) { return Generator(seed).text(); }

} // namespace einfall

#include "tools/einfall/Command.h"
namespace einfall::cli {
void addBench(CLI::App &, Action &) {}
} // namespace einfall::cli

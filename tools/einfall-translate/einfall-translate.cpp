//===- einfall-translate.cpp - .ein text to ein operations and back ------------===//
//
//   einfall-translate --import-ein file.ein      checked cascades as operations
//   einfall-translate --export-ein file.mlir     .ein text of the operations
//
// Errors of the frontend go through MLIR's diagnostic engine, so that
// `--verify-diagnostics --split-input-file` tests them in plain .ein files.
//
//===----------------------------------------------------------------------===//
#include "dialects/ein/ir/Convert.h"
#include "frontend/Frontend.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "tools/common/Registration.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
namespace ein = einfall::ein;
namespace frontend = einfall::frontend;

/// A place of the text; without one, its first line.
static Location locate(MLIRContext *context, const frontend::Diagnostics &diagnostics,
                       frontend::Range range) {
  if (range.file >= diagnostics.sources.size())
    return UnknownLoc::get(context);
  const frontend::Source &source = *diagnostics.sources[range.file];
  auto begin = source.position(range.begin), end = source.position(range.end);
  return ein::ir::locationOf(context, source.name(), {begin.line, begin.column, end.line, end.column});
}

static void report(MLIRContext *context, const frontend::Diagnostics &diagnostics) {
  for (const frontend::Diagnostic &d : diagnostics.list()) {
    InFlightDiagnostic error = emitError(locate(context, diagnostics, d.range));
    error << d.message << " [" << d.rule << "]";
    for (const frontend::Note &note : d.notes)
      error.attachNote(locate(context, diagnostics, note.range)) << note.message;
  }
}

static OwningOpRef<Operation *> importEin(const std::shared_ptr<llvm::SourceMgr> &sources,
                                          MLIRContext *context) {
  const llvm::MemoryBuffer *buffer = sources->getMemoryBuffer(sources->getMainFileID());
  frontend::Result result = frontend::load(buffer->getBufferIdentifier().str(), buffer->getBuffer().str());
  if (!result.diagnostics.empty()) {
    report(context, result.diagnostics);
    return nullptr;
  }
  return OwningOpRef<Operation *>(ein::ir::toModule(context, result.cascades).release());
}

static LogicalResult exportEin(Operation *op, llvm::raw_ostream &out) {
  LogicalResult result = success();
  bool first = true;
  op->walk([&](ein::ir::CascadeOp cascade) {
    std::optional<ein::Cascade> value = ein::ir::fromOps(cascade);
    if (!value) {
      result = failure();
      return;
    }
    out << (first ? "" : "\n") << ein::print(*value);
    first = false;
  });
  return result;
}

int main(int argc, char **argv) {
  TranslateToMLIRRegistration import(
      "import-ein", "check .ein text and give its cascades as operations", importEin,
      [](DialectRegistry &registry) { einfall::tools::registerDialects(registry); });
  TranslateFromMLIRRegistration export_(
      "export-ein", "print ein operations as .ein text", exportEin,
      [](DialectRegistry &registry) { einfall::tools::registerDialects(registry); });
  return failed(mlirTranslateMain(argc, argv, "Einfall translation driver\n"));
}

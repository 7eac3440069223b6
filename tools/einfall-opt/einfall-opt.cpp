//===- einfall-opt.cpp - mlir-opt with the project's dialects and transforms ---===//
//
//   einfall-opt file.mlir --canonicalize            one transform, for tests
//   einfall-opt --help                              all options of mlir-opt
//
//===----------------------------------------------------------------------===//
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "tools/common/Registration.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  einfall::tools::registerDialects(registry);
  einfall::tools::registerTransforms();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Einfall transform driver\n", registry));
}

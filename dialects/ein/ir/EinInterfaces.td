//===- EinInterfaces.td - what all equations have in common -------------------===//
#ifndef EIN_INTERFACES
#define EIN_INTERFACES

include "mlir/IR/OpBase.td"

def EquationInterface : OpInterface<"EquationOp"> {
  let cppNamespace = "::einfall::ein::ir";
  let description = [{
    One equation: a tensor, its left side, and the expressions that define it.
    Transforms work through this interface and never ask which of the operations
    it is; the operation only names the shape of the right side.
  }];
  let methods = [
    InterfaceMethod<"name of the tensor", "::llvm::StringRef", "getTensorName">,
    InterfaceMethod<"left subscripts", "::mlir::ArrayAttr", "getLhs">,
    InterfaceMethod<"right side", "::einfall::ein::ir::ExprAttr", "getRhs">,
    InterfaceMethod<"which points exist; null: all", "::einfall::ein::ir::ExprAttr", "getWhereAttr">,
    InterfaceMethod<"value before the start; null: none", "::einfall::ein::ir::ExprAttr", "getInitAttr">,
    InterfaceMethod<"rank position of init", "::mlir::IntegerAttr", "getInitRankAttr">,
    InterfaceMethod<"init lies past the end", "bool", "getInitBackward">,
    InterfaceMethod<"value stored for a missing point; null: 0 or false", "::einfall::ein::ir::ExprAttr", "getEmptyAttr">,
    InterfaceMethod<"the type was written", "bool", "getAnnotated">,
    InterfaceMethod<"number of its first variable; null: 0", "::mlir::IntegerAttr", "getFirstAttr">,
    InterfaceMethod<"tensors read", "::mlir::OperandRange", "getReads">,
    InterfaceMethod<"type of the tensor", "::einfall::ein::ir::TensorType", "getTensorType", (ins), [{
      return ::llvm::cast<::einfall::ein::ir::TensorType>($_op->getResult(0).getType());
    }]>
  ];
}

#endif // EIN_INTERFACES

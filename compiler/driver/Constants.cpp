//===- Constants.cpp - the description as constants of an LLVM module ---------------===//
//
// The same structures as runtime.h declares, field by field, so that an object
// file carries everything the runtime needs: the C program that links it has
// only to say `&scores_kernel`.
//
//===----------------------------------------------------------------------===//
#include "llvm/IR/Constants.h"
#include "compiler/driver/Codegen.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/Module.h"
#include <cstring>
#include <fmt/format.h>

namespace einfall::driver {

namespace {

/// Makes private constant globals and gives their addresses.
class Constants {
public:
  explicit Constants(llvm::Module &module)
      : module_(module), context_(module.getContext()), i32_(llvm::Type::getInt32Ty(context_)),
        i64_(llvm::Type::getInt64Ty(context_)), pointer_(llvm::PointerType::get(context_, 0)) {}

  llvm::Constant *i32(int64_t value) { return llvm::ConstantInt::getSigned(i32_, value); }
  llvm::Constant *i64(int64_t value) { return llvm::ConstantInt::getSigned(i64_, value); }
  llvm::Constant *null() { return llvm::ConstantPointerNull::get(pointer_); }

  llvm::Constant *global(llvm::Constant *value) {
    auto *variable = new llvm::GlobalVariable(module_, value->getType(), /*isConstant=*/true,
                                              llvm::GlobalValue::PrivateLinkage, value, "einfall.data");
    variable->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    variable->setAlignment(llvm::Align(8));
    return variable;
  }
  llvm::Constant *text(const char *text) {
    return global(llvm::ConstantDataArray::getString(context_, text));
  }
  llvm::Constant *numbers(const int32_t *list, int32_t count) {
    return count
               ? global(llvm::ConstantDataArray::get(context_, llvm::ArrayRef<int32_t>(list, size_t(count))))
               : null();
  }
  llvm::Constant *element(const void *bytes) {
    uint64_t bits = 0;
    if (!bytes)
      return null();
    std::memcpy(&bits, bytes, sizeof bits); // a Description keeps 8 bytes for each
    return global(i64(int64_t(bits)));
  }
  llvm::Constant *record(std::initializer_list<llvm::Constant *> fields) {
    return llvm::ConstantStruct::getAnon(context_,
                                         llvm::ArrayRef<llvm::Constant *>(fields.begin(), fields.size()));
  }
  llvm::Constant *list(const std::vector<llvm::Constant *> &records) {
    if (records.empty())
      return null();
    auto *type = llvm::ArrayType::get(records[0]->getType(), records.size());
    return global(llvm::ConstantArray::get(type, records));
  }
  llvm::Constant *program(const einfall_instruction *program) {
    if (!program)
      return null();
    std::vector<llvm::Constant *> records;
    for (const einfall_instruction *in = program;; ++in) {
      int64_t bits; // of an integer or a double: the union has one size
      std::memcpy(&bits, &in->value, sizeof bits);
      records.push_back(record({i32(in->opcode), i32(in->operand), i64(bits)}));
      if (in->opcode == EINFALL_OP_END)
        return list(records);
    }
  }

private:
  llvm::Module &module_;
  llvm::LLVMContext &context_;
  llvm::Type *i32_, *i64_;
  llvm::PointerType *pointer_;
};

} // namespace

bool addDescription(llvm::Module &module, const einfall_kernel &k, std::string &error) {
  Constants c(module);
  const std::string name = k.name;
  llvm::Function *sizes = module.getFunction(name + "_sizes"), *main = module.getFunction(name + "_main");
  if (!sizes || !main || sizes->isDeclaration() || main->isDeclaration()) {
    error = fmt::format("the compiled module lacks @{0}_sizes or @{0}_main", name);
    return false;
  }
  std::vector<llvm::Constant *> ranks, splits, tensors, scalars;
  for (int32_t r = 0; r < k.rank_count; ++r)
    ranks.push_back(c.record({c.text(k.ranks[r].name), c.i64(k.ranks[r].fixed),
                              c.program(k.ranks[r].definition), c.i32(k.ranks[r].is_default)}));
  for (int32_t s = 0; s < k.split_count; ++s)
    splits.push_back(c.record({c.i32(k.splits[s].whole), c.i32(k.splits[s].part_count),
                               c.numbers(k.splits[s].parts, k.splits[s].part_count)}));
  for (int32_t t = 0; t < k.tensor_count; ++t) {
    const einfall_tensor_info &info = k.tensors[t];
    tensors.push_back(c.record({c.text(info.name), c.i32(info.role), c.i32(info.type), c.i32(info.rank),
                                c.numbers(info.ranks, info.rank), c.numbers(info.plus, info.rank),
                                c.element(info.default_value)}));
  }
  for (int32_t s = 0; s < k.scalar_count; ++s)
    scalars.push_back(c.record(
        {c.text(k.scalars[s].name), c.i32(k.scalars[s].type), c.program(k.scalars[s].default_value)}));
  llvm::Constant *all = c.record({c.i32(k.abi), c.i32(k.rank_count), c.i32(k.split_count),
                                  c.i32(k.tensor_count), c.i32(k.scalar_count), c.text(k.name), c.list(ranks),
                                  c.list(splits), c.list(tensors), c.list(scalars), sizes, main});
  auto *variable = new llvm::GlobalVariable(module, all->getType(), /*isConstant=*/true,
                                            llvm::GlobalValue::ExternalLinkage, all, name + "_kernel");
  variable->setAlignment(llvm::Align(8));
  // Only the description is seen from outside.
  sizes->setLinkage(llvm::GlobalValue::InternalLinkage);
  main->setLinkage(llvm::GlobalValue::InternalLinkage);
  return true;
}

} // namespace einfall::driver

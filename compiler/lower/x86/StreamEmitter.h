//===- StreamEmitter.h - one stream kernel under construction --------------------===//
//
// Shared by the files that lower a stream kernel: Stream.cpp (task, blocks,
// finish), StreamSteps.cpp (maps, folds, anchors), StreamContract.cpp (register
// blocks). See Stream.h for the shape of the code.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/lower/x86/Interval.h"
#include "compiler/lower/x86/Stream.h"
#include <set>

namespace einfall::lower {

/// A region of scratch memory: [prefix extents ..][width] elements.
struct Slot {
  mlir::Value base;             ///< pointer; null while only sizes are asked
  std::vector<ein::VarId> over; ///< dimensions before the lanes
  mlir::Type element;
};

class StreamEmitter {
public:
  StreamEmitter(Program &program, const tile::StreamKernel &kernel, Lanes &lanes, Storage &storage);

  /// Assigns offsets to all slots; returns the total in bytes.
  mlir::Value layOut();
  /// Emits the whole task.
  void task(mlir::Value scratch, mlir::Value taskIndex);
  mlir::Value taskCount();

private:
  Program &program;
  const tile::StreamKernel &kernel;
  const ein::Cascade &cascade;
  Lanes &l; ///< uniform code
  Storage &storage;
  bool f64 = false;
  unsigned W;         ///< lanes of a vector
  unsigned J;         ///< vectors of a tile
  Lanes wide;         ///< W lanes
  mlir::Type element; ///< of float values

  // Scratch.
  struct Pack {
    const tile::TileStep *step;
    Slot a, b;
    bool aUsed = false, bUsed = false, aEarly = true;
  };
  std::map<ein::TensorId, Slot> tiles, state;
  std::vector<Pack> packs;
  std::map<ein::VarId, Slot> laneCoordinates; ///< when several variables share the lanes
  std::vector<ein::ExprRef> masks;            ///< distinct ones
  mlir::Value maskBase;                       ///< [mask][block][J] words of W bits
  std::map<ein::TensorId, Slot> deltas;       ///< of anchors
  mlir::Value scratch;

  // Where the code is.
  std::map<ein::VarId, mlir::Value> uniformEnv;
  std::map<ein::VarId, Interval::Range> box;
  mlir::Value firstLane, laneTotal, validLanes;
  ein::VarId stream = -1;
  mlir::Value blockStart, blockCount;
  bool checked = false;

  // Layout.
  mlir::Value extentProduct(const std::vector<ein::VarId> &over);

  // Addresses.
  mlir::Value at(const Slot &slot, mlir::Value row, unsigned j); ///< pointer to a vector
  mlir::Value rowIndex(const Slot &slot);                        ///< of `over` at the current coordinates
  mlir::Value loadVector(mlir::Value pointer, mlir::Type element);
  void storeVector(mlir::Value pointer, mlir::Value value);
  mlir::Value loadSlot(const Slot &slot, mlir::Value row, unsigned j);
  void storeSlot(const Slot &slot, mlir::Value row, unsigned j, mlir::Value value);
  mlir::Type stored(mlir::Type element); ///< i1 is kept as i8

  // Emission at (m, j).
  ScalarEmitter lanesAt(unsigned j, mlir::Value m,
                        const std::map<ein::TensorId, mlir::Value> *preloaded = nullptr);
  ScalarEmitter uniformAt();
  mlir::Value laneMask(unsigned j); ///< lanes that exist
  Val laneVariable(ein::VarId v, unsigned j);
  mlir::Value present(const Val &v, mlir::Value mask);
  int maskIndex(const ein::ExprRef &mask);
  mlir::Value maskBits(const ein::ExprRef &mask, mlir::Value row, unsigned j); ///< null: all
  std::vector<ein::TensorId> rowStateIn(const ein::ExprRef &e);
  /// Row state that `e` reads without further dimensions, one vector for each j.
  std::vector<std::map<ein::TensorId, mlir::Value>> preload(const ein::ExprRef &e);
  mlir::Value stateValue(ein::TensorId t, mlir::Value raw);
  void forOver(const std::vector<ein::VarId> &over, llvm::function_ref<void()> body);
  void forBlock(llvm::function_ref<void(mlir::Value row, mlir::Value m)> body);

  // The task.
  void decodeTask(mlir::Value taskIndex);
  void setLanes();
  void initialise();
  void segment(const tile::Segment &s);
  void block(const tile::Segment &s);
  void computeMask(const ein::ExprRef &mask);
  std::set<int> masksDone; ///< in the current block
  void finish();

  // Steps.
  void step(const tile::TileStep &s);
  void map(const tile::TileStep &s);
  void fold(const tile::TileStep &s);
  mlir::Value identity(ein::ReduceOp op, mlir::Type type);
  mlir::Value combine(ein::ReduceOp op, mlir::Value acc, const Val &v, mlir::Value mask);
  void anchor(const tile::TileStep &s, bool exact);
  void transport(const tile::TileStep &s);

  // Contractions.
  void packLaneSide(Pack &p);
  void contract(const tile::TileStep &s);
  void foldContract(const tile::TileStep &s);
  Pack &packOf(const tile::TileStep &s);
  /// The uniform side as plain memory: element (m, x) at base + m*strideM + x*strideX.
  struct Plain {
    mlir::Value base, strideM, strideX; ///< strides in bytes
  };
  std::optional<Plain> plainMemory(const ein::ExprRef &b, const std::vector<ein::VarId> &over);
  bool isPlain(const ein::ExprRef &b, const std::vector<ein::VarId> &over);
  Plain packUniformSide(const tile::TileStep &s, Pack &p);
  bool mentionsResident(const ein::ExprRef &e);
};

} // namespace einfall::lower

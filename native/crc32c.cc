// CRC-32C: SSE4.2 on x86, the CRC extension on 64-bit ARM, a table elsewhere.
#include "crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)  // arch/arm64/include/uapi/asm/hwcap.h
#endif
#endif

namespace sluice {

// The polynomial 1EDC6F41, reflected.
static constexpr uint32_t kPolynomial = 0x82f63b78;

static constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t octet = 0; octet < 256; octet++) {
    uint32_t state = octet;
    for (int bit = 0; bit < 8; bit++) state = (state >> 1) ^ ((state & 1) != 0 ? kPolynomial : 0);
    table[octet] = state;
  }
  return table;
}

static constexpr std::array<uint32_t, 256> kTable = MakeTable();

uint32_t Crc32cByTable(const uint8_t* octets, size_t length, uint32_t previous) {
  uint32_t state = ~previous;
  for (size_t i = 0; i < length; i++) state = (state >> 8) ^ kTable[(state ^ octets[i]) & 0xff];
  return ~state;
}

// Both instructions take octets in the order of memory on a little-endian processor, eight at a time.
#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t ByInstruction(const uint8_t* octets, size_t length, uint32_t state) {
  uint64_t wide = state;
  for (; length >= 8; octets += 8, length -= 8) {
    uint64_t eight;
    memcpy(&eight, octets, 8);
    wide = _mm_crc32_u64(wide, eight);
  }
  state = static_cast<uint32_t>(wide);
  for (; length > 0; octets++, length--) state = _mm_crc32_u8(state, *octets);
  return state;
}

static bool HasInstruction() { return __builtin_cpu_supports("sse4.2") != 0; }

#elif defined(__aarch64__) && defined(__AARCH64EL__)

__attribute__((target("+crc"))) static uint32_t ByInstruction(const uint8_t* octets, size_t length, uint32_t state) {
  for (; length >= 8; octets += 8, length -= 8) {
    uint64_t eight;
    memcpy(&eight, octets, 8);
    state = __builtin_aarch64_crc32cx(state, eight);
  }
  for (; length > 0; octets++, length--) state = __builtin_aarch64_crc32cb(state, *octets);
  return state;
}

static bool HasInstruction() { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

#else

static uint32_t ByInstruction(const uint8_t*, size_t, uint32_t state) { return state; }
static bool HasInstruction() { return false; }

#endif

uint32_t Crc32c(const uint8_t* octets, size_t length, uint32_t previous) {
  static const bool has_instruction = HasInstruction();
  if (!has_instruction) return Crc32cByTable(octets, length, previous);
  return ~ByInstruction(octets, length, ~previous);
}

}  // namespace sluice

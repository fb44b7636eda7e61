// CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the processor's own instruction where it has one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

// `previous`: the CRC of the octets before these, 0 for none.
uint32_t Crc32c(const uint8_t* octets, size_t length, uint32_t previous);

// The same by table, on any processor.
uint32_t Crc32cByTable(const uint8_t* octets, size_t length, uint32_t previous);

}  // namespace sluice

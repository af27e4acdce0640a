#include "plaudit/core/tensorboard.h"

#include <bit>

#include "plaudit/core/hash.h"

namespace plaudit {
namespace {

// Protocol-buffer wire format: a tag is (field << 3 | kind), kinds 0 varint, 1 eight bytes, 2
// length-delimited, 5 four bytes.
void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

template <class Unsigned>
void put_fixed(std::string& out, Unsigned value) {
  for (size_t i = 0; i < sizeof(value); ++i) out += static_cast<char>(value >> (8 * i));
}

void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_varint(out, static_cast<uint64_t>(field << 3 | 2));
  put_varint(out, bytes.size());
  out += bytes;
}

void put_double(std::string& out, int field, double value) {
  put_varint(out, static_cast<uint64_t>(field << 3 | 1));
  put_fixed(out, std::bit_cast<uint64_t>(value));
}

void put_float(std::string& out, int field, double value) {
  put_varint(out, static_cast<uint64_t>(field << 3 | 5));
  put_fixed(out, std::bit_cast<uint32_t>(static_cast<float>(value)));
}

void put_int(std::string& out, int field, int64_t value) {
  put_varint(out, static_cast<uint64_t>(field << 3));
  put_varint(out, static_cast<uint64_t>(value));
}

// A CRC stored beside the bytes that it covers is rotated and shifted, so that a CRC over it stays useful.
uint32_t masked(uint32_t crc) {
  return std::rotr(crc, 15) + 0xa282ead8u;
}

}  // namespace

std::string framed_record(std::string_view data) {
  std::string out;
  put_fixed(out, static_cast<uint64_t>(data.size()));
  put_fixed(out, masked(crc32c(out)));
  out += data;
  put_fixed(out, masked(crc32c(data)));
  return out;
}

std::string event_file_header(double wall_time) {
  std::string event;
  put_double(event, 1, wall_time);
  put_bytes(event, 3, "brain.Event:2");
  return framed_record(event);
}

std::string event_record(double wall_time, int64_t step, const std::map<std::string, double>& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    std::string entry;
    put_bytes(entry, 1, tag);
    put_float(entry, 2, value);
    put_bytes(summary, 1, entry);
  }
  std::string event;
  put_double(event, 1, wall_time);
  put_int(event, 2, step);
  put_bytes(event, 5, summary);
  return framed_record(event);
}

}  // namespace plaudit

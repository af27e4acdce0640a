// TensorBoard event files: records of protocol-buffer messages, framed by lengths and masked CRC-32C, as
// TensorFlow's `record_writer` and `event.proto` define them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace plaudit {

// The record that opens a file: file_version "brain.Event:2".
std::string event_file_header(double wall_time);

// One record with scalar values; tags such as "02-train/loss". `wall_time` is in seconds since 1970.
std::string event_record(double wall_time, int64_t step, const std::map<std::string, double>& scalars);

// length (8 bytes), masked CRC of the length, data, masked CRC of the data; little-endian.
std::string framed_record(std::string_view data);

}  // namespace plaudit

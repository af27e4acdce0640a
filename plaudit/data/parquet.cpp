#include "plaudit/data/parquet.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/util/utf8.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>

#include "plaudit/core/errors.h"
#include "plaudit/data/arrow_result.h"

namespace plaudit {
namespace {

Json json_cell(const arrow::Array& array, int64_t row);

Json json_text(std::string_view bytes) {
  if (arrow::util::ValidateUTF8(bytes)) return std::string(bytes);
  return Json::binary({bytes.begin(), bytes.end()});
}

template <class ListArray>
Json json_list(const arrow::Array& array, int64_t row) {
  const auto& list = static_cast<const ListArray&>(array);
  Json out = Json::array();
  for (int64_t i = 0; i < list.value_length(row); ++i)
    out.push_back(json_cell(*list.values(), list.value_offset(row) + i));
  return out;
}

Json json_struct(const arrow::Array& array, int64_t row) {
  const auto& cell = static_cast<const arrow::StructArray&>(array);
  Json out = Json::object();
  for (int i = 0; i < cell.num_fields(); ++i)
    out[cell.struct_type()->field(i)->name()] = json_cell(*cell.field(i), row);
  return out;
}

template <class NumberArray>
Json json_number(const arrow::Array& array, int64_t row) {
  return static_cast<const NumberArray&>(array).Value(row);
}

template <class TextArray>
Json json_view(const arrow::Array& array, int64_t row) {
  return json_text(static_cast<const TextArray&>(array).GetView(row));
}

Json json_dictionary(const arrow::Array& array, int64_t row) {
  const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
  return json_cell(*coded.dictionary(), coded.GetValueIndex(row));
}

// Dates, times, decimals: as Arrow prints them.
Json json_printed(const arrow::Array& array, int64_t row) {
  const auto scalar = array.GetScalar(row);
  return scalar.ok() ? Json((*scalar)->ToString()) : Json(nullptr);
}

// clang-format off
Json json_cell(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::BOOL: return static_cast<const arrow::BooleanArray&>(array).Value(row);
    case arrow::Type::INT8: return json_number<arrow::Int8Array>(array, row);
    case arrow::Type::INT16: return json_number<arrow::Int16Array>(array, row);
    case arrow::Type::INT32: return json_number<arrow::Int32Array>(array, row);
    case arrow::Type::INT64: return json_number<arrow::Int64Array>(array, row);
    case arrow::Type::UINT8: return json_number<arrow::UInt8Array>(array, row);
    case arrow::Type::UINT16: return json_number<arrow::UInt16Array>(array, row);
    case arrow::Type::UINT32: return json_number<arrow::UInt32Array>(array, row);
    case arrow::Type::UINT64: return json_number<arrow::UInt64Array>(array, row);
    case arrow::Type::FLOAT: return json_number<arrow::FloatArray>(array, row);
    case arrow::Type::DOUBLE: return json_number<arrow::DoubleArray>(array, row);
    case arrow::Type::STRING:
    case arrow::Type::BINARY: return json_view<arrow::BinaryArray>(array, row);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY: return json_view<arrow::LargeBinaryArray>(array, row);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW: return json_view<arrow::BinaryViewArray>(array, row);
    case arrow::Type::LIST: return json_list<arrow::ListArray>(array, row);
    case arrow::Type::MAP: return json_list<arrow::MapArray>(array, row);
    case arrow::Type::LARGE_LIST: return json_list<arrow::LargeListArray>(array, row);
    case arrow::Type::FIXED_SIZE_LIST: return json_list<arrow::FixedSizeListArray>(array, row);
    case arrow::Type::STRUCT: return json_struct(array, row);
    case arrow::Type::DICTIONARY: return json_dictionary(array, row);
    default: return json_printed(array, row);
  }
}
// clang-format on

// Rows of one batch; false when `take` has enough.
bool take_rows(const arrow::RecordBatch& batch, int64_t& rows, const TakeRecord& take) {
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    Json record = Json::object();
    for (int column = 0; column < batch.num_columns(); ++column)
      record[batch.column_name(column)] = json_cell(*batch.column(column), row);
    if (!take({++rows, std::move(record), ""})) return false;
  }
  return true;
}

void read_batches(const std::string& path, const TakeRecord& take) {
  const auto file = arrow_value(path, arrow::io::ReadableFile::Open(path));
  const auto reader = arrow_value(path, parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
  reader->set_batch_size(1024);
  const auto batches = arrow_value(path, reader->GetRecordBatchReader());
  int64_t rows = 0;
  while (const auto batch = arrow_value(path, batches->Next())) {
    if (!take_rows(*batch, rows, take)) return;
  }
}

}  // namespace

void for_each_parquet_row(const std::string& path, const TakeRecord& take) {
  try {
    read_batches(path, take);
  } catch (const parquet::ParquetException& error) {
    refuse_arrow(path, error.what());
  }
}

}  // namespace plaudit

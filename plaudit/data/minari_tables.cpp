#include <ATen/ATen.h>
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/data/arrow_result.h"
#include "plaudit/data/minari_episode.h"

namespace plaudit {
namespace {

void done(const std::string& path, const arrow::Status& status) {
  if (!status.ok()) fail(ErrorKind::io, path, "cannot be written: " + status.message());
}

// A column of one table as one array.
std::shared_ptr<arrow::Array> whole(const std::string& path, const arrow::ChunkedArray& column) {
  if (column.num_chunks() == 1) return column.chunk(0);
  return arrow_value(path, arrow::Concatenate(column.chunks()));
}

template <class Array>
Tensor copied(const arrow::Array& array, at::ScalarType type) {
  const auto& numbers = static_cast<const Array&>(array);
  return at::from_blob(const_cast<typename Array::value_type*>(numbers.raw_values()), {array.length()}, type)
      .clone();
}

Tensor booleans(const arrow::Array& array) {
  const auto& flags = static_cast<const arrow::BooleanArray&>(array);
  const auto out = at::empty({array.length()}, at::kBool);
  for (int64_t i = 0; i < array.length(); ++i) out.mutable_data_ptr<bool>()[i] = flags.Value(i);
  return out;
}

bool is_number(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

// Numbers [T], lists of one length [T,k], structures side by side; undefined for anything else.
Tensor tensor_of(const arrow::Array& array) {
  if (array.null_count() > 0) return {};
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return booleans(array);
    case arrow::Type::FLOAT:
      return copied<arrow::FloatArray>(array, at::kFloat);
    case arrow::Type::DOUBLE:
      return copied<arrow::DoubleArray>(array, at::kDouble);
    case arrow::Type::INT64:
      return copied<arrow::Int64Array>(array, at::kLong);
    case arrow::Type::INT32:
      return copied<arrow::Int32Array>(array, at::kInt).to(at::kLong);
    case arrow::Type::INT16:
      return copied<arrow::Int16Array>(array, at::kShort).to(at::kLong);
    case arrow::Type::INT8:
      return copied<arrow::Int8Array>(array, at::kChar).to(at::kLong);
    case arrow::Type::UINT8:
      return copied<arrow::UInt8Array>(array, at::kByte).to(at::kLong);
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::FixedSizeListArray&>(array);
      const int64_t width = list.value_length(0);
      const auto values = tensor_of(*list.values()->Slice(list.value_offset(0), list.length() * width));
      return values.defined() ? values.view({list.length(), width}) : values;
    }
    case arrow::Type::STRUCT: {
      const auto& fields = static_cast<const arrow::StructArray&>(array);
      // In the order of the names, as the spaces of Gymnasium have theirs; members of a tuple are numbers.
      std::vector<std::pair<std::string, int>> names;
      for (int i = 0; i < fields.num_fields(); ++i)
        names.emplace_back(fields.struct_type()->field(i)->name(), i);
      std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) {
        const bool numbers = is_number(a.first) && is_number(b.first);
        return numbers ? std::stoll(a.first) < std::stoll(b.first) : a.first < b.first;
      });
      std::vector<Tensor> parts;
      for (const auto& [name, i] : names) {
        parts.push_back(tensor_of(*fields.field(i)));
        if (!parts.back().defined()) return {};
      }
      return side_by_side(parts);
    }
    default:
      return {};
  }
}

std::shared_ptr<arrow::Table> read_table(const std::string& path) {
  if (!std::filesystem::exists(path)) fail(ErrorKind::io, path, "there is no such file");
  const auto file = arrow_value(path, arrow::io::ReadableFile::Open(path));
  if (path.ends_with(".arrow")) {
    const auto reader = arrow_value(path, arrow::ipc::RecordBatchFileReader::Open(file));
    arrow::RecordBatchVector batches;
    for (int i = 0; i < reader->num_record_batches(); ++i)
      batches.push_back(arrow_value(path, reader->ReadRecordBatch(i)));
    return arrow_value(path, arrow::Table::FromRecordBatches(reader->schema(), batches));
  }
  try {
    const auto reader = arrow_value(path, parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
    const auto batches = arrow_value(path, reader->GetRecordBatchReader());
    return arrow_value(path, batches->ToTable());
  } catch (const parquet::ParquetException& error) {
    refuse_arrow(path, error.what());
  }
}

// A column of infos under its name; members of a structure are columns of their own, "name/member". The shape
// of a row stands in the field's metadata, for it is written as one list. What holds no numbers is left out.
void read_table_infos(const std::string& name, const arrow::Field& field, const arrow::Array& array,
                      std::map<std::string, Tensor>& out) {
  if (array.type_id() == arrow::Type::STRUCT) {
    const auto& members = static_cast<const arrow::StructArray&>(array);
    for (int i = 0; i < members.num_fields(); ++i) {
      const auto& member = *members.struct_type()->field(i);
      read_table_infos(name.empty() ? member.name() : name + "/" + member.name(), member, *members.field(i),
                       out);
    }
    return;
  }
  auto values = tensor_of(array);
  if (!values.defined()) return;
  const auto shape = field.metadata() ? field.metadata()->Get("shape").ValueOr("") : std::string();
  std::vector<int64_t> sizes = {array.length()};
  std::istringstream words(shape);
  for (std::string word; std::getline(words, word, ',');) sizes.push_back(std::stoll(word));
  int64_t count = 1;
  for (const auto size : sizes) count *= size;
  const bool single = shape.empty() && values.dim() == 2 && values.size(1) == 1;
  if (count == values.numel() && (!shape.empty() || single)) values = values.reshape(sizes);
  out[name] = values;
}

MinariEpisode episode_of(const std::string& path, const arrow::Table& table) {
  const auto column = [&](const std::string& name) {
    const auto found = table.GetColumnByName(name);
    if (!found) fail(ErrorKind::value, path, fmt::format("the column '{}' is missing", name));
    const auto values = tensor_of(*whole(path, *found));
    if (!values.defined())
      fail(ErrorKind::type, path,
           fmt::format("'{}' must hold numbers without gaps, got {}", name, found->type()->ToString()));
    return values;
  };
  if (table.num_rows() < 2)
    fail(ErrorKind::shape, path, fmt::format("must have two rows at least, got {}", table.num_rows()));
  const int64_t steps = table.num_rows() - 1;  // the last row has an observation alone
  const auto step_column = [&](const std::string& name) { return column(name).slice(0, 0, steps); };
  MinariEpisode e{.observations = column("observations"),
                  .actions = step_column("actions"),
                  .rewards = step_column("rewards"),
                  .terminations = step_column("terminations"),
                  .truncations = step_column("truncations")};
  if (const auto infos = table.GetColumnByName("infos");
      infos && infos->type()->id() == arrow::Type::STRUCT) {
    read_table_infos("", *table.schema()->GetFieldByName("infos"), *whole(path, *infos), e.infos);
  }
  return e;
}

std::shared_ptr<arrow::Array> flat_array(const Tensor& values) {
  const auto t = values.contiguous();
  if (t.scalar_type() == at::kBool) {
    arrow::BooleanBuilder builder;
    for (int64_t i = 0; i < t.numel(); ++i) done("", builder.Append(t.const_data_ptr<bool>()[i]));
    return arrow_value("", builder.Finish());
  }
  const auto numbers = [&t](auto builder, auto* data) {
    done("", builder.AppendValues(data, t.numel()));
    return arrow_value("", builder.Finish());
  };
  if (t.scalar_type() == at::kFloat) return numbers(arrow::FloatBuilder(), t.const_data_ptr<float>());
  if (t.scalar_type() == at::kLong) return numbers(arrow::Int64Builder(), t.const_data_ptr<int64_t>());
  const auto exact = t.to(at::kDouble);
  arrow::DoubleBuilder builder;
  done("", builder.AppendValues(exact.const_data_ptr<double>(), exact.numel()));
  return arrow_value("", builder.Finish());
}

// [T] or [T,k] with rows of zeros behind it, T+1 in all.
std::shared_ptr<arrow::Array> padded(const Tensor& values, int64_t rows) {
  auto sizes = values.sizes().vec();
  sizes[0] = rows - values.size(0);
  const auto all = at::cat({values, at::zeros(sizes, values.options())});
  const auto flat = flat_array(all.reshape({-1}));
  if (all.dim() == 1) return flat;
  return arrow_value("",
                     arrow::FixedSizeListArray::FromArrays(flat, static_cast<int32_t>(all.numel() / rows)));
}

std::shared_ptr<arrow::Table> table_of(const MinariEpisode& e) {
  const int64_t rows = e.observations.size(0);
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  const auto add = [&](const std::string& name, const std::shared_ptr<arrow::Array>& array) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  };
  add("observations", padded(e.observations, rows));
  add("actions", padded(e.actions, rows));
  add("rewards", padded(e.rewards.to(at::kDouble), rows));  // Minari's type: others append to the set
  add("terminations", padded(e.terminations, rows));
  add("truncations", padded(e.truncations, rows));
  if (!e.infos.empty()) {
    arrow::FieldVector names;
    arrow::ArrayVector values;
    for (const auto& [name, info] : e.infos) {
      values.push_back(padded(info, rows));
      std::vector<std::string> sizes;
      for (int64_t d = 1; d < info.dim(); ++d) sizes.push_back(std::to_string(info.size(d)));
      names.push_back(arrow::field(
          name, values.back()->type(),
          info.dim() > 1 ? arrow::key_value_metadata({"shape"}, {fmt::format("{}", fmt::join(sizes, ","))})
                         : nullptr));
    }
    add("infos", arrow_value("", arrow::StructArray::Make(values, names)));
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

void write_table(const std::string& path, const arrow::Table& table) {
  const auto file = arrow_value(path, arrow::io::FileOutputStream::Open(path));
  if (path.ends_with(".parquet")) {
    // With Arrow's own types: Parquet knows no lists of one length.
    done(path, parquet::arrow::WriteTable(table, arrow::default_memory_pool(), file, table.num_rows(),
                                          parquet::default_writer_properties(),
                                          parquet::ArrowWriterProperties::Builder().store_schema()->build()));
  } else {
    const auto writer = arrow_value(path, arrow::ipc::MakeFileWriter(file, table.schema()));
    done(path, writer->WriteTable(table));
    done(path, writer->Close());
  }
  done(path, file->Close());
}

}  // namespace

std::vector<MinariEpisode> read_minari_tables(const std::string& data, const std::string& format,
                                              int64_t count) {
  std::vector<MinariEpisode> out;
  for (int64_t i = 0; i < count; ++i) {
    const auto path = fmt::format("{}/{}/part-0.{}", data, i, format);
    out.push_back(episode_of(path, *read_table(path)));
    const auto own = fmt::format("{}/{}/metadata.json", data, i);
    if (!std::filesystem::exists(own)) continue;
    const auto steps = read_json(own).value("total_steps", out.back().rewards.size(0));
    if (steps != out.back().rewards.size(0))
      fail(ErrorKind::shape, path,
           fmt::format("has {} steps, its metadata.json says {}", out.back().rewards.size(0), steps));
  }
  return out;
}

void write_minari_tables(const std::string& data, const std::string& format,
                         const std::vector<MinariEpisode>& episodes) {
  for (size_t i = 0; i < episodes.size(); ++i) {
    const auto folder = fmt::format("{}/{}", data, i);
    create_folder(folder);
    write_table(fmt::format("{}/part-0.{}", folder, format), *table_of(episodes[i]));
    write_json(folder + "/metadata.json", {{"id", i}, {"total_steps", episodes[i].rewards.size(0)}});
  }
}

}  // namespace plaudit

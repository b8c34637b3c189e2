#include "playhead/model/compile.h"

#include "playhead/base/suggest.h"
#include "playhead/sql/quote.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

namespace playhead::model {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// One argument of a call: a quoted string, or a number, `true`, `false`, `none` as Python prints
/// it.
struct Argument {
  std::string text;
  bool is_string = false;
};

/// The inside of one `{{ … }}`: a call with literal arguments.
struct Call {
  std::string function;
  std::vector<Argument> arguments;
};

/// Reads a call; nothing when the expression is anything else.
class CallParser {
 public:
  explicit CallParser(std::string_view text) : text_(text) {}

  std::optional<Call> Parse() {
    Call call;
    Skip();
    call.function = Word();
    if (call.function.empty() || !Take('(')) return {};
    if (!Take(')')) {
      do {
        std::optional<Argument> argument = Literal();
        if (!argument) return {};
        call.arguments.push_back(std::move(*argument));
      } while (Take(','));
      if (!Take(')')) return {};
    }
    Skip();
    if (at_ != text_.size()) return {};
    return call;
  }

 private:
  void Skip() {
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
  }
  bool Take(char wanted) {
    Skip();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  std::string Word() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsWord(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  std::optional<Argument> Literal() {
    Skip();
    if (at_ >= text_.size()) return {};
    if (text_[at_] == '\'' || text_[at_] == '"') return Quoted();
    const size_t begin = at_;
    while (at_ < text_.size() && (IsWord(text_[at_]) || text_[at_] == '.' || text_[at_] == '-'))
      ++at_;
    const std::string word(text_.substr(begin, at_ - begin));
    if (word == "true" || word == "True") return Argument{"True"};
    if (word == "false" || word == "False") return Argument{"False"};
    if (word == "none" || word == "None") return Argument{"None"};
    const bool is_number = !word.empty() && std::ranges::all_of(word, [](char c) {
      return (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
    if (!is_number) return {};
    return Argument{word};
  }
  std::optional<Argument> Quoted() {
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\') ++at_;
      if (at_ >= text_.size()) return {};
      value.push_back(text_[at_++]);
    }
    if (at_ >= text_.size()) return {};
    ++at_;
    return Argument{std::move(value), true};
  }

  std::string_view text_;
  size_t at_ = 0;
};

class Compiler {
 public:
  Compiler(const project::Project& project, const project::Vars& vars, const std::string& file,
           std::string_view sql)
      : project_(project), vars_(vars), file_(file), sql_(sql) {}

  Result<std::string> Compile() {
    std::string out;
    size_t at = 0;
    while (at < sql_.size()) {
      const size_t open = NextTag(at);
      out += sql_.substr(at, open - at);
      if (open == std::string_view::npos) break;
      tag_ = open;
      const char kind = sql_[open + 1];
      const std::string_view closing = kind == '{' ? "}}" : kind == '#' ? "#}" : "%}";
      const size_t close = sql_.find(closing, open + 2);
      if (close == std::string_view::npos) {
        return Error(StatusCode::kInvalidArgument, "{}: `{}` is not closed by `{}`", Place(),
                     sql_.substr(open, 2), closing);
      }
      std::string_view inside = sql_.substr(open + 2, close - open - 2);
      at = close + 2;
      if (inside.starts_with('-')) {
        inside.remove_prefix(1);
        while (!out.empty() && IsBlank(out.back())) out.pop_back();
      }
      if (inside.ends_with('-')) {
        inside.remove_suffix(1);
        while (at < sql_.size() && IsBlank(sql_[at])) ++at;
      }
      if (kind == '#') continue;
      if (kind == '%') return NotSupported(sql_.substr(open, close + 2 - open));
      PH_ASSIGN_OR_RETURN(const std::string text, Evaluate(inside));
      out += text;
    }
    return out;
  }

 private:
  /// Position of the next `{{`, `{#` or `{%`.
  size_t NextTag(size_t from) const {
    for (size_t at = sql_.find('{', from); at != std::string_view::npos;
         at = sql_.find('{', at + 1)) {
      if (at + 1 < sql_.size() &&
          (sql_[at + 1] == '{' || sql_[at + 1] == '#' || sql_[at + 1] == '%')) {
        return at;
      }
    }
    return std::string_view::npos;
  }

  std::string Place() const {
    const auto line = 1 + std::ranges::count(sql_.substr(0, tag_), '\n');
    return fmt::format("{}:{}", file_, line);
  }

  Status NotSupported(std::string_view what) const {
    return Error(StatusCode::kNotSupported,
                 "{}: not supported: {} (only source, ref, var and comments are; run it with dbt)",
                 Place(), what.substr(0, 80));
  }

  Result<std::string> Evaluate(std::string_view inside) const {
    const std::optional<Call> call = CallParser(inside).Parse();
    if (!call) return NotSupported(inside);
    const std::vector<Argument>& arguments = call->arguments;
    if (call->function == "source" && arguments.size() == 2) {
      return Source(arguments[0].text, arguments[1].text);
    }
    if (call->function == "ref" && arguments.size() == 1) return Ref(arguments[0].text);
    if (call->function == "var" && (arguments.size() == 1 || arguments.size() == 2)) {
      const auto value = vars_.find(arguments[0].text);
      if (value != vars_.end()) return value->second;
      if (arguments.size() == 2) return arguments[1].text;
      return Error(StatusCode::kInvalidArgument,
                   "{}: variable has no value: {} (give --vars '{}: …' or declare it in "
                   "dbt_project.yml)",
                   Place(), arguments[0].text, arguments[0].text);
    }
    return NotSupported(inside);
  }

  Result<std::string> Source(const std::string& source, const std::string& table) const {
    std::vector<std::string> known;
    for (const project::Stream& stream : project_.streams) {
      if (stream.source_name == source && stream.name == table) {
        return sql::QuotedName(stream.table_namespace) + "." + sql::QuotedName(stream.identifier);
      }
      known.push_back(stream.name);
    }
    return Error(StatusCode::kInvalidArgument, "{}: no such source: source('{}', '{}'){}", Place(),
                 source, table, DidYouMean(table, known));
  }

  Result<std::string> Ref(const std::string& name) const {
    std::vector<std::string> known;
    for (const project::Seed& seed : project_.seeds) {
      if (seed.name == name) return sql::QuotedName(kSeedNamespace) + "." + sql::QuotedName(name);
      known.push_back(seed.name);
    }
    return Error(StatusCode::kInvalidArgument,
                 "{}: no such seed: ref('{}'){} (models are not built yet)", Place(), name,
                 DidYouMean(name, known));
  }

  const project::Project& project_;
  const project::Vars& vars_;
  const std::string& file_;
  std::string_view sql_;
  size_t tag_ = 0;
};

}  // namespace

Result<std::string> CompileSql(const project::Project& project, const project::Vars& vars,
                               const std::string& file, std::string_view sql) {
  return Compiler(project, vars, file, sql).Compile();
}

}  // namespace playhead::model

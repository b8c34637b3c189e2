#include "playhead/cli/log_reader.h"

#include "playhead/log/journal.h"
#include "playhead/log/kafka_reader.h"

namespace playhead::cli {

Result<std::unique_ptr<log::LogReader>> OpenLogReader(const config::ResolvedConfig& config,
                                                      const std::string& topic) {
  if (config.target.log_type == "kafka") {
    return log::OpenKafkaReader(config.target.kafka_properties, topic);
  }
  return log::OpenJournalReader(config.journal_folder, topic);
}

}  // namespace playhead::cli

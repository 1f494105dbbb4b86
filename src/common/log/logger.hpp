#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/log/events.hpp"
#include "common/log/line.hpp"

namespace portunus::log {

struct Options {
  Format format = Format::json;
  /// A filter directive; the programs pass $PORTUNUS_LOG or their own flag.
  std::string filter = "info";
  /// The program's own target, under which its process-wide events are filtered.
  Target program = Target::server;
};

/// Starts the process's logger: lines go to stderr through one background thread with a bounded
/// queue, so a stalled stderr costs lines and never the caller's time. Call once from main, before
/// threads. Without it, events are dropped (unit tests) unless a capture is installed.
void start(const Options& options);
/// Writes what is queued, waiting at most a second for a stalled stderr. Idempotent.
void stop();

/// Returns when what was logged before is written, or after a second. For a program that is about
/// to write to stderr by itself, such as a prompt. Not from an event loop, nor beside stop().
void flush();

/// Sends every enabled line to `capture` instead of stderr, from the calling thread; nullptr ends
/// it. For tests; install and remove while nothing else logs.
void capture_for_test(std::function<void(std::string_view line)> capture,
                      std::string_view filter = "trace");

/// True when the event would be written: one array load, so hot paths ask before building fields.
bool enabled(Event event);

/// Writes one line. Any thread; never blocks on stderr, never throws.
void log(Event event, Fields fields = {});
/// As log(), for events whose level depends on the outcome.
void log_at(Level level, Event event, Fields fields = {});
/// For a set of fields known only at run time.
void log_fields(Level level, Event event, std::span<const Field> fields);

/// Fields with the name of a secret that were suppressed since start.
std::uint64_t redaction_violations();

}  // namespace portunus::log

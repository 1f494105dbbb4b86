#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/model/traffic_counters.hpp"

namespace portunus::client::agent {

/// Records of one kind (rules, SNI ports, owners), each under its key: the total behind each
/// counter, which never falls, and how much of it earlier sessions delivered (D8). All counters of
/// a record are computed with at once; gauges are those of the last update. No I/O; one thread.
template <class Key, class Record>
class CounterBook {
 public:
  /// Takes over what the engine counted for `key` since it began. A number below the last one says
  /// that it began anew.
  void update(const Key& key, const Record& counted) {
    Entry& entry = entries_[key];
    if (!model::covers_counters(counted, entry.counted)) restart(entry);
    entry.counted = counted;
    entry.listed = true;
    entry.retired = false;
  }
  /// The engine's next numbers begin at 0; the total goes on. Returns what was counted so far.
  Record restart(const Key& key) { return restart(entries_[key]); }
  /// Adds to the total what the engine's numbers do not hold. Nothing for an unknown key.
  void add(const Key& key, const Record& more) {
    if (const auto it = entries_.find(key); it != entries_.end()) {
      model::add_counters(it->second.earlier, more);
    }
  }
  /// Momentary values fall to 0.
  void clear_gauges(const Key& key) {
    if (const auto it = entries_.find(key); it != entries_.end()) {
      model::clear_gauges(it->second.counted);
    }
  }
  /// Leaves the key out of the reports until its next update(), which begins at 0; its total stays.
  void unlist(const Key& key) {
    Entry& entry = entries_[key];
    restart(entry);
    entry.listed = false;
  }
  /// The key has ended: it stays in the reports, with gauges of 0, until all of its total has been
  /// delivered, and is then forgotten. Its next update() before that begins at 0, the total goes
  /// on.
  void retire(const Key& key) {
    const auto it = entries_.find(key);
    if (it == entries_.end()) return;
    restart(it->second);
    it->second.retired = true;
    forget_delivered(it);
  }

  /// Keys that are in the reports, in order.
  std::vector<Key> listed() const {
    std::vector<Key> out;
    for (const auto& [key, entry] : entries_) {
      if (entry.listed) out.push_back(key);
    }
    return out;
  }

  void begin_session() {
    for (auto& [key, entry] : entries_) entry.session_base = entry.delivered;
  }
  /// This session's numbers of everything that is listed, in order of the keys. What became of them
  /// is said by confirm() or drop(), before the next report().
  std::vector<Record> report() {
    std::vector<Record> out;
    for (auto& [key, entry] : entries_) {
      entry.reported.reset();
      if (!entry.listed) continue;
      Record total = entry.total();
      // The present ports, targets and gauges, with the numbers of the session.
      Record& value = out.emplace_back(entry.counted);
      model::assign_counters(value, total);
      model::subtract_counters(value, entry.session_base);
      entry.reported = std::move(total);
    }
    return out;
  }
  /// The last report was delivered.
  void confirm() {
    for (auto next = entries_.begin(); next != entries_.end();) {
      const auto it = next++;
      Entry& entry = it->second;
      if (!entry.reported) continue;
      entry.delivered = *std::exchange(entry.reported, std::nullopt);
      if (entry.retired) forget_delivered(it);
    }
  }
  void drop() {
    for (auto& [key, entry] : entries_) entry.reported.reset();
  }

 private:
  struct Entry {
    Record earlier;                  ///< counted before the present beginning, as far as known
    Record counted;                  ///< since then, with the gauges
    Record delivered;                ///< of the total, so far
    Record session_base;             ///< delivered by earlier sessions
    std::optional<Record> reported;  ///< of the total, by the report under way
    bool listed = false;
    bool retired = false;
    Record total() const {
      Record out = earlier;
      model::add_counters(out, counted);
      return out;
    }
  };

  static Record restart(Entry& entry) {
    model::add_counters(entry.earlier, entry.counted);
    Record counted = entry.counted;
    model::subtract_counters(entry.counted, counted);
    model::clear_gauges(entry.counted);
    return counted;
  }

  using Entries = std::map<Key, Entry>;

  void forget_delivered(Entries::iterator it) {
    if (!model::covers_counters(it->second.delivered, it->second.total())) return;
    entries_.erase(it);
  }

  Entries entries_;
};

}  // namespace portunus::client::agent

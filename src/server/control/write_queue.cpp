#include "server/control/write_queue.hpp"

#include <iterator>
#include <utility>

namespace portunus::server::control {

bool WriteQueue::has_room() {
  const std::lock_guard lock(mutex_);
  room_wanted_ = messages_.size() >= kMessages;
  return !room_wanted_;
}

const v1::ServerMessage* WriteQueue::push(v1::ServerMessage message) {
  const std::lock_guard lock(mutex_);
  if (closed_) return nullptr;
  messages_.push_back(std::move(message));
  return std::exchange(writing_, true) ? nullptr : &messages_.front();
}

bool WriteQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  messages_.erase(writing_ ? std::next(messages_.begin()) : messages_.begin(), messages_.end());
  return !writing_;
}

WriteQueue::Next WriteQueue::written(bool ok) {
  const std::lock_guard lock(mutex_);
  messages_.pop_front();
  if (!ok) messages_.clear();  // no later write of this stream can succeed
  writing_ = !messages_.empty();
  Next next;
  if (writing_) next.message = &messages_.front();
  next.idle = closed_;
  next.room = room_wanted_ && messages_.size() <= kMessages / 2;
  if (next.room) room_wanted_ = false;
  return next;
}

}  // namespace portunus::server::control

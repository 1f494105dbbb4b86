#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/store/rows.hpp"

namespace portunus::server::store {

/// A mirror of rows of which each user has at most one per client. A row's member `client` says
/// where it belongs; it follows the client's enrollment, renaming and deletion exactly as the
/// stored rows do (store-and-quotas 3, "Client" as a key). One thread.
template <class Row>
class ClientKeyed {
 public:
  /// ClientRef::key(), user: what is of one client stands together, ascending by user.
  using Key = std::pair<std::string, std::string>;

  /// The row, made empty if there was none; its `client` is the given one.
  Row& at(const ClientRef& client, std::string_view user_id) {
    Row& row = rows_[Key(client.key(), user_id)];
    row.client = client;
    return row;
  }
  /// False when there was none.
  bool erase(const ClientRef& client, std::string_view user_id) {
    return rows_.erase(Key(client.key(), user_id)) > 0;
  }
  const Row* find(const ClientRef& client, std::string_view user_id) const {
    return find(client.key(), user_id);
  }
  /// The same by the id of an enrolled client, or any other ClientRef::key().
  const Row* find(std::string_view client_key, std::string_view user_id) const {
    const auto it = rows_.find(Key(client_key, user_id));
    return it == rows_.end() ? nullptr : &it->second;
  }

  const std::map<Key, Row>& rows() const { return rows_; }
  /// Those of one client, ascending by user.
  template <class F>
  void each_of(std::string_view client_key, F visit) const {
    for (auto it = rows_.lower_bound(Key(client_key, "")); belongs(it, client_key); ++it) {
      visit(it->second);
    }
  }

  /// Rows of the bare name belong to this client.
  void bind(std::string_view name, std::string_view client_id) {
    const ClientRef bare{std::nullopt, std::string(name)};
    move(bare.key(), {std::string(client_id), std::string(name)});
  }
  void rename(std::string_view client_id, std::string_view name) {
    for (auto it = rows_.lower_bound(Key(client_id, "")); belongs(it, client_id); ++it) {
      it->second.client.client_name = name;
    }
  }
  /// Rows of the client are under its bare name, in place of those it had.
  void unbind(std::string_view client_id) {
    const auto first = rows_.lower_bound(Key(client_id, ""));
    if (!belongs(first, client_id)) return;
    const ClientRef bare{std::nullopt, first->second.client.client_name};
    move(std::string(client_id), bare);
  }

 private:
  bool belongs(typename std::map<Key, Row>::const_iterator it, std::string_view client_key) const {
    return it != rows_.end() && it->first.first == client_key;
  }
  void move(const std::string& from, const ClientRef& to) {
    for (auto it = rows_.lower_bound(Key(from, "")); belongs(it, from);) {
      auto node = rows_.extract(it++);
      node.key().first = to.key();
      node.mapped().client = to;
      rows_.erase(node.key());
      rows_.insert(std::move(node));
    }
  }

  std::map<Key, Row> rows_;
};

}  // namespace portunus::server::store

-- Instants are microseconds since 1970 UTC. Hashes are 64 lower-case hex digits (SHA-256).

CREATE TABLE users (
  user_id      TEXT PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 32),
  display_name TEXT NOT NULL CHECK (length(CAST(display_name AS BLOB)) BETWEEN 1 AND 64),
  role         TEXT NOT NULL CHECK (role IN ('superadmin', 'user')),
  disabled     INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE credentials (
  credential_id TEXT PRIMARY KEY CHECK (length(credential_id) = 26),
  user_id       TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  token_hash    TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),
  label         TEXT,
  created_at    INTEGER NOT NULL,
  last_used_at  INTEGER,
  revoked_at    INTEGER
) STRICT;
CREATE INDEX credentials_by_user ON credentials (user_id);

CREATE TABLE clients (
  client_id      TEXT PRIMARY KEY CHECK (length(client_id) = 26),
  name           TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 63),
  token_hash     TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),
  provisioned_at INTEGER NOT NULL,
  revoked_at     INTEGER,
  address        TEXT
) STRICT;

-- A code belongs to a name: of a client to come, or of one that is there.
CREATE TABLE enrollments (
  enrollment_id INTEGER PRIMARY KEY AUTOINCREMENT,
  client_name   TEXT NOT NULL CHECK (length(client_name) BETWEEN 1 AND 63),
  address       TEXT,
  code_hash     TEXT NOT NULL UNIQUE CHECK (length(code_hash) = 64),
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL CHECK (expires_at > created_at),
  consumed_at   INTEGER,
  endpoint      TEXT
) STRICT;
CREATE UNIQUE INDEX enrollments_one_unused ON enrollments (client_name) WHERE consumed_at IS NULL;

-- AUTOINCREMENT: an id is never given twice, not even after the highest rule is gone.
-- client_id is null while client_name is not enrolled; otherwise client_name follows its renames.
CREATE TABLE rules (
  rule_id              INTEGER PRIMARY KEY AUTOINCREMENT,
  client_id            TEXT REFERENCES clients (client_id) ON DELETE SET NULL,
  client_name          TEXT NOT NULL CHECK (length(client_name) BETWEEN 1 AND 63),
  owner_id             TEXT NOT NULL REFERENCES users (user_id),
  protocol             TEXT NOT NULL CHECK (protocol IN ('tcp', 'udp')),
  listen_port          INTEGER NOT NULL CHECK (listen_port BETWEEN 1 AND 65535),
  target_host          TEXT NOT NULL CHECK (length(target_host) BETWEEN 1 AND 255),
  target_port          INTEGER NOT NULL CHECK (target_port BETWEEN 1 AND 65535),
  prefer_ipv6          INTEGER CHECK (prefer_ipv6 IN (0, 1)),
  state                TEXT NOT NULL CHECK (state IN ('pending', 'active', 'failed')),
  failure_reason       TEXT,
  created_at           INTEGER NOT NULL,
  last_state_change_at INTEGER NOT NULL,
  CHECK ((state = 'failed') = (failure_reason IS NOT NULL))
) STRICT;
CREATE INDEX rules_by_client ON rules (client_id);
CREATE INDEX rules_by_owner ON rules (owner_id);

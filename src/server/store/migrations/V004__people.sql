-- What users may push where, and what signing in with a password needs.

-- A PHC string; null = no password.
ALTER TABLE users ADD COLUMN password_hash TEXT;
ALTER TABLE users ADD COLUMN password_change_required INTEGER NOT NULL DEFAULT 0
  CHECK (password_change_required IN (0, 1));

-- client_name is "*" for every client; client_id is null then and while client_name is not enrolled;
-- otherwise client_name follows its renames.
CREATE TABLE grants (
  grant_id          TEXT PRIMARY KEY CHECK (length(grant_id) = 26),
  user_id           TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  client_id         TEXT REFERENCES clients (client_id) ON DELETE SET NULL,
  client_name       TEXT NOT NULL CHECK (length(client_name) BETWEEN 1 AND 63),
  listen_port_start INTEGER NOT NULL CHECK (listen_port_start >= 1),
  listen_port_end   INTEGER NOT NULL CHECK (listen_port_end BETWEEN listen_port_start AND 65535),
  tcp               INTEGER NOT NULL CHECK (tcp IN (0, 1)),
  udp               INTEGER NOT NULL CHECK (udp IN (0, 1)),
  note              TEXT,
  created_at        INTEGER NOT NULL,
  CHECK (tcp OR udp),
  CHECK (client_name <> '*' OR client_id IS NULL)
) STRICT;
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_client ON grants (client_id);

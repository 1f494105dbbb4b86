-- How people prove who they are in a browser: sessions, failed attempts, the setup token. Their
-- passwords stand with the users.
--
-- Instants are microseconds since 1970 UTC. Hashes are 64 lower-case hex digits (SHA-256).

CREATE TABLE web_sessions (
  session_hash   TEXT PRIMARY KEY CHECK (length(session_hash) = 64),
  user_id        TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  created_at     INTEGER NOT NULL,
  last_seen_at   INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL CHECK (expires_at > created_at),
  revoked_at     INTEGER,
  remote_address TEXT NOT NULL,
  user_agent     TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX web_sessions_by_user ON web_sessions (user_id);
CREATE INDEX web_sessions_by_expiry ON web_sessions (expires_at);

-- The failures of one burst. Subjects need not be users.
CREATE TABLE login_attempts (
  action          TEXT NOT NULL CHECK (action IN ('login', 'onboarding', 'password_reset')),
  subject         TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 32),
  remote_address  TEXT NOT NULL,
  failures        INTEGER NOT NULL CHECK (failures > 0),
  first_failed_at INTEGER NOT NULL,
  last_failed_at  INTEGER NOT NULL,
  locked_until    INTEGER,
  PRIMARY KEY (action, subject, remote_address)
) STRICT, WITHOUT ROWID;
CREATE INDEX login_attempts_by_age ON login_attempts (last_failed_at);

-- Only while no enabled superadmin exists.
CREATE TABLE onboarding_token (
  only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
  token_hash TEXT NOT NULL CHECK (length(token_hash) = 64),
  issued_at  INTEGER NOT NULL,
  expires_at INTEGER NOT NULL CHECK (expires_at > issued_at)
) STRICT;

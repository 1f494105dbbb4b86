-- What hangs on an owner and a client: limits, monthly quotas, traffic history.
--
-- In each of these tables client_id is null while client_name is not enrolled; otherwise client_name
-- follows its renames. So a bare name may be in use beside a client that has been renamed to it: the
-- two are different keys, and each is unique by itself. Neither owners nor users need to exist.

CREATE TABLE owner_limits (
  owner_limit_id          INTEGER PRIMARY KEY,
  client_id               TEXT REFERENCES clients (client_id) ON DELETE SET NULL,
  client_name             TEXT NOT NULL CHECK (length(client_name) BETWEEN 1 AND 63),
  owner_id                TEXT NOT NULL CHECK (length(owner_id) BETWEEN 1 AND 32),
  -- As in rules: absent or > 0, 64 bits unsigned with their upper half as negative numbers.
  bandwidth_in_bps        INTEGER CHECK (bandwidth_in_bps <> 0),
  bandwidth_out_bps       INTEGER CHECK (bandwidth_out_bps <> 0),
  new_connections_per_sec INTEGER CHECK (new_connections_per_sec > 0),
  concurrent_connections  INTEGER CHECK (concurrent_connections > 0),
  bandwidth_in_burst      INTEGER CHECK (bandwidth_in_burst <> 0),
  bandwidth_out_burst     INTEGER CHECK (bandwidth_out_burst <> 0),
  new_connections_burst   INTEGER CHECK (new_connections_burst > 0),
  updated_at              INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX owner_limits_of_client ON owner_limits (client_id, owner_id);
CREATE UNIQUE INDEX owner_limits_of_name ON owner_limits (client_name, owner_id)
  WHERE client_id IS NULL;

-- Instants of quotas and traffic are seconds since 1970 UTC.
CREATE TABLE traffic_quotas (
  quota_id                  INTEGER PRIMARY KEY,
  user_id                   TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 32),
  client_id                 TEXT REFERENCES clients (client_id) ON DELETE SET NULL,
  client_name               TEXT NOT NULL CHECK (length(client_name) BETWEEN 1 AND 63),
  monthly_bytes             INTEGER NOT NULL CHECK (monthly_bytes >= 0),
  billing_anchor            INTEGER NOT NULL,
  current_period_started_at INTEGER NOT NULL,
  current_period_bytes_used INTEGER NOT NULL DEFAULT 0 CHECK (current_period_bytes_used >= 0),
  exhausted_at              INTEGER,
  created_at                INTEGER NOT NULL,
  updated_at                INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX traffic_quotas_of_client ON traffic_quotas (client_id, user_id);
CREATE UNIQUE INDEX traffic_quotas_of_name ON traffic_quotas (client_name, user_id)
  WHERE client_id IS NULL;

-- Whose samples are counted together. Samples name the series, so that a renamed client touches one
-- row here and none of its history.
CREATE TABLE traffic_series (
  series_id   INTEGER PRIMARY KEY,
  user_id     TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 32),
  client_id   TEXT REFERENCES clients (client_id) ON DELETE SET NULL,
  client_name TEXT NOT NULL CHECK (length(client_name) BETWEEN 1 AND 63)
) STRICT;
CREATE UNIQUE INDEX traffic_series_of_client ON traffic_series (client_id, user_id);
CREATE UNIQUE INDEX traffic_series_of_name ON traffic_series (client_name, user_id)
  WHERE client_id IS NULL;

-- By series for the queries, by start for roll-up and expiry.
CREATE TABLE traffic_samples_1m (
  series_id INTEGER NOT NULL REFERENCES traffic_series (series_id),
  start     INTEGER NOT NULL CHECK (start % 60 = 0),
  bytes_in  INTEGER NOT NULL CHECK (bytes_in >= 0),
  bytes_out INTEGER NOT NULL CHECK (bytes_out >= 0),
  PRIMARY KEY (series_id, start)
) STRICT, WITHOUT ROWID;
CREATE INDEX traffic_samples_1m_by_start ON traffic_samples_1m (start);

CREATE TABLE traffic_samples_1h (
  series_id INTEGER NOT NULL REFERENCES traffic_series (series_id),
  start     INTEGER NOT NULL CHECK (start % 3600 = 0),
  bytes_in  INTEGER NOT NULL CHECK (bytes_in >= 0),
  bytes_out INTEGER NOT NULL CHECK (bytes_out >= 0),
  PRIMARY KEY (series_id, start)
) STRICT, WITHOUT ROWID;
CREATE INDEX traffic_samples_1h_by_start ON traffic_samples_1h (start);

-- The last hour that was rolled up; 0 = none.
CREATE TABLE traffic_rollup_mark (
  only_row  INTEGER PRIMARY KEY CHECK (only_row = 1),
  last_hour INTEGER NOT NULL CHECK (last_hour % 3600 = 0)
) STRICT;
INSERT INTO traffic_rollup_mark VALUES (1, 0);

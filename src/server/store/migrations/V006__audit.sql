-- What operators did and were refused (http-api 12). Append only: rows go by age and number alone.

-- AUTOINCREMENT: a page cursor is a sequence, so none is given twice, not even after a sweep.
CREATE TABLE audit (
  sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
  at             INTEGER NOT NULL,
  actor          TEXT NOT NULL,
  role           TEXT,
  method         TEXT NOT NULL,
  path           TEXT NOT NULL,
  outcome        TEXT NOT NULL CHECK (outcome IN ('allow', 'deny')),
  reason         TEXT,
  action         TEXT,
  resource_kind  TEXT,
  resource_value TEXT,
  details        TEXT
) STRICT;
-- In it rows of one instant stand by sequence: the order of every page.
CREATE INDEX audit_by_time ON audit (at);

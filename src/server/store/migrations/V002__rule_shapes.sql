-- Rules of every shape: ranges, lists of targets, SNI, probes, caps.

-- Ports listen_port, listen_port + 1, … go to those of the only target, likewise counted up.
ALTER TABLE rules ADD COLUMN ports INTEGER NOT NULL DEFAULT 1
  CHECK (ports >= 1 AND listen_port + ports <= 65536);
-- Given as a list of targets, and therefore sent as one.
ALTER TABLE rules ADD COLUMN listed INTEGER NOT NULL DEFAULT 0
  CHECK (listed IN (0, 1) AND (listed = 0 OR ports = 1));
ALTER TABLE rules ADD COLUMN health_check_interval_secs INTEGER
  CHECK (health_check_interval_secs BETWEEN 1 AND 3600);
ALTER TABLE rules ADD COLUMN sni_pattern TEXT
  CHECK (sni_pattern IS NULL OR
         (length(sni_pattern) BETWEEN 1 AND 253 AND protocol = 'tcp' AND ports = 1));

-- Seven caps, absent or > 0. Those of 64 bits are unsigned: the upper half of their range stands
-- here as negative numbers.
ALTER TABLE rules ADD COLUMN bandwidth_in_bps INTEGER CHECK (bandwidth_in_bps <> 0);
ALTER TABLE rules ADD COLUMN bandwidth_out_bps INTEGER CHECK (bandwidth_out_bps <> 0);
ALTER TABLE rules ADD COLUMN new_connections_per_sec INTEGER CHECK (new_connections_per_sec > 0);
ALTER TABLE rules ADD COLUMN concurrent_connections INTEGER CHECK (concurrent_connections > 0);
ALTER TABLE rules ADD COLUMN bandwidth_in_burst INTEGER CHECK (bandwidth_in_burst <> 0);
ALTER TABLE rules ADD COLUMN bandwidth_out_burst INTEGER CHECK (bandwidth_out_burst <> 0);
ALTER TABLE rules ADD COLUMN new_connections_burst INTEGER CHECK (new_connections_burst > 0);

-- In submission order. A rule has at least row 0.
CREATE TABLE rule_targets (
  rule_id        INTEGER NOT NULL REFERENCES rules (rule_id) ON DELETE CASCADE,
  row            INTEGER NOT NULL CHECK (row BETWEEN 0 AND 7),
  host           TEXT NOT NULL CHECK (length(host) BETWEEN 1 AND 255),
  port           INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
  priority       INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 99),
  proxy_protocol TEXT CHECK (proxy_protocol IN ('v1', 'v2')),
  PRIMARY KEY (rule_id, row)
) STRICT, WITHOUT ROWID;
INSERT INTO rule_targets (rule_id, row, host, port, priority)
  SELECT rule_id, 0, target_host, target_port, 0 FROM rules;
ALTER TABLE rules DROP COLUMN target_host;
ALTER TABLE rules DROP COLUMN target_port;

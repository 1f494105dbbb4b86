-- What an operator sets for the whole server while it runs; one row.
CREATE TABLE settings (
  only_row            INTEGER PRIMARY KEY CHECK (only_row = 1),
  -- host:port that edges are told to dial, instead of all other sources; null = none.
  advertised_endpoint TEXT CHECK (length(advertised_endpoint) BETWEEN 1 AND 263)
) STRICT;
INSERT INTO settings VALUES (1, NULL);

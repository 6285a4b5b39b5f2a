-- The boot log's database: written by the receiver, read by the page. Times are seconds since 1970.
CREATE TABLE IF NOT EXISTS host (
  name TEXT PRIMARY KEY,
  address TEXT,
  mac TEXT,
  board TEXT,
  boot INTEGER, -- current boot.number, or NULL
  last_time REAL,
  last_level INTEGER,
  last_text TEXT,
  received INTEGER NOT NULL DEFAULT 0, -- datagrams
  lost INTEGER NOT NULL DEFAULT 0 -- messages
);
CREATE TABLE IF NOT EXISTS boot (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  host TEXT NOT NULL,
  boot_id TEXT,
  release TEXT,
  began REAL NOT NULL,
  ended REAL, -- when the next began
  stage TEXT NOT NULL, -- reached last
  since REAL NOT NULL, -- when that was
  lines INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0,
  trouble_stage TEXT, -- that the host tries to reach
  trouble_reason TEXT,
  trouble_text TEXT, -- why it does not go on; NULL once the stage was reached
  first_seq INTEGER,
  last_seq INTEGER
);
CREATE TABLE IF NOT EXISTS stage (boot INTEGER NOT NULL, stage TEXT NOT NULL, time REAL NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS stage_boot ON stage (boot);
CREATE INDEX IF NOT EXISTS boot_host ON boot (host, number);
CREATE TABLE IF NOT EXISTS unknown_sender (
  address TEXT PRIMARY KEY,
  first REAL,
  last REAL,
  datagrams INTEGER,
  last_text TEXT
);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);

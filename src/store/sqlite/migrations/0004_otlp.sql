-- Whether the daemon had an OTLP delivery when it last started. There is no row
-- before the first start of this version: see BeginOtlp.
CREATE TABLE otlp_start (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    is_on INTEGER NOT NULL CHECK (is_on IN (0, 1))
) STRICT;

-- Parts of the log that were left out, because there was no delivery.
CREATE TABLE otlp_gap (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL
) STRICT;

-- Events to send on purpose: parked ones again, and those of a gap.
CREATE TABLE otlp_resend (
    seq INTEGER PRIMARY KEY REFERENCES event (seq)
) STRICT;

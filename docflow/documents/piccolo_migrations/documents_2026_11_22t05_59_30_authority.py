"""Powers of attorney and what is found of the authority to sign."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T05:59:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "authority to sign"

SQL = """
CREATE TABLE power_of_attorney (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    number text NOT NULL,
    xml_blob_id uuid NOT NULL REFERENCES blob,
    signature_blob_id uuid NOT NULL REFERENCES blob,
    sha256 bytea NOT NULL,
    content jsonb NOT NULL,
    people text[] NOT NULL,
    uploaded_by uuid NOT NULL,
    uploaded_at timestamptz NOT NULL,
    CONSTRAINT power_of_attorney_once UNIQUE (organization_id, sha256, signature_blob_id)
);
CREATE INDEX power_of_attorney_number ON power_of_attorney (organization_id, number);
CREATE INDEX power_of_attorney_people ON power_of_attorney USING gin (people);

CREATE TABLE power_of_attorney_check (
    id uuid PRIMARY KEY,
    power_id uuid NOT NULL REFERENCES power_of_attorney,
    verdict text NOT NULL CONSTRAINT power_of_attorney_check_verdict CHECK (verdict IN ('valid', 'invalid', 'indeterminate')),
    report jsonb NOT NULL,
    checked_at timestamptz NOT NULL
);
CREATE INDEX power_of_attorney_check_power ON power_of_attorney_check (power_id, id);

CREATE TABLE power_of_attorney_status (
    id uuid PRIMARY KEY,
    power_id uuid NOT NULL REFERENCES power_of_attorney,
    status text NOT NULL CONSTRAINT power_of_attorney_status_status CHECK (status IN ('revoked', 'in_force')),
    source text NOT NULL CONSTRAINT power_of_attorney_status_source CHECK (source IN ('administrator', 'registry')),
    effective_at timestamptz NOT NULL,
    ground text NOT NULL DEFAULT '',
    recorded_by uuid,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX power_of_attorney_status_power ON power_of_attorney_status (power_id, effective_at);

CREATE TABLE power_rule (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    organization_id uuid REFERENCES organization,
    matched_by text NOT NULL CONSTRAINT power_rule_matched_by CHECK (matched_by IN ('code', 'text')),
    pattern text NOT NULL CONSTRAINT power_rule_pattern CHECK (length(pattern) BETWEEN 3 AND 255),
    kinds text[] NOT NULL CONSTRAINT power_rule_kinds CHECK (cardinality(kinds) > 0),
    added_by uuid,
    added_at timestamptz NOT NULL,
    retired_at timestamptz
);
CREATE INDEX power_rule_organization ON power_rule (organization_id) WHERE retired_at IS NULL;
INSERT INTO power_rule (matched_by, pattern, kinds, added_at) VALUES
    ('text', 'подпис любые документы', '{*}', now()),
    ('text', 'подпис все документы', '{*}', now()),
    ('text', 'подпис любых документов', '{*}', now()),
    ('text', 'подпис всех документов', '{*}', now()),
    ('text', 'подпис письма', '{letter,circular,appeal}', now()),
    ('text', 'подпис писем', '{letter,circular,appeal}', now()),
    ('text', 'подпис переписк', '{letter,circular,appeal}', now()),
    ('text', 'подпис обращени', '{appeal}', now()),
    ('text', 'подпис отчет', '{report}', now()),
    ('text', 'подпис распоряжени', '{order}', now()),
    ('text', 'подпис выписк', '{extract}', now());

CREATE TABLE signature_authority (
    id uuid PRIMARY KEY,
    signature_id uuid NOT NULL REFERENCES signature,
    basis text NOT NULL CONSTRAINT signature_authority_basis CHECK (basis IN ('head', 'mchd', 'seal', 'post', 'none')),
    state text NOT NULL CONSTRAINT signature_authority_state CHECK (state IN ('confirmed', 'refused', 'indeterminate', 'not_checked')),
    reasons text[] NOT NULL,
    is_of_organization boolean NOT NULL,
    power_id uuid REFERENCES power_of_attorney,
    person_id uuid REFERENCES person,
    revocation text CONSTRAINT signature_authority_revocation CHECK (revocation IN ('not_checked', 'not_revoked')),
    at timestamptz NOT NULL,
    checked_by uuid,
    checked_at timestamptz NOT NULL
);
CREATE INDEX signature_authority_signature ON signature_authority (signature_id, id);

INSERT INTO signature_authority (id, signature_id, basis, state, reasons, is_of_organization, at, checked_at)
SELECT uuidv7(), s.id, 'none', 'not_checked', '{}', false, s.checked_at, now() FROM signature AS s;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="documents", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager

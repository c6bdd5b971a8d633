"""Records schedule: plans of cases, retention lists, filing, inventories, acts of destruction."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T13:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "records"

SQL = """
ALTER TABLE document DROP CONSTRAINT document_status;
ALTER TABLE document ADD CONSTRAINT document_status CHECK (status IN
    ('draft', 'signing', 'signed', 'registered', 'sent', 'closed', 'recalled', 'discarded', 'destroyed'));

CREATE TABLE retention_list (
    id uuid PRIMARY KEY,
    code text NOT NULL,
    edition text NOT NULL,
    title text NOT NULL,
    source text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    sha256 bytea NOT NULL CONSTRAINT retention_list_sha256 CHECK (octet_length(sha256) = 32),
    loaded_by uuid,
    loaded_at timestamptz NOT NULL,
    CONSTRAINT retention_list_edition UNIQUE (code, edition),
    CONSTRAINT retention_list_dates CHECK (valid_to >= valid_from)
);

CREATE TABLE retention_article (
    id uuid PRIMARY KEY,
    list_id uuid NOT NULL REFERENCES retention_list,
    article text NOT NULL,
    item text NOT NULL DEFAULT '',
    title text NOT NULL CONSTRAINT retention_article_title CHECK (title <> ''),
    term_kind text NOT NULL,
    years integer,
    needs_decision boolean NOT NULL,
    other_kind text,
    other_years integer,
    other_needs_decision boolean,
    note text NOT NULL DEFAULT '',
    mark text NOT NULL CONSTRAINT retention_article_mark CHECK (mark IN ('read', 'seen', 'unverified', 'confirmed')),
    confirmed_source text,
    confirmed_by uuid,
    confirmed_at timestamptz,
    CONSTRAINT retention_article_place UNIQUE (list_id, article, item),
    CONSTRAINT retention_article_term CHECK (term_kind IN
        ('permanent', 'until_liquidation', 'years', 'until_need', 'until_replaced', 'conditional')),
    CONSTRAINT retention_article_other CHECK (other_kind IN
        ('permanent', 'until_liquidation', 'years', 'until_need', 'until_replaced', 'conditional')),
    CONSTRAINT retention_article_years CHECK ((term_kind = 'years') = (years IS NOT NULL)),
    CONSTRAINT retention_article_other_years CHECK ((coalesce(other_kind, '') = 'years') = (other_years IS NOT NULL)),
    CONSTRAINT retention_article_confirmed CHECK ((mark = 'confirmed') = (confirmed_at IS NOT NULL))
);

CREATE TABLE file_plan (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    year integer NOT NULL CONSTRAINT file_plan_year_known CHECK (year BETWEEN 1900 AND 2200),
    status text NOT NULL CONSTRAINT file_plan_status CHECK (status IN ('draft', 'approved', 'closed')),
    copied_from_id uuid REFERENCES file_plan,
    agreement text NOT NULL DEFAULT '',
    approved_by uuid,
    approved_on date,
    summary jsonb,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT file_plan_year UNIQUE (organization_id, year),
    CONSTRAINT file_plan_of UNIQUE (id, organization_id, year),
    CONSTRAINT file_plan_approved CHECK (status = 'draft' OR approved_on IS NOT NULL),
    CONSTRAINT file_plan_summary CHECK ((status = 'closed') = (summary IS NOT NULL))
);

CREATE TABLE case_inventory (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    year integer NOT NULL,
    kind text NOT NULL CONSTRAINT case_inventory_kind CHECK (kind IN ('permanent', 'long', 'personnel')),
    number text NOT NULL,
    status text NOT NULL CONSTRAINT case_inventory_status CHECK (status IN ('draft', 'approved', 'cancelled')),
    protocol text NOT NULL DEFAULT '',
    approved_by uuid,
    approved_on date,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT case_inventory_approved CHECK ((status = 'approved') = (approved_on IS NOT NULL))
);
CREATE UNIQUE INDEX case_inventory_number ON case_inventory (organization_id, number) WHERE status <> 'cancelled';

CREATE TABLE record_case (
    id uuid PRIMARY KEY,
    plan_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    year integer NOT NULL,
    index text NOT NULL CONSTRAINT record_case_index_given CHECK (index <> ''),
    section text NOT NULL DEFAULT '',
    title text NOT NULL CONSTRAINT record_case_title CHECK (title <> ''),
    status text NOT NULL CONSTRAINT record_case_status CHECK (status IN ('planned', 'open', 'closed', 'carried', 'destroyed')),
    article_id uuid REFERENCES retention_article,
    protocol text NOT NULL DEFAULT '',
    term_kind text NOT NULL CONSTRAINT record_case_term CHECK (term_kind IN
        ('permanent', 'until_liquidation', 'years', 'until_need', 'until_replaced', 'conditional')),
    years integer CONSTRAINT record_case_years_known CHECK (years BETWEEN 1 AND 200),
    needs_decision boolean NOT NULL,
    is_personnel boolean NOT NULL DEFAULT false,
    is_electronic boolean NOT NULL DEFAULT true,
    is_carried boolean NOT NULL DEFAULT false,
    note text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    previous_id uuid REFERENCES record_case,
    appraisal text NOT NULL DEFAULT '',
    opened_on date,
    closed_on date,
    expires_on date,
    inventory_id uuid REFERENCES case_inventory,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT record_case_plan FOREIGN KEY (plan_id, organization_id, year)
        REFERENCES file_plan (id, organization_id, year),
    CONSTRAINT record_case_index UNIQUE (organization_id, year, index),
    CONSTRAINT record_case_years CHECK ((term_kind = 'years') = (years IS NOT NULL)),
    CONSTRAINT record_case_basis CHECK (article_id IS NOT NULL OR protocol <> ''),
    CONSTRAINT record_case_closed CHECK ((status IN ('closed', 'destroyed')) = (closed_on IS NOT NULL)),
    CONSTRAINT record_case_expires CHECK (expires_on IS NULL OR closed_on IS NOT NULL)
);
CREATE INDEX record_case_plan_order ON record_case (plan_id, index);
CREATE INDEX record_case_expiring ON record_case (organization_id, expires_on) WHERE status = 'closed';
CREATE INDEX record_case_inventory ON record_case (inventory_id) WHERE inventory_id IS NOT NULL;

CREATE TABLE commission_member (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    account_id uuid NOT NULL REFERENCES account,
    is_chair boolean NOT NULL DEFAULT false,
    basis text NOT NULL CONSTRAINT commission_member_basis CHECK (basis <> ''),
    since timestamptz NOT NULL,
    until timestamptz
);
CREATE UNIQUE INDEX commission_member_once ON commission_member (organization_id, account_id) WHERE until IS NULL;
CREATE UNIQUE INDEX commission_member_chair ON commission_member (organization_id) WHERE until IS NULL AND is_chair;

CREATE TABLE destruction_act (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization,
    year integer NOT NULL,
    number integer NOT NULL,
    date date NOT NULL,
    status text NOT NULL CONSTRAINT destruction_act_status CHECK (status IN
        ('draft', 'review', 'agreed', 'approved', 'executing', 'executed', 'rejected', 'cancelled')),
    basis text NOT NULL CONSTRAINT destruction_act_basis CHECK (basis <> ''),
    method text NOT NULL CONSTRAINT destruction_act_method CHECK (method <> ''),
    backups_until date NOT NULL,
    protocol text NOT NULL DEFAULT '',
    archive_protocol text NOT NULL DEFAULT '',
    members uuid[] NOT NULL DEFAULT '{}',
    reason text NOT NULL DEFAULT '',
    drafted_by uuid NOT NULL,
    approved_by uuid,
    approved_on date,
    executed_by uuid,
    executed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT destruction_act_number UNIQUE (organization_id, year, number),
    CONSTRAINT destruction_act_two_people CHECK (approved_by <> drafted_by)
);

CREATE TABLE destruction_line (
    id uuid PRIMARY KEY,
    act_id uuid NOT NULL REFERENCES destruction_act,
    case_id uuid NOT NULL REFERENCES record_case,
    position integer NOT NULL,
    status text NOT NULL CONSTRAINT destruction_line_status CHECK (status IN ('listed', 'dropped', 'destroyed')),
    documents integer NOT NULL,
    destroyed integer NOT NULL DEFAULT 0,
    kept_for_others integer NOT NULL DEFAULT 0,
    reason text NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL,
    CONSTRAINT destruction_line_position UNIQUE (act_id, position)
);
CREATE UNIQUE INDEX destruction_line_once ON destruction_line (case_id) WHERE status <> 'dropped';

CREATE TABLE destruction_vote (
    id uuid PRIMARY KEY,
    act_id uuid NOT NULL REFERENCES destruction_act,
    account_id uuid NOT NULL REFERENCES account,
    is_for boolean NOT NULL,
    remark text NOT NULL DEFAULT '',
    voted_at timestamptz NOT NULL,
    CONSTRAINT destruction_vote_once UNIQUE (act_id, account_id)
);

CREATE TABLE case_filing (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES record_case,
    document_id uuid NOT NULL REFERENCES document,
    organization_id uuid NOT NULL REFERENCES organization,
    status text NOT NULL CONSTRAINT case_filing_status CHECK (status IN ('filed', 'destroyed')),
    number text NOT NULL,
    date date NOT NULL,
    kind text NOT NULL,
    act_id uuid REFERENCES destruction_act,
    destroyed_at timestamptz,
    is_erased boolean NOT NULL DEFAULT false,
    filed_by uuid NOT NULL,
    filed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT case_filing_once UNIQUE (document_id, organization_id),
    CONSTRAINT case_filing_destroyed CHECK ((status = 'destroyed') = (act_id IS NOT NULL)
        AND (act_id IS NULL) = (destroyed_at IS NULL))
);
CREATE INDEX case_filing_case ON case_filing (case_id, id);
CREATE INDEX case_filing_gone ON case_filing (organization_id, document_id) WHERE status = 'destroyed';
CREATE INDEX case_filing_number ON case_filing (organization_id, lower(number)) WHERE status = 'destroyed';
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="documents", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager

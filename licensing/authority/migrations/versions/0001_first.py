"""The first shape of the authority."""

import sqlalchemy as sa
from alembic import op

from server.core.db import JsonColumn, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", JsonColumn, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(op.f("ix_audit_entries_subject"), "audit_entries", ["subject"], unique=False)
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("organization", sa.String(), nullable=True),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_customers_customer_id")),
    )
    op.create_index(op.f("ix_customers_organization"), "customers", ["organization"], unique=False)
    op.create_table(
        "job_states",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_states")),
    )
    op.create_table(
        "kept_answers",
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("is_denial", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request_hash", name=op.f("pk_kept_answers")),
    )
    op.create_index(
        op.f("ix_kept_answers_answered_at"), "kept_answers", ["answered_at"], unique=False
    )
    op.create_table(
        "offline_challenges",
        sa.Column("challenge", sa.String(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("challenge", name=op.f("pk_offline_challenges")),
    )
    op.create_table(
        "rate_buckets",
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("full_at", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_buckets")),
    )
    op.create_index(op.f("ix_rate_buckets_full_at"), "rate_buckets", ["full_at"], unique=False)
    op.create_table(
        "scheduler_leases",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_scheduler_leases")),
    )
    op.create_table(
        "licenses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("license_id", sa.String(), nullable=False),
        sa.Column("customer_row_id", sa.Integer(), nullable=False),
        sa.Column("code_id", sa.String(), nullable=False),
        sa.Column("code_key", sa.LargeBinary(), nullable=False),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "ok",
                "suspended",
                "revoked",
                "closed",
                name="licensestatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "trial",
                "subscription",
                "perpetual",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("site_label", sa.String(), nullable=False),
        sa.Column(
            "network_mode",
            sa.Enum(
                "enforce",
                "warn",
                "off",
                name="networkmode",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("networks", sa.JSON(), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("named", sa.Integer(), nullable=False),
        sa.Column("concurrent", sa.Integer(), nullable=False),
        sa.Column("service_accounts", sa.Integer(), nullable=False),
        sa.Column("term_days", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("maintenance_until", sa.BigInteger(), nullable=True),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("lease_ttl_s", sa.Integer(), nullable=False),
        sa.Column("read_only_after_s", sa.Integer(), nullable=False),
        sa.Column("lock_after_s", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=True),
        sa.Column("envelope_hash", sa.String(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "expires_at IS NOT NULL OR kind <> 'subscription'", name=op.f("ck_licenses_term")
        ),
        sa.CheckConstraint(
            "named > 0 AND concurrent > 0 AND service_accounts >= 0", name=op.f("ck_licenses_seats")
        ),
        sa.ForeignKeyConstraint(
            ["customer_row_id"],
            ["customers.id"],
            name=op.f("fk_licenses_customer_row_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licenses")),
        sa.UniqueConstraint("code_id", name=op.f("uq_licenses_code_id")),
        sa.UniqueConstraint("license_id", name=op.f("uq_licenses_license_id")),
    )
    op.create_index(
        op.f("ix_licenses_customer_row_id"), "licenses", ["customer_row_id"], unique=False
    )
    op.create_table(
        "activations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("activation_id", sa.String(), nullable=False),
        sa.Column("license_row_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("instance_pub", sa.LargeBinary(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "superseded",
                "deactivated",
                name="activationstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("fingerprint", sa.JSON(), nullable=False),
        sa.Column("activated_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.Column("head_nonce", sa.String(), nullable=True),
        sa.Column("head_hash", sa.String(), nullable=True),
        sa.Column("lease_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("forks", sa.Integer(), nullable=False),
        sa.Column("clean", sa.Integer(), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("last_request", sa.String(), nullable=True),
        sa.Column("last_answer", sa.LargeBinary(), nullable=True),
        sa.Column("proof_request", sa.String(), nullable=True),
        sa.Column("proof", sa.LargeBinary(), nullable=True),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("product_version", sa.String(), nullable=False),
        sa.Column("usage", sa.JSON(), nullable=False),
        sa.Column("mode", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["license_row_id"],
            ["licenses.id"],
            name=op.f("fk_activations_license_row_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activations")),
        sa.UniqueConstraint("activation_id", name=op.f("uq_activations_activation_id")),
    )
    op.create_index(
        op.f("ix_activations_license_row_id_id"),
        "activations",
        ["license_row_id", "id"],
        unique=False,
    )
    op.create_index(
        "uq_activations_active",
        "activations",
        ["license_row_id"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "flags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("license_row_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "wrong_codes",
                "clone_review",
                "clone_hold",
                "shared_fingerprint",
                "fingerprint_changed",
                "weak_binding",
                "rehosted",
                name="flagkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["license_row_id"],
            ["licenses.id"],
            name=op.f("fk_flags_license_row_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flags")),
    )
    op.create_index(
        "uq_flags_open",
        "flags",
        ["license_row_id", "kind"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "license_serials",
        sa.Column("license_row_id", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["license_row_id"],
            ["licenses.id"],
            name=op.f("fk_license_serials_license_row_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("license_row_id", "serial", name=op.f("pk_license_serials")),
    )
    op.create_table(
        "trial_uses",
        sa.Column("license_row_id", sa.Integer(), nullable=False),
        sa.Column("organization", sa.String(), nullable=True),
        sa.Column("components", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["license_row_id"],
            ["licenses.id"],
            name=op.f("fk_trial_uses_license_row_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("license_row_id", name=op.f("pk_trial_uses")),
        sa.UniqueConstraint("organization", name=op.f("uq_trial_uses_organization")),
    )
    op.create_table(
        "activation_components",
        sa.Column("activation_row_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activation_row_id"],
            ["activations.id"],
            name=op.f("fk_activation_components_activation_row_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("activation_row_id", "name", name=op.f("pk_activation_components")),
    )
    op.create_index(
        op.f("ix_activation_components_name_value"),
        "activation_components",
        ["name", "value"],
        unique=False,
    )
    op.create_table(
        "heads",
        sa.Column("activation_row_id", sa.Integer(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("license_serial", sa.Integer(), nullable=False),
        sa.Column("keyset_version", sa.Integer(), nullable=False),
        sa.Column("is_abandoned", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activation_row_id"],
            ["activations.id"],
            name=op.f("fk_heads_activation_row_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("activation_row_id", "nonce", name=op.f("pk_heads")),
    )
    op.create_table(
        "trial_components",
        sa.Column("license_row_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["license_row_id"],
            ["trial_uses.license_row_id"],
            name=op.f("fk_trial_components_license_row_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("license_row_id", "name", name=op.f("pk_trial_components")),
    )
    op.create_index(
        op.f("ix_trial_components_name_value"), "trial_components", ["name", "value"], unique=False
    )

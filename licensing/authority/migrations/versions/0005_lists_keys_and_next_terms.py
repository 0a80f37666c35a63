"""Lists that search, the key under each licence, and a next term loaded ahead."""

import json

import sqlalchemy as sa
from alembic import op

from server.core.search_index import create_search_index
from server.core.text import fold, search_text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.add_column("activations", sa.Column("shown_fingerprint", sa.JSON(), nullable=True))
    op.add_column("activations", sa.Column("refunded_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "customers", sa.Column("name_key", sa.String(), server_default="", nullable=False)
    )
    op.add_column(
        "customers", sa.Column("search_text", sa.Text(), server_default="", nullable=False)
    )
    op.create_index(op.f("ix_customers_email_id"), "customers", ["email", "id"], unique=False)
    op.create_index(op.f("ix_customers_name_key_id"), "customers", ["name_key", "id"], unique=False)
    op.add_column("license_serials", sa.Column("signed_by", sa.String(), nullable=True))
    op.create_index(
        op.f("ix_license_serials_signed_by"), "license_serials", ["signed_by"], unique=False
    )
    op.add_column("licenses", sa.Column("signed_by", sa.String(), nullable=True))
    op.add_column("licenses", sa.Column("next_starts_at", sa.BigInteger(), nullable=True))
    op.add_column("licenses", sa.Column("next_named", sa.Integer(), nullable=True))
    op.add_column("licenses", sa.Column("next_concurrent", sa.Integer(), nullable=True))
    op.add_column("licenses", sa.Column("next_service_accounts", sa.Integer(), nullable=True))
    op.add_column(
        "licenses", sa.Column("search_text", sa.Text(), server_default="", nullable=False)
    )
    op.drop_index(op.f("ix_licenses_customer_row_id"), table_name="licenses")
    op.create_index(
        op.f("ix_licenses_customer_row_id_id"), "licenses", ["customer_row_id", "id"], unique=False
    )
    op.create_index(op.f("ix_licenses_kind_id"), "licenses", ["kind", "id"], unique=False)
    op.create_index(op.f("ix_licenses_named_id"), "licenses", ["named", "id"], unique=False)
    op.create_index(
        op.f("ix_licenses_next_starts_at"), "licenses", ["next_starts_at"], unique=False
    )
    op.create_index(op.f("ix_licenses_signed_by_id"), "licenses", ["signed_by", "id"], unique=False)
    op.create_index(
        "ix_licenses_ends",
        "licenses",
        [sa.text("coalesce(expires_at, 9007199254740991)"), "id"],
        unique=False,
    )
    connection = op.get_bind()
    _name_customers(connection)
    _name_licenses(connection)
    _name_keys(connection, "licenses", "id = :first", ["id"])
    _name_keys(
        connection,
        "license_serials",
        "license_row_id = :first AND serial = :second",
        ["license_row_id", "serial"],
    )
    create_search_index(connection, "customers")
    create_search_index(connection, "licenses")
    if connection.dialect.name == "sqlite":
        for table in ("customers", "licenses"):
            connection.execute(
                sa.text(f"INSERT INTO {table}_search({table}_search) VALUES('rebuild')")
            )


def _name_customers(connection: sa.Connection) -> None:
    rows = connection.execute(sa.text("SELECT id, name, email, customer_id FROM customers")).all()
    for row in rows:
        connection.execute(
            sa.text("UPDATE customers SET name_key = :key, search_text = :text WHERE id = :id"),
            {
                "key": fold(row.name).replace(" ", "") or row.name.strip().casefold(),
                "text": search_text(row.name, row.email, row.customer_id),
                "id": row.id,
            },
        )


def _name_licenses(connection: sa.Connection) -> None:
    rows = connection.execute(
        sa.text(
            "SELECT licenses.id, license_id, site_label, name, email FROM licenses"
            " JOIN customers ON customers.id = licenses.customer_row_id"
        )
    ).all()
    for row in rows:
        text = search_text(row.license_id, row.site_label, row.name, row.email)
        connection.execute(
            sa.text("UPDATE licenses SET search_text = :text WHERE id = :id"),
            {"text": text, "id": row.id},
        )


def _name_keys(connection: sa.Connection, table: str, one: str, names: list[str]) -> None:
    """Write down by which key each document was signed; we named it ourselves in the envelope."""
    rows = connection.execute(
        sa.text(f"SELECT {', '.join(names)}, envelope FROM {table} WHERE envelope IS NOT NULL")  # noqa: S608 - names of ours
    ).all()
    for row in rows:
        keyid = json.loads(row.envelope)["signatures"][0]["keyid"]
        values = {"keyid": keyid, "first": row[0], "second": row[1] if len(names) > 1 else None}
        connection.execute(
            sa.text(f"UPDATE {table} SET signed_by = :keyid WHERE {one}"),  # noqa: S608 - names of ours
            values if len(names) > 1 else {"keyid": keyid, "first": row[0]},
        )

"""Alembic's entry: it runs on the connection that `run.py` hands over."""

from alembic import context

from licensing.authority.db.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()

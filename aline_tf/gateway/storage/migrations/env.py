"""How Alembic runs the steps: in the connection, and the transaction, that it is handed."""

from alembic import context

from aline_tf.gateway.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite changes a table by making it anew.
    render_as_batch=True,
)
context.run_migrations()

"""What alembic runs to bring a store up to date, on the connection and in the transaction it is given."""

from alembic import context

from serving.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()

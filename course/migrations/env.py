"""What alembic runs for a migration: the steps, in the transaction of whoever asked for it."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
